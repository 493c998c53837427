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
