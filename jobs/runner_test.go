package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// poll is how late the runners of the tests may notice a schedule.
const poll = 30 * time.Second

// bench is a runner on a real store, under the clock of a synctest bubble.
type bench struct {
	*jobs.Runner
	store jobs.Store
	stop  func() // ends Run and waits for it
}

func newBench(t *testing.T, store jobs.Store, handlers map[string]jobs.Handler) *bench {
	t.Helper()
	b := &bench{store: store, Runner: jobs.NewRunner(jobs.Config{Store: store, Handlers: handlers, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: poll})}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.Run(ctx) })
	b.stop = func() { cancel(); wg.Wait() }
	return b
}

// inBubble runs a test with a store and a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, store jobs.Store)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlstore.Open(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		test(t, s.Jobs())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (b *bench) enqueue(t *testing.T, n jobs.New) jobs.Job {
	t.Helper()
	n.Account, n.Kind = "acme", "work"
	j, err := b.Enqueue(t.Context(), n)
	if err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
	return j
}

func (b *bench) job(t *testing.T, id string) jobs.Job {
	t.Helper()
	j, err := b.Job(t.Context(), "acme", id)
	if err != nil {
		t.Fatalf("Job: %v", err)
	}
	return j
}

func only(run func(context.Context, *jobs.Task) error) map[string]jobs.Handler {
	return map[string]jobs.Handler{"work": {Run: run}}
}

// pass lets d go by, and then whatever is due at that very instant finish.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestRunner_RunsJobs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		b := newBench(t, store, only(func(ctx context.Context, task *jobs.Task) error {
			return task.Save(ctx, map[string]string{"saw": string(task.Payload)})
		}))
		defer b.stop()
		j := b.enqueue(t, jobs.New{Lane: "x", Payload: json.RawMessage(`{"n":1}`)})
		pass(time.Second)
		got := b.job(t, j.ID)
		if got.State != jobs.Done || got.Attempt != 1 || string(got.Progress) != `{"saw":"{\"n\":1}"}` || got.Ended.IsZero() {
			t.Errorf("job %+v", got)
		}
	})
}

func TestRunner_RetriesAndGivesUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		var at []time.Duration
		start := time.Now()
		b := newBench(t, store, map[string]jobs.Handler{"work": {
			Attempts: 4, Backoff: func(attempt int) time.Duration { return time.Duration(attempt) * time.Hour },
			Run: func(_ context.Context, task *jobs.Task) error {
				at = append(at, time.Since(start).Round(time.Minute))
				return fmt.Errorf("attempt %d", task.Attempt)
			},
		}})
		j := b.enqueue(t, jobs.New{Lane: "x"})
		pass(48 * time.Hour)
		b.stop()
		if diff := cmp.Diff([]time.Duration{0, time.Hour, 3 * time.Hour, 6 * time.Hour}, at); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if got := b.job(t, j.ID); got.State != jobs.Failed || got.Error != "attempt 4" {
			t.Errorf("job %+v", got)
		}
	})
}

func TestRunner_DoesNotRetryWhatCannotBeMended(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		run  func(context.Context, *jobs.Task) error
		want string
	}{
		"a permanent error": {func(context.Context, *jobs.Task) error {
			return fmt.Errorf("import: %w", jobs.Permanent(errors.New("bad file")))
		}, "import: bad file"},
		"a panic": {func(context.Context, *jobs.Task) error { panic("boom") }, "panic: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, store jobs.Store) {
				b := newBench(t, store, only(tt.run))
				j := b.enqueue(t, jobs.New{Lane: "x"})
				pass(time.Hour)
				b.stop()
				if got := b.job(t, j.ID); got.State != jobs.Failed || got.Attempt != 1 || got.Error != tt.want {
					t.Errorf("job %+v", got)
				}
			})
		})
	}
}

func TestRunner_Lanes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		var mu sync.Mutex
		var order []string
		running, most := map[string]int{}, map[string]int{}
		b := newBench(t, store, map[string]jobs.Handler{"work": {Workers: 5, Run: func(_ context.Context, task *jobs.Task) error {
			mu.Lock()
			order = append(order, task.ID)
			running[task.Lane]++
			running["all"]++
			for lane, n := range running {
				most[lane] = max(most[lane], n)
			}
			mu.Unlock()
			time.Sleep(time.Minute)
			mu.Lock()
			defer mu.Unlock()
			running[task.Lane]--
			running["all"]--
			return nil
		}}})
		for i := range 9 {
			b.enqueue(t, jobs.New{ID: fmt.Sprint(i), Lane: fmt.Sprint("lane", i%3)})
		}
		pass(time.Hour)
		b.stop()
		if diff := cmp.Diff(map[string]int{"all": 3, "lane0": 1, "lane1": 1, "lane2": 1}, most); diff != "" {
			t.Errorf("most at once (-want +got):\n%s", diff)
		}
		first, later := slices.Clone(order[:3]), slices.Clone(order[6:])
		slices.Sort(first)
		slices.Sort(later)
		if got := strings.Join(append(first, later...), " "); got != "0 1 2 6 7 8" {
			t.Errorf("ran in order %v", order)
		}
	})
}

// TestRunner_FailingLaneLeavesWorkersToOthers has a lane of many jobs that each
// keep a worker until they time out, and another lane that must get through.
func TestRunner_FailingLaneLeavesWorkersToOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		attempts := 0
		b := newBench(t, store, map[string]jobs.Handler{"work": {
			Workers: 1, Timeout: 10 * time.Second, Attempts: 1,
			Run: func(ctx context.Context, task *jobs.Task) error {
				if task.Lane == "good" {
					return nil
				}
				attempts++
				<-ctx.Done()
				return ctx.Err()
			},
		}})
		for range 200 {
			b.enqueue(t, jobs.New{Lane: "dead"})
		}
		pass(5 * time.Minute)
		good := b.enqueue(t, jobs.New{Lane: "good"})
		pass(15 * time.Second)
		if got := b.job(t, good.ID).State; got != jobs.Done {
			t.Errorf("the good lane's job is %s", got)
		}
		if attempts > 12 {
			t.Errorf("%d attempts in a dead lane in five minutes", attempts)
		}
		b.stop()
	})
}

func TestRunner_Abort(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		b := newBench(t, store, only(func(ctx context.Context, _ *jobs.Task) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		defer b.stop()
		j := b.enqueue(t, jobs.New{Lane: "x"})
		pass(time.Minute) // longer than the lease: it is renewed
		if got := b.job(t, j.ID); got.State != jobs.Running || got.Attempt != 1 {
			t.Fatalf("job %+v", got)
		}
		if _, err := b.Abort(t.Context(), "acme", j.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if got := b.job(t, j.ID); got.State != jobs.Aborted || got.Attempt != 1 {
			t.Errorf("job %+v", got)
		}
	})
}

// racedStore has somebody abort each job between its claim and its start.
type racedStore struct {
	jobs.Store
	abort   func(id string)
	aborted chan struct{}
}

func (s *racedStore) Claim(ctx context.Context, kind string, busy []string, now, until time.Time) (*jobs.Job, time.Time, error) {
	j, next, err := s.Store.Claim(ctx, kind, busy, now, until)
	if j != nil {
		go s.abort(j.ID)
		<-s.aborted
		runtime.Gosched() // the runner's part of the abort comes next
	}
	return j, next, err
}

func (s *racedStore) Abort(ctx context.Context, account, id string, now time.Time) (jobs.Job, error) {
	j, err := s.Store.Abort(ctx, account, id, now)
	s.aborted <- struct{}{}
	return j, err
}

func TestRunner_AbortOfAJobThatBegins(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		raced := &racedStore{Store: store, aborted: make(chan struct{})}
		b := newBench(t, raced, only(func(ctx context.Context, _ *jobs.Task) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		raced.abort = func(id string) {
			if _, err := b.Abort(t.Context(), "acme", id); err != nil {
				t.Errorf("Abort: %v", err)
			}
		}
		for i := range 20 {
			j := b.enqueue(t, jobs.New{Lane: fmt.Sprint("lane", i)})
			pass(time.Second) // the lease is renewed later
			if got := b.job(t, j.ID); got.State != jobs.Aborted {
				t.Errorf("a second after the abort the job is %s", got.State)
			}
		}
		b.stop()
	})
}

// TestRunner_AbortFromAnotherProcess has only the store in common with the
// runner.
func TestRunner_AbortFromAnotherProcess(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		b := newBench(t, store, only(func(ctx context.Context, task *jobs.Task) error {
			for page := 0; ; page++ {
				if err := task.Save(ctx, page); err != nil {
					return err
				}
				time.Sleep(time.Second)
			}
		}))
		defer b.stop()
		j := b.enqueue(t, jobs.New{Lane: "x"})
		pass(5 * time.Second)
		if _, err := store.Abort(t.Context(), "acme", j.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if got := b.job(t, j.ID); got.State != jobs.Aborted || got.Progress == nil {
			t.Errorf("job %+v", got)
		}
	})
}

func TestRunner_ShutdownPutsJobsBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		handlers := only(func(ctx context.Context, task *jobs.Task) error {
			var page int
			if task.Progress != nil {
				if err := json.Unmarshal(task.Progress, &page); err != nil {
					return err
				}
			}
			for ; page < 10; page++ {
				if err := task.Save(ctx, page); err != nil {
					return err
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Minute):
				}
			}
			return nil
		})
		b := newBench(t, store, handlers)
		j := b.enqueue(t, jobs.New{Lane: "x"})
		pass(5*time.Minute + time.Second)
		b.stop()
		if got := b.job(t, j.ID); got.State != jobs.Queued || got.Attempt != 0 || string(got.Progress) != "5" {
			t.Errorf("after shutdown: %+v", got)
		}
		next := newBench(t, store, handlers)
		pass(6 * time.Minute)
		next.stop()
		if got := next.job(t, j.ID); got.State != jobs.Done || got.Attempt != 1 {
			t.Errorf("after restart: %+v", got)
		}
	})
}

func TestRunner_GivesUpAJobThatKillsItsProcess(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		ran := 0
		b := newBench(t, store, map[string]jobs.Handler{"work": {Attempts: 3, Run: func(context.Context, *jobs.Task) error { ran++; return nil }}})
		b.stop()
		j := b.enqueue(t, jobs.New{Lane: "x"})
		for range 3 { // three processes that claimed it and died
			if got, _, err := store.Claim(t.Context(), "work", nil, time.Now(), time.Now()); err != nil || got == nil {
				t.Fatalf("Claim: %v, %v", got, err)
			}
			if _, err := store.Reclaim(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		b = newBench(t, store, map[string]jobs.Handler{"work": {Attempts: 3, Run: func(context.Context, *jobs.Task) error { ran++; return nil }}})
		pass(time.Minute)
		b.stop()
		if got := b.job(t, j.ID); got.State != jobs.Failed || ran != 0 {
			t.Errorf("ran %d times more, job %+v", ran, got)
		}
	})
}

func TestRunner_Repeat(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		var at []time.Duration
		start := time.Now()
		b := newBench(t, store, only(func(context.Context, *jobs.Task) error {
			at = append(at, time.Since(start))
			return nil
		}))
		if err := b.Repeat(t.Context(), jobs.New{Account: "acme", Kind: "work", Lane: "hourly"}, time.Second, time.Time{}); err == nil {
			t.Errorf("a schedule of every second was taken")
		}
		if err := b.Repeat(t.Context(), jobs.New{Account: "acme", Kind: "work", Lane: "hourly"}, time.Hour, time.Time{}); err != nil {
			t.Fatal(err)
		}
		pass(5*time.Hour + 10*time.Minute)
		if err := b.StopRepeating(t.Context(), "acme", "hourly"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Hour)
		b.stop()
		if len(at) != 5 {
			t.Fatalf("ran at %v, want five times", at)
		}
		spread := map[time.Duration]bool{}
		for i, d := range at {
			due := time.Duration(i+1) * time.Hour
			if d < due || d > due+5*time.Minute+poll {
				t.Errorf("run %d after %s", i, d)
			}
			spread[d-due] = true
		}
		if len(spread) < 2 {
			t.Errorf("no jitter: %v", at)
		}
	})
}

func TestRunner_ForgetsOldJobs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, store jobs.Store) {
		b := newBench(t, store, map[string]jobs.Handler{"work": {Keep: 24 * time.Hour, Run: func(context.Context, *jobs.Task) error { return nil }}})
		j := b.enqueue(t, jobs.New{Lane: "x"})
		pass(23 * time.Hour)
		b.job(t, j.ID)
		pass(3 * time.Hour)
		b.stop()
		if _, err := b.Job(t.Context(), "acme", j.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("after a day: %v, want ErrNotFound", err)
		}
	})
}

func TestExponential(t *testing.T) {
	t.Parallel()
	wait := jobs.Exponential(10*time.Second, time.Hour)
	for attempt, least := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 5: 160 * time.Second, 10: time.Hour, 1000: time.Hour} {
		if got := wait(attempt); got < least || got > least+least/5 {
			t.Errorf("wait after attempt %d: %s, want from %s to a fifth more", attempt, got, least)
		}
	}
}
