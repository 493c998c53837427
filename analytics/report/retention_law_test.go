package report

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// teller answers questions about one customer by looking at every change anew.
type teller struct {
	t *testing.T
	s *Snapshot
	q *Query
	c *Customer
	v string // breakdown value that states must have, "" for any
}

// worth is the customer's MRR at the end of a day, at the rates of another.
func (k teller) worth(day, rateDay calendar.Day) (amount int64, live bool) {
	day, rateDay = min(day, k.s.Today), min(rateDay, k.s.Today)
	sel := newSelection(k.s, k.q)
	for slot := range k.c.Ledger.Slots {
		st := stateOn(k.c.Ledger, int32(slot), day)
		if match := sel.match(); st.MRR == 0 || match != nil && !match(&st) {
			continue
		}
		if k.v != "" {
			names := newSplit(k.s, k.q, 1).names(&st)
			if !slices.Contains(names, k.v) && (k.v != Unset || names[0] != "") {
				continue
			}
		}
		worth, err := k.s.Rates.Convert(st.MRR, st.Currency, k.q.Base, rateDay)
		if err != nil {
			k.t.Fatal(err)
		}
		amount, live = amount+worth, true
	}
	return amount, live
}

// firstPaid is the first day at whose end the customer pays.
func (k teller) firstPaid() calendar.Day {
	for i := range k.c.Ledger.Changes {
		day := k.c.Ledger.Changes[i].Day
		if _, live := k.worth(day, day); live && day <= k.s.Today {
			return day
		}
	}
	return calendar.Never
}

// recounted is the part of a retention row that needs no averages.
type recounted struct {
	Base, Target, Gross, Expansion, Contraction, Churn, Reactivation, FX int64
	Cohort, Retained, Expanded, Contracted, Reactivated                  int64
	NRR, GRR, ChurnRate                                                  Ratio
}

func recountRetention(t *testing.T, s *Snapshot, q *Query, value string, baseline, target calendar.Day) (r recounted) {
	sel := newSelection(s, q)
	rebased := int64(0)
	known := baseline <= s.Today
	rate := func(d calendar.Day) calendar.Day {
		if q.FixFX {
			return q.Range.From
		}
		return d
	}
	for _, c := range s.Customers {
		if !known || !sel.customer(c) || value != "" && !q.Breakdown.ofState() && keyOf(s, q, c) != value {
			continue
		}
		k := teller{t, s, q, c, ""}
		if q.Breakdown.ofState() {
			k.v = value
		}
		b, paid := k.worth(baseline, rate(baseline))
		now, pays := k.worth(target, rate(target))
		same, _ := k.worth(target, rate(baseline))
		if !paid {
			if pays && k.firstPaid() <= baseline {
				r.Reactivation += now
				r.Reactivated++
			}
			continue
		}
		r.Cohort++
		r.Base, r.Target, rebased = r.Base+b, r.Target+now, rebased+same
		r.Gross += min(b, same)
		switch {
		case !pays:
			r.Churn -= b
		case same > b:
			r.Expansion += same - b
			r.Expanded++
		case same < b:
			r.Contraction += same - b
			r.Contracted++
		}
		if pays {
			r.Retained++
		}
	}
	r.FX = r.Target - rebased
	r.NRR, r.GRR, r.ChurnRate = ratOf(rebased, r.Base), ratOf(r.Gross, r.Base), ratOf(r.Cohort-r.Retained, r.Cohort)
	return r
}

func keyOf(s *Snapshot, q *Query, c *Customer) string {
	if key := s.attribute(q.Breakdown, q.AgeDay)(c); key != "" {
		return key
	}
	return Unset
}

// ratOf is percent computed with fractions.
func ratOf(part, whole int64) Ratio {
	if whole == 0 {
		return null()
	}
	return Ratio{Value: toDecimals(new(big.Rat).Mul(big.NewRat(part, whole), big.NewRat(100, 1)), 2)}
}

func told(m *RetentionMetrics) recounted {
	return recounted{
		m.BaselineMRR, m.TargetMRR, m.GRRMRR, m.Expansion, m.Contraction, m.Churn, m.Reactivation, m.FXAdjustment,
		m.CohortCustomers, m.RetainedCustomers, m.ExpansionCustomers, m.ContractionCustomers, m.ReactivationCustomers,
		m.NRR, m.GRR, m.CustomerChurnRate,
	}
}

var retentionBreakdowns = []string{"currency", "plan", "billing_freq", "payment_method", "has_discount", "country", "status", "customer", "custom_tier"}

// Retention agrees with a recount of every row and breakdown value, in which
// baseline + changes + fx adjustment = target.
func TestLaw_Retention(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, retentionBreakdowns)
		if rng.IntN(3) == 0 {
			params["trailing_months"] = []string{[]string{"1", "3", "12"}[rng.IntN(3)]}
		}
		q := mustQuery(t, s, params)
		q.Committed = false
		r, err := Retention(s, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows {
			row := &r.Rows[i]
			baseline := row.Period.From - 1
			if months := trailingMonths(q); months > 0 {
				baseline = (row.Period.To + 1).AddMonths(-months) - 1
			}
			if diff := cmp.Diff(recountRetention(t, s, q, "", baseline, row.Period.To), told(&row.RetentionMetrics)); diff != "" {
				t.Fatalf("Retention(%v) %s (-recounted +got):\n%s", params, row.Period, diff)
			}
			m := &row.RetentionMetrics
			if m.BaselineMRR+m.Expansion+m.Contraction+m.Churn+m.FXAdjustment != m.TargetMRR {
				t.Fatalf("Retention(%v) %s: baseline and changes do not add up to the target: %+v", params, row.Period, m)
			}
			for v := range r.Values {
				want := recountRetention(t, s, q, r.Values[v].Key, baseline, row.Period.To)
				if diff := cmp.Diff(want, told(&row.Breakdown[v])); diff != "" {
					t.Fatalf("Retention(%v) %s, value %s (-recounted +got):\n%s", params, row.Period, r.Values[v].Key, diff)
				}
			}
		}
	})
}

// Rates from the day on which an account begins are enough for every report
// over all of its history, although baselines and openings lie before it.
func TestLaw_RatesFromTheFirstDayAreEnough(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		s.Rates = lateRates()[rng.IntN(3)]
		for _, interval := range []string{"week", "month", "quarter", "year", "day"}[rng.IntN(4):][:2] {
			q := mustQuery(t, s, map[string][]string{"date": {"all"}, "interval": {interval}})
			_, mrr := MRR(s, q)
			_, movements := MovementTable(s, q)
			_, retention := Retention(s, q)
			_, cohort := Cohort(s, q)
			_, summary := Summary(s, q)
			_, concentration := CustomerConcentration(s, q)
			if err := errors.Join(mrr, movements, retention, cohort, summary, concentration); err != nil {
				t.Fatalf("by %s: %v", interval, err)
			}
		}
	})
}

// A row's averages are the means over the rows themselves: over the complete
// periods, six at most, that end with the row's own.
func TestLaw_RetentionAverages(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		q := mustQuery(t, s, map[string][]string{"date": {"20230601-20250131"}, "interval": {[]string{"month", "quarter", "week"}[rng.IntN(3)]}})
		r, err := Retention(s, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := averaged; i < len(r.Rows); i++ {
			last := i
			if r.Rows[i].Period.To > s.Today {
				last--
			}
			sum, n := new(big.Rat), int64(0)
			for _, row := range r.Rows[last-averaged+1 : last+1] {
				if row.CohortCustomers > 0 {
					sum.Add(sum, big.NewRat(row.ChurnedCustomers, row.CohortCustomers))
					n++
				}
			}
			m := &r.Rows[i].RetentionMetrics
			if n == 0 {
				if !m.CustomerChurnAvg.Null || !m.CustomerLifetime.Null || m.LTV != nil {
					t.Fatalf("row %d has averages of nothing: %+v", i, m)
				}
				continue
			}
			sum.Quo(sum, big.NewRat(n, 1))
			if want := toDecimals(new(big.Rat).Mul(sum, big.NewRat(100, 1)), 2); m.CustomerChurnAvg.Value != want {
				t.Fatalf("row %d: average churn %v, want %v", i, m.CustomerChurnAvg, want)
			}
			if sum.Sign() == 0 {
				continue
			}
			num, den := q.Unit.MonthsLong()
			lifetime := new(big.Rat).Quo(big.NewRat(num, den), sum)
			if want := toDecimals(lifetime, 1); m.CustomerLifetime.Value != want {
				t.Fatalf("row %d: lifetime %v, want %v", i, m.CustomerLifetime, want)
			}
			if want := roundRat(lifetime.Mul(lifetime, big.NewRat(m.ARPA, 1))); *m.LTV != want {
				t.Fatalf("row %d: LTV %d, want %d", i, *m.LTV, want)
			}
		}
	})
}

// Cohorts agree with a recount by customer and day, and their sizes add up.
func TestLaw_Cohort(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, retentionBreakdowns)
		delete(params, "breakdown")
		delete(params, "segment") // it may split
		delete(params, "committed")
		q := mustQuery(t, s, params)
		r, err := Cohort(s, q)
		if err != nil {
			t.Fatal(err)
		}
		periods, err := q.periods(s)
		if err != nil {
			t.Fatal(err)
		}
		average := r.List[len(r.List)-1]
		started := int64(0)
		for i, p := range periods {
			got := &r.List[i]
			started += got.InitialCustomers
			for k := range got.Periods {
				want := recountCohort(t, s, q, p, calendar.Shift(p, q.Unit, k).To, k)
				if diff := cmp.Diff(want, got.Periods[k]); diff != "" {
					t.Fatalf("Cohort(%v) %s after %d periods (-recounted +got):\n%s", params, p, k, diff)
				}
			}
		}
		if average.InitialCustomers != started {
			t.Fatalf("Cohort(%v): the average has %d customers, the cohorts %d", params, average.InitialCustomers, started)
		}
		params["breakdown"] = []string{retentionBreakdowns[rng.IntN(len(retentionBreakdowns))]}
		byValue, err := Cohort(s, mustQuery(t, s, params))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(average, byValue.List[len(byValue.List)-1]); diff != "" {
			t.Fatalf("Cohort(%v): another average by value than by period (-period +value):\n%s", params, diff)
		}
	})
}

func recountCohort(t *testing.T, s *Snapshot, q *Query, start calendar.Range, end calendar.Day, k int) CohortPeriod {
	sel := newSelection(s, q)
	var initialMRR, initialCustomers, mrr, gross, customers int64
	for _, c := range s.Customers {
		if !sel.customer(c) || len(c.Ledger.Changes) == 0 {
			continue
		}
		k0 := teller{t, s, q, c, ""}
		first := k0.firstPaid()
		if !start.Contains(first) {
			continue
		}
		rate := func(d calendar.Day) calendar.Day {
			if q.FixFX {
				return start.From
			}
			return d
		}
		initial, _ := k0.worth(first, rate(first))
		now, pays := k0.worth(end, rate(end))
		if k == 0 {
			now, pays = initial, true
		}
		initialMRR, initialCustomers = initialMRR+initial, initialCustomers+1
		mrr, gross = mrr+now, gross+min(now, initial)
		if pays {
			customers++
		}
	}
	return CohortPeriod{
		MRRRetained: mrr, CustomersRetained: customers,
		MRRRetention: ratOf(gross, initialMRR), CustomerRetention: ratOf(customers, initialCustomers), NRR: ratOf(mrr, initialMRR),
		MRRChurn: ratOf(initialMRR-gross, initialMRR), CustomerChurn: ratOf(initialCustomers-customers, initialCustomers),
	}
}

// The summary is what the MRR report says on the same days.
func TestLaw_Summary(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		delete(params, "committed")
		q := mustQuery(t, s, params)
		r, err := Summary(s, q)
		if err != nil {
			t.Fatal(err)
		}
		check := func(day calendar.Day, got Headline) {
			want := recount(t, s, q, day)
			if got.MRR != want.mrr || got.Subscribers != want.customers || got.ARR != 12*got.MRR {
				t.Fatalf("Summary(%v) on %s: %+v, recounted %+v", params, day, got, want)
			}
		}
		check(r.Anchor, r.Now)
		for i, n := range SummaryDays {
			check(r.Anchor-calendar.Day(n), r.Past[i].Headline)
		}
		top, err := CustomerConcentration(s, q)
		if err != nil {
			t.Fatal(err)
		}
		if top.TotalMRR != r.Now.MRR || int64(top.Customers) != r.Now.Subscribers {
			t.Fatalf("CustomerConcentration(%v): %d of %d customers, the summary says %+v", params, top.TotalMRR, top.Customers, r.Now)
		}
	})
}
