package ledger

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// subscription applies a subscription invoice: its full items set the stream,
// its prorated items add to it. A credit beside full items is for what these
// replace, so nothing is left that it could lower.
func (r *Replayer) subscription(o *ordered, ev *Event, currency money.Currency) {
	r.items = r.itemsOf(r.items[:0], ev)
	if len(r.items) == 0 {
		return
	}
	index := r.streamOf(ev.Subscription, o.day)
	s := &r.streams[index]
	full := 0
	for i := range r.items {
		if r.items[i].proration == NotProrated {
			r.items[full], r.items[i] = r.items[i], r.items[full]
			full++
		}
	}
	r.charges = append(r.charges, charge{event: o.index, stream: index, day: o.day})
	if full > 0 {
		r.full(s, o, ev, currency, r.items[:full])
	}
	for i := range r.items[full:] {
		if it := &r.items[full+i]; full == 0 || it.basis > 0 {
			r.prorated(s, o, ev, currency, it)
		}
	}
	cause := ByInvoice
	if full == 0 {
		cause = ByProration
	}
	r.offset(s, o.day, cause)
}

// offset takes what lines are below zero from the others: a stream is never
// negative, but a credit line counts against all of it.
func (r *Replayer) offset(s *stream, day calendar.Day, cause Cause) {
	settled := true
	for i := range s.lines {
		l := &s.lines[i]
		l.net = l.raw
		settled = settled && l.raw == l.state.MRR
	}
	if settled || len(s.lines) < 2 {
		return
	}
	for _, anyPlan := range [...]bool{false, true} {
		for i := range s.lines {
			s.take(&s.lines[i], anyPlan)
		}
	}
	for i := range s.lines {
		l := &s.lines[i]
		if mrr := max(0, l.net); mrr != l.state.MRR {
			l.state.MRR = mrr
			r.tape.push(l.slot, day, cause, l.state)
		}
	}
}

// take settles a line that is below zero with the others: those of its plan, or
// all.
func (s *stream) take(credit *line, anyPlan bool) {
	for i := range s.lines {
		l := &s.lines[i]
		if credit.net >= 0 {
			return
		}
		if l.net > 0 && l.state.Currency == credit.state.Currency && (anyPlan || l.state.Plan == credit.state.Plan) {
			taken := min(l.net, -credit.net)
			l.net -= taken
			credit.net += taken
		}
	}
}

// full applies the full items of an invoice to its stream.
func (r *Replayer) full(s *stream, o *ordered, ev *Event, currency money.Currency, items []item) {
	if s.pending && s.cancelEnd <= o.day {
		r.close(s, s.cancelEnd, ByCancellation) // it has ended today: what follows is a new run
	}
	if s.running && backBill(items, s.segment) {
		return
	}
	var through, grace calendar.Day
	var basis int64
	stated := calendar.NoDay
	for i := range items {
		if t := items[i].paidThrough(o.day); i == 0 || t > through {
			through, grace = t, items[i].grace(r.set.GraceDays, o.day)
		}
		items[i].mrr = items[i].full()
		basis += items[i].basis
		stated = max(stated, items[i].end)
	}
	adds := s.sub == 0 && s.running && items[0].start.Valid() && items[0].start == s.setStart
	wasRunning := s.running
	r.start(s, o.day)
	r.extend(s, ev, o.day, wasRunning, through, grace)
	if ev.Status == Paid {
		s.bought = basis > 0
	}
	if !adds {
		s.parts = s.parts[:0]
		s.setStart, s.segment = items[0].start, o.day
	}
	if basis == 0 {
		r.noteTrial(o.day, stated)
	}
	r.place(s, o, ev, currency, items, adds)
}

// backBill reports whether all items are for a time before the segment in
// force, which a later invoice already covers: such an invoice is cash only.
func backBill(items []item, segment calendar.Day) bool {
	for i := range items {
		if !items[i].end.Valid() || items[i].end > segment {
			return false
		}
	}
	return true
}

// start begins a run of the stream if it is not running.
func (r *Replayer) start(s *stream, day calendar.Day) {
	if s.running {
		return
	}
	s.running, s.runStart, s.segment, s.setStart = true, day, day, calendar.NoDay
	s.bought, s.unpaid, s.pending = false, false, false
	s.parts = s.parts[:0]
	for i := range s.lines {
		s.lines[i].raw = 0
	}
}

// extend moves the stream's paid-through day and grace to those of a full
// invoice. An open or failed invoice does not: it holds the stream only for the
// grace of what was paid.
func (r *Replayer) extend(s *stream, ev *Event, day calendar.Day, wasRunning bool, through, grace calendar.Day) {
	if !wasRunning {
		s.grace = grace
	}
	if ev.Status != Paid {
		r.owe(s, day)
		return
	}
	s.unpaid = false
	s.paidThrough, s.grace = through, grace
	if s.pending && through > s.cancelEnd {
		r.void(s, day) // a later full invoice
		s.pending = false
	}
}

// owe notes an unpaid invoice on the stream.
func (r *Replayer) owe(s *stream, day calendar.Day) {
	if s.unpaid {
		return
	}
	s.unpaid, s.unpaidSince = true, day
	if !s.bought {
		s.paidThrough = day // nothing of this run is paid yet, or only a trial lies before
	}
}

// noteTrial records a zero-amount period of a customer who has not paid yet; end
// is NoDay when the invoice states none.
func (r *Replayer) noteTrial(day, end calendar.Day) {
	if len(r.tape.changes) > 0 || day > r.today {
		return // has paid before, or a trial that is still to come
	}
	if r.zeroStart == calendar.NoDay {
		r.zeroStart = day
	}
	r.zeroEnd = max(r.zeroEnd, end)
}

// place gives every full item a line of the stream: the line of its plan, else
// one whose plan the invoice no longer has (a plan change), else a new one.
// Unless the items add to the set in force, lines left over end.
func (r *Replayer) place(s *stream, o *ordered, ev *Event, currency money.Currency, items []item, adds bool) {
	if len(items) == 1 && len(s.lines) <= 1 && !adds { // nearly every invoice
		if len(s.lines) == 0 {
			r.newLine(s)
		}
		r.setLine(s, 0, o, ev, currency, &items[0])
		return
	}
	taken := uint64(0)
	pick := func(want func(*line) bool) int {
		for i := range s.lines {
			if i < 64 && taken&(1<<i) == 0 && want(&s.lines[i]) {
				return i
			}
		}
		return -1
	}
	named := func(it *item) func(*line) bool {
		return func(l *line) bool { return l.state.Plan == it.plan && l.state.Currency == currency }
	}
	if adds {
		r.retire(s, o, currency, items)
	}
	// Lines whose plan the invoice still has are not up for a plan change.
	for i := range items {
		if at := pick(named(&items[i])); at >= 0 {
			taken |= 1 << at
			r.setLine(s, at, o, ev, currency, &items[i])
			items[i].plan = 0 // placed
		}
	}
	for i := range items {
		if items[i].plan == 0 {
			continue
		}
		at := -1
		if !adds {
			at = pick(func(l *line) bool { return l.raw > 0 })
			if at < 0 {
				at = pick(func(*line) bool { return true })
			}
		}
		if at < 0 {
			at = r.newLine(s)
		}
		if at < 64 {
			taken |= 1 << at
		}
		r.setLine(s, at, o, ev, currency, &items[i])
	}
	if adds {
		return
	}
	cause := ByFree // an invoice of nothing takes everything
	for i := range items {
		if items[i].mrr > 0 {
			cause = ByInvoice
		}
	}
	for i := range s.lines {
		if i >= 64 || taken&(1<<i) == 0 {
			r.endLine(s, i, o.day, cause)
		}
	}
}

// retire ends the lines of the plans that the items bill again.
func (r *Replayer) retire(s *stream, o *ordered, currency money.Currency, items []item) {
	for i := range s.lines {
		l := &s.lines[i]
		again := func(it item) bool { return it.plan == l.state.Plan }
		if l.state.Currency == currency && slices.ContainsFunc(items, again) {
			r.endLine(s, i, o.day, ByInvoice)
		}
	}
}

// endLine takes a line's value away, and what invoices contribute to it.
func (r *Replayer) endLine(s *stream, at int, day calendar.Day, cause Cause) {
	for i := range s.parts {
		if int(s.parts[i].line) == at {
			s.parts[i].line = -1
		}
	}
	l := &s.lines[at]
	l.raw, l.state.MRR, l.state.Quantity, l.state.Discount = 0, 0, 0, 0
	r.tape.push(l.slot, day, cause, l.state)
}

func (r *Replayer) newLine(s *stream) int {
	s.lines = append(s.lines, line{slot: r.tape.newSlot(s.sub, r.indexOf(s))})
	return len(s.lines) - 1
}

// setLine gives a line the value of a full item.
func (r *Replayer) setLine(s *stream, at int, o *ordered, ev *Event, currency money.Currency, it *item) {
	l := &s.lines[at]
	mrr := it.mrr
	for i := range s.parts {
		if int(s.parts[i].line) == at {
			s.parts[i].line = -1 // superseded
		}
	}
	s.parts = append(s.parts, part{event: o.index, line: int32(at), amount: mrr})
	l.raw = mrr
	l.state = State{
		MRR: max(0, mrr), Discount: it.discount, Quantity: it.quantity, Plan: it.plan, Method: ev.Method,
		Interval: it.interval, Currency: currency, Pricing: r.pricing(ev, it.plan),
	}
	cause := ByInvoice
	if mrr <= 0 {
		cause = ByFree
	}
	r.tape.push(l.slot, o.day, cause, l.state)
}

// pricing is metered when the invoice or the plan of its item says so.
func (r *Replayer) pricing(ev *Event, plan PlanRef) Pricing {
	if int(plan) >= len(r.plans) {
		return ev.Pricing
	}
	return max(ev.Pricing, r.plans[plan].Pricing)
}

// prorated applies one prorated item.
func (r *Replayer) prorated(s *stream, o *ordered, ev *Event, currency money.Currency, it *item) {
	delta, ok := it.prorated()
	if !ok || it.basis == 0 || s.settled(it, o.day) {
		return // no period to scale from, or nothing to add: cash only
	}
	wasRunning := s.running
	r.start(s, o.day)
	if !wasRunning {
		s.paidThrough, s.grace = it.end, it.grace(r.set.GraceDays, o.day)
	}
	switch {
	case ev.Status != Paid:
		r.owe(s, o.day)
	default:
		s.bought = s.bought || it.basis > 0
		s.paidThrough = max(s.paidThrough, it.end)
	}
	at := r.proratedLine(s, it, currency)
	l := &s.lines[at]
	sets := !s.inForce(at) || it.proration == FullProration // rather than adds to it
	if it.proration == FullProration {
		r.supersede(s, o)
		delta = max(0, delta) // it sets the stream, which is never negative
	}
	l.raw += delta
	s.parts = append(s.parts, part{event: o.index, line: int32(at), amount: delta})
	st := l.state
	st.MRR, st.Currency = max(0, l.raw), currency
	if it.basis > 0 || st.Plan == 0 {
		r.replan(s, at, o.day, it)
		st.Plan, st.Interval = it.plan, it.interval
		if it.quantity != 0 {
			st.Quantity = it.quantity
		}
	}
	if sets {
		st.Method, st.Pricing, st.Discount, st.Quantity = ev.Method, r.pricing(ev, it.plan), it.discount, max(1, it.quantity)
	}
	l.state = st
	r.tape.push(l.slot, o.day, ByProration, st)
}

// replan gives the plan of a prorated charge to the lines that share the plan of
// the line it is for.
func (r *Replayer) replan(s *stream, at int, day calendar.Day, it *item) {
	from := s.lines[at].state
	for i := range s.lines {
		l := &s.lines[i]
		if i != at && from.Plan != it.plan && l.state.Plan == from.Plan && l.state.Currency == from.Currency && s.inForce(i) {
			l.state.Plan, l.state.Interval = it.plan, it.interval
			r.tape.push(l.slot, day, ByProration, l.state)
		}
	}
}

// settled reports whether what a prorated item adds or takes is in the stream
// already, or will never be: it is for a time before the period in force or, of
// a stream that does not run, before day, or a credit for what an invoice for
// one other plan replaced on the same day.
func (s *stream) settled(it *item, day calendar.Day) bool {
	if !s.running {
		return it.end <= day
	}
	from := s.segment
	if s.setStart.Valid() {
		from = s.setStart
	}
	return it.end <= from || it.basis < 0 && s.segment == day && s.billsOnlyOther(it.plan)
}

// billsOnlyOther reports whether one item is in force, a charge for another plan.
func (s *stream) billsOnlyOther(plan PlanRef) bool {
	var only *part
	for i := range s.parts {
		switch p := &s.parts[i]; {
		case p.line < 0:
		case only != nil:
			return false
		default:
			only = p
		}
	}
	return only != nil && only.amount > 0 && s.lines[only.line].state.Plan != plan
}

// supersede forgets what other invoices than this one contribute to the stream.
func (r *Replayer) supersede(s *stream, o *ordered) {
	for i := range s.lines {
		s.lines[i].raw = 0
	}
	for i := range s.parts {
		p := &s.parts[i]
		switch {
		case p.event != o.index:
			p.line = -1
		case p.line >= 0:
			s.lines[p.line].raw += p.amount
		}
	}
	for i := range s.lines {
		l := &s.lines[i]
		if l.raw == 0 && l.state.MRR > 0 {
			l.state.MRR, l.state.Quantity, l.state.Discount = 0, 0, 0
			r.tape.push(l.slot, o.day, ByProration, l.state)
		}
	}
}

// proratedLine finds the line that a prorated item changes: that of its plan,
// else the first of the stream, whose plan it then changes. A line that no
// invoice contributes to any more comes last.
func (r *Replayer) proratedLine(s *stream, it *item, currency money.Currency) int {
	best, rank := -1, -1
	for i := range s.lines {
		l := &s.lines[i]
		if l.state.Currency != currency {
			continue
		}
		n := 0
		if s.inForce(i) {
			n = 2
		}
		if l.state.Plan == it.plan {
			n++
		}
		if n > rank {
			best, rank = i, n
		}
	}
	if best >= 0 {
		return best
	}
	at := r.newLine(s)
	s.lines[at].state.Currency = currency
	return at
}

// refund takes back the part of the refunded invoice's contribution that the
// refund is of the invoice.
func (r *Replayer) refund(o *ordered, ev *Event) {
	if !r.set.RefundsReduceMRR {
		return
	}
	target, stream := r.refunded(ev)
	if target < 0 {
		return
	}
	s := &r.streams[stream]
	whole := abs(r.events[target].Amount)
	if !s.running || whole == 0 || !s.pending && o.day > s.paidThrough+s.grace {
		return
	}
	for i := range s.parts {
		p := &s.parts[i]
		if p.event != target || p.line < 0 {
			continue
		}
		before := p.left(whole)
		p.refunded = min(whole, p.refunded+min(abs(ev.Amount), whole))
		l := &s.lines[p.line]
		l.raw += p.left(whole) - before
		l.state.MRR = max(0, l.raw)
		r.tape.push(l.slot, o.day, ByRefund, l.state)
	}
	r.offset(s, o.day, ByRefund)
}

// left is what the part still contributes when whole is the invoice's amount.
func (p *part) left(whole int64) int64 {
	if p.refunded == 0 {
		return p.amount
	}
	return p.amount - money.MulDiv(p.amount, p.refunded, whole)
}

// refunded finds the invoice that a refund is for: the one it names, else the
// latest subscription invoice of the stream, plan or customer.
func (r *Replayer) refunded(ev *Event) (event, stream int32) {
	named := ev.Extra != nil && ev.Extra.RefundOf != ""
	for _, c := range slices.Backward(r.charges) {
		target := &r.events[c.event]
		switch {
		case named:
			if target.ID != ev.Extra.RefundOf {
				continue
			}
		case ev.Subscription != 0:
			if r.streams[c.stream].sub != ev.Subscription {
				continue
			}
		case ev.Plan != 0:
			if target.Plan != ev.Plan {
				continue
			}
		}
		return c.event, c.stream
	}
	return -1, -1
}

// cancel applies a cancellation to its stream, or to all of the customer.
func (r *Replayer) cancel(o *ordered, ev *Event) {
	running := false
	last := calendar.NoDay
	for i := range r.streams {
		s := &r.streams[i]
		if ev.Subscription != 0 && s.sub != ev.Subscription {
			continue
		}
		running = running || s.running
		if !s.running {
			last = max(last, s.endedOn)
		}
	}
	for i := range r.streams {
		s := &r.streams[i]
		if ev.Subscription != 0 && s.sub != ev.Subscription {
			continue
		}
		switch {
		case s.running:
			r.cancelStream(s, o.day, ev.End)
		case !running && s.endedOn == last:
			r.explain(s, o.day)
		}
	}
}

// cancelStream schedules the end of a running stream.
func (r *Replayer) cancelStream(s *stream, request calendar.Day, stated calendar.Stamp) {
	end := s.paidThrough
	inGrace := request > end && (request <= end+s.grace || r.set.NonRenewalChurn)
	switch {
	case r.set.Recognition == Immediate:
		if !inGrace {
			end = request
		}
	case !stated.IsZero():
		end = max(endDay(stated, r.set.Zone), s.runStart)
	case request > end && !inGrace:
		end = request
	}
	if request > r.today && end <= r.today {
		return // asked for in the future: it cannot act before
	}
	r.asked(s, request, end)
	s.pending, s.cancelRequest, s.cancelEnd = true, request, end
}

// explain makes a derived end voluntary: the cancellation came after it.
func (r *Replayer) explain(s *stream, request calendar.Day) {
	if s.endCause != ByExpiry && s.endCause != ByInvoluntary || request > r.today {
		return
	}
	r.explained(s, request)
	s.endCause = ByCancellation
	s.cancelRequest = request
	for i := range s.lines {
		r.tape.relabel(s.lines[i].slot, s.endedOn, ByCancellation)
	}
}
