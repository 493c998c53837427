package analytics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxGroupRows bounds the rows of one commit, so that a queue of large batches
// does not make the first of them wait for the last. A single request is never
// split.
const maxGroupRows = 20_000

// errInterrupted answers the requests of a group whose leader did not finish.
var errInterrupted = errors.New("the write was interrupted")

// request is one write that waits for its commit.
type request struct {
	rows   int
	silent bool                              // tells no subscriber
	apply  func(*edit) ([]FieldError, error) // changes nothing when it returns an error
	done   chan struct{}                     // closed once failures and err are set

	failures []FieldError
	err      error
}

// queue holds the writes that the next leader will commit.
type queue struct {
	mu      sync.Mutex
	waiting []*request
}

func (q *queue) push(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
}

// cancel takes a request out and reports whether it was still waiting.
func (q *queue) cancel(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, r)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// take returns the requests of the next commit, in order of arrival. What is
// told and what is not are committed apart.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, rows := 0, 0
	for n < len(q.waiting) && (n == 0 || rows+q.waiting[n].rows <= maxGroupRows && q.waiting[n].silent == q.waiting[0].silent) {
		rows += q.waiting[n].rows
		n++
	}
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return group
}

// write applies a change to the account and returns once it is durable and
// visible to the next Snapshot. Writers that arrive while a commit runs share
// the next one: whoever gets the lock first leads and commits for all.
func (a *account) write(ctx context.Context, rows int, apply func(*edit) ([]FieldError, error)) ([]FieldError, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &request{rows: rows, silent: silent(ctx), apply: apply, done: make(chan struct{})}
	a.queue.push(r)
	select {
	case <-r.done:
	case a.lock <- struct{}{}:
		a.lead(ctx, r)
	case <-ctx.Done():
		if a.queue.cancel(r) {
			return nil, ctx.Err()
		}
		<-r.done // a leader has it: only the outcome can tell what was written
	}
	return r.failures, r.err
}

// lead commits groups until r is among them, then leaves the rest to the next
// writer. The group is not the leader's alone, so its context does not cancel
// the commit.
func (a *account) lead(ctx context.Context, r *request) {
	defer a.lock.unlock()
	ctx = context.WithoutCancel(ctx)
	for {
		select {
		case <-r.done:
			return
		default:
			a.commitGroup(ctx, a.queue.take())
		}
	}
}

// commitGroup answers every request of the group.
func (a *account) commitGroup(ctx context.Context, group []*request) {
	finished := false
	defer func() {
		if !finished {
			// A panic left the account half changed: forget it, the store has it.
			a.reset()
			for _, r := range group {
				r.failures, r.err = nil, errInterrupted
			}
		}
		for _, r := range group {
			close(r.done)
		}
	}()
	if err := a.prepare(ctx, group[0].silent); err != nil {
		for _, r := range group {
			r.err = err
		}
	} else if !a.commitTogether(ctx, group) {
		for _, r := range group {
			a.commitTogether(ctx, []*request{r})
		}
	}
	finished = true
}

// prepare brings the account up to date before a write. What the days that
// passed have brought is told before a silent write, which later could not be
// told from it.
func (a *account) prepare(ctx context.Context, silent bool) error {
	_, err := a.refresh(ctx)
	if err == nil && silent {
		err = a.tellDays(ctx)
	}
	return err
}

// commitTogether writes a group in one commit. It reports false when the commit
// of several requests failed, so that each must be tried alone.
func (a *account) commitTogether(ctx context.Context, group []*request) bool {
	e := newEdit(a)
	for _, r := range group {
		r.failures, r.err = r.apply(e)
	}
	err := a.commit(ctx, e, group[0].silent)
	if err != nil && len(group) > 1 {
		return false
	}
	if err != nil && group[0].err == nil {
		group[0].failures, group[0].err = nil, err
	}
	return true
}

// commit makes an edit durable and publishes it; on an error nothing of it
// remains.
func (a *account) commit(ctx context.Context, e *edit, silent bool) error {
	e.changePlans()
	c, changed := e.changeset()
	if !changed {
		e.rollback()
		return nil
	}
	watch, err := a.watch(ctx, silent)
	if err == nil {
		err = a.store(ctx, e, c, watch)
	}
	if err != nil {
		e.rollback()
		return fmt.Errorf("commit to account %s: %w", a.id, err)
	}
	a.stored = c.Version
	rates := a.current.Load().snapshot.Rates
	e.install()
	a.publish(rates)
	return nil
}

// store replays and writes. The replay needs no I/O, so it runs while the store
// writes, unless there is somebody to tell what comes of it.
func (a *account) store(ctx context.Context, e *edit, c Changeset, watch Watch) error {
	if len(watch.Types) == 0 {
		var replay sync.WaitGroup
		replay.Go(e.replay)
		defer replay.Wait()
		return a.engine.store.Commit(ctx, a.id, c)
	}
	e.replay()
	var err error
	if c.Events, err = e.events(watch); err != nil {
		return err
	}
	return a.engine.store.Commit(ctx, a.id, c)
}
