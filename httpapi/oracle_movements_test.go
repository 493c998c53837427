package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// window words the days of a list: exactly, as the periods that they touch, or as
// the period of one of them.
func (o *oracled) window(q question) (of oracletest.Query, params []string) {
	c, interval := o.company, q.Interval
	of = q.Query
	of.FixedOn = q.From
	if q.Interval == "month" && o.rng.IntN(2) == 0 {
		interval = ""
	}
	switch o.rng.IntN(3) {
	case 0:
		return of, []string{"interval", ""}
	case 1:
		of.From, of.To = c.Whole(q.From, q.Interval).From, c.Whole(q.To, q.Interval).To
		return of, []string{"interval", q.Interval}
	default:
		on := q.From + oracletest.Day(o.rng.IntN(int(q.To-q.From)+1))
		p := c.Whole(on, q.Interval)
		of.From, of.To = p.From, p.To
		return of, []string{"interval", interval, "selected-date", on.String()}
	}
}

// asked picks movements to ask for, and tells which they are.
func (o *oracled) asked(q question, committed bool) (want []oracletest.Row, params []string) {
	of, params := o.window(q)
	want = o.company.Movements(of, committed)
	kind := []string{"", "", "new", "expansion", "contraction", "churn", "reactivation"}[o.rng.IntN(7)]
	if kind != "" {
		want = slices.DeleteFunc(want, func(row oracletest.Row) bool { return row["type"] != kind })
		params = append(params, "selected-type", kind)
	}
	return want, params
}

// movements compares the table of movements, those to come included.
func (o *oracled) movements(q question) (string, string) {
	committed := o.rng.IntN(2) == 0
	if committed {
		q = o.ahead()
		q.params.Set("committed", "true")
	}
	if o.rng.IntN(3) == 0 {
		q = o.valued(q)
	}
	want, params := o.asked(q, committed)
	unit := "month"
	if k := slices.Index(params, "interval"); params[k+1] != "" {
		unit = params[k+1]
	}
	got := sorted(o.get("/reports/movement-table", q, params...).list("result", "list"))
	for k, item := range got {
		row, _ := item.(map[string]any)
		if day, _ := row["date"].(string); k < len(want) && row["period"] != o.company.Whole(parsed(day), unit).From.String() {
			return "movement-table", fmt.Sprintf("%v lies in the %s of %v", day, unit, row["period"])
		}
	}
	return "movement-table" + q.notes, diffRows(want, got)
}

func parsed(day string) oracletest.Day {
	at, _ := time.Parse(time.DateOnly, day)
	return oracletest.Date(at.Date())
}

// movementLines compares the lines of one customer's movements.
func (o *oracled) movementLines(q question) (string, string) {
	if len(o.company.Members) == 0 || q.params.Has("customer") {
		return "", ""
	}
	committed := o.rng.IntN(4) == 0
	if committed {
		q = o.ahead()
		q.params.Set("committed", "true")
	}
	m := o.company.Members[o.rng.IntN(len(o.company.Members))]
	if q.params.Has("customer") {
		return "", ""
	}
	q.View = both(q.View, nil, func(other *oracletest.Member) bool { return other == m })
	want, got := o.company.Lines(q.Query, committed), map[string]map[string]float64{}
	for _, item := range o.get("/reports/movement-table", q, "interval", "", "customer", m.ID).list("result", "list") {
		row, _ := item.(map[string]any)
		list, _ := row["lines"].([]any)
		sums, total := map[string]float64{}, 0.0
		for _, item := range list {
			line, _ := item.(map[string]any)
			name, removed := strings.CutSuffix(fmt.Sprint(line["description"]), " (removed)")
			if removed && number(line["mrr"]) > 0 {
				return "lines of a movement", fmt.Sprintf("removed is %v", line)
			}
			sums[name] += number(line["mrr"])
			total += number(line["mrr"])
			if sums[name] == 0 {
				delete(sums, name)
			}
		}
		if total != number(row["mrr_change"]) {
			return "lines of a movement", fmt.Sprintf("they add up to %v: %v", total, row)
		}
		got[fmt.Sprint(row["date"], " ", row["customer_id"])] = sums
	}
	return "lines of movements" + q.notes, cmp.Diff(want, got)
}
