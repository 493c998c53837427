package sqldb

import (
	"context"
	"fmt"
)

// groupLimit bounds how many calls share a transaction, and so how long the
// first of them waits for the last.
const groupLimit = 64

// request is one call of Write.
type request struct {
	ctx  context.Context // the caller's: looked at once, when the request begins
	fn   func(context.Context, *Tx) error
	err  error
	done chan struct{} // closed when err is final
}

// writer owns the only connection of this process that writes. Its goroutine
// lives from startWriter to stop.
type writer struct {
	conn *conn
	// requests is unbuffered: whoever has sent is in a transaction's group, and
	// whoever has not can still leave.
	requests chan *request
	finished chan struct{}
}

func startWriter(c *conn) *writer {
	w := &writer{conn: c, requests: make(chan *request), finished: make(chan struct{})}
	go w.run()
	return w
}

// stop ends the goroutine. No call of do may be under way or follow.
func (w *writer) stop() {
	close(w.requests)
	<-w.finished
}

func (w *writer) do(ctx context.Context, fn func(context.Context, *Tx) error) error {
	r := &request{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case w.requests <- r:
		<-r.done
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) run() {
	defer close(w.finished)
	for first := range w.requests {
		group := w.gather(first)
		w.commit(group)
		for _, r := range group {
			close(r.done)
		}
	}
}

// gather takes the requests that are waiting now.
func (w *writer) gather(first *request) []*request {
	group := []*request{first}
	for len(group) < groupLimit {
		select {
		case r, ok := <-w.requests:
			if !ok {
				return group
			}
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// commit settles every request of the group: in one transaction if that can be
// had, else each in its own.
func (w *writer) commit(group []*request) {
	ctx := context.WithoutCancel(group[0].ctx)
	if len(group) > 1 && w.commitShared(ctx, group) {
		return
	}
	for _, r := range group {
		r.err = w.commitAlone(context.WithoutCancel(r.ctx), r)
	}
}

// commitShared reports whether the requests are settled. When they are not,
// nothing of any of them is written.
func (w *writer) commitShared(ctx context.Context, group []*request) (settled bool) {
	if err := w.begin(ctx); err != nil {
		for _, r := range group {
			r.err = err
		}
		return true
	}
	for _, r := range group {
		if intact := w.apply(ctx, r); !intact {
			w.rollback(ctx)
			return false
		}
	}
	if err := w.conn.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		return false
	}
	return true
}

// apply runs one request in a savepoint and sets its error. intact is false
// when the transaction around it is lost: after some failures, a full disk
// among them, SQLite rolls back more than was asked
// (sqlite.org/lang_transaction.html, section 3).
func (w *writer) apply(ctx context.Context, r *request) (intact bool) {
	if err := w.conn.exec(ctx, "SAVEPOINT request"); err != nil {
		return false
	}
	r.err = r.run(w.conn)
	if r.err != nil {
		if err := w.conn.exec(ctx, "ROLLBACK TO request"); err != nil {
			return false
		}
	}
	return w.conn.exec(ctx, "RELEASE request") == nil
}

func (w *writer) commitAlone(ctx context.Context, r *request) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := r.run(w.conn); err != nil {
		w.rollback(ctx)
		return err
	}
	if err := w.conn.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// begin takes the file's write lock at once: a transaction that reads first and
// takes it later fails when another process has written in between.
func (w *writer) begin(ctx context.Context) error {
	if err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rollback ends the transaction. It fails only when SQLite has done so already.
func (w *writer) rollback(ctx context.Context) { _ = w.conn.exec(ctx, "ROLLBACK") }

func (r *request) run(c *conn) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.fn(context.WithoutCancel(r.ctx), &Tx{conn: c})
}
