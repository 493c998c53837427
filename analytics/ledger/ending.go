package ledger

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// Ending is the end of one stream: somebody asked for it, or invoices
// stopped. A row that cancels all streams is one per stream that was running.
type Ending struct {
	Stream      int32        // index as in Slot.Stream
	Invoice     int32        // the row that asked, an index into Ledger.Invoices; -1 when nobody did
	Request     calendar.Day // day on which it was asked for; End when nobody did
	PaidThrough calendar.Day // first day that the stream had not paid for at the request
	End         calendar.Day // effective day
	Voided      calendar.Day // day from which it no longer holds, NoDay while it does
	Cause       Cause        // ByCancellation, ByExpiry or ByInvoluntary
}

// Stated returns the reason and the comment that the row behind an ending gives:
// 0 and "" for none.
func (l *Ledger) Stated(e *Ending) (reason Symbol, comment string) {
	if e.Invoice < 0 {
		return 0, ""
	}
	if _, x := l.Rare(&l.Invoices[e.Invoice]); x != nil {
		return x.CancelReason, x.CancelComment
	}
	return 0, ""
}

// asked notes that the event which was billed last asks for the end of a stream.
// It takes the place of an earlier request that has not taken effect.
func (r *Replayer) asked(s *stream, request, end calendar.Day) {
	if s.pending {
		r.void(s, request)
	}
	s.ending = r.noteEnd(Ending{
		Invoice: int32(len(r.invoices) - 1), Request: request, PaidThrough: s.paidThrough, End: end, Cause: ByCancellation,
	}, s)
}

// stopped notes an end that nobody asked for.
func (r *Replayer) stopped(s *stream, day calendar.Day, cause Cause) {
	s.ending = r.noteEnd(Ending{
		Invoice: -1, Request: day, PaidThrough: s.paidThrough, End: day, Cause: cause,
	}, s)
}

// noteEnd records an ending. A stream ends once a day: one that ended, began
// again and ended on the same day did so for the last reason.
func (r *Replayer) noteEnd(e Ending, s *stream) int32 {
	e.Stream, e.Voided = r.indexOf(s), calendar.NoDay
	for i := range r.endings {
		if o := &r.endings[i]; o.Stream == e.Stream && o.End == e.End && !o.Voided.Valid() {
			o.Voided = e.Request
		}
	}
	r.endings = append(r.endings, e)
	return int32(len(r.endings) - 1)
}

// void takes the pending request for the end of a stream back.
func (r *Replayer) void(s *stream, day calendar.Day) {
	r.endings[s.ending].Voided = day
}

// explained makes the derived end of a stream one that the event which was
// billed last asked for.
func (r *Replayer) explained(s *stream, request calendar.Day) {
	e := &r.endings[s.ending]
	e.Cause, e.Request, e.Invoice = ByCancellation, request, int32(len(r.invoices)-1)
}
