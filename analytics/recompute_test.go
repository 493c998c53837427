package analytics_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
)

// inBackground makes every change of settings and plans one of a large account.
func (w *world) inBackground() { w.inBackgroundOf(1) }

// inBackgroundOf computes what touches more than so many customers in the background.
func (w *world) inBackgroundOf(customers int) {
	w.engine = analytics.New(analytics.Config{Store: w.store, Rows: ingest.Documents{}, Now: func() time.Time { return w.now }, Background: customers})
	w.t.Cleanup(w.engine.Close)
}

// settled waits until the settings that were asked for are in force.
func (w *world) settled() {
	w.t.Helper()
	for {
		_, running, err := w.engine.AskedSettings(w.t.Context(), account)
		if err != nil {
			w.t.Fatal(err)
		}
		if running == nil {
			return
		}
		if running.Processed > running.Total || running.StartedAt.IsZero() {
			w.t.Fatalf("progress %+v", running)
		}
		time.Sleep(time.Millisecond)
	}
}

func someSettings(r *rand.Rand) analytics.SettingsPatch {
	return analytics.SettingsPatch{
		ChurnRecognition: new([]string{"immediate", "end_of_period"}[r.IntN(2)]), ChurnGraceDays: new(r.IntN(30)),
		Timezone: new([]string{"Asia/Tokyo", "America/New_York", "UTC"}[r.IntN(3)]), NonRenewalChurn: new(r.IntN(2) == 0),
		RefundMRR: new([]string{"reduce", "ignore"}[r.IntN(2)]),
	}
}

// Settings that change in the background lead to what they lead to at once,
// whatever is written meanwhile. Until then, every report shows the state under
// the old settings.
func TestLaw_BackgroundIsAsAtOnce(t *testing.T) {
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
		patches := []analytics.SettingsPatch{someSettings(r), someSettings(r)}
		var writers sync.WaitGroup
		writers.Go(func() {
			for docs := range slices.Chunk(c.invoices[half:], 7) {
				if _, err := w.tryPut(t.Context(), w.source, "invoices", docs...); err != nil {
					t.Error(err)
				}
			}
		})
		before := w.snapshot().Settings
		for _, patch := range patches {
			asked, err := w.engine.UpdateSettings(t.Context(), account, patch)
			if err != nil || asked.ChurnGraceDays != *patch.ChurnGraceDays || asked.Timezone != *patch.Timezone {
				t.Fatalf("settings %+v, %v", asked, err)
			}
		}
		seen := []string{before.Zone.String()}
		for _, patch := range patches {
			seen = append(seen, *patch.Timezone)
		}
		if zone := w.snapshot().Settings.Zone.String(); !slices.Contains(seen, zone) {
			t.Errorf("a report in the time zone %s", zone)
		}
		writers.Wait()
		w.settled()
		direct.put("invoices", c.invoices[half:]...)
		for _, patch := range patches {
			if _, err := direct.engine.UpdateSettings(t.Context(), account, patch); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "state", direct.state(), w.state())
		w.reopen()
		equal(t, "state after opening again", direct.state(), w.state())
	})
}

// Whoever reads while the account is built anew sees all of the old state or
// all of the new one.
func TestEngine_NeverShowsAMixOfSettings(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	w := newWorld(t, newMemoryStore())
	w.push(newCompany(r, 300))
	w.inBackground()
	zone := "Asia/Tokyo" // another day in all ledgers
	states := map[string]string{w.snapshot().Settings.Zone.String(): w.state()}
	direct := newWorld(t, newMemoryStore())
	direct.push(newCompany(rand.New(rand.NewPCG(5, 5)), 300))
	w.now, direct.now = w.now.Add(5*time.Hour), direct.now.Add(5*time.Hour)
	states["UTC"] = w.state()
	if _, err := direct.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{Timezone: &zone, ChurnRecognition: new("immediate")}); err != nil {
		t.Fatal(err)
	}
	states[zone] = direct.state()
	if states["UTC"] == states[zone] {
		t.Fatal("the settings change nothing")
	}
	if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{Timezone: &zone, ChurnRecognition: new("immediate")}); err != nil {
		t.Fatal(err)
	}
	for {
		s := w.snapshot()
		equal(t, "state", states[s.Settings.Zone.String()], render(s))
		if s.Settings.Zone.String() == zone {
			return
		}
	}
}

// What a crash interrupts begins again, and ends in the same state.
func TestEngine_RecomputeBeginsAgainAfterACrash(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	w.push(newCompany(rand.New(rand.NewPCG(7, 7)), 40))
	old := w.state()
	w.inBackground()
	store.setFailure(t, func(c analytics.Changeset) error {
		if len(c.Delete) > 0 { // of what was asked for: the switch
			return errDisk
		}
		return nil
	})
	patch := analytics.SettingsPatch{ChurnRecognition: new("immediate"), ChurnGraceDays: new(0)}
	if _, err := w.engine.UpdateSettings(t.Context(), account, patch); err != nil {
		t.Fatal(err)
	}
	for {
		asked, running, err := w.engine.AskedSettings(t.Context(), account)
		if err != nil || running == nil || asked.ChurnGraceDays != 0 {
			t.Fatalf("asked %+v, %v, %v", asked, running, err)
		}
		if running.Retrying {
			break
		}
		time.Sleep(time.Millisecond)
	}
	equal(t, "state while the switch fails", old, w.state())
	w.engine.Close()
	store.setFailure(t, nil)

	w.inBackground()
	w.settled()
	direct := newWorld(t, newMemoryStore())
	direct.push(newCompany(rand.New(rand.NewPCG(7, 7)), 40))
	if _, err := direct.engine.UpdateSettings(t.Context(), account, patch); err != nil {
		t.Fatal(err)
	}
	equal(t, "state", direct.state(), w.state())
	if n := store.count(account, analytics.TableSettings); n != 1 {
		t.Errorf("%d rows of settings", n)
	}
}

// Taking a change back while it is under way leaves nothing to do.
func TestEngine_RecomputeIsTakenBack(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	w.push(newCompany(rand.New(rand.NewPCG(8, 8)), 40))
	old := w.state()
	w.inBackground()
	store.setFailure(t, func(c analytics.Changeset) error {
		if len(c.Delete) > 0 && len(c.Update)+len(c.Insert) > 0 && c.Insert == nil {
			return errDisk
		}
		return nil
	})
	before, _, err := w.engine.AskedSettings(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{3, 11, before.ChurnGraceDays} {
		if days == before.ChurnGraceDays {
			store.setFailure(t, nil)
		}
		if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &days}); err != nil {
			t.Fatal(err)
		}
	}
	w.settled()
	equal(t, "state", old, w.state())
	if asked, _, err := w.engine.AskedSettings(t.Context(), account); err != nil || asked.ChurnGraceDays != before.ChurnGraceDays {
		t.Errorf("settings %+v, %v", asked, err)
	}
}
