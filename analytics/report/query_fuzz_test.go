package report

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"strings"
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
		"segment=seg_split&age=6-12~~12-&interval=month", "segment=By+plan&market=~dach&compare=last-year&subtype=plan_change", "breakdown=age&region=eu+~~~de~~*&compare=last_period",
		"breakdown=market&age=-3~~99999999999-&region=~emea,uk~~&size=1-10&industry=~", "committed=true&fix_fx=true&limit=3&offset=1&search=c", "currency=~&status=~active,lead&cancel_reason=*", "interval=day&date=last-1500-days",
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

// Whatever the text of a filter is, with every value each of its words keeps it
// or drops it: the words keep what any of them keeps, their negations keep all
// else, and both together keep nothing.
func FuzzFilter(f *testing.F) {
	for _, seed := range [][3]string{
		{"country", "us de", "de"},
		{"region", "us~~~de~~*", "us"},
		{"plan", "Pro, Team~~x y", "Team"},
		{"custom_tier", "very gold~~~silver", "gold"},
		{"billing_freq", "Monthly annually", "year"},
		{"age", "0-6 6-12", "6-12"},
		{"status", "~~~~ ~*", "active"},
		{"customer", "cus 1", "cus 1"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, name, text, value string) {
		d, ok := parseDimension(name)
		if !ok {
			return
		}
		filter, ok := parseFilter(d, []string{text})
		if ok != (len(tokens(d, text)) > 0) {
			t.Fatalf("%q: a filter %v, tokens %q", text, ok, tokens(d, text))
		}
		if err := CheckFilter(name, text); (err == nil) != (ok && d.kind != subtypeDimension) {
			t.Fatalf("%s=%q: filter %v, check %v", name, text, ok, err)
		}
		if !ok {
			return
		}
		if !filter.keeps(value) && len(filter.out) == 0 && !filter.notSet && len(filter.in) == 0 && !filter.set && !filter.unset {
			t.Fatalf("%q drops %q without a word", text, value)
		}
		var words []string
		for _, word := range tokens(d, text) {
			if strings.HasPrefix(word, "~") || word == "*" {
				return
			}
			words = append(words, word)
		}
		kept := false
		negated, both := filter, filter
		negated.in, negated.out = nil, filter.in
		both.out = filter.in
		for _, word := range words {
			one := Filter{Dimension: d}
			one.add(word)
			kept = kept || one.keeps(d.normal(value))
		}
		switch v := d.normal(value); {
		case filter.keeps(v) != kept:
			t.Fatalf("%q keeps %q: %v, word by word %v", text, v, filter.keeps(v), kept)
		case negated.keeps(v) == kept:
			t.Fatalf("the negation of %q and itself answer %v for %q", text, kept, v)
		case both.keeps(v):
			t.Fatalf("%q and its negation keep %q", text, v)
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
		Today: s.Today, MovesIn: s.Settings.Base, Slots: make([]ledger.Slot, 1),
		Changes: []ledger.Change{{Day: s.Today, Prev: -1, After: state}},
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
