package analytics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
)

func equal(t *testing.T, what, want, got string) {
	t.Helper()
	if want != got {
		t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

func TestLaw_OrderAndBatchingDoNotMatter(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		c := newCompany(r, 20)
		once := newWorld(t, newMemoryStore())
		once.push(c)

		parts := newWorld(t, newMemoryStore())
		parts.put("customers", shuffled(r, c.customers)...)
		parts.put("plans", shuffled(r, c.plans)...)
		for batch := range slices.Chunk(shuffled(r, c.invoices), 1+r.IntN(20)) {
			parts.put("invoices", batch...)
			if r.IntN(3) == 0 {
				parts.put("invoices", shuffled(r, batch)...) // sent again
			}
		}
		equal(t, "state", once.state(), parts.state())
	})
}

func TestLaw_DaysOneByOneOrAtOnce(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		w := newWorld(t, newMemoryStore())
		w.now = w.now.AddDate(-1, 0, 0)
		w.push(newCompany(r, 10))
		for range 200 {
			before := w.snapshot()
			w.now = w.now.AddDate(0, 0, 1)
			if after := w.snapshot(); after.Version <= before.Version || after.Today != before.Today+1 {
				t.Fatalf("version %d on %s after version %d on %s", after.Version, after.Today, before.Version, before.Today)
			}
		}
		stepped := w.state()
		w.reopen()
		equal(t, "at once", w.state(), stepped)
		w.now = w.now.AddDate(0, -3, 0)
		back := w.state()
		w.reopen()
		equal(t, "a day that moved back", w.state(), back)
	})
}

func TestLaw_ReopenedIsTheSame(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		w := newWorld(t, newMemoryStore())
		w.push(newCompany(r, 20))
		zone, recognition, off := "America/New_York", "immediate", analytics.NoAutoChurn
		if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{
			Timezone: &zone, ChurnRecognition: &recognition, AutoChurnDays: &off,
		}); err != nil {
			t.Fatal(err)
		}
		before := w.state()
		w.reopen()
		equal(t, "state", before, w.state())
	})
}

func TestLaw_DeletingWhatWasAddedReturnsToTheStart(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		store := newMemoryStore()
		w := newWorld(t, store)
		c := newCompany(r, 15)
		w.put("plans", c.plans...)
		w.put("customers", c.customers[:10]...)
		kept, added := split(c.invoices, func(doc string) bool { return owner(t, doc) < 10 && r.IntN(3) > 0 })
		w.put("invoices", kept...)
		before, customers, invoices := w.state(), store.count(account, analytics.TableCustomer), store.count(account, analytics.TableInvoice)

		w.put("customers", c.customers[10:]...)
		w.put("plans", `{"id":"extra","name":"Extra","billing_freq":"year","currency":"usd","plan_group":"X"}`)
		w.put("invoices", shuffled(r, added)...)
		for _, doc := range shuffled(r, added) {
			if owner(t, doc) < 10 {
				w.remove(w.engine.DeleteInvoice(t.Context(), account, "", id(t, doc)))
			}
		}
		for _, doc := range c.customers[10:] {
			w.remove(w.engine.DeleteCustomer(t.Context(), account, w.source, id(t, doc)))
		}
		w.remove(w.engine.DeletePlan(t.Context(), account, "", "extra"))
		equal(t, "state", before, w.state())
		if c, i := store.count(account, analytics.TableCustomer), store.count(account, analytics.TableInvoice); c != customers || i != invoices {
			t.Errorf("%d customers and %d invoices are stored, want %d and %d", c, i, customers, invoices)
		}
		w.reopen()
		equal(t, "state after opening again", before, w.state())
	})
}

func (w *world) remove(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestLaw_UpdatesEqualTheirLastForm(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		c := newCompany(r, 10)
		final := newWorld(t, newMemoryStore())
		final.push(c)

		w := newWorld(t, newMemoryStore())
		w.put("customers", c.customers...)
		w.put("plans", `{"id":"p0","name":"Other","interval":"year","interval_count":1,"currency":"eur"}`)
		w.put("plans", c.plans[1:]...)
		for i := range c.invoices { // first with other customers and amounts
			w.put("invoices", newInvoice(r, i, r.IntN(10), final.snapshot().Today-500))
		}
		w.put("plans", c.plans...)
		docs := slices.Concat(shuffled(r, c.invoices[:len(c.invoices)/2]), c.invoices)
		w.put("invoices", docs...)
		equal(t, "state", final.state(), w.state())
		w.reopen()
		equal(t, "state after opening again", final.state(), w.state())
	})
}

func TestLaw_TwoAccountsNeverMix(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		store := newMemoryStore()
		a := newWorld(t, store)
		b := &world{t: t, store: store, now: a.now, account: "second", engine: a.engine}
		b.findSource()
		companies := map[*world]company{a: newCompany(r, 10), b: newCompany(r, 12)}
		var steps []func()
		for w, c := range companies {
			w.put("customers", c.customers...)
			w.put("plans", c.plans...)
			for _, doc := range c.invoices {
				steps = append(steps, func() { w.put("invoices", doc) })
			}
		}
		r.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			step()
		}
		for w, c := range companies {
			alone := &world{t: t, store: newMemoryStore(), now: w.now, account: w.account}
			alone.reopen()
			alone.findSource()
			alone.push(c)
			equal(t, "state of account "+w.account, alone.state(), w.state())
		}
	})
}

func TestLaw_FailedCommitLeavesTheOldState(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		store := newMemoryStore()
		w := newWorld(t, store)
		c := newCompany(r, 15)
		w.put("plans", c.plans...)
		w.put("customers", c.customers[:10]...)
		kept, added := split(c.invoices, func(doc string) bool { return owner(t, doc) < 10 && r.IntN(2) == 0 })
		w.put("invoices", kept...)
		before, version := w.state(), w.snapshot().Version

		store.setFailure(t, func(analytics.Changeset) error { return errDisk })
		for _, try := range []func() error{
			func() error { return second(w.tryPut(t.Context(), w.source, "customers", c.customers[10:]...)) },
			func() error { return second(w.tryPut(t.Context(), w.source, "invoices", moved(added)...)) },
			func() error { return second(w.tryPut(t.Context(), w.source, "invoices", moved(kept)...)) },
			func() error {
				return second(w.tryPut(t.Context(), w.source, "plans", `{"id":"p0","name":"n","billing_freq":"day","currency":"usd"}`))
			},
			func() error { return w.engine.DeleteCustomer(t.Context(), account, "", "c1") },
			func() error { return w.engine.ResetSource(t.Context(), account, w.source) },
			func() error { return w.engine.DeleteSource(t.Context(), account, w.source) },
			func() error {
				_, err := w.engine.UpdateSource(t.Context(), account, w.source, func(s *analytics.Source) error { s.Name = "Renamed"; return nil })
				return err
			},
			func() error {
				_, err := w.engine.CreateSource(t.Context(), account, analytics.NewSource{Name: "x", Type: "csv"})
				return err
			},
			func() error {
				days := 0
				_, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &days})
				return err
			},
		} {
			if err := try(); err == nil {
				t.Error("a failed commit was acknowledged")
			}
			equal(t, "state", before, w.state())
		}
		if got := w.snapshot().Version; got != version {
			t.Errorf("version %d, want %d", got, version)
		}
		store.setFailure(t, nil)
		w.put("customers", c.customers[10:]...)
		w.put("invoices", added...)
		whole := newWorld(t, newMemoryStore())
		whole.push(c)
		equal(t, "state after the disk came back", whole.state(), w.state())
	})
}

func TestLaw_ResettingASourceLeavesTheOthers(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		w := newWorld(t, newMemoryStore())
		mine, other := newCompany(r, 12), newCompany(r, 12)
		w.push(mine)
		alone := w.state()
		first := w.source
		w.source = w.newSource("Other").ID
		w.push(other)
		if err := w.engine.ResetSource(t.Context(), account, w.source); err != nil {
			t.Fatal(err)
		}
		equal(t, "state after the reset", alone, w.state())
		w.reopen()
		equal(t, "state after the reset, opened again", alone, w.state())
		w.push(other)
		both := w.state()
		if err := w.engine.ResetSource(t.Context(), account, w.source); err != nil {
			t.Fatal(err)
		}
		w.push(other)
		equal(t, "state after a reset and the same rows again", both, w.state())
		if err := w.engine.DeleteSource(t.Context(), account, first); err != nil {
			t.Fatal(err)
		}
		left := w.state()
		w.reopen()
		equal(t, "state without the first source, opened again", left, w.state())
		if _, err := w.tryPut(t.Context(), first, "customers", customer1); !errors.Is(err, analytics.ErrUnknownSource) {
			t.Errorf("a push into a deleted source: %v", err)
		}
	})
}

func second(_ []analytics.FieldError, err error) error { return err }

// moved gives every invoice to customer c0.
func moved(docs []string) []string {
	var all []string
	for _, doc := range docs {
		var f map[string]any
		_ = json.Unmarshal([]byte(doc), &f)
		f["customer_id"] = "c0"
		changed, _ := json.Marshal(f)
		all = append(all, string(changed))
	}
	return all
}

func split(docs []string, first func(string) bool) (a, b []string) {
	for _, doc := range docs {
		if first(doc) {
			a = append(a, doc)
		} else {
			b = append(b, doc)
		}
	}
	return a, b
}

func id(t *testing.T, doc string) string {
	t.Helper()
	var f struct{ ID string }
	if err := json.Unmarshal([]byte(doc), &f); err != nil {
		t.Fatal(err)
	}
	return f.ID
}

// owner returns the number of an invoice's customer.
func owner(t *testing.T, doc string) int {
	t.Helper()
	var f struct {
		Customer string `json:"customer_id"`
	}
	n := 0
	if err := json.Unmarshal([]byte(doc), &f); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(f.Customer, "c%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}
