package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

const (
	customer1 = `{"id":"c1","name":"One"}`
	customer2 = `{"id":"c2","name":"Two"}`
	planPro   = `{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd","plan_group":"Core"}`
)

func bill(id, customer, day string, amount int) string {
	return fmt.Sprintf(`{"id":%q,"customer_id":%q,"plan_id":"pro","invoice_date":%q,"amount":%d}`, id, customer, day, amount)
}

// basicWorld has two customers, a plan and an invoice of c1.
func basicWorld(t *testing.T) (*world, *memoryStore) {
	t.Helper()
	store := newMemoryStore()
	w := newWorld(t, store)
	w.put("plans", planPro)
	w.put("customers", customer1, customer2)
	w.put("invoices", bill("i1", "c1", "2024-06-15", 9900))
	return w, store
}

// mrr returns the MRR of a customer as of today.
func (w *world) mrr(id string) int64 {
	w.t.Helper()
	s := w.snapshot()
	total := int64(0)
	for _, c := range s.Customers {
		if c == nil || c.ID != id {
			continue
		}
		last := map[int32]int64{}
		for _, ch := range c.Ledger.Changes {
			if ch.Day <= s.Today {
				last[ch.Slot] = ch.After.MRR
			}
		}
		for _, m := range last {
			total += m
		}
	}
	return total
}

func TestEngine_AnUpdateSeesWhatTheSameCommitWrote(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	before := store.commits
	release := make(chan struct{})
	store.onCommit = func() { <-release }
	var writers sync.WaitGroup
	writers.Go(func() { w.put("customers", `{"id":"c3","name":"Three"}`) }) // leads the first commit
	names := []string{"a", "b", "c", "d", "e"}
	for _, name := range names {
		writers.Go(func() {
			err := w.engine.UpdateCustomer(t.Context(), w.account, w.source, "c1", func(old analytics.StoredRow) (analytics.CustomerRow, error) {
				return ingest.PatchCustomer(old, "c1", fmt.Appendf(nil, `{"custom_variables":{%q:"1"}}`, name))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // so that some of them share a commit; it holds either way
	close(release)
	writers.Wait()
	for _, c := range w.snapshot().Customers {
		if c.ID == "c1" && len(c.Custom) != len(names) {
			t.Errorf("after %d commits the customer has the variables %v, want one of each update", store.commits-before, c.Custom)
		}
	}
}

func TestEngine_PutIsVisibleAtOnce(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	if got := w.mrr("c1"); got != 9900 {
		t.Errorf("MRR of c1 = %d, want 9900", got)
	}
	w.put("invoices", bill("i1", "c1", "2024-06-15", 4900)) // corrected
	w.put("invoices", bill("i2", "c2", "2024-06-15", 100), bill("i2", "c2", "2024-06-15", 200))
	if c1, c2 := w.mrr("c1"), w.mrr("c2"); c1 != 4900 || c2 != 200 {
		t.Errorf("MRR = %d and %d, want 4900 and 200", c1, c2)
	}
	w.put("invoices", bill("i1", "c2", "2024-06-20", 300)) // another customer's
	if c1, c2 := w.mrr("c1"), w.mrr("c2"); c1 != 0 || c2 != 300 {
		t.Errorf("MRR = %d and %d, want 0 and 300", c1, c2)
	}
	w.put("plans", strings.Replace(planPro, "month", "year", 1))
	if got := w.mrr("c2"); got != 25 {
		t.Errorf("MRR of c2 on a yearly plan = %d, want 25", got)
	}
}

func TestEngine_CorrectsEveryInvoiceOfALargeCustomer(t *testing.T) {
	t.Parallel()
	r := newRandom(3)
	var first, last []string
	for i := range 200 {
		first = append(first, bill(fmt.Sprint("n", i), "c2", calendar.Day(19000+r.IntN(800)).String(), 100))
		last = append(last, bill(fmt.Sprint("n", i), "c2", calendar.Day(19000+r.IntN(800)).String(), 100+i))
	}
	want, _ := basicWorld(t)
	want.put("invoices", last...)
	got, _ := basicWorld(t)
	got.put("invoices", first...)
	w := shuffled(r, last)
	got.put("invoices", append(w[:150:150], bill("gone", "c2", "2024-01-01", 5))...)
	got.remove(got.engine.DeleteInvoice(t.Context(), account, "", "gone"))
	got.put("invoices", w[100:]...)
	equal(t, "state", want.state(), got.state())
	got.reopen()
	equal(t, "state after opening again", want.state(), got.state())
}

func TestEngine_RowsThatCannotBeResolved(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	failures, err := w.tryPut(t.Context(), w.source, "invoices",
		bill("i2", "nobody", "2024-06-15", 1), bill("i3", "c2", "2024-06-15", 500),
		strings.Replace(bill("i4", "c2", "2024-06-16", 1), "pro", "gold", 1),
		`{"id":"i5","customer_id":"c2","date":"2024-06-16","amount":1,"lines":[{"plan_id":"pro","amount":1},{"plan_id":"gold","amount":1}]}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range failures {
		got = append(got, fmt.Sprint(f.Index, f.ID, f.Field, " ", strings.Fields(f.Message)[:3]))
	}
	want := []string{"0i2customer_id [Customer not found:]", "2i4plan_id [Plan not found:]", "3i5lines[1].plan_id [Plan not found:]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if got := w.mrr("c2"); got != 500 {
		t.Errorf("MRR of c2 = %d, want 500", got)
	}
}

func TestEngine_UnchangedRowsAreNotWritten(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	before, commits := w.snapshot(), store.commits
	w.put("plans", planPro)
	w.put("customers", customer2, customer1)
	w.put("invoices", bill("i1", "c1", "2024-06-15", 9900))
	if after := w.snapshot(); after != before || store.commits != commits {
		t.Errorf("version %d after %d, %d commits after %d", after.Version, before.Version, store.commits, commits)
	}
}

func TestEngine_SnapshotsAreImmutable(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	before := w.snapshot()
	want := render(before)
	w.put("invoices", bill("i2", "c1", "2024-06-20", 100))
	w.put("customers", `{"id":"c1","name":"Renamed"}`, `{"id":"c3","name":"Three"}`)
	w.put("plans", `{"id":"basic","name":"Basic","billing_freq":"week","currency":"eur"}`)
	w.remove(w.engine.DeleteCustomer(t.Context(), account, "", "c2"))
	if got := render(before); got != want {
		t.Errorf("the old snapshot changed (-want +got):\n%s", cmp.Diff(want, got))
	}
	after := w.snapshot()
	if after.Version <= before.Version || after.Customers[1] != nil || after.Customers[0].Name != "Renamed" {
		t.Errorf("version %d, customers %v", after.Version, after.Customers)
	}
	w.put("customers", `{"id":"c3","name":"Third"}`)
	if w.snapshot().Customers[0] != after.Customers[0] {
		t.Error("an untouched customer has a new record")
	}
}

func TestEngine_PlanGroupsFollowThePlans(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	w.put("plans", `{"id":"pro_y","name":"Pro yearly","billing_freq":"year","currency":"usd","plan_group":"Core"}`)
	groups := w.snapshot().PlanGroups
	if len(groups) != 1 || groups[0].Name != "Core" || len(groups[0].Plans) != 2 {
		t.Fatalf("groups = %+v, want Core with two plans", groups)
	}
	id := groups[0].ID
	w.put("plans", strings.Replace(planPro, "Core", "Other", 1))
	groups = w.snapshot().PlanGroups
	if len(groups) != 2 || groups[0].ID != id || len(groups[0].Plans) != 1 || groups[1].Name != "Other" {
		t.Errorf("groups = %+v, want Core and Other with a plan each", groups)
	}
}

func TestEngine_Deletes(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	ctx := t.Context()
	var used *analytics.InUseError
	if err := w.engine.DeletePlan(ctx, account, "", "pro"); !errors.As(err, &used) || !errors.Is(err, analytics.ErrInUse) || used.Invoices != 1 {
		t.Errorf("delete of a plan in use: %v", err)
	}
	for _, err := range []error{
		w.engine.DeletePlan(ctx, account, "", "x"), w.engine.DeleteInvoice(ctx, account, "", "x"),
		w.engine.DeleteCustomer(ctx, account, w.source, "x"), w.engine.DeleteCustomer(ctx, "other", "", "c1"),
	} {
		if !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	}
	if err := w.engine.DeleteCustomer(ctx, account, "ds_none", "c1"); !errors.Is(err, analytics.ErrUnknownSource) {
		t.Errorf("error %v, want ErrUnknownSource", err)
	}
	w.remove(w.engine.DeleteCustomer(ctx, account, "", "c1"))
	if n := store.count(account, analytics.TableInvoice); n != 0 {
		t.Errorf("%d invoices remain of a deleted customer", n)
	}
	w.remove(w.engine.DeletePlan(ctx, account, "", "pro"))
	w.put("customers", customer1)
	w.put("plans", planPro)
	w.put("invoices", bill("i1", "c1", "2024-06-15", 700))
	if got := w.mrr("c1"); got != 700 {
		t.Errorf("MRR of c1 = %d, want 700", got)
	}
}

func TestEngine_SameIDsInTwoSources(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	ctx := t.Context()
	second := w.newSource("Second")
	if failures, err := w.tryPut(ctx, "", "customers", customer1); !errors.Is(err, analytics.ErrSourceRequired) {
		t.Errorf("put without a source: %v %v", failures, err)
	}
	first := w.source
	w.source = second.ID
	w.put("plans", planPro)
	w.put("customers", customer1)
	w.put("invoices", bill("i1", "c1", "2024-06-15", 100))
	if got := w.mrr("c1"); got != 10000 {
		t.Errorf("MRR of both = %d, want 10000", got)
	}
	var ambiguous *analytics.AmbiguousError
	if err := w.engine.DeleteInvoice(ctx, account, "", "i1"); !errors.As(err, &ambiguous) {
		t.Fatalf("error %v, want an *AmbiguousError", err)
	}
	if diff := cmp.Diff([]string{first, second.ID}, ambiguous.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	w.remove(w.engine.DeleteInvoice(ctx, account, first, "i1"))
	if got := w.mrr("c1"); got != 100 {
		t.Errorf("MRR = %d, want 100", got)
	}
	w.remove(w.engine.DeleteCustomer(ctx, account, first, "c1"))
	w.remove(w.engine.DeleteInvoice(ctx, account, "", "i1"))
}

func TestEngine_CreateSource(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	_, err := w.engine.CreateSource(t.Context(), account, analytics.NewSource{Name: " ", Type: "stripe"})
	var invalid *analytics.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 2 {
		t.Errorf("error %v, want an *InvalidError for name and type", err)
	}
	created := w.newSource("Second")
	w.reopen()
	sources, err := w.engine.Sources(t.Context(), account)
	if err != nil || len(sources) != 2 {
		t.Fatalf("sources %v, %v", sources, err)
	}
	if diff := cmp.Diff(created, sources[1]); diff != "" {
		t.Errorf("source (-created +read):\n%s", diff)
	}
	if created.ID == sources[0].ID || created.CreatedAt != w.now {
		t.Errorf("source %+v", created)
	}
}

func TestEngine_UpdateSettings(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	ctx := t.Context()
	w.put("invoices", `{"id":"cancel","customer_id":"c1","type":"cancellation","invoice_date":"2024-06-20"}`)
	if got := w.mrr("c1"); got != 9900 {
		t.Errorf("MRR up to the end of the period = %d, want 9900", got)
	}
	recognition, zone, auto := "immediate", "Asia/Tokyo", 30
	updated, err := w.engine.UpdateSettings(ctx, account, analytics.SettingsPatch{
		ChurnRecognition: &recognition, Timezone: &zone, AutoChurnDays: &auto,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.mrr("c1"); got != 0 {
		t.Errorf("MRR after an immediate cancellation = %d, want 0", got)
	}
	w.now = time.Date(2024, 7, 1, 16, 0, 0, 0, time.UTC)
	if got := w.snapshot().Today; got != calendar.Date(2024, 7, 2) {
		t.Errorf("today in Tokyo = %s, want 2024-07-02", got)
	}
	w.reopen()
	read, err := w.engine.Settings(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(updated, read); diff != "" {
		t.Errorf("settings (-updated +read):\n%s", diff)
	}
	off := analytics.NoAutoChurn
	if updated, err = w.engine.UpdateSettings(ctx, account, analytics.SettingsPatch{AutoChurnDays: &off}); err != nil || updated.AutoChurnDays != nil {
		t.Errorf("auto_churn_days = %v, %v; want it off", updated.AutoChurnDays, err)
	}
}

func TestEngine_UpdateSettings_Invalid(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	before := w.snapshot()
	text, number := "Local", -5
	_, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{
		BaseCurrency: &text, Timezone: &text, FirstDayOfWeek: &number, ChurnRecognition: &text, ChurnGraceDays: &number,
		AutoChurnDays: &number, RefundMRR: &text, TrialDays: &number,
	})
	var invalid *analytics.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 8 {
		t.Errorf("error %v, want an *InvalidError of eight fields", err)
	}
	if w.snapshot() != before {
		t.Error("the account changed")
	}
}

func TestEngine_AccountsDoNotMix(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	s, err := w.engine.Snapshot(t.Context(), "other")
	if err != nil || len(s.Customers) != 0 || len(s.Sources) != 0 || s.Account != "other" {
		t.Fatalf("snapshot of an empty account: %+v, %v", s, err)
	}
	if _, err := w.engine.PutCustomers(t.Context(), "other", w.source, nil); !errors.Is(err, analytics.ErrUnknownSource) {
		t.Errorf("error %v, want ErrUnknownSource", err)
	}
}

func TestEngine_Rates(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	before := w.snapshot()
	if err := store.ImportRates(t.Context(), []fx.Rate{{Day: 19800, Base: "eur", Quote: "usd", Value: "1.1"}}); err != nil {
		t.Fatal(err)
	}
	after := w.snapshot()
	if after.Rates == before.Rates || after.Version <= before.Version {
		t.Error("a snapshot after an import has the old rates")
	}
	if w.snapshot() != after {
		t.Error("nothing changed, but the snapshot is new")
	}
}

func TestEngine_SeesWhatAnotherEngineWrote(t *testing.T) {
	t.Parallel()
	w, store := basicWorld(t)
	w.snapshot()
	other := newWorld(t, store)
	other.put("invoices", bill("i2", "c2", "2024-06-15", 300))
	if got := w.mrr("c2"); got != 300 {
		t.Errorf("MRR of c2 = %d, want 300", got)
	}
	w.put("invoices", bill("i3", "c2", "2024-06-20", 400))
	if got := other.mrr("c2"); got != 400 {
		t.Errorf("MRR of c2 = %d, want 400", got)
	}
}

func TestEngine_ClosesAccountsBeyondTheBudget(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	counting := &loadCounter{Store: store, loads: map[string]int{}}
	now := func() time.Time { return time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC) }
	e := analytics.New(analytics.Config{Store: counting, Rows: ingest.Documents{}, Now: now, MemoryBudget: 40 << 10})
	for _, id := range []string{"a", "b", "a", "c", "a", "b"} { // two fit
		if _, err := e.Snapshot(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 2, "c": 1}, counting.loads); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
	e.Close()
	if _, err := e.Snapshot(t.Context(), "a"); !errors.Is(err, analytics.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// loadCounter counts how often accounts are opened.
type loadCounter struct {
	analytics.Store
	mu    sync.Mutex
	loads map[string]int
}

func (s *loadCounter) Load(ctx context.Context, id string, visit func(analytics.LoadedRow) error) (uint64, error) {
	s.mu.Lock()
	s.loads[id]++
	s.mu.Unlock()
	return s.Store.Load(ctx, id, visit)
}

func TestEngine_DamagedRowsAreReported(t *testing.T) {
	t.Parallel()
	invoice := func(seq, source, owner int64, doc string) analytics.LoadedRow {
		return analytics.LoadedRow{Table: analytics.TableInvoice, Seq: seq, Source: source, Owner: owner, Doc: doc}
	}
	good := bill("i", "c1", "2024-01-01", 1)
	for name, c := range map[string]struct {
		row  analytics.LoadedRow
		want string
	}{
		"unknown table":     {analytics.LoadedRow{Table: 99, Seq: 1}, "unknown table 99"},
		"no JSON":           {analytics.LoadedRow{Table: analytics.TablePlan, Seq: 9, Source: 1, Doc: "x"}, "row 9: "},
		"missing source":    {analytics.LoadedRow{Table: analytics.TableCustomer, Seq: 9, Source: 7, Doc: customer1}, "row 9: data source 7 is missing"},
		"missing customer":  {invoice(9, 1, 99, good), "row 9: customer 99 is missing"},
		"customer 0":        {invoice(9, 1, 0, good), "row 9: customer 0 is missing"},
		"another source":    {invoice(9, 7, 1, good), "row 9: customer 1 is not of data source 7"},
		"number taken":      {invoice(1, 1, 1, good), "row 1: its number is out of order"},
		"number too large":  {invoice(1<<32, 1, 1, good), "row 4294967296: its number is out of order"},
		"invoice cut short": {invoice(9, 1, 1, good[:20]), "row 9: invalid JSON"},
		"missing plan":      {invoice(9, 1, 1, strings.Replace(good, "pro", "gone", 1)), "row 9: plan_id: Plan not found"},
		"bad settings":      {analytics.LoadedRow{Table: analytics.TableSettings, Seq: 1, Doc: `{"timezone":"Mars"}`}, "row 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, store := basicWorld(t)
			before := w.state()
			w.store = &extraRow{Store: store, row: c.row}
			w.reopen()
			_, err := w.engine.Snapshot(t.Context(), account)
			if err == nil || !strings.Contains(err.Error(), "open account acc") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about opening the account: %s", err, c.want)
			}
			w.store = store
			w.reopen()
			equal(t, "state of what is left", before, w.state())
		})
	}
}

// extraRow adds a row to what is loaded.
type extraRow struct {
	analytics.Store
	row analytics.LoadedRow
}

func (s *extraRow) Load(ctx context.Context, id string, visit func(analytics.LoadedRow) error) (uint64, error) {
	version, err := s.Store.Load(ctx, id, visit)
	if err == nil {
		err = visit(s.row)
	}
	return version, err
}

func TestEngine_OnSQLite(t *testing.T) {
	t.Parallel()
	db, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := newWorld(t, db.Analytics())
	w.push(newCompany(newRandom(1), 50))
	w.remove(w.engine.DeleteCustomer(t.Context(), account, "", "c3"))
	grace := 30
	if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &grace}); err != nil {
		t.Fatal(err)
	}
	before := w.state()
	w.reopen()
	equal(t, "state", before, w.state())
}
