// Package jobs runs work that outlives a request: imports, deliveries, mails. A
// job is a row that is written before anyone is told of it, is leased to one
// worker at a time, and runs again after a crash: at least once, never lost.
//
// A package that has work names its kind with a Handler, enqueues jobs of that
// kind, and leaves leases, retries, aborts and progress to the Runner:
//
//	runner := jobs.NewRunner(jobs.Config{Store: store, Handlers: map[string]jobs.Handler{
//		"import": {Run: source.Import, Attempts: 3},
//	}, ...})
//	job, err := runner.Enqueue(ctx, jobs.New{Account: account, Kind: "import", Lane: "import/" + id, Payload: body, Alone: true})
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// State is where a job is in its life.
type State string

// The states of a job. A job in one of the last three has ended.
const (
	Queued  State = "queued"  // waits for RunAt, for the first time or after a failure
	Running State = "running" // leased to a worker
	Done    State = "done"
	Failed  State = "failed" // will not be tried again by itself
	Aborted State = "aborted"
)

// Ended reports whether a job in this state will not run again by itself.
func (s State) Ended() bool { return s == Done || s == Failed || s == Aborted }

// Job is one piece of work. Times are UTC with milliseconds; a time that did not
// come yet is zero.
type Job struct {
	ID      string
	Account string          // "" for work of the whole installation
	Kind    string          // names the Handler
	Lane    string          // jobs of one kind and lane run one after another, those due first first
	Payload json.RawMessage // what to do

	State    State
	Progress json.RawMessage // what the handler saved last, nil if nothing; it survives attempts
	Attempt  int             // how often it was begun
	Error    string          // why the last attempt failed, "" if none did
	RunAt    time.Time       // not before
	Created  time.Time
	Started  time.Time // of the last attempt
	Ended    time.Time

	// Lease tells the attempts of a job apart: who holds an older one may not
	// write any more.
	Lease int64
}

// New is a job to enqueue.
type New struct {
	ID      string // chosen by the caller to make enqueueing idempotent; "" for a random one
	Account string
	Kind    string
	Lane    string
	Payload json.RawMessage // JSON; nil for null
	RunAt   time.Time       // zero for now
	Alone   bool            // refuse with ErrBusy while the lane has a job that has not ended
}

// Schedule enqueues a job again and again. Its lane is its name.
type Schedule struct {
	Account string
	Kind    string
	Lane    string
	Payload json.RawMessage
	Every   time.Duration // at least a minute
	Next    time.Time     // when it is due
}

// Errors of stores and of the Runner.
var (
	ErrNotFound = errors.New("there is no such job")
	ErrExists   = errors.New("a job with this id exists")
	ErrBusy     = errors.New("the lane has a job that has not ended")
	ErrLost     = errors.New("the lease was lost") // the attempt took longer than its lease: another has begun, or the job is gone
	ErrEnded    = errors.New("the job has ended")
	ErrNotEnded = errors.New("the job has not ended")
)

// Outcome is how an attempt ended.
type Outcome struct {
	State   State // Queued to be tried again at RunAt, else an ended state
	RunAt   time.Time
	Error   string
	Refund  bool // the attempt does not count: it was interrupted by a shutdown
	EndedAt time.Time
}

// Filter selects jobs of one account and lane.
type Filter struct {
	Lane  string
	State State  // "" for all
	After string // id of the last job of the page before, "" for the first page
	Limit int    // at least 1
}

// Store keeps jobs. Implementations are safe for concurrent use; a method that
// returns nil has made its change durable, and one that returns an error has
// changed nothing. Methods that take an account touch jobs of that account
// alone; for others its jobs do not exist (ErrNotFound).
type Store interface {
	// Enqueue adds a job in state Queued. ErrExists when the id is taken, ErrBusy
	// when alone is set and a job of the same kind and lane has not ended.
	Enqueue(ctx context.Context, j Job, alone bool) error

	// Claim leases the job of a kind that is due first, in a lane that is not
	// among busy, until a time: it becomes Running, its Attempt and Lease rise.
	// When none is due it returns nil and when the next one will be, zero if none
	// waits. Jobs of every lane get their turn, however long one lane's queue is.
	Claim(ctx context.Context, kind string, busy []string, now, until time.Time) (job *Job, next time.Time, err error)

	// Extend renews a lease and reports whether an abort was asked for. Progress
	// is saved unless nil. ErrLost when the lease is not the job's any more.
	Extend(ctx context.Context, id string, lease int64, until time.Time, progress json.RawMessage) (abort bool, err error)

	// Finish ends an attempt. ErrLost when the lease is not the job's any more.
	Finish(ctx context.Context, id string, lease int64, o Outcome) error

	// Reclaim puts jobs whose lease ran out back into the queue and returns how
	// many there were.
	Reclaim(ctx context.Context, now time.Time) (int, error)

	// Abort ends a queued job and asks for the end of a running one. It returns
	// the job as it is then, or ErrNotFound or ErrEnded.
	Abort(ctx context.Context, account, id string, now time.Time) (Job, error)

	// Retry puts an ended job back into the queue with all its attempts before
	// it. ErrNotFound, ErrNotEnded.
	Retry(ctx context.Context, account, id string, now time.Time) (Job, error)

	// Job returns a job, or ErrNotFound.
	Job(ctx context.Context, account, id string) (Job, error)

	// Jobs returns the jobs that the filter selects, newest first.
	Jobs(ctx context.Context, account string, f Filter) ([]Job, error)

	// DropLane removes all jobs of a lane, also those that run, whose workers
	// lose their lease, and its schedule. None is not an error.
	DropLane(ctx context.Context, account, lane string) error

	// Purge removes up to limit jobs of a kind that ended before a time and
	// returns how many.
	Purge(ctx context.Context, kind string, before time.Time, limit int) (int, error)

	// SetSchedule adds a schedule or replaces the one of its account and lane.
	SetSchedule(ctx context.Context, s Schedule) error

	// Schedule returns an account's schedule by its lane, or ErrNotFound.
	Schedule(ctx context.Context, account, lane string) (Schedule, error)

	// DropSchedule removes a schedule. None is not an error.
	DropSchedule(ctx context.Context, account, lane string) error

	// DueSchedules returns up to limit schedules that are due, the earliest first.
	DueSchedules(ctx context.Context, now time.Time, limit int) ([]Schedule, error)

	// Fire moves a due schedule to its next time and enqueues its job, unless
	// the lane has one that has not ended. A schedule that was changed since it
	// was read is left alone.
	Fire(ctx context.Context, s Schedule, next time.Time, j Job) error
}
