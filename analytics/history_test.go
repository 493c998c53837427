package analytics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// A history that changes by and by has the events that a plain list would have,
// in order of date, and copies of it that were taken before keep theirs.
func TestLaw_HistoryIsItsEvents(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		var h history
		var copies []history
		var lists [][]ledger.Event
		list := []ledger.Event{}
		row := uint32(0)
		var s sheet
		for range 1 + r.IntN(8) {
			copies, lists = append(copies, h), append(lists, slices.Clone(list))
			var changes []change
			most := 10
			if seed%10 == 0 {
				most = 200 // where rows are found by a map
			}
			for range 1 + r.IntN(most) {
				var c change
				c, list = anyChange(r, list, &row)
				changes = append(changes, c)
			}
			h = s.apply(&h, changes)
			slices.SortStableFunc(list, byDate)
			sameEvents(t, "as applied", s.events, list)
		}
		for i := range copies {
			again := ledger.Event{Ref: math.MaxUint32, Date: calendar.DayStamp(calendar.Date(2300, 1, 1)), Extra: &ledger.Extra{Number: "of a copy"}}
			s.apply(&copies[i], []change{{added, again}})
			sameEvents(t, "an earlier copy", eventsOf(&copies[i]), lists[i])
		}
		sameEvents(t, "the last", eventsOf(&h), list)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// anyChange changes the list of events, and says how.
func anyChange(r *rand.Rand, list []ledger.Event, row *uint32) (change, []ledger.Event) {
	n := r.IntN(10)
	if len(list) == 0 || n < 6 {
		*row += 1 + uint32(r.IntN(3)*r.IntN(40_000))
		var last ledger.Event
		if len(list) > 0 {
			last = list[len(list)-1]
		}
		ev := anyEvent(r, last)
		ev.Ref = *row
		return change{added, ev}, append(list, ev)
	}
	i := r.IntN(len(list))
	ref := list[i].Ref
	if n < 8 {
		return change{removed, ledger.Event{Ref: ref}}, slices.Delete(list, i, i+1)
	}
	ev := anyEvent(r, list[i])
	ev.Ref, list[i] = ref, ev
	return change{replaced, ev}, list
}

// anyEvent returns an event that has much in common with the last.
func anyEvent(r *rand.Rand, last ledger.Event) ledger.Event {
	ev := last
	differs := func() bool { return r.IntN(4) == 0 }
	extremes := []int64{math.MinInt64, -1, 0, 1, 63, 64, 1 << 20, math.MaxInt64}
	amount := func() int64 {
		if r.IntN(4) == 0 {
			return extremes[r.IntN(len(extremes))]
		}
		return r.Int64N(20_000) - 2000
	}
	ev.Date += calendar.Stamp(r.IntN(40)-4) * oneDay
	if r.IntN(8) == 0 {
		ev.Date = anyStamp(r)
	}
	for _, at := range []*calendar.Stamp{&ev.Start, &ev.End} {
		switch r.IntN(6) {
		case 0:
			*at = 0
		case 1:
			*at = anyStamp(r)
		case 2:
			*at = ev.Date + 31*oneDay
		}
	}
	if differs() {
		ev.Amount = amount()
	}
	if differs() {
		ev.Quantity, ev.Plan = int32(amount()), ledger.PlanRef(r.Uint32()>>r.IntN(32))
	}
	if differs() {
		ev.Subscription, ev.Method = ledger.Symbol(r.Uint32()>>r.IntN(32)), ledger.Symbol(r.IntN(3))
	}
	if differs() {
		ev.Currency, ev.Kind, ev.Status = money.Currency(r.IntN(256)), ledger.Kind(1+r.IntN(4)), ledger.Status(r.IntN(5))
	}
	if differs() {
		ev.Pricing, ev.Proration = ledger.Pricing(r.IntN(2)), ledger.Proration(r.IntN(3))
	}
	switch r.IntN(6) {
	case 0:
		ev.Extra = nil
	case 1:
		ev.Extra = &ledger.Extra{Tax: amount(), Discount: amount()}
	case 2:
		ev.Extra = &ledger.Extra{Discount: 1 + r.Int64N(100)}
	case 3:
		ev.Extra = &ledger.Extra{Tax: amount(), Number: "n", Lines: []ledger.Line{{Amount: amount()}}}
	}
	if x := ev.Extra; x != nil && x.Tax|x.Discount == 0 && x.Number == "" {
		ev.Extra = nil // nothing that is rare
	}
	return ev
}

func anyStamp(r *rand.Rand) calendar.Stamp {
	day := calendar.Date(1900, 1, 1) + calendar.Day(r.IntN(300*365))
	if r.IntN(8) == 0 {
		day = []calendar.Day{calendar.Date(1900, 1, 1), -1, 0, calendar.Date(9999, 12, 31)}[r.IntN(4)]
	}
	if r.IntN(2) == 0 {
		return calendar.DayStamp(day)
	}
	return calendar.InstantStamp(day.Time().Add(time.Duration(1+r.IntN(86398)) * time.Second))
}

func eventsOf(h *history) []ledger.Event {
	var s sheet
	s.load(h)
	return s.events
}

func sameEvents(t *testing.T, what string, got, want []ledger.Event) {
	t.Helper()
	inOrder := func(events []ledger.Event) []ledger.Event {
		sorted := append([]ledger.Event{}, events...)
		slices.SortFunc(sorted, func(a, b ledger.Event) int {
			return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Ref, b.Ref))
		})
		return sorted
	}
	if !slices.IsSortedFunc(got, byDate) {
		t.Errorf("%s: not in order of date", what)
	}
	if diff := gocmp.Diff(inOrder(want), inOrder(got)); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}
