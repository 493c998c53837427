package oracletest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Bills is the report invoices-detail in exactly the query's days, one line of
// text per invoice.
func (c *Company) Bills(q Query) []string {
	parts := map[*Invoice]int{}
	for _, x := range c.Transactions(q) {
		if x.Kind != "tax" {
			parts[x.Invoice]++
		}
	}
	lines := []string{}
	for _, m := range c.Members {
		for k := range m.Invoices {
			i := &m.Invoices[k]
			d := day(i.Date, c.Settings.Zone)
			billed := i.Type == "subscription" || i.Type == "one-time" || i.Type == "cancellation" && i.Amount != 0
			if !q.View.takes(m) || !billed || d < q.From || d > min(q.To, c.Today) || !c.takesInvoice(q.View, m, i) {
				continue
			}
			base := c.Rates.Convert(i.Amount, i.Currency, q.Currency, c.rateDay(q, d))
			paid := noDay
			if i.paid() {
				paid = i.paidOn(c.Settings.Zone)
			}
			lines = append(lines, fmt.Sprint(
				d, " ", m.ID, " ", i.ID, " ", cmp.Or(i.Status, "paid"), " ", dash(paid), " ", i.Amount, " ", i.Currency, " ", base, " ", parts[i], " ", c.items(i),
			))
		}
	}
	slices.Sort(lines)
	return lines
}

// items are the lines of an invoice as it states them.
func (c *Company) items(i *Invoice) string {
	text := "-"
	for _, l := range i.Lines {
		start, end := l.period(c.Settings.Zone)
		text += fmt.Sprint(" ", c.Plans[l.Plan].Name(), " ", l.Amount, " ", l.Quantity, " ", dash(start), " ", dash(end), ";")
	}
	return text
}

func dash(d Day) string {
	if d == noDay {
		return "-"
	}
	return d.String()
}

// RefundDetail is the report cashflow-refunds-detail in exactly the query's days,
// one line of text per refund.
func (c *Company) RefundDetail(q Query) []string {
	lines := []string{}
	for _, x := range c.Transactions(q) {
		if x.Kind == "refund" && q.From <= x.Day && x.Day <= q.To {
			lines = append(lines, fmt.Sprint(x.Day, " ", x.Member.ID, " ", x.Invoice.ID, " ", -x.Amount, " ", x.Invoice.Currency, " ", -x.Base))
		}
	}
	slices.Sort(lines)
	return lines
}

// Losses is the report churn-scheduled-movements in exactly the query's days, one
// line of text per movement. kind is a type, or the churn of one billing interval
// such as month_churn; that is not sure of several plans.
func (c *Company) Losses(q Query, kind string) (lines []string, sure bool) {
	lines = []string{}
	freq, ofFreq := strings.CutSuffix(kind, "_churn")
	for _, ch := range c.Changes(q.View) {
		amount := c.base(q, ch)
		is := typed(ch, amount)
		if ch.Day <= c.Today || ch.Day < q.From || ch.Day > q.To || is != "churn" && is != "contraction" {
			continue
		}
		if ofFreq && is == "churn" && len(ch.Before) > 1 {
			return nil, false
		}
		if ofFreq && (is != "churn" || c.Plans[ch.Before[0].Plan].BillingFreq() != freq) || !ofFreq && kind != "" && kind != is {
			continue
		}
		lines = append(lines, fmt.Sprint(ch.Day, " ", ch.Member.ID, " ", is, " ", ch.Amount, " ", ch.Currency, " ", amount, " ", dash(c.askedFor(ch))))
	}
	slices.Sort(lines)
	return lines, true
}

// Why is the report mrr-table-subtypes: period, type, subtype, amount and number
// of customers, one line of text each. unclear are the periods and types that have
// movements of which it is not clear why; they are not among the lines.
func (c *Company) Why(q Query) (lines []string, unclear map[string]bool) {
	lines, unclear = []string{}, map[string]bool{}
	changes := c.Changes(q.View)
	for _, p := range c.periods(q) {
		type key struct{ kind, why string }
		sums, who := map[key]int64{}, map[key]map[*Member]bool{}
		for _, ch := range changes {
			amount := c.base(q, ch)
			kind := typed(ch, amount)
			if ch.Day < p.From || ch.Day > c.known(q, p.To) || kind == "none" {
				continue
			}
			k := key{kind, c.subtype(ch, kind)}
			if k.why == "" {
				unclear[fmt.Sprint(p.From, " ", kind)] = true
				continue
			}
			if who[k] == nil {
				who[k] = map[*Member]bool{}
			}
			sums[k] += amount
			who[k][ch.Member] = true
		}
		for k, sum := range sums {
			if !unclear[fmt.Sprint(p.From, " ", k.kind)] {
				lines = append(lines, fmt.Sprint(p.From, " ", k.kind, " ", k.why, " ", sum, " ", len(who[k])))
			}
		}
	}
	slices.Sort(lines)
	return lines, unclear
}

// Subscriptions is what a member's subscriptions are worth today, by their id,
// plan and currency.
func (c *Company) Subscriptions(m *Member) map[string]float64 {
	sums := map[string]float64{}
	for _, i := range m.at(c.Today) {
		sums[fmt.Sprint(i.Stream, " ", i.Plan, " ", i.Currency)] += float64(i.Amount)
	}
	return sums
}
