package httpapi_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// churn compares the reports about cancellations.
func (o *oracled) churn(q question) (string, string) {
	c := o.company
	if o.rng.IntN(2) == 0 && !q.params.Has("cancel_reason") {
		q = o.reasoned(q)
	}
	if diff := diffRows(c.ChurnReasons(q.Query), o.get("/reports/churn-reasons", q).list("result")); diff != "" {
		return "churn-reasons", diff
	}
	comments := []any{o.get("/reports/churn-reasons-summary", q).body}
	if diff := diffRows([]oracletest.Row{c.ChurnComments(q.Query)}, comments); diff != "" {
		return "churn-reasons-summary", diff
	}
	if diff := diffRows(c.Timing(q.Query), o.get("/reports/cancellation-timing", q).list("result")); diff != "" {
		return "cancellation-timing", diff
	}
	summary := []any{o.get("/reports/churn-scheduled-summary", q).at("summary")}
	return "churn-scheduled-summary", diffRows([]oracletest.Row{c.ScheduledSummary(q.Query)}, summary)
}

// reasoned narrows a question by reasons of leaving.
func (o *oracled) reasoned(q question) question {
	a := o.reasons()
	words := o.words(a)
	q.params = merged(q.params, a.name, o.joined(a, words))
	q.View = a.narrowed(q.View, words)
	return q
}

func number(v any) float64 {
	f, _ := v.(float64)
	return f
}

func without(row oracletest.Row, field string) oracletest.Row {
	delete(row, field)
	return row
}

// lately compares latest-activity, of some days or of so many of the last.
func (o *oracled) lately(q question) (string, string) {
	today := o.company.Today
	params := []string{"interval", "", "limit", "100"}
	if o.rng.IntN(2) == 0 {
		days := 30
		if o.rng.IntN(2) == 0 {
			days = 1 + o.rng.IntN(365)
			params = append(params, "days", strconv.Itoa(days))
		}
		q = o.about(today-oracletest.Day(days)+1, today, "")
	}
	failed, scheduled := o.rng.IntN(3) > 0, o.rng.IntN(3) > 0
	if !failed || o.rng.IntN(2) == 0 {
		params = append(params, "include_failed", map[bool]string{true: "1", false: "0"}[failed])
	}
	if scheduled {
		params = append(params, []string{"include_scheduled", "committed"}[o.rng.IntN(2)], "true")
	}
	body := o.get("/reports/latest-activity", q, params...)
	want := o.company.Activity(q.Query, failed, scheduled)
	if got := int(body.number("count")); got != len(want) {
		return "latest-activity", fmt.Sprintf("oracle %d rows, API %d", len(want), got)
	}
	got, last := []string{}, "9"
	for _, item := range body.list("result") {
		row, _ := item.(map[string]any)
		day := func(field string) string { return strings.TrimSuffix(fmt.Sprint(row[field]), "T00:00:00Z") }
		if day("date") > last {
			return "latest-activity", fmt.Sprintf("%s after %s", day("date"), last)
		}
		last = day("date")
		got = append(got, fmt.Sprint(day("date"), " ", day("effective_date"), " ", row["customer_id"], " ", row["source"], " ", row["type"], " ", int64(number(row["amount"]))))
	}
	if len(want) > 100 {
		return "", ""
	}
	slices.Sort(got)
	return "latest-activity", cmp.Diff(want, got)
}

// countries compares the map, and the values of a custom variable.
func (o *oracled) countries(q question) (string, string) {
	list, _ := o.get("/reports/map", q).at("result", "list").(map[string]any)
	if _, unset := list[""]; unset || list["~"] != nil {
		return "map", "there is an entry of customers without a country"
	}
	for _, code := range []string{"us", "dk", "de", "gb", "jp", "za", "br"} {
		want := o.company.Map(q.Query, code)
		entry, shown := list[code]
		if !shown {
			for field, w := range want {
				if w != nil && w != 0.0 {
					return "map", fmt.Sprintf("%s is missing, its %s is %v", code, field, w)
				}
			}
			continue
		}
		if diff := diffRows([]oracletest.Row{want}, []any{entry}); diff != "" {
			return "map", code + ": " + diff
		}
	}
	key := []string{"industry", "tier", "custom_size", "height"}[o.rng.IntN(4)]
	text := []string{"", "RETAIL", "o", "1"}[o.rng.IntN(4)]
	values := o.get("/reports/custom-variables", q, "interval", "", "key", key, "search", text).list("values")
	want := o.company.Variables(q.Query, strings.TrimPrefix(key, "custom_"), func(v string) bool { return strings.Contains(strings.ToLower(v), strings.ToLower(text)) })
	return "custom-variables", diffRows(want, values)
}

func merged(params url.Values, more ...string) url.Values {
	all := maps.Clone(params)
	for k := 0; k < len(more); k += 2 {
		all.Set(more[k], more[k+1])
	}
	return all
}
