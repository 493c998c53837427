package analytics

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// CustomerRow is a validated customer as pushed (seed 001). Doc is the row's
// JSON as sent.
type CustomerRow struct {
	ID, Name, Email string
	Country, State  string // lower case
	Created         calendar.Stamp
	TrialStarted    calendar.Stamp
	Custom          map[string]string
	Doc             []byte
}

// PlanRow is a validated plan as pushed.
type PlanRow struct {
	ID, Name, Product string
	Interval          calendar.Interval
	Currency          money.Currency
	Pricing           ledger.Pricing
	Group             string // plan_group: creates or joins a manual group of that name
	Price             int64  // list price per cycle in minor units of Currency
	Priced            bool   // whether the row states a price
	Doc               []byte
}

// InvoiceRow is a validated invoice as pushed. Currency is money.None when the
// row does not state one; it then defaults at replay.
type InvoiceRow struct {
	ID, CustomerID string
	PlanID         string
	SubscriptionID string
	Method         string // payment_method, lower case
	CancelReason   string
	Event          ledger.Event // all fields that are not references
	Lines          []LineRow    // becomes Event.Extra.Lines once plans are resolved
	Doc            []byte
}

// LineRow is one line of an invoice with its plan as a reference.
type LineRow struct {
	ledger.Line
	PlanID string
}

// RowDecoder reads stored documents back. Decoding a document that was once
// accepted must succeed in every later version.
type RowDecoder interface {
	Customer(doc []byte) (CustomerRow, error)
	Plan(doc []byte) (PlanRow, error)

	// Invoices decodes documents into the first rows, without their Doc. It returns
	// how many it decoded and, when that is not all of them, what is wrong with the
	// next.
	Invoices(docs []string, rows []InvoiceRow) (decoded int, err error)
}

// FieldError is one thing that is wrong with one pushed row.
type FieldError struct {
	Index   int    // position of the row in the request
	ID      string // the row's id, "" when it has none
	Field   string // the contract's field name
	Message string // what would be right
}
