package httpapi_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// paged is a list that comes in pages.
type paged struct {
	name  string
	path  []any    // of the rows
	sorts []string // sort and the field that it goes by
	most  string   // rows of a page
	more  []string
}

func (o *oracled) pagedLists() []paged {
	rows := []any{"result", "list"}
	movement := []string{"", "date", "date", "date", "mrr_change", "mrr_change", "mrr_change_base_currency", "mrr_change_base_currency", "customer_name", "customer_name", "type", ""}
	cash := []string{"", "date", "date", "date", "amount", "amount", "amount_base_currency", "amount_base_currency", "customer_name", "customer_name"}
	return []paged{
		{name: "/reports/movement-table", path: rows, sorts: movement, most: "10000"},
		{name: "/reports/churn-scheduled-movements", path: rows, sorts: movement, most: "10000"},
		{name: "/reports/transactions-detail", path: rows, sorts: append(cash, "type", ""), most: "10000"},
		{name: "/reports/invoices-detail", path: rows, most: "10000", sorts: []string{
			"", "invoice_date", "date", "invoice_date", "amount", "total", "amount_base_currency", "total_base_currency", "customer_name", "customer_name",
		}},
		{name: "/reports/cashflow-refunds-detail", path: rows, sorts: cash, most: "10000"},
		{name: "/reports/cashflow-failed-payments-detail", path: rows, sorts: cash, most: "10000"},
		{name: "/reports/leads-table", path: rows, sorts: []string{"", "created_date", "date", "created_date", "customer_name", "name"}, most: "10000"},
		{name: "/reports/cancellation-timing-detail", path: rows, most: "10000", sorts: []string{
			"", "cancel_date", "date", "cancel_date", "amount", "mrr", "amount_base_currency", "mrr_base_currency", "customer_name", "customer_name",
		}},
		{name: "/reports/customer-concentration", path: rows, most: "10000", sorts: []string{"", "mrr"}},
		{name: "/reports/latest-activity", path: []any{"result"}, most: "100", sorts: []string{"", "date"}, more: []string{"include_scheduled", "1"}},
		{name: "/reports/custom-variables", path: []any{"values"}, most: "1000", sorts: []string{"", "count"}, more: []string{"key", "industry"}},
		{name: "/customers", path: rows, most: "500", sorts: []string{"", ""}},
	}
}

// pages compares the order and the pages of a list with the list as a whole.
func (o *oracled) pages(q question) (string, string) {
	lists := o.pagedLists()
	list := lists[o.rng.IntN(len(lists))]
	if list.name == "/reports/churn-scheduled-movements" {
		q = o.ahead()
	}
	k := 2 * o.rng.IntN(len(list.sorts)/2)
	by, field := list.sorts[k], list.sorts[k+1]
	order := []string{"", "", "asc", "desc"}[o.rng.IntN(4)]
	if by == "" {
		order = ""
	}
	whole := func(more ...string) []any {
		return o.get(list.name, o.with(q, list.more...), append(more, "limit", list.most)...).list(list.path...)
	}
	plain, all := whole(), whole("sort", by, "order", order)
	if diff := cmp.Diff(texts(plain), texts(all)); diff != "" {
		return list.name + " sorted", diff
	}
	for k := 1; k < len(all) && field != ""; k++ {
		if a, b := at(all[k-1], field), at(all[k], field); order == "asc" && less(b, a) || order != "asc" && less(a, b) {
			return list.name + " sorted by " + by, fmt.Sprintf("%v comes before %v", a, b)
		}
	}
	limit, offset := 1+o.rng.IntN(len(all)+2), o.rng.IntN(len(all)+2)
	part := o.get(list.name, o.with(q, list.more...), "sort", by, "order", order, "limit", strconv.Itoa(limit), "offset", strconv.Itoa(offset))
	from, to := min(offset, len(all)), min(offset+limit, len(all))
	if list.name == "/reports/latest-activity" && int(number(part.at("count"))) > len(all) {
		return "", "" // more than a page
	}
	if diff := cmp.Diff(slices.Clone(all[from:to]), slices.Clone(part.list(list.path...))); diff != "" {
		return list.name + " in pages", diff
	}
	about := func(name string) any { return part.at(append(slices.Clone(list.path[:len(list.path)-1]), name)...) }
	want, got := []any{float64(len(all)), to < len(all)}, []any{about("count"), about("has_more")}
	if len(list.path) > 1 {
		want, got = append(want, float64(limit), float64(offset)), append(got, about("limit"), about("offset"))
	}
	return list.name + " in pages", cmp.Diff(want, got)
}

// texts are rows as text, sorted.
func texts(list []any) []string {
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	slices.Sort(out)
	return out
}

func at(item any, field string) any {
	row, _ := item.(map[string]any)
	return row[field]
}

func less(a, b any) bool {
	if x, isNumber := a.(float64); isNumber {
		return x < number(b)
	}
	return strings.ToLower(fmt.Sprint(a)) < strings.ToLower(fmt.Sprint(b))
}
