// Package notify tells others what happens in an account: webhooks, and posts to
// Slack and Teams. Events are kept as jobs in the transaction that brings them
// about, so that none is lost, and delivered from there at least once.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Channel is how a hook is called.
type Channel string

// The channels. A Webhook is a subscription to one type of event; the others
// belong to the integration of that name.
const (
	Webhook  Channel = "webhook"
	Forward  Channel = "forward" // the account's one webhook for movements
	Slack    Channel = "slack"
	Teams    Channel = "teams"
	jobKind          = "delivery"
	lanePart         = "delivery/"
)

// Secret is a credential that no log line, error or dump shows.
type Secret string

const redacted = "[redacted]"

// Reveal returns the credential itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// Format implements fmt.Formatter.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Hook is one receiver of one type of event.
type Hook struct {
	ID        string // wh_...
	Account   string
	Channel   Channel
	Event     string // type of event
	URL       Secret
	Keys      []Secret // that deliveries are signed with, the newest first; none for Slack and Teams
	Rotated   time.Time
	Threshold int64 // movements worth less, in minor units of the base currency, are left out
	Created   time.Time
	Paused    string // why nothing is delivered any more, "" if it is
	// Unreadable is set by the store when no secret of the server opens URL and
	// Keys, which are empty then.
	Unreadable bool
	// CreatedVia is the id of the connection's key that it was created with, and
	// that it goes with; "" for none.
	CreatedVia string
}

// Lane is the lane of the hook's deliveries among the jobs.
func (h Hook) Lane() string { return Lane(h.ID) }

// Lane is the lane of a hook's deliveries among the jobs.
func Lane(hook string) string { return lanePart + hook }

// JobKind is the kind of jobs that are deliveries; their payload is the document
// of an event, their id begins with the event's.
const JobKind = jobKind

// MaxPending is how many deliveries may wait for one hook. One more and the hook
// is paused.
const MaxPending = 100_000

// maxHooks bounds the hooks of one account.
const maxHooks = 100

// Errors of the store and of the service.
var (
	ErrNotFound = errors.New("there is no such webhook")
	ErrRevoked  = errors.New("the connection was revoked")
	ErrTooMany  = errors.New("the account has 100 webhooks; delete one first")
	// ErrUnreadable is about a hook whose URL and keys no secret of the server opens.
	ErrUnreadable = errors.New("the secret of this server does not open the webhook's URL and signing key: delete it and create it again")
)

// DuplicateError says that an account has a hook with this URL and event.
type DuplicateError struct{ ID string }

// Error implements error.
func (e *DuplicateError) Error() string {
	return "a webhook with this url and event_type exists: " + e.ID
}

// Settings are what a store keeps of an integration.
type Settings struct {
	Text       []byte // JSON, nil if there are none
	Secret     Secret // JSON of what only this server may read, "" if there is none
	Unreadable bool   // set by the store when no secret of the server opens Secret, which is empty then
}

// StoredIntegration is the settings of one integration of one account, without
// what is sealed.
type StoredIntegration struct {
	Account, Name string
	Settings      []byte
}

// Store keeps hooks and the settings of integrations. Whatever is a Secret it
// keeps sealed, for one hook or integration of one account. Implementations are safe
// for concurrent use; a method that returns nil has made its change durable, one
// that returns an error has changed nothing, and each touches one account alone.
type Store interface {
	// CreateHooks adds hooks of channel Webhook. *DuplicateError, ErrTooMany,
	// ErrRevoked when the key that CreatedVia names is gone.
	// Today is the account's: movements that days before it have brought are not
	// told to the first hook.
	CreateHooks(ctx context.Context, account string, hooks []Hook, limit int, today string) error

	// Hooks returns the account's hooks of a channel, the oldest first.
	Hooks(ctx context.Context, account string, channel Channel) ([]Hook, error)

	// Hook returns a hook of any channel, or ErrNotFound.
	Hook(ctx context.Context, account, id string) (Hook, error)

	// DeleteHook removes a hook of channel Webhook and its deliveries, or returns
	// ErrNotFound.
	DeleteHook(ctx context.Context, account, id string) error

	// DropCustomer removes every delivery, waiting or over, of an event about a
	// customer; source "" means a customer of this id in any data source.
	DropCustomer(ctx context.Context, account, source, customer string) error

	// SetKeys replaces the keys of a hook, or returns ErrNotFound.
	SetKeys(ctx context.Context, account, id string, keys []Secret, rotated time.Time) error

	// Pause stops a hook from getting new events for a reason, "" starts it
	// again. ErrNotFound.
	Pause(ctx context.Context, account, id, reason string) error

	// Pending counts the deliveries that wait for a hook.
	Pending(ctx context.Context, account, id string) (int, error)

	// Integration returns the stored settings of an integration.
	Integration(ctx context.Context, account, name string) (Settings, error)

	// SetIntegration stores the settings of an integration and replaces the hooks
	// of its channel. Hooks that are there keep their deliveries.
	SetIntegration(ctx context.Context, account, name string, settings Settings, channel Channel, hooks []Hook, today string) error

	// Integrations returns stored settings of all accounts whose names begin with
	// a prefix, by account and name, after one of them; "" for the first page.
	Integrations(ctx context.Context, prefix, afterAccount, afterName string, limit int) ([]StoredIntegration, error)

	// Watching returns the accounts that have hooks, in order, after one of them;
	// "" for the first page.
	Watching(ctx context.Context, after string, limit int) ([]string, error)
}
