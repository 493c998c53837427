package httpapi_test

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
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
	text := []string{"", "C1", "mail2", "ann."}[o.rng.IntN(4)]
	var list, pareto []oracletest.Row
	for _, row := range want {
		if m := o.member(row["id"]); text == "" || has(m, text) {
			list = append(list, oracletest.Row{"rank": row["rank"], "id": row["id"], "name": m.Name(), "mrr": row["mrr"], "percentage": row["percentage"]})
		}
		pareto = append(pareto, without(row, "percentage"))
	}
	answer = o.get("/reports/customer-concentration", q, "q", text)
	if diff := diffRows(list, answer.list("result", "list")); diff != "" {
		return "customer-concentration", diff
	}
	return "customer-concentration", diffRows(pareto, answer.list("result", "pareto"))
}

// listing asks for a list of customers: of all, or of those created in some days,
// at times of those that a text is found in. The second result is nil for all.
func (o *oracled) listing() (question, func(*oracletest.Member) bool) {
	today := o.company.Today
	q, of := o.about(today-364, today, ""), func(*oracletest.Member) bool { return true }
	if o.rng.IntN(2) == 0 {
		q = o.question()
		of = func(m *oracletest.Member) bool { return o.company.CreatedIn(q.Query, m) }
	}
	text := []string{"", "", "C1", "mail2", "ann.", "name c", "zzz"}[o.rng.IntN(7)]
	if text == "" {
		return q, of
	}
	q.params.Set("search", text)
	return q, func(m *oracletest.Member) bool { return of(m) && has(m, text) }
}

// has reports whether a text is found in what a member is called.
func has(m *oracletest.Member, text string) bool {
	return slices.ContainsFunc([]string{m.ID, m.Name(), m.Email}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), strings.ToLower(text))
	})
}

// customers compares the list of customers, and the same as a file.
func (o *oracled) customers(question) (string, string) {
	q, of := o.listing()
	want := o.company.Customers(q.Query, of)
	if diff := diffRows(want, o.dated(o.get("/customers", q, "limit", "500").list("result", "list"))); diff != "" {
		return "customers" + q.notes, diff
	}
	for k, row := range want {
		m := o.member(row["id"])
		row["mrr_base_currency"], row["base_currency"] = row["mrr"], q.Currency
		delete(row, "mrr")
		if main, sure := o.company.Main(q.Query, m); sure {
			maps.Copy(row, main)
			row["plan"] = planName(fmt.Sprint(main["plan"]))
		}
		for key, value := range m.Variables {
			row["custom_"+key] = value
		}
		want[k] = row
	}
	got := o.dated(o.file("/exports/customers.csv", q, "mrr", "mrr_base_currency", "payments", "total_paid_customer_currency", "total_paid_base_currency"))
	return "customers.csv" + q.notes, diffRows(want, got)
}

// member finds one by its id.
func (o *oracled) member(id any) *oracletest.Member {
	k := slices.IndexFunc(o.company.Members, func(m *oracletest.Member) bool { return m.ID == id })
	return o.company.Members[k]
}

// dated writes the moments in rows of customers as days.
func (o *oracled) dated(list []any) []any {
	for _, item := range list {
		row, _ := item.(map[string]any)
		for _, field := range []string{"paid_started", "trial_started", "trial_end_date", "created_date", "cancel_date", "overdue_date"} {
			if at, err := time.Parse(time.RFC3339, fmt.Sprint(row[field])); err == nil {
				if at.Unix()%86400 != 0 {
					at = at.In(o.company.Settings.Zone)
				}
				row[field] = at.Format(time.DateOnly)
			}
		}
	}
	return list
}

// oneCustomer compares one customer with its subscriptions.
func (o *oracled) oneCustomer(q question) (string, string) {
	if len(o.company.Members) == 0 {
		return "", ""
	}
	m := o.company.Members[o.rng.IntN(len(o.company.Members))]
	now := oracletest.Query{Currency: q.Currency, View: oracletest.View{Member: func(other *oracletest.Member) bool { return other == m }}}
	want := o.company.Customers(now, nil)[0]
	want["current_mrr_base_currency"], want["cancel_reason"] = want["mrr"], nil
	delete(want, "mrr")
	if m.Reason != "" {
		want["cancel_reason"] = m.Reason
	}
	if main, sure := o.company.Main(now, m); sure {
		want["currency"], want["current_mrr_customer_currency"] = main["currency"], main["mrr"]
		want["total_paid_customer_currency"] = main["total_paid_customer_currency"]
	}
	got := o.get("/customers/"+m.ID, question{params: url.Values{}}, "baseCurrency", q.Currency)
	if diff := diffRows([]oracletest.Row{want}, o.dated([]any{got.body})); diff != "" {
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
