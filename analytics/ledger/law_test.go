package ledger

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// companies is how many random histories a law is tried on; `make soak` raises it.
func companies(t *testing.T) int {
	n := 3000
	if s := os.Getenv("GROWPANEL_SOAK_COMPANIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// randomHistory returns a customer's events: renewals, gaps, several streams,
// prorations, refunds, cancellations, unpaid, void, zero and future rows, in
// two currencies, with periods stated or not, some at odd hours.
func randomHistory(rng *rand.Rand, plans []Plan) []Event {
	usd, _ := money.Parse("usd")
	eur, _ := money.Parse("eur")
	start := calendar.Date(2024, time.January, 1)
	n := 1 + rng.IntN(14)
	events := make([]Event, 0, n)
	for i := range n {
		day := start + calendar.Day(rng.IntN(420))
		ev := Event{
			ID: "e" + strconv.Itoa(i), Date: calendar.DayStamp(day), Amount: int64(rng.IntN(40)) * 500,
			Plan: PlanRef(1 + rng.IntN(len(plans)-1)), Currency: usd, Quantity: int32(rng.IntN(4)),
		}
		if rng.IntN(8) == 0 {
			ev.Currency = eur
		}
		if rng.IntN(6) == 0 {
			ev.Date = calendar.InstantStamp(day.Time().Add(time.Duration(rng.IntN(86400)) * time.Second))
		}
		ev.Subscription = Symbol(rng.IntN(3))
		switch rng.IntN(12) {
		case 0:
			ev.Kind = OneTime
		case 1:
			ev.Kind, ev.Amount = Refund, -ev.Amount
			if rng.IntN(2) == 0 && i > 0 {
				ev.Extra = &Extra{RefundOf: events[rng.IntN(i)].ID}
			}
		case 2, 3:
			ev.Kind, ev.Amount = Cancellation, 0
			if rng.IntN(4) == 0 {
				ev.End = calendar.DayStamp(day + calendar.Day(rng.IntN(60)))
			}
		default:
			ev.Kind = Subscription
			if rng.IntN(2) == 0 {
				ev.Start = calendar.DayStamp(day + calendar.Day(rng.IntN(20)-10))
				ev.End = ev.Start + calendar.DayStamp(calendar.Day(20+rng.IntN(50))) - calendar.DayStamp(0)
			}
			if rng.IntN(5) == 0 {
				ev.Proration = Proration(1 + rng.IntN(2))
				ev.Amount -= 5000
			}
			if rng.IntN(10) == 0 {
				ev.Status = Status(1 + rng.IntN(4))
			}
			if rng.IntN(15) == 0 {
				ev.Extra = &Extra{Lines: []Line{
					{Plan: 1, Amount: 1000, Quantity: 1}, {Plan: 2, Amount: int64(rng.IntN(5)) * 700}, {Amount: 300, OneTime: true},
				}}
			}
		}
		events = append(events, ev)
	}
	return events
}

func randomSettings(rng *rand.Rand) Settings {
	set := DefaultSettings()
	set.Recognition = Recognition(rng.IntN(2))
	set.GraceDays = []int{0, 1, 7, 30}[rng.IntN(4)]
	set.NonRenewalChurn = rng.IntN(4) != 0
	set.AutoChurnDays = []int{NoAutoChurn, 3, 30}[rng.IntN(3)]
	set.RefundsReduceMRR = rng.IntN(3) != 0
	if zone, err := time.LoadLocation([]string{"UTC", "America/New_York", "Asia/Tokyo"}[rng.IntN(3)]); err == nil {
		set.Zone = zone
	}
	return set
}

func lawRand(t *testing.T) *rand.Rand {
	seed := uint64(20260101)
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

var ledgerEqual = cmp.Options{cmp.AllowUnexported(Ledger{}, Stream{}), cmpopts.EquateEmpty()}

func TestLaw_OrderOfArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	rng, plans := lawRand(t), newBook(t).plans
	for i := range companies(t) {
		set, events := randomSettings(rng), randomHistory(rng, plans)
		today := calendar.Date(2024, time.January, 1) + calendar.Day(rng.IntN(500))
		want := NewReplayer(set, plans).Replay(events, 0, today)
		rng.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
		got := NewReplayer(set, plans).Replay(events, 0, today)
		if diff := cmp.Diff(want, got, ledgerEqual); diff != "" {
			t.Fatalf("company %d: shuffled events give another ledger (-sorted +shuffled):\n%s", i, diff)
		}
	}
}

func TestLaw_LedgerChangesOnlyOnItsWakeDay(t *testing.T) {
	t.Parallel()
	rng, plans := lawRand(t), newBook(t).plans
	r := NewReplayer(DefaultSettings(), plans)
	for i := range companies(t) / 10 {
		set, events := randomSettings(rng), randomHistory(rng, plans)
		r.set = set
		day := calendar.Date(2023, time.December, 30)
		l := r.Replay(events, 0, day)
		for day++; day < calendar.Date(2025, time.June, 1); day++ {
			now := r.Replay(events, 0, day)
			if day < l.Wake {
				l.Today = day
				l.Wake = max(l.Wake, now.Wake) // a stale wake may come early, never late
				now.Wake = l.Wake
				if reflect.DeepEqual(l, now) {
					l = now
					continue
				}
				if diff := cmp.Diff(l, now, ledgerEqual); diff != "" {
					t.Fatalf("company %d: the ledger changed by itself on %s (-before +after):\n%s\nevents %+v\nsettings %+v", i, day, diff, events, set)
				}
			}
			l = now
		}
	}
}

func TestLaw_MovementsAddUpToTheTotal(t *testing.T) {
	t.Parallel()
	rng, plans := lawRand(t), newBook(t).plans
	for i := range companies(t) {
		set, events := randomSettings(rng), randomHistory(rng, plans)
		for j := range events {
			events[j].Currency = set.Base
		}
		l := NewReplayer(set, plans).Replay(events, 0, calendar.Date(2025, time.June, 1))
		latest := make([]int64, len(l.Slots))
		var moved int64
		for _, m := range l.Movements() {
			moved += m.After - m.Before
		}
		for j, c := range l.Changes {
			if c.After.MRR < 0 {
				t.Fatalf("company %d: negative MRR in %+v", i, c)
			}
			if c.Prev >= 0 && (l.Changes[c.Prev].Slot != c.Slot || l.Changes[c.Prev].Day >= c.Day) {
				t.Fatalf("company %d: change %d does not follow its predecessor", i, j)
			}
			latest[c.Slot] = c.After.MRR
		}
		var total int64
		for _, v := range latest {
			total += v
		}
		if moved != total {
			t.Fatalf("company %d: movements add up to %d, the streams to %d", i, moved, total)
		}
	}
}

func BenchmarkReplay(b *testing.B) {
	usd, _ := money.Parse("usd")
	month := calendar.Interval{Unit: calendar.UnitMonth, Count: 1}
	plans := []Plan{{}, {ID: "a", Interval: month, Currency: usd}, {ID: "b", Interval: month, Currency: usd}}
	start := calendar.Date(2023, time.January, 1)
	events := make([]Event, 33)
	for i := range events {
		from := start.AddMonths(i)
		events[i] = Event{
			ID: strconv.Itoa(i), Kind: Subscription, Date: calendar.DayStamp(from), Start: calendar.DayStamp(from),
			End: calendar.DayStamp(from.AddMonths(1)), Amount: 9900 + int64(i/8)*1000, Plan: PlanRef(1 + i/16%2), Currency: usd, Subscription: 1, Quantity: 1,
		}
	}
	r := NewReplayer(DefaultSettings(), plans)
	today := start.AddMonths(36)
	b.ReportAllocs()
	for b.Loop() {
		r.Replay(events, 0, today)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
}
