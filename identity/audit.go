package identity

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// EventKind says what happened.
type EventKind string

// The kinds of events that this package records; others record their own.
const (
	SignedInEvent     EventKind = "sign_in"
	SignInRefused     EventKind = "sign_in_refused"
	SignUpRefused     EventKind = "sign_up_refused"
	SignedOut         EventKind = "sign_out"
	PasswordChanged   EventKind = "password_changed"
	IdentityLinked    EventKind = "identity_linked"
	IdentityUnlinked  EventKind = "identity_unlinked"
	UserCreated       EventKind = "user_created"
	UserDisabled      EventKind = "user_disabled"
	UserEnabled       EventKind = "user_enabled"
	MemberAdded       EventKind = "member_added"
	MemberRemoved     EventKind = "member_removed"
	RoleChanged       EventKind = "role_changed"
	Invited           EventKind = "invited"
	InvitationDeleted EventKind = "invitation_deleted"
	KeyCreated        EventKind = "key_created"
	KeyChanged        EventKind = "key_changed"
	KeyDeleted        EventKind = "key_deleted"
	ConnectionRevoked EventKind = "connection_revoked"
	AccountCreated    EventKind = "account_created"
	AccountClosing    EventKind = "account_closing"
	AccountReopened   EventKind = "account_reopened"
	AccountDeleted    EventKind = "account_deleted"
	CustomerErased    EventKind = "customer_erased"
	BillingChanged    EventKind = "billing_changed"
)

const (
	auditTimeout = 5 * time.Second
	auditPage    = 1000
	auditLife    = 400 * 24 * time.Hour
	maxAuditText = 300
)

// Event is one line of the audit log. It holds ids and words, never a secret or
// the name of a customer.
type Event struct {
	At      time.Time // set by Record when zero
	Kind    EventKind
	Account string // id; "" when it concerns none
	User    string // id of who did it; "" when not known
	Key     string // id of the API key it was done with; "" for none
	Client  string // id or name of an OAuth client; "" for none
	Subject string // id of whom or what it was done to; "" for none
	Address string // network it came from, as Network returns it
	Reason  string // of a refusal or revocation
	Detail  string
}

// AuditQuery chooses events; zero fields choose all.
type AuditQuery struct {
	Since, Until  time.Time
	User, Account string // ids
	Kind          EventKind
	Limit         int // at most 1,000, which 0 means too
}

// AuditStore keeps the audit log.
type AuditStore interface {
	// AddEvents appends events.
	AddEvents(ctx context.Context, events []Event) error

	// ListEvents returns the events of a query, newest first; User matches who
	// did it and whom it was done to.
	ListEvents(ctx context.Context, q AuditQuery) ([]Event, error)

	// DeleteEvents forgets events before a time.
	DeleteEvents(ctx context.Context, before time.Time) error
}

// Actor is who acts in a context, for the audit log.
type Actor struct {
	User, Key string // ids; "" when not known
	Address   string // IP address
}

type actorKey struct{}

// WithActor returns a context in which events are recorded as those of an actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who acts in a context; the zero Actor when not known.
func ActorOf(ctx context.Context) Actor {
	actor, _ := ctx.Value(actorKey{}).(Actor)
	return actor
}

// Record adds an event to the audit log. What it leaves out of time, user, key
// and address is filled in from the clock and the context's actor.
func (s *Service) Record(ctx context.Context, e Event) error {
	if err := s.store.AddEvents(ctx, []Event{s.complete(ctx, e)}); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// complete fills in what an event leaves out and cuts what is too long.
func (s *Service) complete(ctx context.Context, e Event) Event {
	if e.At.IsZero() {
		e.At = s.timestamp()
	}
	actor := ActorOf(ctx)
	fill(&e.User, actor.User)
	fill(&e.Key, actor.Key)
	fill(&e.Address, Network(actor.Address))
	for _, text := range []*string{&e.Client, &e.Reason, &e.Detail, &e.Subject} {
		*text = clipTo(*text, maxAuditText)
	}
	return e
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// audit records something that was done, also for a caller who is gone by now.
// What was done stays done when the log cannot be written.
func (s *Service) audit(ctx context.Context, e Event) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := s.Record(ctx, e); err != nil {
		s.logLost(ctx, e, err)
	}
}

// logLost is the last resort for an event that could not be written.
func (s *Service) logLost(ctx context.Context, e Event, err error) {
	s.log.ErrorContext(ctx, "event is missing in the audit log", slog.String("kind", string(e.Kind)), slog.String("account", e.Account),
		slog.String("user", e.User), slog.String("subject", e.Subject), slog.String("reason", e.Reason), slog.Any("error", err))
}

// Events returns events of the audit log, newest first.
func (s *Service) Events(ctx context.Context, q AuditQuery) ([]Event, error) {
	if q.Limit <= 0 || q.Limit > auditPage {
		q.Limit = auditPage
	}
	events, err := s.store.ListEvents(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return events, nil
}
