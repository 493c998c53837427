package demo

import "fmt"

const (
	trialDays = 14
	// stays is the end of a subscription that still runs today.
	stays day = 1 << 30
)

// subscription is one that is running.
type subscription struct {
	*client
	id       string
	seats    int64
	percent  int64  // of the list price that is paid
	oneTime  int    // invoices left with a discount that is for the start alone
	issued   int    // invoices so far
	lastPaid string // id of the latest paid invoice
}

// begin opens the customer's next subscription.
func (p *client) begin() *subscription {
	p.subs++
	s := &subscription{client: p, id: fmt.Sprintf("sub_%04d_%d", p.number, p.subs), percent: 100}
	s.seats = int64(p.between(p.size.seats[0], p.size.seats[1]))
	switch {
	case p.chance(110): // an offer for the first months
		s.percent, s.oneTime = 80, max(1, 3/terms[p.term].months)
	case p.chance(70): // negotiated for good
		s.percent = 85
	}
	return s
}

// try issues the trial's zero invoice and reports whether it led to a purchase.
func (p *client) try(from day) bool {
	s := &subscription{client: p, id: fmt.Sprintf("sub_%04d_1", p.number), seats: int64(p.size.seats[0])}
	s.issue(Invoice{
		ID: fmt.Sprintf("inv_%04d_trial", p.number), Type: "subscription",
		PeriodStart: from.String(), PeriodEnd: (from + trialDays).String(),
	}, from)
	return p.chance(620)
}

// subscribe plays one subscription from a day on and returns the day on which
// it ended, or stays.
func (p *client) subscribe(from day) (ended day) {
	if from > p.today {
		return stays
	}
	s := p.begin()
	if p.product == len(products)-1 && p.chance(400) {
		s.onboard(from)
	}
	for start := from; start <= p.today; {
		end := start.addMonths(terms[p.term].months)
		paid := s.bill(start, end)
		if !paid {
			return start
		}
		if s.cancels(start, end) {
			return end
		}
		s.within(start, end)
		start = end
		if !s.renew() {
			return end // neither renewed nor canceled
		}
	}
	return stays
}

// renew decides on what changes with the next period, and whether there is one.
func (s *subscription) renew() bool {
	s.oneTime = max(0, s.oneTime-1)
	if s.oneTime == 0 && s.percent == 80 {
		s.percent = 100
	}
	months := terms[s.term].months
	if s.leaves(months, 150) {
		return false
	}
	switch {
	case s.chance(min(400, 55*months)):
		s.seats += max(1, s.seats*int64(s.between(4, 18))/100)
	case s.chance(min(250, 24*months)) && s.seats > 1:
		s.seats -= max(1, s.seats*int64(s.between(5, 25))/100)
	}
	switch {
	case s.product < len(products)-1 && s.chance(min(120, 9*months)):
		s.product++
	case s.product > 0 && s.chance(min(60, 4*months)):
		s.product--
	case s.term == 0 && s.chance(9):
		s.term = len(terms) - 1
	}
	return true
}

// leaves decides whether the customer goes in this period, by a cause that has
// so many of a thousand departures.
func (s *subscription) leaves(months, permilleOfCauses int) bool {
	// A year is not twelve months of doubt: those who commit for long stay.
	exposure := min(months, 6)
	return s.IntN(1_000_000) < s.size.leavePermille*exposure*permilleOfCauses
}

// cancels plays a cancellation asked for within a period; the subscription
// then ends with the period.
func (s *subscription) cancels(start, end day) bool {
	if !s.leaves(terms[s.term].months, 640) {
		return false
	}
	request := start + day(s.between(1, int(end-start)-1))
	reason := pick(s.dice, reasons[:])
	if request > s.today {
		return true // has not asked yet
	}
	s.issue(Invoice{Type: "cancellation", CancelReason: reason.code, CancelComment: reason.comment}, request)
	return true
}

// within plays what happens between two renewals.
func (s *subscription) within(start, end day) {
	months := terms[s.term].months
	length := int(end - start)
	if months > 1 && s.chance(180) {
		s.addSeats(start+day(s.between(length/10, length/2)), end)
	}
	if s.chance(7) {
		s.refund(start+day(s.between(2, min(25, length-1))), s.between(10, 60))
	}
	if months == 1 && s.subs == 1 && s.chance(6) {
		s.addProduct(start + day(s.between(1, 20)))
	}
}
