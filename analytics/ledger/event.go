// Package ledger replays one customer's invoices into a ledger: the value of
// every subscription stream day by day, and the MRR movements that follow from
// it. Replay is pure: the ledger is a function of (events, settings, day) and
// nothing else, so arrival order, batching and restarts cannot change a number.
//
// docs/metrics/ledger.md states the rules in words. All amounts are int64 minor
// units of the currency beside them.
package ledger

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Kind is the type of an invoice.
type Kind uint8

// The four invoice types of seed 001.
const (
	Subscription Kind = iota + 1
	OneTime
	Refund
	Cancellation
)

// Status is an invoice's payment status.
type Status uint8

// The payment statuses; Paid is the default.
const (
	Paid Status = iota
	Open
	Failed
	Void
	Uncollectible
)

// Pricing is an invoice's pricing model.
type Pricing uint8

// The pricing models; Licensed is the default.
const (
	Licensed Pricing = iota
	Metered
)

// Proration says how a row changes its stream.
type Proration uint8

// A full row sets a stream's MRR. A prorated row adds to it (Differential, the
// default of every prorated row) or sets it after scaling up (FullProration).
const (
	NotProrated Proration = iota
	Differential
	FullProration
)

// Symbol is a string interned in the account's symbol table; 0 is "".
type Symbol uint32

// PlanRef is a plan's index in the account's plan list; 0 is "no plan".
type PlanRef uint32

// Event is one invoice as replay needs it. Amounts are minor units of
// Currency. Strings are interned by the account.
type Event struct {
	ID           string         // external id, unique within the data source
	Date         calendar.Stamp // invoice_date
	Start, End   calendar.Stamp // billing period, zero when not stated
	Amount       int64          // what was invoiced, net of discount, tax included
	Extra        *Extra         // rarely used fields; nil when all are zero
	Quantity     int32          // seats; 0 when not stated, which counts as 1
	Plan         PlanRef
	Subscription Symbol // subscription_id; 0 when not stated
	Method       Symbol // payment_method
	Currency     money.Currency
	Kind         Kind
	Status       Status
	Pricing      Pricing
	Proration    Proration
	Ref          uint32 // what the account calls the row; replay only hands it on
}

// Extra holds the fields of an invoice that most invoices do not have.
type Extra struct {
	Tax, Discount int64
	Fee, FXLoss   int64
	DiscountOnce  bool
	RefundOf      string // id of the refunded invoice
	CancelReason  Symbol
	CancelComment string
	PaymentDate   calendar.Stamp
	DueDate       calendar.Stamp
	FirstFailed   calendar.Stamp
	Attempts      int32
	Number        string // printed on the invoice
	Description   string // what it is for
	Lines         []Line
}

// Taxed is an Extra that has nothing but the two fields that whole accounts have
// on every invoice.
type Taxed struct {
	Tax, Discount int64
}

// Taxed returns x as a Taxed if that says all of it.
func (x *Extra) Taxed() (t Taxed, all bool) {
	more := x.Fee|x.FXLoss != 0 || x.DiscountOnce || x.RefundOf != "" || x.CancelReason != 0 || x.CancelComment != "" ||
		x.PaymentDate|x.DueDate|x.FirstFailed != 0 || x.Attempts != 0 || x.Number != "" || x.Description != "" || len(x.Lines) > 0
	return Taxed{Tax: x.Tax, Discount: x.Discount}, !more
}

// Line is one item of an invoice that states its items. It is normalised on
// its own, with its own plan and period; a period that is not stated is the
// invoice's.
type Line struct {
	Description   string
	Amount        int64
	Tax, Discount int64
	DiscountOnce  bool
	Start, End    calendar.Stamp
	Quantity      int32
	Plan          PlanRef
	OneTime       bool // cash only
	Proration     Proration
}

// Plan is what replay needs of a plan.
type Plan struct {
	Source   uint32 // data source index
	ID       string // external id
	Name     string
	Product  string
	Groups   []string // names of the plan groups it belongs to
	Interval calendar.Interval
	Currency money.Currency
	Pricing  Pricing
	Missing  bool  // the plan was deleted
	Price    int64 // list price per cycle, minor units of Currency
	Priced   bool  // whether the price is known; replay needs neither
}

// Recognition says when a cancellation ends its stream.
type Recognition uint8

// EndOfPeriod ends a stream at its paid-through day, Immediate on the day of
// the request.
const (
	EndOfPeriod Recognition = iota
	Immediate
)

// NoAutoChurn switches AutoChurnDays off.
const NoAutoChurn = -1

// Settings are the account settings that the ledger depends on.
type Settings struct {
	Zone                     *time.Location
	Base                     money.Currency
	Recognition              Recognition
	GraceDays                int  // 0 to 90
	NonRenewalChurn          bool // churn when no invoice follows
	AutoChurnDays            int  // days an unpaid invoice may stay open, or NoAutoChurn
	RefundsReduceMRR         bool
	SubtractOneTimeDiscounts bool
	TrialDays                int // length of a trial whose end is not stated
}

// DefaultSettings are those of a new account.
func DefaultSettings() Settings {
	usd, _ := money.Parse("usd")
	return Settings{
		Zone: time.UTC, Base: usd, GraceDays: 7, NonRenewalChurn: true, AutoChurnDays: NoAutoChurn,
		RefundsReduceMRR: true, SubtractOneTimeDiscounts: true, TrialDays: 14,
	}
}
