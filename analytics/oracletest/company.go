package oracletest

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"
)

// Company is an account with its customers, as the reports see it.
type Company struct {
	Settings  Settings
	Plans     map[string]Plan
	Base      string // the account's base currency
	Today     Day
	Members   []*Member
	Rates     Rates
	WeekStart int // 0 is Sunday
}

// Member is a customer of a company.
type Member struct {
	ID                    string
	Source                string            // id of the data source
	Country, State, Email string            // "" when not stated
	Variables             map[string]string // custom ones
	Created, TrialStarted time.Time         // zero when not stated
	Received              Day               // on which the row came in
	Reason                string            // why it left or is leaving today, "" for none

	Invoices []Invoice
	History  *Customer

	slots map[Day][]Item // by stream and plan, cached
}

// Rates tells for each day what one euro is worth in each currency.
type Rates map[Day]map[string]*big.Rat

// exponents are those of the currencies that random companies use.
var exponents = map[string]int64{"usd": 2, "eur": 2, "jpy": 0, "kwd": 3}

// Convert turns an amount into another currency at a day's rates.
func (r Rates) Convert(amount int64, from, to string, d Day) int64 {
	if from == to || amount == 0 {
		return amount
	}
	per := func(currency string) *big.Rat {
		if currency == "eur" {
			return big.NewRat(1, 1)
		}
		for back := range Day(8) {
			if rate := r[d-back][currency]; rate != nil {
				return rate
			}
		}
		panic("no rate for " + currency + " on " + d.String())
	}
	value := new(big.Rat).Mul(big.NewRat(amount, 1), new(big.Rat).Quo(per(to), per(from)))
	for shift := exponents[to] - exponents[from]; shift != 0; {
		if shift > 0 {
			value.Mul(value, big.NewRat(10, 1))
			shift--
		} else {
			value.Mul(value, big.NewRat(1, 10))
			shift++
		}
	}
	return round(value)
}

// View is what a report's filters select, and within that a value of its
// breakdown.
type View struct {
	Member func(*Member) bool // nil selects all
	Item   func(Item) bool
	Value  func(Item) bool
	Reason func(string) bool // of leaving, of members or of cancellations
}

func (v View) takes(m *Member) bool {
	return (v.Member == nil || v.Member(m)) && (v.Reason == nil || v.Reason(m.Reason))
}

// all reports whether the view takes whole members.
func (v View) all() bool { return v.Item == nil && v.Value == nil }

func (v View) has(i Item) bool {
	return (v.Item == nil || v.Item(i)) && (v.Value == nil || v.Value(i))
}

// at is what a member's subscriptions are worth at the end of a day, one item
// per subscription and plan.
func (m *Member) at(d Day) []Item {
	d = min(d, m.History.Last) // nothing is known to change after it
	if m.slots == nil {
		m.slots = map[Day][]Item{}
	}
	if items, known := m.slots[d]; known {
		return items
	}
	var items []Item
	for _, s := range m.History.Streams {
		sums := map[Item]int64{}
		for _, item := range s.Days[d] {
			sums[Item{Stream: s.Subscription, Plan: item.Plan, Currency: item.Currency, Terms: item.Terms}] += item.Amount
		}
		for item, amount := range sums {
			if item.Amount = amount; amount > 0 {
				items = append(items, item)
			}
		}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Currency, b.Currency), cmp.Compare(fmt.Sprint(a.Terms), fmt.Sprint(b.Terms)))
	})
	m.slots[d] = items
	return items
}

func (v View) items(m *Member, d Day) []Item {
	if v.all() {
		return m.at(d)
	}
	var items []Item
	for _, item := range m.at(d) {
		if v.has(item) {
			items = append(items, item)
		}
	}
	return items
}

// worth is the sum of items in a currency at a day's rates.
func (c *Company) worth(items []Item, currency string, d Day) int64 {
	var sum int64
	for _, item := range items {
		sum += c.Rates.Convert(item.Amount, item.Currency, currency, d)
	}
	return sum
}

// Change is a movement of a member within a view.
type Change struct {
	Member   *Member
	Day      Day
	Type     string
	Currency string
	Amount   int64 // in Currency
	Before   []Item
	After    []Item
}

// Age is how many whole months lie between the member's first day of payment up
// to today, else of its creation, and another day; -1 when that was later.
func (c *Company) Age(m *Member, on Day) int {
	d := c.firstPaid(m)
	if d == noDay {
		d = c.created(m)
	}
	if d > on || d == noDay {
		return -1
	}
	year, month, dom := d.Time().Date()
	for age := 0; ; age++ {
		last := Date(year, month+time.Month(age+2), 0) // of the month that the age is reached in
		reached := min(last, Date(year, month+time.Month(age+1), 1)+Day(dom-1))
		if reached > on {
			return age
		}
	}
}

// Status is where a member stands today.
func (c *Company) Status(m *Member) string {
	start, end := c.trial(m)
	switch {
	case m.History.PastDue:
		return "past_due"
	case len(m.at(c.Today)) > 0:
		return "active"
	case c.firstPaid(m) != noDay:
		return "canceled"
	case start == noDay || start > c.Today:
		return "lead"
	case c.Today < end:
		return "trialing"
	default:
		return "trial_ended"
	}
}

// trial is the first day of the member's trial and the first after it.
func (c *Company) trial(m *Member) (start, end Day) {
	start, end = c.trialStart(m), m.History.TrialEnd
	if start != noDay && end == noDay {
		end = start + Day(c.Settings.TrialDays)
	}
	return start, end
}

func word(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func date(d Day) any {
	if d == noDay {
		return nil
	}
	return d.String()
}

// Changes lists the movements within a view, by member and day. Those of type
// "none" change a currency at equal value, which may not be equal at the rates of
// a report: typed says what they are there.
func (c *Company) Changes(v View) []Change {
	var list []Change
	for _, m := range c.Members {
		if !v.takes(m) {
			continue
		}
		var before []Item
		paid := false
		for d := m.History.First; d <= m.History.Last; d++ {
			after := v.items(m, d)
			if !slices.Equal(before, after) {
				change := Change{Member: m, Day: d, Before: before, After: after}
				c.classify(&change, paid)
				list = append(list, change)
			}
			paid = paid || len(after) > 0
			before = after
		}
	}
	return list
}

func (c *Company) classify(change *Change, paid bool) {
	currencies := map[string]bool{}
	for _, item := range slices.Concat(change.Before, change.After) {
		currencies[item.Currency] = true
	}
	change.Currency = c.Base
	if len(currencies) == 1 {
		change.Currency = slices.Collect(maps.Keys(currencies))[0]
	}
	at := min(change.Day, c.Today) // the rates of days to come are not known
	before := c.worth(change.Before, change.Currency, at)
	after := c.worth(change.After, change.Currency, at)
	change.Amount = after - before
	switch {
	case len(change.Before) == 0 || len(change.After) == 0:
		change.Type = classify(int64(len(change.Before)), int64(len(change.After)), paid)
	case before == after:
		change.Type = "none"
	case before < after: // even from what is less than a cent
		change.Type = "expansion"
	default:
		change.Type = "contraction"
	}
}

// typed is the type of a change that is worth an amount in a report, so that
// nothing is lost: what is no movement at the day's own rates goes by its sign.
func typed(ch Change, amount int64) string {
	switch {
	case ch.Type != "none" || amount == 0:
		return ch.Type
	case amount > 0:
		return "expansion"
	default:
		return "contraction"
	}
}

// BillingFreq is the frequency that reports give a plan.
func (p Plan) BillingFreq() string {
	if p.Unit == "month" && p.Count == 3 {
		return "quarter"
	}
	return p.Unit
}
