package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	finishTimeout = 30 * time.Second
	maxErrorText  = 1000
)

// start runs one attempt in a goroutine of its own, which ends by telling Run.
// The caller holds the lock.
func (r *Runner) start(ctx context.Context, job *Job, h Handler) {
	key := laneKey{job.Kind, job.Lane}
	r.running[job.Kind]++
	if r.lanes[key] == nil {
		r.lanes[key] = &lane{}
	}
	r.lanes[key].running++

	// The attempt ends with a cause of ours, so it does not inherit ctx's end.
	attempt, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(errShutdown) })
	r.cancels[job.ID] = cancel

	go func() {
		err := r.attempt(attempt, cancel, job, h)
		end := r.finish(attempt, job, h, err)
		stop()
		r.mu.Lock()
		delete(r.cancels, job.ID)
		r.mu.Unlock()
		cancel(nil)
		end.key = key
		r.done <- end
	}()
}

// mayRun returns errSuspended for a job that has to wait for its account.
func (r *Runner) mayRun(ctx context.Context, job *Job) error {
	if r.suspended == nil || job.Account == "" {
		return nil
	}
	suspended, err := r.suspended(ctx, job.Account)
	if err != nil {
		return fmt.Errorf("ask for account %s: %w", job.Account, err)
	}
	if suspended {
		return errSuspended
	}
	return nil
}

// attempt runs the handler while it renews the lease.
func (r *Runner) attempt(ctx context.Context, cancel context.CancelCauseFunc, job *Job, h Handler) error {
	if err := r.mayRun(ctx, job); err != nil {
		return err
	}
	if job.Attempt > h.Attempts {
		// The attempts before ended with their process: this job may be why.
		return Permanent(fmt.Errorf("given up after %d attempts, the last of which did not end", h.Attempts))
	}
	timed, release := context.WithTimeout(ctx, h.Timeout)
	defer release()
	var beat sync.WaitGroup
	beating, quit := context.WithCancel(ctx)
	beat.Go(func() { r.beat(beating, cancel, job) })
	defer beat.Wait()
	defer quit()
	return protect(func() error { return h.Run(timed, &Task{Job: *job, runner: r}) })
}

// protect turns a panic into an error that is not tried again.
func protect(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Permanent(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return run()
}

// beat renews the lease until ctx ends, and ends the attempt when the lease is
// lost, an abort was asked for or the account is suspended.
func (r *Runner) beat(ctx context.Context, cancel context.CancelCauseFunc, job *Job) {
	expires := r.now().Add(r.lease)
	ticker := time.NewTicker(r.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		until := r.now().Add(r.lease)
		abort, err := r.store.Extend(ctx, job.ID, job.Lease, until, nil)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLost), err != nil && !r.now().Before(expires):
			cancel(ErrLost)
			return
		case abort:
			cancel(errAborted)
			return
		case errors.Is(r.mayRun(ctx, job), errSuspended):
			cancel(errSuspended)
			return
		case err == nil:
			expires = until
		}
	}
}

// finish writes how an attempt ended and tells what it means for the lane.
func (r *Runner) finish(ctx context.Context, job *Job, h Handler, err error) ended {
	cause := context.Cause(ctx)
	if errors.Is(cause, ErrLost) {
		r.logger.WarnContext(ctx, "job lost its lease", slog.String("job", job.ID), slog.String("kind", job.Kind))
		return ended{failed: true}
	}
	o := r.outcome(job, h, err, cause)
	if o.State == Failed {
		r.logger.WarnContext(ctx, "job failed", slog.String("job", job.ID), slog.String("kind", job.Kind), slog.String("account", job.Account), slog.Any("error", err))
		o.Error, _, _ = strings.Cut(o.Error, "\ngoroutine ") // a panic's stack is for the log
	}
	o.Error = cut(o.Error)
	ctx, release := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer release()
	if err := r.store.Finish(ctx, job.ID, job.Lease, o); err != nil && !errors.Is(err, ErrLost) {
		// It is leased until it runs again.
		r.logger.ErrorContext(ctx, "job could not be finished", slog.String("job", job.ID), slog.Any("error", err))
	}
	return ended{
		failed:    o.State == Failed || o.State == Queued && !o.Refund,
		suspended: o.State == Queued && (errors.Is(err, errSuspended) || errors.Is(cause, errSuspended)),
	}
}

func (r *Runner) outcome(job *Job, h Handler, err, cause error) Outcome {
	now := r.now()
	switch {
	case err == nil:
		return Outcome{State: Done, EndedAt: now}
	case errors.Is(cause, errAborted) || errors.Is(err, errAborted):
		return Outcome{State: Aborted, Error: errAborted.Error(), EndedAt: now}
	case errors.Is(cause, errSuspended) || errors.Is(err, errSuspended):
		return Outcome{State: Queued, RunAt: now.Add(SuspendedWait), Error: job.Error, Refund: true}
	case errors.Is(cause, errShutdown):
		return Outcome{State: Queued, RunAt: now, Error: job.Error, Refund: true}
	case IsPermanent(err) || job.Attempt >= h.Attempts:
		return Outcome{State: Failed, Error: err.Error(), EndedAt: now}
	default:
		return Outcome{State: Queued, RunAt: now.Add(h.Backoff(job.Attempt)), Error: err.Error()}
	}
}

// cut bounds the text that is kept of an error.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxErrorText {
		return text
	}
	end := maxErrorText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
