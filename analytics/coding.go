package analytics

import (
	"encoding/binary"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// A customer's invoices are written one behind the other, each as what tells it
// from the one before: a mask of the fields that differ, the row, the date, and
// those fields in the order of their bits. Numbers are varints, signed ones in
// zigzag. Most invoices take 5 to 10 bytes.

// The bits of the mask. Those that are set most often are in its first byte.
const (
	otherAmount = 1 << iota
	otherStart
	otherEnd
	otherQuantity
	otherPlan
	otherTax
	otherDiscount
	otherSubscription
	otherMethod
	otherCurrency
	otherKind
	otherStatus
	otherTerms // pricing and proration
	inFull     // more rare fields than tax and discount: an Extra of its own

	seldom = ^uint64(1<<7 - 1) // the bits behind the first byte
)

// longestEvent bounds how many bytes an event takes.
const longestEvent = 12*binary.MaxVarintLen64 + 5

// written is the event that the next one is told from.
type written struct {
	event ledger.Event // its Extra is that of an event in full, else nil
	taxed ledger.Taxed // tax and discount, of the last event that is not in full
}

// writer writes events behind those that it knows.
type writer struct {
	written
	extras []*ledger.Extra // of all events in full
}

// add appends an event to a text.
func (w *writer) add(text []byte, ev *ledger.Event) []byte {
	mask, taxed := w.differing(ev)
	if mask&inFull != 0 {
		w.extras = append(w.extras, ev.Extra)
	}
	last := &w.event
	text = binary.AppendUvarint(text, mask)
	text = binary.AppendVarint(text, int64(ev.Ref)-int64(last.Ref))
	text = binary.AppendUvarint(text, stride(ev.Date-last.Date))
	if mask&otherAmount != 0 {
		text = binary.AppendVarint(text, ev.Amount-last.Amount)
	}
	if mask&otherStart != 0 {
		text = appendBound(text, ev.Date, ev.Start)
	}
	if mask&otherEnd != 0 {
		text = appendBound(text, ev.Date, ev.End)
	}
	if mask&otherQuantity != 0 {
		text = binary.AppendVarint(text, int64(ev.Quantity))
	}
	if mask&otherPlan != 0 {
		text = binary.AppendUvarint(text, uint64(ev.Plan))
	}
	if mask&otherTax != 0 {
		text = binary.AppendVarint(text, taxed.Tax)
	}
	if mask&otherDiscount != 0 {
		text = binary.AppendVarint(text, taxed.Discount)
	}
	if mask&seldom != 0 {
		text = appendSeldom(text, mask, ev)
	}
	w.event, w.taxed = *ev, taxed
	return text
}

func appendSeldom(text []byte, mask uint64, ev *ledger.Event) []byte {
	if mask&otherSubscription != 0 {
		text = binary.AppendUvarint(text, uint64(ev.Subscription))
	}
	if mask&otherMethod != 0 {
		text = binary.AppendUvarint(text, uint64(ev.Method))
	}
	if mask&otherCurrency != 0 {
		text = append(text, byte(ev.Currency))
	}
	if mask&otherKind != 0 {
		text = append(text, byte(ev.Kind))
	}
	if mask&otherStatus != 0 {
		text = append(text, byte(ev.Status))
	}
	if mask&otherTerms != 0 {
		text = append(text, byte(ev.Pricing), byte(ev.Proration))
	}
	return text
}

// differing returns the mask of an event, and its tax and discount; one in full
// leaves those of the last event.
func (w *writer) differing(ev *ledger.Event) (mask uint64, taxed ledger.Taxed) {
	last, all := &w.event, true
	if ev.Extra != nil {
		taxed, all = ev.Extra.Taxed()
	}
	if !all {
		mask, taxed = inFull, w.taxed
	}
	set := func(bit uint64, differs bool) {
		if differs {
			mask |= bit
		}
	}
	set(otherAmount, ev.Amount != last.Amount)
	set(otherStart, ev.Start != moved(last.Start, last.Date, ev.Date))
	set(otherEnd, ev.End != moved(last.End, last.Date, ev.Date))
	set(otherQuantity, ev.Quantity != last.Quantity)
	set(otherPlan, ev.Plan != last.Plan)
	set(otherTax, taxed.Tax != w.taxed.Tax)
	set(otherDiscount, taxed.Discount != w.taxed.Discount)
	set(otherSubscription, ev.Subscription != last.Subscription)
	set(otherMethod, ev.Method != last.Method)
	set(otherCurrency, ev.Currency != last.Currency)
	set(otherKind, ev.Kind != last.Kind)
	set(otherStatus, ev.Status != last.Status)
	set(otherTerms, ev.Pricing != last.Pricing || ev.Proration != last.Proration)
	return mask, taxed
}

// reader reads what a writer wrote.
type reader struct {
	written
	text   string
	at     int             // place of the next event in the text
	extras []*ledger.Extra // of the next events in full
}

// next reads the next event, if there is one.
func (r *reader) next() bool {
	if r.at == len(r.text) {
		return false
	}
	ev := &r.event
	mask := r.uvarint()
	ev.Ref += uint32(r.varint())
	date := ev.Date + unstride(r.uvarint())
	ev.Start, ev.End, ev.Date = moved(ev.Start, ev.Date, date), moved(ev.End, ev.Date, date), date
	if mask&otherAmount != 0 {
		ev.Amount += r.varint()
	}
	if mask&otherStart != 0 {
		ev.Start = r.bound(date)
	}
	if mask&otherEnd != 0 {
		ev.End = r.bound(date)
	}
	if mask&otherQuantity != 0 {
		ev.Quantity = int32(r.varint())
	}
	if mask&otherPlan != 0 {
		ev.Plan = ledger.PlanRef(r.uvarint())
	}
	if mask&otherTax != 0 {
		r.taxed.Tax = r.varint()
	}
	if mask&otherDiscount != 0 {
		r.taxed.Discount = r.varint()
	}
	ev.Extra = nil
	if mask&seldom != 0 {
		r.seldom(mask)
	}
	return true
}

func (r *reader) seldom(mask uint64) {
	ev := &r.event
	if mask&otherSubscription != 0 {
		ev.Subscription = ledger.Symbol(r.uvarint())
	}
	if mask&otherMethod != 0 {
		ev.Method = ledger.Symbol(r.uvarint())
	}
	if mask&otherCurrency != 0 {
		ev.Currency = money.Currency(r.byte())
	}
	if mask&otherKind != 0 {
		ev.Kind = ledger.Kind(r.byte())
	}
	if mask&otherStatus != 0 {
		ev.Status = ledger.Status(r.byte())
	}
	if mask&otherTerms != 0 {
		ev.Pricing, ev.Proration = ledger.Pricing(r.byte()), ledger.Proration(r.byte())
	}
	if mask&inFull != 0 {
		ev.Extra, r.extras = r.extras[0], r.extras[1:]
	}
}

// small reports whether the event has tax or discount and nothing else that is
// rare.
func (r *reader) small() bool { return r.event.Extra == nil && r.taxed != (ledger.Taxed{}) }

func (r *reader) byte() byte {
	b := r.text[r.at]
	r.at++
	return b
}

func (r *reader) uvarint() uint64 {
	b := r.byte()
	if b < 0x80 {
		return uint64(b)
	}
	return r.longer(uint64(b & 0x7f))
}

// longer reads the rest of a number of several bytes.
func (r *reader) longer(n uint64) uint64 {
	for shift := 7; ; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

func (r *reader) varint() int64 { return unzigzag(r.uvarint()) }

func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// oneDay is what lies between the stamps of two days that follow each other.
const oneDay = 86400 << 2

// stride writes the way from one stamp to another as a number that is small when
// it is of whole days.
func stride(way calendar.Stamp) uint64 {
	if way%oneDay == 0 {
		return zigzag(int64(way/oneDay)) << 1
	}
	return zigzag(int64(way))<<1 | 1
}

func unstride(u uint64) calendar.Stamp {
	way := calendar.Stamp(unzigzag(u >> 1))
	if u&1 == 0 {
		way *= oneDay
	}
	return way
}

// moved is where a bound of a period most likely is on the next invoice: as far
// from its date, and not stated if it was not.
func moved(bound, from, to calendar.Stamp) calendar.Stamp {
	if bound.IsZero() {
		return 0
	}
	return to + bound - from
}

// appendBound appends a bound of a period: its way from the invoice's date, or 0
// when it is not stated.
func appendBound(text []byte, date, bound calendar.Stamp) []byte {
	if bound.IsZero() {
		return append(text, 0)
	}
	return binary.AppendUvarint(text, 1+stride(bound-date))
}

func (r *reader) bound(date calendar.Stamp) calendar.Stamp {
	u := r.uvarint()
	if u == 0 {
		return 0
	}
	return date + unstride(u-1)
}
