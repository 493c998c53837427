package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Handler does the work of one kind of job. Only Run is required.
type Handler struct {
	// Run does one attempt. Its context ends when the job is aborted, when the
	// lease is lost, at the time-out and at shutdown: Run must return soon then,
	// and what it had not saved may be done again by the next attempt. An error
	// means that the job is tried again; see Permanent.
	Run func(ctx context.Context, t *Task) error

	Workers   int           // attempts at once, over all lanes; 0 is 2
	LaneWidth int           // attempts at once in one lane; 0 is 1
	Attempts  int           // before the job fails; 0 is 5
	Timeout   time.Duration // of one attempt; 0 is an hour
	Keep      time.Duration // how long an ended job can be looked at; 0 is 30 days

	// Backoff is the time from the end of a failed attempt (from 1) to the next
	// one; nil is Exponential(10 s, 1 h).
	Backoff func(attempt int) time.Duration
}

const (
	defaultWorkers  = 2
	defaultAttempts = 5
	defaultTimeout  = time.Hour
	defaultKeep     = 30 * 24 * time.Hour
)

func (h Handler) withDefaults() Handler {
	setDefault(&h.Workers, defaultWorkers)
	setDefault(&h.LaneWidth, 1)
	setDefault(&h.Attempts, defaultAttempts)
	setDefault(&h.Timeout, defaultTimeout)
	setDefault(&h.Keep, defaultKeep)
	if h.Backoff == nil {
		h.Backoff = Exponential(10*time.Second, time.Hour)
	}
	return h
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Exponential returns a back-off that doubles from first to most, with up to a
// fifth added at random, so that what failed together is not tried together.
func Exponential(first, most time.Duration) func(attempt int) time.Duration {
	return func(attempt int) time.Duration {
		wait := first
		for range attempt - 1 {
			if wait *= 2; wait >= most {
				wait = most
				break
			}
		}
		return wait + Jitter(wait/5)
	}
}

// permanentError is an error that trying again cannot mend.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error of Handler.Run that trying again cannot mend: the job
// fails at once. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether an error was marked by Permanent.
func IsPermanent(err error) bool { return errors.As(err, new(*permanentError)) }

// Task is a job while an attempt runs.
type Task struct {
	Job
	runner *Runner
}

// Save makes progress durable as JSON, for people who ask for it and for the
// next attempt, which finds it in Job.Progress. After an abort or the loss of
// the lease it returns an error, as the context does.
func (t *Task) Save(ctx context.Context, progress any) error {
	text, err := json.Marshal(progress)
	if err != nil {
		return fmt.Errorf("encode progress of job %s: %w", t.ID, err)
	}
	abort, err := t.runner.store.Extend(ctx, t.ID, t.Lease, t.runner.now().Add(t.runner.lease), text)
	if err != nil {
		return fmt.Errorf("save progress of job %s: %w", t.ID, err)
	}
	t.Progress = text
	if abort {
		t.runner.cancel(t.ID, errAborted)
		return errAborted
	}
	return nil
}

// StopRepeating removes the schedule of the job's lane, if there is one: what the
// job is about is gone.
func (t *Task) StopRepeating(ctx context.Context) error {
	return t.runner.StopRepeating(ctx, t.Account, t.Lane)
}
