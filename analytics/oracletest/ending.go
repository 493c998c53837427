package oracletest

// Ending is the end of one stream, or a request for it.
type Ending struct {
	Stream  string
	Request Day    // End when nobody asked
	Through Day    // first day that was not paid for at the request
	End     Day    // effective
	Voided  Day    // noDay while it holds
	Invoice string // id of the row that asked; "" when nobody did
	Failed  bool   // nobody asked, and the last invoice was not paid
}

// ask notes a request, which takes the place of one that is still to come.
func (r *replay) ask(s *Stream, i Invoice, d, end Day) {
	if s.ends != noDay {
		s.asked.Voided = d
	}
	r.replaced(s, d, end)
	s.asked = &Ending{Stream: s.Subscription, Request: d, Through: s.through, End: end, Voided: noDay, Invoice: i.ID}
	r.endings = append(r.endings, s.asked)
}

// replaced takes back what ended a stream on a day on which it ends again.
func (r *replay) replaced(s *Stream, d, end Day) {
	for _, e := range r.endings {
		if e.Stream == s.Subscription && e.End == end && e.Voided == noDay {
			e.Voided = d
		}
	}
}

// stop ends a stream that nobody asked to end.
func (r *replay) stop(s *Stream) {
	r.replaced(s, s.through, s.through)
	s.asked = &Ending{Stream: s.Subscription, Request: s.through, Through: s.through, End: s.through, Voided: noDay, Failed: s.unpaid != noDay}
	r.endings = append(r.endings, s.asked)
	s.end(s.through)
}

// explain gives the streams that stopped last a row that asks for it afterwards.
func (r *replay) explain(i Invoice, d Day) {
	last := noDay
	for _, s := range r.streams {
		if i.Subscription != "" && s.Subscription != i.Subscription {
			continue
		}
		if s.running {
			return // the row is for what runs
		}
		last = max(last, s.ended)
	}
	for _, s := range r.streams {
		mine := i.Subscription == "" || s.Subscription == i.Subscription
		if mine && s.ended == last && s.asked != nil && s.asked.Invoice == "" && d <= r.today {
			s.asked.Invoice, s.asked.Request = i.ID, d
		}
	}
}

// cancel ends what an invoice asks to end.
func (r *replay) cancel(i Invoice, d Day) {
	r.explain(i, d)
	for _, s := range r.streams {
		if !s.running || i.Subscription != "" && s.Subscription != i.Subscription {
			continue
		}
		end := s.through
		late := d > s.through // in the grace, or never to be churned by silence
		held := late && !r.set.NonRenewalChurn && d > s.through+s.grace
		switch {
		case r.set.Immediate && (!late || held):
			end = d
		case r.set.Immediate:
		case !i.End.IsZero():
			end = max(s.started, endDay(i.End, r.set.Zone))
		case held:
			end = d
		}
		if d > r.today && end <= r.today {
			continue // asked for in the future, it cannot act before
		}
		r.ask(s, i, d, end)
		if end < d {
			s.end(end)
			continue
		}
		s.ends = end
		r.last = max(r.last, end)
	}
}
