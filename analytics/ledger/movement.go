package ledger

import (
	"errors"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// ErrNeedsRates says that the type of a movement depends on exchange rates and
// the view has none.
var ErrNeedsRates = errors.New("movement types depend on exchange rates")

// View selects the states whose MRR counts and says how currencies compare.
//
// The zero View takes every state and has no rates. A state that does not match
// counts as 0, so that moving from a plan inside the view to one outside it is
// churn within the view (metric definitions, section 6).
type View struct {
	Match func(*State) bool // nil selects every state
	Base  money.Currency
	// Convert turns an amount into Base at a day's rates. When it is nil, Move
	// answers ErrNeedsRates as soon as two currencies meet in one movement.
	Convert func(amount int64, from money.Currency, day calendar.Day) (int64, error)
}

// Value is the MRR of a state within the view: 0 if the state does not match.
func (v *View) Value(s *State) int64 {
	if s.MRR == 0 || v.Match != nil && !v.Match(s) {
		return 0
	}
	return s.MRR
}

// Mover finds the movements of one ledger after another. It reuses its scratch
// memory and is not safe for concurrent use; its zero value is ready.
type Mover struct {
	latest []int32 // per slot, its latest change so far or -1
	purses []purse // what the slots in the view are worth, per currency
	day    dayChange
}

// purse is the sum of the slots of one currency.
type purse struct {
	currency money.Currency
	live     int32 // slots with a positive value
	total    int64
}

// dayChange is what one day changed within the view.
type dayChange struct {
	touched   bool
	up, down  Cause // highest-ranking cause of a slot that rose or fell, ByInvoice if none
	slots     int32 // change of the number of live slots
	quantity  int64
	discount  int64
	plans     uint64 // sum of a hash of the plans after, less that before
	intervals uint64
	left      int32 // a change by which a slot left the view and kept its value, or -1
}

// Move appends the customer's movements within the view to dst, one per day on
// which the view changes, oldest first, scheduled days included. A day whose
// total stays the same is a movement of type None: its value may still differ
// at other exchange rates.
func (m *Mover) Move(dst []Movement, l *Ledger, v *View) ([]Movement, error) {
	m.reset(len(l.Slots))
	ever := false
	for first := 0; first < len(l.Changes); {
		day := l.Changes[first].Day
		before := m.balance()
		m.day = dayChange{left: -1}
		last := first
		for ; last < len(l.Changes) && l.Changes[last].Day == day; last++ {
			m.apply(l, last, v)
		}
		after := m.balance()
		if m.day.touched {
			mv := Movement{Day: day, First: int32(first), Last: int32(last), Quantity: int32(m.day.quantity)}
			if err := m.amounts(&mv, l, v, before, after); err != nil {
				return nil, err
			}
			mv.Type = typeOf(&mv, before, after, ever)
			mv.Customers = customers(mv.Type)
			mv.Subtype = m.subtype(mv.Type, l)
			dst = append(dst, mv)
		}
		ever = ever || after.live > 0
		first = last
	}
	return dst, nil
}

// Movements returns the movements of all slots, those of type None included, and
// nil when the ledger needs rates. They are found anew with each call.
func (l *Ledger) Movements() []Movement {
	if l.NeedsRates {
		return nil
	}
	moves, err := new(Mover).Move(nil, l, &View{})
	if err != nil {
		return nil // cannot be: the ledger needs no rates
	}
	return moves
}

func (m *Mover) reset(slots int) {
	m.latest, m.purses = m.latest[:0], m.purses[:0]
	for range slots {
		m.latest = append(m.latest, -1)
	}
}

// apply notes one change.
func (m *Mover) apply(l *Ledger, index int, v *View) {
	c := &l.Changes[index]
	m.latest[c.Slot] = int32(index)
	var prev *State
	var was int64
	if c.Prev >= 0 {
		prev = &l.Changes[c.Prev].After
		was = v.Value(prev)
	}
	is := v.Value(&c.After)
	if was == 0 && is == 0 {
		return
	}
	d := &m.day
	d.touched = true
	if was > 0 {
		m.add(prev.Currency, -1, -was)
		d.count(prev, -1)
	}
	if is > 0 {
		m.add(c.After.Currency, 1, is)
		d.count(&c.After, 1)
	}
	switched := was > 0 && is > 0 && prev.Currency != c.After.Currency
	if is > was || switched {
		d.up = first(d.up, c.Cause)
	}
	if is < was || switched {
		d.down = first(d.down, c.Cause)
	}
	if is == 0 && c.After.MRR > 0 {
		d.left = int32(index)
	}
}

// count adds a live state to the day's sums with sign +1 or takes it off with -1.
func (d *dayChange) count(s *State, sign int64) {
	d.slots += int32(sign)
	d.quantity += sign * int64(s.Quantity)
	d.discount += sign * s.Discount
	d.plans += uint64(sign) * mix(uint64(s.Plan))
	d.intervals += uint64(sign) * mix(uint64(s.Interval.Unit)<<32|uint64(uint32(s.Interval.Count)))
}

// mix spreads the bits of x (the finaliser of SplitMix64), so that equal sums of
// mixed values mean equal sets for all practical purposes.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// first returns the cause that ranks first; ByInvoice says nothing.
func first(a, b Cause) Cause {
	if a == ByInvoice || b != ByInvoice && b < a {
		return b
	}
	return a
}

func (m *Mover) add(c money.Currency, live int32, amount int64) {
	for i := range m.purses {
		if m.purses[i].currency == c {
			m.purses[i].live += live
			m.purses[i].total += amount
			return
		}
	}
	m.purses = append(m.purses, purse{currency: c, live: live, total: amount})
}

// balance is the sum over all live slots. A mixed one has no total.
type balance struct {
	purse
	mixed bool
}

func (m *Mover) balance() balance {
	var b balance
	for i := range m.purses {
		p := &m.purses[i]
		if p.live == 0 {
			continue
		}
		if b.live > 0 {
			b.live, b.mixed = b.live+p.live, true
			continue
		}
		b.purse = *p
	}
	return b
}

// amounts sets the movement's currency and totals: in the slots' own currency
// if it is the same before and after, else in the base at the day's rates.
func (m *Mover) amounts(mv *Movement, l *Ledger, v *View, before, after balance) error {
	own := before.currency
	if before.live == 0 {
		own = after.currency
	}
	if !before.mixed && !after.mixed && (after.live == 0 || after.currency == own) {
		mv.Currency, mv.Before, mv.After = own, before.total, after.total
		return nil
	}
	if v.Convert == nil {
		return ErrNeedsRates
	}
	mv.Currency = v.Base
	for _, at := range m.latest {
		if at < 0 {
			continue
		}
		c := &l.Changes[at]
		now, err := v.convert(&c.After, mv.Day)
		if err != nil {
			return err
		}
		mv.After += now
		switch {
		case at < mv.First:
			mv.Before += now
		case c.Prev >= 0:
			was, err := v.convert(&l.Changes[c.Prev].After, mv.Day)
			if err != nil {
				return err
			}
			mv.Before += was
		}
	}
	return nil
}

// convert is the value of a state within the view, in base at a day's rates.
func (v *View) convert(s *State, day calendar.Day) (int64, error) {
	value := v.Value(s)
	if value == 0 || s.Currency == v.Base {
		return value, nil
	}
	return v.Convert(value, s.Currency, day)
}

// typeOf classifies the net change of a day (metric definitions, section 2).
// Who pays does not depend on rates, so the slots decide it, not the amounts.
func typeOf(mv *Movement, before, after balance, ever bool) Type {
	switch {
	case before.live == 0 && after.live == 0:
		return None
	case before.live == 0 && !ever:
		return New
	case before.live == 0:
		return Reactivation
	case after.live == 0:
		return Churn
	case mv.After > mv.Before:
		return Expansion
	case mv.After < mv.Before:
		return Contraction
	default:
		return None
	}
}

func customers(t Type) int8 {
	switch t {
	case New, Reactivation:
		return 1
	case Churn:
		return -1
	default:
		return 0
	}
}

// subtype refines a type by the reason that an event gave, else by what differs
// between the day's states. Causes count only where they point the same way as
// the movement: a refund does not explain an expansion.
func (m *Mover) subtype(t Type, l *Ledger) Subtype {
	d := &m.day
	switch t {
	case New:
		return SubNew
	case Reactivation:
		return SubReactivation
	case Churn:
		return d.churn(l)
	case Contraction:
		if s, ok := adjusted(d.down); ok {
			return s
		}
		if d.slots != 0 {
			return SubRemoval
		}
	case Expansion:
		if s, ok := adjusted(d.up); ok {
			return s
		}
		if d.slots != 0 {
			return SubAddOn
		}
	case None:
	}
	switch {
	case d.plans != 0:
		return SubPlanChange
	case d.intervals != 0:
		return SubIntervalChange
	case d.quantity != 0:
		return SubQuantityChange
	case d.discount != 0:
		return SubDiscountChange
	default:
		return SubPriceChange
	}
}

// adjusted is the subtype of an expansion or contraction whose event says why.
func adjusted(c Cause) (Subtype, bool) {
	switch c {
	case ByRefund:
		return SubRefund, true
	case ByProration:
		return SubProration, true
	default:
		return 0, false
	}
}

// churn is the subtype of a churn. Within a filter's view a slot may leave with
// its value, to another plan for example: then what changed is the reason.
func (d *dayChange) churn(l *Ledger) Subtype {
	switch {
	case d.down == ByRefund:
		return SubRefund
	case d.down == ByFree:
		return SubFree
	case d.down == ByInvoluntary:
		return SubInvoluntary
	case d.down == ByExpiry:
		return SubExpired
	case d.left >= 0:
		c := &l.Changes[d.left]
		return difference(&l.Changes[c.Prev].After, &c.After)
	case d.down == ByInvoice:
		return SubRemoval
	default:
		return SubVoluntary
	}
}

// Leaving returns the subtype of the churn by a change within a view that the
// slot was in before it and is not in after it.
func (l *Ledger) Leaving(change int) Subtype {
	c := &l.Changes[change]
	d := dayChange{down: c.Cause, left: -1}
	if c.Prev >= 0 && c.After.MRR > 0 {
		d.left = int32(change)
	}
	return d.churn(l)
}

// difference says what differs first between two states of one slot.
func difference(a, b *State) Subtype {
	switch {
	case a.Plan != b.Plan:
		return SubPlanChange
	case a.Interval != b.Interval:
		return SubIntervalChange
	case a.Quantity != b.Quantity:
		return SubQuantityChange
	case a.Discount != b.Discount:
		return SubDiscountChange
	default:
		return SubPriceChange
	}
}
