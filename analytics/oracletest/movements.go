package oracletest

import "fmt"

// Movements is the report movement-table of exactly the query's days, oldest first
// and by customer. Rows have what the rules say for sure.
func (c *Company) Movements(q Query, committed bool) []Row {
	rows := []Row{}
	for _, ch := range c.Changes(q.View) {
		if ch.Day < q.From || ch.Day > q.To || committed != (ch.Day > c.Today) {
			continue
		}
		kind := typed(ch, c.base(q, ch))
		if kind == "none" {
			continue
		}
		count := 0.0
		switch kind {
		case "new", "reactivation":
			count = 1
		case "churn":
			count = -1
		}
		at := min(ch.Day, c.Today)
		row := Row{
			"date": ch.Day.String(), "customer_id": ch.Member.ID, "customer_name": ch.Member.Name(), "customer_email": word(ch.Member.Email),
			"type": kind, "currency": ch.Currency, "data_source": ch.Member.Source,
			"mrr_change": float64(ch.Amount), "mrr_change_base_currency": float64(c.base(q, ch)), "customer_count_change": count,
			"old_mrr": float64(c.worth(ch.Before, ch.Currency, at)), "new_mrr": float64(c.worth(ch.After, ch.Currency, at)),
		}
		if why := c.subtype(ch, kind); why != "" {
			row["subtype"] = why
		}
		c.describe(ch, q.View, row)
		rows = append(rows, row)
	}
	SortRows(rows, "date", "customer_id")
	return rows
}

// Name is what a plan is called.
func (p Plan) Name() string { return "The " + p.ID }

// describe adds the plan, the words and the seats of a movement, where they are
// clear: of single items, and of seats that no row mended.
func (c *Company) describe(ch Change, v View, row Row) {
	before, after := ch.Member.seats(v, ch.Day-1), ch.Member.seats(v, ch.Day)
	counted := !before.mended && !after.mended
	if counted {
		row["quantity_change"] = float64(after.quantity - before.quantity)
	}
	if len(ch.Before) > 1 || len(ch.After) > 1 {
		return
	}
	var plan, text string
	switch {
	case len(ch.After) == 0:
		plan = ch.Before[0].Plan
		text = c.Plans[plan].Name()
	case len(ch.Before) == 0:
		plan = ch.After[0].Plan
		text = c.Plans[plan].Name()
	case ch.Before[0].Plan != ch.After[0].Plan:
		plan = ch.After[0].Plan
		text = c.Plans[ch.Before[0].Plan].Name() + " → " + c.Plans[plan].Name()
	default:
		plan = ch.After[0].Plan
		text = c.Plans[plan].Name()
		if before.quantity != after.quantity {
			text += fmt.Sprintf(" (quantity %d → %d)", before.quantity, after.quantity)
		}
		if !counted {
			text = ""
		}
	}
	row["plan_id"], row["plan_name"] = plan, c.Plans[plan].Name()
	if text != "" {
		row["description"] = text
	}
}

// Lines are the lines of a movement by day and customer: what each plan added, or
// took away under " (removed)". Of plans of one subscription only the sum is sure,
// under the name of the plan alone.
func (c *Company) Lines(q Query, committed bool) map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	for _, ch := range c.Changes(q.View) {
		if ch.Day < q.From || ch.Day > q.To || committed != (ch.Day > c.Today) || typed(ch, c.base(q, ch)) == "none" {
			continue
		}
		lines, at := map[string]float64{}, min(ch.Day, c.Today)
		add := func(items []Item, sign float64) {
			for _, i := range items {
				lines[c.Plans[i.Plan].Name()] += sign * float64(c.Rates.Convert(i.Amount, i.Currency, ch.Currency, at))
			}
		}
		add(ch.After, 1)
		add(ch.Before, -1)
		for name, sum := range lines {
			if sum == 0 {
				delete(lines, name)
			}
		}
		all[ch.Day.String()+" "+ch.Member.ID] = lines
	}
	return all
}
