package httpapi_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// days picks days to ask about, in one of the forms of the contract.
func (o *oracled) days() (from, to oracletest.Day, text string) {
	today, rng := o.company.Today, o.rng
	from, to, text = o.worded()
	if text != "" {
		return from, to, text
	}
	to = today - oracletest.Day(rng.IntN(60)*rng.IntN(2))
	if from = to; rng.IntN(6) > 0 {
		from = to - oracletest.Day(rng.IntN(500))
	}
	plain := func(d oracletest.Day) string { return strings.ReplaceAll(d.String(), "-", "") }
	forms := []string{dates(from, to), dates(from, to), from.String() + ":" + to.String(), from.String() + "-" + to.String()}
	if from == to {
		forms = append(forms, from.String(), plain(from), from.String(), plain(from))
	}
	return from, to, forms[rng.IntN(len(forms))]
}

// worded picks days that have a word, if it picks any. Ranges are not longer than
// the rates reach back.
func (o *oracled) worded() (from, to oracletest.Day, text string) {
	c, rng := o.company, o.rng
	today := c.Today
	units := []string{"week", "month", "quarter", "year"}
	unit := units[rng.IntN(len(units))]
	most := map[string]int{"week": 60, "month": 15, "quarter": 5, "year": 2}[unit]
	running := c.Whole(today, unit)
	switch rng.IntN(16) {
	case 0:
		return today, today, "today"
	case 1:
		return today - 1, today - 1, "yesterday"
	case 2:
		short := map[string]string{"month": "mtd", "quarter": "qtd", "year": "ytd"}
		if text = short[unit]; text == "" {
			text, running = "mtd", c.Whole(today, "month")
		}
		return running.From, today, text
	case 3:
		return running.From, running.To, "this-" + unit
	case 4:
		last := c.Whole(running.From-1, unit)
		return last.From, last.To, "last-" + unit
	case 5:
		n := 1 + rng.IntN(400)
		return today - oracletest.Day(n-1), today, fmt.Sprintf("last-%d-days", n)
	case 6, 7:
		n := 1 + rng.IntN(most)
		for range n - 1 {
			running = c.Whole(running.From-1, unit)
		}
		return running.From, today, fmt.Sprintf("last-%d-%ss", n, unit)
	case 8:
		if first := c.FirstMovement(); first <= today && today-first < 600 {
			return first, today, "all"
		}
	}
	return 0, 0, ""
}

func dates(from, to oracletest.Day) string {
	return strings.ReplaceAll(from.String(), "-", "") + "-" + strings.ReplaceAll(to.String(), "-", "")
}

// undated compares what is asked about no days: the last 365.
func (o *oracled) undated(question) (string, string) {
	today := o.company.Today
	q := o.about(today-364, today, "")
	checks := []func(question) (string, string){o.mrr, o.summary, o.cohorts, o.cash, o.growth, o.concentration, o.churn, o.tables}
	name, diff := checks[o.rng.IntN(len(checks))](q)
	return name + " of no days" + q.notes, diff
}

func noon(d oracletest.Day, zone *time.Location) time.Time {
	year, month, dom := d.Time().Date()
	return time.Date(year, month, dom, 12, 0, 0, 0, zone)
}
