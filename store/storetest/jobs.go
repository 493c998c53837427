package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/jobs"
)

// RunJobs proves that a store keeps the contract of jobs.Store. open returns an
// empty store that no one else uses.
func RunJobs(t *testing.T, open func(t *testing.T) jobs.Store) {
	for name, test := range map[string]func(*testing.T, jobs.Store){
		"a job is kept as it was enqueued":                 testJobRoundTrip,
		"an id is taken once":                              testJobExists,
		"alone means alone in its lane":                    testJobAlone,
		"jobs are claimed when due, the earliest first":    testClaimOrder,
		"busy lanes are passed over":                       testClaimBusy,
		"a job is claimed by one worker":                   testClaimOnce,
		"a lease is extended and keeps progress":           testExtend,
		"a lost lease writes nothing":                      testLost,
		"an attempt ends in each way":                      testFinish,
		"vanished workers give their jobs back":            testReclaim,
		"a job is aborted wherever it is":                  testAbort,
		"an ended job is tried again":                      testRetry,
		"jobs are listed newest first, page by page":       testJobList,
		"jobs of another account do not exist":             testJobIsolation,
		"a lane is dropped with all that is in it":         testDropLane,
		"old jobs are purged":                              testPurge,
		"schedules fire when due and only once":            testSchedules,
		"a schedule does not pile up jobs":                 testScheduleBusy,
		"every lane gets its turn however long the others": testFair,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 7_000_000, time.UTC)

const lease = time.Minute

func jobAt(id, lane string, at time.Time) jobs.Job {
	return jobs.Job{
		ID: id, Account: "acme", Kind: "work", Lane: lane, Payload: json.RawMessage(`{"id":"` + id + `"}`),
		State: jobs.Queued, RunAt: at, Created: noon,
	}
}

func enqueue(t *testing.T, s jobs.Store, list ...jobs.Job) {
	t.Helper()
	for _, j := range list {
		if err := s.Enqueue(t.Context(), j, false); err != nil {
			t.Fatalf("Enqueue(%s): %v", j.ID, err)
		}
	}
}

func claim(t *testing.T, s jobs.Store, now time.Time, busy ...string) (string, *jobs.Job, time.Time) {
	t.Helper()
	j, next, err := s.Claim(t.Context(), "work", busy, now, now.Add(lease))
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if j == nil {
		return "", nil, next
	}
	return j.ID, j, next
}

func job(t *testing.T, s jobs.Store, id string) jobs.Job {
	t.Helper()
	j, err := s.Job(t.Context(), "acme", id)
	if err != nil {
		t.Fatalf("Job(%s): %v", id, err)
	}
	return j
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func testJobRoundTrip(t *testing.T, s jobs.Store) {
	want := jobAt("a", "lane/ü \x00'", noon.Add(time.Hour))
	want.Payload = json.RawMessage(`{"text":"ü \u0000 '"}`)
	enqueue(t, s, want)
	if diff := cmp.Diff(want, job(t, s, "a")); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
}

func testJobExists(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	wantErr(t, "the same id", s.Enqueue(t.Context(), jobAt("a", "y", noon), false), jobs.ErrExists)
	if got := job(t, s, "a").Lane; got != "x" {
		t.Errorf("the refused job replaced the first: lane %q", got)
	}
}

func testJobAlone(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	alone := func(id, lane string) error { return s.Enqueue(t.Context(), jobAt(id, lane, noon), true) }
	wantErr(t, "beside a queued job", alone("b", "x"), jobs.ErrBusy)
	wantErr(t, "in another lane", alone("c", "y"), nil)
	_, j, _ := claim(t, s, noon, "y")
	wantErr(t, "beside a running job", alone("d", "x"), jobs.ErrBusy)
	if err := s.Finish(t.Context(), "a", j.Lease, jobs.Outcome{State: jobs.Done, EndedAt: noon}); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "beside an ended job", alone("e", "x"), nil)
}

func testClaimOrder(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("late", "x", noon.Add(time.Hour)), jobAt("b", "x", noon.Add(2*time.Second)), jobAt("a", "y", noon.Add(time.Second)), jobAt("c", "x", noon.Add(2*time.Second)))
	other := jobAt("other", "x", noon)
	other.Kind = "rest"
	enqueue(t, s, other)
	if id, _, next := claim(t, s, noon); id != "" || !next.Equal(noon.Add(time.Second)) {
		t.Errorf("before anything is due: claimed %q, next %v", id, next)
	}
	now := noon.Add(time.Minute)
	var got []string
	for {
		id, j, next := claim(t, s, now)
		if id == "" {
			if !next.Equal(noon.Add(time.Hour)) {
				t.Errorf("next %v, want in an hour", next)
			}
			break
		}
		if j.State != jobs.Running || j.Attempt != 1 || !j.Started.Equal(now) {
			t.Errorf("claimed %+v", j)
		}
		got = append(got, id)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("claimed (-want +got):\n%s", diff)
	}
}

func testClaimBusy(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon), jobAt("b", "y", noon.Add(time.Second)))
	if id, _, _ := claim(t, s, noon.Add(time.Hour), "x"); id != "b" {
		t.Errorf("claimed %q, want b", id)
	}
	if id, _, next := claim(t, s, noon.Add(time.Hour), "x"); id != "" || !next.IsZero() {
		t.Errorf("claimed %q, next %v, want nothing", id, next)
	}
}

func testClaimOnce(t *testing.T, s jobs.Store) {
	const n = 40
	for i := range n {
		enqueue(t, s, jobAt(strconv.Itoa(i), strconv.Itoa(i%3), noon))
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				j, _, err := s.Claim(t.Context(), "work", nil, noon, noon.Add(lease))
				if err != nil || j == nil {
					if err != nil {
						t.Errorf("Claim: %v", err)
					}
					return
				}
				mu.Lock()
				seen[j.ID]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != n {
		t.Errorf("%d of %d jobs claimed", len(seen), n)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("job %s claimed %d times", id, times)
		}
	}
}

func testExtend(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	_, j, _ := claim(t, s, noon)
	for _, progress := range []json.RawMessage{json.RawMessage(`{"page":1}`), nil} {
		if abort, err := s.Extend(t.Context(), "a", j.Lease, noon.Add(time.Hour), progress); err != nil || abort {
			t.Fatalf("Extend: %v, %v", abort, err)
		}
	}
	if got := string(job(t, s, "a").Progress); got != `{"page":1}` {
		t.Errorf("progress %s", got)
	}
	if n, err := s.Reclaim(t.Context(), noon.Add(2*lease)); n != 0 || err != nil {
		t.Errorf("Reclaim of an extended lease: %d, %v", n, err)
	}
}

func testLost(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	_, first, _ := claim(t, s, noon)
	if _, err := s.Reclaim(t.Context(), noon.Add(lease)); err != nil {
		t.Fatal(err)
	}
	_, second, _ := claim(t, s, noon.Add(lease))
	if second == nil || second.Lease == first.Lease {
		t.Fatalf("claimed again: %+v", second)
	}
	_, err := s.Extend(t.Context(), "a", first.Lease, noon, json.RawMessage(`"stale"`))
	wantErr(t, "Extend", err, jobs.ErrLost)
	wantErr(t, "Finish", s.Finish(t.Context(), "a", first.Lease, jobs.Outcome{State: jobs.Done, EndedAt: noon}), jobs.ErrLost)
	wantErr(t, "Finish for another time", s.Finish(t.Context(), "a", first.Lease, jobs.Outcome{State: jobs.Queued, RunAt: noon}), jobs.ErrLost)
	if got := job(t, s, "a"); got.State != jobs.Running || got.Progress != nil {
		t.Errorf("a lost lease changed the job: %+v", got)
	}
}

func testFinish(t *testing.T, s jobs.Store) {
	later := noon.Add(time.Hour)
	for state, o := range map[string]jobs.Outcome{
		"done":     {State: jobs.Done, EndedAt: later},
		"failed":   {State: jobs.Failed, Error: "no", EndedAt: later},
		"aborted":  {State: jobs.Aborted, Error: "stop", EndedAt: later},
		"queued":   {State: jobs.Queued, Error: "again", RunAt: later},
		"refunded": {State: jobs.Queued, Error: "before", RunAt: later, Refund: true},
	} {
		enqueue(t, s, jobAt(state, state, noon))
		j, _, err := s.Claim(t.Context(), "work", nil, noon, later)
		if err != nil || j == nil {
			t.Fatalf("Claim: %v, %v", j, err)
		}
		if err := s.Finish(t.Context(), j.ID, j.Lease, o); err != nil {
			t.Fatalf("Finish(%s): %v", state, err)
		}
		want := *j
		want.State, want.Error = o.State, o.Error
		want.Ended = o.EndedAt
		if o.State == jobs.Queued {
			want.RunAt = o.RunAt
		}
		if o.Refund {
			want.Attempt = 0
		}
		if diff := cmp.Diff(want, job(t, s, state)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

func testReclaim(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon), jobAt("b", "y", noon))
	claim(t, s, noon)
	claim(t, s, noon)
	if _, err := s.Abort(t.Context(), "acme", "b", noon); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Reclaim(t.Context(), noon.Add(lease-time.Millisecond)); n != 0 || err != nil {
		t.Errorf("before the leases ran out: %d, %v", n, err)
	}
	if n, err := s.Reclaim(t.Context(), noon.Add(lease)); n != 2 || err != nil {
		t.Errorf("after the leases ran out: %d, %v", n, err)
	}
	if got := job(t, s, "b").State; got != jobs.Aborted {
		t.Errorf("a job that was to be aborted is %s", got)
	}
	id, j, _ := claim(t, s, noon.Add(lease))
	if id != "a" || j.Attempt != 2 {
		t.Errorf("claimed %q, %+v", id, j)
	}
}

func testAbort(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("queued", "x", noon.Add(time.Hour)), jobAt("running", "y", noon))
	_, running, _ := claim(t, s, noon)
	if j, err := s.Abort(t.Context(), "acme", "queued", noon); err != nil || j.State != jobs.Aborted || !j.Ended.Equal(noon) {
		t.Errorf("queued: %+v, %v", j, err)
	}
	if j, err := s.Abort(t.Context(), "acme", "running", noon); err != nil || j.State != jobs.Running {
		t.Errorf("running: %+v, %v", j, err)
	}
	if abort, err := s.Extend(t.Context(), "running", running.Lease, noon.Add(lease), nil); err != nil || !abort {
		t.Errorf("the worker is not told: %v, %v", abort, err)
	}
	// The attempt fails before it notices: the abort wins over the retry.
	if err := s.Finish(t.Context(), "running", running.Lease, jobs.Outcome{State: jobs.Queued, RunAt: noon, Error: "no"}); err != nil {
		t.Fatal(err)
	}
	if got := job(t, s, "running").State; got != jobs.Aborted {
		t.Errorf("an aborted job is %s", got)
	}
	_, err := s.Abort(t.Context(), "acme", "queued", noon)
	wantErr(t, "abort of an ended job", err, jobs.ErrEnded)
	_, err = s.Abort(t.Context(), "acme", "nothing", noon)
	wantErr(t, "abort of no job", err, jobs.ErrNotFound)
}

func testRetry(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	_, err := s.Retry(t.Context(), "acme", "a", noon)
	wantErr(t, "retry of a queued job", err, jobs.ErrNotEnded)
	_, j, _ := claim(t, s, noon)
	if err := s.Finish(t.Context(), "a", j.Lease, jobs.Outcome{State: jobs.Failed, Error: "no", EndedAt: noon}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Retry(t.Context(), "acme", "a", noon.Add(time.Hour))
	if err != nil || again.State != jobs.Queued || again.Attempt != 0 || !again.Ended.IsZero() {
		t.Errorf("retry: %+v, %v", again, err)
	}
	if id, j, _ := claim(t, s, noon.Add(time.Hour)); id != "a" || j.Attempt != 1 {
		t.Errorf("claimed %q, %+v", id, j)
	}
	_, err = s.Retry(t.Context(), "acme", "nothing", noon)
	wantErr(t, "retry of no job", err, jobs.ErrNotFound)
}

func testJobList(t *testing.T, s jobs.Store) {
	for i := range 5 {
		enqueue(t, s, jobAt(strconv.Itoa(i), "x", noon.Add(time.Duration(i)*time.Minute)))
	}
	enqueue(t, s, jobAt("other", "y", noon))
	claim(t, s, noon, "y")
	list := func(f jobs.Filter) (ids []string) {
		t.Helper()
		found, err := s.Jobs(t.Context(), "acme", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range found {
			ids = append(ids, j.ID)
		}
		return ids
	}
	for name, tt := range map[string]struct {
		f    jobs.Filter
		want []string
	}{
		"all":             {jobs.Filter{Lane: "x", Limit: 10}, []string{"4", "3", "2", "1", "0"}},
		"first page":      {jobs.Filter{Lane: "x", Limit: 2}, []string{"4", "3"}},
		"second page":     {jobs.Filter{Lane: "x", Limit: 2, After: "3"}, []string{"2", "1"}},
		"past the end":    {jobs.Filter{Lane: "x", Limit: 2, After: "0"}, nil},
		"after no job":    {jobs.Filter{Lane: "x", Limit: 2, After: "nothing"}, nil},
		"of one state":    {jobs.Filter{Lane: "x", State: jobs.Running, Limit: 10}, []string{"0"}},
		"state and page":  {jobs.Filter{Lane: "x", State: jobs.Queued, Limit: 2, After: "3"}, []string{"2", "1"}},
		"of no such lane": {jobs.Filter{Lane: "z", Limit: 10}, nil},
	} {
		if got := list(tt.f); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func testJobIsolation(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon))
	ctx := t.Context()
	_, err := s.Job(ctx, "beta", "a")
	wantErr(t, "Job", err, jobs.ErrNotFound)
	_, err = s.Abort(ctx, "beta", "a", noon)
	wantErr(t, "Abort", err, jobs.ErrNotFound)
	_, err = s.Retry(ctx, "beta", "a", noon)
	wantErr(t, "Retry", err, jobs.ErrNotFound)
	list, err := s.Jobs(ctx, "beta", jobs.Filter{Lane: "x", Limit: 10})
	if len(list) > 0 || err != nil {
		t.Errorf("Jobs: %v, %v", list, err)
	}
	if err := s.DropLane(ctx, "beta", "x"); err != nil {
		t.Error(err)
	}
	if got := job(t, s, "a").State; got != jobs.Queued {
		t.Errorf("another account changed the job: %s", got)
	}
}

func testDropLane(t *testing.T, s jobs.Store) {
	enqueue(t, s, jobAt("a", "x", noon), jobAt("b", "x", noon), jobAt("c", "y", noon))
	if err := s.SetSchedule(t.Context(), jobs.Schedule{Account: "acme", Lane: "x", Kind: "work", Payload: json.RawMessage("1"), Every: time.Hour, Next: noon}); err != nil {
		t.Fatal(err)
	}
	_, running, _ := claim(t, s, noon, "y")
	for range 2 {
		if err := s.DropLane(t.Context(), "acme", "x"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Extend(t.Context(), running.ID, running.Lease, noon, nil)
	wantErr(t, "the running job's lease", err, jobs.ErrLost)
	_, err = s.Schedule(t.Context(), "acme", "x")
	wantErr(t, "the lane's schedule", err, jobs.ErrNotFound)
	if id, _, _ := claim(t, s, noon); id != "c" {
		t.Errorf("claimed %q, want c", id)
	}
}

func testPurge(t *testing.T, s jobs.Store) {
	for i := range 3 {
		enqueue(t, s, jobAt(strconv.Itoa(i), "x", noon))
		_, j, _ := claim(t, s, noon)
		if err := s.Finish(t.Context(), j.ID, j.Lease, jobs.Outcome{State: jobs.Done, EndedAt: noon.Add(time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	enqueue(t, s, jobAt("waiting", "x", noon))
	for i, want := range []int{1, 1, 0} {
		if n, err := s.Purge(t.Context(), "work", noon.Add(90*time.Minute), 1); n != want || err != nil {
			t.Errorf("purge %d: %d, %v, want %d", i, n, err, want)
		}
	}
	job(t, s, "2")
	job(t, s, "waiting")
}

func testSchedules(t *testing.T, s jobs.Store) {
	ctx := t.Context()
	sc := jobs.Schedule{Account: "acme", Lane: "x", Kind: "work", Payload: json.RawMessage(`{"a":1}`), Every: time.Hour, Next: noon}
	other := sc
	other.Account, other.Next = "beta", noon.Add(-time.Minute)
	for _, set := range []jobs.Schedule{sc, other, sc} {
		if err := s.SetSchedule(ctx, set); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Schedule(ctx, "acme", "x"); err != nil || !cmp.Equal(got, sc) {
		t.Errorf("Schedule: %+v, %v", got, err)
	}
	if due, err := s.DueSchedules(ctx, noon, 10); err != nil || !cmp.Equal(due, []jobs.Schedule{other, sc}) {
		t.Errorf("due: %+v, %v", due, err)
	}
	if due, err := s.DueSchedules(ctx, noon.Add(-time.Millisecond), 10); err != nil || len(due) != 1 {
		t.Errorf("due before: %+v, %v", due, err)
	}
	for i := range 2 { // the second comes from a runner that read before the first fired
		if err := s.Fire(ctx, sc, noon.Add(time.Hour), jobAt(strconv.Itoa(i), "x", noon)); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Jobs(ctx, "acme", jobs.Filter{Lane: "x", Limit: 10}); err != nil || len(list) != 1 {
		t.Errorf("%d jobs, %v, want one", len(list), err)
	}
	if got, err := s.Schedule(ctx, "acme", "x"); err != nil || !got.Next.Equal(noon.Add(time.Hour)) {
		t.Errorf("after it fired: %+v, %v", got, err)
	}
	if err := s.DropSchedule(ctx, "acme", "x"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Schedule(ctx, "acme", "x")
	wantErr(t, "a dropped schedule", err, jobs.ErrNotFound)
	if _, err := s.Schedule(ctx, "beta", "x"); err != nil {
		t.Errorf("another account's schedule went too: %v", err)
	}
}

func testScheduleBusy(t *testing.T, s jobs.Store) {
	sc := jobs.Schedule{Account: "acme", Lane: "x", Kind: "work", Payload: json.RawMessage("1"), Every: time.Hour, Next: noon}
	if err := s.SetSchedule(t.Context(), sc); err != nil {
		t.Fatal(err)
	}
	enqueue(t, s, jobAt("slow", "x", noon))
	next := noon.Add(time.Hour)
	if err := s.Fire(t.Context(), sc, next, jobAt("more", "x", noon)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Job(t.Context(), "acme", "more")
	wantErr(t, "a job beside the one that has not ended", err, jobs.ErrNotFound)
	if got, err := s.Schedule(t.Context(), "acme", "x"); err != nil || !got.Next.Equal(next) {
		t.Errorf("the schedule did not move on: %+v, %v", got, err)
	}
}

func testFair(t *testing.T, s jobs.Store) {
	for i := range 300 {
		enqueue(t, s, jobAt(fmt.Sprintf("long-%d", i), "long", noon.Add(-time.Hour)))
	}
	enqueue(t, s, jobAt("short", "short", noon))
	claim(t, s, noon)
	if id, _, _ := claim(t, s, noon, "long"); id != "short" {
		t.Errorf("claimed %q, want short", id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Claim(ctx, "work", nil, noon, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled claim: %v", err)
	}
}
