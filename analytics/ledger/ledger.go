package ledger

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// State is the value of one slot from a day on. A slot that has ended keeps its
// last attributes with MRR, Discount and Quantity 0.
type State struct {
	MRR      int64 // minor units of Currency, never negative
	Discount int64 // discount on the invoice that set it, minor units as billed
	Quantity int32
	Plan     PlanRef
	Method   Symbol
	Interval calendar.Interval
	Currency money.Currency
	Pricing  Pricing
}

// Cause is why a slot changed, as far as the event itself says so.
type Cause uint8

// The causes. ByInvoice leaves the subtype to a comparison of the states.
const (
	ByInvoice Cause = iota
	ByRefund
	ByProration
	ByFree
	ByInvoluntary
	ByExpiry
	ByCancellation
)

// Slot is one priced item of a stream: a stream is one subscription of the
// customer, and it has one slot unless its invoices price several plans at once.
type Slot struct {
	Subscription Symbol // 0 for the default stream
	Stream       int32  // index of the stream within the customer
}

// Change is a slot's new state at the end of a day. The day's earlier states
// leave no trace. Days after the ledger's Today are scheduled.
type Change struct {
	Day   calendar.Day
	Slot  int32
	Prev  int32 // index of the slot's previous change, -1 for its first
	Cause Cause
	After State
}

// Type is the type of an MRR movement.
type Type uint8

// The movement types. None is a change that leaves the total as it was.
const (
	None Type = iota
	New
	Expansion
	Contraction
	Churn
	Reactivation
)

// Types lists the five movement types in the order in which reports show them.
var Types = [...]Type{New, Expansion, Contraction, Churn, Reactivation}

var typeNames = [...]string{"none", "new", "expansion", "contraction", "churn", "reactivation"}

// String returns the contract's name of the type.
func (t Type) String() string { return typeNames[t] }

// Subtype refines a movement type.
type Subtype uint8

// The subtypes (metric definitions, section 2).
const (
	SubNew Subtype = iota
	SubReactivation
	SubPlanChange
	SubQuantityChange
	SubDiscountChange
	SubPriceChange
	SubIntervalChange
	SubAddOn
	SubRemoval
	SubRefund
	SubProration
	SubVoluntary
	SubInvoluntary
	SubExpired
	SubFree
)

var subtypeNames = [...]string{
	"new", "reactivation", "plan_change", "quantity_change", "discount_change", "price_change", "interval_change",
	"add_on", "removal", "refund", "proration", "voluntary", "involuntary", "expired", "free",
}

// String returns the contract's name of the subtype.
func (s Subtype) String() string { return subtypeNames[s] }

// Movement is the net change of a customer's MRR on one day, within a view
// (all slots, or those that a filter selects).
type Movement struct {
	Day       calendar.Day
	Type      Type
	Subtype   Subtype
	Currency  money.Currency // the slots' own if it is one, else the account's base
	First     int32          // the day's changes are Changes[First:Last]
	Last      int32
	Customers int8  // +1, 0 or -1
	Quantity  int32 // change of the summed quantity
	Before    int64 // total before, minor units of Currency
	After     int64 // total after, minor units of Currency
}

// Total is an amount in one currency.
type Total struct {
	Currency money.Currency
	Amount   int64
}

// Ledger is the result of replaying one customer up to a day. It is immutable.
// What reports ask of every customer comes first, so that it lies close together.
type Ledger struct {
	Today   calendar.Day
	MovesIn money.Currency // of all movements if it is one, else None
	// NeedsRates is set when slots of different currencies move on one day, so
	// that the movement types depend on exchange rates: use Move with rates.
	NeedsRates bool
	Changes    []Change // by day, then slot
	Slots      []Slot

	Invoices []Invoice // every row, future and void ones included, in the order of replay
	Failures []Failure // of Invoices up to Today
	Refunds  []int32   // the rows of Invoices that give money back
	Endings  []Ending  // scheduled and voided ones included, in the order in which they became known
	Taxed    []Taxed   // of Invoices
	Extras   []*Extra  // of Invoices

	// Wake is the next day on which the ledger changes by itself, Never if none:
	// the end of a grace, a scheduled day, the end of a trial.
	Wake calendar.Day

	// What follows is as of Today. A day that does not apply is NoDay.

	FirstPaid     calendar.Day // first day at whose end MRR was positive
	FirstInvoice  calendar.Day // day of the earliest invoice
	TrialStart    calendar.Day
	TrialEnd      calendar.Day   // first day after the trial
	CancelRequest calendar.Day   // request of the scheduled cancellation, or of the one that ended the customer
	CancelEnd     calendar.Day   // its effective day
	Overdue       calendar.Day   // first day that is not paid for, while past due
	NextBilling   calendar.Day   // earliest paid-through day of the running streams
	CancelReason  Symbol         // as stated by the cancellation behind CancelEnd
	DerivedReason Cause          // ByInvoluntary or ByExpiry when the last end was derived, else ByInvoice
	Payments      int32          // paid invoices of a positive amount
	Paid          []Total        // payments less refunds, per currency
	Streams       []Stream       // for display, in order of first appearance
	Currency      money.Currency // of the running slots if it is one; None when mixed
}

// Stream describes one subscription stream of the customer as of Today.
type Stream struct {
	Subscription Symbol // 0 for the default stream
	Plan         PlanRef
	Start        calendar.Day // first day of its current or last run
	PaidThrough  calendar.Day
	End          calendar.Day // day it ended or is scheduled to end, else NoDay
	Active       bool         // running with a positive MRR
	PastDue      bool
	Requested    calendar.Day // day on which the cancellation behind End was asked for, else NoDay

	cause Cause // of an end up to Today
}

// Latest returns the state of every slot at the end of a day, nil for a slot
// that had no value until then.
func (l *Ledger) Latest(day calendar.Day) []*State { return l.AppendLatest(nil, day) }

// AppendLatest appends what Latest returns.
func (l *Ledger) AppendLatest(states []*State, day calendar.Day) []*State {
	first := len(states)
	for range l.Slots {
		states = append(states, nil)
	}
	missing := len(l.Slots)
	for i := len(l.Changes) - 1; i >= 0 && missing > 0; i-- {
		c := &l.Changes[i]
		if at := first + int(c.Slot); c.Day <= day && states[at] == nil {
			states[at] = &c.After
			missing--
		}
	}
	return states
}
