package ledger

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Invoice is one row of the customer as the cash reports need it: what was
// billed, whatever it did to MRR. It has no pointers and 32 bytes: a million of
// them cost the garbage collector nothing.
type Invoice struct {
	Amount   int64        // minor units of Currency as sent: net of discount, tax included
	Day      calendar.Day // of invoice_date
	Ref      uint32       // Event.Ref
	Extra    uint32       // 0 for none, 1 + index into Ledger.Taxed, or InFull | index into Ledger.Extras
	Plan     PlanRef      // of a refund that states none: the refunded invoice's
	Method   Symbol       // likewise
	Currency money.Currency
	Kind     Kind
	Status   Status
	Pricing  Pricing // as stated, without the plan's; of a refund the refunded invoice's if that is metered
}

// InFull marks an Invoice.Extra that counts in Ledger.Extras.
const InFull = 1 << 31

// Rare returns the rarely used fields of an invoice: its tax and discount, and
// the others, nil when it has none. Of an invoice with lines tax and discount
// are those of the invoice itself.
func (l *Ledger) Rare(inv *Invoice) (Taxed, *Extra) {
	switch {
	case inv.Extra == 0:
		return Taxed{}, nil
	case inv.Extra&InFull == 0:
		return l.Taxed[inv.Extra-1], nil
	default:
		x := l.Extras[inv.Extra&^InFull]
		return Taxed{Tax: x.Tax, Discount: x.Discount}, x
	}
}

// Outcome is what became of an invoice that could not be collected at first.
type Outcome uint8

// The outcomes. A customer who has no MRR left and whose MRR ended in or after
// the period that the invoice is for has Churned.
const (
	Recovered Outcome = iota
	StillUnpaid
	Churned
)

var outcomeNames = [...]string{"recovered", "still_unpaid", "churned"}

// String returns the contract's name of the outcome.
func (o Outcome) String() string { return outcomeNames[o] }

// Failure is an invoice that failed to be collected at least once.
type Failure struct {
	Invoice int32        // index into Ledger.Invoices
	Day     calendar.Day // of the first failure: as stated, else the invoice's
	Outcome Outcome      // as of the ledger's Today
}

// bill notes an event as an invoice: the invoices are in the order of replay.
func (r *Replayer) bill(ev *Event, currency money.Currency) {
	inv := Invoice{
		Amount: ev.Amount, Day: ev.Date.Day(r.set.Zone), Ref: ev.Ref, Plan: ev.Plan, Method: ev.Method,
		Currency: currency, Kind: ev.Kind, Status: ev.Status, Pricing: ev.Pricing,
	}
	if ev.Kind == Refund {
		r.inherit(&inv, ev)
	}
	if ev.Extra != nil {
		inv.Extra = r.rare(ev.Extra)
	}
	r.invoices = append(r.invoices, inv)
}

// rare keeps the rarely used fields of an invoice. An Extra that is only a Taxed
// is copied, for the caller may use its memory again.
func (r *Replayer) rare(x *Extra) uint32 {
	if t, all := x.Taxed(); all {
		r.taxed = append(r.taxed, t)
		return uint32(len(r.taxed))
	}
	r.extras = append(r.extras, x)
	return InFull | uint32(len(r.extras)-1)
}

// inherit gives a refund the plan, the payment method and the pricing model of
// the invoice that it is for, so that both are found under the same filters.
func (r *Replayer) inherit(inv *Invoice, ev *Event) {
	target, _ := r.refunded(ev)
	if named := ev.Extra != nil && ev.Extra.RefundOf != ""; target < 0 && named {
		for i := range r.events {
			if r.events[i].ID == ev.Extra.RefundOf {
				target = int32(i)
			}
		}
	}
	if target < 0 {
		return
	}
	from := &r.events[target]
	if inv.Plan == 0 {
		inv.Plan = from.Plan
	}
	if inv.Method == 0 {
		inv.Method = from.Method
	}
	inv.Pricing = max(inv.Pricing, r.pricing(from, from.Plan))
}

// unbilled returns the currency of a row that replay leaves out, and so does
// not order among the others.
func (r *Replayer) unbilled(ev *Event) money.Currency {
	switch {
	case ev.Currency != money.None:
		return ev.Currency
	case int(ev.Plan) < len(r.plans) && r.plans[ev.Plan].Currency != money.None:
		return r.plans[ev.Plan].Currency
	default:
		return r.set.Base
	}
}

// failures lists the invoices that failed at least once up to today. l's other
// facts are complete.
func (r *Replayer) failures(l *Ledger) []Failure {
	var out []Failure
	for i := range l.Invoices {
		inv := &l.Invoices[i]
		if inv.Status == Paid && inv.Extra&InFull == 0 {
			continue
		}
		f, ok := r.failure(l, int32(i))
		switch {
		case !ok:
		case f.Day > r.today || inv.Day > r.today:
			r.wakeOn(max(f.Day, inv.Day))
		default:
			out = append(out, f)
		}
	}
	return out
}

// failure describes how an invoice failed; ok is false when it did not. An
// attempt on an invoice that is still open has failed.
func (r *Replayer) failure(l *Ledger, index int32) (f Failure, ok bool) {
	inv := &l.Invoices[index]
	if inv.Status == Void || inv.Amount <= 0 || inv.Kind != Subscription && inv.Kind != OneTime {
		return f, false
	}
	f = Failure{Invoice: index, Day: inv.Day, Outcome: Recovered}
	stated, attempted := false, false
	if _, x := l.Rare(inv); x != nil {
		attempted = x.Attempts > 0
		if stated = !x.FirstFailed.IsZero(); stated {
			f.Day = x.FirstFailed.Day(r.set.Zone)
		}
	}
	switch {
	case !stated && inv.Status != Failed && (inv.Status == Paid || !attempted):
		return f, false
	case inv.Status == Paid:
		return f, true
	}
	f.Outcome = StillUnpaid
	since := min(f.Day, inv.Day)
	if start := r.events[r.order[index].index].Start; !start.IsZero() {
		since = min(since, start.Day(r.set.Zone))
	}
	if l.CancelEnd.Valid() && l.CancelEnd <= r.today && l.CancelEnd >= since {
		f.Outcome = Churned
	}
	return f, true
}
