package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// exported compares the files of movements and of growth, and one customer.
func (o *oracled) exported(q question) (string, string) {
	if name, diff := o.oneCustomer(q); diff != "" {
		return name, diff
	}
	if name, diff := o.exportedGrowth(q); diff != "" {
		return name, diff
	}
	committed := o.rng.IntN(3) == 0
	if committed {
		q = o.ahead()
		q.params.Set("committed", "true")
	}
	want, params := o.asked(q, committed)
	for _, row := range want {
		row["base_currency"] = q.Currency
	}
	params = append(params, "sort", "type", "order", "desc") // which a file does not look at
	got := o.file("/exports/mrr-movements.csv", o.with(q, params...), "mrr_change", "mrr_change_base_currency", "old_mrr", "new_mrr", "customer_count_change", "quantity_change")
	return "mrr-movements.csv" + q.notes, diffRows(want, got)
}

// with is a question with other parameters, "" for none.
func (o *oracled) with(q question, more ...string) question {
	q.params = merged(q.params, more...)
	for k := 0; k < len(more); k += 2 {
		if more[k+1] == "" {
			q.params.Del(more[k])
		}
	}
	return q
}

// exportedGrowth compares the file of growth: whole months until today.
func (o *oracled) exportedGrowth(q question) (string, string) {
	c := o.company
	kinds := [][]string{nil, {"new"}, {"churn", "contraction"}, {"expansion", "reactivation", "new"}}[o.rng.IntN(4)]
	types := strings.Join(kinds, " ")
	var want []oracletest.Row
	for d := q.From; d <= min(q.To, c.Today); d++ {
		month := c.Whole(d, "month")
		if month.From != d {
			continue
		}
		_, list := c.Growth(narrowed(q.Query, min(month.To, q.To)), d-1, func(kind string) bool { return kinds == nil || slices.Contains(kinds, kind) })
		for _, row := range list {
			if day := d + oracletest.Day(number(row["day"])) - 1; row["date"] == d.Month() && day <= q.To {
				want = append(want, oracletest.Row{
					"month": row["date"], "day": fmt.Sprintf("%02d", int(number(row["day"]))), "cumulative_mrr": row["cumulative_mrr"], "currency": q.Currency,
				})
			}
		}
	}
	return "mrr-growth.csv", diffRows(want, o.file("/exports/mrr-growth.csv", o.with(q, "interval", "", "category", types), "cumulative_mrr"))
}

// narrowed is a query until a day, with the rates of the whole.
func narrowed(q oracletest.Query, to oracletest.Day) oracletest.Query {
	q.FixedOn, q.To = q.From, to
	return q
}

// file reads an export: rows by column, those of numbers as such, null where empty.
// Cuts are made at random, which must not change it.
func (o *oracled) file(name string, q question, numbers ...string) []any {
	o.t.Helper()
	read := func(more ...string) (head []string, rows [][]string) {
		rows, err := csv.NewReader(bytes.NewReader(o.get(name, q, more...).raw)).ReadAll()
		if err != nil {
			o.t.Fatal(err)
		}
		return rows[0], rows[1:]
	}
	head, rows := read()
	if cut := o.rng.IntN(len(rows) + 2); o.rng.IntN(3) == 0 && cut > 0 {
		_, first := read("limit", strconv.Itoa(cut))
		_, rest := read("offset", strconv.Itoa(cut))
		rows = append(first, rest...)
	}
	var out []any
	for _, row := range rows {
		cells := map[string]any{}
		for k, column := range head {
			switch n, err := strconv.ParseFloat(row[k], 64); {
			case row[k] == "":
				cells[column] = nil
			case err == nil && slices.Contains(numbers, column):
				cells[column] = n
			default:
				cells[column] = row[k]
			}
		}
		out = append(out, cells)
	}
	return out
}
