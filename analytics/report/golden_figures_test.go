package report_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/analytics/report/reporttest"
)

// figures is everything that a vector may state. A field that is not listed here
// fails the test, so that none goes unread.
type figures struct {
	AsOf         string           `json:"as_of"`
	BaseCurrency string           `json:"base_currency"`
	Movements    []goldenMovement `json:"movements"`
	MRR          *int64           `json:"mrr"`
	ARR          *int64           `json:"arr"`
	ARPA         *int64           `json:"arpa"`
	ByDate       map[string]int64 `json:"mrr_by_date"`
	Active       map[string]int64 `json:"active"`
	NewMRR       map[string]int64 `json:"new_mrr"`
	MonthEnds    map[string]int64 `json:"end_of_month"`
	Variants     []struct {
		Policy      map[string]any   `json:"policy"`
		MRR         *int64           `json:"mrr"`
		PerCustomer map[string]int64 `json:"per_customer"`
		Movements   []goldenMovement `json:"movements"`
		Status      string           `json:"status"`
	} `json:"variants"`

	Period      string   `json:"period"`
	GrossNew    *int64   `json:"gross_new_mrr"`
	Growth      *float64 `json:"mrr_growth_pct"`
	Churned     *int64   `json:"churned_customers"`
	Voluntary   int64    `json:"voluntary_mrr"` // the rows state no reasons: only the sum is told
	Involuntary int64    `json:"involuntary_mrr"`

	// TestGolden_Vectors of this package and of package ledger look at these.

	Totals        json.RawMessage `json:"movements_total"`
	StartMRR      json.RawMessage `json:"start_mrr"`
	EndMRR        json.RawMessage `json:"end_mrr"`
	QuickRatio    json.RawMessage `json:"quick_ratio"`
	NetNew        json.RawMessage `json:"net_new_mrr"`
	LTV           json.RawMessage `json:"ltv"`
	NRR           json.RawMessage `json:"nrr_pct"`
	GRR           json.RawMessage `json:"grr_pct"`
	GrossChurn    json.RawMessage `json:"gross_mrr_churn_pct"`
	NetChurn      json.RawMessage `json:"net_mrr_churn_pct"`
	CustomerChurn json.RawMessage `json:"customer_churn_pct"`
	Cohorts       json.RawMessage `json:"cohorts"`

	// Other conventions: a churn that is assumed where there is none, and half a
	// month that is not counted by its days.

	Inputs        json.RawMessage `json:"inputs"`
	LTVStripe     json.RawMessage `json:"ltv_stripe"`
	LTVChartMogul json.RawMessage `json:"ltv_chartmogul"`
	ByMonth       json.RawMessage `json:"movements_total_by_month"`
}

// goldenMovement is a movement with the figures that a vector states of it.
type goldenMovement struct {
	Date      string `json:"date"`
	Customer  string `json:"customer_id"`
	Type      string `json:"type"`
	Change    int64  `json:"mrr_change"`
	After     *int64 `json:"mrr_after"`
	Currency  string `json:"currency"`
	Base      *int64 `json:"mrr_change_base_currency"`
	Customers *int   `json:"customer_count_change"`
	Quantity  *int64 `json:"quantity_change"`
}

func TestGolden_Figures(t *testing.T) {
	t.Parallel()
	var vectors []struct {
		rows
		ID     string          `json:"id"`
		Policy map[string]any  `json:"policy"`
		Expect json.RawMessage `json:"expect"`
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(goldenDir(t), "vectors.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	for i := range vectors {
		v := &vectors[i]
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			var e figures
			decoder := json.NewDecoder(bytes.NewReader(v.Expect))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&e); err != nil {
				t.Fatal(err)
			}
			e.check(t, v.ID, v.Policy, &v.rows)
		})
	}
}

func (e *figures) check(t *testing.T, id string, policy map[string]any, r *rows) {
	t.Helper()
	settings := map[string]any{}
	if days, ok := policy["grace_days"].(float64); ok {
		settings["churn_grace_days"] = int64(days)
	}
	var rates []reporttest.Push
	if _, ok := policy["fx"]; ok { // one of those that the vector allows
		rates = []reporttest.Push{{Rate: &fx.Rate{Day: mustDay(t, "2025-01-20"), Base: "eur", Quote: "usd", Value: "1.0795918"}}}
	}
	on := func(day string) *report.MRRMetrics {
		t.Helper()
		s := r.account(t, day, settings, rates...)
		mrr, err := report.MRR(s, query(t, s, "date="+day))
		if err != nil {
			t.Fatal(err)
		}
		return &mrr.Rows[0].MRRMetrics
	}
	same := func(what string, want *int64, got int64) {
		t.Helper()
		if want != nil && *want != got {
			t.Errorf("%s = %d, want %d", what, got, *want)
		}
	}
	monthEnd := func(month string) string { return (mustDay(t, month+"-01").AddMonths(1) - 1).String() }

	if e.AsOf != "" && id != "cm-08" && e.Cohorts == nil {
		m := on(e.AsOf)
		same("MRR", e.MRR, m.TotalMRR)
		same("ARR", e.ARR, m.TotalARR)
		same("ARPA", e.ARPA, m.ARPA)
	}
	for day, want := range e.ByDate {
		same("MRR on "+day, &want, on(day).TotalMRR)
	}
	for day, want := range e.Active {
		same("customers on "+day, &want, on(day).TotalCustomers)
	}
	for month, want := range e.NewMRR {
		same("new MRR of "+month, &want, on(monthEnd(month)).New)
	}
	for month, want := range e.MonthEnds {
		same("MRR at the end of "+month, &want, on(monthEnd(month)).TotalMRR)
	}
	if e.Period != "" {
		m := on(monthEnd(e.Period))
		same("gross new MRR", e.GrossNew, m.New+m.Expansion)
		same("customers who churned", e.Churned, m.ChurnCustomers)
		if lost := e.Voluntary + e.Involuntary; lost != 0 && m.Churn != lost {
			t.Errorf("churn = %d, want %d", m.Churn, lost)
		}
		if opening := m.TotalMRR - m.MRRDiff; e.Growth != nil && float64(m.MRRDiff)*100 != *e.Growth*float64(opening) {
			t.Errorf("MRR grew by %d from %d, want %v percent", m.MRRDiff, opening, *e.Growth)
		}
	}
	if id != "cm-08" && e.Movements != nil {
		e.checkMovements(t, r, settings, rates)
	}
	for _, variant := range e.Variants {
		if variant.PerCustomer == nil || variant.Policy["days_per_month"] != "365/12" {
			continue // another vendor's convention
		}
		s := r.account(t, e.AsOf, settings)
		top, err := report.CustomerConcentration(s, query(t, s, ""))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for i := range top.Pareto {
			got[top.Pareto[i].Customer.ID] = top.Pareto[i].MRR
		}
		if diff := cmp.Diff(variant.PerCustomer, got); diff != "" {
			t.Errorf("MRR by customer (-want +got):\n%s", diff)
		}
	}
}

// checkMovements compares movements with all that is stated of each.
func (e *figures) checkMovements(t *testing.T, r *rows, settings map[string]any, rates []reporttest.Push) {
	t.Helper()
	today := e.AsOf
	if today == "" {
		today = e.Movements[len(e.Movements)-1].Date
	}
	s := r.account(t, today, settings, rates...)
	table, err := report.MovementTable(s, query(t, s, "date=all&order=asc&limit=1000"))
	if err != nil {
		t.Fatal(err)
	}
	var got []goldenMovement
	for i := range table.Rows {
		m := &table.Rows[i]
		got = append(got, goldenMovement{
			Date: m.Date.String(), Customer: m.Customer.ID, Type: m.Type.String(), Change: m.Change,
			After: &m.New, Currency: m.Currency.Code(), Base: &m.ChangeBase, Customers: &m.Customers, Quantity: &m.Quantity,
		})
	}
	for i := range min(len(got), len(e.Movements)) {
		want := &e.Movements[i]
		if want.Currency == "" {
			got[i].Currency = ""
		}
		got[i].After = ifStated(want.After, got[i].After)
		got[i].Base = ifStated(want.Base, got[i].Base)
		got[i].Customers = ifStated(want.Customers, got[i].Customers)
		got[i].Quantity = ifStated(want.Quantity, got[i].Quantity)
	}
	if diff := cmp.Diff(e.Movements, got); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
}

// ifStated drops what a vector does not state.
func ifStated[T any](want, got *T) *T {
	if want == nil {
		return nil
	}
	return got
}

func mustDay(t *testing.T, text string) calendar.Day {
	t.Helper()
	day, err := calendar.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// checkMonthEnds compares what each customer's MRR was at the ends of two months,
// by month and type: month,type,count,amount. Who comes and goes within a month
// is not seen.
func checkMonthEnds(t *testing.T, s *report.Snapshot, want [][]string) {
	t.Helper()
	mrr, err := report.MRR(s, query(t, s, "date=all&breakdown=customer"))
	if err != nil {
		t.Fatal(err)
	}
	type sum struct{ count, amount int64 }
	wanted, got := map[string]sum{}, map[string]sum{}
	for _, row := range want {
		wanted[row[0]+" "+row[1]] = sum{number(t, row[2]), number(t, row[3])}
	}
	before, paid := map[int]int64{}, map[int]bool{}
	for i := range mrr.Rows {
		row := &mrr.Rows[i]
		for c := range row.Breakdown {
			was, is := before[c], row.Breakdown[c].TotalMRR
			var kind string
			switch {
			case was == is:
				continue
			case is == 0:
				kind = "churn"
			case was == 0 && paid[c]:
				kind = "reactivation"
			case was == 0:
				kind = "new"
			case is > was:
				kind = "expansion"
			default:
				kind = "contraction"
			}
			key := row.Period.From.String()[:7] + " " + kind
			got[key] = sum{got[key].count + 1, got[key].amount + is - was}
			before[c], paid[c] = is, true
		}
	}
	if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(sum{})); diff != "" {
		t.Errorf("changes between the ends of months (-want +got):\n%s", diff)
	}
}

// Every file of the golden sets is read by a test.
func TestGolden_EveryFile(t *testing.T) {
	t.Parallel()
	known := []string{"README.md", "vectors.json"}
	for _, set := range []struct {
		dir      string
		suffixes []string
	}{{"foodie_fi", []string{""}}, {"nova", []string{"_grace0", "_grace7"}}, {"orbit", []string{"_refund_ignored", "_refund_reduces"}}} {
		for _, rows := range []string{"plans", "customers", "invoices"} {
			known = append(known, set.dir+"/"+rows+".jsonl")
		}
		for _, suffix := range set.suffixes {
			for _, table := range []string{"mrr", "movements_daily", "movements_monthend", "cohorts"} {
				known = append(known, set.dir+"/expected_"+table+suffix+".csv")
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(goldenDir(t), "*"))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := filepath.Glob(filepath.Join(goldenDir(t), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Concat(files, inner) {
		name, err := filepath.Rel(goldenDir(t), path)
		if err != nil {
			t.Fatal(err)
		}
		folder := slices.ContainsFunc(known, func(k string) bool { return filepath.Dir(k) == name })
		if !folder && !slices.Contains(known, filepath.ToSlash(name)) {
			t.Errorf("no test reads %s", name)
		}
	}
}
