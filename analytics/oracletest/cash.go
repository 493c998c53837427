package oracletest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
)

// CashKinds are the kinds of cash that reports show.
var CashKinds = []string{
	"month_sub", "quarter_sub", "year_sub", "week_sub", "day_sub", "metered", "one_time", "discount", "refund", "fee", "tax", "fx_loss",
}

// Cash is one part of a paid invoice.
type Cash struct {
	Member  *Member
	Invoice *Invoice
	Day     Day
	Kind    string
	Amount  int64 // in the invoice's currency
	Plan    string
	Base    int64 // in the query's currency
}

// item is what filters see of a part of an invoice. Payment method and discount
// are those of the invoice, the pricing model is of the plan as well.
func (c *Company) item(m *Member, i *Invoice, plan string) Item {
	of := m.refunded(i)
	item := Item{Plan: plan, Currency: i.Currency, Terms: Terms{Method: i.Method, Metered: i.Metered || c.Plans[plan].Metered}}
	if of != nil {
		item.Metered = item.Metered || of.Metered || c.Plans[of.Plan].Metered
		if i.Method == "" {
			item.Method = of.Method
		}
	}
	item.Discounted = i.Discount != 0 || slices.ContainsFunc(i.Lines, func(l Line) bool { return l.Discount != 0 })
	return item
}

// refunded is the invoice that a refund gives back, nil if none.
func (m *Member) refunded(i *Invoice) *Invoice {
	if i.Type != "refund" {
		return nil
	}
	of, known := m.History.Refunded[i.ID]
	if !known {
		of = i.RefundOf
	}
	if of == "" {
		return nil
	}
	return m.row(of)
}

// plan is the plan that an invoice goes by: a refund that names none has that of
// the invoice it gives back.
func (m *Member) plan(i *Invoice) string {
	if of := m.refunded(i); of != nil && i.Plan == "" {
		return of.Plan
	}
	return i.Plan
}

// charge is the kind of what was sold.
func (c *Company) charge(i *Invoice, plan string, once bool) string {
	switch {
	case i.Metered:
		return "metered"
	case once:
		return "one_time"
	case c.Plans[plan].Metered:
		return "metered"
	default:
		return c.Plans[plan].BillingFreq() + "_sub"
	}
}

// apart takes a paid invoice apart.
func (c *Company) apart(m *Member, i *Invoice) []Cash {
	var list []Cash
	put := func(kind string, amount int64, plan string) {
		if amount != 0 {
			list = append(list, Cash{Kind: kind, Amount: amount, Plan: plan})
		}
	}
	own := m.plan(i)
	sold := func(plan string, once bool, amount, discount, tax int64) {
		put(c.charge(i, plan, once), amount+discount-tax, plan)
		put("discount", -discount, plan)
		put("tax", tax, plan)
	}
	once := i.Type != "subscription"
	switch {
	case i.Type == "refund":
		put("refund", -abs(i.Amount), own)
	case len(i.Lines) == 0:
		sold(own, once, i.Amount, abs(i.Discount), i.Tax)
	default:
		var amount, discount, tax int64
		for _, l := range i.Lines {
			plan := l.Plan
			if plan == "" {
				plan = own
			}
			sold(plan, once || l.OneTime, l.Amount, abs(l.Discount), l.Tax)
			amount, discount, tax = amount+l.Amount, discount+abs(l.Discount), tax+l.Tax
		}
		if i.Discount != 0 {
			discount = abs(i.Discount) - discount
		} else {
			discount = 0
		}
		if i.Tax != 0 {
			tax = i.Tax - tax
		} else {
			tax = 0
		}
		sold(own, once, i.Amount-amount, discount, tax)
	}
	put("fee", -abs(i.Fee), own)
	put("fx_loss", -abs(i.FXLoss), own)
	return list
}

// Transactions lists the parts of all paid invoices up to today that the view
// takes.
func (c *Company) Transactions(q Query) []Cash {
	var list []Cash
	for _, m := range c.Members {
		if !q.View.takes(m) {
			continue
		}
		for k := range m.Invoices {
			i := &m.Invoices[k]
			d := i.paidOn(c.Settings.Zone)
			if !i.paid() || d > c.Today {
				continue
			}
			for _, x := range c.apart(m, i) {
				if !q.View.has(c.item(m, i, x.Plan)) {
					continue
				}
				x.Member, x.Invoice, x.Day = m, i, d
				x.Base = c.Rates.Convert(x.Amount, i.Currency, q.Currency, c.rateDay(q, d))
				list = append(list, x)
			}
		}
	}
	return list
}

// net is the cash of some days without tax.
func net(list []Cash, p Period) int64 {
	var sum int64
	for _, x := range list {
		if x.Kind != "tax" && p.From <= x.Day && x.Day <= p.To {
			sum += x.Base
		}
	}
	return sum
}

// CashRows is the report transactions.
func (c *Company) CashRows(q Query) []Row {
	list := c.Transactions(q)
	var rows []Row
	for _, p := range c.periods(q) {
		row := Row{"date": p.From.String(), "end_date": p.To.String()}
		sums, invoices := map[string]int64{}, map[*Invoice]bool{}
		for _, x := range list {
			if x.Day < p.From || x.Day > p.To {
				continue
			}
			sums[x.Kind] += x.Base
			if x.Kind != "tax" {
				invoices[x.Invoice] = true
			}
		}
		for _, kind := range CashKinds {
			row[kind] = float64(sums[kind])
		}
		now, before := net(list, p), net(list, c.period(p.From-1, q.Interval))
		row["net_amount"], row["amount"], row["count"] = float64(now), float64(now), float64(len(invoices))
		row["net_amount_change_pct"] = percent(now-before, before)
		rows = append(rows, row)
	}
	return rows
}

// CashTable is the report transactions-table.
func (c *Company) CashTable(q Query) []Row {
	list := c.Transactions(q)
	var rows []Row
	for _, p := range c.periods(q) {
		for _, kind := range append(slices.Clone(CashKinds), "net_amount") {
			var amount int64
			parts, invoices := 0, map[*Invoice]bool{}
			for _, x := range list {
				if x.Day < p.From || x.Day > p.To || kind != x.Kind && (kind != "net_amount" || x.Kind == "tax") {
					continue
				}
				amount += x.Base
				parts++
				invoices[x.Invoice] = true
			}
			if kind == "net_amount" {
				parts = len(invoices)
			}
			rows = append(rows, Row{"date": p.From.String(), "type": kind, "amount": float64(amount), "count": float64(parts)})
		}
	}
	return rows
}

// CashDetail is the report transactions-detail of exactly the days from q.From
// on, one line of text per part.
func (c *Company) CashDetail(q Query, kind string) []string {
	lines := []string{}
	for _, x := range c.Transactions(q) {
		if x.Day < q.From || x.Day > q.To || kind == "" && x.Kind == "tax" || kind != "" && kind != x.Kind {
			continue
		}
		lines = append(lines, fmt.Sprint(x.Day, " ", x.Member.ID, " ", x.Invoice.ID, " ", x.Kind, " ", x.Amount, " ", x.Invoice.Currency, " ", x.Base))
	}
	slices.Sort(lines)
	return lines
}

// toDate are the running month, quarter or year up to a day, and as many days of
// the one before.
func (c *Company) toDate(anchor Day, interval string) (now, before Period) {
	now = c.period(anchor, interval)
	before = c.period(now.From-1, interval)
	days := anchor - now.From
	return Period{now.From, anchor}, Period{before.From, min(before.To, before.From+days)}
}

// CashSummary is the report transactions-summary.
func (c *Company) CashSummary(q Query) Row {
	list, row := c.Transactions(q), Row{}
	for name, interval := range map[string]string{"mtd": "month", "qtd": "quarter", "ytd": "year"} {
		now, before := c.toDate(min(q.To, c.Today), interval)
		a, b := net(list, now), net(list, before)
		row[name], row["prev_"+name], row[name+"_change_pct"] = float64(a), float64(b), percent(a-b, b)
	}
	return row
}

// Refunds is the report cashflow-refunds.
func (c *Company) Refunds(q Query) []Row {
	list := c.Transactions(q)
	var rows []Row
	for _, p := range c.periods(q) {
		var amount int64
		count, who := 0, map[*Member]bool{}
		for _, x := range list {
			if x.Kind == "refund" && p.From <= x.Day && x.Day <= p.To {
				amount -= x.Base
				count++
				who[x.Member] = true
			}
		}
		rows = append(rows, Row{
			"date": p.From.String(), "refund_amount": float64(amount), "refund_count": float64(count), "customers_refunded": float64(len(who)),
			"amount": float64(amount), "count": float64(count),
		})
	}
	return rows
}

// Failed is an invoice that was not collected at first.
type Failed struct {
	Member  *Member
	Invoice *Invoice
	Day     Day
	Outcome string
	Base    int64 // in the query's currency
}

// asks reports whether an invoice asks for money.
func (i *Invoice) asks() bool {
	return i.Amount > 0 && i.Status != "void" && (i.Type == "subscription" || i.Type == "one-time")
}

// takesInvoice reports whether a view takes an invoice as a whole: by its plan or
// that of one of its lines. In a breakdown it counts for the first of them that
// passes the filters.
func (c *Company) takesInvoice(v View, m *Member, i *Invoice) bool {
	plans := []string{i.Plan}
	for _, l := range i.Lines {
		if l.Plan != "" {
			plans = append(plans, l.Plan)
		}
	}
	if plans[0] == "" && len(plans) > 1 {
		plans = plans[1:]
	}
	for _, plan := range plans {
		if item := c.item(m, i, plan); v.Item == nil || v.Item(item) {
			return v.Value == nil || v.Value(item)
		}
	}
	return false
}

// left is the day on which the member lost its last MRR, noDay while it has some.
func (c *Company) left(m *Member) Day {
	if len(m.at(c.Today)) > 0 {
		return noDay
	}
	for d := c.Today; d > m.History.First; d-- {
		if len(m.at(d-1)) > 0 {
			return d
		}
	}
	return noDay
}

// Failures lists the invoices that failed up to today.
func (c *Company) Failures(q Query) []Failed {
	var list []Failed
	for _, m := range c.Members {
		if !q.View.takes(m) {
			continue
		}
		for k := range m.Invoices {
			i := &m.Invoices[k]
			billed := day(i.Date, c.Settings.Zone)
			f := Failed{Member: m, Invoice: i, Day: billed, Outcome: "still_unpaid"}
			if !i.FirstFailed.IsZero() {
				f.Day = day(i.FirstFailed, c.Settings.Zone)
			}
			failed := !i.FirstFailed.IsZero() || i.Status == "failed" || i.Attempts > 0 && !i.paid()
			if !failed || !i.asks() || !c.takesInvoice(q.View, m, i) || f.Day > c.Today || billed > c.Today {
				continue
			}
			since := min(billed, f.Day)
			if !i.Start.IsZero() {
				since = min(since, day(i.Start, c.Settings.Zone))
			}
			switch left := c.left(m); {
			case i.paid():
				f.Outcome = "recovered"
			case left != noDay && left >= since:
				f.Outcome = "churned"
			}
			f.Base = c.Rates.Convert(i.Amount, i.Currency, q.Currency, c.rateDay(q, f.Day))
			list = append(list, f)
		}
	}
	return list
}

// bills counts the invoices of some days that ask for money.
func (c *Company) bills(q Query, p Period) int64 {
	n := int64(0)
	for _, m := range c.Members {
		for k := range m.Invoices {
			i := &m.Invoices[k]
			d := day(i.Date, c.Settings.Zone)
			if q.View.takes(m) && i.asks() && c.takesInvoice(q.View, m, i) && p.From <= d && d <= min(p.To, c.Today) {
				n++
			}
		}
	}
	return n
}

// failed sums up the failures of some days.
func (c *Company) failed(q Query, list []Failed, p Period) Row {
	amounts, who := map[string]int64{}, map[string]map[*Member]bool{"": {}, "recovered": {}, "still_unpaid": {}, "churned": {}}
	counts, attempts, all := map[string]int64{}, 0, int64(0)
	for _, f := range list {
		if f.Day < p.From || f.Day > p.To {
			continue
		}
		amounts[f.Outcome] += f.Base
		amounts[""] += f.Base
		counts[f.Outcome]++
		all++
		attempts += f.Invoice.Attempts
		who[f.Outcome][f.Member], who[""][f.Member] = true, true
	}
	row := Row{
		"failed_amount": float64(amounts[""]), "amount": float64(amounts[""]), "failed_invoices": float64(all), "count": float64(all),
		"affected_customers": float64(len(who[""])), "total_retry_attempts": float64(attempts), "total_invoices": float64(c.bills(q, p)),
		"recovered_invoices": float64(counts["recovered"]),
		"failed_pct":         rate(all, c.bills(q, p)), "recovery_rate": rate(amounts["recovered"], amounts[""]),
	}
	for _, outcome := range []string{"recovered", "still_unpaid", "churned"} {
		row[outcome], row[outcome+"_customers"] = float64(amounts[outcome]), float64(len(who[outcome]))
	}
	return row
}

// rate is percent, and 0 of nothing when nothing is.
func rate(a, b int64) any {
	if a == 0 && b == 0 {
		return 0.0
	}
	return percent(a, b)
}

// FailureRows is the report cashflow-failed-payments.
func (c *Company) FailureRows(q Query) []Row {
	list := c.Failures(q)
	var rows []Row
	for _, p := range c.periods(q) {
		row := c.failed(q, list, p)
		row["date"] = p.From.String()
		rows = append(rows, row)
	}
	return rows
}

// FailureRates is the report cashflow-failure-rate.
func (c *Company) FailureRates(q Query) []Row {
	rows := c.FailureRows(q)
	for k, row := range rows {
		rows[k] = Row{
			"date": row["date"], "period": row["date"], "failed_invoices": row["failed_invoices"], "failure_rate": row["failed_pct"],
			"total_invoices": row["total_invoices"],
		}
	}
	return rows
}

// FailureDetail is the report cashflow-failed-payments-detail of exactly the days
// from q.From on, one line of text per invoice.
func (c *Company) FailureDetail(q Query, outcome string) []string {
	lines := []string{}
	for _, f := range c.Failures(q) {
		if f.Day < q.From || f.Day > q.To || outcome != "" && outcome != f.Outcome {
			continue
		}
		i := f.Invoice
		lines = append(lines, fmt.Sprint(f.Day, " ", f.Member.ID, " ", i.ID, " ", i.Amount, " ", i.Currency, " ", f.Base, " ", f.Outcome, " ", i.Attempts))
	}
	slices.Sort(lines)
	return lines
}

// FailureSummary is the report cashflow-failed-payments-summary.
func (c *Company) FailureSummary(q Query) Row {
	list, row := c.Failures(q), Row{}
	for name, interval := range map[string]string{"mtd": "month", "qtd": "quarter", "ytd": "year"} {
		nowDays, beforeDays := c.toDate(min(q.To, c.Today), interval)
		now, before := c.failed(q, list, nowDays), c.failed(q, list, beforeDays)
		row[name+"_still_unpaid"], row["prev_"+name+"_still_unpaid"] = now["still_unpaid"], before["still_unpaid"]
		if name == "qtd" {
			continue
		}
		for _, field := range []string{"recovery_rate", "failed_pct", "failed_invoices"} {
			row[name+"_"+field], row["prev_"+name+"_"+field] = now[field], before[field]
		}
		row[name+"_still_unpaid_change_pct"] = percent(whole(now["still_unpaid"])-whole(before["still_unpaid"]), whole(before["still_unpaid"]))
		row[name+"_recovery_rate_change"] = points(now["recovery_rate"], before["recovery_rate"])
		row[name+"_failed_pct_change"] = points(now["failed_pct"], before["failed_pct"])
	}
	return row
}

func whole(v any) int64 {
	f, _ := v.(float64)
	return int64(f)
}

// points is the difference of two rates of two decimals, nil if either is.
func points(now, before any) any {
	a, known := now.(float64)
	b, too := before.(float64)
	if !known || !too {
		return nil
	}
	hundredths := func(f float64) int64 { return int64(math.Round(100 * f)) }
	return decimals(big.NewRat(hundredths(a)-hundredths(b), 100), 2)
}

// Unpaid is the report cashflow-outstanding-unpaid.
func (c *Company) Unpaid(q Query) Row {
	q.FixFX, q.From, q.To = false, c.Today, c.Today
	row := Row{}
	for _, class := range []string{"today", "d30", "d60", "d180", "d365"} {
		row[class+"_still_unpaid"] = 0.0
	}
	for _, f := range c.Failures(q) {
		i := f.Invoice
		if i.Status != "open" && i.Status != "failed" {
			continue
		}
		since := f.Day
		if !i.Due.IsZero() {
			since = day(i.Due, c.Settings.Zone)
		}
		class := "today"
		for _, least := range []struct {
			name string
			days Day
		}{{"d30", 30}, {"d60", 60}, {"d180", 180}, {"d365", 365}} {
			if c.Today-since >= least.days {
				class = least.name
			}
		}
		sum, _ := row[class+"_still_unpaid"].(float64)
		row[class+"_still_unpaid"] = sum + float64(c.Rates.Convert(i.Amount, i.Currency, q.Currency, c.Today))
	}
	return row
}
