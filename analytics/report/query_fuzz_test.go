package report

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Whatever the parameters are, every report answers, or refuses with an error
// that names a parameter or a rate.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"", "date=all&breakdown=plan", "date=20240101-20241231&interval=week&region=~us~~*&custom_tier=gold", "breakdown=customer&plan=p1+pg_1",
		"trailing_months=12&interval=year&baseCurrency=jpy", "breakdown=subtype&breakdown-value=price_change&selected-type=expansion&sort=type",
		"key=tier&search=g&days=9&include_scheduled=1&include_failed=0&selected-type=31-90&breakdown=cancel_reason&cancel_reason=~",
		"committed=true&fix_fx=true&limit=3&offset=1&search=c", "currency=~&status=~active,lead&cancel_reason=*", "interval=day&date=last-1500-days",
	} {
		f.Add(s)
	}
	s := newCompany(rand.New(rand.NewPCG(3, 42)))
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := ParseQuery(values, s)
		check(t, text, err)
		if err != nil {
			return
		}
		for _, run := range []func() error{
			func() error { _, err := Summary(s, &q); return err },
			func() error { _, err := MRR(s, &q); return err },
			func() error { _, err := MovementTable(s, &q); return err },
			func() error { _, err := Retention(s, &q); return err },
			func() error { _, err := Cohort(s, &q); return err },
			func() error { _, err := CustomerConcentration(s, &q); return err },
			func() error { _, err := CustomerList(s, &q); return err },
			func() error { _, err := PlanList(s, &q); return err },
			func() error { _, err := MRRTable(s, &q); return err },
			func() error { _, err := MRRSubtypes(s, &q); return err },
			func() error { _, err := MRRTableSubtypes(s, &q); return err },
			func() error { _, err := MRRGrowth(s, &q); return err },
			func() error { _, err := CMRRSummary(s, &q); return err },
			func() error { _, err := ChurnScheduled(s, &q); return err },
			func() error { _, err := ChurnScheduledMovements(s, &q); return err },
			func() error { _, err := Leads(s, &q); return err },
			func() error { _, err := LeadsSummary(s, &q); return err },
			func() error { _, err := LeadsTable(s, &q); return err },
			func() error { _, err := LeadsDays(s, &q); return err },
			func() error { _, err := ChurnScheduledSummary(s, &q); return err },
			func() error { _, err := ChurnReasons(s, &q); return err },
			func() error { _, err := ChurnReasonsSummary(s, &q); return err },
			func() error { _, err := CancellationTiming(s, &q); return err },
			func() error { _, err := CancellationTimingDetail(s, &q); return err },
			func() error { _, err := LatestActivity(s, &q); return err },
			func() error { _, err := Map(s, &q); return err },
			func() error { _, err := CustomVariables(s, &q); return err },
		} {
			check(t, text, run())
		}
	})
}

func check(t *testing.T, query string, err error) {
	t.Helper()
	var param *ParamError
	var rate *fx.MissingRateError
	if err != nil && !errors.As(err, &param) && !errors.As(err, &rate) {
		t.Fatalf("%q: %v is neither about a parameter nor about a rate", query, err)
	}
}

func TestBreakdown_TooManyValues(t *testing.T) {
	t.Parallel()
	s := emptyAccount()
	s.Plans = append(s.Plans, ledger.Plan{ID: "p", Currency: s.Settings.Base})
	state := ledger.State{MRR: 100, Plan: 1, Currency: s.Settings.Base}
	one := &ledger.Ledger{
		Today: s.Today, Slots: make([]ledger.Slot, 1),
		Changes:   []ledger.Change{{Day: s.Today, Prev: -1, After: state}},
		Movements: []ledger.Movement{{Day: s.Today, Type: ledger.New, Currency: s.Settings.Base, Last: 1, Customers: 1, After: 100}},
	}
	for i := range maxCells/13 + 1 {
		s.Customers = append(s.Customers, &Customer{ID: string(rune('0' + i)), Ledger: one})
	}
	var param *ParamError
	q := mustQuery(t, s, map[string][]string{"breakdown": {"customer"}})
	if _, err := MRR(s, q); !errors.As(err, &param) || param.Name != "breakdown" {
		t.Errorf("MRR by %d customers: error %v, want one about breakdown", len(s.Customers), err)
	}
	q = mustQuery(t, s, map[string][]string{"breakdown": {"customer"}, "interval": {"year"}})
	if r, err := MRR(s, q); err != nil || len(r.Values) != len(s.Customers) {
		t.Errorf("MRR by %d customers and year: error %v", len(s.Customers), err)
	}
}
