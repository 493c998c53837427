package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// held returns a store hook that blocks the first commit until release is
// called, and a channel that tells when it is blocked.
func held() (hook func(), blocked chan struct{}, release func()) {
	blocked, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hook = func() {
		once.Do(func() {
			close(blocked)
			<-free
		})
	}
	return hook, blocked, func() { close(free) }
}

// queueBehind starts a write that holds the account, queues n writes behind it,
// calls meanwhile and lets them go. It returns the errors of the n.
func queueBehind(t *testing.T, w *world, store *memoryStore, n int, write func(i int) error, meanwhile func()) []error {
	t.Helper()
	hook, blocked, release := held()
	store.onCommit = hook
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := w.tryPut(t.Context(), w.source, "invoices", bill("first", "c1", "2024-06-16", 1)); err != nil {
			t.Error(err)
		}
	})
	<-blocked
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = write(i) })
	}
	w.engine.WaitForWriters(account, n)
	meanwhile()
	release()
	wg.Wait()
	return errs
}

func TestEngine_WaitingWritersShareACommit(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	commits := store.commits
	errs := queueBehind(t, w, store, 20, func(i int) error {
		failures, err := w.tryPut(t.Context(), w.source, "invoices", bill(fmt.Sprint("q", i), "c2", "2024-06-16", 100+i), bill("x", "nobody", "2024-06-16", 1))
		if len(failures) != 1 || failures[0].Index != 1 {
			return fmt.Errorf("failures %v: %w", failures, err)
		}
		return err
	}, func() {})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := store.commits - commits; got != 2 {
		t.Errorf("%d commits for one write and 20 behind it, want 2", got)
	}
	if n := store.count(account, analytics.TableInvoice); n != 22 {
		t.Errorf("%d invoices are stored, want 22", n)
	}
}

func TestEngine_GroupedWritesFailAlone(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	store.setFailure(t, func(c analytics.Changeset) error {
		for _, r := range c.Insert {
			if r.ID == "q3" {
				return errDisk
			}
		}
		return nil
	})
	errs := queueBehind(t, w, store, 6, func(i int) error {
		if i == 5 {
			return w.engine.DeleteInvoice(t.Context(), account, "", "none")
		}
		_, err := w.tryPut(t.Context(), w.source, "invoices", bill(fmt.Sprint("q", i), "c2", "2024-06-16", 100))
		return err
	}, func() {})
	for i, err := range errs {
		switch {
		case i == 3 && !errors.Is(err, errDisk), i == 5 && !errors.Is(err, analytics.ErrNotFound):
			t.Errorf("write %d: error %v", i, err)
		case i != 3 && i != 5 && err != nil:
			t.Errorf("write %d: error %v, want none", i, err)
		}
	}
	before := w.state()
	w.reopen()
	equal(t, "state after opening again", before, w.state())
}

func TestEngine_CancelledWritersLeaveTheQueue(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	errs := queueBehind(t, w, store, 3, func(i int) error {
		_, err := w.tryPut(ctx, w.source, "invoices", bill(fmt.Sprint("q", i), "c2", "2024-06-16", 100))
		return err
	}, func() {
		cancel()
		w.engine.WaitForWriters(account, 0)
	})
	for i, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("write %d: error %v, want context.Canceled", i, err)
		}
	}
	if n := store.count(account, analytics.TableInvoice); n != 2 {
		t.Errorf("%d invoices are stored, want 2", n)
	}
}

func TestEngine_ConcurrentWritersAndReaders(t *testing.T) {
	t.Parallel()
	c := newCompany(newRandom(7), 40)
	once := newWorld(t, newMemoryStore())
	once.push(c)

	w := newWorld(t, newMemoryStore())
	w.put("customers", c.customers...)
	w.put("plans", c.plans...)
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			last := uint64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := w.engine.Snapshot(t.Context(), account)
				if err != nil || s.Version < last {
					t.Errorf("version %d after %d: %v", s.Version, last, err)
					return
				}
				last = s.Version
				_ = render(s)
			}
		})
	}
	for part := range 8 {
		writers.Go(func() {
			for i := part; i < len(c.invoices); i += 8 {
				failures, err := w.tryPut(t.Context(), w.source, "invoices", c.invoices[i])
				if err != nil || len(failures) > 0 {
					t.Error(failures, err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	equal(t, "state", once.state(), w.state())
}
