package ledger

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// stream is one subscription of the customer while it is replayed.
type stream struct {
	sub     Symbol
	lines   []line
	parts   []part // what each invoice contributes to the lines now
	running bool

	setStart    calendar.Day // period_start that the full set in force states, NoDay if none
	segment     calendar.Day // effective day of the full invoice in force
	runStart    calendar.Day
	paidThrough calendar.Day
	grace       calendar.Day

	bought      bool // what was paid last was worth something
	unpaid      bool // an open or failed invoice is in force
	unpaidSince calendar.Day

	pending       bool // a cancellation waits for its effective day
	cancelRequest calendar.Day
	cancelEnd     calendar.Day
	ending        int32 // index of the request behind cancelEnd, or of the last end

	endedOn  calendar.Day
	endCause Cause
}

// line is one slot of a stream with its value now. raw may be negative while
// the credits and charges of a proration come in; MRR never is.
type line struct {
	slot  int32
	raw   int64
	net   int64 // raw less the credits of other lines, while they are offset
	state State
}

// part is what one invoice contributes to one line.
type part struct {
	event    int32
	line     int32
	amount   int64 // before refunds
	refunded int64 // of the invoice's amount, at most that amount
}

// clear forgets the stream but keeps its memory for the next customer.
func (s *stream) clear() {
	*s = stream{lines: s.lines[:0], parts: s.parts[:0]}
}

// expiry is the cause of an end that no cancellation explains.
func (s *stream) expiry() Cause {
	if s.unpaid {
		return ByInvoluntary
	}
	return ByExpiry
}

// active reports whether day is inside the paid period.
func (s *stream) active(day calendar.Day) bool {
	return s.running && (day < s.paidThrough || s.pending && day < s.cancelEnd)
}

// inForce reports whether an invoice contributes to a line.
func (s *stream) inForce(at int) bool {
	for i := range s.parts {
		if int(s.parts[i].line) == at {
			return true
		}
	}
	return false
}

// live reports whether the stream has value.
func (s *stream) live() bool {
	for i := range s.lines {
		if s.lines[i].state.MRR > 0 {
			return true
		}
	}
	return false
}

// stream returns the stream of a subscription id, creating it on first use.
func (r *Replayer) stream(sub Symbol) int32 {
	for i := range r.streams {
		if r.streams[i].sub == sub {
			return int32(i)
		}
	}
	n := len(r.streams)
	if n < cap(r.streams) {
		r.streams = r.streams[:n+1]
		r.streams[n].clear()
	} else {
		r.streams = append(r.streams, stream{})
	}
	r.streams[n].sub = sub
	r.streams[n].endedOn = calendar.NoDay
	return int32(n)
}

// indexOf returns the place of a stream.
func (r *Replayer) indexOf(s *stream) int32 {
	for i := range r.streams {
		if &r.streams[i] == s {
			return int32(i)
		}
	}
	return -1
}

// streamOf returns the stream that a subscription invoice belongs to. One
// without an id joins the only identified stream that is active, else the only
// one within its grace, else the one that ended last; several keep it on the
// default stream.
func (r *Replayer) streamOf(sub Symbol, day calendar.Day) int32 {
	if sub != 0 {
		return r.stream(sub)
	}
	var active, waiting, named int
	var onlyActive, onlyWaiting, last int32
	for i := range r.streams {
		s := &r.streams[i]
		switch {
		case s.sub == 0:
			continue
		case s.active(day):
			active++
			onlyActive = int32(i)
		case s.running:
			waiting++
			onlyWaiting = int32(i)
		case s.endedOn == calendar.NoDay: // never ran
		case named == 0 || s.endedOn >= r.streams[last].endedOn:
			named++
			last = int32(i)
		}
	}
	switch {
	case active == 1:
		return onlyActive
	case active == 0 && waiting == 1:
		return onlyWaiting
	case active == 0 && waiting == 0 && named > 0:
		return last
	default:
		return r.stream(0)
	}
}
