package analytics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// The types of events that can be subscribed to. ScheduledCancellation is for
// notifications alone.
const (
	MovementNew           = "movement.new"
	MovementExpansion     = "movement.expansion"
	MovementContraction   = "movement.contraction"
	MovementChurn         = "movement.churn"
	MovementReactivation  = "movement.reactivation"
	FailedPayment         = "failed_payment"
	InvoicePaid           = "invoice.paid"
	CustomerCreated       = "customer.created"
	CustomerUpdated       = "customer.updated"
	PlanCreated           = "plan.created"
	ImportCompleted       = "data_source.import_completed"
	ScheduledCancellation = "scheduled_cancellation"
)

// EventDays is how far back, in days, something may be dated and still be told:
// history that is pushed later is no news.
const EventDays = 3

// Event is something that happened in an account, as subscribers are told of
// it. Its id follows from what happened, so that a recomputation which arrives
// at the same result tells nothing twice.
type Event struct {
	ID   string
	Type string
	At   time.Time // when it was noticed, by the engine's clock
	Body []byte    // the JSON document that is delivered, see Envelope
}

// Envelope is the document of an event.
type Envelope struct {
	ID        string          `json:"id"`
	Event     string          `json:"event"`
	CreatedAt time.Time       `json:"created_at"`
	AccountID string          `json:"account_id"`
	Data      json.RawMessage `json:"data"` // MovementData, PaymentData, CustomerData, PlanData, CancellationData or ImportData
}

// CustomerData describes a customer in an event.
type CustomerData struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	Email      string `json:"email,omitempty"`
	Status     string `json:"status"`
	Country    string `json:"country,omitempty"`
	DataSource string `json:"data_source"`
}

// MovementData is the data of movement events. Amounts are minor units.
type MovementData struct {
	Type                  string       `json:"type"`
	Subtype               string       `json:"subtype"`
	Date                  string       `json:"date"` // YYYY-MM-DD
	Description           string       `json:"description"`
	Customer              CustomerData `json:"customer"`
	Currency              string       `json:"currency"`
	MRRChange             int64        `json:"mrr_change"`
	OldMRR                int64        `json:"old_mrr"`
	NewMRR                int64        `json:"new_mrr"`
	BaseCurrency          string       `json:"base_currency"`
	MRRChangeBaseCurrency *int64       `json:"mrr_change_base_currency"` // null while a rate is missing
	CustomerCountChange   int          `json:"customer_count_change"`
	QuantityChange        int64        `json:"quantity_change"`
	PlanID                string       `json:"plan_id,omitempty"`
	PlanName              string       `json:"plan_name,omitempty"`
}

// PaymentData is the data of invoice.paid and failed_payment.
type PaymentData struct {
	InvoiceID     string       `json:"invoice_id"`
	InvoiceNumber string       `json:"invoice_number,omitempty"`
	Date          string       `json:"date"` // of the payment or the first failure
	Customer      CustomerData `json:"customer"`
	Currency      string       `json:"currency"`
	Amount        int64        `json:"amount"` // minor units, tax included
	PaymentMethod string       `json:"payment_method,omitempty"`
	AttemptCount  int32        `json:"attempt_count,omitempty"`
}

// CancellationData is the data of scheduled_cancellation.
type CancellationData struct {
	Customer      CustomerData `json:"customer"`
	Requested     string       `json:"cancel_date"`
	EffectiveDate string       `json:"effective_date"`
	Currency      string       `json:"currency"`
	MRRChange     int64        `json:"mrr_change"` // of the churn to come
}

// PlanData is the data of plan.created.
type PlanData struct {
	ID               string `json:"id"`
	Name             string `json:"name,omitempty"`
	BillingFreq      string `json:"billing_freq"`
	BillingFreqCount int    `json:"billing_freq_count"`
	Currency         string `json:"currency,omitempty"`
	DataSource       string `json:"data_source"`
}

// ImportData is the data of data_source.import_completed.
type ImportData struct {
	DataSource string `json:"data_source"`
	Name       string `json:"name"`
	Fetched    int64  `json:"fetched"` // rows
	Stored     int64  `json:"stored"`
	Failed     int64  `json:"failed"`
}

// NewEvent makes an event. Identity is what tells it from all others of the
// account and type.
func NewEvent(account, kind string, at time.Time, data any, identity ...string) (Event, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return Event{}, err
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{account, kind}, identity...), "\x00")))
	e := Event{ID: "evt_" + hex.EncodeToString(sum[:16]), Type: kind, At: at.UTC().Truncate(time.Millisecond)}
	e.Body, err = json.Marshal(Envelope{ID: e.ID, Event: kind, CreatedAt: e.At, AccountID: account, Data: text})
	return e, err
}

// Watch is what the subscribers of an account want to be told of.
type Watch struct {
	Types []string // of events; none when there is nobody to tell
	// Through is the day whose movements, as far as they came by the passing of
	// days, have been told.
	Through calendar.Day
}

func (w Watch) wants(kind string) bool { return slices.Contains(w.Types, kind) }

func (w Watch) wantsMovements() bool {
	return slices.ContainsFunc(w.Types, func(kind string) bool { return strings.HasPrefix(kind, "movement.") })
}

// Outbox keeps events until they are delivered. Store.Commit takes the events of
// a changeset, in its transaction.
type Outbox interface {
	// Watch returns what the account's subscribers want; one indexed read.
	Watch(ctx context.Context, account string) (Watch, error)

	// Tell adds events that no changeset belongs to, and sets Watch.Through,
	// which never moves back. An event that was added before is not added again.
	Tell(ctx context.Context, account string, events []Event, through calendar.Day) error
}

type silentKey struct{}

// Silently returns a context whose writes tell nobody: imports of history are
// not news. What is scheduled by them is told when its day comes.
func Silently(ctx context.Context) context.Context { return context.WithValue(ctx, silentKey{}, true) }

func silent(ctx context.Context) bool {
	yes, ok := ctx.Value(silentKey{}).(bool)
	return ok && yes
}
