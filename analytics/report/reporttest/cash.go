package reporttest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// cash answers the reports about invoices and payments.
func cash(s *report.Snapshot, q *report.Query, name string) (map[string]any, error) {
	switch name {
	case "transactions":
		r, err := report.Transactions(s, q)
		if err != nil {
			return nil, err
		}
		return envelope(q, transactions(r)), nil
	case "transactions-table":
		rows, err := report.TransactionTable(s, q)
		if err != nil {
			return nil, err
		}
		return envelope(q, transactionTable(rows)), nil
	case "transactions-summary":
		r, err := report.TransactionSummary(s, q)
		if err != nil {
			return nil, err
		}
		return map[string]any{"currency": q.Base.Code(), "summary": transactionSummary(r)}, nil
	case "transactions-detail":
		r, err := report.TransactionDetail(s, q)
		if err != nil {
			return nil, err
		}
		return payments(q, r), nil
	case "invoices-detail":
		r, err := report.InvoiceDetail(s, q)
		if err != nil {
			return nil, err
		}
		return envelope(q, paged(r.Page, invoices(r))), nil
	default:
		return nil, fmt.Errorf("no report %q", name)
	}
}

func transactions(r *report.TransactionReport) []any {
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
	return map[string]any{
		"mtd": r.Month.Now, "prev_mtd": r.Month.Before, "mtd_change_pct": ratio(r.Month.Change),
		"qtd": r.Quarter.Now, "prev_qtd": r.Quarter.Before, "qtd_change_pct": ratio(r.Quarter.Change),
		"ytd": r.Year.Now, "prev_ytd": r.Year.Before, "ytd_change_pct": ratio(r.Year.Change),
	}
}

// payments gives the rows of a detail report the names of all of them.
func payments(q *report.Query, r *report.PaymentReport) map[string]any {
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
	return envelope(q, paged(r.Page, list))
}

func invoices(r *report.InvoiceReport) []any {
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
	return list
}
