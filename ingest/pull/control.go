package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// Errors of a Control.
var (
	ErrNotConnected = errors.New("the data source is not connected to an endpoint")
	ErrImporting    = errors.New("an import of the data source is under way")
	ErrNoImport     = errors.New("no import of the data source is under way")
)

// Sources are the data sources that a Control works on. *analytics.Engine is
// them.
type Sources interface {
	Source(ctx context.Context, account, id string) (analytics.Source, error)
	UpdateSource(ctx context.Context, account, id string, change func(*analytics.Source) error) (analytics.Source, error)
	ResetSource(ctx context.Context, account, id string) error
	DeleteSource(ctx context.Context, account, id string) error
}

// Control connects data sources to endpoints and starts, watches and ends their
// imports. Its methods return analytics.ErrUnknownSource for a data source that
// the account does not have.
type Control struct {
	sources Sources
	jobs    *jobs.Runner
	cfg     Config
}

// NewControl makes the control of an importer's data sources. The runner has
// the importer's Handler under JobKind.
func NewControl(sources Sources, runner *jobs.Runner, i *Importer) *Control {
	return &Control{sources: sources, jobs: runner, cfg: i.cfg}
}

// lane holds the imports of one data source, one after another.
func lane(source string) string { return "import/" + source }

// Change renames a data source and changes its connection; "" keeps the name.
// The error is an *analytics.InvalidError when a value cannot be accepted; then
// nothing was changed.
func (c *Control) Change(ctx context.Context, account, source, name string, u Update) (analytics.Source, error) {
	schedule := Off
	updated, err := c.sources.UpdateSource(ctx, account, source, func(s *analytics.Source) error {
		if name != "" {
			s.Name = name
		}
		old, err := ReadConnection(*s)
		if err != nil {
			return err
		}
		if old != nil {
			schedule = old.Schedule
		}
		if u.Empty() {
			return nil
		}
		if s.Type != analytics.SourceAPI {
			return &analytics.InvalidError{Fields: []analytics.FieldError{{Field: "type", Message: "must be api: a data source of type " + s.Type + " fetches nothing"}}}
		}
		e := editor{account: account, source: source, outgoing: c.cfg.Outgoing, sealer: c.cfg.Sealer}
		next, err := e.apply(old, u)
		if err != nil {
			return err
		}
		schedule = next.Schedule
		s.Connection, err = json.Marshal(next)
		return err
	})
	if err != nil || u.Schedule == nil {
		return updated, err
	}
	return updated, c.repeat(ctx, account, source, schedule)
}

// repeat makes the schedule of a data source what its connection says. The
// first run comes at a random time within the interval, so that imports of many
// sources spread.
func (c *Control) repeat(ctx context.Context, account, source, schedule string) error {
	interval := every(schedule)
	if interval == 0 {
		return c.jobs.StopRepeating(ctx, account, lane(source))
	}
	n, err := c.job(account, source, false)
	if err != nil {
		return err
	}
	first := c.cfg.Now().Add(time.Minute + jobs.Jitter(interval-time.Minute))
	return c.jobs.Repeat(ctx, n, interval, first)
}

func (c *Control) job(account, source string, full bool) (jobs.New, error) {
	body, err := json.Marshal(payload{Source: source, Full: full})
	if err != nil {
		return jobs.New{}, fmt.Errorf("encode the job: %w", err)
	}
	return jobs.New{Account: account, Kind: JobKind, Lane: lane(source), Payload: body, Alone: true}, nil
}

// Import starts fetching everything. ErrNotConnected, ErrImporting.
func (c *Control) Import(ctx context.Context, account, source string) error {
	s, err := c.sources.Source(ctx, account, source)
	if err != nil {
		return err
	}
	if len(s.Connection) == 0 {
		return ErrNotConnected
	}
	n, err := c.job(account, source, true)
	if err != nil {
		return err
	}
	_, err = c.jobs.Enqueue(ctx, n)
	if errors.Is(err, jobs.ErrBusy) {
		return ErrImporting
	}
	return err
}

// Abort ends the import of a data source; what it stored stays. ErrNoImport.
func (c *Control) Abort(ctx context.Context, account, source string) error {
	if _, err := c.sources.Source(ctx, account, source); err != nil {
		return err
	}
	latest, err := c.latest(ctx, account, source)
	if err != nil {
		return err
	}
	if latest == nil || latest.State.Ended() {
		return ErrNoImport
	}
	_, err = c.jobs.Abort(ctx, account, latest.ID)
	if errors.Is(err, jobs.ErrEnded) || errors.Is(err, jobs.ErrNotFound) {
		return ErrNoImport
	}
	return err
}

// latest returns the last import of a data source, nil if there was none.
func (c *Control) latest(ctx context.Context, account, source string) (*jobs.Job, error) {
	found, err := c.jobs.Jobs(ctx, account, jobs.Filter{Lane: lane(source), Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Reset removes the rows of a data source and what is known of its imports.
// ErrImporting when one is under way and does not end soon.
func (c *Control) Reset(ctx context.Context, account, source string) error {
	s, err := c.quiet(ctx, account, source)
	if err != nil {
		return err
	}
	if err := c.sources.ResetSource(ctx, account, source); err != nil {
		return err
	}
	connection, err := ReadConnection(s)
	if err != nil || connection == nil {
		return err
	}
	return c.repeat(ctx, account, source, connection.Schedule) // went with the lane
}

// Delete removes a data source with its rows, its schedule and its imports.
// ErrImporting when one is under way and does not end soon.
func (c *Control) Delete(ctx context.Context, account, source string) error {
	if _, err := c.quiet(ctx, account, source); err != nil {
		return err
	}
	return c.sources.DeleteSource(ctx, account, source)
}

const (
	quietTime = 10 * time.Second
	quietPoll = 20 * time.Millisecond
)

// quiet ends the imports of a data source, waits until none can store a row any
// more, and forgets them.
func (c *Control) quiet(ctx context.Context, account, source string) (analytics.Source, error) {
	s, err := c.sources.Source(ctx, account, source)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, quietTime, ErrImporting)
	defer cancel()
	for {
		switch err := c.Abort(ctx, account, source); {
		case errors.Is(err, ErrNoImport):
			return s, c.jobs.DropLane(ctx, account, lane(source))
		case err != nil:
			return s, err
		}
		if err := sleep(ctx, quietPoll); err != nil {
			return s, context.Cause(ctx)
		}
	}
}

// Status is how the last import of a data source is getting on.
type Status struct {
	Phase string // see the constants
	Checkpoint
	Started time.Time // zero when there was none
	Active  time.Time
	Error   string    // where and why the last attempt failed
	Retry   time.Time // when it will be tried again, zero for never
	Attempt int
}

// The phases of an import.
const (
	Idle       = "idle"       // there was none
	Enqueueing = "enqueueing" // it waits for a worker
	Processing = "processing"
	Finished   = "done"
	Stuck      = "stuck" // it failed: for good, or until Retry
	Aborted    = "aborted"
)

// Status tells about the last import.
func (c *Control) Status(ctx context.Context, account, source string) (Status, error) {
	if _, err := c.sources.Source(ctx, account, source); err != nil {
		return Status{}, err
	}
	job, err := c.latest(ctx, account, source)
	if err != nil || job == nil {
		return Status{Phase: Idle}, err
	}
	return statusOf(job, c.cfg.Now())
}

func statusOf(job *jobs.Job, now time.Time) (Status, error) {
	s := Status{Attempt: job.Attempt, Started: job.Created, Active: job.Created}
	if len(job.Progress) > 0 {
		if err := json.Unmarshal(job.Progress, &s.Checkpoint); err != nil {
			return s, fmt.Errorf("read progress of job %s: %w", job.ID, err)
		}
	}
	for _, t := range []time.Time{job.Started, s.Checkpoint.Active, job.Ended} {
		if t.After(s.Active) {
			s.Active = t
		}
	}
	switch job.State {
	case jobs.Queued:
		s.Phase = Enqueueing
		if job.Error != "" && job.RunAt.After(now) { // else it was interrupted, and goes on as soon as it can
			s.Phase, s.Error, s.Retry = Stuck, job.Error, job.RunAt
		}
	case jobs.Running:
		s.Phase = Processing
	case jobs.Done:
		s.Phase = Finished
	case jobs.Failed:
		s.Phase, s.Error = Stuck, job.Error
	case jobs.Aborted:
		s.Phase = Aborted
	}
	return s, nil
}
