package ledger

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// State is the value of one slot from a day on. A slot that is not running has
// the zero State apart from its last plan and currency.
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
type Ledger struct {
	Today     calendar.Day
	Slots     []Slot
	Changes   []Change   // by day, then slot
	Movements []Movement // of all slots; nil when NeedsRates
	// NeedsRates is set when slots of different currencies move on one day, so
	// that the movement types depend on exchange rates: use Move with rates.
	NeedsRates bool
	// Wake is the next day on which the ledger changes by itself, Never if none:
	// the end of a grace, a scheduled day, the end of a trial.
	Wake calendar.Day

	FirstPaid      calendar.Day // day of the first `new` movement up to Today, NoDay if none
	FirstInvoice   calendar.Day // earliest invoice day, NoDay if none
	TrialStart     calendar.Day // NoDay if there was no trial
	TrialEnd       calendar.Day // first day after the trial
	CancelRequest  calendar.Day // day of the request of the latest cancellation or derived churn
	CancelEnd      calendar.Day // its effective day
	Overdue        calendar.Day // first day without a paid period while past due, else NoDay
	NextBilling    calendar.Day // earliest paid-through day of the running streams, else NoDay
	CancelReason   Symbol       // as stated by the customer's last cancellation
	DerivedReason  Cause        // ByInvoluntary or ByExpiry when the last churn was derived
	Payments       int32        // paid invoices of a positive amount
	Paid           []Total      // payments less refunds, per currency
	Subscriptions  []Subscribed // one per stream that ever had value, for display
	MainCurrency   money.Currency
	everPaidUpTo   calendar.Day
	hasSchedule    bool
	mixedCurrency  bool
	unpaidRenewals int32
}

// Subscribed describes one stream of the customer as of Today.
type Subscribed struct {
	Subscription Symbol
	Plan         PlanRef
	Start        calendar.Day // first day of its current or last run
	PaidThrough  calendar.Day
	Active       bool
	PastDue      bool
	CancelAt     calendar.Day // effective day of a scheduled cancellation, else NoDay
}
