package analytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// When each customer first came in is part of what was pushed, like the rows.
// Given that, order, batches, rows that come again and starts of the program do
// not matter.
func TestLaw_OrderDoesNotMatterOnceCustomersCameIn(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		c := newCompany(r, 15)
		var waves [][]string // the customers of one moment each
		for left := shuffled(r, c.customers); len(left) > 0; {
			n := 1 + r.IntN(min(4, len(left)))
			waves, left = append(waves, left[:n]), left[n:]
		}
		plain := newWorld(t, newMemoryStore())
		start := plain.now
		for _, wave := range waves {
			plain.put("customers", wave...)
			plain.now = plain.now.Add(9 * time.Hour)
		}
		plain.put("plans", c.plans...)
		plain.put("invoices", c.invoices...)

		mixed := newWorld(t, newMemoryStore())
		mixed.put("plans", c.plans...)
		invoices := map[string][]string{}
		for _, doc := range c.invoices {
			customer := fmt.Sprintf("c%d", owner(t, doc))
			invoices[customer] = append(invoices[customer], doc)
		}
		var came []string
		for i, wave := range waves {
			docs := shuffled(r, wave)
			if r.IntN(2) == 0 { // in another form first, in the same request
				docs = append([]string{fmt.Sprintf(`{"id":%q,"name":"Other"}`, id(t, docs[0]))}, docs...)
			}
			mixed.put("customers", docs...)
			came = append(came, wave...)
			mixed.now = mixed.now.Add(time.Duration(1+r.IntN(8)) * time.Hour) // what comes again comes later
			again := came[r.IntN(len(came))]
			switch r.IntN(4) {
			case 0:
				mixed.put("customers", fmt.Sprintf(`{"id":%q,"name":"Other"}`, id(t, again)))
				mixed.put("customers", again)
			case 1:
				mixed.put("invoices", shuffled(r, invoices[id(t, again)])...)
			case 2:
				mixed.reopen()
			default:
				mixed.put("customers", shuffled(r, came)...)
			}
			mixed.now = start.Add(9 * time.Hour * time.Duration(i+1))
		}
		mixed.put("invoices", shuffled(r, c.invoices)...)
		equal(t, "state", plain.state(), mixed.state())
		mixed.reopen()
		equal(t, "state after opening again", plain.state(), mixed.state())
	})
}

// came returns when each customer came in, now and after opening the account
// again, which must be the same.
func (w *world) came() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, c := range w.snapshot().Customers {
		if c != nil {
			all[c.ID] = c.Received.String()
		}
	}
	w.reopen()
	for _, c := range w.snapshot().Customers {
		if c != nil && all[c.ID] != c.Received.String() {
			w.t.Errorf("%s came in at %s, after opening again %s", c.ID, all[c.ID], c.Received)
		}
	}
	return all
}

func TestReceived(t *testing.T) {
	t.Parallel()
	const other = `{"id":"c1","name":"Renamed"}`
	at := func(w *world, hours int) { w.now = time.Date(2024, 7, 1, hours, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		do   func(t *testing.T, w *world)
		want string
	}{
		"a row that changes": {func(_ *testing.T, w *world) { w.put("customers", other) }, "2024-07-01T13:00:00Z"},
		"a row that is changed field by field": {func(t *testing.T, w *world) {
			change := func(analytics.StoredRow) (analytics.CustomerRow, error) {
				return analytics.CustomerRow{ID: "c1", Name: "Renamed", Doc: []byte(other)}, nil
			}
			if err := w.engine.UpdateCustomer(t.Context(), account, "", "c1", change); err != nil {
				t.Fatal(err)
			}
		}, "2024-07-01T13:00:00Z"},
		"a row that stays": {func(_ *testing.T, w *world) { w.put("customers", customer1) }, "2024-07-01T13:00:00Z"},
		"a customer deleted and pushed again": {func(t *testing.T, w *world) {
			if err := w.engine.DeleteCustomer(t.Context(), account, "", "c1"); err != nil {
				t.Fatal(err)
			}
			w.put("customers", customer1)
		}, "2024-07-01T15:00:00Z"},
		"a data source that is reset": {func(t *testing.T, w *world) {
			if err := w.engine.ResetSource(t.Context(), account, w.source); err != nil {
				t.Fatal(err)
			}
			w.put("customers", customer1)
		}, "2024-07-01T15:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, newMemoryStore())
			at(w, 13)
			w.put("customers", customer1)
			at(w, 15)
			c.do(t, w)
			if got := w.came()["c1"]; got != c.want {
				t.Errorf("came in at %s, want %s", got, c.want)
			}
		})
	}
}

// A push that could not be written has not come in.
func TestReceived_OnceItIsWritten(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	store.setFailure(t, func(analytics.Changeset) error { return errDisk })
	if _, err := w.tryPut(t.Context(), w.source, "customers", customer1); err == nil {
		t.Fatal("a failed commit was acknowledged")
	}
	store.setFailure(t, nil)
	w.now = w.now.Add(time.Hour)
	w.put("customers", customer1)
	if got := w.came()["c1"]; got != "2024-07-01T13:00:00Z" {
		t.Errorf("came in at %s, want the hour of the push that was written", got)
	}
}

// An instant is an instant at midnight UTC too: in New York that is the evening
// of the day before.
func TestReceived_InTheAccountsZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newMemoryStore())
	zone := "America/New_York"
	if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{Timezone: &zone}); err != nil {
		t.Fatal(err)
	}
	w.now = time.Date(2024, 7, 2, 0, 0, 0, 0, time.UTC)
	w.put("customers", customer1)
	if got := w.leadsOn(calendar.Date(2024, 7, 1)); got != 1 {
		t.Errorf("%d leads on July 1 in New York, want the one that came in at 20:00", got)
	}
	w.reopen()
	if got := w.leadsOn(calendar.Date(2024, 7, 1)); got != 1 {
		t.Errorf("%d leads on July 1 after opening again, want 1", got)
	}
}

func (w *world) leadsOn(day calendar.Day) int {
	w.t.Helper()
	s := w.snapshot()
	q, err := report.ParseQuery(url.Values{"date": {day.String()}}, s)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := report.LeadsTable(s, &q)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Count
}

// Of customers that came in before this was kept nothing is made up, now or when
// they come again; they are leads where their rows tell a day.
func TestReceived_NotKnown(t *testing.T) {
	t.Parallel()
	store := &forgetfulStore{memoryStore: newMemoryStore(), old: true}
	w := newWorld(t, store)
	w.put("plans", planPro)
	w.put("customers", customer1, `{"id":"c2","name":"Second"}`)
	store.old = false
	w.reopen()
	w.put("customers", `{"id":"c1","name":"Renamed"}`, `{"id":"c3","name":"Third"}`)
	if got := w.came(); got["c1"] != "" || got["c2"] != "" || got["c3"] == "" {
		t.Errorf("came in at %v, want only the third to be known", got)
	}
	if got := w.leadsOn(w.snapshot().Today); got != 1 {
		t.Errorf("%d leads today, want the third customer alone", got)
	}
	w.put("invoices", bill("i1", "c1", "2024-06-30", 9900))
	if got := w.leadsOn(w.snapshot().Today - 1); got != 1 {
		t.Errorf("%d leads on the day of the invoice, want 1", got)
	}
}

// forgetfulStore is, while old, a store as it was before it kept when rows came in.
type forgetfulStore struct {
	*memoryStore
	old bool
}

func (s *forgetfulStore) Commit(ctx context.Context, account string, c analytics.Changeset) error {
	for i := range c.Insert {
		if s.old {
			c.Insert[i].Received = time.Time{}
		}
	}
	return s.memoryStore.Commit(ctx, account, c)
}
