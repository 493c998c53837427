package ingest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// lineDescription takes the bit of a field that lines do not have.
const lineDescription = invoiceCustomer

// lines decodes the items of an invoice.
func (d *decoder) lines(field string) []analytics.LineRow {
	if !d.value(jsonscan.ArrayStart, field, "must be an array of objects") {
		return nil
	}
	outer := d.seen
	defer func() { d.seen, d.prefix = outer, "" }()
	d.lineKinds = d.lineKinds[:0]
	var all []analytics.LineRow
	for {
		kind := d.s.Next()
		if kind == jsonscan.ArrayEnd || kind == jsonscan.Invalid {
			return all
		}
		d.prefix = fmt.Sprintf("%s[%d].", field, len(all))
		all = append(all, analytics.LineRow{})
		if kind != jsonscan.ObjectStart {
			d.lineKinds = append(d.lineKinds, 0)
			if !d.skip(kind) {
				return all
			}
			d.prefix = ""
			d.fail(fmt.Sprintf("%s[%d]", field, len(all)-1), "must be an object")
			continue
		}
		d.seen = 0
		d.line(&all[len(all)-1])
	}
}

// line decodes the line whose object was just opened.
func (d *decoder) line(l *analytics.LineRow) {
	var prorated, hasAmount bool
	var proration ledger.Proration
	var kind ledger.Kind
	for {
		key, ok := d.key()
		if !ok {
			break
		}
		switch key {
		case "description":
			if d.once(lineDescription, key) {
				l.Description = d.str(key)
			}
		case "plan_id":
			if d.once(invoicePlan, key) {
				l.PlanID = d.ident(key)
			}
		case "amount":
			if d.once(invoiceAmount, key) {
				l.Amount = d.amount(key)
				hasAmount = d.present
			}
		case "quantity":
			if d.once(invoiceQuantity, key) {
				l.Quantity = d.count(key, 0, maxQuantity, wantQuantity)
			}
		case "period_start":
			if d.once(invoiceStart, key) {
				l.Start = d.stamp(key)
			}
		case "period_end":
			if d.once(invoiceEnd, key) {
				l.End = d.stamp(key)
			}
		case "discount":
			if d.once(invoiceDiscount, key) {
				l.Discount = d.amount(key)
			}
		case "discount_once":
			if d.once(invoiceDiscountOnce, key) {
				l.DiscountOnce = d.boolean(key)
			}
		case "tax":
			if d.once(invoiceTax, key) {
				l.Tax = d.amount(key)
			}
		case "proration":
			if d.once(invoiceProration, key) {
				prorated = d.boolean(key)
			}
		case "proration_type":
			if d.once(invoiceProrationType, key) {
				proration = d.prorationType(key)
			}
		case "type":
			if d.once(invoiceType, key) {
				kind = d.lineKind(key)
			}
		default:
			d.skip(jsonscan.Key)
		}
	}
	l.Proration = d.proration(prorated, proration)
	l.OneTime = kind == ledger.OneTime
	d.lineKinds = append(d.lineKinds, kind)
	if !hasAmount && !d.reported("amount") {
		d.fail("amount", needAmount)
	}
	d.period(l.Start, l.End)
}

func (d *decoder) lineKind(field string) ledger.Kind {
	switch d.word(field) {
	case "":
	case "subscription":
		return ledger.Subscription
	case "one-time", "one_time", "onetime":
		return ledger.OneTime
	default:
		d.fail(field, "must be subscription or one-time")
	}
	return 0
}

// finishLines gives every line its kind and reports whether one of them names
// the plan it recurs on. A line that states neither type nor plan belongs to
// the invoice's plan; beside lines that name their plans it is a one-time item.
func (d *decoder) finishLines(row *analytics.InvoiceRow) bool {
	named := false
	for i := range row.Lines {
		named = named || row.Lines[i].PlanID != ""
	}
	plans := false
	for i := range row.Lines {
		l := &row.Lines[i]
		switch {
		case l.PlanID != "":
			plans = plans || !l.OneTime
		case d.lineKinds[i] == ledger.Subscription && row.PlanID == "":
			d.fail(fmt.Sprintf("lines[%d].plan_id", i), "is required for a subscription line, here or on the invoice")
		case d.lineKinds[i] == 0:
			l.OneTime = named || row.PlanID == ""
		}
	}
	return plans
}
