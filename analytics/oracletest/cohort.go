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
