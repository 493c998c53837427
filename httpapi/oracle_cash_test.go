package httpapi_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

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

// cashDetails compares the lists behind them.
func (o *oracled) cashDetails(q question) (string, string) {
	c := o.company
	text := func(item any, fields ...string) string {
		row, _ := item.(map[string]any)
		var words []string
		for _, f := range fields {
			if n, ok := row[f].(float64); ok {
				words = append(words, strconv.FormatInt(int64(n), 10))
				continue
			}
			words = append(words, fmt.Sprint(row[f]))
		}
		return strings.Join(words, " ")
	}
	kind := []string{"", "", "tax", "refund", "month_sub", "one_time"}[o.rng.IntN(6)]
	got := []string{}
	for _, item := range o.get("/reports/transactions-detail", q, "interval", "", "selected-type", kind).list("result", "list") {
		got = append(got, text(item, "date", "customer_id", "transaction_id", "type", "amount", "currency", "amount_base_currency"))
	}
	slices.Sort(got)
	if diff := cmp.Diff(c.CashDetail(q.Query, kind), got); diff != "" {
		return "transactions-detail", diff
	}
	outcome := []string{"", "recovered", "still_unpaid", "churned"}[o.rng.IntN(4)]
	got = []string{}
	for _, item := range o.get("/reports/cashflow-failed-payments-detail", q, "interval", "", "selected-type", outcome).list("result", "list") {
		got = append(got, text(item, "date", "customer_id", "invoice_ref", "amount", "currency", "amount_base_currency", "recovery_status", "attempt_count"))
	}
	slices.Sort(got)
	return "cashflow-failed-payments-detail", cmp.Diff(c.FailureDetail(q.Query, outcome), got)
}
