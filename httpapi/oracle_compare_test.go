package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// compared compares what stands beside each row with the report on that earlier
// period alone.
func (o *oracled) compared(q question) (string, string) {
	c, rng := o.company, o.rng
	reports := map[string]func(oracletest.Query) []oracletest.Row{
		"mrr": c.MRR, "retention": c.Retention, "leads": c.Leads, "transactions": c.CashRows, "cashflow-refunds": c.Refunds,
		"cashflow-failed-payments": c.FailureRows, "cashflow-failure-rate": c.FailureRates,
	}
	names := slices.Sorted(maps.Keys(reports))
	name := names[rng.IntN(len(names))]
	year := rng.IntN(2) == 0
	how := compareWord(year)
	if rng.IntN(3) == 0 {
		q.Interval, q.From = "day", max(q.From, q.To-oracletest.Day(rng.IntN(40)))
		q.params = maps.Clone(q.params)
		q.params.Set("interval", "day")
		q.params.Set("date", dates(q.From, q.To))
	}
	got := o.get("/reports/"+name, q, "compare", how)
	periods := c.Periods(q.Query)
	for k, p := range periods {
		row, _ := got.list("result")[k].(map[string]any)
		before := q.Query
		earlier := c.Earlier(p, q.Interval, len(periods), year)
		before.From, before.To, before.FixedOn = earlier.From, earlier.From, q.From
		if diff := diffRows(reports[name](before), []any{row["compare"]}); diff != "" {
			return name + " " + how, fmt.Sprintf("%v: %s", row["date"], diff)
		}
	}
	return "", ""
}

// comparedTables compares what stands beside each figure of a table with the same
// figure of the table of that earlier period alone, at times of one value.
func (o *oracled) comparedTables(q question) (string, string) {
	c := o.company
	reports := map[string]func(oracletest.Query) []oracletest.Row{
		"mrr-table": c.MRRTable, "transactions-table": c.CashTable, "cashflow-refunds-table": c.RefundTable, "cashflow-failed-payments-table": c.FailureTable,
	}
	names := slices.Sorted(maps.Keys(reports))
	name := names[o.rng.IntN(len(names))]
	year := o.rng.IntN(2) == 0
	views := map[string]oracletest.View{"": q.View}
	if o.rng.IntN(2) == 0 {
		_, views = o.dimension(&q)
	}
	got := o.get("/reports/"+name, q, "compare", compareWord(year)).list("result")
	periods := c.Periods(q.Query)
	for _, item := range got {
		row, _ := item.(map[string]any)
		value, _ := row["breakdown_value"].(string)
		view, known := views[value]
		if !known {
			continue
		}
		k := slices.IndexFunc(periods, func(p oracletest.Period) bool { return p.From.String() == row["date"] })
		before := q.Query
		earlier := c.Earlier(periods[k], q.Interval, len(periods), year)
		before.From, before.To, before.FixedOn, before.View = earlier.From, earlier.From, q.From, view
		for _, want := range reports[name](before) {
			if want["type"] != row["type"] || row["compare"] == nil && (value != "" || earlier.From > c.Today) && empty(without(want, "percent")) {
				continue
			}
			if diff := diffRows([]oracletest.Row{without(without(want, "date"), "type")}, []any{row["compare"]}); diff != "" {
				return name + " " + compareWord(year) + q.notes, fmt.Sprint(row, ": ", diff)
			}
		}
	}
	return "", ""
}

// tables compares the reports in long form, and those of days of months.
func (o *oracled) tables(q question) (string, string) {
	c := o.company
	for _, name := range []string{"mrr-table", "cashflow-failed-payments-table", "cashflow-refunds-table", "cashflow-failure-rate-summary"} {
		if name == "mrr-table" && o.rng.IntN(3) == 0 {
			ahead := o.ahead()
			ahead.Committed = true
			if diff := diffRows(c.MRRTable(ahead.Query), o.get("/reports/mrr-table", ahead, "committed", "true").list("result")); diff != "" {
				return name + ahead.notes, diff
			}
		}
		got := o.get("/reports/"+name, q)
		var diff string
		switch name {
		case "mrr-table":
			diff = diffRows(c.MRRTable(q.Query), got.list("result"))
		case "cashflow-failed-payments-table":
			diff = diffRows(c.FailureTable(q.Query), got.list("result"))
		case "cashflow-refunds-table":
			diff = diffRows(c.RefundTable(q.Query), got.list("result"))
		default:
			diff = diffRows([]oracletest.Row{c.FailureRateSummary(q.Query)}, []any{got.at("summary")})
		}
		if diff != "" {
			return name, diff
		}
	}
	return o.growth(q)
}

func (o *oracled) growth(q question) (string, string) {
	c := o.company
	other, month := c.MonthBefore(q.Query), ""
	if o.rng.IntN(2) == 0 {
		other = min(q.To, c.Today) - oracletest.Day(o.rng.IntN(500))
		month = other.Month()
	}
	kinds := [][]string{nil, {"new"}, {"churn", "contraction"}, {"expansion", "reactivation", "new"}}[o.rng.IntN(4)]
	types := strings.Join(kinds, []string{",", " "}[o.rng.IntN(2)])
	rows, list := c.Growth(q.Query, other, func(kind string) bool { return kinds == nil || slices.Contains(kinds, kind) })
	params := []string{"interval", "", "compareMonth", month, "types", types}
	if diff := diffRows(rows, o.get("/reports/mrr-growth", q, params...).list("result")); diff != "" {
		return "mrr-growth " + fmt.Sprint(params), diff
	}
	return "mrr-growth-table " + fmt.Sprint(params), diffRows(list, o.get("/reports/mrr-growth-table", q, params...).list("result"))
}

// losses compares what is scheduled to be lost.
func (o *oracled) losses(question) (string, string) {
	q := o.ahead()
	want := slices.DeleteFunc(o.company.ScheduledChurn(q.Query), func(row oracletest.Row) bool { return text(row, "end_date") < o.company.Today.String() })
	if diff := diffRows(want, o.get("/reports/churn-scheduled", q).list("result")); diff != "" {
		return "churn-scheduled" + q.notes, diff
	}
	by, views := o.dimension(&q)
	diff := parted(by, views, o.get("/reports/churn-scheduled", q).list("result"), func(v oracletest.View) []oracletest.Row {
		narrow := q.Query
		narrow.View = v
		return slices.DeleteFunc(o.company.ScheduledChurn(narrow), func(row oracletest.Row) bool { return text(row, "end_date") < o.company.Today.String() })
	})
	return "churn-scheduled" + q.notes, diff
}

func text(row oracletest.Row, field string) string {
	s, _ := row[field].(string)
	return s
}
