package report

import (
	"slices"
	"strings"
	"sync"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// ended is an ending that holds and takes value away, as the reports on
// cancellations ask for it. It says nothing that its ledger does not say.
type ended struct {
	mrr      int64        // that it took away, minor units of the currency, if one
	request  calendar.Day // as in the ledger.Ending; so with the others
	paid     calendar.Day
	end      calendar.Day
	reason   ledger.Symbol // as stated
	index    int32         // in the ledger's Endings
	subject  uint8         // in the block
	one      bool          // whether it took away one state, with a term that is numbered
	term     uint8         // of the state, if one
	currency money.Currency
	cause    ledger.Cause
	asked    bool // whether somebody asked for it
	said     bool // whether there is a comment that is not blank
}

// endings are what the customers of a block gave up, by customer. They are found
// when the first report asks for them.
type endings struct {
	once sync.Once
	list []ended
}

// endings returns the endings of the block.
func (b *block) endings() []ended {
	b.once.Do(b.fill)
	b.ended.once.Do(func() {
		var list []ended
		var given []*ledger.State
		for i := range b.subjects {
			l := b.subjects[i].ledger
			for n := range l.Endings {
				e := &l.Endings[n]
				if e.Voided.Valid() {
					continue
				}
				if given = appendGiven(given[:0], l, e, nil); len(given) > 0 {
					list = append(list, endedOf(&b.subjects[i], n, i, given))
				}
			}
		}
		b.ended.list = slices.Clip(list)
	})
	return b.ended.list
}

// endedOf describes an ending of a subject that took some states away.
func endedOf(x *subject, index, at int, given []*ledger.State) ended {
	e := &x.ledger.Endings[index]
	reason, comment := x.ledger.Stated(e)
	out := ended{
		request: e.Request, paid: e.PaidThrough, end: e.End, reason: reason, index: int32(index), subject: uint8(at),
		cause: e.Cause, asked: e.Invoice >= 0, said: strings.TrimSpace(comment) != "",
	}
	if len(given) == 1 && !x.varied {
		out.one, out.term = true, uint8(slices.Index(x.terms, termOf(given[0])))
		out.mrr, out.currency = given[0].MRR, given[0].Currency
	}
	return out
}

// appendGiven appends what an ending took away of the states that match, nothing
// when the stream has value at the end of that day all the same.
func appendGiven(states []*ledger.State, l *ledger.Ledger, e *ledger.Ending, match func(*ledger.State) bool) []*ledger.State {
	given := states
	for slot := range l.Slots {
		if l.Slots[slot].Stream != e.Stream {
			continue
		}
		before, after := around(l, int32(slot), e.End)
		if after != nil && after.MRR > 0 {
			return states
		}
		if before != nil && before.MRR > 0 && (match == nil || match(before)) {
			given = append(given, before)
		}
	}
	return given
}

// around returns the states of a slot at the end of the day before a day and at
// the end of the day itself, nil while it had none.
func around(l *ledger.Ledger, slot int32, day calendar.Day) (before, after *ledger.State) {
	for i := range l.Changes {
		c := &l.Changes[i]
		if c.Day > day {
			break
		}
		if c.Slot != slot {
			continue
		}
		if after = &c.After; c.Day < day {
			before = after
		}
	}
	return before, after
}
