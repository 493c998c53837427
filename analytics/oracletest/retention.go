package oracletest

import (
	"cmp"
	"math/big"
	"time"
)

// months is how many months the default baseline lies back; 0 is one period.
var trailing = map[string]int{"month": 1, "quarter": 3, "year": 12}

// baseline is the day at which the row of a period begins to look.
func (c *Company) baseline(p Period, interval string, months int) Day {
	months = cmp.Or(months, trailing[interval])
	if trailing[interval] == 0 {
		return p.From - 1
	}
	year, month, _ := p.To.Time().Date()
	return Date(year, month+1-time.Month(months), 0)
}

// look is what retention finds between a baseline and a target.
type look struct {
	cohort, retained                   int64
	base, target, least                int64 // at the rates of the baseline
	expansion, contraction, churn      int64
	expanded, contracted, churned      int64
	targetNow, reactivation, reactives int64 // at the rates of the target
}

func (c *Company) look(q Query, b, t Day) look {
	var l look
	if b > c.Today {
		return l // it is still to come
	}
	t = min(t, c.Today)
	for _, m := range c.Members {
		if !q.View.takes(m) {
			continue
		}
		then, now := q.View.items(m, b), q.View.items(m, t)
		if len(then) == 0 {
			if len(now) > 0 && c.paidBefore(q, m, b) {
				l.reactivation += c.worth(now, q.Currency, c.rateDay(q, t))
				l.reactives++
			}
			continue
		}
		was, is := c.worth(then, q.Currency, c.rateDay(q, b)), c.worth(now, q.Currency, c.rateDay(q, b))
		l.cohort++
		l.base += was
		l.target += is
		l.targetNow += c.worth(now, q.Currency, c.rateDay(q, t))
		l.least += min(was, is)
		if len(now) > 0 {
			l.retained++
		}
		switch {
		case len(now) == 0:
			l.churn -= was
			l.churned++
		case is > was:
			l.expansion += is - was
			l.expanded++
		case is < was:
			l.contraction += is - was
			l.contracted++
		}
	}
	return l
}

func (c *Company) paidBefore(q Query, m *Member, b Day) bool {
	for d := m.History.First; d <= b; d++ {
		if len(q.View.items(m, d)) > 0 {
			return true
		}
	}
	return false
}

// rates are a row's rates as exact percentages, without those of nothing: of an
// empty cohort, or one that paid less than a cent.
func (l look) rates() map[string]*big.Rat {
	rates := map[string]*big.Rat{}
	rest := func(r *big.Rat) *big.Rat { return new(big.Rat).Sub(big.NewRat(100, 1), r) }
	if l.cohort > 0 {
		rates["customer_retention"] = big.NewRat(100*l.retained, l.cohort)
		rates["customer_churn"] = rest(rates["customer_retention"])
	}
	if l.base > 0 {
		rates["nrr"], rates["grr"] = big.NewRat(100*l.target, l.base), big.NewRat(100*l.least, l.base)
		rates["mrr_churn"], rates["net_mrr_churn"] = rest(rates["grr"]), rest(rates["nrr"])
	}
	return rates
}

// Retention is the report retention.
func (c *Company) Retention(q Query) []Row {
	var rows []Row
	for _, p := range c.periods(q) {
		b := c.baseline(p, q.Interval, q.Trailing)
		l := c.look(q, b, p.To)
		row := Row{
			"date": p.From.String(), "baseline_mrr": float64(l.base), "target_mrr": float64(l.targetNow), "grr_mrr": float64(l.least),
			"cohort_customers": float64(l.cohort), "retained_customers": float64(l.retained), "churned_customers": float64(l.cohort - l.retained),
			"expansion": float64(l.expansion), "expansion_customers": float64(l.expanded),
			"contraction": float64(l.contraction), "contraction_customers": float64(l.contracted),
			"churn": float64(l.churn), "churn_customers": float64(l.churned),
			"reactivation": float64(l.reactivation), "reactivation_customers": float64(l.reactives),
			"fx_adjustment": float64(l.targetNow - l.target), "arpa": float64(ratio(l.targetNow, l.retained)),
		}
		suffix := map[string]string{
			"nrr": "nrr", "grr": "grr", "customer_retention": "customer_retention_rate", "customer_churn": "customer_churn_rate",
			"mrr_churn": "mrr_churn_rate", "net_mrr_churn": "net_mrr_churn_rate",
		}
		means := c.means(q, p)
		for name, field := range suffix {
			row[field], row[name+"_avg"] = nil, nil
			if rate := l.rates()[name]; rate != nil {
				row[field] = decimals(rate, 2)
			}
			if means[name] != nil {
				row[name+"_avg"] = decimals(means[name], 2)
			}
		}
		row["customer_lifetime"], row["ltv"] = nil, nil
		if churn := means["customer_churn"]; churn != nil && churn.Sign() > 0 {
			lifetime := new(big.Rat).Quo(new(big.Rat).Mul(q.trailing(), big.NewRat(100, 1)), churn)
			row["customer_lifetime"] = decimals(lifetime, 1)
			row["ltv"] = float64(round(new(big.Rat).Mul(lifetime, big.NewRat(ratio(l.targetNow, l.retained), 1))))
		}
		rows = append(rows, row)
	}
	return rows
}

// trailing is how many months the rows look back.
func (q Query) trailing() *big.Rat {
	switch q.Interval {
	case "day":
		return big.NewRat(12, 365)
	case "week":
		return big.NewRat(84, 365)
	default:
		return big.NewRat(int64(cmp.Or(q.Trailing, trailing[q.Interval])), 1)
	}
}

// RetentionSpan is what the report retention says of all rows: the months that it
// looks back, and the periods of the last row and its baseline.
func (c *Company) RetentionSpan(q Query) Row {
	list := c.periods(q)
	if len(list) == 0 {
		return Row{"trailing_months": decimals(q.trailing(), 2)}
	}
	last := list[len(list)-1]
	return Row{
		"trailing_months": decimals(q.trailing(), 2), "target_period": last.From.String(),
		"baseline_period": c.period(c.baseline(last, q.Interval, q.Trailing), q.Interval).From.String(),
	}
}

// means are the averages over the six complete periods that end with p.
func (c *Company) means(q Query, p Period) map[string]*big.Rat {
	sums, n := map[string]*big.Rat{}, map[string]int64{}
	for k := 0; k < 6; {
		if p.To <= c.Today { // complete; a running period is left out
			k++
			for name, rate := range c.look(q, c.baseline(p, q.Interval, q.Trailing), p.To).rates() {
				if sums[name] == nil {
					sums[name] = new(big.Rat)
				}
				sums[name].Add(sums[name], rate)
				n[name]++
			}
		}
		p = c.period(p.From-1, q.Interval)
	}
	for name := range sums {
		sums[name].Quo(sums[name], big.NewRat(n[name], 1))
	}
	return sums
}
