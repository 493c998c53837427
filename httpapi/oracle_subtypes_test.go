package httpapi_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

var subtypes = []string{
	"new", "reactivation", "plan_change", "quantity_change", "discount_change", "price_change", "interval_change", "add_on", "removal",
	"refund", "proration", "voluntary", "involuntary", "expired", "free",
}

// cell is a line of text about the movements of one period, type and subtype, ""
// when there are none or the oracle does not know them all.
func cell(unclear map[string]bool, date, kind, subtype, mrr, customers any) string {
	if unclear[fmt.Sprint(date, " ", kind)] || mrr == 0.0 && customers == 0.0 || number(customers) == 0 {
		return ""
	}
	return fmt.Sprint(date, " ", kind, " ", subtype, " ", whole(mrr), " ", whole(customers))
}

func whole(v any) string { return fmt.Sprint(int64(number(v))) }

// cells are such lines, sorted.
func cells(lines []string) []string {
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	slices.Sort(lines)
	return append([]string{}, lines...)
}

// why compares the subtypes of movements by period, at times of those to come.
func (o *oracled) why(q question) (string, string) {
	if o.rng.IntN(3) == 0 {
		q = o.ahead()
		q.Committed = true
		q.params.Set("committed", "true")
	}
	want, unclear := o.company.Why(q.Query)
	name, got := "mrr-table-subtypes", []string{}
	kind := []string{"", "expansion", "contraction", "churn"}[o.rng.IntN(4)]
	for _, item := range o.get("/reports/mrr-table-subtypes", q, "type", kind).list("result") {
		row, _ := item.(map[string]any)
		got = append(got, cell(unclear, row["date"], row["type"], row["subtype"], row["mrr_change"], row["customers"]))
	}
	if diff := cmp.Diff(ofKind(want, kind), cells(got)); diff != "" {
		return name + q.notes, diff
	}
	if name, diff := o.whyParts(q, want, unclear); diff != "" {
		return name, diff
	}
	if kind == "" {
		return "", ""
	}
	got = nil
	for _, item := range o.get("/reports/mrr-subtypes", q, "type", kind).list("result") {
		row, _ := item.(map[string]any)
		values, _ := row["breakdown"].(map[string]any)
		total := 0.0
		for subtype, value := range values {
			c, _ := value.(map[string]any)
			if c["mrr"] != row[subtype] {
				return "mrr-subtypes" + q.notes, fmt.Sprintf("%s of %v is %v and %v", subtype, row["date"], row[subtype], c["mrr"])
			}
			total += number(c["mrr"])
			got = append(got, cell(unclear, row["date"], kind, subtype, c["mrr"], c["customers"]))
		}
		if total != row["total"] {
			return "mrr-subtypes" + q.notes, fmt.Sprintf("%v add up to %v", row, total)
		}
	}
	return "mrr-subtypes" + q.notes, cmp.Diff(ofKind(want, kind), cells(got))
}

// ofKind keeps the lines of one type, "" for all.
func ofKind(lines []string, kind string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return kind != "" && !strings.Contains(line, " "+kind+" ") })
}

// whyParts compares mrr and mrr-table by subtype.
func (o *oracled) whyParts(q question, want []string, unclear map[string]bool) (string, string) {
	q.params = merged(q.params, "breakdown", "subtype")
	got := []string{}
	for _, item := range o.get("/reports/mrr", q).list("result") {
		row, _ := item.(map[string]any)
		values, _ := row["breakdown"].(map[string]any)
		for subtype, value := range values {
			c, _ := value.(map[string]any)
			for _, kind := range []string{"new", "expansion", "contraction", "churn", "reactivation"} {
				got = append(got, cell(unclear, row["date"], kind, subtype, c[kind], c[kind+"_customers"]))
			}
		}
	}
	if diff := cmp.Diff(want, cells(got)); diff != "" {
		return "mrr by subtype" + q.notes, diff
	}
	got = nil
	for _, item := range o.get("/reports/mrr-table", q).list("result") {
		row, _ := item.(map[string]any)
		if subtype, ok := row["breakdown_value"].(string); ok && slices.Contains(subtypes, subtype) {
			got = append(got, cell(unclear, row["date"], row["type"], subtype, row["mrr_change"], row["customers"]))
		}
	}
	return "mrr-table by subtype" + q.notes, cmp.Diff(want, cells(got))
}

// whyCompared compares what stands beside each figure with the earlier period.
func (o *oracled) whyCompared(q question) (string, string) {
	year := o.rng.IntN(2) == 0
	periods := o.company.Periods(q.Query)
	for _, item := range o.get("/reports/mrr-table-subtypes", q, "compare", compareWord(year)).list("result") {
		row, _ := item.(map[string]any)
		k := slices.IndexFunc(periods, func(p oracletest.Period) bool { return p.From.String() == row["date"] })
		before := q.Query
		earlier := o.company.Earlier(periods[k], q.Interval, len(periods), year)
		before.From, before.To, before.FixedOn = earlier.From, earlier.From, q.From
		want, unclear := o.company.Why(before)
		found := ""
		if c, ok := row["compare"].(map[string]any); ok {
			found = cell(unclear, earlier.From, row["type"], row["subtype"], c["mrr_change"], c["customers"])
		}
		if unclear[fmt.Sprint(earlier.From, " ", row["type"])] {
			continue
		}
		prefix := fmt.Sprint(earlier.From, " ", row["type"], " ", row["subtype"], " ")
		want = slices.DeleteFunc(want, func(line string) bool { return !strings.HasPrefix(line, prefix) })
		if diff := cmp.Diff(strings.Join(want, "\n"), found); diff != "" {
			return "mrr-table-subtypes " + compareWord(year) + q.notes, fmt.Sprint(row, ": ", diff)
		}
	}
	return "", ""
}

func compareWord(year bool) string {
	if year {
		return "last-year"
	}
	return "last-period"
}

// subtyped compares the movements of some subtypes. Where the oracle does not know
// one it believes the table.
func (o *oracled) subtyped(q question) (string, string) {
	committed := o.rng.IntN(3) == 0
	if committed {
		q = o.ahead()
		q.params.Set("committed", "true")
	}
	a := axis{name: "subtype", words: subtypes}
	a.member = func(word string, m *oracletest.Member) bool { return m.Reason == word }
	a.set = func(*oracletest.Member, oracletest.Item) bool { return true }
	words := o.words(a)
	keeps := func(subtype any) bool {
		return a.keeps(words, &oracletest.Member{Reason: fmt.Sprint(subtype)}, oracletest.Item{})
	}
	params := []string{"interval", "", "subtype", o.joined(a, words)}
	if o.rng.IntN(3) == 0 {
		word := subtypes[o.rng.IntN(len(subtypes))]
		keeps = func(subtype any) bool { return subtype == word }
		params = []string{"interval", "", "breakdown", "subtype", "breakdown-value", word}
	}
	name := "/reports/movement-table"
	got := sorted(o.get(name, q, params...).list("result", "list"))
	var want []oracletest.Row
	for _, row := range o.company.Movements(q.Query, committed) {
		k := slices.IndexFunc(got, func(item any) bool {
			return at(item, "date") == row["date"] && at(item, "customer_id") == row["customer_id"]
		})
		known := row["subtype"]
		if known == nil && k >= 0 {
			known = at(got[k], "subtype")
		}
		if known != nil && keeps(known) {
			want = append(want, row)
		}
	}
	for _, item := range got {
		if value := at(item, "breakdown_value"); value != nil && value != at(item, "subtype") {
			return "movement-table by subtype", fmt.Sprint(item)
		}
	}
	return "movement-table of subtypes" + q.notes, diffRows(want, got)
}
