package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// books is a company with the rows it was made from: what the laws count again
// without looking at any ledger.
type books struct {
	*Snapshot
	events [][]ledger.Event // by customer
	byID   map[string]*ledger.Event
}

// newBooks gives the customers of a random company histories with taxes,
// discounts, fees, exchange losses, late and failed payments, refunds and
// invoices of several lines.
func newBooks(rng *rand.Rand, s *Snapshot) *books {
	b := &books{Snapshot: s, events: make([][]ledger.Event, len(s.Customers)), byID: map[string]*ledger.Event{}}
	ids := []string{""}
	s.InvoiceID = func(ref uint32) string { return ids[ref] }
	r := ledger.NewReplayer(s.Settings, s.Plans)
	for i, c := range s.Customers {
		if c == nil {
			continue
		}
		events := cashHistory(rng, i)
		for j := range events {
			events[j].Ref = uint32(len(ids))
			ids = append(ids, events[j].ID)
			b.byID[events[j].ID] = &events[j]
		}
		c.Ledger = r.Replay(events, 0, s.Today)
		b.events[i] = events
	}
	return b
}

func cashHistory(rng *rand.Rand, customer int) []ledger.Event {
	var events []ledger.Event
	day := date("2024-01-01") + calendar.Day(rng.IntN(200))
	for i := range rng.IntN(20) {
		at := calendar.DayStamp(day)
		ev := ledger.Event{
			ID: fmt.Sprintf("c%d-%02d", customer, i), Date: at, Kind: ledger.Subscription, Amount: int64(rng.IntN(400)) * 25,
			Plan: ledger.PlanRef(1 + rng.IntN(5)), Currency: currency([]string{"usd", "eur", "jpy"}[rng.IntN(3)]),
			Method: ledger.Symbol(3 + rng.IntN(2)), Pricing: ledger.Pricing(rng.IntN(6) / 5), Status: ledger.Status(max(0, rng.IntN(14)-9)),
		}
		switch rng.IntN(8) {
		case 0:
			ev.Kind, ev.Plan = ledger.OneTime, 0
		case 1:
			if i > 0 {
				ev.Kind, ev.Amount, ev.Plan = ledger.Refund, int64(rng.IntN(9000)-4500), 0
				ev.Extra = &ledger.Extra{RefundOf: events[rng.IntN(i)].ID}
			}
		case 2:
			ev.Kind, ev.Plan, ev.Amount = ledger.Cancellation, 0, int64(rng.IntN(2)*100)
		}
		if rng.IntN(2) == 0 {
			if ev.Extra == nil {
				ev.Extra = &ledger.Extra{}
			}
			cashFields(rng, &ev, day)
		}
		events = append(events, ev)
		day += calendar.Day(rng.IntN(45))
	}
	return events
}

func cashFields(rng *rand.Rand, ev *ledger.Event, day calendar.Day) {
	x := ev.Extra
	some := func(n int) int64 { return int64(rng.IntN(2) * rng.IntN(n)) }
	x.Tax, x.Discount, x.Fee, x.FXLoss = some(500), some(900), some(300), -some(70)
	x.Attempts = int32(some(4))
	if rng.IntN(2) == 0 {
		x.PaymentDate = calendar.DayStamp(day + calendar.Day(rng.IntN(40)))
	}
	if rng.IntN(3) == 0 {
		x.FirstFailed = calendar.DayStamp(day + calendar.Day(rng.IntN(10)))
	}
	if rng.IntN(3) == 0 {
		x.DueDate = calendar.DayStamp(day + calendar.Day(rng.IntN(60)))
	}
	if ev.Kind == ledger.Subscription && rng.IntN(3) == 0 {
		x.Lines = []ledger.Line{
			{Plan: 1, Amount: ev.Amount / 2, Tax: some(50), Description: "Seats"},
			{Plan: ledger.PlanRef(rng.IntN(4)), Amount: some(5000), Discount: some(100), OneTime: rng.IntN(2) == 0},
		}
	}
}

// coin is one part of a paid invoice, counted by hand.
type coin struct {
	customer *Customer
	id       string
	day      calendar.Day
	kind     string
	amount   int64
	currency money.Currency
	plan     ledger.PlanRef
	method   string
	discount bool
	metered  bool
}

// coins lists every part of every paid row up to today.
func (b *books) coins() []coin {
	var all []coin
	for i, events := range b.events {
		for j := range events {
			ev := &events[j]
			if ev.Status != ledger.Paid {
				continue
			}
			x := ledger.Extra{}
			if ev.Extra != nil {
				x = *ev.Extra
			}
			c := coin{customer: b.Customers[i], id: ev.ID, day: ev.Date.Day(b.Settings.Zone), currency: ev.Currency, plan: ev.Plan, method: b.Symbols[ev.Method], metered: ev.Pricing == ledger.Metered}
			if !x.PaymentDate.IsZero() {
				c.day = x.PaymentDate.Day(b.Settings.Zone)
			}
			if c.day > b.Today {
				continue
			}
			put := func(kind string, amount int64, plan ledger.PlanRef) {
				if amount != 0 {
					c := c
					c.kind, c.amount, c.plan = kind, amount, plan
					all = append(all, c)
				}
			}
			sold := func(plan ledger.PlanRef, once bool) string {
				switch {
				case ev.Pricing == ledger.Metered:
					return "metered"
				case once || ev.Kind != ledger.Subscription:
					return "one_time"
				}
				return []string{"month_sub", "month_sub", "month_sub", "quarter_sub", "year_sub", "week_sub"}[plan]
			}
			if ev.Kind == ledger.Refund {
				of := b.byID[x.RefundOf]
				c.metered = c.metered || of.Pricing == ledger.Metered
				c.discount = x.Discount != 0
				put("refund", -max(ev.Amount, -ev.Amount), of.Plan)
				put("fee", -x.Fee, of.Plan)
				put("fx_loss", x.FXLoss, of.Plan)
				continue
			}
			discount, tax, rest := x.Discount, x.Tax, ev.Amount
			c.discount = discount > 0
			for _, l := range x.Lines {
				c.discount = c.discount || l.Discount > 0
			}
			var lineDiscount, lineTax int64
			for _, l := range x.Lines {
				plan := l.Plan
				if plan == 0 {
					plan = ev.Plan
				}
				put(sold(plan, l.OneTime), l.Amount+l.Discount-l.Tax, plan)
				put("discount", -l.Discount, plan)
				put("tax", l.Tax, plan)
				rest -= l.Amount
				lineDiscount += l.Discount
				lineTax += l.Tax
			}
			if discount == 0 {
				discount = lineDiscount
			}
			if tax == 0 {
				tax = lineTax
			}
			discount -= lineDiscount
			tax -= lineTax
			put(sold(ev.Plan, false), rest+discount-tax, ev.Plan)
			put("discount", -discount, ev.Plan)
			put("tax", tax, ev.Plan)
			put("fee", -x.Fee, ev.Plan)
			put("fx_loss", x.FXLoss, ev.Plan)
		}
	}
	return all
}

// inBase converts at the rates of a day.
func (b *books) inBase(t *testing.T, q *Query, amount int64, from money.Currency, day calendar.Day) int64 {
	t.Helper()
	if q.FixFX {
		day = q.Range.From
	}
	worth, err := b.Rates.Convert(amount, from, q.Base, day)
	if err != nil {
		t.Fatal(err)
	}
	return worth
}

// cashAsk is a way to ask a cash report, with what it keeps and splits by.
type cashAsk struct {
	params map[string][]string
	keep   func(*books, *coin) bool
	value  func(*books, *coin) []string
}

func cashAsks() []cashAsk {
	all := func(*books, *coin) bool { return true }
	none := func(*books, *coin) []string { return nil }
	planName := func(b *books, c *coin) []string {
		switch p := b.Plans[c.plan]; {
		case c.plan == 0:
			return []string{"~"}
		case len(p.Groups) > 0:
			return p.Groups
		default:
			return []string{p.Name}
		}
	}
	return []cashAsk{
		{nil, all, none},
		{map[string][]string{"interval": {"week"}, "baseCurrency": {"eur"}}, all, none},
		{map[string][]string{"interval": {"quarter"}, "fix_fx": {"true"}, "date": {"20240115-20241010"}}, all, none},
		{map[string][]string{"interval": {"year"}, "baseCurrency": {"jpy"}, "date": {"20240101-20251231"}}, all, none},
		{
			map[string][]string{"plan": {"p1~~p4"}, "breakdown": {"country"}},
			func(_ *books, c *coin) bool { return c.plan == 1 || c.plan == 4 },
			func(_ *books, c *coin) []string { return []string{or(c.customer.Country, "~")} },
		},
		{
			map[string][]string{"payment_method": {"visa"}, "currency": {"~jpy"}, "breakdown": {"plan"}},
			func(_ *books, c *coin) bool { return c.method == "visa" && c.currency.Code() != "jpy" }, planName,
		},
		{
			map[string][]string{"has_discount": {"true"}, "pricing_model": {"licensed"}, "breakdown": {"currency"}},
			func(_ *books, c *coin) bool { return c.discount && !c.metered }, func(_ *books, c *coin) []string { return []string{c.currency.Code()} },
		},
		{
			map[string][]string{"country": {"us"}, "data_source": {"src_a"}, "breakdown": {"payment_method"}},
			func(_ *books, c *coin) bool { return c.customer.Country == "us" && c.customer.Source == 0 },
			func(_ *books, c *coin) []string { return []string{c.method} },
		},
		{
			map[string][]string{"billing_freq": {"year"}, "breakdown": {"customer"}, "interval": {"day"}, "date": {"last-60-days"}},
			func(_ *books, c *coin) bool { return c.plan == 4 }, func(_ *books, c *coin) []string { return []string{c.customer.ID} },
		},
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// tally is the cash of one row: by breakdown value ("" for the total), then kind.
type tally map[string]map[string]int64

func (ty tally) add(value, kind string, amount int64) {
	if ty[value] == nil {
		ty[value] = map[string]int64{}
	}
	ty[value][kind] += amount
	if kind != "tax" {
		ty[value]["net_amount"] += amount
	}
}

func tallyOf(m *TransactionMetrics) map[string]int64 {
	out := map[string]int64{}
	for k := range CashTypes {
		if m.Count[k] != 0 {
			out[CashType(k).String()] = m.Amount[k]
		}
	}
	return out
}

// TestLaw_TransactionsAreTheRowsCountedAgain recounts every figure of the cash
// report, and its table and summary, from the rows themselves.
func TestLaw_TransactionsAreTheRowsCountedAgain(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		b := newBooks(rng, s)
		coins := b.coins()
		for _, ask := range cashAsks() {
			q := mustQuery(t, s, ask.params)
			r, err := Transactions(s, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				want, got := tally{}, tally{}
				for j := range coins {
					if c := &coins[j]; row.Period.From <= c.day && c.day <= row.Period.To && ask.keep(b, c) {
						amount := b.inBase(t, q, c.amount, c.currency, c.day)
						want.add("", c.kind, amount)
						for _, v := range ask.value(b, c) {
							want.add(v, c.kind, amount)
						}
					}
				}
				if m := tallyOf(&row.TransactionMetrics); len(m) > 0 {
					got[""] = m
				}
				for v := range row.Breakdown {
					if m := tallyOf(&row.Breakdown[v]); len(m) > 0 {
						got[r.Values[v].Key] = m
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%v, %v (-counted +report):\n%s", ask.params, row.Period, diff)
				}
			}
			tableAddsUp(t, s, q, r)
		}
		summaryAddsUp(t, b, coins)
	})
}

// tableAddsUp checks that the table holds the figures of the report.
func tableAddsUp(t *testing.T, s *Snapshot, q *Query, r *TransactionReport) {
	t.Helper()
	rows, err := TransactionTable(s, q)
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		date  calendar.Day
		value string
		kind  CashType
	}
	table := map[place]TransactionTableRow{}
	for _, row := range rows {
		at := place{date: row.Date, kind: row.Type}
		if row.Value != nil {
			at.value = row.Value.Key
		}
		table[at] = row
	}
	check := func(at place, m *TransactionMetrics) {
		if got := table[at]; got.Amount != m.Amount[at.kind] || got.Count != m.Count[at.kind] {
			t.Fatalf("table %+v: %+v, report %+v", at, got, m)
		}
	}
	for i := range r.Rows {
		for k := range CashTypes {
			if r.Values == nil {
				check(place{r.Rows[i].Period.From, "", CashType(k)}, &r.Rows[i].TransactionMetrics)
			}
			for v := range r.Values {
				check(place{r.Rows[i].Period.From, r.Values[v].Key, CashType(k)}, &r.Rows[i].Breakdown[v])
			}
		}
	}
}

// summaryAddsUp recounts the running periods.
func summaryAddsUp(t *testing.T, b *books, coins []coin) {
	t.Helper()
	q := mustQuery(t, b.Snapshot, map[string][]string{"baseCurrency": {"eur"}})
	r, err := TransactionSummary(b.Snapshot, q)
	if err != nil {
		t.Fatal(err)
	}
	y, m, d := b.Today.YMD()
	monthStart, yearStart := calendar.Date(y, m, 1), calendar.Date(y, 1, 1)
	quarterStart := calendar.Date(y, (m-1)/3*3+1, 1)
	net := func(from, to calendar.Day) int64 {
		sum := int64(0)
		for i := range coins {
			if c := &coins[i]; c.kind != "tax" && from <= c.day && c.day <= to {
				sum += b.inBase(t, q, c.amount, c.currency, c.day)
			}
		}
		return sum
	}
	before := func(start calendar.Day, months int) int64 {
		from := start.AddMonths(-months)
		return net(from, min(start-1, from+b.Today-start))
	}
	want := []int64{
		net(monthStart, b.Today), before(monthStart, 1), net(quarterStart, b.Today), before(quarterStart, 3), net(yearStart, b.Today), before(yearStart, 12),
	}
	got := []int64{r.Month.Now, r.Month.Before, r.Quarter.Now, r.Quarter.Before, r.Year.Now, r.Year.Before}
	if !slices.Equal(want, got) {
		t.Fatalf("summary on %v, day %d of the month (-counted +report):\n-%v\n+%v", b.Today, d, want, got)
	}
}
