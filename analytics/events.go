package analytics

import (
	"cmp"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// packed is a ledger.Event without pointers, 64 bytes: a million of them cost
// the garbage collector nothing. What the row is called is its position in the
// arena of ids.
type packed struct {
	date, start, end     calendar.Stamp
	amount               int64
	row                  uint32 // number of the invoice's row
	id                   uint32 // position of its id in the arena
	extra                uint32 // 0 for none, 1 + index in taxed, or inFull | index in extras
	quantity             int32
	plan                 ledger.PlanRef
	subscription, method ledger.Symbol
	currency             money.Currency
	kind                 ledger.Kind
	status               ledger.Status
	terms                uint8 // pricing<<4 | proration
}

// inFull marks a packed.extra that counts in extras.
const inFull = 1 << 31

func pack(ev *ledger.Event, row, id uint32) packed {
	return packed{
		date: ev.Date, start: ev.Start, end: ev.End, amount: ev.Amount, row: row, id: id, quantity: ev.Quantity, plan: ev.Plan,
		subscription: ev.Subscription, method: ev.Method, currency: ev.Currency, kind: ev.Kind, status: ev.Status,
		terms: uint8(ev.Pricing)<<4 | uint8(ev.Proration),
	}
}

// history is the invoices of one customer. The events of a committed history
// are never changed; an edit appends behind them or takes a copy first.
type history struct {
	events []packed
	taxed  []ledger.Taxed // of the events that have no other rare fields
	extras []*ledger.Extra
}

// unpack gives the player the events as replay wants them. Replay reads ids only
// to order events of one instant and to find refunded invoices. They lie all
// over the memory of the account, so events that need none come without.
func (h *history) unpack(to *player, ids func(pos uint32) string) {
	to.events, to.extras = to.events[:0], slices.Grow(to.extras[:0], len(h.taxed))
	all, last := h.tangled(), calendar.Stamp(0)
	for i := range h.events {
		p := &h.events[i]
		ev := ledger.Event{
			Date: p.date, Start: p.start, End: p.end, Amount: p.amount, Quantity: p.quantity, Plan: p.plan,
			Subscription: p.subscription, Method: p.method, Currency: p.currency, Kind: p.kind, Status: p.status,
			Pricing: ledger.Pricing(p.terms >> 4), Proration: ledger.Proration(p.terms & 15), Ref: p.id,
		}
		at := p.acts()
		if all || at == last {
			ev.ID = ids(p.id)
		}
		if !all && i > 0 && at == last {
			to.events[i-1].ID = ids(h.events[i-1].id)
		}
		switch {
		case p.extra&inFull != 0:
			ev.Extra = h.extras[p.extra&^inFull]
		case p.extra != 0:
			t := h.taxed[p.extra-1]
			to.extras = append(to.extras, ledger.Extra{Tax: t.Tax, Discount: t.Discount})
			ev.Extra = &to.extras[len(to.extras)-1]
		}
		last = at
		to.events = append(to.events, ev)
	}
}

// acts returns the stamp at which replay applies the event: a subscription that
// is paid in advance acts when its period starts.
func (p *packed) acts() calendar.Stamp {
	if p.kind == ledger.Subscription && !p.start.IsZero() {
		return max(p.date, p.start)
	}
	return p.date
}

// tangled reports whether any event may need its id: one may be refunded, or
// events that are not neighbors may share an instant. Days and instants compare
// in the account's zone alone, so a history that has both is tangled.
func (h *history) tangled() bool {
	last := calendar.Stamp(0)
	for i := range h.events {
		p := &h.events[i]
		at := p.acts()
		days := at.IsDay()
		if p.kind == ledger.Refund || at < last || days != p.date.IsDay() || !p.start.IsZero() && days != p.start.IsDay() ||
			i > 0 && days != last.IsDay() {
			return true
		}
		last = at
	}
	return false
}

// uses counts the events that name a plan, on the invoice or on a line.
func (h *history) uses(plan ledger.PlanRef) int {
	n := 0
	for i := range h.events {
		if h.events[i].plan == plan || h.lineUses(&h.events[i], plan) {
			n++
		}
	}
	return n
}

// usesAny reports whether an event names one of some plans.
func (h *history) usesAny(plans map[ledger.PlanRef]bool) bool {
	return slices.ContainsFunc(h.events, func(p packed) bool {
		return plans[p.plan] || p.extra&inFull != 0 &&
			slices.ContainsFunc(h.extras[p.extra&^inFull].Lines, func(l ledger.Line) bool { return plans[l.Plan] })
	})
}

func (h *history) lineUses(p *packed, plan ledger.PlanRef) bool {
	if p.extra&inFull == 0 {
		return false
	}
	return slices.ContainsFunc(h.extras[p.extra&^inFull].Lines, func(l ledger.Line) bool { return l.Plan == plan })
}

// find returns the place of a row's event, -1 if it is not there.
func (h *history) find(row uint32) int {
	return slices.IndexFunc(h.events, func(p packed) bool { return p.row == row })
}

// add appends an event.
func (h *history) add(p packed, extra *ledger.Extra) {
	p.extra = h.keep(extra)
	h.events = appendTight(h.events, p)
}

// set replaces an event. It must not be called on a committed history.
func (h *history) set(i int, p packed, extra *ledger.Extra) {
	p.extra = h.keep(extra)
	h.events[i] = p
}

// keep stores the rare fields of an event and returns what packed.extra says.
func (h *history) keep(extra *ledger.Extra) uint32 {
	if extra == nil {
		return 0
	}
	if small, all := extra.Taxed(); all {
		h.taxed = appendTight(h.taxed, small)
		return uint32(len(h.taxed))
	}
	h.extras = append(h.extras, extra)
	return inFull | uint32(len(h.extras)-1)
}

// appendTight appends and grows by an eighth: doubling would waste a third of
// the memory of an account.
func appendTight[T any](all []T, v T) []T {
	if n := len(all); n == cap(all) {
		grown := make([]T, n, n+n/8+2)
		copy(grown, all)
		all = grown
	}
	return append(all, v)
}

// clone returns a copy that shares nothing with h and holds no extras that no
// event refers to.
func (h *history) clone() history {
	n := len(h.events)
	c := history{events: make([]packed, n, n+n/8+2)}
	copy(c.events, h.events)
	for i := range c.events {
		switch p := &c.events[i]; {
		case p.extra&inFull != 0:
			full := h.extras[p.extra&^inFull]
			p.extra = inFull | uint32(len(c.extras))
			c.extras = append(c.extras, full)
		case p.extra != 0:
			c.taxed = append(c.taxed, h.taxed[p.extra-1])
			p.extra = uint32(len(c.taxed))
		}
	}
	return c
}

// sort orders the events by date, which makes the replay's own sort cheap. It
// must not be called on a committed history.
func (h *history) sort() {
	slices.SortStableFunc(h.events, func(a, b packed) int { return cmp.Compare(a.date, b.date) })
}

// invoiceKey is what is kept of an invoice to recognize it when it comes again.
type invoiceKey struct {
	doc   uint64 // hash of the document; 0 in the key of a deleted row
	owner uint32 // index of the customer
	id    uint32 // position in the arena, 0 for a deleted row
}

// invoices finds the invoices of an account by id. Row numbers are the Seq of
// the stored rows; row 0 is not used.
type invoices struct {
	keys  []invoiceKey
	ids   arena
	index index
}

func (t *invoices) id(row uint32) string { return t.ids.at(t.keys[row].id) }
