package httpapi

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func storedCustomer(s *report.Snapshot, row analytics.StoredRow) (wire.StoredCustomer, error) {
	c, err := ingest.Documents{}.Customer(row.Doc)
	if err != nil {
		return wire.StoredCustomer{}, fmt.Errorf("read stored customer: %w", err)
	}
	state := report.StateOf(s, row.Customer)
	return wire.StoredCustomer{
		Id: c.ID, Name: textOrNull(c.Name), Email: textOrNull(c.Email), Country: textOrNull(c.Country), State: textOrNull(c.State),
		CreatedDate: stampOrNull(c.Created), TrialStarted: stampOrNull(c.TrialStarted), CustomVariables: variables(c.Custom), DataSource: row.Source,
		Status: wire.CustomerStatus(state.Status.String()), TrialEndDate: stampOrNull(state.TrialEnd), PaidStarted: stampOrNull(state.PaidStarted),
		CancelDate: stampOrNull(state.CancelDate), CancelReason: textOrNull(state.CancelReason), OverdueDate: stampOrNull(state.OverdueDate),
	}, nil
}

// variables is never null: clients read members of it without asking.
func variables(custom map[string]string) map[string]string {
	if custom == nil {
		return map[string]string{}
	}
	return custom
}

func storedPlan(row analytics.StoredRow) (wire.StoredPlan, error) {
	p, err := ingest.Documents{}.Plan(row.Doc)
	if err != nil {
		return wire.StoredPlan{}, fmt.Errorf("read stored plan: %w", err)
	}
	unit, count := wire.Interval(p.Interval.Unit.String()), int64(p.Interval.Count)
	out := wire.StoredPlan{
		Id: p.ID, ExternalId: p.ID, Name: p.Name, ProductName: textOrNull(p.Product), DataSource: row.Source,
		BillingFreq: unit, BillingFreqCount: count, Interval: unit, IntervalCount: count,
		Currency: p.Currency.Code(), PricingModel: p.Pricing.String(), PlanGroup: textOrNull(p.Group),
	}
	if p.Priced {
		out.Amount = &p.Price
	}
	return out, nil
}

// planKey names a plan among those of all data sources.
type planKey struct{ source, id string }

// planCurrencies returns the currencies of the account's plans, which their
// invoices need not state.
func planCurrencies(s *report.Snapshot) map[planKey]money.Currency {
	all := make(map[planKey]money.Currency, len(s.Plans))
	for i := range s.Plans[1:] {
		if p := &s.Plans[1+i]; !p.Missing {
			all[planKey{s.Sources[p.Source].ID, p.ID}] = p.Currency
		}
	}
	return all
}

func storedInvoice(row analytics.StoredRow, currencies map[planKey]money.Currency) (wire.StoredInvoice, error) {
	in, err := ingest.Documents{}.Invoice(row.Doc)
	if err != nil {
		return wire.StoredInvoice{}, fmt.Errorf("read stored invoice: %w", err)
	}
	e, x := &in.Event, in.Event.Extra
	if x == nil {
		x = &ledger.Extra{}
	}
	out := wire.StoredInvoice{
		Id: in.ID, CustomerId: in.CustomerID, PlanId: textOrNull(in.PlanID), SubscriptionId: textOrNull(in.SubscriptionID),
		Type: e.Kind.String(), Status: e.Status.String(), Date: e.Date.String(), InvoiceDate: e.Date.String(), Amount: e.Amount,
		PeriodStart: stampOrNull(e.Start), PeriodEnd: stampOrNull(e.End), Quantity: quantityOrNull(e.Quantity),
		Proration: e.Proration != ledger.NotProrated, ProrationType: textOrNull(e.Proration.String()), PricingModel: e.Pricing.String(),
		Discount: x.Discount, DiscountOnce: x.DiscountOnce, Tax: x.Tax, Fee: x.Fee, FxLoss: x.FXLoss,
		DueDate: stampOrNull(x.DueDate), PaymentDate: stampOrNull(x.PaymentDate), FirstFailedDate: stampOrNull(x.FirstFailed),
		PaymentMethod: textOrNull(in.Method), AttemptCount: int64(x.Attempts), RefundOf: textOrNull(x.RefundOf),
		CancelReason: textOrNull(in.CancelReason), CancelComment: textOrNull(x.CancelComment),
		Description: textOrNull(x.Description), Number: textOrNull(x.Number), DataSource: row.Source,
		Lines: make([]wire.StoredLine, 0, len(in.Lines)),
	}
	currency := e.Currency
	if currency == money.None {
		currency = currencies[planKey{row.Source, in.PlanID}]
	}
	if currency != money.None {
		out.Currency = textOrNull(currency.Code())
	}
	for i := range in.Lines {
		out.Lines = append(out.Lines, storedLine(&in.Lines[i]))
	}
	return out, nil
}

func storedLine(l *analytics.LineRow) wire.StoredLine {
	kind := ledger.Subscription
	if l.OneTime {
		kind = ledger.OneTime
	}
	return wire.StoredLine{
		Description: textOrNull(l.Description), Type: kind.String(), PlanId: textOrNull(l.PlanID), Amount: l.Amount,
		Quantity: quantityOrNull(l.Quantity), PeriodStart: stampOrNull(l.Start), PeriodEnd: stampOrNull(l.End),
		Discount: l.Discount, DiscountOnce: l.DiscountOnce, Tax: l.Tax,
		Proration: l.Proration != ledger.NotProrated, ProrationType: textOrNull(l.Proration.String()),
	}
}

// quantityOrNull is null where no quantity was stated, which counts as one.
func quantityOrNull(n int32) *int64 {
	if n == 0 {
		return nil
	}
	quantity := int64(n)
	return &quantity
}
