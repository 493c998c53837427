package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

func (o *oracled) cohorts(q question) (string, string) {
	want := o.company.Cohorts(q.Query)
	answer := o.get("/reports/cohort", q)
	if diff := o.cohortLimits(q, answer); diff != "" {
		return "cohort", diff
	}
	got := slices.DeleteFunc(answer.list("result", "list"), func(item any) bool {
		row, _ := item.(map[string]any)
		return row["cohort_group"] == "average" || row["initial_customers"] == 0.0
	})
	if len(want) != len(got) {
		return "cohort", fmt.Sprintf("oracle %d cohorts, API %d: %v", len(want), len(got), got)
	}
	for k := range want {
		row, _ := got[k].(map[string]any)
		periods, _ := row["periods"].([]any)
		inner, _ := want[k]["periods"].([]oracletest.Row)
		if diff := diffRows(inner, periods); diff != "" {
			return "cohort", fmt.Sprintf("%v: %s", row["cohort_group"], diff)
		}
		delete(want[k], "periods")
	}
	return "cohort", diffRows(want, got)
}

// cohortLimits compares the average of all cohorts, and the extremes of their
// figures.
func (o *oracled) cohortLimits(q question, answer reply) string {
	list := answer.list("result", "list")
	if len(list) == 0 {
		return ""
	}
	average, _ := list[len(list)-1].(map[string]any)
	got, _ := average["periods"].([]any)
	if diff := diffRows(o.company.CohortAverage(q.Query), got); diff != "" {
		return "average: " + diff
	}
	limits := map[string]any{}
	for name, field := range map[string]string{"retention": "customer_retention", "churn": "customer_churn", "nrr": "nrr", "netChurn": "nrr"} {
		var least, most any
		for _, row := range o.company.Cohorts(q.Query) {
			periods, _ := row["periods"].([]oracletest.Row)
			for _, p := range periods {
				v, known := p[field].(float64)
				if name == "netChurn" {
					v = math.Round(10000-100*v) / 100
				}
				if !known {
					continue
				}
				if f, ok := least.(float64); !ok || v < f {
					least = v
				}
				if f, ok := most.(float64); !ok || v > f {
					most = v
				}
			}
		}
		limits[name] = map[string]any{"min": least, "max": most}
	}
	return cmp.Diff(any(limits), answer.at("result", "limits"))
}

func (o *oracled) concentration(q question) (string, string) {
	want, tops := o.company.Concentration(q.Query)
	answer := o.get("/reports/customer-concentration", q)
	for name, top := range tops {
		got := answer.at("result", "concentration", name)
		if name == "" {
			got = answer.at("result", "summary")
		}
		if diff := diffRows([]oracletest.Row{top}, []any{got}); diff != "" {
			return "customer-concentration", name + ": " + diff
		}
	}
	share := func(row oracletest.Row) oracletest.Row {
		return oracletest.Row{"rank": row["rank"], "id": row["id"], "mrr": row["mrr"], "percentage": row["percentage"]}
	}
	var list, pareto []oracletest.Row
	for _, row := range want {
		list = append(list, share(row))
		pareto = append(pareto, without(row, "percentage"))
	}
	if diff := diffRows(list, answer.list("result", "list")); diff != "" {
		return "customer-concentration", diff
	}
	return "customer-concentration", diffRows(pareto, answer.list("result", "pareto"))
}

func (o *oracled) customers(q question) (string, string) {
	if q.aged {
		return "", ""
	}
	list := o.get("/customers", q, "date", "", "fix_fx", "", "limit", "500").list("result", "list")
	for _, item := range list {
		row, _ := item.(map[string]any)
		for _, field := range []string{"paid_started", "trial_started", "trial_end_date", "created_date", "cancel_date"} {
			if at, err := time.Parse(time.RFC3339, fmt.Sprint(row[field])); err == nil {
				if at.Unix()%86400 != 0 {
					at = at.In(o.company.Settings.Zone)
				}
				row[field] = at.Format(time.DateOnly)
			}
		}
	}
	slices.SortFunc(list, func(a, b any) int {
		x, _ := a.(map[string]any)
		y, _ := b.(map[string]any)
		return strings.Compare(fmt.Sprint(x["id"]), fmt.Sprint(y["id"]))
	})
	return "customers", diffRows(o.company.Customers(q.Query), list)
}

// oneCustomer compares one customer with its subscriptions.
func (o *oracled) oneCustomer(q question) (string, string) {
	if len(o.company.Members) == 0 {
		return "", ""
	}
	m := o.company.Members[o.rng.IntN(len(o.company.Members))]
	narrow := q.Query
	narrow.View = oracletest.View{Member: func(other *oracletest.Member) bool { return other == m }}
	row := o.company.Customers(narrow)[0]
	got := o.get("/customers/"+m.ID, question{params: url.Values{}}, "baseCurrency", q.Currency)
	want := oracletest.Row{
		"id": m.ID, "status": row["status"], "current_mrr_base_currency": row["mrr"], "total_paid_base_currency": row["total_paid_base_currency"],
	}
	if diff := diffRows([]oracletest.Row{want}, []any{got.body}); diff != "" {
		return "customers/" + m.ID, diff
	}
	sums := map[string]float64{}
	for _, item := range got.list("current_subscriptions") {
		row, _ := item.(map[string]any)
		id, _ := row["subscription_id"].(string)
		sums[fmt.Sprint(id, " ", row["plan_id"], " ", row["currency"])] += number(row["mrr"])
	}
	return "subscriptions of " + m.ID, cmp.Diff(o.company.Subscriptions(m), sums)
}

// exported compares the files of movements and of customers with their reports.
func (o *oracled) exported(q question) (string, string) {
	if name, diff := o.oneCustomer(q); diff != "" {
		return name, diff
	}
	var want []string
	for _, row := range o.company.Movements(q.Query, false) {
		want = append(want, fmt.Sprint(row["date"], " ", row["customer_id"], " ", row["type"], " ", row["currency"], " ",
			whole(row["mrr_change"]), " ", whole(row["mrr_change_base_currency"]), " ", whole(row["old_mrr"]), " ", whole(row["new_mrr"])))
	}
	got := o.file("/exports/mrr-movements.csv", q, "date", "customer_id", "type", "currency", "mrr_change", "mrr_change_base_currency", "old_mrr", "new_mrr")
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		return "mrr-movements.csv", diff
	}
	if q.aged {
		return "", ""
	}
	want = nil
	for _, row := range o.company.Customers(q.Query) {
		want = append(want, fmt.Sprint(row["id"], " ", row["status"], " ", whole(row["mrr"]), " ", whole(row["payments"]), " ", whole(row["total_paid_base_currency"])))
	}
	slices.Sort(want)
	got = o.file("/exports/customers.csv", q, "id", "status", "mrr_base_currency", "payments", "total_paid_base_currency")
	return "customers.csv", cmp.Diff(want, got)
}

func whole(v any) string { return strconv.FormatInt(int64(number(v)), 10) }

// file reads some columns of an export, sorted.
func (o *oracled) file(name string, q question, columns ...string) []string {
	o.t.Helper()
	params := q.params
	if strings.Contains(name, "customers") {
		params = merged(params)
		params.Del("date")
		params.Del("fix_fx")
	} else {
		params = merged(params)
		params.Del("interval")
	}
	rows, err := csv.NewReader(bytes.NewReader(o.ok(o.t, o.key, "GET", name+"?"+params.Encode(), "").raw)).ReadAll()
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, row := range rows[1:] {
		var words []string
		for _, c := range columns {
			words = append(words, row[slices.Index(rows[0], c)])
		}
		out = append(out, strings.Join(words, " "))
	}
	slices.Sort(out)
	return out
}
