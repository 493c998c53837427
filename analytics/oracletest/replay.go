package oracletest

import (
	"cmp"
	"math/big"
	"slices"
	"time"
)

// Item is a priced plan within a stream on one day.
type Item struct {
	Stream   string
	Plan     string
	Currency string
	Terms
	Amount int64
}

// Terms are what the invoice in force says beside plan and price. A prorated row
// that adds to it leaves them as they are.
type Terms struct {
	Method     string // of payment
	Metered    bool   // pricing model
	Discounted bool
}

// Stream is one subscription of a customer, with its value for every day.
type Stream struct {
	Subscription string
	Days         map[Day][]Item         // no entry: no value on that day
	Seats        map[Day]map[Item]seats // by item without its amount

	running  bool
	parts    []part
	through  Day     // paid through, E of the definitions
	grace    Day     // G
	started  Day     // start of the run
	segment  Day     // start of the segment in force
	setStart Day     // period_start that the parts share, noDay if none
	unpaid   Day     // since when an unpaid invoice is in force, noDay if none
	bought   bool    // what was paid last was worth something
	ends     Day     // scheduled end, noDay if none
	ended    Day     // last end, noDay if none
	asked    *Ending // behind ends or ended, nil if none
}

// part is what one item of one invoice contributes to a stream.
type part struct {
	invoice  string
	plan     string
	currency string
	terms    Terms
	amount   int64 // before refunds
	left     int64 // after refunds
	seats    seats
}

// Customer is a customer's recomputed history.
type Customer struct {
	First, Last Day // the days that were computed
	Streams     []*Stream
	Endings     []*Ending
	Open        bool              // an invoice adds to a set whose plans the rules leave open
	Refunded    map[string]string // id of the invoice that a refund gives back, by its own

	// What follows is as of today.

	PastDue    bool  // a stream with value waits for its payment
	Overdue    []Day // of each such stream the first day that is not paid for, noDay with an unpaid invoice
	TrialStart Day   // NoDay if none
	TrialEnd   Day
	Payments   int // paid invoices of a positive amount
}

// NoDay is no day.
const NoDay = noDay

const noDay Day = -1 << 31

// replay is the state of one recomputation.
type replay struct {
	set      Settings
	plans    map[string]Plan
	today    Day
	streams  []*Stream
	last     Day
	applied  []applied
	refunded map[string]int64
	paid     bool // something has been worth something
	facts    Customer
	endings  []*Ending
}

// applied is a subscription invoice that has been replayed.
type applied struct {
	invoice Invoice
	stream  *Stream
}

// effective is the moment at which an invoice counts.
func effective(i Invoice, zone *time.Location) time.Time {
	at := instant(i.Date, zone)
	if i.Type == "subscription" && !i.Start.IsZero() {
		if start := instant(i.Start, zone); start.After(at) {
			return start
		}
	}
	return at
}

func effectiveDay(i Invoice, zone *time.Location) Day {
	d := day(i.Date, zone)
	if i.Type == "subscription" && !i.Start.IsZero() {
		d = max(d, day(i.Start, zone))
	}
	return d
}

// rank orders invoices of one instant.
func rank(i Invoice) int {
	switch {
	case i.Type == "cancellation" && i.Subscription == "":
		return 0
	case i.Type == "subscription":
		return 1
	case i.Type == "refund":
		return 2
	case i.Type == "cancellation":
		return 3
	default:
		return 4
	}
}

// Sort puts invoices in the order in which they count.
func Sort(set Settings, invoices []Invoice) {
	slices.SortFunc(invoices, func(a, b Invoice) int {
		return cmp.Or(effective(a, set.Zone).Compare(effective(b, set.Zone)), rank(a)-rank(b), cmp.Compare(a.ID, b.ID))
	})
}

// Replay recomputes one customer as of the end of today.
func Replay(set Settings, plans map[string]Plan, invoices []Invoice, today Day) *Customer {
	r := &replay{set: set, plans: plans, today: today, refunded: map[string]int64{}}
	var counted []Invoice
	for _, i := range invoices {
		if i.Status != "void" && i.Status != "uncollectible" {
			counted = append(counted, i)
		}
	}
	Sort(set, counted)
	if len(counted) == 0 {
		return &Customer{First: today, Last: today, TrialStart: noDay, TrialEnd: noDay}
	}
	r.facts = Customer{TrialStart: noDay, TrialEnd: noDay, Refunded: map[string]string{}}
	first := effectiveDay(counted[0], set.Zone)
	r.last = today
	for _, i := range counted {
		first = min(first, effectiveDay(i, set.Zone))
		r.last = max(r.last, effectiveDay(i, set.Zone))
	}
	for d := first; d <= r.last; d++ {
		for _, i := range counted {
			if effectiveDay(i, set.Zone) == d {
				r.apply(i, d)
			}
		}
		for _, s := range r.streams {
			if s.running && s.ends == d {
				s.end(d)
			}
			r.expire(s, d)
			s.record(d)
			if d == today && r.pastDue(s, d) {
				r.owing(s)
			}
		}
	}
	for _, i := range counted {
		if i.paid() && i.Amount > 0 && i.Type != "refund" && i.paidOn(set.Zone) <= today {
			r.facts.Payments++
		}
	}
	r.facts.First, r.facts.Last, r.facts.Streams, r.facts.Endings = first, r.last, r.streams, r.endings
	return &r.facts
}

// pastDue reports whether a stream with value is in its grace or unpaid.
func (r *replay) pastDue(s *Stream, d Day) bool {
	grace := s.ends == noDay && d >= s.through && d < s.through+s.grace
	return s.running && len(s.Totals(d)) > 0 && (grace || s.unpaid != noDay)
}

// owing notes a stream that is past due.
func (r *replay) owing(s *Stream) {
	r.facts.PastDue = true
	since := s.through
	if s.unpaid != noDay {
		since = noDay
	}
	r.facts.Overdue = append(r.facts.Overdue, since)
}

// end ends a stream on a day; whatever was recorded from that day on is undone.
func (s *Stream) end(d Day) {
	for recorded := range s.Days {
		if recorded >= d {
			delete(s.Days, recorded)
			delete(s.Seats, recorded)
		}
	}
	s.running, s.parts, s.ends, s.ended, s.unpaid = false, nil, noDay, d, noDay
}

// record writes down the value of the stream at the end of a day.
func (s *Stream) record(d Day) {
	for _, p := range s.parts {
		item := Item{Stream: s.Subscription, Plan: p.plan, Currency: p.currency, Terms: p.terms}
		if s.Seats[d] == nil {
			s.Seats[d] = map[Item]seats{}
		}
		s.Seats[d][item] = s.Seats[d][item].add(p)
		item.Amount = p.left
		s.Days[d] = append(s.Days[d], item)
	}
}

// expire ends a stream that has not been renewed, or not been paid for long.
func (r *replay) expire(s *Stream, d Day) {
	if !s.running || s.ends != noDay {
		return
	}
	if s.unpaid != noDay && r.set.AutoChurnDays >= 0 && d >= max(s.through, s.unpaid+Day(r.set.AutoChurnDays)) && d < r.today {
		r.stop(s)
		return
	}
	if r.set.NonRenewalChurn && d <= r.today && d >= s.through+s.grace {
		r.stop(s)
	}
}

func (r *replay) apply(i Invoice, d Day) {
	switch i.Type {
	case "subscription":
		r.subscription(i, d)
		for _, s := range r.streams {
			var sum int64
			for _, p := range s.parts {
				sum += p.left
			}
			r.paid = r.paid || sum > 0
		}
	case "refund":
		r.refund(i, d)
	case "cancellation":
		r.cancel(i, d)
	}
}

func (r *replay) stream(subscription string) *Stream {
	for _, s := range r.streams {
		if s.Subscription == subscription {
			return s
		}
	}
	s := &Stream{Subscription: subscription, Days: map[Day][]Item{}, Seats: map[Day]map[Item]seats{}, ends: noDay, ended: noDay, setStart: noDay, unpaid: noDay}
	r.streams = append(r.streams, s)
	return s
}

// route finds the stream of a subscription invoice.
func (r *replay) route(i Invoice, d Day) *Stream {
	if i.Subscription != "" {
		return r.stream(i.Subscription)
	}
	var active, inGrace []*Stream
	var last *Stream
	for _, s := range r.streams {
		switch {
		case s.Subscription == "":
		case s.running && (d < s.through || d < s.ends):
			active = append(active, s)
		case s.running:
			inGrace = append(inGrace, s)
		case s.ended != noDay && (last == nil || s.ended >= last.ended):
			last = s
		}
	}
	switch {
	case len(active) == 1:
		return active[0]
	case len(active) > 1:
		return r.stream("")
	case len(inGrace) == 1:
		return inGrace[0]
	case len(inGrace) > 1 || last == nil:
		return r.stream("")
	default:
		return last
	}
}

// lines returns the invoice's items: itself if it states none.
func (i Invoice) lines() []Line {
	if len(i.Lines) == 0 {
		return []Line{{
			Plan: i.Plan, Amount: i.Amount, Tax: i.Tax, Discount: i.Discount, DiscountOnce: i.DiscountOnce,
			Start: i.Start, End: i.End, Proration: i.Proration, Quantity: i.Quantity,
		}}
	}
	var lines []Line
	for _, l := range i.Lines {
		if l.OneTime {
			continue
		}
		if l.Plan == "" {
			l.Plan = i.Plan
		}
		if l.Start.IsZero() && l.End.IsZero() {
			l.Start, l.End = i.Start, i.End
		}
		lines = append(lines, l)
	}
	return lines
}

// period returns the days of a line's period, noDay where not stated.
func (l Line) period(zone *time.Location) (start, end Day) {
	start, end = noDay, noDay
	if !l.Start.IsZero() {
		start = day(l.Start, zone)
	}
	if !l.End.IsZero() {
		end = endDay(l.End, zone)
	}
	if start != noDay && end == start {
		end++
	}
	return start, end
}

func (r *replay) subscription(i Invoice, d Day) {
	var full, prorated []Line
	for _, l := range i.lines() {
		if l.Proration == "" {
			full = append(full, l)
		} else {
			prorated = append(prorated, l)
		}
	}
	if len(full)+len(prorated) == 0 {
		return
	}
	s := r.route(i, d)
	r.applied = append(r.applied, applied{i, s})
	if len(full) > 0 {
		r.full(s, i, full, d)
	}
	if len(full) > 0 {
		prorated = slices.DeleteFunc(prorated, func(l Line) bool { return r.basis(l).Sign() < 0 })
	}
	if len(prorated) > 0 {
		r.prorate(s, i, prorated, d)
	}
}

// start begins a run unless the stream is running.
func (s *Stream) start(d Day) {
	if s.running {
		return
	}
	s.running, s.started, s.segment = true, d, d
	s.parts, s.setStart, s.unpaid, s.ends, s.bought = nil, noDay, noDay, noDay, false
}

// basis is what an item was invoiced for.
func (r *replay) basis(l Line) *big.Rat {
	amount := l.Amount - l.Tax
	if l.DiscountOnce && !r.set.SubtractOneTimeDiscounts {
		amount += l.Discount
	}
	return big.NewRat(amount, 1)
}

func (i Invoice) paid() bool { return i.Status == "" || i.Status == "paid" }

// paidOn is the day on which a paid invoice counts as cash.
func (i Invoice) paidOn(zone *time.Location) Day {
	if i.Paid.IsZero() {
		return day(i.Date, zone)
	}
	return day(i.Paid, zone)
}

func (r *replay) full(s *Stream, i Invoice, lines []Line, d Day) {
	if s.running && s.ends <= d && s.ends != noDay {
		s.end(s.ends) // it has ended today; what follows is new
	}
	backBill := s.running
	through, period := noDay, Day(0)
	sum, stated := new(big.Rat), noDay
	var parts []part
	for _, l := range lines {
		plan := r.plans[l.Plan]
		from, to := l.period(r.set.Zone)
		months := plan.months()
		if from != noDay && to != noDay {
			months = plan.length(from, to)
		}
		if to == noDay || to > s.segment {
			backBill = false
		}
		lineThrough := plan.add(d)
		if to != noDay && to > d {
			lineThrough = to
		}
		linePeriod := lineThrough - d
		if from != noDay && to != noDay {
			linePeriod = to - from
		}
		sum.Add(sum, r.basis(l))
		stated = max(stated, to)
		if lineThrough > through {
			through, period = lineThrough, linePeriod
		}
		amount := round(new(big.Rat).Quo(r.basis(l), months))
		parts = append(parts, part{
			invoice: i.ID, plan: l.Plan, currency: i.Currency, terms: r.terms(i, l), amount: amount, left: amount,
			seats: seats{quantity: max(1, l.Quantity), discount: l.Discount},
		})
	}
	if backBill {
		return
	}
	wasRunning := s.running
	start, _ := lines[0].period(r.set.Zone)
	s.start(d)
	if wasRunning && s.Subscription == "" && start != noDay && start == s.setStart {
		r.facts.Open = r.facts.Open || slices.ContainsFunc(s.parts, func(p part) bool { return p.plan == unclear })
		parts = append(slices.DeleteFunc(s.parts, func(p part) bool {
			return slices.ContainsFunc(parts, func(n part) bool { return n.plan == p.plan && n.currency == p.currency })
		}), parts...)
	} else {
		s.segment, s.setStart = d, start
	}
	s.parts = parts
	if sum.Sign() == 0 && !r.paid && d <= r.today {
		r.trial(d, stated)
	}
	if !i.paid() {
		s.owe(d)
		if !wasRunning {
			s.grace = r.graceOf(period)
		}
		return
	}
	s.through, s.grace, s.unpaid, s.bought = through, r.graceOf(period), noDay, sum.Sign() > 0
	if s.ends != noDay && through > s.ends {
		s.ends, s.asked.Voided = noDay, d
	}
}

// trial notes a zero-amount invoice of a customer who never paid.
func (r *replay) trial(d, stated Day) {
	if r.facts.TrialStart == noDay {
		r.facts.TrialStart = d
	}
	r.facts.TrialEnd = max(r.facts.TrialEnd, stated)
}

// owe notes an unpaid invoice: it holds the stream without extending it, and
// without what was paid before, as in a trial, no longer than from its day.
func (s *Stream) owe(d Day) {
	if s.unpaid != noDay {
		return
	}
	if s.unpaid = d; !s.bought {
		s.through = d
	}
}

// graceOf is G for a billing period of so many days.
func (r *replay) graceOf(days Day) Day {
	if r.set.GraceDays == 0 {
		return 0
	}
	return max(1, min(Day(r.set.GraceDays), days/2))
}

// prorate applies the prorated items of an invoice.
func (r *replay) prorate(s *Stream, i Invoice, lines []Line, d Day) {
	for _, l := range lines {
		from, to := l.period(r.set.Zone)
		if from == noDay || to == noDay || r.basis(l).Sign() == 0 || s.settled(l.Plan, r.basis(l).Sign() < 0, to, d) {
			continue
		}
		plan := r.plans[l.Plan]
		cycle := plan.add(from) - from
		value := new(big.Rat).Mul(r.basis(l), big.NewRat(int64(cycle), int64(max(1, to-from))))
		amount := round(value.Quo(value, plan.months()))
		wasRunning := s.running
		s.start(d)
		if !wasRunning {
			s.through, s.grace = to, r.graceOf(to-from)
		}
		row := part{invoice: i.ID, plan: l.Plan, currency: i.Currency, terms: s.termsFor(r.terms(i, l), l.Plan, i.Currency), seats: seats{mended: true}}
		if l.Proration == "full" {
			row.terms = r.terms(i, l)
			s.parts = slices.DeleteFunc(s.parts, func(p part) bool { return p.invoice != i.ID })
			amount = max(0, amount)
		}
		row.amount, row.left = amount, amount
		s.replan(&row, r.basis(l).Sign() < 0)
		s.parts = append(s.parts, row)
		if i.paid() {
			s.through, s.bought = max(s.through, to), s.bought || r.basis(l).Sign() > 0
		} else {
			s.owe(d)
		}
	}
}

// settled tells of a prorated item until day to whether the stream knows what it
// says: what is in force is for a later time, or replaced today what it credits.
func (s *Stream) settled(plan string, credit bool, to, d Day) bool {
	if !s.running {
		return to <= d
	}
	if from := s.setStart; from != noDay && to <= from || from == noDay && to <= s.segment {
		return true
	}
	return credit && s.segment == d && len(s.parts) == 1 && s.parts[0].amount > 0 && s.parts[0].plan != plan
}

// terms are those that a line of an invoice states.
func (r *replay) terms(i Invoice, l Line) Terms {
	return Terms{Method: i.Method, Metered: i.Metered || r.plans[l.Plan].Metered, Discounted: l.Discount != 0}
}

// termsFor are the terms of a prorated row: those of what it changes, its own
// when it is the first of its currency.
func (s *Stream) termsFor(own Terms, plan, currency string) Terms {
	terms := own
	for _, p := range slices.Backward(s.parts) {
		if p.currency == currency {
			if terms = p.terms; p.plan == plan {
				return terms
			}
		}
	}
	return terms
}

// unclear is the plan of a prorated row that the rules do not tell.
const unclear = "?"

// replan makes the plan of a prorated charge the stream's plan; a credit for a
// plan that the stream does not have is for the one that it has. With several
// plans in the stream the rules leave it open.
func (s *Stream) replan(row *part, credit bool) {
	has := func(p part) bool { return p.plan == row.plan && p.currency == row.currency }
	if slices.ContainsFunc(s.parts, has) {
		return
	}
	plans := map[string]bool{}
	for _, p := range s.parts {
		if p.currency == row.currency {
			plans[p.plan] = true
		}
	}
	for k := range s.parts {
		p := &s.parts[k]
		switch {
		case p.currency != row.currency:
		case len(plans) > 1:
			row.plan = unclear
		case credit:
			row.plan = p.plan
		default:
			p.plan = row.plan
		}
	}
}
