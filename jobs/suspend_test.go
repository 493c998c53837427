package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/jobs"
)

// TestRunner_SuspendedAccount interrupts what runs for a suspended account,
// begins nothing, and goes on when the account does; others are not held up.
func TestRunner_SuspendedAccount(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		var suspended atomic.Bool
		var asked atomic.Int64
		var mu sync.Mutex
		var ran []string
		r := jobs.NewRunner(jobs.Config{
			Store: store, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: poll,
			Suspended: func(_ context.Context, account string) (bool, error) {
				asked.Add(1)
				return account == "acme" && suspended.Load(), nil
			},
			Handlers: only(func(ctx context.Context, task *jobs.Task) error {
				mu.Lock()
				ran = append(ran, task.ID)
				mu.Unlock()
				if task.ID != "long" {
					return nil
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(10 * time.Minute):
					return nil
				}
			}),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { r.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		enqueue := func(account, lane, id string) {
			t.Helper()
			if _, err := r.Enqueue(t.Context(), jobs.New{Account: account, Kind: "work", Lane: lane, ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		job := func(account, id string) jobs.Job {
			t.Helper()
			j, err := r.Job(t.Context(), account, id)
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		told := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string(nil), ran...)
		}

		enqueue("acme", "a", "long")
		pass(time.Minute)
		suspended.Store(true)
		pass(time.Minute)
		if j := job("acme", "long"); j.State != jobs.Queued || j.Attempt != 0 || j.Error != "" {
			t.Errorf("the job that ran is %+v, want it queued with its attempts before it", j)
		}
		for _, id := range []string{"a1", "a2", "a3"} {
			enqueue("acme", "a", id)
		}
		enqueue("beta", "b", "b1")
		asked.Store(0)
		pass(4 * time.Hour)
		if diff := cmp.Diff([]string{"long", "b1"}, told()); diff != "" {
			t.Errorf("began while suspended (-want +got):\n%s", diff)
		}
		if n := asked.Load(); n > 4*4+2 {
			t.Errorf("asked %d times in 4 hours, want one of the lane's jobs every 15 minutes", n)
		}
		if j := job("acme", "a3"); j.State != jobs.Queued || j.Attempt != 0 {
			t.Errorf("a job that waits is %+v", j)
		}
		suspended.Store(false)
		pass(jobs.SuspendedWait + 12*time.Minute)
		for _, id := range []string{"long", "a1", "a2", "a3"} {
			if j := job("acme", id); j.State != jobs.Done || j.Attempt != 1 {
				t.Errorf("after the suspension: %+v", j)
			}
		}
	})
}

// TestRunner_SuspendedUnknown takes a store that does not answer for a failure,
// not for a leave to go on.
func TestRunner_SuspendedUnknown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		r := jobs.NewRunner(jobs.Config{
			Store: store, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: poll,
			Suspended: func(context.Context, string) (bool, error) { return false, errors.New("no answer") },
			Handlers:  only(func(context.Context, *jobs.Task) error { t.Error("it began"); return nil }),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { r.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		if _, err := r.Enqueue(t.Context(), jobs.New{Account: "acme", Kind: "work", ID: "x"}); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if j, err := r.Job(t.Context(), "acme", "x"); err != nil || j.State != jobs.Queued || j.Error == "" {
			t.Errorf("job %+v, %v", j, err)
		}
	})
}
