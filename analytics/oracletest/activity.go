package oracletest

import (
	"cmp"
	"fmt"
	"slices"
)

// Activity is the report latest-activity in exactly the query's days, one line of
// text per row: date, effective date, customer, source, type and amount.
func (c *Company) Activity(q Query, failed, scheduled bool) []string {
	lines := []string{}
	put := func(d, effective Day, m *Member, source, kind string, amount int64) {
		if q.From <= d && d <= min(q.To, c.Today) {
			lines = append(lines, fmt.Sprint(d, " ", effective, " ", m.ID, " ", source, " ", kind, " ", amount))
		}
	}
	for _, ch := range c.Changes(q.View) {
		amount := c.base(q, ch)
		kind := typed(ch, amount)
		switch {
		case kind == "none":
		case ch.Day <= c.Today:
			put(ch.Day, ch.Day, ch.Member, "movement", kind, amount)
		case scheduled:
			asked := c.askedFor(ch)
			if asked == noDay {
				asked = c.Today
			}
			put(asked, ch.Day, ch.Member, "scheduled", kind, amount)
		}
	}
	for _, f := range c.Failures(q) {
		if failed && f.Outcome != "recovered" {
			put(f.Day, f.Day, f.Member, "failed_payment", "failed_payment", f.Base)
		}
	}
	slices.Sort(lines)
	return lines
}

// askedFor is the day on which somebody asked for a change to come, noDay when
// nobody did.
func (c *Company) askedFor(ch Change) Day {
	asked := noDay
	for _, e := range ch.Member.History.Endings {
		pending := e.Voided == noDay || e.Voided > c.Today
		if e.Invoice != "" && e.End == ch.Day && e.Request <= c.Today && pending {
			asked = max(asked, e.Request)
		}
	}
	return asked
}

// Map is the report map: the figures of a country, nil for one that has none.
func (c *Company) Map(q Query, country string) Row {
	all := q
	q.View.Member = func(m *Member) bool { return all.View.takes(m) && m.Country == country }
	q.To, all.To = min(q.To, c.Today), min(q.To, c.Today)
	days := Period{q.From, q.To}
	mrr, customers := c.state(q, q.To)
	totalMRR, total := c.state(all, q.To)
	leads, allLeads := funnelOf(c.leads(q), days), funnelOf(c.leads(all), days)
	var started int64
	who := map[*Member]bool{}
	for _, ch := range c.Changes(q.View) {
		if ch.Type == "new" && q.From <= ch.Day && ch.Day <= q.To {
			started += c.base(q, ch)
			who[ch.Member] = true
		}
	}
	row := Row{
		"current_mrr": float64(mrr), "subscribers": float64(customers), "arpa": float64(ratio(mrr, customers)), "asp": float64(ratio(started, int64(len(who)))),
		"leads": float64(leads.leads), "leads_converted": float64(leads.paid), "lead_conversion_rate": share(leads.paid, leads.leads),
		"new_trials": float64(leads.trials), "trials_converted": float64(leads.both), "trial_conversion_rate": share(leads.both, leads.trials),
		"payment_failure_rate": c.failed(q, c.Failures(q), days)["failed_pct"],
		"mrr_percent":          percent(mrr, totalMRR), "subscribers_percent": percent(customers, total),
		"leads_percent": percent(leads.leads, allLeads.leads), "trials_percent": percent(leads.trials, allLeads.trials),
		"customer_churn_rate": nil, "net_mrr_churn": nil, "ltv": nil,
	}
	retention := c.Retention(q)
	for k, p := range c.periods(q) {
		if r := retention[k]; p.To <= q.To { // the last complete one stays
			row["customer_churn_rate"], row["net_mrr_churn"], row["ltv"] = r["customer_churn_rate"], r["net_mrr_churn_rate"], r["ltv"]
		}
	}
	return row
}

// share is percent, and 0 of nothing.
func share(a, b int64) any {
	if b == 0 {
		return 0.0
	}
	return percent(a, b)
}

// Variables is the report custom-variables of a key.
func (c *Company) Variables(q Query, key string, search func(string) bool) []Row {
	counts := map[string]int{}
	for _, l := range c.leads(q) {
		if v := l.member.Variables[key]; v != "" && search(v) {
			counts[v]++
		}
	}
	var rows []Row
	for value, n := range counts {
		rows = append(rows, Row{"value": value, "count": float64(n), "customer_count": float64(n), "variable_name": key})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.number("count"), a.number("count")), cmp.Compare(a.text("value"), b.text("value")))
	})
	return rows
}
