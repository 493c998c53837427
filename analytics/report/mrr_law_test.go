package report

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// randomParams returns the parameters of a report: any range, interval,
// currency, filters and breakdown.
func randomParams(rng *rand.Rand, breakdowns []string) map[string][]string {
	p := map[string][]string{
		"date":     {[]string{"20240101-20250131", "2024-03-10:2024-08-20", "last-6-months", "all", "ytd", "20240401-20250630"}[rng.IntN(6)]},
		"interval": {[]string{"week", "month", "month", "quarter", "year"}[rng.IntN(5)]},
	}
	set := func(name string, chance int, values ...string) {
		if rng.IntN(chance) == 0 {
			p[name] = []string{values[rng.IntN(len(values))]}
		}
	}
	set("baseCurrency", 4, "usd", "eur", "jpy")
	set("fix_fx", 4, "true")
	set("committed", 4, "true")
	set("breakdown", 1, breakdowns...)
	set("plan", 8, "p1", "p1 p3", "pg_1", "~p2", "nothing", "Plan 2~~p4")
	set("currency", 8, "usd", "~usd", "eur,jpy", "*", "~")
	set("billing_freq", 12, "month", "annual", "~monthly")
	set("pricing_model", 12, "metered", "licensed")
	set("payment_method", 12, "visa", "~visa")
	set("has_discount", 12, "true", "false")
	set("country", 12, "us", "~", "~us", "us de")
	set("custom_tier", 12, "gold", "~", "*")
	set("status", 12, "active", "canceled~~past_due")
	set("data_source", 12, "src_a", "csv", "~api")
	set("customer", 12, "c1 c2 c3", "~c0")
	set("cancel_reason", 12, "too_expensive", "expired payment_failed")
	set("region", 12, "eu", "dach us", "~nordics", "north_america~~~us", "nowhere")
	set("market", 12, "dach", "~north_america", "~")
	set("age", 12, "0-6", "6-12~~12-", "~0-3", "12-", "soon")
	set("segment", 12, "seg_split", "Local", "seg_plans")
	set("compare", 12, "last-year", "last-period")
	return p
}

var allBreakdowns = []string{
	"currency", "plan", "billing_freq", "pricing_model", "payment_method", "has_discount", "region", "country", "state",
	"data_source", "status", "customer", "cancel_reason", "subtype", "custom_tier", "age", "market",
}

func mustQuery(t testing.TB, s *Snapshot, params map[string][]string) *Query {
	t.Helper()
	q, err := ParseQuery(params, s)
	if err != nil {
		t.Fatalf("ParseQuery(%v): %v", params, err)
	}
	return &q
}

// Opening + movements + fx_adjustment = closing, for every row, filter and
// breakdown value; the values of a breakdown add up to the whole; one set of
// rates leaves nothing to adjust; and every total is what the customers' states
// say when they are added up one by one.
func TestLaw_MRR(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for range 6 {
			params := randomParams(rng, allBreakdowns)
			q := mustQuery(t, s, params)
			r, err := MRR(s, q)
			if err != nil {
				t.Fatalf("MRR(%v): %v", params, err)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				checkRow(t, params, i, r.Rows, func(r *MRRRow) *MRRMetrics { return &r.MRRMetrics }, q)
				want := recount(t, s, q, row.Period.To)
				if got := (balanceSheet{row.TotalMRR, row.TotalCustomers, row.Quantity}); got != want {
					t.Fatalf("MRR(%v) on %s: totals %+v, recounted %+v", params, row.Period.To, got, want)
				}
				if q.Breakdown.kind == subtypeDimension {
					checkSubtypes(t, params, row)
					continue
				}
				var sum balanceSheet
				for v := range r.Values {
					checkRow(t, params, i, r.Rows, func(r *MRRRow) *MRRMetrics { return &r.Breakdown[v] }, q)
					sum.mrr += row.Breakdown[v].TotalMRR
				}
				if sum.mrr != row.TotalMRR {
					t.Fatalf("MRR(%v) on %s: values add up to %d, total %d", params, row.Period.To, sum.mrr, row.TotalMRR)
				}
			}
		}
	})
}

func checkRow(t *testing.T, params map[string][]string, i int, rows []MRRRow, of func(*MRRRow) *MRRMetrics, q *Query) {
	t.Helper()
	m := of(&rows[i])
	moved := m.New + m.Expansion + m.Contraction + m.Churn + m.Reactivation
	if m.NetMRRDiff != moved || m.MRRDiff != m.NetMRRDiff+m.FXAdjustment {
		t.Fatalf("MRR(%v) row %d: movements %d, net %d, fx %d, diff %d", params, i, moved, m.NetMRRDiff, m.FXAdjustment, m.MRRDiff)
	}
	if q.FixFX && m.FXAdjustment != 0 {
		t.Fatalf("MRR(%v) row %d: fx adjustment %d at one set of rates", params, i, m.FXAdjustment)
	}
	if i == 0 {
		return
	}
	before := of(&rows[i-1])
	if before.TotalMRR+m.MRRDiff != m.TotalMRR || before.TotalCustomers+m.CustomersDiff != m.TotalCustomers {
		t.Fatalf("MRR(%v) row %d: opening %d + %d is not closing %d", params, i, before.TotalMRR, m.MRRDiff, m.TotalMRR)
	}
}

func checkSubtypes(t *testing.T, params map[string][]string, row *MRRRow) {
	t.Helper()
	var sum, want [5]int64
	for v := range row.Breakdown {
		addTypes(&sum, &row.Breakdown[v])
	}
	addTypes(&want, &row.MRRMetrics)
	if sum != want {
		t.Fatalf("MRR(%v) %s: subtypes add up to %v, movements are %v", params, row.Period, sum, want)
	}
}

func addTypes(sum *[5]int64, m *MRRMetrics) {
	for i, amount := range [...]int64{m.New, m.Expansion, m.Contraction, m.Churn, m.Reactivation} {
		sum[i] += amount
	}
}

type balanceSheet struct{ mrr, customers, quantity int64 }

// recount adds up the customers' states at the end of a day, one by one.
func recount(t *testing.T, s *Snapshot, q *Query, end calendar.Day) balanceSheet {
	t.Helper()
	sel := newSelection(s, q)
	rateDay := min(end, s.Today)
	if q.FixFX {
		rateDay = min(q.Range.From, s.Today)
	}
	if !q.Committed {
		end = min(end, s.Today)
	}
	var sum balanceSheet
	for _, c := range s.Customers {
		if !sel.customer(c) {
			continue
		}
		live := false
		for slot := range c.Ledger.Slots {
			st := stateOn(c.Ledger, int32(slot), end)
			if match := sel.match(); st.MRR == 0 || match != nil && !match(&st) {
				continue
			}
			worth, err := s.Rates.Convert(st.MRR, st.Currency, q.Base, rateDay)
			if err != nil {
				t.Fatal(err)
			}
			live = true
			sum.mrr += worth
			sum.quantity += int64(st.Quantity)
		}
		if live {
			sum.customers++
		}
	}
	return sum
}

func stateOn(l *ledger.Ledger, slot int32, end calendar.Day) ledger.State {
	var st ledger.State
	for i := range l.Changes {
		if c := &l.Changes[i]; c.Slot == slot && c.Day <= end {
			st = c.After
		}
	}
	return st
}

// The movement table adds up to the MRR report: for each of its rows, and each
// breakdown value, the movements of the period are the row's figures.
func TestLaw_MovementTable(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for range 3 {
			params := randomParams(rng, allBreakdowns)
			delete(params, "committed")
			q := mustQuery(t, s, params)
			r, err := MRR(s, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				params["selected-date"] = []string{row.Period.From.String()}
				delete(params, "breakdown-value")
				checkTable(t, s, params, &row.MRRMetrics, q.Breakdown.ofState())
				for v := range r.Values {
					params["breakdown-value"] = []string{r.Values[v].Key}
					checkTable(t, s, params, &row.Breakdown[v], false)
				}
			}
			delete(params, "selected-date")
			delete(params, "breakdown-value")
			var all MRRMetrics // with the same parameters both reports are of the same days
			for i := range r.Rows {
				addMetrics(&all, &r.Rows[i].MRRMetrics)
			}
			checkTable(t, s, params, &all, q.Breakdown.ofState())
		}
	})
}

func addMetrics(sum, m *MRRMetrics) {
	sum.New += m.New
	sum.Expansion += m.Expansion
	sum.Contraction += m.Contraction
	sum.Churn += m.Churn
	sum.Reactivation += m.Reactivation
	sum.NetMRRDiff += m.NetMRRDiff
	sum.CustomersDiff += m.CustomersDiff
}

func checkTable(t *testing.T, s *Snapshot, params map[string][]string, m *MRRMetrics, netOnly bool) {
	t.Helper()
	q := mustQuery(t, s, params)
	table, err := MovementTable(s, q)
	if err != nil {
		t.Fatal(err)
	}
	var got, want [5]int64
	net, customers := int64(0), int64(0)
	for i := range table.Rows {
		row := &table.Rows[i]
		net += row.ChangeBase
		customers += int64(row.Customers)
		for at, kind := range ledger.Types {
			if row.Type == kind {
				got[at] += row.ChangeBase
			}
		}
		lines := int64(0)
		for _, line := range row.Lines {
			lines += line.MRR
		}
		if row.Lines != nil && lines != row.Change {
			t.Fatalf("MovementTable(%v): lines add up to %d, change %d", params, lines, row.Change)
		}
		if row.New-row.Old != row.Change {
			t.Fatalf("MovementTable(%v): old %d + %d is not new %d", params, row.Old, row.Change, row.New)
		}
	}
	if netOnly { // within breakdown values movements classify differently, but their net is the same
		if net != m.NetMRRDiff {
			t.Fatalf("MovementTable(%v) adds up to %d, the MRR report says %d", params, net, m.NetMRRDiff)
		}
		return
	}
	if customers != m.CustomersDiff && q.Breakdown.kind != subtypeDimension {
		t.Fatalf("MovementTable(%v) moves %d customers, the MRR report %d", params, customers, m.CustomersDiff)
	}
	addTypes(&want, m)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("MovementTable(%v) adds up differently than the MRR report (-mrr +table):\n%s", params, diff)
	}
}
