package report

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// cashPart is what a row is of the cash of its invoice.
type cashPart uint8

const (
	noPart       cashPart = iota // of an invoice that is not paid, or that is paid on another day
	salePart                     // what a subscription costs before discount and without tax
	oncePart                     // the same of what is sold once
	discountPart                 // negative, and so are the next three
	refundPart
	feePart
	fxPart
	taxPart
)

// entry is one part of a paid invoice.
type entry struct {
	part   cashPart
	amount int64 // minor units of the invoice's currency, signed as reports show it
	plan   ledger.PlanRef
	line   int32 // index into the invoice's lines, -1 for the invoice as a whole
}

// leads reports whether the part may stand for its invoice: if there is no other
// it comes to what the invoice does.
func (e *entry) leads() bool { return e.part == salePart || e.part == oncePart || e.part == refundPart }

// parts takes paid invoices apart.
type parts struct {
	zone    *time.Location
	entries []entry
}

// paidOn is the day on which a paid invoice counts as cash.
func (p *parts) paidOn(l *ledger.Ledger, inv *ledger.Invoice) calendar.Day {
	if inv.Extra&ledger.InFull == 0 {
		return inv.Day
	}
	if _, x := l.Rare(inv); !x.PaymentDate.IsZero() {
		return x.PaymentDate.Day(p.zone)
	}
	return inv.Day
}

// isRefund reports whether the row is one that gives money back.
func isRefund(inv *ledger.Invoice) bool { return inv.Kind == ledger.Refund }

// isBill reports whether the row asks for money: failure rates are shares of
// these.
func isBill(inv *ledger.Invoice) bool {
	return inv.Amount > 0 && inv.Status != ledger.Void && (inv.Kind == ledger.Subscription || inv.Kind == ledger.OneTime)
}

// isListed reports whether the row is an invoice for lists of invoices: not a
// refund, and no cancellation that costs nothing.
func isListed(inv *ledger.Invoice) bool {
	return !isRefund(inv) && (inv.Kind != ledger.Cancellation || inv.Amount != 0)
}

// sold is the part of a sale.
func sold(once bool) cashPart {
	if once {
		return oncePart
	}
	return salePart
}

// of takes a paid invoice apart. The result is overwritten by the next call;
// parts of nothing are left out.
func (p *parts) of(l *ledger.Ledger, inv *ledger.Invoice) []entry {
	p.entries = p.entries[:0]
	once := inv.Kind != ledger.Subscription
	if inv.Extra == 0 && !isRefund(inv) {
		p.put(entry{sold(once), inv.Amount, inv.Plan, -1})
		return p.entries
	}
	rare, x := l.Rare(inv)
	switch {
	case isRefund(inv):
		p.put(entry{refundPart, -magnitude(inv.Amount), inv.Plan, -1})
	case x == nil || len(x.Lines) == 0:
		p.sale(inv.Plan, once, -1, inv.Amount, magnitude(rare.Discount), rare.Tax)
	default:
		p.lines(inv, x)
	}
	if x != nil {
		p.put(entry{feePart, -magnitude(x.Fee), inv.Plan, -1})
		p.put(entry{fxPart, -magnitude(x.FXLoss), inv.Plan, -1})
	}
	return p.entries
}

// lines takes apart an invoice with lines: the lines, and what the amounts of the
// whole invoice are more than those of its lines. Discount and tax of the invoice
// include those of its lines when they are stated.
func (p *parts) lines(inv *ledger.Invoice, x *ledger.Extra) {
	discount, tax := magnitude(x.Discount), x.Tax
	var lineDiscount, lineTax, lineAmount int64
	for i := range x.Lines {
		lineDiscount += magnitude(x.Lines[i].Discount)
		lineTax += x.Lines[i].Tax
		lineAmount += x.Lines[i].Amount
	}
	if discount == 0 {
		discount = lineDiscount
	}
	if tax == 0 {
		tax = lineTax
	}
	once := inv.Kind != ledger.Subscription
	for i := range x.Lines {
		line := &x.Lines[i]
		plan := line.Plan
		if plan == 0 {
			plan = inv.Plan
		}
		p.sale(plan, once || line.OneTime, int32(i), line.Amount, magnitude(line.Discount), line.Tax)
	}
	p.sale(inv.Plan, once, -1, inv.Amount-lineAmount, discount-lineDiscount, tax-lineTax)
}

// sale puts one line of a sale, or what lines do not explain.
func (p *parts) sale(plan ledger.PlanRef, once bool, line int32, amount, discount, tax int64) {
	p.put(entry{sold(once), amount + discount - tax, plan, line})
	p.put(entry{discountPart, -discount, plan, line})
	p.put(entry{taxPart, tax, plan, line})
}

func (p *parts) put(e entry) {
	if e.amount != 0 {
		p.entries = append(p.entries, e)
	}
}

// discountOf is what filters take for the discount of an invoice.
func discountOf(l *ledger.Ledger, inv *ledger.Invoice) int64 {
	if inv.Extra == 0 {
		return 0
	}
	rare, x := l.Rare(inv)
	discount := rare.Discount
	if x != nil {
		for i := range x.Lines {
			discount += x.Lines[i].Discount
		}
	}
	return discount
}
