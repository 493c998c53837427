package oracletest

// Customers lists the customers by id: with a view of subscriptions those who pay
// for such a one now. listed says which of them, nil all.
func (c *Company) Customers(q Query, listed func(*Member) bool) []Row {
	var rows []Row
	for _, m := range c.Members {
		if !q.View.takes(m) || !q.View.all() && len(q.View.items(m, c.Today)) == 0 || listed != nil && !listed(m) {
			continue
		}
		start, end := c.trial(m)
		at := c.rateDay(q, c.Today)
		row := Row{
			"id": m.ID, "mrr": float64(c.worth(m.at(c.Today), q.Currency, at)), "payments": float64(m.History.Payments), "status": c.Status(m),
			"paid_started": date(c.firstPaid(m)), "trial_started": date(start), "trial_end_date": date(end), "created_date": date(c.created(m)),
			"total_paid_base_currency": float64(c.paid(m, q.Currency, at)), "country": word(m.Country), "state": word(m.State),
			"name": m.Name(), "email": word(m.Email), "data_source": m.Source,
		}
		if d, sure := c.cancelDate(m); sure {
			row["cancel_date"] = date(d)
		}
		if d, sure := m.overdue(); sure {
			row["overdue_date"] = date(d)
		}
		rows = append(rows, row)
	}
	SortRows(rows, "id")
	return rows
}

// Name is what a member is called.
func (m *Member) Name() string { return "Name " + m.ID }

// CreatedIn reports whether a member was created in the query's days.
func (c *Company) CreatedIn(q Query, m *Member) bool {
	d := c.created(m)
	return q.From <= d && d <= q.To
}

// overdue is the first day that a member has not paid for while it is past due. It
// is not sure with an unpaid invoice: the definitions do not say since when.
func (m *Member) overdue() (d Day, sure bool) {
	d = noDay
	for _, o := range m.History.Overdue {
		if o == noDay {
			return noDay, false
		}
		if d == noDay || o < d {
			d = o
		}
	}
	return d, true
}

// paid is what a member paid less what it got back until today, at a day's rates.
func (c *Company) paid(m *Member, currency string, at Day) int64 {
	sums := map[string]int64{}
	for k := range m.Invoices {
		i := &m.Invoices[k]
		switch {
		case !i.paid() || i.paidOn(c.Settings.Zone) > c.Today:
		case i.Type == "refund":
			sums[i.Currency] -= abs(i.Amount)
		default:
			sums[i.Currency] += i.Amount
		}
	}
	var total int64
	for from, amount := range sums {
		total += c.Rates.Convert(amount, from, currency, at)
	}
	return total
}

// Main describes the largest of a member's subscriptions in the query's currency:
// its currency, and what the member is worth and has paid in that at today's rates.
// It is not sure where nothing runs, several things are worth the same, or another
// is the largest at the fixed rates of the query.
func (c *Company) Main(q Query, m *Member) (row Row, sure bool) {
	largest, sure := c.largest(q.Currency, m, c.Today)
	fixed, same := c.largest(q.Currency, m, c.rateDay(q, c.Today))
	if !sure || !same || fixed != largest {
		return nil, false
	}
	return Row{
		"currency": largest.Currency, "mrr": float64(c.worth(m.at(c.Today), largest.Currency, c.Today)),
		"total_paid_customer_currency": float64(c.paid(m, largest.Currency, c.Today)),
		"plan":                         largest.Plan, "billing_freq": c.Plans[largest.Plan].BillingFreq(),
	}, true
}

// largest is what a member pays most for today, at a day's rates.
func (c *Company) largest(currency string, m *Member, at Day) (largest Item, alone bool) {
	most := int64(-1)
	for _, i := range m.at(c.Today) {
		worth := c.Rates.Convert(i.Amount, i.Currency, currency, at)
		alone = alone && worth != most
		if worth > most {
			largest, most, alone = i, worth, true
		}
	}
	return largest, alone
}
