package ledger

import (
	"cmp"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Replayer turns the events of one customer after another into ledgers. It
// reuses its scratch memory and is not safe for concurrent use; the ledgers it
// returns are independent of it.
type Replayer struct {
	set   Settings
	plans []Plan
	today calendar.Day

	events   []Event
	order    []ordered
	items    []item
	streams  []stream
	tape     tape
	charges  []charge // subscription invoices applied so far, in order
	facts    Ledger   // what was true at the end of today
	wake     calendar.Day
	paid     []Total
	invoices []Invoice // in order
	extras   []*Extra
	taxed    []Taxed
	endings  []Ending // in the order of their rows
	moves    []Movement
	mover    Mover

	lastCurrency money.Currency
	zeroEnd      calendar.Day // end of the latest zero-amount period before the first payment
	zeroStart    calendar.Day
	captured     bool
}

// NewReplayer returns a Replayer for an account. plans is indexed by PlanRef,
// with plans[0] unused.
func NewReplayer(set Settings, plans []Plan) *Replayer {
	return &Replayer{set: set, plans: plans}
}

// ordered is an event's place in the replay: by instant, then day, kind and id.
type ordered struct {
	instant int64
	day     calendar.Day // effective day
	index   int32
	rank    uint8
}

// charge is one subscription invoice that was applied.
type charge struct {
	event  int32
	stream int32
	day    calendar.Day
}

// Replay returns the ledger of one customer at the end of today. events may be
// in any order and are not modified. trialStarted is the customer's own record
// of it, zero when not stated.
func (r *Replayer) Replay(events []Event, trialStarted calendar.Stamp, today calendar.Day) *Ledger {
	r.reset(events, today)
	for i := range r.order {
		o := &r.order[i]
		if o.day > today {
			r.capture()
			r.wakeOn(o.day)
		}
		r.apply(o)
	}
	r.capture()
	r.finish()
	return r.ledger(trialStarted)
}

func (r *Replayer) reset(events []Event, today calendar.Day) {
	r.today, r.events = today, events
	r.charges, r.paid = r.charges[:0], r.paid[:0]
	r.invoices, r.taxed, r.extras = r.invoices[:0], r.taxed[:0], r.extras[:0]
	r.endings = r.endings[:0]
	for i := range r.streams {
		r.streams[i].clear()
	}
	r.streams = r.streams[:0]
	r.tape.reset()
	r.facts = Ledger{
		Today: today, FirstPaid: calendar.NoDay, FirstInvoice: calendar.NoDay, TrialStart: calendar.NoDay,
		TrialEnd: calendar.NoDay, CancelRequest: calendar.NoDay, CancelEnd: calendar.NoDay,
		Overdue: calendar.NoDay, NextBilling: calendar.NoDay,
	}
	r.wake, r.captured = calendar.Never, false
	r.lastCurrency, r.zeroStart, r.zeroEnd = money.None, calendar.NoDay, calendar.NoDay
	r.sort()
}

// rank orders events at one instant, so that "cancel all, start new" keeps the
// new subscription and a named one that starts and ends at once is ended.
func rank(ev *Event) uint8 {
	switch {
	case ev.Kind == Cancellation && ev.Subscription == 0:
		return 0
	case ev.Kind == Subscription:
		return 1
	case ev.Kind == Refund:
		return 2
	case ev.Kind == Cancellation:
		return 3
	default:
		return 4
	}
}

func (r *Replayer) sort() {
	zone := r.set.Zone
	r.order = r.order[:0]
	sorted := true
	for i := range r.events {
		ev := &r.events[i]
		o := ordered{instant: ev.Date.Instant(zone), day: ev.Date.Day(zone), index: int32(i), rank: rank(ev)}
		if ev.Kind == Subscription && !ev.Start.IsZero() { // paid in advance, it acts when the period starts
			o.instant, o.day = max(o.instant, ev.Start.Instant(zone)), max(o.day, ev.Start.Day(zone))
		}
		if n := len(r.order); n > 0 && r.compare(r.order[n-1], o) > 0 {
			sorted = false
		}
		r.order = append(r.order, o)
	}
	if !sorted {
		slices.SortFunc(r.order, r.compare)
	}
}

func (r *Replayer) compare(a, b ordered) int {
	if a.instant != b.instant {
		return cmp.Compare(a.instant, b.instant)
	}
	if a.day != b.day { // the zone skipped one: both begin at the same instant
		return cmp.Compare(a.day, b.day)
	}
	if a.rank != b.rank {
		return cmp.Compare(a.rank, b.rank)
	}
	return cmp.Compare(r.events[a.index].ID, r.events[b.index].ID)
}

// wakeOn notes a day after today on which the ledger changes by itself.
func (r *Replayer) wakeOn(day calendar.Day) {
	if day > r.today && day < r.wake {
		r.wake = day
	}
}

func (r *Replayer) apply(o *ordered) {
	ev := &r.events[o.index]
	if ev.Status == Void || ev.Status == Uncollectible {
		r.bill(ev, r.unbilled(ev))
		return
	}
	for i := range r.streams {
		r.settle(&r.streams[i], o.day)
	}
	currency := r.currency(ev)
	r.bill(ev, currency)
	r.cash(ev, currency)
	switch ev.Kind {
	case Subscription:
		r.subscription(o, ev, currency)
	case Refund:
		r.refund(o, ev)
	case Cancellation:
		r.cancel(o, ev)
	case OneTime:
	}
}

// currency returns the event's currency: as stated, else the plan's, else the
// customer's last, else the account's base.
func (r *Replayer) currency(ev *Event) money.Currency {
	c := ev.Currency
	if c == money.None && int(ev.Plan) < len(r.plans) {
		c = r.plans[ev.Plan].Currency
	}
	if c == money.None {
		c = r.lastCurrency
	}
	if c == money.None {
		c = r.set.Base
	}
	r.lastCurrency = c
	return c
}

// cash counts what was received up to today, whatever it does to MRR: on its
// payment date, else on its own.
func (r *Replayer) cash(ev *Event, currency money.Currency) {
	day := ev.Date.Day(r.set.Zone)
	if f := r.facts.FirstInvoice; f == calendar.NoDay || day < f {
		r.facts.FirstInvoice = day
	}
	if day > r.today {
		r.wakeOn(day)
	}
	if ev.Status != Paid {
		return
	}
	if x := ev.Extra; x != nil && !x.PaymentDate.IsZero() {
		day = x.PaymentDate.Day(r.set.Zone)
	}
	if day > r.today {
		r.wakeOn(day)
		return
	}
	amount := ev.Amount
	switch {
	case ev.Kind == Refund:
		amount = -abs(amount)
	case amount > 0:
		r.facts.Payments++
	}
	if amount == 0 {
		return
	}
	for i := range r.paid {
		if r.paid[i].Currency == currency {
			r.paid[i].Amount += amount
			return
		}
	}
	r.paid = append(r.paid, Total{Currency: currency, Amount: amount})
}

// settle ends a stream whose end lies before an event on day, or at the end of
// that day for today's closing.
func (r *Replayer) settle(s *stream, day calendar.Day) {
	if !s.running {
		return
	}
	if s.pending {
		r.wakeOn(s.cancelEnd)
		if s.cancelEnd < day {
			r.close(s, s.cancelEnd, ByCancellation)
		}
		return
	}
	if s.unpaid && r.set.AutoChurnDays != NoAutoChurn {
		limit := max(s.paidThrough, s.unpaidSince+calendar.Day(r.set.AutoChurnDays))
		r.wakeOn(limit + 1)
		if day > limit && r.today > limit {
			r.close(s, s.paidThrough, ByInvoluntary)
			return
		}
	}
	if !r.set.NonRenewalChurn {
		return
	}
	// Churn is known once the grace has passed and dated at the paid-through day.
	limit := s.paidThrough + s.grace
	r.wakeOn(s.paidThrough)
	r.wakeOn(limit)
	if day > limit && r.today >= limit {
		r.close(s, s.paidThrough, s.expiry())
	}
}

// capture notes what is true at the end of today, before any scheduled event.
func (r *Replayer) capture() {
	if r.captured {
		return
	}
	r.captured = true
	for i := range r.streams {
		r.settle(&r.streams[i], r.today+1)
	}
	r.captureFacts()
}

// finish applies what is scheduled for running streams.
func (r *Replayer) finish() {
	for i := range r.streams {
		s := &r.streams[i]
		if !s.running {
			continue
		}
		if s.pending {
			r.close(s, s.cancelEnd, ByCancellation)
			continue
		}
		r.settle(s, calendar.Never) // notes the days to wake on
	}
}

// close ends a stream on day. Whatever its slots did on that day or later is
// undone: a day has one end.
func (r *Replayer) close(s *stream, day calendar.Day, cause Cause) {
	for i := range s.lines {
		l := &s.lines[i]
		r.tape.truncate(l.slot, day)
		ended := l.state
		ended.MRR, ended.Quantity, ended.Discount = 0, 0, 0
		l.state, l.raw = ended, 0
		r.tape.push(l.slot, day, cause, ended)
	}
	if cause != ByCancellation {
		r.stopped(s, day, cause)
	}
	s.running, s.pending, s.unpaid = false, false, false
	s.parts = s.parts[:0]
	s.endedOn, s.endCause = day, cause
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
