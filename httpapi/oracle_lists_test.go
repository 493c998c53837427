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
			words = append(words, plain(row[f]))
		}
		out = append(out, strings.Join(words, " "))
	}
	slices.Sort(out)
	return out
}

// plain writes a value as text. Lines of invoices are written one after the other.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		text := "-"
		for _, line := range v {
			for _, f := range []string{"description", "amount", "quantity", "period_start", "period_end"} {
				text += " " + plain(at(line, f))
			}
			text += ";"
		}
		return text
	default:
		return strings.TrimSuffix(fmt.Sprint(v), "T00:00:00Z")
	}
}

// detail is a list behind a report: want are its rows as text in exactly the days
// of a query.
type detail struct {
	name   string
	kinds  []string // of selected-type, "" for all
	whole  bool     // there are no breakdowns
	exact  bool     // there are no intervals
	fields []string
	want   func(q oracletest.Query, kind string) []string
}

func (o *oracled) lists() []detail {
	c := o.company
	refund := []string{"date", "customer_id", "invoice_ref", "amount", "currency", "amount_base_currency"}
	return []detail{
		{
			name: "transactions-detail", want: c.CashDetail,
			kinds:  append([]string{"", "", "", ""}, oracletest.CashKinds...),
			fields: []string{"date", "customer_id", "transaction_id", "type", "amount", "currency", "amount_base_currency"},
		},
		{
			name: "invoices-detail", kinds: []string{""}, whole: true,
			fields: []string{"invoice_date", "customer_id", "invoice_ref", "invoice_status", "payment_date", "total", "currency", "total_base_currency", "transaction_count", "lines"},
			want:   func(q oracletest.Query, _ string) []string { return c.Bills(q) },
		},
		{
			name: "cashflow-refunds-detail", kinds: []string{""}, fields: refund,
			want: func(q oracletest.Query, _ string) []string { return c.RefundDetail(q) },
		},
		{
			name: "cashflow-failed-payments-detail", kinds: []string{"", "recovered", "still_unpaid", "churned"}, want: c.FailureDetail,
			fields: append(slices.Clone(refund), "recovery_status", "attempt_count"),
		},
		{
			name: "cancellation-timing-detail", kinds: []string{"", "0", "1-3", "15-30", "31-90", "91+"}, want: c.TimingDetail, exact: true,
			fields: []string{"customer_id", "cancel_date", "effective_date", "days_before_end", "mrr_base_currency", "cancel_reason", "cancel_comment"},
		},
	}
}

// details compares the lists behind reports, at times of one value of a breakdown.
func (o *oracled) details(q question) (string, string) {
	for _, d := range o.lists() {
		in := q
		if !d.whole && o.rng.IntN(2) == 0 {
			in = o.valued(q)
		}
		of, params := in.Query, []string{"interval", ""}
		if !d.exact {
			of, params = o.window(in)
		}
		kind := d.kinds[o.rng.IntN(len(d.kinds))]
		got := o.get("/reports/"+d.name, in, append(params, "selected-type", kind, "limit", "10000")...).list("result", "list")
		if diff := cmp.Diff(d.want(of, kind), lines(got, d.fields...)); diff != "" {
			return d.name + in.notes, diff
		}
	}
	return "", ""
}

// valued asks about one value of a breakdown.
func (o *oracled) valued(q question) question {
	by, views := o.dimension(&q)
	keys := slices.Sorted(maps.Keys(views))
	key := keys[o.rng.IntN(len(keys))]
	q.View = views[key]
	q.params = merged(q.params, "breakdown-value", key)
	q.notes += fmt.Sprint(" value ", key, " of ", by)
	return q
}

// unasked compares what is scheduled without saying when: within a year or so.
func (o *oracled) unasked(question) (string, string) {
	c, today := o.company, o.company.Today
	year, month, dom := today.Time().AddDate(1, 0, 0).Date()
	if today.Time().Day() != dom {
		year, month, dom = today.Time().AddDate(1, 0, -1).Date() // of the 29th of February
	}
	q := o.about(today, oracletest.Date(year, month, dom), "")
	if q.params.Has("age") || strings.Contains(q.notes, "age") {
		return "", "" // of no days it is another
	}
	if diff := diffRows(c.ScheduledChurn(q.Query), o.get("/reports/churn-scheduled", q).list("result")); diff != "" {
		return "churn-scheduled" + q.notes, diff
	}
	if q.FixFX {
		return "", "" // the rules do not say of which day
	}
	q.From, q.To = today+1, today+365
	got := o.get("/reports/movement-table", q, "committed", "true").list("result", "list")
	return "movement-table scheduled" + q.notes, diffRows(c.Movements(q.Query, true), sorted(got))
}

// losing compares the movements that are going to be lost.
func (o *oracled) losing(question) (string, string) {
	q := o.ahead()
	if o.rng.IntN(2) == 0 {
		q = o.valued(q)
	}
	of, params := o.window(q)
	kind := []string{"", "", "churn", "contraction", "month_churn", "year_churn", "day_churn"}[o.rng.IntN(7)]
	want, sure := o.company.Losses(of, kind)
	if !sure {
		return "", ""
	}
	got := o.get("/reports/churn-scheduled-movements", q, append(params, "selected-type", kind)...).list("result", "list")
	fields := []string{"date", "customer_id", "type", "mrr_change", "currency", "mrr_change_base_currency", "cancel_requested_date"}
	return "churn-scheduled-movements" + q.notes, cmp.Diff(want, lines(got, fields...))
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
