package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// valueOrNone returns a row's breakdown value, nil without a breakdown.
func valueOrNone(q *report.Query, row *report.PaymentRow) *string {
	if breakdownName(q) == nil {
		return nil
	}
	return &row.BreakdownValue
}

// dateOrNull returns a day as a date, nil for no day.
func dateOrNull(d calendar.Day) *string {
	if !d.Valid() {
		return nil
	}
	text := d.String()
	return &text
}

func transactionDetailToWire(q *report.Query, r *report.PaymentReport) wire.TransactionPage {
	page := wire.TransactionPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Transaction, 0, len(r.Rows)),
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		page.List = append(page.List, wire.Transaction{
			Date: row.Date.String(), Period: row.Period.String(),
			CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
			Type: row.Type.String(), Status: row.Status.String(), TransactionId: row.Ref, Currency: row.Currency.Code(),
			Description: row.Description, Amount: row.Amount, AmountBaseCurrency: row.AmountBase, PaymentMethod: textOrNull(row.Method),
			PlanId: textOrNull(row.PlanID), PlanName: textOrNull(row.PlanName), DataSource: row.Source.ID, BreakdownValue: valueOrNone(q, row),
		})
	}
	return page
}

func invoiceDetailToWire(r *report.InvoiceReport) wire.InvoicePage {
	page := wire.InvoicePage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.InvoiceRow, 0, len(r.Rows)),
	}
	for i := range r.Rows {
		page.List = append(page.List, invoiceToWire(&r.Rows[i]))
	}
	return page
}

func invoiceToWire(row *report.InvoiceRow) wire.InvoiceRow {
	out := wire.InvoiceRow{
		InvoiceRef: row.Ref, InvoiceNumber: textOrNull(row.Number), InvoiceDate: row.Date.String(), InvoiceStatus: row.Status.String(),
		PaymentDate: dateOrNull(row.PaidOn),
		CustomerId:  row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
		Description: textOrNull(row.Description), Currency: row.Currency.Code(), Total: row.Total, TotalBaseCurrency: row.TotalBase,
		TransactionCount: int64(row.Transactions), DataSource: row.Source.ID, Lines: make([]wire.InvoiceLine, 0, len(row.Lines)),
	}
	for i := range row.Lines {
		line := &row.Lines[i]
		out.Lines = append(out.Lines, wire.InvoiceLine{
			Description: textOrNull(line.Description), Amount: line.Amount, Quantity: line.Quantity,
			PeriodStart: dateOrNull(line.Start), PeriodEnd: dateOrNull(line.End),
		})
	}
	return out
}
