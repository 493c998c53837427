package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// longParts compares the reports in long form, split by one dimension: their
// figures that are not 0.
func (o *oracled) longParts(q question) (string, string) {
	c := o.company
	by, views := o.dimension(&q)
	reports := map[string]func(oracletest.Query) []oracletest.Row{
		"mrr-table": c.MRRTable, "transactions-table": c.CashTable, "cashflow-refunds-table": c.RefundTable, "cashflow-failed-payments-table": c.FailureTable,
	}
	figures := []string{"date", "type", "amount", "mrr_change", "count", "customers", "value"}
	text := func(key string, row map[string]any) string {
		some := false
		words := []string{key}
		for _, f := range figures {
			n, isNumber := row[f].(float64)
			some = some || isNumber && n != 0
			words = append(words, fmt.Sprint(row[f]))
		}
		if !some {
			return ""
		}
		return strings.Join(words, " ")
	}
	for _, name := range slices.Sorted(maps.Keys(reports)) {
		want, got := []string{}, []string{}
		for key, view := range views {
			narrow := q.Query
			narrow.View = view
			for _, row := range reports[name](narrow) {
				want = append(want, text(key, row))
			}
		}
		for _, item := range o.get("/reports/"+name, q).list("result") {
			row, _ := item.(map[string]any)
			got = append(got, text(fmt.Sprint(row["breakdown_value"]), row))
		}
		for _, list := range []*[]string{&want, &got} {
			slices.Sort(*list)
			*list = slices.DeleteFunc(*list, func(line string) bool { return line == "" })
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return name + " by " + by, diff
		}
	}
	return "", ""
}

// detailParts compares the lists behind one value of a breakdown.
func (o *oracled) detailParts(q question) (string, string) {
	c := o.company
	by, views := o.dimension(&q)
	keys := slices.Sorted(maps.Keys(views))
	key := keys[o.rng.IntN(len(keys))]
	q.View = views[key]
	q.params = maps.Clone(q.params)
	q.params.Set("breakdown", by)
	q.params.Set("breakdown-value", key)
	if q.params.Has("segment") && strings.Contains(q.notes, "segment by") {
		q.params.Del("breakdown")
	}
	of := func(name string) []any {
		return o.get("/reports/"+name, q, "interval", "", "limit", "10000").list("result", "list")
	}
	cash := []string{"date", "customer_id", "transaction_id", "type", "amount", "currency", "amount_base_currency"}
	if diff := cmp.Diff(c.CashDetail(q.Query, ""), lines(of("transactions-detail"), cash...)); diff != "" {
		return "transactions-detail of " + by + " " + key, diff
	}
	refunds := []string{"date", "customer_id", "invoice_ref", "amount", "currency", "amount_base_currency"}
	if diff := cmp.Diff(c.RefundDetail(q.Query), lines(of("cashflow-refunds-detail"), refunds...)); diff != "" {
		return "cashflow-refunds-detail of " + by + " " + key, diff
	}
	failures := append(refunds, "recovery_status", "attempt_count")
	if diff := cmp.Diff(c.FailureDetail(q.Query, ""), lines(of("cashflow-failed-payments-detail"), failures...)); diff != "" {
		return "cashflow-failed-payments-detail of " + by + " " + key, diff
	}
	return "movement-table of " + by + " " + key, diffRows(c.Movements(q.Query, false), sorted(of("movement-table")))
}

// selected compares the movements of one type in the period of one day.
func (o *oracled) selected(q question) (string, string) {
	kind := []string{"new", "expansion", "contraction", "churn", "reactivation"}[o.rng.IntN(5)]
	on := q.From + oracletest.Day(o.rng.IntN(int(q.To-q.From)+1))
	fixed := q.Query
	for _, p := range o.company.Periods(oracletest.Query{From: on, To: on, Interval: q.Interval}) {
		fixed.From, fixed.To, fixed.FixedOn = p.From, p.To, q.From
	}
	got := o.get("/reports/movement-table", q, "selected-type", kind, "selected-date", on.String())
	want := slices.DeleteFunc(o.company.Movements(fixed, false), func(row oracletest.Row) bool { return row["type"] != kind })
	return fmt.Sprint("movement-table of ", kind, " in the ", q.Interval, " of ", on), diffRows(want, sorted(got.list("result", "list")))
}
