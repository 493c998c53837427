// Package storetest proves that stores keep the contracts of analytics.Store and
// jobs.Store.
// (identity/identitytest does the same for identity.Store.)
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// RunAnalytics runs the suite. open returns an empty store that no one else
// uses.
func RunAnalytics(t *testing.T, open func(t *testing.T) analytics.Store) {
	for name, test := range map[string]func(*testing.T, analytics.Store){
		"an account that never wrote is empty":               testEmpty,
		"rows come back as written, in order":                testRoundTrip,
		"rows come back by number":                           testRows,
		"awkward text comes back as written":                 testAwkwardText,
		"rows are updated and deleted":                       testUpdateDelete,
		"when a customer came in stays as inserted":          testReceived,
		"the rows of a data source are cleared":              testClear,
		"the version is that of the last commit":             testVersion,
		"a commit that fails has written nothing":            testAtomic,
		"a commit is refused when caller and store disagree": testRefused,
		"accounts do not see each other":                     testIsolation,
		"a big changeset is written whole":                   testBig,
		"concurrent commits of many accounts all land":       testConcurrent,
		"one failing commit does not fail the others":        testFailsAlone,
		"a load sees one version while others commit":        testLoadSnapshot,
		"an error of visit ends the load":                    testVisitError,
		"a canceled call changes nothing":                    testCanceled,
		"rates are added and replaced":                       testRates,
		"rates without a day are refused":                    testRatesRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// row makes a row whose content tells where it belongs.
func row(table analytics.Table, seq int64) analytics.Row {
	r := analytics.Row{Table: table, Seq: seq, ID: fmt.Sprintf("id_%d", seq)}
	switch table {
	case analytics.TableInvoice:
		r.Source, r.Owner = 1, seq%7+1
	case analytics.TableCustomer:
		r.Source, r.Received = 1, time.Date(2026, 1, 31, 0, 0, int(seq), int(seq)*int(time.Millisecond), time.UTC)
	case analytics.TablePlan:
		r.Source = 1
	case analytics.TableSettings:
		r.ID = ""
	case analytics.TableSource, analytics.TablePlanGroup, analytics.TableSegment:
	}
	r.Doc = fmt.Appendf(nil, `{"id":%q,"n":%d}`, r.ID, seq)
	return r
}

func rows(table analytics.Table, from, to int64) []analytics.Row {
	var out []analytics.Row
	for seq := from; seq <= to; seq++ {
		out = append(out, row(table, seq))
	}
	return out
}

func invoices(from, to int64) []analytics.Row { return rows(analytics.TableInvoice, from, to) }

func mustCommit(t *testing.T, s analytics.Store, account string, c analytics.Changeset) {
	t.Helper()
	if err := s.Commit(t.Context(), account, c); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// ReadAll returns copies of all rows of an account, and its version. It checks
// that Load and Rows agree about them. No commit may run meanwhile.
func ReadAll(t *testing.T, s analytics.Store, account string) (all []analytics.Row, version uint64) {
	t.Helper()
	seqs := map[analytics.Table][]int64{}
	version, err := s.Load(t.Context(), account, func(r analytics.LoadedRow) error {
		all = append(all, rowOf(r))
		seqs[r.Table] = append(seqs[r.Table], r.Seq)
		return nil
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	for table := range seqs {
		next := slices.IndexFunc(all, func(r analytics.Row) bool { return r.Table == table })
		err := s.Rows(t.Context(), account, table, seqs[table], func(r analytics.Row) error {
			all[next].ID = r.ID
			if !SameRow(all[next], r) {
				return fmt.Errorf("a row differs (-Load +Rows):\n%s", cmp.Diff(all[next], r))
			}
			next++
			return nil
		})
		if err != nil {
			t.Fatalf("Rows: %v", err)
		}
	}
	return all, version
}

// SameRow reports whether two rows are equal. Tests compare a great many.
func SameRow(a, b analytics.Row) bool {
	return a.Table == b.Table && a.Seq == b.Seq && a.Source == b.Source && a.Owner == b.Owner && a.ID == b.ID &&
		a.Received.Equal(b.Received) && bytes.Equal(a.Doc, b.Doc)
}

// rowOf returns a row without its ID, which is not loaded.
func rowOf(r analytics.LoadedRow) analytics.Row {
	return analytics.Row{Table: r.Table, Seq: r.Seq, Source: r.Source, Owner: r.Owner, Doc: []byte(r.Doc), Received: r.Received}
}

func wantRows(t *testing.T, s analytics.Store, account string, want []analytics.Row, wantVersion uint64) {
	t.Helper()
	got, version := ReadAll(t, s, account)
	if !slices.EqualFunc(want, got, SameRow) {
		t.Errorf("rows (-want +got):\n%s", cmp.Diff(want, got))
	}
	if version != wantVersion {
		t.Errorf("Load returns version %d, want %d", version, wantVersion)
	}
	if version, err := s.Version(t.Context(), account); err != nil || version != wantVersion {
		t.Errorf("Version = %d, %v, want %d", version, err, wantVersion)
	}
}

func testEmpty(t *testing.T, s analytics.Store) {
	wantRows(t, s, uuid.NewString(), nil, 0)
	mustCommit(t, s, uuid.NewString(), analytics.Changeset{Insert: invoices(1, 1), Version: 1})
	wantRows(t, s, uuid.NewString(), nil, 0)
}

func testRoundTrip(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	var want []analytics.Row
	for _, table := range []analytics.Table{
		analytics.TableSettings, analytics.TableSegment, analytics.TableSource, analytics.TablePlan,
		analytics.TablePlanGroup, analytics.TableCustomer, analytics.TableInvoice,
	} {
		last := int64(75) // not a round number of any batch
		if table == analytics.TableSettings {
			last = 1
		}
		want = append(want, rows(table, 1, last)...)
	}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled)
	for i := 0; i+50 < len(shuffled); i += 50 { // tables alternate
		shuffled[i], shuffled[i+50] = shuffled[i+50], shuffled[i]
	}
	mustCommit(t, s, account, analytics.Changeset{Insert: shuffled, Version: 1})
	wantRows(t, s, account, want, 1)
}

func testRows(t *testing.T, s analytics.Store) {
	account, other := uuid.NewString(), uuid.NewString()
	mustCommit(t, s, other, analytics.Changeset{Insert: invoices(1, 900), Version: 1})
	mustCommit(t, s, account, analytics.Changeset{Insert: slices.Concat(rows(analytics.TablePlan, 1, 3), invoices(1, 500)), Version: 1})
	mustCommit(t, s, account, analytics.Changeset{Delete: []analytics.Key{{Table: analytics.TableInvoice, Seq: 7}}, Version: 2})
	for name, c := range map[string]struct {
		account string
		table   analytics.Table
		ask     []int64
		want    []analytics.Row
	}{
		"a deleted row and one of another account": {account, analytics.TableInvoice, []int64{3, 7, 8, 499, 501, 900}, slices.Concat(invoices(3, 3), invoices(8, 8), invoices(499, 499))},
		"another table":       {account, analytics.TablePlan, []int64{2, 3, 4}, rows(analytics.TablePlan, 2, 3)},
		"nothing asked for":   {account, analytics.TableInvoice, nil, nil},
		"an unknown account":  {uuid.NewString(), analytics.TableInvoice, []int64{1}, nil},
		"a table without any": {account, analytics.TableCustomer, []int64{1}, nil},
	} {
		var got []analytics.Row
		err := s.Rows(t.Context(), c.account, c.table, c.ask, func(r analytics.Row) error {
			r.Doc = slices.Clone(r.Doc)
			got = append(got, r)
			return nil
		})
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	enough := errors.New("enough")
	if err := s.Rows(t.Context(), account, analytics.TableInvoice, []int64{1, 2}, func(analytics.Row) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Rows = %v, want the error of visit", err)
	}
	if err := s.Rows(t.Context(), account, 99, []int64{1}, func(analytics.Row) error { return nil }); err == nil {
		t.Error("Rows of an unknown table = nil, want an error")
	}
}

func testAwkwardText(t *testing.T, s analytics.Store) {
	account := "O'Brien; DROP TABLE invoice;--"
	var want []analytics.Row
	for i, id := range []string{
		"", " ", "'", `"`, "%_\\", "null", "1e3", "会社🎈", "line\nbreak", strings.Repeat("x", 20_000),
	} {
		doc := fmt.Appendf(nil, `{"text":%q}`, id)
		want = append(want, analytics.Row{Table: analytics.TableCustomer, Seq: int64(i + 1), Source: 1 << 40, ID: id, Doc: doc})
	}
	mustCommit(t, s, account, analytics.Changeset{Insert: want, Version: 1})
	wantRows(t, s, account, want, 1)
}

func testUpdateDelete(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 5), Version: 1})
	changed := analytics.Row{Table: analytics.TableInvoice, Seq: 2, Source: 8, Owner: 9, ID: "renamed", Doc: []byte(`{"amount":1}`)}
	added := row(analytics.TableInvoice, 6)
	mustCommit(t, s, account, analytics.Changeset{
		Insert:  []analytics.Row{added},
		Update:  []analytics.Row{changed},
		Delete:  []analytics.Key{{Table: analytics.TableInvoice, Seq: 1}, {Table: analytics.TableInvoice, Seq: 4}},
		Version: 2,
	})
	old := invoices(1, 5)
	wantRows(t, s, account, []analytics.Row{changed, old[2], old[4], added}, 2)
}

func testReceived(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	old := rows(analytics.TableCustomer, 1, 40)
	old[2].Received = time.Time{}                                           // not known
	old[3].Received = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)           // midnight
	old[4].Received = time.Date(2026, 2, 1, 9, 0, 0, 999_000_000, time.UTC) // not a whole second
	mustCommit(t, s, account, analytics.Changeset{Insert: old, Version: 1})
	wantRows(t, s, account, old, 1)

	c := analytics.Changeset{Version: 2}
	for i, at := range []time.Time{{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} {
		changed := old[i]
		changed.Doc, changed.Received = []byte(`{"again":true}`), at
		c.Update = append(c.Update, changed)
		old[i].Doc = changed.Doc
	}
	mustCommit(t, s, account, c)
	wantRows(t, s, account, old, 2)
	var got []analytics.Row
	err := s.Rows(t.Context(), account, analytics.TableCustomer, []int64{1, 3}, func(r analytics.Row) error {
		r.Doc = slices.Clone(r.Doc)
		got = append(got, r)
		return nil
	})
	if diff := cmp.Diff([]analytics.Row{old[0], old[2]}, got); err != nil || diff != "" {
		t.Errorf("Rows: %v (-want +got):\n%s", err, diff)
	}
}

func testClear(t *testing.T, s analytics.Store) {
	account, other := uuid.NewString(), uuid.NewString()
	all := slices.Concat(rows(analytics.TableSource, 1, 2), rows(analytics.TablePlan, 1, 2), rows(analytics.TableCustomer, 1, 9), invoices(1, 9))
	for i := range all {
		if all[i].Source != 0 {
			all[i].Source = 1 + all[i].Seq%2
		}
	}
	for _, a := range []string{account, other} {
		mustCommit(t, s, a, analytics.Changeset{Insert: all, Version: 1})
	}
	again := row(analytics.TableCustomer, 10)
	mustCommit(t, s, account, analytics.Changeset{Clear: []int64{1}, Insert: []analytics.Row{again}, Version: 2})
	left := slices.DeleteFunc(slices.Clone(all), func(r analytics.Row) bool { return r.Source == 1 })
	i := slices.IndexFunc(left, func(r analytics.Row) bool { return r.Table == analytics.TableInvoice })
	wantRows(t, s, account, slices.Insert(left, i, again), 2)
	wantRows(t, s, other, all, 1)
}

func testVersion(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	for _, version := range []uint64{1, 2, 10, 1 << 40} { // versions may be skipped
		mustCommit(t, s, account, analytics.Changeset{Version: version})
		wantRows(t, s, account, nil, version)
	}
}

// twice is a changeset that a store must refuse after having written most of
// it: its last row is there already.
func twice(version uint64) analytics.Changeset {
	return analytics.Changeset{Insert: append(invoices(2, 200), row(analytics.TableInvoice, 1)), Version: version}
}

func testAtomic(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 1), Version: 1})
	if err := s.Commit(t.Context(), account, twice(2)); err == nil {
		t.Error("Commit of a taken sequence number = nil, want an error")
	}
	wantRows(t, s, account, invoices(1, 1), 1)

	fresh := uuid.NewString()
	c := twice(1)
	c.Insert = append(c.Insert, c.Insert[0])
	if err := s.Commit(t.Context(), fresh, c); err == nil {
		t.Error("first Commit with a row twice = nil, want an error")
	}
	wantRows(t, s, fresh, nil, 0)
}

func testRefused(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 2), Version: 5})
	next := []analytics.Row{row(analytics.TableInvoice, 3)}
	for name, c := range map[string]analytics.Changeset{
		"version goes back":     {Insert: next, Version: 4},
		"version stays":         {Insert: next, Version: 5},
		"version 0":             {Insert: next},
		"version out of range":  {Insert: next, Version: 1 << 63},
		"update of no row":      {Insert: next, Update: invoices(9, 9), Version: 6},
		"delete of no row":      {Insert: next, Delete: []analytics.Key{{Table: analytics.TablePlan, Seq: 1}}, Version: 6},
		"insert of table 0":     {Insert: []analytics.Row{next[0], {}}, Version: 6},
		"update of table 77":    {Insert: next, Update: []analytics.Row{{Table: 77}}, Version: 6},
		"delete in no table":    {Insert: next, Delete: []analytics.Key{{Seq: 1}}, Version: 6},
		"insert of a taken row": {Insert: invoices(2, 3), Version: 6},
	} {
		if err := s.Commit(t.Context(), account, c); err == nil {
			t.Errorf("%s: Commit = nil, want an error", name)
		}
	}
	wantRows(t, s, account, invoices(1, 2), 5)
}

func testIsolation(t *testing.T, s analytics.Store) {
	a, b := uuid.NewString(), uuid.NewString()
	mustCommit(t, s, a, analytics.Changeset{Insert: invoices(1, 3), Version: 1})
	mustCommit(t, s, b, analytics.Changeset{Insert: invoices(1, 5), Version: 7})
	mustCommit(t, s, a, analytics.Changeset{
		Update:  []analytics.Row{{Table: analytics.TableInvoice, Seq: 1, ID: "a's", Doc: []byte(`{}`)}},
		Delete:  []analytics.Key{{Table: analytics.TableInvoice, Seq: 3}},
		Version: 2,
	})
	wantRows(t, s, b, invoices(1, 5), 7)
	if err := s.Commit(t.Context(), a, analytics.Changeset{Delete: []analytics.Key{{Table: analytics.TableInvoice, Seq: 5}}, Version: 3}); err == nil {
		t.Error("Commit that deletes another account's row = nil, want an error")
	}
	wantRows(t, s, b, invoices(1, 5), 7)
	for _, near := range []string{strings.ToUpper(a), a + " ", a[:len(a)-1], "%"} {
		wantRows(t, s, near, nil, 0)
	}
}

func testBig(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 10_000), Version: 1})
	var c analytics.Changeset
	want := invoices(1, 10_000)
	for i := range want {
		want[i].Doc = fmt.Appendf(nil, `{"again":%d}`, i)
		c.Update = append(c.Update, want[i])
	}
	c.Version = 2
	mustCommit(t, s, account, c)
	wantRows(t, s, account, want, 2)
	c = analytics.Changeset{Version: 3}
	for _, r := range want {
		c.Delete = append(c.Delete, analytics.Key{Table: r.Table, Seq: r.Seq})
	}
	mustCommit(t, s, account, c)
	wantRows(t, s, account, nil, 3)
}

func testConcurrent(t *testing.T, s analytics.Store) {
	const writers, commits = 24, 8
	accounts := make([]string, writers)
	var wg sync.WaitGroup
	for w := range writers {
		accounts[w] = uuid.NewString()
		wg.Go(func() {
			for n := int64(1); n <= commits; n++ {
				c := analytics.Changeset{Insert: invoices(2*n-1, 2*n), Version: uint64(n)}
				if err := s.Commit(t.Context(), accounts[w], c); err != nil {
					t.Errorf("Commit %d of writer %d: %v", n, w, err)
					return
				}
				if version, err := s.Version(t.Context(), accounts[w]); err != nil || version != uint64(n) {
					t.Errorf("Version after commit %d = %d, %v", n, version, err)
				}
			}
		})
	}
	wg.Wait()
	for _, account := range accounts {
		wantRows(t, s, account, invoices(1, 2*commits), commits)
	}
}

// Failing and succeeding commits arrive together, so that those which share a
// flush are of both kinds.
func testFailsAlone(t *testing.T, s analytics.Store) {
	const writers = 24
	accounts := make([]string, writers)
	errs := make([]error, writers)
	for w := range writers {
		accounts[w] = uuid.NewString()
		mustCommit(t, s, accounts[w], analytics.Changeset{Insert: invoices(1, 1), Version: 1})
	}
	var wg sync.WaitGroup
	for w := range writers {
		c := analytics.Changeset{Insert: invoices(2, 50), Version: 2}
		if w%2 == 1 {
			c = twice(2)
		}
		wg.Go(func() { errs[w] = s.Commit(t.Context(), accounts[w], c) })
	}
	wg.Wait()
	for w, err := range errs {
		if fails := w%2 == 1; (err != nil) != fails {
			t.Errorf("Commit of writer %d: %v, want an error: %v", w, err, fails)
		}
		if w%2 == 1 {
			wantRows(t, s, accounts[w], invoices(1, 1), 1)
			continue
		}
		wantRows(t, s, accounts[w], invoices(1, 50), 2)
	}
}

func testLoadSnapshot(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	all := slices.Concat(rows(analytics.TableSource, 1, 1), rows(analytics.TableCustomer, 1, 20), invoices(1, 100))
	mustCommit(t, s, account, analytics.Changeset{Insert: all, Version: 1})
	var got []analytics.Row
	version, err := s.Load(t.Context(), account, func(r analytics.LoadedRow) error {
		if len(got) == 0 { // the load has begun and most of it is ahead
			mustCommit(t, s, account, analytics.Changeset{
				Insert:  invoices(101, 101),
				Delete:  []analytics.Key{{Table: analytics.TableCustomer, Seq: 20}, {Table: analytics.TableInvoice, Seq: 50}},
				Version: 2,
			})
		}
		got = append(got, rowOf(r))
		return nil
	})
	if err != nil || version != 1 {
		t.Errorf("Load = %d, %v, want version 1", version, err)
	}
	for i := range all {
		all[i].ID = ""
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("rows of a load that began before a commit (-want +got):\n%s", diff)
	}
}

func testVisitError(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 10), Version: 1})
	enough := errors.New("enough")
	visits := 0
	_, err := s.Load(t.Context(), account, func(analytics.LoadedRow) error {
		visits++
		if visits == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || visits != 3 {
		t.Errorf("Load = %v after %d visits, want the error of the third", err, visits)
	}
	wantRows(t, s, account, invoices(1, 10), 1) // the store goes on
}

func testCanceled(t *testing.T, s analytics.Store) {
	account := uuid.NewString()
	mustCommit(t, s, account, analytics.Changeset{Insert: invoices(1, 1000), Version: 1})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, loadErr := s.Load(over, account, func(analytics.LoadedRow) error { return nil })
	_, versionErr := s.Version(over, account)
	_, ratesErr := s.Rates(over)
	for call, err := range map[string]error{
		"Load":        loadErr,
		"Version":     versionErr,
		"Rates":       ratesErr,
		"Commit":      s.Commit(over, account, analytics.Changeset{Insert: invoices(1001, 1001), Version: 2}),
		"ImportRates": s.ImportRates(over, []fx.Rate{rate(1, "usd", "1.1")}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a canceled context: %v, want context.Canceled", call, err)
		}
	}

	for range 20 { // more often than reads can run at once: none of them stays
		during, cancel := context.WithCancel(t.Context())
		last := int64(0)
		_, err := s.Load(during, account, func(r analytics.LoadedRow) error {
			if last = r.Seq; last == 10 {
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) || last > 900 {
			t.Errorf("Load canceled on its way: %v after row %d, want context.Canceled before the end", err, last)
		}
	}
	wantRows(t, s, account, invoices(1, 1000), 1)
}

func rate(day calendar.Day, quote, value string) fx.Rate {
	return fx.Rate{Day: calendar.Date(2026, 1, 1) + day, Base: "eur", Quote: quote, Value: value}
}

func wantRates(t *testing.T, s analytics.Store, want ...fx.Rate) (version uint64) {
	t.Helper()
	version, err := s.RatesVersion(t.Context())
	if err != nil {
		t.Fatalf("RatesVersion: %v", err)
	}
	got, err := s.Rates(t.Context())
	if err != nil {
		t.Fatalf("Rates: %v", err)
	}
	slices.SortFunc(got, func(a, b fx.Rate) int {
		if a.Day != b.Day {
			return int(a.Day - b.Day)
		}
		return strings.Compare(a.Quote, b.Quote)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Rates (-want +got):\n%s", diff)
	}
	return version
}

func importRates(t *testing.T, s analytics.Store, rates ...fx.Rate) {
	t.Helper()
	if err := s.ImportRates(t.Context(), rates); err != nil {
		t.Fatalf("ImportRates: %v", err)
	}
}

func testRates(t *testing.T, s analytics.Store) {
	v0 := wantRates(t, s)
	importRates(t, s, rate(0, "usd", "1.0796"), rate(0, "jpy", "170.000000000000000001"), rate(1, "usd", "1.08"))
	v1 := wantRates(t, s, rate(0, "jpy", "170.000000000000000001"), rate(0, "usd", "1.0796"), rate(1, "usd", "1.08"))
	importRates(t, s, rate(0, "usd", "1.1"), rate(2, "usd", "1.2"))
	v2 := wantRates(t, s, rate(0, "jpy", "170.000000000000000001"), rate(0, "usd", "1.1"), rate(1, "usd", "1.08"), rate(2, "usd", "1.2"))
	if v0 == v1 || v1 == v2 || v0 == v2 {
		t.Errorf("RatesVersion went %d, %d, %d: want a new one after each import", v0, v1, v2)
	}
	// Within one import the last of several for the same day wins.
	importRates(t, s, rate(0, "usd", "1.3"), rate(0, "usd", "1.4"))
	wantRates(t, s, rate(0, "jpy", "170.000000000000000001"), rate(0, "usd", "1.4"), rate(1, "usd", "1.08"), rate(2, "usd", "1.2"))
}

func testRatesRefused(t *testing.T, s analytics.Store) {
	before := wantRates(t, s)
	undated := rate(0, "usd", "1")
	undated.Day = calendar.NoDay
	if err := s.ImportRates(t.Context(), []fx.Rate{rate(0, "jpy", "170"), undated}); err == nil {
		t.Error("ImportRates of a rate without a day = nil, want an error")
	}
	if after := wantRates(t, s); after != before {
		t.Errorf("RatesVersion went from %d to %d without an import", before, after)
	}
}
