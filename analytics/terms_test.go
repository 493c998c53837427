package analytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// somePlan gives one of a company's plans other terms, now and then only another
// name.
func somePlan(r *rand.Rand) string {
	n := r.IntN(5)
	return fmt.Sprintf(`{"id":"p%d","name":"Plan %d","interval":%q,"interval_count":%d,"currency":%q,"pricing_model":%q,"plan_group":"Pro"}`,
		n, r.IntN(2), pick(r, "month", "year", "week"), pick(r, 1, 3), pick(r, "usd", "eur"), pick(r, "licensed", "metered"))
}

// Plans that change in the background lead to what they lead to at once, whatever
// is written meanwhile and however often they change, settings included.
func TestLaw_PlansInTheBackgroundAreAsAtOnce(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		c := newCompany(r, 30)
		half := len(c.invoices) / 2
		direct, w := newWorld(t, newMemoryStore()), newWorld(t, newMemoryStore())
		for _, world := range []*world{direct, w} {
			world.put("plans", c.plans...)
			world.put("customers", c.customers...)
			world.put("invoices", c.invoices[:half]...)
		}
		w.inBackground()
		var writers sync.WaitGroup
		writers.Go(func() {
			for docs := range slices.Chunk(c.invoices[half:], 7) {
				if _, err := w.tryPut(t.Context(), w.source, "invoices", docs...); err != nil {
					t.Error(err)
				}
			}
		})
		direct.put("invoices", c.invoices[half:]...)
		for range 6 {
			docs := []string{somePlan(r)}
			if r.IntN(2) == 0 {
				docs = append(docs, somePlan(r), fmt.Sprintf(`{"id":"new%d","name":"New","interval":"month","interval_count":1,"currency":"usd"}`, r.IntN(3)))
			}
			patch, settings := someSettings(r), r.IntN(3) == 0
			for _, world := range []*world{direct, w} {
				world.put("plans", docs...)
				if !settings {
					continue
				}
				if _, err := world.engine.UpdateSettings(t.Context(), account, patch); err != nil {
					t.Fatal(err)
				}
			}
		}
		writers.Wait()
		w.settled()
		equal(t, "state", direct.state(), w.state())
		w.reopen()
		equal(t, "state after opening again", direct.state(), w.state())
	})
}

// twoPlans changes two plans of a generated company in one request.
var twoPlans = []string{
	`{"id":"p0","name":"Plan 0","interval":"year","interval_count":2,"currency":"usd"}`,
	`{"id":"p1","name":"Plan 1","interval":"week","interval_count":1,"currency":"usd"}`,
}

// changedPlans are the states of a company before and after a change of plans.
func changedPlans(t *testing.T, seed uint64, customers int, docs []string) (before, after string) {
	t.Helper()
	w := newWorld(t, newMemoryStore())
	w.push(newCompany(newRandom(seed), customers))
	before = w.state()
	w.put("plans", docs...)
	if after = w.state(); before == after {
		t.Fatal("the plans change nothing")
	}
	return before, after
}

// Whoever reads while plans change sees the ledgers of the old terms or of the
// new ones, never some of each.
func TestEngine_NeverShowsAMixOfPlans(t *testing.T) {
	t.Parallel()
	before, after := changedPlans(t, 5, 300, twoPlans)
	w := newWorld(t, newMemoryStore())
	w.push(newCompany(newRandom(5), 300))
	w.inBackground()
	w.put("plans", twoPlans...)
	for {
		got := w.state()
		if got == after {
			break
		}
		equal(t, "state meanwhile", before, got)
		if t.Failed() {
			return
		}
	}
	if running, err := w.engine.Recomputing(t.Context(), account); running != nil || err != nil {
		t.Errorf("still computing: %+v, %v", running, err)
	}
}

// stalled makes what an engine does by itself wait, until release or its end.
func (s *memoryStore) stalled(t *testing.T) (release func()) {
	open := make(chan struct{})
	s.onVersion = func(ctx context.Context) {
		if ctx.Done() == nil || ctx.Done() == t.Context().Done() {
			return // a request's
		}
		select {
		case <-open:
		case <-ctx.Done():
		}
	}
	return sync.OnceFunc(func() { close(open) })
}

// A change that was acknowledged is in the store: a crash before it is computed
// loses nothing.
func TestEngine_PlansThatAreComputingSurviveACrash(t *testing.T) {
	t.Parallel()
	before, after := changedPlans(t, 6, 40, twoPlans)
	store := newMemoryStore()
	w := newWorld(t, store)
	w.push(newCompany(newRandom(6), 40))
	w.inBackground()
	store.stalled(t)
	w.put("plans", twoPlans...)
	running, err := w.engine.Recomputing(t.Context(), account)
	if err != nil || running == nil || running.Total != 40 && running.Total != 0 || running.StartedAt != w.now {
		t.Fatalf("computing %+v, %v", running, err)
	}
	equal(t, "state before the crash", before, w.state())
	w.engine.Close()
	store.onVersion = nil

	w.inBackground()
	equal(t, "state after the crash", after, w.state())
	if running, err := w.engine.Recomputing(t.Context(), account); running != nil || err != nil {
		t.Errorf("computing after the crash: %+v, %v", running, err)
	}
}

// Few customers are recomputed before the answer; how many is counted over all
// plans of a request.
func TestEngine_PlansOfFewCustomersChangeAtOnce(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{2: false, 3: true} {
		store := newMemoryStore()
		w := newWorld(t, store)
		w.put("plans", planPro, `{"id":"team","name":"Team","interval":"month","interval_count":1,"currency":"usd"}`)
		for i := range 5 {
			customer := fmt.Sprintf("c%d", i)
			w.put("customers", fmt.Sprintf(`{"id":%q,"name":"C"}`, customer))
			if i < n {
				plan := []string{"pro", "team"}[i%2]
				w.put("invoices", fmt.Sprintf(`{"id":"i%d","customer_id":%q,"plan_id":%q,"invoice_date":"2024-06-15","amount":1200}`, i, customer, plan))
			}
		}
		w.inBackgroundOf(2)
		w.snapshot()
		release := store.stalled(t)
		w.put("plans", `{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}`,
			`{"id":"team","name":"Team","interval":"year","interval_count":1,"currency":"usd"}`)
		running, err := w.engine.Recomputing(t.Context(), account)
		if err != nil || (running != nil) != want {
			t.Errorf("%d customers: computing %+v, %v, want %t", n, running, err, want)
		}
		if got := w.mrr("c0"); (got == 1200) != want {
			t.Errorf("%d customers: MRR %d after the answer", n, got)
		}
		release()
		w.settled()
		if got := w.mrr("c0"); got != 100 {
			t.Errorf("%d customers: MRR %d in the end, want 100", n, got)
		}
	}
}

// waits asks for settings whose switch fails until restore, so that everything
// that is computed in the background waits; old is what they were.
func (w *world) waits(store *memoryStore) (old analytics.Settings, restore func()) {
	w.t.Helper()
	store.setFailure(w.t, func(c analytics.Changeset) error {
		if slices.ContainsFunc(c.Delete, func(k analytics.Key) bool { return k.Table == analytics.TableSettings }) {
			return errDisk
		}
		return nil
	})
	old, _, err := w.engine.AskedSettings(w.t.Context(), account)
	if err != nil {
		w.t.Fatal(err)
	}
	grace := 0
	if _, err := w.engine.UpdateSettings(w.t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &grace}); err != nil {
		w.t.Fatal(err)
	}
	for {
		running, err := w.engine.Recomputing(w.t.Context(), account)
		if err != nil || running == nil {
			w.t.Fatalf("computing %+v, %v", running, err)
		}
		if running.Retrying {
			return old, func() { store.setFailure(w.t, nil) }
		}
		time.Sleep(time.Millisecond)
	}
}

// What is written while plans are computed shows in the next report, under the
// terms from before; plans that are new count at once.
func TestEngine_WritesWhilePlansAreComputing(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w, direct := newWorld(t, store), newWorld(t, newMemoryStore())
	c := newCompany(newRandom(9), 40)
	for _, world := range []*world{w, direct} {
		world.push(c)
	}
	w.inBackground()
	old, restore := w.waits(store)
	w.put("plans", twoPlans...)
	write := func(w *world) {
		w.put("plans", `{"id":"pro","name":"New Pro","interval":"month","interval_count":1,"currency":"usd","plan_group":"Pro"}`,
			`{"id":"fresh","name":"Fresh","interval":"month","interval_count":1,"currency":"usd","plan_group":"Another"}`)
		w.put("customers", customer1)
		w.put("invoices", bill("new1", "c1", "2024-06-20", 4900), bill("new2", "c2", "2024-06-21", 4900),
			`{"id":"new3","customer_id":"c3","plan_id":"p0","invoice_date":"2024-06-22","amount":2400}`,
			`{"id":"new4","customer_id":"c4","plan_id":"fresh","invoice_date":"2024-06-23","amount":2400}`)
	}
	write(w)
	write(direct)
	equal(t, "state under way", direct.state(), w.state())

	newest, err := w.engine.Catalog(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	direct.put("plans", twoPlans...)
	wanted := direct.snapshot()
	if got, want := fmt.Sprint(newest.PlanGroups), fmt.Sprint(wanted.PlanGroups); got != want {
		t.Errorf("the catalog has the groups %s, want %s", got, want)
	}
	restore()
	if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &old.ChurnGraceDays}); err != nil {
		t.Fatal(err)
	}
	w.settled()
	equal(t, "state in the end", direct.state(), w.state())
}

// A change that is taken back while it is under way leaves the ledgers alone.
func TestEngine_PlansAreTakenBack(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	c := newCompany(newRandom(8), 40)
	w.push(c)
	before := w.state()
	w.inBackground()
	old, restore := w.waits(store)
	w.put("plans", twoPlans...)
	equal(t, "state under way", before, w.state())
	w.put("plans", c.plans[:2]...)
	equal(t, "state taken back", before, w.state())
	restore()
	if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &old.ChurnGraceDays}); err != nil {
		t.Fatal(err)
	}
	if running, err := w.engine.Recomputing(t.Context(), account); running != nil || err != nil {
		t.Errorf("computing after all was taken back: %+v, %v", running, err)
	}
	equal(t, "state in the end", before, w.state())
}
