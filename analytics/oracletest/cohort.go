package oracletest

import (
	"maps"
	"math/big"
	"slices"
)

// starter is a member with the period in which it first paid within a view.
type starter struct {
	member *Member
	start  Period
	first  int64 // worth of that day
	items  []Item
}

func (c *Company) starters(q Query) []starter {
	var list []starter
	for _, p := range c.periods(q) {
		in := q
		in.From = p.From // fixed rates are those of the cohort's start
		for _, m := range c.Members {
			if !q.View.takes(m) {
				continue
			}
			for d := m.History.First; d <= min(p.To, c.Today); d++ {
				if items := q.View.items(m, d); len(items) > 0 {
					if d >= p.From {
						list = append(list, starter{m, p, c.worth(items, q.Currency, c.rateDay(in, d)), items})
					}
					break
				}
			}
		}
	}
	return list
}

// CohortsBy is the report cohort with a breakdown: the rows by key, the average
// under "average", each with its periods under "periods". keys are those of a
// member by what it paid for first.
func (c *Company) CohortsBy(q Query, keys func(*Member, []Item) []string) map[string]Row {
	groups := map[string][]starter{}
	for _, s := range c.starters(q) {
		for _, key := range append(keys(s.member, s.items), "average") {
			groups[key] = append(groups[key], s)
		}
	}
	rows := map[string]Row{}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		var initial int64
		for _, s := range groups[key] {
			initial += s.first
		}
		rows[key] = Row{
			"initial_mrr": float64(initial), "initial_customers": float64(len(groups[key])), "periods": c.after(q, groups[key]),
		}
	}
	return rows
}

// after is what is left of some members k periods after their own starts.
func (c *Company) after(q Query, list []starter) []Row {
	var periods []Row
	for k := 0; ; k++ {
		var reached, kept, initial, mrr, least int64
		for _, s := range list {
			p := s.start
			for range k {
				p = c.period(p.To+1, q.Interval)
			}
			if p.From > c.Today {
				continue
			}
			in := q
			in.From = s.start.From
			value, live := s.first, true
			if k > 0 {
				items := q.View.items(s.member, min(p.To, c.Today))
				value, live = c.worth(items, q.Currency, c.rateDay(in, p.To)), len(items) > 0
			}
			reached++
			initial += s.first
			mrr += value
			least += min(value, s.first)
			if live {
				kept++
			}
		}
		if reached == 0 {
			return periods
		}
		periods = append(periods, Row{
			"mrr_retained": float64(mrr), "customers_retained": float64(kept), "mrr_retention": percent(least, initial),
			"customer_retention": decimals(big.NewRat(100*kept, reached), 2), "nrr": percent(mrr, initial),
			"mrr_churn": percent(initial-least, initial), "customer_churn": percent(reached-kept, reached),
		})
	}
}

// FirstItems are what a member paid for on its first day within the view, nil if
// it never did until today.
func (c *Company) FirstItems(q Query, m *Member) []Item {
	for d := m.History.First; d <= c.Today; d++ {
		if items := q.View.items(m, d); len(items) > 0 {
			return items
		}
	}
	return nil
}

// CohortAverage is the average of the report cohort, nil without customers.
func (c *Company) CohortAverage(q Query) []Row { return c.after(q, c.starters(q)) }

// Cohorts is the report cohort: the rows by start period, each with its periods
// under "periods".
func (c *Company) Cohorts(q Query) []Row {
	var rows []Row
	all := q
	for _, p := range c.periods(all) {
		q.From = p.From // fixed rates are those of the cohort's start
		var members []*Member
		var first []int64 // what each of them was worth when it started, at the start's rates
		for _, m := range c.Members {
			if !q.View.takes(m) {
				continue
			}
			for d := m.History.First; d <= min(p.To, c.Today); d++ {
				if items := q.View.items(m, d); len(items) > 0 {
					if d >= p.From {
						members, first = append(members, m), append(first, c.worth(items, q.Currency, c.rateDay(q, d)))
					}
					break
				}
			}
		}
		if len(members) == 0 {
			continue
		}
		var initial int64
		for _, mrr := range first {
			initial += mrr
		}
		row := Row{"cohort_group": p.From.String(), "initial_customers": float64(len(members)), "initial_mrr": float64(initial)}
		periods := []Row{{
			"mrr_retained": float64(initial), "customers_retained": float64(len(members)), "customer_retention": 100.0, "customer_churn": 0.0,
			"mrr_retention": percent(initial, initial), "nrr": percent(initial, initial), "mrr_churn": percent(0, initial), // of less than a cent none
		}}
		for at := c.period(p.To+1, q.Interval); at.From <= c.Today; at = c.period(at.To+1, q.Interval) {
			var kept, mrr, least int64
			for k, m := range members {
				items := q.View.items(m, min(at.To, c.Today))
				if len(items) == 0 {
					continue
				}
				value := c.worth(items, q.Currency, c.rateDay(q, at.To))
				kept++
				mrr += value
				least += min(value, first[k])
			}
			n := int64(len(members))
			periods = append(periods, Row{
				"mrr_retained": float64(mrr), "customers_retained": float64(kept), "mrr_retention": percent(least, initial),
				"customer_retention": percent(kept, n), "nrr": percent(mrr, initial), "mrr_churn": percent(initial-least, initial),
				"customer_churn": percent(n-kept, n),
			})
		}
		row["periods"] = periods
		rows = append(rows, row)
	}
	return rows
}
