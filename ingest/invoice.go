package ingest

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// The fields of an invoice and of a line, one bit each.
const (
	invoiceID uint = iota
	invoiceCustomer
	invoicePlan
	invoiceSubscription
	invoiceType
	invoiceDate
	invoiceDateAlias
	invoiceAmount
	invoiceCurrency
	invoiceStart
	invoiceEnd
	invoiceProration
	invoiceProrationType
	invoiceQuantity
	invoiceDiscount
	invoiceDiscountOnce
	invoiceTax
	invoiceStatus
	invoiceDue
	invoicePaid
	invoiceMethod
	invoiceAttempts
	invoiceFirstFailed
	invoiceFee
	invoiceFXLoss
	invoicePricing
	invoiceReason
	invoiceComment
	invoiceRefundOf
	invoiceLines
	invoiceSource
	invoiceNumber
	invoiceDescription
)

const (
	wantQuantity = "must be an integer from 0 to 1000000000"
	wantAttempts = "must be an integer from 0 to 1000000"
	needAmount   = "is required: an integer number of minor units (9900 for 99.00)"
)

// invoiceDraft collects what decides about an invoice only once all of its
// fields are known.
type invoiceDraft struct {
	row         *analytics.InvoiceRow
	extra       ledger.Extra
	date, alias calendar.Stamp
	hasAmount   bool
	prorated    bool
	proration   ledger.Proration
}

// invoice decodes the invoice whose object was just opened.
func (d *decoder) invoice(row *analytics.InvoiceRow) {
	draft := invoiceDraft{row: row}
	for {
		key, ok := d.key()
		if !ok {
			break
		}
		if !d.commonField(key, &draft) && !d.rareField(key, &draft) {
			d.skip(jsonscan.Key)
		}
	}
	row.Doc = d.doc()
	d.finishInvoice(&draft)
}

// commonField decodes the fields of seed 001. It reports whether key is one.
func (d *decoder) commonField(key string, draft *invoiceDraft) bool {
	row := draft.row
	switch key {
	case "id":
		if d.once(invoiceID, key) {
			row.ID = d.rowID(key)
			row.Event.ID = row.ID
		}
	case "customer_id":
		if d.once(invoiceCustomer, key) {
			row.CustomerID = d.ident(key)
		}
	case "plan_id":
		if d.once(invoicePlan, key) {
			row.PlanID = d.ident(key)
		}
	case "subscription_id":
		if d.once(invoiceSubscription, key) {
			row.SubscriptionID = d.ident(key)
		}
	case "type":
		if d.once(invoiceType, key) {
			row.Event.Kind = d.kind(key)
		}
	case "invoice_date":
		if d.once(invoiceDate, key) {
			draft.date = d.stamp(key)
		}
	case "date":
		if d.once(invoiceDateAlias, key) {
			draft.alias = d.stamp(key)
		}
	case "amount":
		if d.once(invoiceAmount, key) {
			row.Event.Amount = d.amount(key)
			draft.hasAmount = d.present
		}
	case "currency":
		if d.once(invoiceCurrency, key) {
			row.Event.Currency = d.currency(key)
		}
	case "period_start":
		if d.once(invoiceStart, key) {
			row.Event.Start = d.stamp(key)
		}
	case "period_end":
		if d.once(invoiceEnd, key) {
			row.Event.End = d.stamp(key)
		}
	case "proration":
		if d.once(invoiceProration, key) {
			draft.prorated = d.boolean(key)
		}
	case "quantity":
		if d.once(invoiceQuantity, key) {
			row.Event.Quantity = d.count(key, 0, maxQuantity, wantQuantity)
		}
	case "discount":
		if d.once(invoiceDiscount, key) {
			draft.extra.Discount = d.amount(key)
		}
	default:
		return false
	}
	return true
}

// rareField decodes the optional fields beyond seed 001.
func (d *decoder) rareField(key string, draft *invoiceDraft) bool {
	row, x := draft.row, &draft.extra
	switch key {
	case "status":
		if d.once(invoiceStatus, key) {
			row.Event.Status = d.status(key)
		}
	case "tax":
		if d.once(invoiceTax, key) {
			x.Tax = d.amount(key)
		}
	case "discount_once":
		if d.once(invoiceDiscountOnce, key) {
			x.DiscountOnce = d.boolean(key)
		}
	case "proration_type":
		if d.once(invoiceProrationType, key) {
			draft.proration = d.prorationType(key)
		}
	case "pricing_model":
		if d.once(invoicePricing, key) {
			row.Event.Pricing = d.pricing(key)
		}
	case "payment_method":
		if d.once(invoiceMethod, key) {
			row.Method = d.word(key)
		}
	case "payment_date":
		if d.once(invoicePaid, key) {
			x.PaymentDate = d.stamp(key)
		}
	case "due_date":
		if d.once(invoiceDue, key) {
			x.DueDate = d.stamp(key)
		}
	case "first_failed_date":
		if d.once(invoiceFirstFailed, key) {
			x.FirstFailed = d.stamp(key)
		}
	case "attempt_count":
		if d.once(invoiceAttempts, key) {
			x.Attempts = d.count(key, 0, maxAttempts, wantAttempts)
		}
	case "fee":
		if d.once(invoiceFee, key) {
			x.Fee = d.amount(key)
		}
	case "fx_loss":
		if d.once(invoiceFXLoss, key) {
			x.FXLoss = d.amount(key)
		}
	case "cancel_reason":
		if d.once(invoiceReason, key) {
			row.CancelReason = d.str(key)
		}
	case "cancel_comment":
		if d.once(invoiceComment, key) {
			x.CancelComment = d.str(key)
		}
	case "refund_of":
		if d.once(invoiceRefundOf, key) {
			x.RefundOf = d.ident(key)
		}
	case "number":
		if d.once(invoiceNumber, key) {
			x.Number = d.str(key)
		}
	case "description":
		if d.once(invoiceDescription, key) {
			x.Description = d.str(key)
		}
	case "lines":
		if d.once(invoiceLines, key) {
			row.Lines = d.lines(key)
		}
	case "data_source":
		if d.once(invoiceSource, key) {
			d.source = d.ident(key)
		}
	default:
		return false
	}
	return true
}

// kind reads the type of an invoice; 0 when it is not stated.
func (d *decoder) kind(field string) ledger.Kind {
	word := d.word(field)
	if word == "" {
		return 0
	}
	kind, err := ledger.ParseKind(word)
	if err != nil {
		d.fail(field, err.Error())
	}
	return kind
}

func (d *decoder) status(field string) ledger.Status {
	word := d.word(field)
	if word == "" {
		return ledger.Paid
	}
	status, err := ledger.ParseStatus(word)
	if err != nil {
		d.fail(field, err.Error())
	}
	return status
}

// prorationType reads proration_type, which only means something beside
// "proration": true.
func (d *decoder) prorationType(field string) ledger.Proration {
	switch d.word(field) {
	case "":
	case "differential":
		return ledger.Differential
	case "full":
		return ledger.FullProration
	default:
		d.fail(field, "must be differential or full")
	}
	return ledger.NotProrated
}

func (d *decoder) proration(prorated bool, stated ledger.Proration) ledger.Proration {
	switch {
	case prorated && stated == ledger.NotProrated:
		return ledger.Differential
	case !prorated && stated != ledger.NotProrated:
		d.fail("proration_type", "is only read beside \"proration\": true")
	}
	return stated
}

// finishInvoice settles what depends on several fields and checks what is
// required.
func (d *decoder) finishInvoice(draft *invoiceDraft) {
	row := draft.row
	ev := &row.Event
	ev.Date = draft.date
	if d.has(invoiceDateAlias) {
		ev.Date = d.either("invoice_date", draft.date, "date", draft.alias)
	}
	ev.Proration = d.proration(draft.prorated, draft.proration)
	linePlans := d.finishLines(row)
	if ev.Kind == 0 && !d.reported("type") {
		ev.Kind = inferKind(row, linePlans)
	}
	d.required(row.ID != "", invoiceID, "id", "is required: your own id of the invoice")
	d.required(row.CustomerID != "", invoiceCustomer, "customer_id", "is required: the id of a customer that was pushed before")
	d.required(!ev.Date.IsZero() || d.reported("date"), invoiceDate, "invoice_date", "is required: a date or time such as 2026-01-31")
	if !draft.hasAmount && ev.Kind != ledger.Cancellation && !d.reported("amount") {
		d.fail("amount", needAmount)
	}
	if ev.Kind == ledger.Subscription && row.PlanID == "" && !linePlans {
		d.required(false, invoicePlan, "plan_id", "is required for a subscription invoice, here or on one of its lines")
	}
	d.period(ev.Start, ev.End)
	if isRare(&draft.extra) || len(row.Lines) > 0 || row.CancelReason != "" {
		x := draft.extra
		ev.Extra = &x
	}
}

// inferKind is the type of an invoice that does not state one.
func inferKind(row *analytics.InvoiceRow, linePlans bool) ledger.Kind {
	switch {
	case row.PlanID != "" || linePlans:
		return ledger.Subscription
	case row.Event.Amount < 0:
		return ledger.Refund
	default:
		return ledger.OneTime
	}
}

// isRare reports whether any field of x is set.
func isRare(x *ledger.Extra) bool {
	return x.Tax|x.Discount|x.Fee|x.FXLoss != 0 || x.DiscountOnce || x.RefundOf != "" || x.CancelComment != "" ||
		x.PaymentDate|x.DueDate|x.FirstFailed != 0 || x.Attempts != 0 || x.Number != "" || x.Description != ""
}

const wantPeriod = "must not be before period_start"

// period checks that a period does not end before it starts. Where one is a day
// and the other an instant, the account's zone decides, which may be changed
// later: then the row is refused only if no zone could make it right.
func (d *decoder) period(start, end calendar.Stamp) {
	if start.IsZero() || end.IsZero() || end >= start {
		return
	}
	if start.IsDay() == end.IsDay() || end.Day(time.UTC) < start.Day(time.UTC)-1 {
		d.fail("period_end", wantPeriod)
	}
}
