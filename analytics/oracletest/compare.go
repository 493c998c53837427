package oracletest

// Earlier is the period that a row is compared with, out of so many rows: as many
// periods before, or the same period a year before, of weeks 52 weeks.
func (c *Company) Earlier(p Period, interval string, rows int, year bool) Period {
	switch {
	case !year:
		for range rows {
			p = c.period(p.From-1, interval)
		}
		return p
	case interval == "week":
		return Period{p.From - 52*7, p.To - 52*7}
	default:
		y, month, dom := p.From.Time().Date()
		last := Date(y-1, month+1, 0) // for the 29th of February
		return c.period(min(last, Date(y-1, month, 1)+Day(dom-1)), interval)
	}
}

// Periods are the periods of a query's rows by their first days.
func (c *Company) Periods(q Query) []Period { return c.periods(q) }

// Whole is the period of an interval that a day lies in.
func (c *Company) Whole(d Day, interval string) Period { return c.period(d, interval) }

// FirstMovement is the day of the company's first movement.
func (c *Company) FirstMovement() Day {
	first := Day(1 << 30)
	for _, ch := range c.Changes(View{}) {
		first = min(first, ch.Day)
	}
	return first
}

// table is a report in long form: for each row its figures one by one. fields
// gives a name, and the fields of its figures, of each kind of figure.
func table(rows []Row, kinds [][3]string, amount, count string) []Row {
	var list []Row
	for _, row := range rows {
		for _, kind := range kinds {
			out := Row{"date": row["date"], "type": kind[0], amount: nil, count: nil}
			if kind[1] != "" {
				out[amount] = row[kind[1]]
			}
			if kind[2] != "" {
				out[count] = row[kind[2]]
			}
			list = append(list, out)
		}
	}
	return list
}

// MRRTable is the report mrr-table.
func (c *Company) MRRTable(q Query) []Row {
	rows := c.MRR(q)
	for _, row := range rows {
		row["opening"] = row.number("total_mrr") - row.number("mrr_diff")
		row["opening_customers"] = row.number("total_customers") - row.number("customers_diff")
		row["none"] = 0.0
	}
	kinds := [][3]string{{"opening", "opening", "opening_customers"}}
	for _, kind := range []string{"new", "expansion", "reactivation", "contraction", "churn"} {
		kinds = append(kinds, [3]string{kind, kind, kind + "_customers"})
	}
	kinds = append(kinds, [3]string{"fx_adjustment", "fx_adjustment", "none"}, [3]string{"closing", "total_mrr", "total_customers"})
	return table(rows, kinds, "mrr_change", "customers")
}

// FailureTable is the report cashflow-failed-payments-table.
func (c *Company) FailureTable(q Query) []Row {
	return table(c.FailureRows(q), [][3]string{
		{"total_failed", "failed_amount", "failed_invoices"},
		{"recovered", "recovered", "recovered_customers"},
		{"still_unpaid", "still_unpaid", "still_unpaid_customers"},
		{"churned", "churned", "churned_customers"},
		{"failed_pct", "", "failed_pct"},
		{"recovery_rate", "", "recovery_rate"},
		{"affected_customers", "", "affected_customers"},
	}, "amount", "value")
}

// RefundTable is the report cashflow-refunds-table.
func (c *Company) RefundTable(q Query) []Row {
	rows := c.Refunds(q)
	for k, row := range rows {
		rows[k] = Row{"date": row["date"], "amount": row["refund_amount"], "count": row["refund_count"], "customers_refunded": row["customers_refunded"]}
	}
	return rows
}

// FailureRateSummary is the report cashflow-failure-rate-summary.
func (c *Company) FailureRateSummary(q Query) Row {
	row := Row{}
	for name, v := range c.FailureSummary(q) {
		switch name {
		case "mtd_failed_pct", "prev_mtd_failed_pct", "ytd_failed_pct", "prev_ytd_failed_pct":
			row[name[:len(name)-len("failed_pct")]+"failure_rate"] = v
		case "mtd_failed_pct_change":
			row["mtd_failure_rate_change"] = v
		case "ytd_failed_pct_change":
			row["ytd_failure_rate_change"] = v
		case "mtd_failed_invoices", "prev_mtd_failed_invoices", "ytd_failed_invoices", "prev_ytd_failed_invoices":
			row[name[:len(name)-len("invoices")]+"count"] = v
		}
	}
	return row
}

// month is a month with what moved on each of its days up to today.
func (c *Company) month(q Query, p Period, counts func(kind string) bool) []Row {
	var rows []Row
	changes, sum := c.Changes(q.View), 0.0
	for d := p.From; d <= min(p.To, c.Today); d++ {
		row, net := Row{"date": p.From.Time().Format("2006-01"), "day": float64(d - p.From + 1)}, 0.0
		for _, kind := range []string{"new", "expansion", "reactivation", "contraction", "churn"} {
			row[kind] = 0.0
		}
		for _, ch := range changes {
			amount := c.base(q, ch)
			if kind := typed(ch, amount); ch.Day == d && kind != "none" && counts(kind) {
				row[kind] = row.number(kind) + float64(amount)
				net += float64(amount)
			}
		}
		sum += net
		row["net"], row["cumulative_mrr"] = net, sum
		rows = append(rows, row)
	}
	return rows
}

// Growth are the reports mrr-growth and mrr-growth-table of the month that the
// range ends in, but not after today, beside the month of another day.
func (c *Company) Growth(q Query, other Day, counts func(kind string) bool) (rows, list []Row) {
	now, compared := c.month(q, c.period(min(q.To, c.Today), "month"), counts), c.month(q, c.period(other, "month"), counts)
	rows = []Row{{"date": 0.0, "cumulative_mrr": 0.0, "cumulative_mrr_compare": 0.0}}
	for k, row := range now {
		before := 0.0
		if len(compared) > 0 {
			before = compared[min(k, len(compared)-1)].number("cumulative_mrr")
		}
		rows = append(rows, Row{"date": row["day"], "cumulative_mrr": row["cumulative_mrr"], "cumulative_mrr_compare": before})
	}
	return rows, append(compared, now...)
}

// MonthBefore is a day of the month before that in which the range ends.
func (c *Company) MonthBefore(q Query) Day { return c.period(min(q.To, c.Today), "month").From - 1 }

// Month is YYYY-MM of a day.
func (d Day) Month() string { return d.Time().Format("2006-01") }

// ScheduledChurn is the report churn-scheduled in the periods from q.From to q.To.
func (c *Company) ScheduledChurn(q Query) []Row {
	q.Committed = true
	changes := c.Changes(q.View)
	var rows []Row
	for _, p := range c.periods(q) {
		sums, who := map[string]int64{}, map[string]map[*Member]bool{"": {}, "churn": {}, "contraction": {}}
		for _, ch := range changes {
			amount := c.base(q, ch)
			kind := typed(ch, amount)
			if ch.Day <= c.Today || ch.Day < p.From || ch.Day > p.To || kind != "churn" && kind != "contraction" {
				continue
			}
			sums[kind] += amount
			who[kind][ch.Member], who[""][ch.Member] = true, true
		}
		rows = append(rows, Row{
			"date": p.From.String(), "end_date": p.To.String(), "churn": float64(sums["churn"]), "contraction": float64(sums["contraction"]),
			"churn_customers": float64(len(who["churn"])), "contraction_customers": float64(len(who["contraction"])),
			"total_mrr": float64(sums["churn"] + sums["contraction"]), "total_customers": float64(len(who[""])),
		})
	}
	return rows
}
