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
