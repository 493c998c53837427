package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// CustomerState is a customer and its revenue at the end of today. A stamp that
// does not apply is zero.
type CustomerState struct {
	*Customer
	SourceID     string
	Status       Status
	CreatedDate  calendar.Stamp // as stated, else the first that is known of the customer
	TrialStart   calendar.Stamp
	TrialEnd     calendar.Stamp // first day after the trial
	PaidStarted  calendar.Stamp // first paid day
	CancelDate   calendar.Stamp // day of churn, or of the request when the churn is still to come
	CancelEnd    calendar.Stamp // effective day of the cancellation
	OverdueDate  calendar.Stamp
	CancelReason string

	Currency          money.Currency // the customer's main currency; None before its first invoice
	MRR               int64          // minor units of the query's currency
	MRRCustomer       int64          // minor units of Currency
	Payments          int            // paid invoices of a positive amount
	TotalPaid         int64          // less refunds, in the query's currency at today's rates
	TotalPaidCustomer int64          // the same in Currency

	main *ledger.State // the running slot that is worth most, nil if none is running
}

// CustomerListReport is a page of customers by id.
type CustomerListReport struct {
	Page
	List []CustomerState
}

const (
	usualCustomers = 50
	mostCustomers  = 500
)

// CustomerList lists the customers that the filters select and the search
// matches. A filter on streams keeps customers who pay for such a stream now.
// Errors are *ParamError and *fx.MissingRateError.
func CustomerList(s *Snapshot, q *Query) (*CustomerListReport, error) {
	_, _, last, err := q.page(1<<31-1, usualCustomers, mostCustomers)
	if err != nil {
		return nil, err
	}
	sc := newScan(s, q)
	found, count := sc.listed(last)
	page, from, to, err := q.page(count, usualCustomers, mostCustomers)
	if err != nil {
		return nil, err
	}
	r := &CustomerListReport{Page: page, List: make([]CustomerState, 0, to-from)}
	for _, c := range found[from:to] {
		state, err := sc.state(c)
		if err != nil {
			return nil, err
		}
		r.List = append(r.List, state)
	}
	return r, nil
}

// listed returns the customers that the filters and the search keep, with a date
// only those created on its days, by id: so many of them at most, and how many
// there are.
func (sc *scan) listed(most int) (found []*Customer, count int) {
	full := false // found[most-1] is the last that may still be listed
	cut := func() {
		slices.SortFunc(found, byID)
		found = found[:min(most, len(found))]
		full = len(found) == most
	}
	for _, c := range sc.s.Customers {
		if !sc.sel.customer(c) || !sc.paysFor(c) || !sc.createdThen(c) || sc.q.Search != "" && !c.Contains(sc.q.Search) {
			continue
		}
		count++
		if full && byID(c, found[most-1]) > 0 {
			continue
		}
		if found = append(found, c); len(found) >= 2*most+1000 {
			cut()
		}
	}
	cut()
	return found, count
}

// createdThen reports whether a customer was created on a day that was asked for.
func (sc *scan) createdThen(c *Customer) bool {
	if !sc.q.DateGiven {
		return true
	}
	created := sc.s.created(c)
	return !created.IsZero() && sc.q.Range.Contains(created.Day(sc.s.Settings.Zone))
}

// byID orders customers by id, those of the same id by source.
func byID(a, b *Customer) int {
	if order := strings.Compare(a.ID, b.ID); order != 0 {
		return order
	}
	return cmp.Compare(a.Source, b.Source)
}

// paysFor reports whether the filters on streams, if there are any, match a
// running slot of the customer.
func (sc *scan) paysFor(c *Customer) bool {
	return sc.match == nil || slices.ContainsFunc(sc.running(c.Ledger), func(st *ledger.State) bool { return sc.match(st) })
}

// running returns the states of the slots that have value at the end of today.
// The next call overwrites them.
func (sc *scan) running(l *ledger.Ledger) []*ledger.State {
	sc.slots = l.AppendLatest(sc.slots[:0], sc.s.Today)
	running := sc.slots[:0]
	for _, st := range sc.slots {
		if st != nil && st.MRR > 0 {
			running = append(running, st)
		}
	}
	return running
}

// ratesTo returns the rates of today to a currency.
func (sc *scan) ratesTo(c money.Currency) *rates {
	if sc.today == nil {
		sc.today = map[money.Currency]*rates{}
	}
	r := sc.today[c]
	if r == nil {
		r = newRates(sc.s, c, calendar.NoDay)
		sc.today[c] = r
	}
	return r
}

// state describes a customer.
func (sc *scan) state(c *Customer) (CustomerState, error) {
	cs := sc.s.stateOf(c)
	if err := sc.revenue(&cs); err != nil {
		return CustomerState{}, err
	}
	return cs, nil
}

// StateOf describes a customer without its revenue.
func StateOf(s *Snapshot, c *Customer) CustomerState { return s.stateOf(c) }

// stateOf describes a customer without its revenue.
func (s *Snapshot) stateOf(c *Customer) CustomerState {
	l := c.Ledger
	cs := CustomerState{
		Customer: c, SourceID: s.source(c.Source).ID, Status: c.Status(), CreatedDate: s.created(c),
		TrialStart: c.TrialStarted, TrialEnd: stamp(l.TrialEnd), PaidStarted: stamp(l.FirstPaid),
		CancelEnd: stamp(l.CancelEnd), OverdueDate: stamp(l.Overdue), CancelReason: s.cancelReason(c), Payments: int(l.Payments),
	}
	if cs.TrialStart.IsZero() {
		cs.TrialStart = stamp(l.TrialStart)
	}
	cs.CancelDate = cs.CancelEnd
	if l.CancelEnd.Valid() && l.CancelEnd > s.Today {
		cs.CancelDate = stamp(l.CancelRequest)
	}
	return cs
}

// revenue fills in the amounts.
func (sc *scan) revenue(cs *CustomerState) error {
	today := sc.s.Today
	running := sc.running(cs.Ledger)
	best := int64(-1)
	for _, st := range running {
		worth, err := sc.rates.convert(st.MRR, st.Currency, today)
		if err != nil {
			return err
		}
		cs.MRR += worth
		if worth > best {
			best, cs.Currency, cs.main = worth, st.Currency, st
		}
	}
	if cs.Currency == money.None {
		cs.Currency = lastCurrency(cs.Ledger)
	}
	own := sc.ratesTo(cs.Currency)
	for _, st := range running {
		worth, err := own.convert(st.MRR, st.Currency, today)
		if err != nil {
			return err
		}
		cs.MRRCustomer += worth
	}
	for _, paid := range cs.Ledger.Paid {
		worth, err := sc.rates.convert(paid.Amount, paid.Currency, today)
		if err != nil {
			return err
		}
		cs.TotalPaid += worth
		if worth, err = own.convert(paid.Amount, paid.Currency, today); err != nil {
			return err
		}
		cs.TotalPaidCustomer += worth
	}
	return nil
}

// lastCurrency is the currency of a customer for whom nothing runs now.
func lastCurrency(l *ledger.Ledger) money.Currency {
	if n := len(l.Changes); n > 0 {
		return l.Changes[n-1].After.Currency
	}
	if len(l.Paid) > 0 {
		return l.Paid[0].Currency
	}
	return money.None
}

// created is the stated date, else the earliest day that is known of: the start
// of a trial, the first invoice, or the day on which the row first came in. It is
// zero when nothing is known.
func (s *Snapshot) created(c *Customer) calendar.Stamp {
	a := arrivalOf(c)
	return s.createdAt(&a)
}

// stamp is a day as a stamp, zero for no day.
func stamp(d calendar.Day) calendar.Stamp {
	if !d.Valid() {
		return 0
	}
	return calendar.DayStamp(d)
}

// SubscriptionState is a running subscription at the end of today.
type SubscriptionState struct {
	ID          string // subscription_id; "" when the invoices name none
	PlanID      string
	PlanName    string
	Status      string // active, past_due, or canceling when its end is scheduled
	Currency    money.Currency
	MRR         int64 // minor units of Currency
	Quantity    int64
	Start       calendar.Stamp
	PeriodEnd   calendar.Stamp // first day that is not paid for
	NextBilling calendar.Stamp // zero when its end is scheduled
}

// CustomerDetailReport is a customer with its subscriptions.
type CustomerDetailReport struct {
	CustomerState
	Subscriptions []SubscriptionState
}

// CustomerDetail describes one customer. Subscriptions that price several items
// are listed once per item.
func CustomerDetail(s *Snapshot, q *Query, c *Customer) (*CustomerDetailReport, error) {
	sc := newScan(s, q)
	state, err := sc.state(c)
	if err != nil {
		return nil, err
	}
	r := &CustomerDetailReport{CustomerState: state}
	if r.Currency == money.None {
		r.Currency = s.Settings.Base
	}
	for slot, st := range c.Ledger.Latest(s.Today) {
		if st == nil || st.MRR == 0 {
			continue
		}
		r.Subscriptions = append(r.Subscriptions, s.subscription(c.Ledger, slot, st))
	}
	return r, nil
}

func (s *Snapshot) subscription(l *ledger.Ledger, slot int, st *ledger.State) SubscriptionState {
	plan := s.plan(st.Plan)
	sub := SubscriptionState{
		ID: s.symbol(l.Slots[slot].Subscription), PlanID: plan.ID, PlanName: plan.Name, Status: "active",
		Currency: st.Currency, MRR: st.MRR, Quantity: int64(st.Quantity),
	}
	i := slices.IndexFunc(l.Streams, func(v ledger.Stream) bool { return v.Subscription == l.Slots[slot].Subscription })
	if i < 0 {
		return sub
	}
	v := &l.Streams[i]
	sub.Start, sub.PeriodEnd, sub.NextBilling = stamp(v.Start), stamp(v.PaidThrough), stamp(v.PaidThrough)
	switch {
	case v.End.Valid():
		sub.Status, sub.NextBilling = "canceling", 0
	case v.PastDue:
		sub.Status = "past_due"
	}
	return sub
}

// Customer returns the customer with an external id, nil if there is none. Of
// customers in several data sources it is that of the first.
func (s *Snapshot) Customer(id string) *Customer {
	var found *Customer
	for _, c := range s.Customers {
		if c != nil && c.Ledger != nil && c.ID == id && (found == nil || c.Source < found.Source) {
			found = c
		}
	}
	return found
}
