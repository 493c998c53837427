package report

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// cashAccount is an account of a million monthly invoices of 30,000 customers,
// every tenth with tax; one in 40 failed at first, one in 60 was refunded.
func cashAccount(currencies ...string) *Snapshot {
	const customers, months = 30000, 35
	s := largeAccount(1, "usd")
	s.Customers = nil
	rng := rand.New(rand.NewPCG(3, 4))
	r := ledger.NewReplayer(s.Settings, s.Plans)
	ids := []string{""}
	s.InvoiceID = func(ref uint32) string { return ids[ref] }
	countries := []string{"us", "de", "gb", "fr", "dk", "se", "nl", "es", "it", "ca", "au", "jp"}
	for i := range customers {
		var events []ledger.Event
		day := date("2023-01-01") + calendar.Day(rng.IntN(30))
		ev := ledger.Event{
			Kind: ledger.Subscription, Plan: ledger.PlanRef(1 + rng.IntN(9)), Amount: int64(1+rng.IntN(30)) * 900,
			Currency: currency(currencies[rng.IntN(len(currencies))]), Method: ledger.Symbol(1 + rng.IntN(3)),
		}
		for m := range months {
			ev.Ref, ev.Date, ev.Extra, ev.Status = uint32(len(ids)), calendar.DayStamp(day.AddMonths(m)), nil, ledger.Paid
			ids = append(ids, fmt.Sprintf("inv_%09d", len(ids)))
			ev.ID = ids[ev.Ref]
			switch n := rng.IntN(120); {
			case n < 12:
				ev.Extra = &ledger.Extra{Tax: ev.Amount / 10}
			case n < 15:
				ev.Extra = &ledger.Extra{FirstFailed: ev.Date, Attempts: 3}
				ev.Status = ledger.Status(rng.IntN(3))
			case n < 17 && m > 0:
				refund := ev
				refund.Kind, refund.Amount, refund.Plan = ledger.Refund, ev.Amount/2, 0
				events = append(events, refund)
				continue
			}
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
	oneCash   = sync.OnceValue(func() *Snapshot { return cashAccount("usd") })
	threeCash = sync.OnceValue(func() *Snapshot { return cashAccount("usd", "usd", "usd", "eur", "gbp") })
)

// BenchmarkCash computes each cash report from nothing for accounts of a million
// invoices over 36 months: all of them, with two filters and a breakdown, and
// pages of 100 rows.
func BenchmarkCash(b *testing.B) {
	everything := map[string][]string{"date": {"20230101-20251220"}}
	narrow := map[string][]string{"plan": {"p1 p2 p3"}, "payment_method": {"visa"}, "breakdown": {"country"}}
	page := map[string][]string{"limit": {"100"}}
	sorted := map[string][]string{"limit": {"100"}, "sort": {"amount_base_currency"}}
	for _, account := range []struct {
		name string
		of   func() *Snapshot
	}{{"usd", oneCash}, {"usd+eur+gbp", threeCash}} {
		for _, bb := range []struct {
			name   string
			params map[string][]string
			run    func(*Snapshot, *Query) error
		}{
			{"transactions", nil, func(s *Snapshot, q *Query) error { _, err := Transactions(s, q); return err }},
			{"transactions narrow", narrow, func(s *Snapshot, q *Query) error { _, err := Transactions(s, q); return err }},
			{"transactions-summary", nil, func(s *Snapshot, q *Query) error { _, err := TransactionSummary(s, q); return err }},
			{"transactions-detail", page, func(s *Snapshot, q *Query) error { _, err := TransactionDetail(s, q); return err }},
			{"transactions-detail by amount", sorted, func(s *Snapshot, q *Query) error { _, err := TransactionDetail(s, q); return err }},
			{"invoices-detail", page, func(s *Snapshot, q *Query) error { _, err := InvoiceDetail(s, q); return err }},
			{"failed-payments", nil, func(s *Snapshot, q *Query) error { _, err := Failures(s, q); return err }},
			{"failed-payments narrow", narrow, func(s *Snapshot, q *Query) error { _, err := Failures(s, q); return err }},
			{"failed-payments-summary", nil, func(s *Snapshot, q *Query) error { _, err := FailureSummary(s, q); return err }},
			{"failed-payments-detail", page, func(s *Snapshot, q *Query) error { _, err := FailureDetail(s, q); return err }},
			{"refunds", nil, func(s *Snapshot, q *Query) error { _, err := Refunds(s, q); return err }},
			{"refunds-detail", page, func(s *Snapshot, q *Query) error { _, err := RefundDetail(s, q); return err }},
			{"outstanding", nil, func(s *Snapshot, q *Query) error { _, err := Outstanding(s, q); return err }},
		} {
			b.Run(account.name+"/"+bb.name, func(b *testing.B) {
				s := account.of()
				params := maps.Clone(everything)
				maps.Copy(params, bb.params)
				b.ReportAllocs()
				for b.Loop() {
					if err := bb.run(s, mustQuery(b, s, params)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
