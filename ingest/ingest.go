// Package ingest turns the bodies that clients push into validated rows, and
// stored documents back into the rows they were. It checks what a row can show
// on its own; references to other rows are the engine's business.
package ingest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// Limits of one request and of one row.
const (
	MaxRows      = 10_000
	MaxBodyBytes = 20 << 20
	MaxRowBytes  = 64 << 10
	MaxIDBytes   = 255
	// MaxAmount bounds every amount, in minor units: sums over any account stay
	// far from the ends of int64.
	MaxAmount = 1_000_000_000_000_000

	maxDepth       = 32
	maxRowErrors   = 10
	maxQuantity    = 1_000_000_000
	maxAttempts    = 1_000_000
	maxIntervals   = 1_000
	maxTextBytes   = 4 << 10
	maxCustomPairs = 200
)

// Batch is a decoded request. Rows, Index and Sources run in parallel and hold
// the good rows; the others are named in Errors. Everything in a Batch refers
// to the body it was decoded from, which must not change while it is in use.
type Batch[T any] struct {
	Rows    []T
	Index   []int                  // position of the row in the request
	Sources []string               // the row's data_source, "" when it has none
	Docs    [][]byte               // every row of the request as sent, good or bad
	Errors  []analytics.FieldError // in order of position
	Single  bool                   // the body was one object, not a batch
}

// BodyError says why a body as a whole cannot be read. Nothing of it was used.
type BodyError struct {
	Message string
}

// Error returns the message.
func (e *BodyError) Error() string { return e.Message }

// TooLargeError says which limit of a request a body exceeds.
type TooLargeError struct {
	Message string
}

// Error returns the message.
func (e *TooLargeError) Error() string { return e.Message }

func badBody(format string, args ...any) error {
	return &BodyError{Message: fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) error {
	return &TooLargeError{Message: fmt.Sprintf(format, args...)}
}

// DecodeCustomers reads one customer, an array of them, {"customers":[...]} or
// {"data":[...]}. Errors are *BodyError and *TooLargeError; what is wrong with
// single rows is in Batch.Errors.
func DecodeCustomers(body []byte) (*Batch[analytics.CustomerRow], error) {
	return decodeBody(body, "customers", (*decoder).customer)
}

// DecodePlans is DecodeCustomers for plans.
func DecodePlans(body []byte) (*Batch[analytics.PlanRow], error) {
	return decodeBody(body, "plans", (*decoder).plan)
}

// DecodeInvoices is DecodeCustomers for invoices.
func DecodeInvoices(body []byte) (*Batch[analytics.InvoiceRow], error) {
	return decodeBody(body, "invoices", (*decoder).invoice)
}

// Documents decodes rows that were stored: it is the engine's RowDecoder. A
// rule that is added later for pushed rows must not reach the rows that were
// accepted before it.
type Documents struct{}

var _ analytics.RowDecoder = Documents{}

// Customer decodes a stored customer.
func (Documents) Customer(doc []byte) (analytics.CustomerRow, error) {
	return decodeDocument(doc, (*decoder).customer)
}

// Plan decodes a stored plan.
func (Documents) Plan(doc []byte) (analytics.PlanRow, error) {
	return decodeDocument(doc, (*decoder).plan)
}

// Invoice decodes a stored invoice.
func (Documents) Invoice(doc []byte) (analytics.InvoiceRow, error) {
	return decodeDocument(doc, (*decoder).invoice)
}

// Invoices decodes stored invoices with one decoder.
func (Documents) Invoices(docs []string, rows []analytics.InvoiceRow) (int, error) {
	d := &decoder{}
	for i, doc := range docs {
		rows[i] = analytics.InvoiceRow{}
		d.reset(append(d.body[:0], doc...), doc)
		if err := decodeWhole(d, &rows[i], (*decoder).invoice); err != nil {
			return i, err
		}
		rows[i].Doc = nil // the next one takes its place
	}
	return len(docs), nil
}
