package report

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// companies is how many random companies a law is tried on; `make soak` raises it.
func companies(t *testing.T) int {
	n := 200
	if s := os.Getenv("GROWPANEL_SOAK_COMPANIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// eachCompany runs a law over random companies, which it can rebuild from the
// seed that a failure prints.
func eachCompany(t *testing.T, law func(t *testing.T, rng *rand.Rand, s *Snapshot)) {
	t.Helper()
	for seed := range companies(t) {
		rng := rand.New(rand.NewPCG(uint64(seed), 42))
		s := newCompany(rng)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { law(t, rng, s) })
		if t.Failed() {
			return
		}
	}
}

func currency(code string) money.Currency {
	c, err := money.Parse(code)
	if err != nil {
		panic(err)
	}
	return c
}

func date(s string) calendar.Day {
	d, err := calendar.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// newCompany returns an account with up to a dozen customers whose histories
// have renewals, gaps, named and default subscriptions, prorations, refunds,
// cancellations, unpaid and future invoices, trials, three currencies and
// several items per invoice.
func newCompany(rng *rand.Rand) *Snapshot {
	set := ledger.DefaultSettings()
	set.GraceDays = []int{0, 7, 30}[rng.IntN(3)]
	set.Recognition = ledger.Recognition(rng.IntN(2))
	set.RefundsReduceMRR = rng.IntN(4) > 0
	set.NonRenewalChurn = rng.IntN(5) > 0
	s := &Snapshot{
		Account: "company", Today: date("2024-12-10") + calendar.Day(rng.IntN(60)), Settings: set,
		WeekStart: []time.Weekday{time.Monday, time.Sunday}[rng.IntN(2)],
		Plans:     []ledger.Plan{{}},
		Sources:   []Source{{ID: "src_a", Name: "Billing", Type: "api"}, {ID: "src_b", Name: "Import", Type: "csv"}},
		Symbols:   []string{"", "sub_a", "sub_b", "visa", "sepa", "too_expensive", "unused"},
		FirstDay:  date("2024-01-01"),
	}
	for i, p := range []string{"month 1", "month 1", "quarter 1", "year 1", "week 2"} {
		f := strings.Fields(p)
		unit, _ := calendar.ParseUnit(f[0])
		n, _ := strconv.Atoi(f[1])
		plan := ledger.Plan{
			ID: fmt.Sprint("p", i+1), Name: fmt.Sprint("Plan ", i+1), Currency: currency("usd"),
			Interval: calendar.Interval{Unit: unit, Count: int32(n)},
		}
		if i < 2 {
			plan.Groups = []string{"Small"}
		}
		s.Plans = append(s.Plans, plan)
	}
	s.PlanGroups = []PlanGroup{{ID: "pg_1", Name: "Small", Plans: []ledger.PlanRef{1, 2}}}
	s.Segments = []Segment{
		{ID: "seg_local", Name: "Local", Filters: map[string]string{"region": "dach", "custom_tier": "gold"}},
		{ID: "seg_split", Name: "By region", Filters: map[string]string{"region": "eu~~north_america~~de"}, Split: true},
		{ID: "seg_plans", Name: "By plan", Filters: map[string]string{"plan": "pg_1~~p4~~p3"}, Split: true},
	}
	s.Rates = companyRates()[rng.IntN(3)]
	r := ledger.NewReplayer(set, s.Plans)
	currencies := []string{"usd", "eur", "jpy"}[:1+rng.IntN(3)]
	for i := range 1 + rng.IntN(12) {
		events := companyHistory(rng, currencies)
		c := &Customer{
			Source: uint32(rng.IntN(2)), ID: fmt.Sprint("c", i), Name: fmt.Sprint("Customer ", 'A'+i),
			Country: []string{"", "us", "de"}[rng.IntN(3)], State: []string{"", "ca"}[rng.IntN(2)],
			Custom: Variables{{"tier", []string{"gold", "silver"}[rng.IntN(2)]}},
		}
		if rng.IntN(2) == 0 {
			c.Custom = nil
		}
		c.Ledger = r.Replay(events, 0, s.Today)
		s.Customers = append(s.Customers, c)
	}
	s.Customers = append(s.Customers, nil)
	return s
}

// companyRates are three courses of the exchange rates, from before the
// companies' history on.
var companyRates = sync.OnceValue(func() [3]*fx.Table { return coursesFrom("2022-12-20") })

// lateRates are three that begin on the companies' first day.
var lateRates = sync.OnceValue(func() [3]*fx.Table { return coursesFrom("2024-01-01") })

func coursesFrom(first string) (tables [3]*fx.Table) {
	for i := range tables {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		var rates []fx.Rate
		usd, jpy := 10800, 157000
		for d := date(first); d < date("2025-03-01"); d++ {
			usd += rng.IntN(61) - 30
			jpy += rng.IntN(801) - 400
			rates = append(rates,
				fx.Rate{Day: d, Base: "eur", Quote: "usd", Value: fmt.Sprintf("%d.%04d", usd/10000, usd%10000)},
				fx.Rate{Day: d, Base: "eur", Quote: "jpy", Value: fmt.Sprintf("%d.%03d", jpy/1000, jpy%1000)})
		}
		var err error
		if tables[i], err = fx.NewTable(rates); err != nil {
			panic(err)
		}
	}
	return tables
}

func companyHistory(rng *rand.Rand, currencies []string) []ledger.Event {
	var events []ledger.Event
	day := date("2024-01-01") + calendar.Day(rng.IntN(200))
	code := currencies[rng.IntN(len(currencies))]
	plan, sub := ledger.PlanRef(1+rng.IntN(5)), ledger.Symbol(rng.IntN(3))
	amount := int64(1+rng.IntN(40)) * 450
	for i := range 1 + rng.IntN(14) {
		ev := ledger.Event{
			ID: fmt.Sprintf("i%02d", i), Date: calendar.DayStamp(day), Kind: ledger.Subscription, Amount: amount,
			Plan: plan, Subscription: sub, Currency: currency(code), Quantity: int32(rng.IntN(4)),
			Method: ledger.Symbol(3 + rng.IntN(2)), Pricing: ledger.Pricing(rng.IntN(8) / 7),
		}
		switch rng.IntN(16) {
		case 0:
			ev.Kind, ev.Amount = ledger.Refund, -amount/int64(1+rng.IntN(3))
		case 1:
			ev.Kind, ev.Amount = ledger.Cancellation, 0
			ev.Extra = &ledger.Extra{CancelReason: ledger.Symbol(5 + rng.IntN(2)), CancelComment: []string{"", fmt.Sprint("note ", i), " "}[i%3]}
			if rng.IntN(2) == 0 {
				ev.Subscription = 0
			}
		case 2:
			ev.Amount = 0
		case 3:
			ev.Status = ledger.Status(1 + rng.IntN(4))
		case 4:
			ev.Proration, ev.Start, ev.End = ledger.Differential, ev.Date, calendar.DayStamp(day+calendar.Day(5+rng.IntN(20)))
			ev.Amount = int64(rng.IntN(4000) - 1500)
		case 5:
			ev.Extra = &ledger.Extra{Lines: []ledger.Line{{Plan: 1, Amount: 900, Quantity: 2}, {Plan: 2, Amount: int64(rng.IntN(4)) * 333, Discount: 100}}}
		case 6:
			plan = ledger.PlanRef(1 + rng.IntN(5))
		case 7:
			sub = ledger.Symbol(rng.IntN(3))
		case 8:
			code = currencies[rng.IntN(len(currencies))]
		case 9:
			ev.Extra = &ledger.Extra{Discount: int64(rng.IntN(2)) * 500}
		case 10:
			ev.Start = calendar.DayStamp(day + calendar.Day(rng.IntN(60)))
		case 11:
			amount = int64(1+rng.IntN(40)) * 450
		}
		events = append(events, ev)
		day += calendar.Day([]int{0, 5, 28, 30, 31, 31, 33, 60, 90}[rng.IntN(9)])
	}
	return events
}
