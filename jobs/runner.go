package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"
)

// Config is what a Runner needs.
type Config struct {
	Store    Store
	Handlers map[string]Handler // by kind
	Now      func() time.Time
	Logger   *slog.Logger

	// Suspended reports whether work for an account waits for now: its jobs do not
	// begin, and those that run are interrupted. Whether it goes on is asked every
	// SuspendedWait. Nil for never.
	Suspended func(ctx context.Context, account string) (bool, error)

	Lease time.Duration // how long a crashed worker's job waits for another; 0 is 30 s
	Poll  time.Duration // how often to look for jobs that others enqueued; 0 is 1 s
}

// SuspendedWait is how long jobs of a suspended account wait until it is asked
// again whether they may run.
const SuspendedWait = 15 * time.Minute

const (
	defaultLease  = 30 * time.Second
	defaultPoll   = time.Second
	purgeEvery    = time.Hour
	purgeBatch    = 1000
	scheduleBatch = 100
	maxSpread     = 5 * time.Minute // of what one schedule enqueues
)

// Runner enqueues jobs and runs them. Its methods are safe for concurrent use;
// all work happens inside Run, which owns every goroutine.
type Runner struct {
	store    Store
	handlers map[string]Handler
	kinds    []string // of handlers, sorted
	now      func() time.Time
	logger   *slog.Logger
	lease    time.Duration
	poll     time.Duration

	suspended func(ctx context.Context, account string) (bool, error) // may be nil

	wake chan struct{} // holds one token when there may be something to do
	done chan ended

	mu      sync.Mutex
	cancels map[string]context.CancelCauseFunc // of running jobs by id

	// Owned by Run.
	running   map[string]int // per kind
	lanes     map[laneKey]*lane
	lastSweep time.Time
	lastPurge time.Time
}

type laneKey struct{ kind, lane string }

// lane is what the runner knows of a lane that it works in.
type lane struct {
	running  int
	failures int       // in a row
	resume   time.Time // a lane that fails, or whose account is suspended, is left alone for a while, so that it does not keep workers from others
}

// ended is an attempt that is over.
type ended struct {
	key       laneKey
	failed    bool
	suspended bool
}

// NewRunner makes a runner; nothing runs before Run.
func NewRunner(cfg Config) *Runner {
	r := &Runner{
		store: cfg.Store, handlers: map[string]Handler{}, now: cfg.Now, logger: cfg.Logger, lease: cfg.Lease, poll: cfg.Poll,
		suspended: cfg.Suspended,
		wake:      make(chan struct{}, 1), done: make(chan ended),
		cancels: map[string]context.CancelCauseFunc{}, running: map[string]int{}, lanes: map[laneKey]*lane{},
	}
	setDefault(&r.lease, defaultLease)
	setDefault(&r.poll, defaultPoll)
	for kind, h := range cfg.Handlers {
		r.handlers[kind] = h.withDefaults()
		r.kinds = append(r.kinds, kind)
	}
	slices.Sort(r.kinds)
	return r
}

// Enqueue writes a job and returns it once it is durable. Errors are those of
// Store.Enqueue.
func (r *Runner) Enqueue(ctx context.Context, n New) (Job, error) {
	j := r.job(n)
	if err := r.store.Enqueue(ctx, j, n.Alone); err != nil {
		return Job{}, fmt.Errorf("enqueue %s: %w", n.Kind, err)
	}
	r.Wake()
	return j, nil
}

func (r *Runner) job(n New) Job {
	now := r.now().UTC().Truncate(time.Millisecond)
	j := Job{ID: n.ID, Account: n.Account, Kind: n.Kind, Lane: n.Lane, Payload: n.Payload, State: Queued, RunAt: n.RunAt, Created: now}
	if j.ID == "" {
		j.ID = "job_" + rand.Text()
	}
	if j.Payload == nil {
		j.Payload = json.RawMessage("null")
	}
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	j.RunAt = j.RunAt.UTC().Truncate(time.Millisecond)
	return j
}

// Wake tells a running Runner that something may be due. Without it, Run notices
// within Config.Poll.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Abort ends a job: at once if it waits, soon if it runs. ErrNotFound, ErrEnded.
func (r *Runner) Abort(ctx context.Context, account, id string) (Job, error) {
	j, err := r.store.Abort(ctx, account, id, r.now())
	if err == nil {
		r.cancel(id, errAborted)
	}
	return j, err
}

// Retry runs an ended job again. ErrNotFound, ErrNotEnded.
func (r *Runner) Retry(ctx context.Context, account, id string) (Job, error) {
	j, err := r.store.Retry(ctx, account, id, r.now())
	if err == nil {
		r.Wake()
	}
	return j, err
}

// Job returns a job of the account, or ErrNotFound.
func (r *Runner) Job(ctx context.Context, account, id string) (Job, error) {
	return r.store.Job(ctx, account, id)
}

// Jobs returns jobs of the account, newest first.
func (r *Runner) Jobs(ctx context.Context, account string, f Filter) ([]Job, error) {
	return r.store.Jobs(ctx, account, f)
}

// Repeat sets the schedule of an account and lane: from first on, a job every so
// often, unless the one before has not ended. A first of zero is one interval
// from now.
func (r *Runner) Repeat(ctx context.Context, n New, every time.Duration, first time.Time) error {
	if every < time.Minute {
		return fmt.Errorf("schedule %s every %s: want at least a minute", n.Kind, every)
	}
	if first.IsZero() {
		first = r.now().Add(every)
	}
	j := r.job(n)
	return r.store.SetSchedule(ctx, Schedule{
		Account: j.Account, Kind: j.Kind, Lane: j.Lane, Payload: j.Payload, Every: every, Next: first.UTC().Truncate(time.Millisecond),
	})
}

// StopRepeating removes the schedule of an account and lane, if there is one.
func (r *Runner) StopRepeating(ctx context.Context, account, lane string) error {
	return r.store.DropSchedule(ctx, account, lane)
}

// DropLane removes all jobs of a lane and its schedule; a job that runs loses its
// lease.
func (r *Runner) DropLane(ctx context.Context, account, lane string) error {
	return r.store.DropLane(ctx, account, lane)
}

// Run works until ctx ends, then interrupts the attempts under way, waits for
// them and puts their jobs back. It must be called once.
func (r *Runner) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(r.round(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.wake:
		case e := <-r.done:
			r.settle(e)
		}
	}
	for r.busy() {
		r.settle(<-r.done)
	}
}

func (r *Runner) busy() bool {
	for _, n := range r.running {
		if n > 0 {
			return true
		}
	}
	return false
}

// settle notes that an attempt is over.
func (r *Runner) settle(e ended) {
	r.running[e.key.kind]--
	l := r.lanes[e.key]
	l.running--
	if e.suspended {
		l.resume = r.now().Add(SuspendedWait)
		return
	}
	if !e.failed {
		l.failures, l.resume = 0, time.Time{}
		if l.running == 0 {
			delete(r.lanes, e.key)
		}
		return
	}
	l.failures++
	l.resume = r.now().Add(pause(l.failures))
}

// pause is how long a lane is left alone after so many failures in a row. The
// first few cost nothing: jobs fail for reasons of their own, too.
func pause(failures int) time.Duration {
	const free, most = 2, 6
	if failures <= free {
		return 0
	}
	return time.Second << min(failures-free, most)
}

// round starts what is due and returns how long there is nothing else to do.
func (r *Runner) round(ctx context.Context) time.Duration {
	now := r.now()
	if err := r.keepHouse(ctx, now); err != nil {
		return r.failed(ctx, err)
	}
	wait := r.poll
	for _, kind := range r.kinds {
		next, err := r.claimAll(ctx, kind)
		if err != nil {
			return r.failed(ctx, err)
		}
		if !next.IsZero() {
			wait = min(wait, max(next.Sub(r.now()), 0))
		}
	}
	return wait
}

func (r *Runner) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() == nil {
		r.logger.ErrorContext(ctx, "job queue", slog.Any("error", err))
	}
	return r.poll
}

// keepHouse frees what crashed workers held, fires schedules and forgets what
// ended long ago.
func (r *Runner) keepHouse(ctx context.Context, now time.Time) error {
	if now.Sub(r.lastSweep) >= r.lease/2 {
		if n, err := r.store.Reclaim(ctx, now); err != nil {
			return err
		} else if n > 0 {
			r.logger.WarnContext(ctx, "jobs whose worker vanished run again", slog.Int("jobs", n))
		}
		for key, l := range r.lanes {
			if l.running == 0 && now.After(l.resume.Add(pause(l.failures))) {
				delete(r.lanes, key)
			}
		}
		r.lastSweep = now
	}
	if err := r.fire(ctx, now); err != nil {
		return err
	}
	if now.Sub(r.lastPurge) < purgeEvery {
		return nil
	}
	r.lastPurge = now
	for _, kind := range r.kinds {
		for {
			n, err := r.store.Purge(ctx, kind, now.Add(-r.handlers[kind].Keep), purgeBatch)
			if err != nil {
				return err
			}
			if n < purgeBatch {
				break
			}
		}
	}
	return nil
}

// fire enqueues the jobs of schedules that are due.
func (r *Runner) fire(ctx context.Context, now time.Time) error {
	due, err := r.store.DueSchedules(ctx, now, scheduleBatch)
	if err != nil {
		return err
	}
	for _, s := range due {
		next := s.Next.Add(s.Every)
		if !next.After(now) {
			next = now.Add(s.Every) // it was missed more than once: once is enough
		}
		j := r.job(New{
			Account: s.Account, Kind: s.Kind, Lane: s.Lane, Payload: s.Payload,
			RunAt: now.Add(Jitter(min(s.Every/10, maxSpread))),
		})
		if err := r.store.Fire(ctx, s, next.Truncate(time.Millisecond), j); err != nil {
			return err
		}
	}
	return nil
}

// claimAll starts jobs of a kind while workers are free and jobs due.
func (r *Runner) claimAll(ctx context.Context, kind string) (next time.Time, err error) {
	h := r.handlers[kind]
	for r.running[kind] < h.Workers {
		now := r.now()
		busy, resume := r.busyLanes(kind, h.LaneWidth, now)
		claimed, due, err := r.claim(ctx, kind, busy, now)
		if err != nil {
			return time.Time{}, err
		}
		if !claimed {
			return earlier(due, resume), nil
		}
	}
	return time.Time{}, nil
}

// claim starts a job if one is due. An abort that comes meanwhile waits, for it
// must find the job queued or find how to end the attempt.
func (r *Runner) claim(ctx context.Context, kind string, busy []string, now time.Time) (claimed bool, due time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	job, due, err := r.store.Claim(ctx, kind, busy, now, now.Add(r.lease))
	if err != nil || job == nil {
		return false, due, err
	}
	r.start(ctx, job, r.handlers[kind])
	return true, due, nil
}

// busyLanes returns the lanes that may not begin another job now, and when the
// first of those that pause will.
func (r *Runner) busyLanes(kind string, width int, now time.Time) (busy []string, resume time.Time) {
	for key, l := range r.lanes {
		if key.kind != kind {
			continue
		}
		if l.resume.After(now) {
			resume = earlier(resume, l.resume)
		}
		// What failed before is tried with one job until one succeeds.
		if l.running >= width || l.failures > 0 && l.running > 0 || l.resume.After(now) {
			busy = append(busy, key.lane)
		}
	}
	return busy, resume
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Jitter returns a random time from 0 up to most.
func Jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)))
	if err != nil {
		return 0 // the system has no randomness: being on time is good enough
	}
	return time.Duration(n.Int64())
}

// Why a running attempt is told to stop.
var (
	errAborted  = errors.New("the job was aborted")
	errShutdown = errors.New("the process is shutting down")
	// errSuspended is about the account that the job is for.
	errSuspended = errors.New("the account is suspended")
)

func (r *Runner) cancel(id string, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.cancels[id]; cancel != nil {
		cancel(cause)
	}
}
