package ledger

import (
	"cmp"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// tape records the slots' changes while a customer is replayed. Each slot's
// changes form a chain from its latest backwards, so that a late end can undo
// what came after it.
type tape struct {
	slots   []Slot
	heads   []int32 // per slot, its latest change or -1
	changes []Change
	order   []int32
	moved   []int32
}

func (t *tape) reset() {
	t.slots, t.heads, t.changes = t.slots[:0], t.heads[:0], t.changes[:0]
}

func (t *tape) newSlot(sub Symbol, stream int32) int32 {
	t.slots = append(t.slots, Slot{Subscription: sub, Stream: stream})
	t.heads = append(t.heads, -1)
	return int32(len(t.slots) - 1)
}

// dead marks a change that a later one has undone.
const dead = -1

// truncate undoes the slot's changes on day and later.
func (t *tape) truncate(slot int32, day calendar.Day) {
	head := t.heads[slot]
	for head >= 0 && t.changes[head].Day >= day {
		t.changes[head].Slot = dead
		head = t.changes[head].Prev
	}
	t.heads[slot] = head
}

// push records the slot's state at the end of day. A second change on one day
// replaces the first, keeping the reason that ranks first; one that returns to
// the state before the day leaves nothing.
func (t *tape) push(slot int32, day calendar.Day, cause Cause, after State) {
	head := t.heads[slot]
	if head >= 0 && t.changes[head].Day == day {
		c := &t.changes[head]
		c.After = after
		if c.Cause == ByInvoice || cause != ByInvoice && cause < c.Cause {
			c.Cause = cause
		}
		if t.before(c.Prev) == after || c.Prev < 0 && after.MRR == 0 {
			c.Slot = dead
			t.heads[slot] = c.Prev
		}
		return
	}
	if t.before(head) == after || head < 0 && after.MRR == 0 {
		return
	}
	t.changes = append(t.changes, Change{Day: day, Slot: slot, Prev: head, Cause: cause, After: after})
	t.heads[slot] = int32(len(t.changes) - 1)
}

// relabel replaces the cause of the slot's latest change if it is on day.
func (t *tape) relabel(slot int32, day calendar.Day, cause Cause) {
	if head := t.heads[slot]; head >= 0 && t.changes[head].Day == day {
		t.changes[head].Cause = cause
	}
}

func (t *tape) before(index int32) State {
	if index < 0 {
		return State{}
	}
	return t.changes[index].After
}

// finish returns the live changes by day and slot, with Prev pointing into the
// result.
func (t *tape) finish() []Change {
	t.order = t.order[:0]
	for i := range t.changes {
		if t.changes[i].Slot != dead {
			t.order = append(t.order, int32(i))
		}
	}
	byDay := func(a, b int32) int {
		x, y := &t.changes[a], &t.changes[b]
		if x.Day != y.Day {
			return cmp.Compare(x.Day, y.Day)
		}
		return cmp.Compare(x.Slot, y.Slot)
	}
	if !slices.IsSortedFunc(t.order, byDay) {
		slices.SortFunc(t.order, byDay)
	}
	t.moved = slices.Grow(t.moved[:0], len(t.changes))[:len(t.changes)]
	out := make([]Change, len(t.order))
	for to, from := range t.order {
		c := t.changes[from]
		if c.Prev >= 0 {
			c.Prev = t.moved[c.Prev] // a slot's earlier change comes first
		}
		t.moved[from] = int32(to)
		out[to] = c
	}
	return out
}
