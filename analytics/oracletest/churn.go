package oracletest

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
)

// Given is a subscription that a member gave up.
type Given struct {
	Member *Member
	Ending *Ending
	Items  []Item // what it was in the view on the day before
	Reason string
	Base   int64 // in the query's currency
}

// row finds an invoice by its id.
func (m *Member) row(id string) *Invoice {
	for k := range m.Invoices {
		if m.Invoices[k].ID == id {
			return &m.Invoices[k]
		}
	}
	return nil
}

// reason is why a subscription ended, "" when nobody said.
func (m *Member) reason(e *Ending) string {
	switch {
	case e.Invoice != "":
		return m.row(e.Invoice).Reason
	case e.Failed:
		return "payment_failed"
	default:
		return "expired"
	}
}

// comment is what the member said about it, "" for nothing.
func (g Given) comment() string {
	if g.Ending.Invoice == "" {
		return ""
	}
	return g.Member.row(g.Ending.Invoice).Comment
}

func ofStream(items []Item, stream string) []Item {
	var own []Item
	for _, i := range items {
		if i.Stream == stream {
			own = append(own, i)
		}
	}
	return own
}

// Given lists the subscriptions whose end was asked for, or came without that, in
// the query's days up to today. A view of reasons takes what ended for them,
// whatever became of the member.
func (c *Company) Given(q Query, asked bool) []Given {
	var list []Given
	why := q.View.Reason
	for _, m := range c.Members {
		if q.View.Member != nil && !q.View.Member(m) {
			continue
		}
		for _, e := range m.History.Endings {
			g := Given{Member: m, Ending: e, Reason: m.reason(e)}
			if e.Voided != noDay || e.Request < q.From || e.Request > min(q.To, c.Today) || asked && e.Invoice == "" || why != nil && !why(g.Reason) {
				continue
			}
			if len(ofStream(m.at(e.End), e.Stream)) > 0 {
				continue // it goes on
			}
			if e.End-1 >= m.History.First {
				g.Items = ofStream(q.View.items(m, e.End-1), e.Stream)
			}
			if len(g.Items) == 0 {
				continue
			}
			g.Base = c.worth(g.Items, q.Currency, c.rateDay(q, e.End))
			list = append(list, g)
		}
	}
	return list
}

func counted(list []Given, of int) Row {
	var mrr int64
	who := map[*Member]bool{}
	for _, g := range list {
		mrr += g.Base
		who[g.Member] = true
	}
	share := 0.0
	if of > 0 {
		share, _ = percent(int64(len(list)), int64(of)).(float64)
	}
	return Row{"cancellations": float64(len(list)), "customers": float64(len(who)), "mrr": float64(mrr), "percent": share}
}

// ChurnReasons is the report churn-reasons.
func (c *Company) ChurnReasons(q Query) []Row {
	list := c.Given(q, false)
	groups := map[string][]Given{}
	for _, g := range list {
		groups[cmp.Or(g.Reason, "~")] = append(groups[cmp.Or(g.Reason, "~")], g)
	}
	var rows []Row
	for reason, group := range groups {
		row := counted(group, len(list))
		row["reason"] = reason
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.number("cancellations"), a.number("cancellations")), cmp.Compare(a.text("reason"), b.text("reason")))
	})
	return rows
}

// ChurnComments is what the report churn-reasons-summary counts.
func (c *Company) ChurnComments(q Query) Row {
	list, comments := c.Given(q, false), 0
	for _, g := range list {
		if g.comment() != "" {
			comments++
		}
	}
	return Row{"comment_count": float64(comments), "total_cancellations": strconv.Itoa(len(list))}
}

// timing are the classes of days of cancellation-timing by their first day.
var timing = []struct {
	from Day
	name string
}{{0, "0"}, {1, "1-3"}, {4, "4-7"}, {8, "8-14"}, {15, "15-30"}, {31, "31-90"}, {91, "91+"}}

func early(g Given) Day { return max(0, g.Ending.Through-g.Ending.Request) }

func class(g Given) string {
	name := ""
	for _, t := range timing {
		if early(g) >= t.from {
			name = t.name
		}
	}
	return name
}

// Timing is the report cancellation-timing.
func (c *Company) Timing(q Query) []Row {
	list := c.Given(q, true)
	var rows []Row
	for _, t := range timing {
		row := counted(slices.DeleteFunc(slices.Clone(list), func(g Given) bool { return class(g) != t.name }), len(list))
		row["bucket"], row["days_from"] = t.name, float64(t.from)
		rows = append(rows, row)
	}
	return rows
}

// TimingDetail is the report cancellation-timing-detail, one line of text per
// cancellation of a class, "" for all.
func (c *Company) TimingDetail(q Query, bucket string) []string {
	lines := []string{}
	for _, g := range c.Given(q, true) {
		if bucket == "" || class(g) == bucket {
			lines = append(lines, fmt.Sprint(g.Member.ID, " ", g.Ending.Request, " ", g.Ending.End, " ", int(early(g)), " ", g.Base, " ", cmp.Or(g.Reason, "-"), " ", cmp.Or(g.comment(), "-")))
		}
	}
	slices.Sort(lines)
	return lines
}

// ScheduledSummary is the report churn-scheduled-summary.
func (c *Company) ScheduledSummary(q Query) Row {
	var current, risk, subscriptions, days int64
	for _, ch := range c.Changes(q.View) {
		amount := c.base(q, ch)
		if kind := typed(ch, amount); ch.Day > c.Today && (kind == "churn" || kind == "contraction") {
			current += amount
		}
	}
	ago := map[Day]int64{}
	for _, m := range c.Members {
		if !q.View.takes(m) {
			continue
		}
		for _, e := range m.History.Endings {
			for _, back := range []Day{0, 30, 60, 180, 365} {
				then := c.Today - back
				gone := e.Voided != noDay && (e.Voided <= then || back == 0)
				if e.Invoice == "" || e.Request > then || e.End <= then || gone || then < m.History.First {
					continue
				}
				mrr := c.worth(ofStream(q.View.items(m, then), e.Stream), q.Currency, c.rateDay(q, then))
				ago[back] -= mrr
				if back == 0 && mrr > 0 {
					risk += mrr
					subscriptions++
					days += int64(e.End - c.Today)
				}
			}
		}
	}
	row := Row{"churn_current": float64(current), "mrr_at_risk": float64(risk), "subscriptions": float64(subscriptions), "avg_days_to_cancel": nil}
	for back, name := range map[Day]string{30: "30", 60: "60", 180: "180", 365: "365"} {
		row["churn_"+name] = float64(ago[back])
	}
	if subscriptions > 0 {
		row["avg_days_to_cancel"] = decimals(big.NewRat(days, subscriptions), 1)
	}
	return row
}
