package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func failuresToWire(q *report.Query, r *report.FailureReport) []wire.FailedPaymentsRow {
	rows := make([]wire.FailedPaymentsRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, failuresRowToWire(q, &r.Rows[i], r.Values))
	}
	return rows
}

func failuresRowToWire(q *report.Query, row *report.FailureRow, values []report.Value) wire.FailedPaymentsRow {
	m := &row.FailureMetrics
	out := wire.FailedPaymentsRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(), Currency: q.Base.Code(),
		FailedAmount: m.Failed, FailedInvoices: m.FailedCount, Amount: m.Failed, Count: m.FailedCount,
		Recovered: m.Amounts[ledger.Recovered], RecoveredInvoices: m.Invoices[ledger.Recovered], RecoveredCustomers: m.Customers[ledger.Recovered],
		StillUnpaid: m.Amounts[ledger.StillUnpaid], StillUnpaidCustomers: m.Customers[ledger.StillUnpaid],
		Churned: m.Amounts[ledger.Churned], ChurnedCustomers: m.Customers[ledger.Churned],
		AffectedCustomers: m.Affected, TotalRetryAttempts: m.Attempts, TotalInvoices: m.Bills,
		FailedPct: ratioToWire(&m.FailedPct), RecoveryRate: ratioToWire(&m.RecoveryRate),
	}
	if row.Compare != nil {
		earlier := failuresRowToWire(q, row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.FailedPaymentsBreakdown, len(values))
	}
	for v := range row.Breakdown {
		out.Breakdown[values[v].Key] = failurePartToWire(q, &row.Breakdown[v], values[v].Label)
	}
	return out
}

func failurePartToWire(q *report.Query, m *report.FailureMetrics, label string) wire.FailedPaymentsBreakdown {
	return wire.FailedPaymentsBreakdown{
		Label: label, Currency: q.Base.Code(),
		FailedAmount: m.Failed, FailedInvoices: m.FailedCount, Amount: m.Failed, Count: m.FailedCount,
		Recovered: m.Amounts[ledger.Recovered], RecoveredInvoices: m.Invoices[ledger.Recovered], RecoveredCustomers: m.Customers[ledger.Recovered],
		StillUnpaid: m.Amounts[ledger.StillUnpaid], StillUnpaidCustomers: m.Customers[ledger.StillUnpaid],
		Churned: m.Amounts[ledger.Churned], ChurnedCustomers: m.Customers[ledger.Churned],
		AffectedCustomers: m.Affected, TotalRetryAttempts: m.Attempts, TotalInvoices: m.Bills,
		FailedPct: ratioToWire(&m.FailedPct), RecoveryRate: ratioToWire(&m.RecoveryRate),
	}
}

func failureTableRowToWire(row *report.FailureTableRow, days dayTexts) wire.FailedPaymentsTableRow {
	key, label := valueToWire(row.Value)
	return wire.FailedPaymentsTableRow{
		Date: days.of(row.Date), Type: row.Type, Amount: row.Amount, Value: ratioToWire(&row.Figure), BreakdownValue: key, BreakdownLabel: label,
		Compare: comparedRowToWire(row.Compare, days, failureTableRowToWire),
	}
}

func failureSummaryToWire(r *report.FailureSummaryReport) wire.FailedPaymentsSummary {
	m, q, y := &r.Month, &r.Quarter, &r.Year
	return wire.FailedPaymentsSummary{
		MtdStillUnpaid: m.Now.Amounts[ledger.StillUnpaid], PrevMtdStillUnpaid: m.Before.Amounts[ledger.StillUnpaid],
		MtdStillUnpaidChangePct: ratioToWire(new(m.UnpaidChange())),
		QtdStillUnpaid:          q.Now.Amounts[ledger.StillUnpaid], PrevQtdStillUnpaid: q.Before.Amounts[ledger.StillUnpaid],
		QtdStillUnpaidChangePct: ratioToWire(new(q.UnpaidChange())),
		YtdStillUnpaid:          y.Now.Amounts[ledger.StillUnpaid], PrevYtdStillUnpaid: y.Before.Amounts[ledger.StillUnpaid],
		YtdStillUnpaidChangePct: ratioToWire(new(y.UnpaidChange())),

		MtdRecoveryRate: ratioToWire(&m.Now.RecoveryRate), PrevMtdRecoveryRate: ratioToWire(&m.Before.RecoveryRate), MtdRecoveryRateChange: ratioToWire(new(m.RecoveryChange())),
		QtdRecoveryRate: ratioToWire(&q.Now.RecoveryRate), PrevQtdRecoveryRate: ratioToWire(&q.Before.RecoveryRate), QtdRecoveryRateChange: ratioToWire(new(q.RecoveryChange())),
		YtdRecoveryRate: ratioToWire(&y.Now.RecoveryRate), PrevYtdRecoveryRate: ratioToWire(&y.Before.RecoveryRate), YtdRecoveryRateChange: ratioToWire(new(y.RecoveryChange())),

		MtdFailedPct: ratioToWire(&m.Now.FailedPct), PrevMtdFailedPct: ratioToWire(&m.Before.FailedPct), MtdFailedPctChange: ratioToWire(new(m.FailedChange())),
		QtdFailedPct: ratioToWire(&q.Now.FailedPct), PrevQtdFailedPct: ratioToWire(&q.Before.FailedPct), QtdFailedPctChange: ratioToWire(new(q.FailedChange())),
		YtdFailedPct: ratioToWire(&y.Now.FailedPct), PrevYtdFailedPct: ratioToWire(&y.Before.FailedPct), YtdFailedPctChange: ratioToWire(new(y.FailedChange())),

		MtdFailedInvoices: m.Now.FailedCount, PrevMtdFailedInvoices: m.Before.FailedCount,
		QtdFailedInvoices: q.Now.FailedCount, PrevQtdFailedInvoices: q.Before.FailedCount,
		YtdFailedInvoices: y.Now.FailedCount, PrevYtdFailedInvoices: y.Before.FailedCount,
	}
}

func failureDetailToWire(q *report.Query, r *report.PaymentReport) wire.FailedPaymentPage {
	page := wire.FailedPaymentPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.FailedPayment, 0, len(r.Rows)),
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		page.List = append(page.List, wire.FailedPayment{
			Date: row.Date.String(), Period: row.Period.String(), InvoiceRef: row.Ref,
			CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
			Amount: row.Amount, AmountBaseCurrency: row.AmountBase, Currency: row.Currency.Code(), PaymentMethod: textOrNull(row.Method),
			Description: row.Description, AttemptCount: int64(row.Attempts), RecoveryStatus: row.Outcome.String(), InvoiceStatus: row.Status.String(),
			DataSource: row.Source.ID, BreakdownValue: valueOrNone(q, row),
		})
	}
	return page
}

func failureRatesToWire(q *report.Query, r *report.FailureReport) []wire.FailureRateRow {
	rows := make([]wire.FailureRateRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		out := failureRateToWire(q, row)
		out.Compare = comparedToWire(row.Compare, func(earlier *report.FailureRow) wire.FailureRateRow { return failureRateToWire(q, earlier) })
		if row.Breakdown != nil {
			out.Breakdown = make(map[string]wire.FailureRateBreakdown, len(r.Values))
			for v := range row.Breakdown {
				m, rate := &row.Breakdown[v], ratioToWire(&row.Breakdown[v].FailedPct)
				out.Breakdown[r.Values[v].Key] = wire.FailureRateBreakdown{
					Label: r.Values[v].Label, Currency: q.Base.Code(),
					FailedInvoices: m.FailedCount, TotalInvoices: m.Bills, RecoveredInvoices: m.Invoices[ledger.Recovered],
					FailureRate: rate, FailedPct: rate, RecoveryRate: ratioToWire(&m.RecoveryRate),
				}
			}
		}
		rows = append(rows, out)
	}
	return rows
}

// failureRateToWire is one period without its breakdown.
func failureRateToWire(q *report.Query, row *report.FailureRow) wire.FailureRateRow {
	m, rate := &row.FailureMetrics, ratioToWire(&row.FailedPct)
	return wire.FailureRateRow{
		Date: row.Period.From.String(), Period: row.Period.From.String(), Currency: q.Base.Code(),
		FailedInvoices: m.FailedCount, TotalInvoices: m.Bills, RecoveredInvoices: m.Invoices[ledger.Recovered],
		FailureRate: rate, FailedPct: rate, RecoveryRate: ratioToWire(&m.RecoveryRate),
	}
}

func failureRateSummaryToWire(r *report.FailureSummaryReport) wire.FailureRateSummary {
	m, y := &r.Month, &r.Year
	return wire.FailureRateSummary{
		MtdFailureRate: ratioToWire(&m.Now.FailedPct), PrevMtdFailureRate: ratioToWire(&m.Before.FailedPct), MtdFailureRateChange: ratioToWire(new(m.FailedChange())),
		YtdFailureRate: ratioToWire(&y.Now.FailedPct), PrevYtdFailureRate: ratioToWire(&y.Before.FailedPct), YtdFailureRateChange: ratioToWire(new(y.FailedChange())),
		MtdFailedCount: m.Now.FailedCount, PrevMtdFailedCount: m.Before.FailedCount,
		YtdFailedCount: y.Now.FailedCount, PrevYtdFailedCount: y.Before.FailedCount,
	}
}

func outstandingToWire(r *report.OutstandingReport) wire.OutstandingUnpaid {
	return wire.OutstandingUnpaid{
		TodayStillUnpaid: r.Unpaid[0], D30StillUnpaid: r.Unpaid[1], D60StillUnpaid: r.Unpaid[2],
		D180StillUnpaid: r.Unpaid[3], D365StillUnpaid: r.Unpaid[4],
	}
}
