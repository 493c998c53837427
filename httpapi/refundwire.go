package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func refundsToWire(r *report.RefundReport) []wire.RefundsRow {
	rows := make([]wire.RefundsRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, refundsRowToWire(&r.Rows[i], r.Values))
	}
	return rows
}

func refundsRowToWire(row *report.RefundRow, values []report.Value) wire.RefundsRow {
	out := wire.RefundsRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(),
		RefundAmount: row.Amount, RefundCount: row.Count, CustomersRefunded: row.Customers, Amount: row.Amount, Count: row.Count,
	}
	if row.Compare != nil {
		earlier := refundsRowToWire(row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.RefundsBreakdown, len(values))
	}
	for v := range row.Breakdown {
		m := &row.Breakdown[v]
		out.Breakdown[values[v].Key] = wire.RefundsBreakdown{
			Label:        values[v].Label,
			RefundAmount: m.Amount, RefundCount: m.Count, CustomersRefunded: m.Customers, Amount: m.Amount, Count: m.Count,
		}
	}
	return out
}

func refundTableRowToWire(row *report.RefundTableRow, days dayTexts) wire.RefundsTableRow {
	key, label := valueToWire(row.Value)
	return wire.RefundsTableRow{
		Date: days.of(row.Date), Amount: row.Amount, Count: row.Count, CustomersRefunded: row.Customers, BreakdownValue: key, BreakdownLabel: label,
		Compare: comparedRowToWire(row.Compare, days, refundTableRowToWire),
	}
}

func refundDetailToWire(q *report.Query, r *report.PaymentReport) wire.RefundPage {
	page := wire.RefundPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Refund, 0, len(r.Rows)),
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		page.List = append(page.List, wire.Refund{
			Date: row.Date.String(), Period: row.Period.String(), InvoiceRef: row.Ref,
			CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
			Amount: row.Amount, AmountBaseCurrency: row.AmountBase, Currency: row.Currency.Code(), PaymentMethod: textOrNull(row.Method),
			Description: row.Description, DataSource: row.Source.ID, BreakdownValue: valueOrNone(q, row),
		})
	}
	return page
}
