package oracletest

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Query is what the reports are asked for.
type Query struct {
	From, To Day
	Interval string // day, week, month, quarter or year
	Currency string
	FixFX    bool
	View     View

	Committed bool // what is scheduled counts
	FixedOn   Day  // with FixFX, if not From
	Trailing  int  // months that retention looks back, 0 for what is usual
}

// Period is a whole day, week, month, quarter or year.
type Period struct{ From, To Day }

// period returns the period that a day lies in.
func (c *Company) period(d Day, interval string) Period {
	year, month, _ := d.Time().Date()
	switch interval {
	case "day":
		return Period{d, d}
	case "week":
		for int(d.Time().Weekday()) != c.WeekStart {
			d--
		}
		return Period{d, d + 6}
	case "month":
		return Period{Date(year, month, 1), Date(year, month+1, 0)}
	case "quarter":
		first := (month-1)/3*3 + 1
		return Period{Date(year, first, 1), Date(year, first+3, 0)}
	default:
		return Period{Date(year, time.January, 1), Date(year, time.December, 31)}
	}
}

// periods are those that the query's days touch and that have begun.
func (c *Company) periods(q Query) []Period {
	var list []Period
	for d := q.From; d <= c.known(q, q.To); {
		p := c.period(d, q.Interval)
		list = append(list, p)
		d = p.To + 1
	}
	return list
}

// known is the last day up to d that the query may look at.
func (c *Company) known(q Query, d Day) Day {
	if q.Committed {
		return d
	}
	return min(d, c.Today)
}

// rateDay is the day whose rates count for a day.
func (c *Company) rateDay(q Query, d Day) Day {
	if q.FixFX && q.FixedOn != 0 {
		return min(q.FixedOn, c.Today)
	}
	if q.FixFX {
		return min(q.From, c.Today)
	}
	return min(d, c.Today)
}

// state is the total and the number of customers at the end of a day.
func (c *Company) state(q Query, d Day) (mrr, customers int64) {
	d = c.known(q, d)
	for _, m := range c.Members {
		if items := q.View.items(m, d); q.View.takes(m) && len(items) > 0 {
			mrr += c.worth(items, q.Currency, c.rateDay(q, d))
			customers++
		}
	}
	return mrr, customers
}

// percent is a/b in percent with two decimals, nil when b is 0.
func percent(a, b int64) any {
	if b == 0 {
		return nil
	}
	return decimals(big.NewRat(a*100, b), 2)
}

// decimals rounds to so many decimals.
func decimals(r *big.Rat, n int) float64 {
	scale := big.NewRat(1, 1)
	for range n {
		scale.Mul(scale, big.NewRat(10, 1))
	}
	rounded := big.NewRat(round(new(big.Rat).Mul(r, scale)), 1)
	f, _ := rounded.Quo(rounded, scale).Float64()
	return f
}

func ratio(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return round(big.NewRat(a, b))
}

// Row is one row of a report: numbers, dates and nils by field.
type Row map[string]any

func (r Row) number(field string) float64 { f, _ := r[field].(float64); return f }

func (r Row) text(field string) string { s, _ := r[field].(string); return s }

// MRR is the report mrr.
func (c *Company) MRR(q Query) []Row {
	var rows []Row
	changes := c.Changes(q.View)
	for _, p := range c.periods(q) {
		row := Row{"date": p.From.String(), "end_date": p.To.String()}
		sums := map[string]int64{}
		who := map[string]map[string]bool{}
		var net int64
		for _, ch := range changes {
			if ch.Day < p.From || ch.Day > c.known(q, p.To) {
				continue
			}
			amount := c.base(q, ch)
			kind := typed(ch, amount)
			sums[kind] += amount
			net += amount
			if who[kind] == nil {
				who[kind] = map[string]bool{}
			}
			who[kind][ch.Member.ID] = true
		}
		for _, kind := range []string{"new", "expansion", "contraction", "churn", "reactivation"} {
			row[kind] = float64(sums[kind])
			row[kind+"_customers"] = float64(len(who[kind]))
		}
		opening, before := c.state(q, p.From-1)
		closing, after := c.state(q, p.To)
		row["total_mrr"], row["total_arr"], row["total_customers"] = float64(closing), float64(12*closing), float64(after)
		row["mrr_diff"], row["customers_diff"] = float64(closing-opening), float64(after-before)
		row["fx_adjustment"], row["net_mrr_diff"] = float64(closing-opening-net), float64(net)
		row["arpa"], row["asp"] = float64(ratio(closing, after)), float64(ratio(sums["new"], int64(len(who["new"]))))
		if n, sure := c.quantity(q, p.To); sure {
			row["quantity"] = float64(n)
		}
		row["quick_ratio"] = nil
		if lost := abs(sums["churn"]) + abs(sums["contraction"]); lost != 0 {
			row["quick_ratio"] = decimals(big.NewRat(sums["new"]+sums["expansion"], lost), 2)
		}
		rows = append(rows, row)
	}
	return rows
}

// quantity is how many seats or units are paid for at the end of a day. It is not
// sure where invoices were mended.
func (c *Company) quantity(q Query, d Day) (n int, sure bool) {
	for _, m := range c.Members {
		if !q.View.takes(m) {
			continue
		}
		of := m.seats(q.View, c.known(q, d))
		if of.mended {
			return 0, false
		}
		n += of.quantity
	}
	return n, true
}

// base is a change in the query's currency.
func (c *Company) base(q Query, ch Change) int64 {
	at := c.rateDay(q, ch.Day)
	return c.worth(ch.After, q.Currency, at) - c.worth(ch.Before, q.Currency, at)
}

// SortRows sorts rows by text fields.
func SortRows(rows []Row, fields ...string) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		for _, f := range fields {
			x, _ := a[f].(string)
			y, _ := b[f].(string)
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return 0
	})
}

// Summary is the report summary.
func (c *Company) Summary(q Query) Row {
	row := Row{}
	now := map[string]int64{}
	for _, back := range []struct {
		name string
		days Day
	}{{"current", 0}, {"30", 30}, {"60", 60}, {"180", 180}, {"365", 365}} {
		mrr, customers := c.state(q, min(q.To, c.Today)-back.days)
		values := map[string]int64{"mrr": mrr, "arr": 12 * mrr, "subscribers": customers, "arpa": ratio(mrr, customers)}
		for name, value := range values {
			row[name+"_"+back.name] = float64(value)
			if back.days == 0 {
				now[name] = value
			} else {
				row[name+"_percentage_change_"+back.name] = percent(now[name]-value, value)
			}
		}
	}
	return row
}

// Committed is the report cmrr-summary.
func (c *Company) Committed(q Query) Row {
	q.Committed = true
	row := Row{}
	for name, ahead := range map[string]Day{"current": 100_000, "30": 30, "60": 60, "180": 180, "365": 365} {
		mrr, _ := c.state(q, c.Today+ahead)
		row["cmrr_"+name] = float64(mrr)
	}
	return row
}

// Concentration lists the customers of customer-concentration with their MRR at
// the end of the range, and tells how much the largest have.
func (c *Company) Concentration(q Query) (list []Row, tops map[string]Row) {
	type share struct {
		id  string
		mrr int64
	}
	var shares []share
	var total int64
	d := min(q.To, c.Today)
	for _, m := range c.Members {
		if items := q.View.items(m, d); q.View.takes(m) && len(items) > 0 {
			mrr := c.worth(items, q.Currency, c.rateDay(q, d))
			shares = append(shares, share{m.ID, mrr})
			total += mrr
		}
	}
	slices.SortFunc(shares, func(a, b share) int {
		if a.mrr != b.mrr {
			return int(b.mrr - a.mrr)
		}
		if a.id < b.id {
			return -1
		}
		return 1
	})
	tops = map[string]Row{"": {"total_mrr": float64(total), "customers": float64(len(shares))}}
	for _, n := range []int{1, 5, 10, 20} {
		tops[fmt.Sprint("top_", n)] = Row{"mrr": 0.0, "pct": rate(0, total), "count": float64(min(n, len(shares)))}
	}
	var sum int64
	for k, s := range shares {
		sum += s.mrr
		list = append(list, Row{
			"rank": float64(k + 1), "id": s.id, "mrr": float64(s.mrr), "percentage": rate(s.mrr, total),
			"cumulative_mrr": float64(sum), "cumulative_pct": rate(sum, total),
		})
		for _, n := range []int{1, 5, 10, 20} {
			if k < n {
				top := tops[fmt.Sprint("top_", n)]
				top["mrr"], top["pct"] = float64(sum), rate(sum, total)
			}
		}
	}
	return list, tops
}
