package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// addends are those of one row that can be added up, in all and by value.
type addends struct {
	period calendar.Range
	total  []int64
	parts  [][]int64
}

// brokenDown are the reports whose rows a breakdown splits. whole is their
// figures that add up when values are those of customers, each of whom has one;
// of values of subscriptions a customer may have several, so that only amounts do.
var brokenDown = map[string]func(s *Snapshot, q *Query, whole bool) ([]addends, error){
	"mrr": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := MRR(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *MRRRow) (calendar.Range, *MRRMetrics, []MRRMetrics) {
			return row.Period, &row.MRRMetrics, row.Breakdown
		}, func(m *MRRMetrics) []int64 {
			if !whole {
				return []int64{m.TotalMRR, m.TotalARR, m.MRRDiff, m.Quantity}
			}
			return []int64{
				m.TotalMRR, m.TotalARR, m.MRRDiff, m.Quantity, m.FXAdjustment, m.NetMRRDiff, m.New, m.Expansion, m.Contraction, m.Churn, m.Reactivation,
				m.NewCustomers, m.ExpansionCustomers, m.ContractionCustomers, m.ChurnCustomers, m.ReactivationCustomers, m.TotalCustomers,
			}
		}), nil
	},
	"retention": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := Retention(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *RetentionRow) (calendar.Range, *RetentionMetrics, []RetentionMetrics) {
			return row.Period, &row.RetentionMetrics, row.Breakdown
		}, func(m *RetentionMetrics) []int64 {
			if !whole {
				return []int64{m.BaselineMRR}
			}
			return []int64{
				m.BaselineMRR, m.TargetMRR, m.GRRMRR, m.CohortCustomers, m.RetainedCustomers, m.ChurnedCustomers, m.Expansion, m.Contraction, m.Churn,
				m.Reactivation, m.FXAdjustment, m.ExpansionCustomers, m.ContractionCustomers, m.ChurnCustomers, m.ReactivationCustomers,
			}
		}), nil
	},
	"leads": func(s *Snapshot, q *Query, _ bool) ([]addends, error) {
		r, err := Leads(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *LeadRow) (calendar.Range, *LeadMetrics, []LeadMetrics) {
			return row.Period, &row.LeadMetrics, row.Breakdown
		}, func(m *LeadMetrics) []int64 { return []int64{m.Leads, m.Trials, m.Converted, m.TrialsConverted} }), nil
	},
	"transactions": func(s *Snapshot, q *Query, _ bool) ([]addends, error) {
		r, err := Transactions(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *TransactionRow) (calendar.Range, *TransactionMetrics, []TransactionMetrics) {
			return row.Period, &row.TransactionMetrics, row.Breakdown
		}, func(m *TransactionMetrics) []int64 { return m.Amount[:] }), nil
	},
	"cashflow-refunds": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := Refunds(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *RefundRow) (calendar.Range, *RefundMetrics, []RefundMetrics) {
			return row.Period, &row.RefundMetrics, row.Breakdown
		}, func(m *RefundMetrics) []int64 {
			if !whole {
				return []int64{m.Amount, m.Count}
			}
			return []int64{m.Amount, m.Count, m.Customers}
		}), nil
	},
	"cashflow-failed-payments": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := Failures(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *FailureRow) (calendar.Range, *FailureMetrics, []FailureMetrics) {
			return row.Period, &row.FailureMetrics, row.Breakdown
		}, func(m *FailureMetrics) []int64 {
			all := append(slices.Clone(m.Amounts[:]), m.Invoices[:]...)
			all = append(all, m.Failed, m.FailedCount, m.Attempts, m.Bills)
			if whole {
				all = append(append(all, m.Customers[:]...), m.Affected)
			}
			return all
		}), nil
	},
	"churn-reasons": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := ChurnReasons(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *ChurnReasonRow) (calendar.Range, *EndingMetrics, []EndingMetrics) {
			return q.Range, &row.EndingMetrics, row.Breakdown
		}, func(m *EndingMetrics) []int64 { return endingAddends(m, whole) }), nil
	},
	"cancellation-timing": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := CancellationTiming(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *TimingRow) (calendar.Range, *EndingMetrics, []EndingMetrics) {
			return q.Range, &row.EndingMetrics, row.Breakdown
		}, func(m *EndingMetrics) []int64 { return endingAddends(m, whole) }), nil
	},
	"churn-scheduled": func(s *Snapshot, q *Query, whole bool) ([]addends, error) {
		r, err := ChurnScheduled(s, q)
		if err != nil {
			return nil, err
		}
		return addendsOf(r.Rows, func(row *ScheduledChurnRow) (calendar.Range, *ScheduledChurn, []ScheduledChurn) {
			return row.Period, &row.ScheduledChurn, row.Breakdown
		}, func(m *ScheduledChurn) []int64 {
			if !whole {
				return nil
			}
			return []int64{m.Churn, m.Contraction, m.ChurnCustomers, m.ContractionCustomers, m.TotalMRR, m.TotalCustomers}
		}), nil
	},
}

func endingAddends(m *EndingMetrics, whole bool) []int64 {
	if !whole {
		return []int64{m.MRR}
	}
	return []int64{m.MRR, m.Cancellations, m.Customers}
}

func addendsOf[R, M any](rows []R, take func(*R) (calendar.Range, *M, []M), of func(*M) []int64) []addends {
	out := make([]addends, len(rows))
	for i := range rows {
		period, total, parts := take(&rows[i])
		out[i] = addends{period: period, total: of(total)}
		for j := range parts {
			out[i].parts = append(out[i].parts, of(&parts[j]))
		}
	}
	return out
}

// Whatever the report, the breakdown and the filters are: the values of a
// breakdown add up to the whole, and the whole is what the report says without
// the breakdown. Segments split like the dimension of their filter.
func TestLaw_BreakdownsAddUp(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		newBooks(rng, s)
		for name, run := range brokenDown {
			params := randomParams(rng, allBreakdowns)
			delete(params, "committed")
			if name == "churn-scheduled" {
				delete(params, "date")
			}
			if rng.IntN(3) == 0 {
				delete(params, "breakdown")
				params["segment"] = []string{[]string{"seg_split", "seg_plans"}[rng.IntN(2)]}
			}
			checkAddsUp(t, s, name, params, run)
		}
	})
}

func checkAddsUp(t *testing.T, s *Snapshot, name string, params map[string][]string, run func(*Snapshot, *Query, bool) ([]addends, error)) {
	t.Helper()
	q := mustQuery(t, s, params)
	q.AsCash() // subtypes are of movements alone
	whole := !q.Breakdown.ofState()
	split, err := run(s, q, whole)
	if err != nil {
		t.Fatalf("%s(%v): %v", name, params, err)
	}
	plain := *q
	plain.Breakdown, plain.Groups = Dimension{}, nil
	want, err := run(s, &plain, whole)
	if err != nil {
		t.Fatalf("%s(%v): %v", name, params, err)
	}
	for i := range split {
		row := &split[i]
		if diff := cmp.Diff(want[i].total, row.total); diff != "" {
			t.Fatalf("%s(%v) %s: other totals with a breakdown (-without +with):\n%s", name, params, row.period, diff)
		}
		if q.Breakdown == (Dimension{}) {
			continue
		}
		sum := make([]int64, len(row.total))
		for _, part := range row.parts {
			for k := range part {
				sum[k] += part[k]
			}
		}
		if !slices.Equal(sum, row.total) {
			t.Fatalf("%s(%v) %s: values add up to %v, the whole is %v", name, params, row.period, sum, row.total)
		}
	}
}

// A filter by several words keeps who each of the words keeps, and one by their
// negations all others: over every dimension, for customers as for money.
func TestLaw_FiltersPartition(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		s := newCompany(rand.New(rand.NewPCG(seed, 42)))
		for name, words := range map[string]string{
			"region": "dach~~north_america", "market": "dach~~north_america", "age": "0-6~~6-12~~12-", "plan": "p1~~p4", "currency": "usd~~eur",
			"status": "active~~canceled", "custom_tier": "gold~~silver", "data_source": "src_a", "country": "us~~de", "billing_freq": "month~~year",
		} {
			total := func(value string) int64 {
				params := map[string][]string{}
				if value != "" {
					params[name] = []string{value}
				}
				r, err := Summary(s, mustQuery(t, s, params))
				if err != nil {
					t.Fatal(err)
				}
				return r.Now.MRR
			}
			var parts int64
			list := tokens(Dimension{}, words)
			negated := ""
			for _, word := range list {
				parts += total(word)
				negated += "~~~" + word
			}
			if in := total(words); in != parts {
				t.Errorf("seed %d: %s=%s is %d, its words one by one %d", seed, name, words, in, parts)
			}
			if rest := total(negated); parts+rest != total("") {
				t.Errorf("seed %d: %s=%s is %d, without it %d, all %d", seed, name, words, parts, rest, total(""))
			}
		}
	}
}

// pair is a row and the earlier one that it is compared with, nil if none.
type pair struct {
	period, before calendar.Range
	row, earlier   any // figures
}

// comparing are the reports whose rows can be compared.
var comparing = map[string]func(s *Snapshot, q *Query) ([]pair, error){
	"mrr": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := MRR(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *MRRRow) (calendar.Range, any, *MRRRow) { return row.Period, row.MRRMetrics, row.Compare }), nil
	},
	"retention": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := Retention(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *RetentionRow) (calendar.Range, any, *RetentionRow) {
			return row.Period, row.RetentionMetrics, row.Compare
		}), nil
	},
	"leads": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := Leads(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *LeadRow) (calendar.Range, any, *LeadRow) { return row.Period, row.LeadMetrics, row.Compare }), nil
	},
	"transactions": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := Transactions(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *TransactionRow) (calendar.Range, any, *TransactionRow) {
			return row.Period, row.TransactionMetrics, row.Compare
		}), nil
	},
	"cashflow-refunds": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := Refunds(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *RefundRow) (calendar.Range, any, *RefundRow) {
			return row.Period, row.RefundMetrics, row.Compare
		}), nil
	},
	"cashflow-failed-payments": func(s *Snapshot, q *Query) ([]pair, error) {
		r, err := Failures(s, q)
		if err != nil {
			return nil, err
		}
		return pairs(r.Rows, func(row *FailureRow) (calendar.Range, any, *FailureRow) {
			return row.Period, row.FailureMetrics, row.Compare
		}), nil
	},
}

func pairs[R any](rows []R, take func(*R) (calendar.Range, any, *R)) []pair {
	out := make([]pair, len(rows))
	for i := range rows {
		period, figures, compared := take(&rows[i])
		out[i] = pair{period: period, row: figures}
		if compared != nil {
			out[i].before, out[i].earlier, _ = take(compared)
		}
	}
	return out
}

// A compared row is the row that the report gives for the earlier period itself.
func TestLaw_Compare(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		newBooks(rng, s)
		for name, run := range comparing {
			params := randomParams(rng, allBreakdowns)
			delete(params, "breakdown")
			delete(params, "segment")
			delete(params, "fix_fx") // the earlier period on its own has rates of its own
			delete(params, "age")    // and ages of its own
			params["date"] = []string{"20240601-20241130"}
			params["compare"] = []string{[]string{"last-year", "last_period"}[rng.IntN(2)]}
			checkCompared(t, s, name, params, run)
		}
	})
}

func checkCompared(t *testing.T, s *Snapshot, name string, params map[string][]string, run func(*Snapshot, *Query) ([]pair, error)) {
	t.Helper()
	q := mustQuery(t, s, params)
	rows, err := run(s, q)
	if err != nil {
		t.Fatalf("%s(%v): %v", name, params, err)
	}
	for i := range rows {
		row := &rows[i]
		months := map[calendar.Unit]int{calendar.UnitMonth: 12, calendar.UnitQuarter: 12, calendar.UnitYear: 12}[q.Unit]
		switch {
		case row.earlier == nil:
			t.Fatalf("%s(%v) %s: nothing to compare with", name, params, row.period)
		case q.Compare == LastPeriod && calendar.Shift(row.before, q.Unit, len(rows)) != row.period,
			q.Compare == LastYear && months > 0 && row.before.From.AddMonths(months) != row.period.From,
			q.Compare == LastYear && months == 0 && row.period.From-row.before.From != 364:
			t.Fatalf("%s(%v) %s of %d rows: compared with %s", name, params, row.period, len(rows), row.before)
		}
		params["date"] = []string{fmt.Sprint(row.before)}
		want, err := run(s, mustQuery(t, s, params).alone())
		if err != nil {
			t.Fatalf("%s(%v): %v", name, params, err)
		}
		if diff := cmp.Diff(want[0].row, row.earlier, cmp.AllowUnexported(RefundMetrics{}, FailureMetrics{}), cmp.Comparer(func(a, b *Customer) bool { return a == b })); diff != "" {
			t.Fatalf("%s(%v) compared with %s (-alone +compared):\n%s", name, params, row.before, diff)
		}
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		want     int
	}{
		{"2024-01-31", "2024-01-31", 0},
		{"2024-01-31", "2024-02-28", 0},
		{"2024-01-31", "2024-02-29", 1},
		{"2023-01-31", "2023-02-28", 1},
		{"2024-03-15", "2025-03-14", 11},
		{"2024-03-15", "2025-03-15", 12},
		{"1999-12-31", "2024-12-30", 299},
	} {
		if got := wholeMonths(date(tt.from), date(tt.to)); got != tt.want {
			t.Errorf("%s to %s: %d months, want %d", tt.from, tt.to, got, tt.want)
		}
	}
	a := newAges([]string{"0-6", "6-12", "3-", "x", "6-6", "-3", "9-2"})
	for age, want := range map[int][]string{noAge: nil, 0: {"0-6"}, 5: {"0-6", "3-"}, 6: {"6-12", "3-"}, 12: {"3-"}, 1000: {"3-"}} {
		if got := a.of(age); !slices.Equal(got, want) {
			t.Errorf("age %d is in %v, want %v", age, got, want)
		}
	}
	if got := newAges([]string{"6-12"}).of(3); !slices.Equal(got, []string{unlisted}) {
		t.Errorf("an age outside is in %v", got)
	}
}

// Every code of a region is two lower-case letters and no region has one twice;
// the parts of a region lie in it.
func TestRegions(t *testing.T) {
	t.Parallel()
	sets := map[string]map[string]bool{}
	for _, name := range regionNames {
		codes, ok := regionCountries(name)
		if !ok {
			t.Errorf("no region %s", name)
		}
		sets[name] = map[string]bool{}
		for _, code := range codes {
			if len(code) != 2 || code < "aa" || code > "zz" {
				t.Errorf("%s has %q", name, code)
			}
			sets[name][code] = true
		}
	}
	if len(sets["eu"]) != 27 {
		t.Errorf("the EU has %d members", len(sets["eu"]))
	}
	for part, whole := range map[string]string{
		"eu": "europe", "europe": "emea", "africa": "emea", "middle_east": "emea", "uk": "europe", "benelux": "eu", "baltics": "eu", "dach": "europe", "oceania": "apac",
	} {
		for code := range sets[part] {
			if !sets[whole][code] {
				t.Errorf("%s is in %s but not in %s", code, part, whole)
			}
		}
	}
	found := markets{}
	for country, want := range map[string]string{"de": "dach", "se": "nordics", "gb": "uk", "fr": "eu", "us": "north_america", "br": "latam", "jp": "apac", "za": "other", "": ""} {
		if got := found.of(country); got != want {
			t.Errorf("the market of %q is %q, want %q", country, got, want)
		}
	}
}
