package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// lines are the rows of a list as text, sorted.
func lines(list []any, fields ...string) []string {
	out := []string{}
	for _, item := range list {
		row, _ := item.(map[string]any)
		var words []string
		for _, f := range fields {
			if n, ok := row[f].(float64); ok {
				words = append(words, strconv.FormatInt(int64(n), 10))
				continue
			}
			words = append(words, strings.TrimSuffix(fmt.Sprint(row[f]), "T00:00:00Z"))
		}
		out = append(out, strings.Join(words, " "))
	}
	slices.Sort(out)
	return out
}

// lists compares lists of invoices, of refunds, and of what is going to be lost.
func (o *oracled) lists(q question) (string, string) {
	c := o.company
	got := o.get("/reports/invoices-detail", q, "interval", "").list("result", "list")
	fields := []string{"invoice_date", "customer_id", "invoice_ref", "invoice_status", "total", "currency", "total_base_currency", "transaction_count"}
	if diff := cmp.Diff(c.Bills(q.Query), lines(got, fields...)); diff != "" {
		return "invoices-detail", diff
	}
	got = o.get("/reports/cashflow-refunds-detail", q, "interval", "").list("result", "list")
	if diff := cmp.Diff(c.RefundDetail(q.Query), lines(got, "date", "customer_id", "invoice_ref", "amount", "currency", "amount_base_currency")); diff != "" {
		return "cashflow-refunds-detail", diff
	}
	if q.aged {
		return "", ""
	}
	q.From, q.To = c.Today+1, c.Today+oracletest.Day(o.rng.IntN(500))
	q.params = maps.Clone(q.params)
	q.params.Set("date", dates(q.From, max(q.From, q.To)))
	got = o.get("/reports/churn-scheduled-movements", q, "interval", "").list("result", "list")
	q.To = max(q.From, q.To)
	return "churn-scheduled-movements", cmp.Diff(c.Losses(q.Query), lines(got, "date", "customer_id", "type", "mrr_change", "currency", "mrr_change_base_currency"))
}

// why compares the subtypes of movements by period.
func (o *oracled) why(q question) (string, string) {
	if q.View.Item != nil {
		return "", ""
	}
	whole := q.Query
	if periods := o.company.Periods(whole); len(periods) > 0 {
		whole.From, whole.To = periods[0].From, periods[len(periods)-1].To
	}
	whole.FixedOn = q.From
	want, sure := o.company.Why(whole)
	if !sure {
		return "", ""
	}
	got := o.get("/reports/mrr-table-subtypes", q).list("result")
	if diff := cmp.Diff(want, lines(got, "date", "type", "subtype", "mrr_change", "customers")); diff != "" {
		return "mrr-table-subtypes", diff
	}
	kind := []string{"expansion", "contraction", "churn"}[o.rng.IntN(3)]
	var found []string
	for _, item := range o.get("/reports/mrr-subtypes", q, "type", kind).list("result") {
		row, _ := item.(map[string]any)
		values, _ := row["breakdown"].(map[string]any)
		for subtype, value := range values {
			cell, _ := value.(map[string]any)
			if cell["mrr"] != row[subtype] {
				return "mrr-subtypes", fmt.Sprintf("%s of %v is %v and %v", subtype, row["date"], row[subtype], cell["mrr"])
			}
			if cell["customers"] != 0.0 {
				found = append(found, fmt.Sprint(row["date"], " ", kind, " ", subtype, " ", int64(number(cell["mrr"])), " ", int64(number(cell["customers"]))))
			}
		}
	}
	slices.Sort(found)
	want = slices.DeleteFunc(want, func(line string) bool { return !strings.Contains(line, " "+kind+" ") })
	return "mrr-subtypes " + kind, cmp.Diff(strings.Join(want, "\n"), strings.Join(found, "\n"))
}

// trailed compares retention over other spans.
func (o *oracled) trailed(q question) (string, string) {
	months := ""
	if q.Interval != "week" && o.rng.IntN(2) == 0 {
		q.Trailing = 1 + o.rng.IntN(14)
		months = strconv.Itoa(q.Trailing)
	}
	got := o.get("/reports/retention", q, "trailing_months", months)
	if diff := diffRows([]oracletest.Row{o.company.RetentionSpan(q.Query)}, []any{got.body}); diff != "" {
		return "retention over " + months, diff
	}
	return "retention over " + months, diffRows(o.company.Retention(q.Query), got.list("result"))
}
