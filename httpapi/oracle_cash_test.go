package httpapi_test

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// payment adds what only cash and reasons are about to a pushed invoice.
func (o *oracled) payment(row map[string]any, i oracletest.Invoice) {
	for name, value := range map[string]string{"payment_method": i.Method, "cancel_reason": i.Reason, "cancel_comment": i.Comment} {
		if value != "" {
			row[name] = value
		}
	}
	for name, n := range map[string]int64{"fee": i.Fee, "fx_loss": i.FXLoss, "attempt_count": int64(i.Attempts)} {
		if n != 0 {
			row[name] = n
		}
	}
	for name, at := range map[string]time.Time{"payment_date": i.Paid, "due_date": i.Due, "first_failed_date": i.FirstFailed} {
		if !at.IsZero() {
			row[name] = o.moment(at)
		}
	}
	if i.Metered {
		row["pricing_model"] = "metered"
	}
}

// cash compares the reports about invoices and payments.
func (o *oracled) cash(q question) (string, string) {
	c := o.company
	for _, name := range []string{
		"transactions", "transactions-table", "transactions-summary", "cashflow-refunds", "cashflow-failed-payments", "cashflow-failure-rate",
		"cashflow-failed-payments-summary", "cashflow-outstanding-unpaid",
	} {
		got := o.get("/reports/"+name, q)
		var diff string
		switch name {
		case "transactions":
			diff = diffRows(c.CashRows(q.Query), got.list("result"))
		case "transactions-table":
			diff = diffRows(c.CashTable(q.Query), got.list("result"))
		case "transactions-summary":
			diff = diffRows([]oracletest.Row{c.CashSummary(q.Query)}, []any{got.at("summary")})
		case "cashflow-refunds":
			diff = diffRows(c.Refunds(q.Query), got.list("result"))
		case "cashflow-failed-payments":
			diff = diffRows(c.FailureRows(q.Query), got.list("result"))
		case "cashflow-failure-rate":
			diff = diffRows(c.FailureRates(q.Query), got.list("result"))
		case "cashflow-failed-payments-summary":
			diff = diffRows([]oracletest.Row{c.FailureSummary(q.Query)}, []any{got.at("summary")})
		default:
			diff = diffRows([]oracletest.Row{c.Unpaid(q.Query)}, []any{got.at("summary")})
		}
		if diff != "" {
			return name, diff
		}
	}
	return "", ""
}
