package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Status is where a customer stands at the end of today.
type Status uint8

// The statuses (metric definitions, section 6.8).
const (
	Lead Status = iota
	Trialing
	TrialEnded
	Active
	PastDue
	Canceled
)

var statusNames = [...]string{"lead", "trialing", "trial_ended", "active", "past_due", "canceled"}

// String returns the contract's name.
func (s Status) String() string { return statusNames[s] }

// Status derives the customer's status from its ledger.
func (c *Customer) Status() Status {
	l := c.Ledger
	if l == nil {
		return Lead
	}
	active := false
	for i := range l.Streams {
		if l.Streams[i].PastDue {
			return PastDue
		}
		active = active || l.Streams[i].Active
	}
	switch {
	case active:
		return Active
	case l.FirstPaid.Valid():
		return Canceled
	case !l.TrialStart.Valid() || l.TrialStart > l.Today:
		return Lead
	case l.TrialEnd.Valid() && l.TrialEnd <= l.Today:
		return TrialEnded
	default:
		return Trialing
	}
}

// The reasons that replay derives where no cancellation states one.
const (
	reasonPaymentFailed = "payment_failed"
	reasonExpired       = "expired"
)

// cancelReason returns why the customer left or is leaving: as stated, or
// derived when invoices just stopped or were not paid; "" when there is none.
func (s *Snapshot) cancelReason(c *Customer) string {
	l := c.Ledger
	if l == nil {
		return ""
	}
	switch l.DerivedReason {
	case ledger.ByInvoluntary:
		return reasonPaymentFailed
	case ledger.ByExpiry:
		return reasonExpired
	default:
		return s.symbol(l.CancelReason)
	}
}

func (s *Snapshot) symbol(y ledger.Symbol) string {
	if int(y) >= len(s.Symbols) {
		return ""
	}
	return s.Symbols[y]
}

func (s *Snapshot) source(index uint32) *Source {
	if int(index) >= len(s.Sources) {
		return &Source{}
	}
	return &s.Sources[index]
}

// plan returns the plan of a reference; the zero Plan for none.
func (s *Snapshot) plan(ref ledger.PlanRef) *ledger.Plan {
	if int(ref) >= len(s.Plans) {
		return &ledger.Plan{}
	}
	return &s.Plans[ref]
}

// frequency names the billing interval as the plan itself does: 12 months are a
// year and 3 a quarter, other counts keep their unit.
func frequency(iv calendar.Interval) calendar.Unit {
	switch iv {
	case calendar.Interval{Unit: calendar.UnitMonth, Count: 12}:
		return calendar.UnitYear
	case calendar.Interval{Unit: calendar.UnitMonth, Count: 3}:
		return calendar.UnitQuarter
	default:
		return iv.Unit
	}
}
