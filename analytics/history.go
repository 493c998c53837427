package analytics

import (
	"cmp"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// history is the invoices of one customer in order of date, in few bytes and
// without pointers: a million of them cost the garbage collector nothing. It is
// never changed, only replaced, so whoever has a copy may read it at any time.
type history struct {
	text   string          // as writer writes it
	extras []*ledger.Extra // of the events that have more rare fields than tax and discount
}

func (h *history) read() reader { return reader{text: h.text, extras: h.extras} }

// uses counts the events that name a plan, on the invoice or on a line.
func (h *history) uses(plan ledger.PlanRef) int {
	n := 0
	for r := h.read(); r.next(); {
		if r.event.Plan == plan || lineUses(&r.event, plan) {
			n++
		}
	}
	return n
}

// usesAny reports whether an event names one of some plans.
func (h *history) usesAny(plans map[ledger.PlanRef]bool) bool {
	for r := h.read(); r.next(); {
		if x := r.event.Extra; plans[r.event.Plan] ||
			x != nil && slices.ContainsFunc(x.Lines, func(l ledger.Line) bool { return plans[l.Plan] }) {
			return true
		}
	}
	return false
}

func lineUses(ev *ledger.Event, plan ledger.PlanRef) bool {
	return ev.Extra != nil && slices.ContainsFunc(ev.Extra.Lines, func(l ledger.Line) bool { return l.Plan == plan })
}

// sheet is scratch memory for the events of one customer after another.
type sheet struct {
	events []ledger.Event // without ids until name gives them
	extras []ledger.Extra // of those events that are only taxed
	text   []byte
}

// load lays a history out and returns what its last event was.
func (s *sheet) load(h *history) written {
	s.events, s.extras = s.events[:0], s.extras[:0]
	r := h.read()
	for r.next() {
		ev := r.event
		if r.small() {
			ev.Extra = s.extra(ledger.Extra{Tax: r.taxed.Tax, Discount: r.taxed.Discount})
		}
		s.events = append(s.events, ev)
	}
	return r.written
}

// extra keeps x until the next load. A list that is full is left to those who
// point into it.
func (s *sheet) extra(x ledger.Extra) *ledger.Extra {
	if n := len(s.extras); n == cap(s.extras) {
		s.extras = make([]ledger.Extra, 0, 2*n+8)
	}
	s.extras = append(s.extras, x)
	return &s.extras[len(s.extras)-1]
}

// name gives ids to the events that need them. Replay reads ids only to order
// events of one instant and to find refunded invoices, and they lie all over the
// memory of the account.
func (s *sheet) name(ids func(row uint32) string) {
	all, last := tangled(s.events), calendar.Stamp(0)
	for i := range s.events {
		ev := &s.events[i]
		at := acts(ev)
		if all || at == last {
			ev.ID = ids(ev.Ref)
		}
		if !all && i > 0 && at == last {
			s.events[i-1].ID = ids(s.events[i-1].Ref)
		}
		last = at
	}
}

// acts returns the stamp at which replay applies an event: a subscription that
// is paid in advance acts when its period starts.
func acts(ev *ledger.Event) calendar.Stamp {
	if ev.Kind == ledger.Subscription && !ev.Start.IsZero() {
		return max(ev.Date, ev.Start)
	}
	return ev.Date
}

// tangled reports whether any event may need its id: one may be refunded, or
// events that are not neighbors may share an instant. Days and instants compare
// in the account's zone alone, so events of both kinds are tangled.
func tangled(events []ledger.Event) bool {
	last := calendar.Stamp(0)
	for i := range events {
		ev := &events[i]
		at := acts(ev)
		days := at.IsDay()
		if ev.Kind == ledger.Refund || at < last || days != ev.Date.IsDay() || !ev.Start.IsZero() && days != ev.Start.IsDay() ||
			i > 0 && days != last.IsDay() {
			return true
		}
		last = at
	}
	return false
}

// change is what an edit does to one invoice of a customer.
type change struct {
	how   how
	event ledger.Event // its new form; of a removed one only Ref, its row
}

type how uint8

const (
	added how = iota
	replaced
	removed
)

// apply loads a history and returns what changes make of it, which is what the
// sheet then has.
func (s *sheet) apply(h *history, changes []change) history {
	w := writer{written: s.load(h), extras: slices.Clip(h.extras)}
	known := len(s.events)
	if same := s.change(changes); !same || !slices.IsSortedFunc(s.events, byDate) {
		return s.write()
	}
	s.text = append(s.text[:0], h.text...)
	for i := range s.events[known:] {
		s.text = w.add(s.text, &s.events[known+i])
	}
	return history{text: string(s.text), extras: w.extras}
}

// sorted returns a history in order of date.
func (s *sheet) sorted(h *history) history {
	s.load(h)
	return s.write()
}

// write puts the events in order of date and writes them down.
func (s *sheet) write() history {
	slices.SortStableFunc(s.events, byDate)
	var w writer
	s.text = s.text[:0]
	for i := range s.events {
		s.text = w.add(s.text, &s.events[i])
	}
	return history{text: string(s.text), extras: w.extras}
}

// change makes changes to the events. It reports whether those that were there
// are as they were.
func (s *sheet) change(changes []change) (same bool) {
	same = true
	find := s.finder(len(changes))
	for i := range changes {
		switch c := &changes[i]; c.how {
		case added:
			s.events = append(s.events, c.event)
		case replaced:
			s.events[find(c.event.Ref)], same = c.event, false
		case removed:
			s.events[find(c.event.Ref)], same = ledger.Event{}, false // there is no row 0
		}
	}
	if !same {
		s.events = slices.DeleteFunc(s.events, func(ev ledger.Event) bool { return ev.Ref == 0 })
	}
	return same
}

// manySteps is from how many steps on looking for events one by one costs more
// than a map: an import may send every invoice of a large customer again.
const manySteps = 4096

// finder returns what finds the place of a row's event, for so many looks. The
// event must be there.
func (s *sheet) finder(looks int) func(row uint32) int {
	byOne := func(row uint32) int {
		return slices.IndexFunc(s.events, func(ev ledger.Event) bool { return ev.Ref == row })
	}
	if looks*(len(s.events)+looks) < manySteps {
		return byOne
	}
	var places map[uint32]int
	seen := 0
	return func(row uint32) int {
		if places == nil {
			places = make(map[uint32]int, len(s.events))
		}
		for ; seen < len(s.events); seen++ {
			places[s.events[seen].Ref] = seen
		}
		return places[row]
	}
}

func byDate(a, b ledger.Event) int { return cmp.Compare(a.Date, b.Date) }
