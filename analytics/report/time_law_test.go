package report

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// sums are the figures of some reports that add up over time.
type sums struct {
	New, Expansion, Contraction, Churn, Reactivation int64
	Cash, Refunds, Failed, Leads, Converted          int64
	Closing, Customers                               int64 // of the last row
}

func sumOf(t *testing.T, s *Snapshot, params map[string][]string) sums {
	t.Helper()
	var out sums
	q := mustQuery(t, s, params)
	mrr, err := MRR(s, q)
	if err != nil {
		t.Fatalf("MRR(%v): %v", params, err)
	}
	for i := range mrr.Rows {
		m := &mrr.Rows[i]
		out.New, out.Expansion, out.Contraction = out.New+m.New, out.Expansion+m.Expansion, out.Contraction+m.Contraction
		out.Churn, out.Reactivation = out.Churn+m.Churn, out.Reactivation+m.Reactivation
		out.Closing, out.Customers = m.TotalMRR, m.TotalCustomers
	}
	q.AsCash()
	cash, err := Transactions(s, q)
	if err != nil {
		t.Fatalf("Transactions(%v): %v", params, err)
	}
	for i := range cash.Rows {
		out.Cash += cash.Rows[i].Amount[NetCash]
	}
	refunds, err := Refunds(s, q)
	if err != nil {
		t.Fatalf("Refunds(%v): %v", params, err)
	}
	for i := range refunds.Rows {
		out.Refunds += refunds.Rows[i].Amount
	}
	failures, err := Failures(s, q)
	if err != nil {
		t.Fatalf("Failures(%v): %v", params, err)
	}
	for i := range failures.Rows {
		out.Failed += failures.Rows[i].Failed
	}
	leads, err := Leads(s, q)
	if err != nil {
		t.Fatalf("Leads(%v): %v", params, err)
	}
	for i := range leads.Rows {
		out.Leads += leads.Rows[i].Leads
		out.Converted += leads.Rows[i].Converted
	}
	return out
}

// Ten years, or one day, have the same sums in years, quarters, months, weeks and
// days, whatever day weeks begin on: no row is lost between two, and none counts
// twice.
func TestLaw_PeriodsAddUp(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, []string{"plan"})
		for _, name := range []string{"breakdown", "fix_fx", "committed", "age", "compare", "segment"} {
			delete(params, name)
		}
		by := func(date, unit string) sums {
			params["date"], params["interval"] = []string{date}, []string{unit}
			return sumOf(t, s, params)
		}
		decade := by("2015-01-01:2024-12-31", "year")
		for _, unit := range []string{"quarter", "month"} {
			if diff := cmp.Diff(decade, by("2015-01-01:2024-12-31", unit)); diff != "" {
				t.Fatalf("%v: ten years in years (-) and by %s (+):\n%s", params, unit, diff)
			}
		}
		if diff := cmp.Diff(by("2024-01-01:2024-12-31", "month"), by("2024-01-01:2024-12-31", "day")); diff != "" {
			t.Fatalf("%v: a leap year in months (-) and days (+):\n%s", params, diff)
		}
		s.WeekStart = time.Weekday(rng.IntN(7))
		week := calendar.PeriodOf(date("2024-02-29")+calendar.Day(rng.IntN(300)), calendar.UnitWeek, s.WeekStart)
		if diff := cmp.Diff(by(week.String(), "week"), by(week.String(), "day")); diff != "" {
			t.Fatalf("%v: the week %s (-) and its days (+):\n%s", params, week, diff)
		}
		day := calendar.Range{From: week.From + 3, To: week.From + 3}.String()
		if one, r := by(day, "day"), mustQuery(t, s, params); r.Range.From != r.Range.To || one.Customers < 0 {
			t.Fatalf("%v: one day is %v", params, r.Range)
		}
	})
}

// Long before the account there is nothing, and nothing needs a rate; long after
// today there is what is scheduled, and without it no row at all.
func TestLaw_FarAway(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, []string{"plan"})
		for _, name := range []string{"breakdown", "fix_fx", "committed", "age", "compare", "segment"} {
			delete(params, name)
		}
		params["date"] = []string{"1900-01-01:1925-12-31"}
		if got := sumOf(t, s, params); got != (sums{}) {
			t.Fatalf("%v: %+v", params, got)
		}
		params["date"] = []string{"2090-01-01:2099-12-31"}
		if got := sumOf(t, s, params); got != (sums{}) {
			t.Fatalf("%v: %+v", params, got)
		}
		params["committed"], params["date"], params["interval"] = []string{"true"}, []string{"9990-01-01:9999-12-31"}, []string{"year"}
		q := mustQuery(t, s, params)
		far, err := MRR(s, q)
		if err != nil {
			t.Fatalf("MRR(%v): %v", params, err)
		}
		cmrr, err := CMRRSummary(s, q)
		if err != nil {
			t.Fatal(err)
		}
		if got := far.Rows[len(far.Rows)-1].TotalMRR; got != cmrr.Current {
			t.Fatalf("MRR(%v): %d, committed MRR is %d", params, got, cmrr.Current)
		}
		for _, row := range far.Rows {
			if row.NetMRRDiff != 0 || row.FXAdjustment != 0 {
				t.Fatalf("MRR(%v): %+v", params, row)
			}
		}
	})
}
