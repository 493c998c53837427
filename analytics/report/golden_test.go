package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/analytics/report/reporttest"
)

// The golden sets are published examples and data sets with expected numbers,
// kept outside the repository.
func goldenDir(t *testing.T) string {
	dir := os.Getenv("GROWPANEL_GOLDEN_DIR")
	if dir == "" {
		t.Skip("GROWPANEL_GOLDEN_DIR is not set: the golden sets are not checked")
	}
	return dir
}

// rows are pushed rows as the golden sets write them.
type rows struct {
	Plans     []reporttest.Plan     `json:"plans"`
	Customers []reporttest.Customer `json:"customers"`
	Invoices  []reporttest.Invoice  `json:"invoices"`
}

// account is the rows after a push, on a day, with rates and the like.
func (r *rows) account(t *testing.T, today string, settings map[string]any, more ...reporttest.Push) *report.Snapshot {
	t.Helper()
	d := reporttest.NewDirect()
	pushed := more
	for name, value := range settings {
		pushed = append(pushed, reporttest.Push{Setting: &reporttest.Setting{Name: name, Value: value}})
	}
	for i := range r.Plans {
		pushed = append(pushed, reporttest.Push{Plan: &r.Plans[i]})
	}
	for i := range r.Customers {
		pushed = append(pushed, reporttest.Push{Customer: &r.Customers[i]})
	}
	for i := range r.Invoices {
		pushed = append(pushed, reporttest.Push{Invoice: &r.Invoices[i]})
	}
	day, err := calendar.ParseDay(today)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Today(day); err != nil {
		t.Fatal(err)
	}
	if err := d.Push(pushed); err != nil {
		t.Fatal(err)
	}
	s, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func query(t *testing.T, s *report.Snapshot, params string) *report.Query {
	t.Helper()
	values, err := url.ParseQuery(params)
	if err != nil {
		t.Fatal(err)
	}
	q, err := report.ParseQuery(values, s)
	if err != nil {
		t.Fatal(err)
	}
	return &q
}

// vector is a published example with the figures that it states.
type vector struct {
	rows
	ID     string `json:"id"`
	Expect struct {
		Period        string                `json:"period"`
		AsOf          string                `json:"as_of"`
		StartMRR      *int64                `json:"start_mrr"`
		EndMRR        *int64                `json:"end_mrr"`
		Totals        map[string]int64      `json:"movements_total"`
		QuickRatio    json.RawMessage       `json:"quick_ratio"`
		ARR           *int64                `json:"arr"`
		NetNew        *int64                `json:"net_new_mrr"`
		ARPA          *int64                `json:"arpa"`
		LTV           *int64                `json:"ltv"`
		NRR           *float64              `json:"nrr_pct"`
		GRR           *float64              `json:"grr_pct"`
		GrossChurn    *float64              `json:"gross_mrr_churn_pct"`
		NetChurn      *float64              `json:"net_mrr_churn_pct"`
		CustomerChurn *float64              `json:"customer_churn_pct"`
		Cohorts       map[string]wantCohort `json:"cohorts"`
	} `json:"expect"`
}

type wantCohort struct {
	Size       int64     `json:"size"`
	Active     []int64   `json:"active"`
	Percent    []float64 `json:"pct"`
	InitialMRR int64     `json:"initial_mrr"`
	GrossMRR   []float64 `json:"gross_mrr_retention_pct"`
}

func TestGolden_Vectors(t *testing.T) {
	t.Parallel()
	var vectors []vector
	if err := json.Unmarshal(readFile(t, filepath.Join(goldenDir(t), "vectors.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for i := range vectors {
		v := &vectors[i]
		if v.Expect.Period == "" && v.Expect.Cohorts == nil {
			continue // a ledger's matter
		}
		checked++
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			if v.Expect.Cohorts != nil {
				v.checkCohorts(t)
				return
			}
			v.checkPeriod(t)
		})
	}
	if checked < 15 {
		t.Errorf("%d vectors have report figures, want at least 15", checked)
	}
}

func (v *vector) checkPeriod(t *testing.T) {
	month, err := calendar.ParseDay(v.Expect.Period + "-01")
	if err != nil {
		t.Fatal(err)
	}
	last := month.AddMonths(1) - 1
	s := v.account(t, last.String(), nil)
	q := query(t, s, "date="+month.String()+":"+last.String())
	mrr, err := report.MRR(s, q)
	if err != nil {
		t.Fatal(err)
	}
	m := mrr.Rows[0].MRRMetrics
	kept, err := report.Retention(s, q)
	if err != nil {
		t.Fatal(err)
	}
	r := kept.Rows[0].RetentionMetrics
	e := &v.Expect
	amount := func(name string, want *int64, got int64) {
		if want != nil && *want != got {
			t.Errorf("%s = %d, want %d", name, got, *want)
		}
	}
	share := func(name string, want *float64, got report.Ratio) {
		if want != nil && (got.Null || *want != got.Value) {
			t.Errorf("%s = %v, want %v", name, got, *want)
		}
	}
	amount("end MRR", e.EndMRR, m.TotalMRR)
	amount("start MRR", e.StartMRR, m.TotalMRR-m.MRRDiff)
	amount("ARR", e.ARR, m.TotalARR)
	amount("net new MRR", e.NetNew, m.NetMRRDiff)
	amount("ARPA", e.ARPA, m.ARPA)
	if e.LTV != nil && (r.LTV == nil || *r.LTV != *e.LTV) {
		t.Errorf("LTV = %v, want %d", r.LTV, *e.LTV)
	}
	share("NRR", e.NRR, r.NRR)
	share("GRR", e.GRR, r.GRR)
	share("gross MRR churn", e.GrossChurn, r.MRRChurnRate)
	share("net MRR churn", e.NetChurn, r.NetMRRChurnRate)
	share("customer churn", e.CustomerChurn, r.CustomerChurnRate)
	if e.Totals != nil {
		got := map[string]int64{}
		for name, amount := range map[string]int64{
			"new": m.New, "expansion": m.Expansion, "contraction": m.Contraction, "churn": m.Churn, "reactivation": m.Reactivation,
		} {
			if amount != 0 {
				got[name] = amount
			}
		}
		if diff := cmp.Diff(e.Totals, got); diff != "" {
			t.Errorf("movements (-want +got):\n%s", diff)
		}
	}
	if e.QuickRatio == nil {
		return
	}
	got := "null"
	if !m.QuickRatio.Null {
		got = strconv.FormatFloat(m.QuickRatio.Value, 'f', -1, 64)
	}
	want, _ := strconv.ParseFloat(string(e.QuickRatio), 64)
	if string(e.QuickRatio) != "null" && want != m.QuickRatio.Value || string(e.QuickRatio) == "null" && !m.QuickRatio.Null {
		t.Errorf("quick ratio = %s, want %s", got, e.QuickRatio)
	}
}

func (v *vector) checkCohorts(t *testing.T) {
	s := v.account(t, v.Expect.AsOf, nil)
	for start, want := range v.Expect.Cohorts {
		first, err := calendar.ParseDay(start + "-01")
		if err != nil {
			t.Fatal(err)
		}
		r, err := report.Cohort(s, query(t, s, "date="+first.String()))
		if err != nil {
			t.Fatal(err)
		}
		c := &r.List[0]
		if want.Size != 0 && c.InitialCustomers != want.Size || want.InitialMRR != 0 && c.InitialMRR != want.InitialMRR {
			t.Errorf("cohort %s starts with %d customers and %d, want %+v", start, c.InitialCustomers, c.InitialMRR, want)
		}
		for k := range c.Periods {
			p := &c.Periods[k]
			if k < len(want.Active) && p.CustomersRetained != want.Active[k] {
				t.Errorf("cohort %s keeps %d customers after %d months, want %d", start, p.CustomersRetained, k, want.Active[k])
			}
			if k < len(want.Percent) && p.CustomerRetention.Value != want.Percent[k] {
				t.Errorf("cohort %s keeps %v percent after %d months, want %v", start, p.CustomerRetention.Value, k, want.Percent[k])
			}
			if k < len(want.GrossMRR) && p.MRRRetention.Value != want.GrossMRR[k] {
				t.Errorf("cohort %s keeps %v percent of its MRR after %d months, want %v", start, p.MRRRetention.Value, k, want.GrossMRR[k])
			}
		}
	}
}

func TestGolden_DataSets(t *testing.T) {
	t.Parallel()
	for _, set := range []struct {
		name, dir, today, suffix string
		settings                 map[string]any
	}{
		{"foodie_fi", "foodie_fi", "2021-04-30", "", map[string]any{"churn_grace_days": int64(0)}},
		{"nova without grace", "nova", "2024-12-31", "_grace0", map[string]any{"churn_grace_days": int64(0)}},
		{"nova with a week of grace", "nova", "2024-12-31", "_grace7", map[string]any{}},
		{"orbit with refunds ignored", "orbit", "2026-06-30", "_refund_ignored", map[string]any{"churn_grace_days": int64(0), "refund_mrr": "ignore"}},
		{"orbit with refunds that reduce", "orbit", "2026-06-30", "_refund_reduces", map[string]any{"churn_grace_days": int64(0)}},
	} {
		t.Run(set.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(goldenDir(t), set.dir)
			r := rows{
				Plans:     readLines[reporttest.Plan](t, filepath.Join(dir, "plans.jsonl")),
				Customers: readLines[reporttest.Customer](t, filepath.Join(dir, "customers.jsonl")),
				Invoices:  readLines[reporttest.Invoice](t, filepath.Join(dir, "invoices.jsonl")),
			}
			set.settings["churn_recognition"] = "immediate"
			s := r.account(t, set.today, set.settings)
			checkMonths(t, s, readCSV(t, filepath.Join(dir, "expected_mrr"+set.suffix+".csv")))
			checkMoves(t, s, readCSV(t, filepath.Join(dir, "expected_movements_daily"+set.suffix+".csv")))
			checkMonthEnds(t, s, readCSV(t, filepath.Join(dir, "expected_movements_monthend"+set.suffix+".csv")))
			checkCohortFile(t, s, readCSV(t, filepath.Join(dir, "expected_cohorts"+set.suffix+".csv")))
		})
	}
}

// checkMonths compares month-end MRR and customers: month,mrr,customers.
func checkMonths(t *testing.T, s *report.Snapshot, want [][]string) {
	t.Helper()
	mrr, err := report.MRR(s, query(t, s, "date=all"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for i := range mrr.Rows {
		m := &mrr.Rows[i]
		month := m.Period.From.String()[:7]
		got[month] = []string{month, fmt.Sprint(m.TotalMRR), fmt.Sprint(m.TotalCustomers)}
	}
	for _, row := range want {
		if diff := cmp.Diff(row[:3], got[row[0]]); diff != "" {
			t.Errorf("MRR and customers of %s (-want +got):\n%s", row[0], diff)
		}
	}
}

// checkMoves compares movements by month and type: month,type,count,amount.
func checkMoves(t *testing.T, s *report.Snapshot, want [][]string) {
	t.Helper()
	type sum struct{ count, amount int64 }
	wanted, got := map[string]sum{}, map[string]sum{}
	for _, row := range want {
		wanted[row[0]+" "+row[1]] = sum{number(t, row[2]), number(t, row[3])}
	}
	for offset := 0; ; {
		table, err := report.MovementTable(s, query(t, s, fmt.Sprint("date=all&offset=", offset)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range table.Rows {
			m := &table.Rows[i]
			key := m.Date.String()[:7] + " " + m.Type.String()
			got[key] = sum{got[key].count + 1, got[key].amount + m.ChangeBase}
		}
		offset += len(table.Rows)
		if !table.HasMore {
			break
		}
	}
	if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(sum{})); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
}

// checkCohortFile compares cohort,size,k,active,percent,mrr from k = 1 on: at
// k = 0 the sets tell the state at the month's end, the contract 100 percent.
func checkCohortFile(t *testing.T, s *report.Snapshot, want [][]string) {
	t.Helper()
	r, err := report.Cohort(s, query(t, s, "date=all"))
	if err != nil {
		t.Fatal(err)
	}
	cohorts := map[string]*report.CohortRow{}
	for i := range r.List {
		cohorts[r.List[i].Group] = &r.List[i]
	}
	for _, row := range want {
		c, k := cohorts[row[0]+"-01"], number(t, row[2])
		if k == 0 {
			continue
		}
		if c == nil || int(k) >= len(c.Periods) {
			t.Errorf("no cohort %s after %d months", row[0], k)
			continue
		}
		p := &c.Periods[k]
		got := []string{
			row[0], fmt.Sprint(c.InitialCustomers), row[2], fmt.Sprint(p.CustomersRetained),
			strconv.FormatFloat(p.CustomerRetention.Value, 'f', 2, 64), fmt.Sprint(p.MRRRetained),
		}
		if diff := cmp.Diff(row[:6], got); diff != "" {
			t.Errorf("cohort %s after %d months (-want +got):\n%s", row[0], k, diff)
		}
	}
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func readLines[T any](t *testing.T, path string) []T {
	t.Helper()
	var out []T
	decoder := json.NewDecoder(bytes.NewReader(readFile(t, path)))
	for decoder.More() {
		var row T
		if err := decoder.Decode(&row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(readFile(t, path))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines[1:]
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
