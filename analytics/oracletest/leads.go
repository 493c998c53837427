package oracletest

import (
	"math/big"
	"slices"
)

// lead is a member as the funnel sees it today; a day that does not apply is
// noDay.
type lead struct {
	member               *Member
	created, trial, paid Day
}

// trialStart is the day on which the member's trial began or begins.
func (c *Company) trialStart(m *Member) Day {
	if !m.TrialStarted.IsZero() {
		return day(m.TrialStarted, c.Settings.Zone)
	}
	return m.History.TrialStart
}

// created is the day on which the member was created, else the first that is
// known of it, not later than the one on which it came in.
func (c *Company) created(m *Member) Day {
	if !m.Created.IsZero() {
		return day(m.Created, c.Settings.Zone)
	}
	first := m.Received
	if trial := c.trialStart(m); trial != noDay {
		first = min(first, trial)
	}
	for _, i := range m.Invoices {
		if i.Status == "void" || i.Status == "uncollectible" {
			continue
		}
		first = min(first, day(i.Date, c.Settings.Zone))
	}
	return first
}

// firstPaid is the first day at whose end the member was worth something.
func (c *Company) firstPaid(m *Member) Day {
	for d := m.History.First; d <= c.Today; d++ {
		if len(m.at(d)) > 0 {
			return d
		}
	}
	return noDay
}

// leads lists the customers; who is created after today is not there yet. A view
// of subscriptions takes who has ever had such a one.
func (c *Company) leads(q Query) []lead {
	var list []lead
	for _, m := range c.Members {
		if !q.View.takes(m) || !q.View.all() && !c.paidBefore(q, m, c.Today) {
			continue
		}
		l := lead{member: m, created: c.created(m), trial: c.trialStart(m), paid: c.firstPaid(m)}
		if l.trial > c.Today {
			l.trial = noDay
		}
		if l.created > c.Today {
			l.created = noDay
		}
		list = append(list, l)
	}
	return list
}

// funnel is what became of the leads of some days.
type funnel struct{ leads, trials, paid, both, leadDays, trialDays int64 }

func funnelOf(list []lead, p Period) funnel {
	var f funnel
	for _, l := range list {
		if l.created < p.From || l.created > p.To {
			continue
		}
		f.leads++
		if l.trial != noDay {
			f.trials++
		}
		if l.paid == noDay {
			continue
		}
		f.paid++
		f.leadDays += int64(max(0, l.paid-l.created))
		if l.trial != noDay {
			f.both++
			f.trialDays += int64(max(0, l.paid-l.trial))
		}
	}
	return f
}

// Leads is the report leads.
func (c *Company) Leads(q Query) []Row {
	list := c.leads(q)
	mean := func(sum, n int64) any {
		if n == 0 {
			return nil
		}
		return decimals(big.NewRat(sum, n), 1)
	}
	share := func(a, b int64) *big.Rat { return big.NewRat(100*a, max(1, b)) }
	change := func(now, then *big.Rat) any {
		if then.Sign() == 0 {
			return nil
		}
		diff := new(big.Rat).Sub(now, then)
		return decimals(diff.Mul(diff.Quo(diff, then), big.NewRat(100, 1)), 2)
	}
	var rows []Row
	for _, p := range c.periods(q) {
		now, then := funnelOf(list, p), funnelOf(list, c.period(p.From-1, q.Interval))
		rows = append(rows, Row{
			"date": p.From.String(), "leads": float64(now.leads), "trials": float64(now.trials),
			"leads_converted": float64(now.paid), "trials_converted": float64(now.both),
			"new_leads": float64(now.leads), "new_trials": float64(now.trials), "conversions": float64(now.paid),
			"conversion_rate":                   decimals(share(now.paid, now.leads), 2),
			"lead_to_trial_rate":                decimals(share(now.trials, now.leads), 2),
			"trial_to_paid_rate":                decimals(share(now.both, now.trials), 2),
			"lead_to_paid_rate":                 decimals(share(now.paid, now.leads), 2),
			"lead_to_paid_days":                 mean(now.leadDays, now.paid),
			"trial_to_paid_days":                mean(now.trialDays, now.both),
			"leads_percent_change":              percent(now.leads-then.leads, then.leads),
			"trials_percent_change":             percent(now.trials-then.trials, then.trials),
			"lead_to_trial_rate_percent_change": change(share(now.trials, now.leads), share(then.trials, then.leads)),
			"trial_to_paid_rate_percent_change": change(share(now.both, now.trials), share(then.both, then.trials)),
			"lead_to_paid_rate_percent_change":  change(share(now.paid, now.leads), share(then.paid, then.leads)),
		})
	}
	return rows
}

// LeadsSummary is the report leads-summary.
func (c *Company) LeadsSummary(q Query) Row {
	anchor, row := min(q.To, c.Today), Row{}
	list := c.leads(q)
	count := func(of func(lead) Day, from, to Day) int64 {
		n := int64(0)
		for _, l := range list {
			if d := of(l); from <= d && d <= to {
				n++
			}
		}
		return n
	}
	for days, name := range map[Day]string{30: "30", 60: "60", 180: "180", 365: "365"} {
		for what, of := range map[string]func(lead) Day{
			"leads": func(l lead) Day { return l.created }, "trials": func(l lead) Day { return l.trial },
		} {
			now, then := count(of, anchor-days+1, anchor), count(of, anchor-2*days+1, anchor-days)
			row[what+"_"+name], row[what+"_percentage_change_"+name] = float64(now), percent(now-then, then)
		}
	}
	return row
}

// LeadsDays is the report leads-days over exactly the days of the query.
func (c *Company) LeadsDays(q Query) []Row {
	counts, paid := map[Day]int64{}, int64(0)
	for _, l := range c.leads(q) {
		if q.From <= l.created && l.created <= q.To && l.paid != noDay {
			counts[max(0, l.paid-l.created)]++
			paid++
		}
	}
	var rows []Row
	for days := range Day(5000) {
		if n := counts[days]; n > 0 {
			rows = append(rows, Row{"days": float64(days), "count": float64(n), "percent": percent(n, paid)})
		}
	}
	return rows
}

// LeadsTable lists the customers of the report leads-table in exactly the days
// of the query.
func (c *Company) LeadsTable(q Query, stage string) []string {
	ids := []string{}
	for _, l := range c.leads(q) {
		if l.created < q.From || l.created > q.To || l.created == noDay || stage == "trial" && l.trial == noDay || stage == "converted" && l.paid == noDay {
			continue
		}
		ids = append(ids, l.member.ID)
	}
	slices.Sort(ids)
	return ids
}
