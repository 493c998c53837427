package report

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// largeAccount is an account of customers over 36 months, with some 33 invoices
// each: plan changes, seats and months without an invoice among them.
func largeAccount(customers int, currencies ...string) *Snapshot {
	const months = 36
	rng := rand.New(rand.NewPCG(1, 2))
	s := &Snapshot{
		Account: "large", Today: date("2025-12-20"), Settings: ledger.DefaultSettings(), FirstDay: date("2023-01-01"),
		Plans: []ledger.Plan{{}}, Sources: []Source{{ID: "src", Name: "Billing", Type: "api"}}, Symbols: []string{"", "visa", "sepa", "paypal"},
	}
	for i := range 9 {
		iv := calendar.Interval{Unit: calendar.UnitMonth, Count: 1}
		s.Plans = append(s.Plans, ledger.Plan{ID: fmt.Sprint("p", i), Name: fmt.Sprint("Plan ", i), Interval: iv, Currency: s.Settings.Base})
	}
	var rates []fx.Rate
	for d := date("2022-12-20"); d <= s.Today; d++ {
		rates = append(rates, fx.Rate{Day: d, Base: "eur", Quote: "usd", Value: fmt.Sprintf("1.%04d", 500+rng.IntN(1000))},
			fx.Rate{Day: d, Base: "eur", Quote: "gbp", Value: fmt.Sprintf("0.8%03d", rng.IntN(1000))})
	}
	var err error
	if s.Rates, err = fx.NewTable(rates); err != nil {
		panic(err)
	}
	r := ledger.NewReplayer(s.Settings, s.Plans)
	countries := []string{"us", "de", "gb", "fr", "dk", "se", "nl", "es", "it", "ca", "au", "jp"}
	var events []ledger.Event
	for i := range customers {
		events = events[:0]
		day := date("2023-01-01") + calendar.Day(rng.IntN(30))
		ev := ledger.Event{
			Kind: ledger.Subscription, Plan: ledger.PlanRef(1 + rng.IntN(9)), Amount: int64(1+rng.IntN(30)) * 900,
			Currency: currency(currencies[rng.IntN(len(currencies))]), Method: ledger.Symbol(1 + rng.IntN(3)), Quantity: 1,
		}
		for m := range months {
			switch rng.IntN(12) {
			case 0:
				ev.Plan, ev.Amount = ledger.PlanRef(1+rng.IntN(9)), int64(1+rng.IntN(30))*900
			case 1:
				ev.Quantity, ev.Amount = ev.Quantity+1, ev.Amount+900
			case 2:
				if rng.IntN(3) == 0 {
					continue // a month without an invoice
				}
			}
			ev.ID, ev.Date = fmt.Sprintf("%02d", m), calendar.DayStamp(day.AddMonths(m))
			events = append(events, ev)
		}
		s.Customers = append(s.Customers, &Customer{
			ID: fmt.Sprint("c", i), Name: fmt.Sprint("Customer ", i), Country: countries[rng.IntN(len(countries))], Ledger: r.Replay(events, 0, s.Today),
		})
	}
	s.Follow(nil)
	return s
}

var (
	oneCurrency     = sync.OnceValue(func() *Snapshot { return largeAccount(30000, "usd") })
	threeCurrencies = sync.OnceValue(func() *Snapshot { return largeAccount(30000, "usd", "usd", "usd", "eur", "gbp") })
	tenth           = sync.OnceValue(func() *Snapshot { return largeAccount(3000, "usd", "usd", "usd", "eur", "gbp") })
)

// BenchmarkReports computes each report from nothing, as after a write, for
// accounts of 1,000,000 and 100,000 invoices over 36 months.
func BenchmarkReports(b *testing.B) {
	range36 := []string{"20230101-20251220"}
	page := map[string][]string{"limit": {"100"}}
	filtered := map[string][]string{"plan": {"p1 p2 p3"}, "payment_method": {"visa"}, "breakdown": {"country"}}
	for _, account := range []struct {
		name string
		of   func() *Snapshot
	}{{"1,000,000 usd", oneCurrency}, {"1,000,000 usd eur gbp", threeCurrencies}, {"100,000 usd eur gbp", tenth}} {
		for _, bb := range []struct {
			name   string
			params map[string][]string
			run    func(*Snapshot, *Query) error
		}{
			{"mrr", nil, runMRR},
			{"mrr two filters and country", filtered, runMRR},
			{"mrr two filters and plan", map[string][]string{"country": {"us de"}, "payment_method": {"~visa"}, "breakdown": {"plan"}}, runMRR},
			{"mrr region, age and market", map[string][]string{"region": {"eu north_america"}, "age": {"6-"}, "breakdown": {"market"}}, runMRR},
			{"mrr region, plan and age", map[string][]string{"region": {"~dach"}, "plan": {"p1 p2 p3"}, "breakdown": {"age"}}, runMRR},
			{"mrr by plan", map[string][]string{"breakdown": {"plan"}}, runMRR},
			{"summary", nil, func(s *Snapshot, q *Query) error { _, err := Summary(s, q); return err }},
			{"movement-table", nil, func(s *Snapshot, q *Query) error { _, err := MovementTable(s, q); return err }},
			{"retention", nil, func(s *Snapshot, q *Query) error { _, err := Retention(s, q); return err }},
			{"cohort", nil, func(s *Snapshot, q *Query) error { _, err := Cohort(s, q); return err }},
			{"concentration", nil, func(s *Snapshot, q *Query) error { _, err := CustomerConcentration(s, q); return err }},
			{"customers", nil, func(s *Snapshot, q *Query) error { _, err := CustomerList(s, q); return err }},
			{"plans", nil, func(s *Snapshot, q *Query) error { _, err := PlanList(s, q); return err }},
			{"churn-reasons", nil, func(s *Snapshot, q *Query) error { _, err := ChurnReasons(s, q); return err }},
			{"churn-reasons two filters and country", filtered, func(s *Snapshot, q *Query) error { _, err := ChurnReasons(s, q); return err }},
			{"churn-scheduled-summary", nil, func(s *Snapshot, q *Query) error { _, err := ChurnScheduledSummary(s, q); return err }},
			{"cancellation-timing", nil, func(s *Snapshot, q *Query) error { _, err := CancellationTiming(s, q); return err }},
			{"cancellation-timing-detail", page, func(s *Snapshot, q *Query) error { _, err := CancellationTimingDetail(s, q); return err }},
			{"latest-activity", nil, func(s *Snapshot, q *Query) error { _, err := LatestActivity(s, q); return err }},
			{"map", nil, func(s *Snapshot, q *Query) error { _, err := Map(s, q); return err }},
			{"map two filters", filtered, func(s *Snapshot, q *Query) error { _, err := Map(s, q); return err }},
		} {
			b.Run(account.name+"/"+bb.name, func(b *testing.B) {
				s := account.of()
				params := map[string][]string{"date": range36}
				maps.Copy(params, bb.params)
				b.ReportAllocs()
				for b.Loop() {
					q := mustQuery(b, s, params)
					if err := bb.run(s, q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func runMRR(s *Snapshot, q *Query) error {
	_, err := MRR(s, q)
	return err
}
