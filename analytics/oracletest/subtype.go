package oracletest

import (
	"maps"
	"slices"
)

// seats are what a stream's invoices say beside the price.
type seats struct {
	quantity int
	discount int64
	mended   bool // prorated or refunded in part: which line has how many is open
}

func (s seats) add(p part) seats {
	if p.left <= 0 {
		return s
	}
	s.quantity += p.seats.quantity
	s.discount += p.seats.discount
	s.mended = s.mended || p.seats.mended || p.left != p.amount
	return s
}

// seats are those of all streams at the end of a day, within a view.
func (m *Member) seats(v View, d Day) seats {
	var sum seats
	for _, s := range m.History.Streams {
		for item, own := range s.Seats[min(d, m.History.Last)] {
			if !v.has(item) {
				continue
			}
			sum.quantity += own.quantity
			sum.discount += own.discount
			sum.mended = sum.mended || own.mended
		}
	}
	return sum
}

// causes lists what may have changed a member's MRR on a day: subscription
// invoices, refunds and ends.
func (c *Company) causes(m *Member, d Day) (invoices []*Invoice, ends []*Ending) {
	for k := range m.Invoices {
		i := &m.Invoices[k]
		counts := i.Status != "void" && i.Status != "uncollectible" && (i.Type == "subscription" || i.Type == "refund")
		if counts && effectiveDay(*i, c.Settings.Zone) == d {
			invoices = append(invoices, i)
		}
	}
	for _, e := range m.History.Endings {
		if e.End == d && e.Voided == noDay {
			ends = append(ends, e)
		}
	}
	return invoices, ends
}

// subtype is why a change of a type came about, "" where several things happened
// on its day, the view shows only a part of it, or the rules leave open what it is.
func (c *Company) subtype(ch Change, kind string) string {
	if kind == "new" || kind == "reactivation" {
		return kind
	}
	m := ch.Member
	part := !slices.Equal(ch.Before, m.at(ch.Day-1)) || !slices.Equal(ch.After, m.at(ch.Day))
	// A stream of several items of one plan, of which one ends, is one item less
	// to the customer but not to these lists.
	lined := slices.ContainsFunc(m.Invoices, func(i Invoice) bool { return len(i.Lines) > 0 })
	if part || lined || kind != ch.Type {
		return ""
	}
	invoices, ends := c.causes(ch.Member, ch.Day)
	switch {
	case len(invoices)+len(ends) != 1:
		return ""
	case len(ends) == 1 && ch.Type == "contraction":
		return "removal"
	case len(ends) == 1 && ends[0].Invoice != "":
		return "voluntary"
	case len(ends) == 1 && ends[0].Failed:
		return "involuntary"
	case len(ends) == 1:
		return "expired"
	}
	i := invoices[0]
	prorated := i.Proration != ""
	switch {
	case i.Type == "refund":
		return "refund"
	case len(i.Lines) > 0 || prorated && ch.Type == "churn":
		return ""
	case prorated:
		return "proration"
	case ch.Type == "churn":
		return "free"
	}
	return compared(ch)
}

// compared is the subtype of a change that a full invoice made.
func compared(ch Change) string {
	plans := func(items []Item) map[string]int {
		count := map[string]int{}
		for _, i := range items {
			count[i.Plan]++
		}
		return count
	}
	before, after := ch.Member.seats(View{}, ch.Day-1), ch.Member.seats(View{}, ch.Day)
	switch {
	case len(ch.After) != len(ch.Before) && ch.Type == "expansion":
		return "add_on"
	case len(ch.After) != len(ch.Before):
		return "removal"
	case !maps.Equal(plans(ch.Before), plans(ch.After)):
		return "plan_change"
	case before.mended || after.mended:
		return ""
	case before.quantity != after.quantity:
		return "quantity_change"
	case before.discount != after.discount:
		return "discount_change"
	default:
		return "price_change"
	}
}
