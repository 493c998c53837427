package reporttest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// cash answers the reports about invoices and payments.
func cash(s *report.Snapshot, q *report.Query, name string) (map[string]any, error) {
	answer := func(result any, failed error) (map[string]any, error) {
		if failed != nil {
			return nil, failed
		}
		return envelope(q, result), nil
	}
	summary := func(figures map[string]any, failed error) (map[string]any, error) {
		return map[string]any{"currency": q.Base.Code(), "summary": figures}, failed
	}
	switch name {
	case "transactions":
		r, err := report.Transactions(s, q)
		return answer(transactions(r), err)
	case "transactions-table":
		rows, err := report.TransactionTable(s, q)
		return answer(transactionTable(rows), err)
	case "transactions-summary":
		r, err := report.TransactionSummary(s, q)
		return summary(transactionSummary(r), err)
	case "transactions-detail":
		r, err := report.TransactionDetail(s, q)
		return answer(payments(q, r), err)
	case "invoices-detail":
		r, err := report.InvoiceDetail(s, q)
		return answer(invoices(r), err)
	case "cashflow-refunds":
		r, err := report.Refunds(s, q)
		return answer(refunds(r), err)
	case "cashflow-refunds-table":
		rows, err := report.RefundTable(s, q)
		return answer(refundTable(rows), err)
	case "cashflow-refunds-detail":
		r, err := report.RefundDetail(s, q)
		return answer(payments(q, r), err)
	case "cashflow-failed-payments", "cashflow-failure-rate":
		r, err := report.Failures(s, q)
		return answer(failures(r), err)
	case "cashflow-failed-payments-table":
		rows, err := report.FailureTable(s, q)
		return answer(failureTable(rows), err)
	case "cashflow-failed-payments-detail":
		r, err := report.FailureDetail(s, q)
		return answer(payments(q, r), err)
	case "cashflow-failed-payments-summary", "cashflow-failure-rate-summary":
		r, err := report.FailureSummary(s, q)
		return summary(failureSummary(r), err)
	case "cashflow-outstanding-unpaid":
		r, err := report.Outstanding(s, q)
		return summary(outstanding(r), err)
	default:
		return nil, fmt.Errorf("no report %q", name)
	}
}

func transactions(r *report.TransactionReport) []any {
	if r == nil {
		return nil
	}
	rows := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := transactionMetrics(&r.Rows[i].TransactionMetrics)
		row["date"], row["end_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Period.To.String()
		if r.Values != nil {
			parts := map[string]any{}
			for v := range r.Values {
				part := transactionMetrics(&r.Rows[i].Breakdown[v])
				part["label"] = r.Values[v].Label
				parts[r.Values[v].Key] = part
			}
			row["breakdown"] = parts
		}
		rows = append(rows, row)
	}
	return rows
}

func transactionMetrics(m *report.TransactionMetrics) map[string]any {
	row := map[string]any{
		"amount": m.Amount[report.NetCash], "count": m.Count[report.NetCash], "type": "net", "net_amount_change_pct": ratio(m.NetChange),
	}
	for t := range report.CashTypes {
		row[report.CashType(t).String()] = m.Amount[t]
	}
	return row
}

// valued adds a row's breakdown value.
func valued(row map[string]any, v *report.Value) map[string]any {
	if v != nil {
		row["breakdown_value"], row["breakdown_label"] = v.Key, v.Label
	}
	return row
}

func transactionTable(rows []report.TransactionTableRow) []any {
	out := make([]any, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		out = append(out, valued(map[string]any{
			"date": r.Date.String(), "type": r.Type.String(), "amount": r.Amount, "count": r.Count,
		}, r.Value))
	}
	return out
}

func transactionSummary(r *report.TransactionSummaryReport) map[string]any {
	if r == nil {
		return nil
	}
	return map[string]any{
		"mtd": r.Month.Now, "prev_mtd": r.Month.Before, "mtd_change_pct": ratio(r.Month.Change),
		"qtd": r.Quarter.Now, "prev_qtd": r.Quarter.Before, "qtd_change_pct": ratio(r.Quarter.Change),
		"ytd": r.Year.Now, "prev_ytd": r.Year.Before, "ytd_change_pct": ratio(r.Year.Change),
	}
}

// payments gives the rows of a detail report the names of all of them.
func payments(q *report.Query, r *report.PaymentReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		p := &r.Rows[i]
		row := map[string]any{
			"date": p.Date.String(), "period": p.Period.String(), "customer_id": p.Customer.ID, "customer_name": word(p.Customer.Name),
			"customer_email": word(p.Customer.Email), "type": p.Type.String(), "status": p.Status.String(), "transaction_id": p.Ref, "invoice_ref": p.Ref,
			"currency": p.Currency.Code(), "description": p.Description, "amount": p.Amount, "amount_base_currency": p.AmountBase,
			"payment_method": word(p.Method), "plan_id": word(p.PlanID), "plan_name": word(p.PlanName), "data_source": p.Source.ID,
			"attempt_count": p.Attempts, "recovery_status": p.Outcome.String(), "invoice_status": p.Status.String(),
		}
		if q.Breakdown.Name() != "" {
			row["breakdown_value"] = p.BreakdownValue
		}
		list = append(list, row)
	}
	return paged(r.Page, list)
}

func invoices(r *report.InvoiceReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		in := &r.Rows[i]
		row := map[string]any{
			"invoice_ref": in.Ref, "invoice_number": word(in.Number), "invoice_date": in.Date.String(), "invoice_status": in.Status.String(),
			"customer_id": in.Customer.ID, "customer_name": word(in.Customer.Name), "customer_email": word(in.Customer.Email),
			"description": word(in.Description), "currency": in.Currency.Code(), "total": in.Total, "total_base_currency": in.TotalBase,
			"transaction_count": in.Transactions, "data_source": in.Source.ID, "payment_date": nil,
		}
		if in.PaidOn.Valid() {
			row["payment_date"] = in.PaidOn.String()
		}
		list = append(list, row)
	}
	return paged(r.Page, list)
}

func refunds(r *report.RefundReport) []any {
	if r == nil {
		return nil
	}
	rows := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := refundMetrics(&r.Rows[i].RefundMetrics)
		row["date"], row["end_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Period.To.String()
		if r.Values != nil {
			parts := map[string]any{}
			for v := range r.Rows[i].Breakdown {
				part := refundMetrics(&r.Rows[i].Breakdown[v])
				part["label"] = r.Values[v].Label
				parts[r.Values[v].Key] = part
			}
			row["breakdown"] = parts
		}
		rows = append(rows, row)
	}
	return rows
}

func refundMetrics(m *report.RefundMetrics) map[string]any {
	return map[string]any{
		"refund_amount": m.Amount, "refund_count": m.Count, "customers_refunded": m.Customers, "amount": m.Amount, "count": m.Count,
	}
}

func refundTable(rows []report.RefundTableRow) []any {
	out := make([]any, 0, len(rows))
	for i := range rows {
		row := refundMetrics(&rows[i].RefundMetrics)
		row["date"] = rows[i].Date.String()
		out = append(out, valued(row, rows[i].Value))
	}
	return out
}

func failures(r *report.FailureReport) []any {
	if r == nil {
		return nil
	}
	rows := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := failureMetrics(&r.Rows[i].FailureMetrics)
		from := r.Rows[i].Period.From.String()
		row["date"], row["period"], row["end_date"] = from, from, r.Rows[i].Period.To.String()
		if r.Values != nil {
			parts := map[string]any{}
			for v := range r.Rows[i].Breakdown {
				part := failureMetrics(&r.Rows[i].Breakdown[v])
				part["label"] = r.Values[v].Label
				parts[r.Values[v].Key] = part
			}
			row["breakdown"] = parts
		}
		rows = append(rows, row)
	}
	return rows
}

func failureMetrics(m *report.FailureMetrics) map[string]any {
	row := map[string]any{
		"failed_amount": m.Failed, "failed_invoices": m.FailedCount, "amount": m.Failed, "count": m.FailedCount,
		"recovered_invoices": m.Invoices[ledger.Recovered], "affected_customers": m.Affected, "total_retry_attempts": m.Attempts,
		"total_invoices": m.Bills, "failed_pct": ratio(m.FailedPct), "failure_rate": ratio(m.FailedPct), "recovery_rate": ratio(m.RecoveryRate),
	}
	for o := range m.Amounts {
		name := ledger.Outcome(o).String()
		row[name], row[name+"_customers"] = m.Amounts[o], m.Customers[o]
	}
	return row
}

func failureTable(rows []report.FailureTableRow) []any {
	out := make([]any, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		row := map[string]any{"date": r.Date.String(), "type": r.Type, "value": ratio(r.Figure), "amount": nil}
		if r.Amount != nil {
			row["amount"] = *r.Amount
		}
		out = append(out, valued(row, r.Value))
	}
	return out
}

func failureSummary(r *report.FailureSummaryReport) map[string]any {
	if r == nil {
		return nil
	}
	out := map[string]any{}
	for name, w := range map[string]*report.FailureWindow{"mtd": &r.Month, "qtd": &r.Quarter, "ytd": &r.Year} {
		for prefix, m := range map[string]*report.FailureMetrics{name: &w.Now, "prev_" + name: &w.Before} {
			out[prefix+"_still_unpaid"] = m.Amounts[ledger.StillUnpaid]
			out[prefix+"_recovery_rate"], out[prefix+"_failed_pct"] = ratio(m.RecoveryRate), ratio(m.FailedPct)
			out[prefix+"_failed_invoices"] = m.FailedCount
			out[prefix+"_failure_rate"], out[prefix+"_failed_count"] = ratio(m.FailedPct), m.FailedCount
		}
		out[name+"_still_unpaid_change_pct"] = ratio(w.UnpaidChange())
		out[name+"_recovery_rate_change"], out[name+"_failed_pct_change"] = ratio(w.RecoveryChange()), ratio(w.FailedChange())
		out[name+"_failure_rate_change"] = ratio(w.FailedChange())
	}
	return out
}

func outstanding(r *report.OutstandingReport) map[string]any {
	if r == nil {
		return nil
	}
	return map[string]any{
		"today_still_unpaid": r.Unpaid[0], "d30_still_unpaid": r.Unpaid[1], "d60_still_unpaid": r.Unpaid[2],
		"d180_still_unpaid": r.Unpaid[3], "d365_still_unpaid": r.Unpaid[4],
	}
}
