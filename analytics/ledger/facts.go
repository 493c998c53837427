package ledger

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// captureFacts notes the state of the streams at the end of today.
func (r *Replayer) captureFacts() {
	f := &r.facts
	f.Streams = make([]Stream, 0, len(r.streams))
	mixed := false
	for i := range r.streams {
		s := &r.streams[i]
		if len(s.lines) == 0 {
			continue
		}
		if s.running && !s.pending {
			r.wakeOn(s.paidThrough)
			r.wakeOn(s.paidThrough + s.grace)
		}
		view := r.describe(s)
		f.Streams = append(f.Streams, view)
		if !view.Active {
			continue
		}
		f.NextBilling = earliest(f.NextBilling, s.paidThrough)
		if view.PastDue {
			f.Overdue = earliest(f.Overdue, s.overdue())
		}
		for j := range s.lines {
			st := &s.lines[j].state
			if st.MRR == 0 {
				continue
			}
			mixed = mixed || f.Currency != money.None && f.Currency != st.Currency
			f.Currency = st.Currency
		}
		if s.pending && (f.CancelEnd == calendar.NoDay || s.cancelEnd < f.CancelEnd) {
			f.CancelRequest, f.CancelEnd = s.cancelRequest, s.cancelEnd
		}
	}
	if mixed {
		f.Currency = money.None
	}
}

// overdue is the first day that the stream has not paid for.
func (s *stream) overdue() calendar.Day {
	if s.unpaid && s.unpaidSince < s.paidThrough {
		return s.unpaidSince
	}
	return s.paidThrough
}

func (r *Replayer) describe(s *stream) Stream {
	v := Stream{Subscription: s.sub, Start: s.runStart, PaidThrough: s.paidThrough, End: calendar.NoDay, Requested: calendar.NoDay}
	for i := range s.lines {
		if st := &s.lines[i].state; v.Plan == 0 || st.MRR > 0 {
			v.Plan = st.Plan
			if st.MRR > 0 {
				break
			}
		}
	}
	switch {
	case !s.running:
		v.End, v.cause = s.endedOn, s.endCause
		if v.cause == ByCancellation {
			v.Requested = s.cancelRequest
		}
	case s.pending:
		v.End, v.Requested = s.cancelEnd, s.cancelRequest
	}
	v.Active = s.running && s.live()
	inGrace := !s.pending && s.paidThrough <= r.today && r.today < s.paidThrough+s.grace
	v.PastDue = v.Active && (inGrace || s.unpaid)
	return v
}

func earliest(a, b calendar.Day) calendar.Day {
	if a == calendar.NoDay || b < a {
		return b
	}
	return a
}

// ledger assembles the result.
func (r *Replayer) ledger(trialStarted calendar.Stamp) *Ledger {
	l := r.facts
	l.Slots = slices.Clone(r.tape.slots)
	l.Changes = r.tape.finish()
	l.Paid = slices.Clone(r.paid)
	r.trial(&l, trialStarted)
	r.ends(&l)
	l.Invoices, l.Taxed, l.Extras = slices.Clone(r.invoices), slices.Clone(r.taxed), slices.Clone(r.extras)
	l.Endings = slices.Clone(r.endings)
	r.reasons(&l)
	l.Failures = r.failures(&l)
	for i := range l.Invoices {
		if l.Invoices[i].Kind == Refund {
			l.Refunds = append(l.Refunds, int32(i))
		}
	}
	for i := range l.Changes {
		if d := l.Changes[i].Day; d > r.today {
			r.wakeOn(d)
			break
		}
	}
	l.Wake = r.wake
	r.classify(&l)
	return &l
}

// trial sets the trial's days: the stated start or the first zero-amount
// invoice, and that invoice's period end or the account's trial length.
func (r *Replayer) trial(l *Ledger, stated calendar.Stamp) {
	l.TrialStart, l.TrialEnd = r.zeroStart, r.zeroEnd
	if !stated.IsZero() {
		l.TrialStart = stated.Day(r.set.Zone)
	}
	if l.TrialStart == calendar.NoDay {
		return
	}
	if l.TrialEnd == calendar.NoDay {
		l.TrialEnd = l.TrialStart + calendar.Day(r.set.TrialDays)
	}
	r.wakeOn(l.TrialStart)
	r.wakeOn(l.TrialEnd)
}

// ends finds the first paid day and, for a customer without value today, the
// day of its last churn and what asked for it.
func (r *Replayer) ends(l *Ledger) {
	live := 0
	lastEnd := calendar.NoDay
	for i := 0; i < len(l.Changes) && l.Changes[i].Day <= r.today; {
		day, before := l.Changes[i].Day, live
		for ; i < len(l.Changes) && l.Changes[i].Day == day; i++ {
			c := &l.Changes[i]
			was := c.Prev >= 0 && l.Changes[c.Prev].After.MRR > 0
			switch is := c.After.MRR > 0; {
			case is && !was:
				live++
			case was && !is:
				live--
			}
		}
		if before == 0 && live > 0 && l.FirstPaid == calendar.NoDay {
			l.FirstPaid = day
		}
		if before > 0 && live == 0 {
			lastEnd = day
		}
	}
	if live > 0 || lastEnd == calendar.NoDay {
		return
	}
	l.CancelRequest, l.CancelEnd = lastEnd, lastEnd
	for i := range l.Streams {
		if s := &l.Streams[i]; s.End == lastEnd && s.cause == ByCancellation {
			l.CancelRequest = s.Requested
		}
	}
}

// reasons finds why the customer left or is leaving: what the endings of that day
// say that hold today. One that came back, or whose last value was refunded, has
// no reason.
func (r *Replayer) reasons(l *Ledger) {
	for i := range l.Endings {
		e := &l.Endings[i]
		if e.End != l.CancelEnd || e.Request > r.today || e.Voided.Valid() && e.Voided <= r.today {
			continue
		}
		if e.Cause != ByCancellation {
			l.DerivedReason = e.Cause
		} else if reason, _ := l.Stated(e); reason != 0 {
			l.CancelReason = reason
		}
	}
}
