package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// dimension picks what to break a report down by: the axis, and a view for each
// key of the answer. At times a segment says so; then the values are its words, and
// what several of them keep counts for the first.
func (o *oracled) dimension(q *question) (by string, views map[string]oracletest.View) {
	a := o.axis(*q)
	if !q.params.Has("segment") && o.rng.IntN(4) == 0 {
		return a.name, o.segmented(q, a)
	}
	q.params = maps.Clone(q.params)
	q.params.Set("breakdown", a.name)
	views = map[string]oracletest.View{}
	for key := range a.values {
		views[key] = a.part(q.View, key)
	}
	return a.name, views
}

// axis picks one to break a report down by.
func (o *oracled) axis(q question) axis {
	axes := o.axes(q.To)
	return axes[o.rng.IntN(len(axes))]
}

// segmented asks with a segment that breaks down by some words of an axis.
func (o *oracled) segmented(q *question, a axis) map[string]oracletest.View {
	var words []string
	for range 1 + o.rng.IntN(3) {
		if w := a.words[o.rng.IntN(len(a.words))]; !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	id := o.segment(map[string]any{a.name: o.joined(a, words)}, "breakdown")
	q.params, q.notes = maps.Clone(q.params), fmt.Sprint(q.notes, " segment by ", words)
	q.params.Set("segment", id)
	q.View = a.narrowed(q.View, words)
	views := map[string]oracletest.View{}
	for k, word := range words {
		is := func(m *oracletest.Member, i oracletest.Item) bool {
			earlier := slices.ContainsFunc(words[:k], func(w string) bool { return a.keeps([]string{w}, m, i) })
			return !earlier && a.keeps([]string{word}, m, i)
		}
		view := q.View
		switch {
		case a.item != nil:
			view.Value = func(i oracletest.Item) bool { return is(nil, i) }
		case a.reason:
			view = because(view, func(m *oracletest.Member) bool { return is(m, oracletest.Item{}) })
		default:
			view = both(view, nil, func(m *oracletest.Member) bool { return is(m, oracletest.Item{}) })
		}
		views[word] = view
	}
	return views
}

// segment makes one and returns its id.
func (o *oracled) segment(filters map[string]any, mode string) string {
	name := fmt.Sprintf("Segment %d", o.rng.Uint32())
	body := map[string]any{"name": name, "filters": filters, "mode": mode}
	id := o.ok(o.t, o.key, "POST", "/data/segments", encoded(o.t, body)).text("id")
	return []string{id, name}[o.rng.IntN(2)]
}

// empty reports whether a row says nothing but zeroes.
func empty(row oracletest.Row) bool {
	for _, v := range row {
		if f, isNumber := v.(float64); isNumber && f != 0 {
			return false
		}
	}
	return true
}

// parted compares the values of a breakdown with the report on each of them
// alone. list are the rows of the answer; want recomputes them within a view.
func parted(by string, views map[string]oracletest.View, list []any, want func(oracletest.View) []oracletest.Row) string {
	for _, key := range slices.Sorted(maps.Keys(views)) {
		rows := want(views[key])
		if len(rows) != len(list) {
			return fmt.Sprintf("%s: oracle %d rows, API %d", key, len(rows), len(list))
		}
		for k, row := range rows {
			object, _ := list[k].(map[string]any)
			values, _ := object["breakdown"].(map[string]any)
			for _, field := range []string{"date", "end_date", "period", "bucket", "days_from"} {
				delete(row, field)
			}
			cell, shown := values[key].(map[string]any)
			if !shown && empty(row) {
				continue
			}
			if diff := cmp.Diff(row, rowsOf([]any{cell}, []oracletest.Row{row})[0]); diff != "" {
				return fmt.Sprintf("%s = %s in %v: %s", by, key, object["date"], diff)
			}
		}
	}
	for _, item := range list {
		object, _ := item.(map[string]any)
		values, _ := object["breakdown"].(map[string]any)
		for key, cell := range values {
			row, _ := cell.(map[string]any)
			if _, known := views[key]; !known && !empty(row) {
				return fmt.Sprintf("%s = %q in %v, which nothing is: %v", by, key, object["date"], cell)
			}
		}
	}
	return ""
}

// breakdowns compares the reports by period, split by one dimension.
func (o *oracled) breakdowns(q question) (string, string) {
	c := o.company
	reports := map[string]func(oracletest.Query) []oracletest.Row{
		"mrr": c.MRR, "retention": c.Retention, "transactions": c.CashRows, "cashflow-refunds": c.Refunds,
		"cashflow-failed-payments": c.FailureRows, "cashflow-failure-rate": c.FailureRates,
		"cancellation-timing": func(q oracletest.Query) []oracletest.Row { return c.Timing(q) },
	}
	by, views := o.dimension(&q)
	for _, name := range slices.Sorted(maps.Keys(reports)) {
		got := o.get("/reports/"+name, q)
		if got.at("breakdown") != by {
			return name, fmt.Sprintf("breakdown is %v, want %s", got.at("breakdown"), by)
		}
		diff := parted(by, views, got.list("result"), func(v oracletest.View) []oracletest.Row {
			narrow := q.Query
			narrow.View = v
			return reports[name](narrow)
		})
		if diff != "" {
			return name + " by " + by, diff
		}
	}
	return o.churnParts(q, by, views)
}

// churnParts compares churn-reasons by the values of a breakdown.
func (o *oracled) churnParts(q question, by string, views map[string]oracletest.View) (string, string) {
	got := o.get("/reports/churn-reasons", q).list("result")
	for _, value := range slices.Sorted(maps.Keys(views)) {
		narrow := q.Query
		narrow.View = views[value]
		wanted := map[string]oracletest.Row{}
		for _, want := range o.company.ChurnReasons(narrow) {
			wanted[fmt.Sprint(want["reason"])] = without(want, "reason")
		}
		for _, item := range got {
			row, _ := item.(map[string]any)
			values, _ := row["breakdown"].(map[string]any)
			reason := fmt.Sprint(row["reason"])
			want, some := wanted[reason]
			delete(wanted, reason)
			cell, _ := values[value].(map[string]any)
			if !some && !empty(cell) {
				return "churn-reasons by " + by, fmt.Sprintf("%s, %v: the oracle has none, API %v", value, reason, cell)
			}
			if !some {
				continue
			}
			if diff := diffRows([]oracletest.Row{want}, []any{cell}); diff != "" {
				return "churn-reasons by " + by, fmt.Sprintf("%s, %v: %s", value, reason, diff)
			}
		}
		if len(wanted) > 0 {
			return "churn-reasons by " + by, fmt.Sprintf("%s: the API lacks %v", value, wanted)
		}
	}
	return "", ""
}

// firstKeys are the keys of a member by what it paid for first: that of its
// largest subscription. It is not sure which, when they are in several currencies
// or equal.
func (a axis) firstKeys(m *oracletest.Member, items []oracletest.Item) (keys []string, sure bool) {
	sure = true
	var largest oracletest.Item
	for _, i := range items {
		if i.Amount > largest.Amount {
			largest = i
		}
	}
	for _, i := range items {
		sure = sure && i.Currency == largest.Currency && (i == largest || i.Amount < largest.Amount)
	}
	for key, word := range a.values {
		if (a.item == nil || len(items) > 0) && a.keeps([]string{word}, m, largest) || a.item != nil && len(items) == 0 && key == "~" {
			keys = append(keys, key)
		}
	}
	return keys, sure || a.item == nil
}

// leadParts compares the funnel by value: of members, or of what they first paid
// for within the filters.
func (o *oracled) leadParts(q question) (string, string) {
	a, views, sure := o.leadViews(q)
	got := o.get("/reports/leads", q, "breakdown", a.name).list("result")
	diff := parted(a.name, views, got, func(v oracletest.View) []oracletest.Row {
		narrow := q.Query
		narrow.View = v
		return o.company.Leads(narrow)
	})
	if !sure {
		return "", ""
	}
	return "leads by " + a.name + q.notes, diff
}

// leadViews picks an axis with a view for each of its keys. It is not sure where
// somebody first paid for several things of the same worth.
func (o *oracled) leadViews(q question) (a axis, views map[string]oracletest.View, sure bool) {
	a, views, sure = o.axis(q), map[string]oracletest.View{}, true
	keys := map[*oracletest.Member][]string{}
	for _, m := range o.company.Members {
		own, known := a.firstKeys(m, o.company.FirstItems(q.Query, m))
		keys[m], sure = own, sure && known
	}
	for key := range a.values {
		views[key] = both(q.View, nil, func(m *oracletest.Member) bool { return slices.Contains(keys[m], key) })
	}
	return a, views, sure
}

// leadRows compares the table of leads, at times of one value.
func (o *oracled) leadRows(q question) (string, string) {
	c := o.company
	of, params := o.window(q)
	if o.rng.IntN(2) == 0 {
		a, views, sure := o.leadViews(q)
		if !sure {
			return "", ""
		}
		keys := slices.Sorted(maps.Keys(views))
		key := keys[o.rng.IntN(len(keys))]
		of.View = views[key]
		params = append(params, "breakdown", a.name, "breakdown-value", key)
	}
	stage := []string{"", "lead", "trial", "converted"}[o.rng.IntN(4)]
	ids := c.LeadsTable(of, stage)
	all := oracletest.Query{Currency: q.Currency, View: oracletest.View{Member: func(m *oracletest.Member) bool { return slices.Contains(ids, m.ID) }}}
	want := c.Customers(all, nil)
	for _, row := range want {
		for field := range row {
			if !slices.Contains([]string{"id", "name", "email", "created_date", "status", "trial_started", "trial_end_date", "paid_started", "country", "data_source"}, field) {
				delete(row, field)
			}
		}
	}
	got := o.dated(o.get("/reports/leads-table", q, append(params, "selected-type", stage)...).list("result", "list"))
	slices.SortFunc(got, func(a, b any) int { return strings.Compare(fmt.Sprint(at(a, "id")), fmt.Sprint(at(b, "id"))) })
	return "leads-table" + q.notes, diffRows(want, got)
}

// cohortParts compares the cohorts by value and their average.
func (o *oracled) cohortParts(q question) (string, string) {
	a := o.axis(q)
	unclear := false
	want := o.company.CohortsBy(q.Query, func(m *oracletest.Member, items []oracletest.Item) []string {
		keys, sure := a.firstKeys(m, items)
		unclear = unclear || !sure
		return keys
	})
	got := o.get("/reports/cohort", q, "breakdown", a.name).list("result", "list")
	if unclear {
		return "", ""
	}
	for _, item := range got {
		row, _ := item.(map[string]any)
		group := fmt.Sprint(row["cohort_group"])
		w, known := want[group]
		if !known {
			if row["initial_customers"] != 0.0 {
				return "cohort by " + a.name, fmt.Sprintf("the oracle has no %s: %v", group, row)
			}
			continue
		}
		delete(want, group)
		periods, _ := w["periods"].([]oracletest.Row)
		list, _ := row["periods"].([]any)
		if diff := diffRows(periods, list); diff != "" {
			return "cohort by " + a.name, group + ": " + diff
		}
		if diff := diffRows([]oracletest.Row{without(w, "periods")}, []any{row}); diff != "" {
			return "cohort by " + a.name, group + ": " + diff
		}
	}
	return "cohort by " + a.name, cmp.Diff(map[string]oracletest.Row{}, want)
}
