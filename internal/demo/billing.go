package demo

import (
	"fmt"
	"strings"
)

// monthly is what the subscription pays per month: minor units, without tax.
func (s *subscription) monthly(seats int64) (net, list int64) {
	price := products[s.product].prices[s.home.currency][s.term]
	return price * s.percent / 100 * seats, price * seats
}

// bill issues the invoice of a period and reports whether it gets paid.
func (s *subscription) bill(start, end day) (paid bool) {
	months := int64(terms[s.term].months)
	net, list := s.monthly(s.seats)
	row := Invoice{
		Type: "subscription", PeriodStart: start.String(), PeriodEnd: end.String(), Quantity: s.seats,
		Discount: (list - net) * months, DiscountOnce: s.oneTime > 0 && s.percent < 100,
	}
	s.charge(&row, net*months)
	paid = s.collect(&row, start)
	id := s.issue(row, start)
	if paid {
		s.lastPaid = id
	}
	return paid
}

// charge adds tax and the payment provider's fee to a net amount.
func (s *subscription) charge(row *Invoice, net int64) {
	row.Tax = (net*s.home.taxRate + 50) / 100
	row.Amount = net + row.Tax
	row.Fee = row.Amount * 29 / 1000
	row.PaymentMethod = s.method
}

// collect plays the payment: most go through, some are collected days later,
// and a few never are, which ends the subscription.
func (s *subscription) collect(row *Invoice, at day) (paid bool) {
	switch {
	case s.leaves(terms[s.term].months, 210) && s.lastPaid != "":
		row.Status, row.FirstFailed, row.Attempts, row.Fee = "failed", at.String(), 4, 0
		return false
	case s.chance(22):
		row.FirstFailed, row.Attempts = at.String(), s.between(2, 3)
		collected := at + day(s.between(2, 5))
		if collected > s.today {
			row.Status, row.Attempts, row.Fee = "failed", 1, 0
			return true // will be
		}
		row.PaymentDate = collected.String()
	}
	return true
}

// addSeats charges new seats for the rest of a period. The net amount is the
// one that the pro rata rule scales back to exactly the monthly price.
func (s *subscription) addSeats(from, end day) {
	if from > s.today {
		return
	}
	months := terms[s.term].months
	added := max(1, s.seats*int64(s.between(5, 25))/100)
	monthly, _ := s.monthly(added)
	cycle := int64(from.addMonths(months) - from)
	net := (monthly*int64(end-from)*int64(months) + cycle/2) / cycle
	s.seats += added
	row := Invoice{
		Type: "subscription", Proration: true, PeriodStart: from.String(), PeriodEnd: end.String(), Quantity: s.seats,
		Description: fmt.Sprintf("%d more seats", added),
	}
	s.charge(&row, net)
	s.issue(row, from)
}

// refund gives back a part of the latest invoice.
func (s *subscription) refund(at day, percent int) {
	if at > s.today || s.lastPaid == "" {
		return
	}
	net, _ := s.monthly(s.seats)
	s.issue(Invoice{
		Type: "refund", Amount: -net * int64(percent) / 100, RefundOf: s.lastPaid,
		PaymentMethod: s.method, Description: "Goodwill after an outage",
	}, at)
}

// onboard charges a one-time fee.
func (s *subscription) onboard(at day) {
	fee := products[s.product].prices[s.home.currency][0] * 10
	row := Invoice{Type: "one-time", Description: "Onboarding"}
	s.charge(&row, fee)
	s.issue(row, at)
}

// addProduct plays a second subscription beside this one. It has dice of its
// own: how far it gets until today must not change what this one does later.
func (s *subscription) addProduct(from day) {
	mate := *s.client
	mate.dice = roll(-s.number)
	mate.product = (s.product + 1) % len(products)
	mate.term = 0
	extra := mate.begin()
	extra.seats = max(1, s.seats/2)
	s.subs = mate.subs
	for start := from; start <= s.today; start = start.addMonths(1) {
		paid := extra.bill(start, start.addMonths(1))
		if !paid || extra.leaves(1, 1000) {
			return
		}
	}
}

// issue completes an invoice, adds it to the company's and returns its id.
func (s *subscription) issue(row Invoice, at day) (id string) {
	if row.ID == "" {
		s.issued++
		row.ID = fmt.Sprintf("inv_%s_%02d", strings.TrimPrefix(s.id, "sub_"), s.issued)
	}
	row.CustomerID, row.Subscription, row.Currency, row.Date = s.client.id, s.id, s.home.currency, at.String()
	if row.Type == "subscription" {
		row.PlanID = planID(s.product, s.term, s.home.currency)
	}
	s.company.Invoices = append(s.company.Invoices, row)
	return row.ID
}
