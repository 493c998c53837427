package identity

import (
	"context"
	"log/slog"
	"sync"
)

// maxPending bounds the memory of a flood of events.
const maxPending = 10_000

// auditQueue holds events that are written within a second.
type auditQueue struct {
	mu      sync.Mutex
	pending []Event
	lost    int
}

// add reports false when the queue is full.
func (q *auditQueue) add(e Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) >= maxPending {
		q.lost++
		return false
	}
	q.pending = append(q.pending, e)
	return true
}

// take returns everything collected and how many events did not fit.
func (q *auditQueue) take() (events []Event, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, lost = q.pending, q.lost
	q.pending, q.lost = nil, 0
	return events, lost
}

// Note adds an event to the audit log like Record, but within a second rather
// than at once: for what outsiders can cause at any rate, such as refusals. It
// does not block, and it needs Run.
func (s *Service) Note(ctx context.Context, e Event) {
	s.queue.add(s.complete(ctx, e))
}

// writeNotes writes what Note collected. What cannot be written is logged.
func (s *Service) writeNotes(ctx context.Context) {
	events, lost := s.queue.take()
	if lost > 0 {
		s.log.WarnContext(ctx, "events are missing in the audit log: there were too many at once", slog.Int("events", lost))
	}
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	if err := s.store.AddEvents(ctx, events); err != nil {
		for _, e := range events {
			s.logLost(ctx, e, err)
		}
	}
}
