package report

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// randomMatch returns a condition on anything that filters and breakdowns look
// at, which keeps about so many of a hundred terms.
func randomMatch(rng *rand.Rand, percent int) func(*ledger.State) bool {
	keeps := map[ledger.State]bool{}
	return func(st *ledger.State) bool {
		term := *st
		term.MRR, term.Quantity, term.Discount = 0, 0, min(st.Discount, 1)
		if _, known := keeps[term]; !known {
			keeps[term] = rng.IntN(100) < percent
		}
		return keeps[term]
	}
}

// The movements that a scan finds within any view, from a customer's terms or
// otherwise, are those that the ledger itself has there; so are what they are
// worth and the balances in between.
func TestLaw_Views(t *testing.T) {
	t.Parallel()
	ways := map[string]int{}
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		q := mustQuery(t, s, map[string][]string{"baseCurrency": {[]string{"usd", "eur"}[rng.IntN(2)]}, "committed": {"true"}})
		sc := newScan(s, q)
		sc.horizon = calendar.Never - 1
		for _, c := range s.Customers {
			if c == nil {
				continue
			}
			x := subjectOf(c)
			for _, percent := range []int{0, 30, 60, 100} {
				match := randomMatch(rng, percent)
				checkView(t, sc, &x, match)
				ways[wayOf(&x, match)]++
			}
			checkView(t, sc, &x, nil)
		}
	})
	if t.Failed() {
		return
	}
	for _, way := range []string{"none", "all", "some of one slot", "some of several slots"} {
		if ways[way] == 0 {
			t.Errorf("no view has %s: %v", way, ways)
		}
	}
}

func wayOf(x *subject, match func(*ledger.State) bool) string {
	switch in := x.matching(match); {
	case in == 0:
		return "none"
	case in == x.all():
		return "all"
	case x.single:
		return "some of one slot"
	default:
		return "some of several slots"
	}
}

func checkView(t *testing.T, sc *scan, x *subject, match func(*ledger.State) bool) {
	t.Helper()
	want, err := new(ledger.Mover).Move(nil, x.ledger, &ledger.View{Match: match, Base: sc.s.Settings.Base, Convert: sc.classes.convert})
	if err != nil {
		t.Fatal(err)
	}
	found, foreign, err := sc.movements(x, match)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]ledger.Movement{}, want...), append([]ledger.Movement{}, found...)); diff != "" {
		t.Fatalf("customer %s: movements in the view (-ledger +scan):\n%s", x.customer.ID, diff)
	}
	p := points{}
	for day := sc.s.FirstDay; day < sc.s.Today+60; day += 9 {
		p.ends, p.rateDays = append(p.ends, day), append(p.rateDays, day)
	}
	now := make([]balanceAt, len(p.ends))
	if err := sc.balances(x, match, found, foreign, &p, now); err != nil {
		t.Fatal(err)
	}
	for i, day := range p.ends {
		if sum := worthOn(t, sc, x.ledger, match, day, day); now[i] != sum {
			t.Fatalf("customer %s: balance on %s %+v, added up %+v", x.customer.ID, day, now[i], sum)
		}
	}
	for i := range want {
		m := &want[i]
		worth, err := sc.delta(x, m, match)
		if err != nil {
			t.Fatal(err)
		}
		if sum := worthOn(t, sc, x.ledger, match, m.Day, m.Day).level - worthOn(t, sc, x.ledger, match, m.Day-1, m.Day).level; worth != sum {
			t.Fatalf("customer %s: movement on %s is worth %d, added up %d", x.customer.ID, m.Day, worth, sum)
		}
	}
}

// worthOn adds up a ledger's slots at the end of a day at the rates of another.
func worthOn(t *testing.T, sc *scan, l *ledger.Ledger, match func(*ledger.State) bool, end, rateDay calendar.Day) balanceAt {
	t.Helper()
	var sum balanceAt
	for slot := range l.Slots {
		st := stateOn(l, int32(slot), end)
		if st.MRR == 0 || match != nil && !match(&st) {
			continue
		}
		worth, err := sc.s.Rates.Convert(st.MRR, st.Currency, sc.q.Base, min(rateDay, sc.s.Today))
		if err != nil {
			t.Fatal(err)
		}
		sum.level, sum.live = sum.level+worth, true
	}
	return sum
}

// A customer of more terms than are numbered has the same movements, values and
// reports as the law says of others.
func TestViews_OfManyTerms(t *testing.T) {
	t.Parallel()
	s := largeAccount(1, "eur")
	var events []ledger.Event
	for i := range maxTerms + 6 {
		ref := ledger.PlanRef(len(s.Plans))
		s.Plans = append(s.Plans, ledger.Plan{ID: fmt.Sprint("many", i), Interval: calendar.Interval{Unit: calendar.UnitWeek, Count: 1}})
		events = append(events, ledger.Event{
			ID: fmt.Sprintf("%03d", i), Kind: ledger.Subscription, Date: calendar.DayStamp(date("2024-01-01") + calendar.Day(7*i)), Plan: ref,
			Amount: int64(100 + i), Currency: currency("eur"), Quantity: 1,
		})
	}
	many := &Customer{ID: "many", Ledger: ledger.NewReplayer(s.Settings, s.Plans).Replay(events, 0, s.Today)}
	rng := rand.New(rand.NewPCG(3, 5))
	q := mustQuery(t, s, map[string][]string{"date": {"20240101-20241231"}, "breakdown": {"plan"}, "baseCurrency": {"usd"}})
	x := subjectOf(many)
	if !x.varied || x.terms != nil {
		t.Fatalf("varied %t, %d terms", x.varied, len(x.terms))
	}
	sc := newScan(s, q)
	for _, percent := range []int{0, 30, 100} {
		checkView(t, sc, &x, randomMatch(rng, percent))
	}
	values, err := newSplit(s, q, 1).ofStates(&x, nil)
	if err != nil || len(values) != maxTerms+6 {
		t.Errorf("%d values of %d plans, %v", len(values), maxTerms+6, err)
	}
}
