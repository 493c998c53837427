package notify

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// Config is what a Service needs.
type Config struct {
	Store  Store
	Queue  Queue
	Engine Engine
	Now    func() time.Time
	// Outgoing says which networks may be reached; the service adds limits and
	// hosts of its own.
	Outgoing httpx.OutgoingConfig
	Version  string // of the product, for the User-Agent
	// Suspended reports whether an account gets no reports for now; nil for never.
	// What else waits then is up to the runner.
	Suspended func(ctx context.Context, account string) (bool, error)

	// What follows is for mail. Without a Mailer none is sent.
	Mailer    Mailer
	People    Directory
	Sealer    Sealer // of the links in mails
	PublicURL string // origin at which those links are served
}

// Queue is what the service needs of the jobs. A jobs.Store is one.
type Queue interface {
	Enqueue(ctx context.Context, j jobs.Job, alone bool) error
	Job(ctx context.Context, account, id string) (jobs.Job, error)
	Jobs(ctx context.Context, account string, f jobs.Filter) ([]jobs.Job, error)
	Retry(ctx context.Context, account, id string, now time.Time) (jobs.Job, error)
}

// Engine is what the service needs of the analytics engine.
type Engine interface {
	TellDays(ctx context.Context, account string) error
	Today(ctx context.Context, account string) (string, error)
	Snapshot(ctx context.Context, account string) (*report.Snapshot, error)
}

// Service manages hooks and delivers to them. It is safe for concurrent use.
type Service struct {
	store     Store
	queue     Queue
	engine    Engine
	now       func() time.Time
	agent     string
	suspended func(ctx context.Context, account string) (bool, error)
	hooks     httpx.OutgoingConfig // whom webhooks may call
	calls     *http.Client
	slack     *http.Client
	teams     *http.Client
	outside   httpx.OutgoingConfig

	mailer    Mailer // may be nil
	people    Directory
	sealer    Sealer
	publicURL string
}

const (
	callTimeout = 15 * time.Second
	maxAnswer   = 64 << 10
	maxURLBytes = 2048

	// KeysOverlap is how long the key before a rotation signs as well.
	KeysOverlap = 24 * time.Hour
)

// New makes a service. A runner of the same jobs must run Handlers.
func New(cfg Config) *Service {
	out := cfg.Outgoing
	out.Timeout, out.MaxBytes, out.Redirects = callTimeout, maxAnswer, httpx.NoRedirects
	out.AllowHTTP = len(out.Networks) > 0 // of the operator's own networks; DialContext still checks each address
	s := &Service{
		store: cfg.Store, queue: cfg.Queue, engine: cfg.Engine, now: cfg.Now, agent: "GrowPanel-Webhooks/" + cfg.Version,
		hooks: purpose(out, "webhook"), outside: out,
		suspended: cfg.Suspended,
		mailer:    cfg.Mailer, people: cfg.People, sealer: cfg.Sealer, publicURL: cfg.PublicURL,
	}
	s.calls = httpx.NewOutgoing(s.hooks)
	s.slack = httpx.NewOutgoing(s.channel(Slack))
	s.teams = httpx.NewOutgoing(s.channel(Teams))
	return s
}

func purpose(c httpx.OutgoingConfig, word string) httpx.OutgoingConfig {
	c.Purpose = word
	return c
}

// channel returns whom posts of a channel may go to.
func (s *Service) channel(c Channel) httpx.OutgoingConfig {
	out := purpose(s.outside, string(c))
	switch c {
	case Slack:
		out.AllowHost = func(host string) bool { return host == "hooks.slack.com" || host == "hooks.slack-gov.com" }
	case Teams:
		out.AllowHost = func(host string) bool {
			return slices.ContainsFunc([]string{".webhook.office.com", ".logic.azure.com", ".powerplatform.com"}, func(suffix string) bool {
				return strings.HasSuffix(host, suffix)
			})
		}
	case Webhook, Forward:
	}
	return out
}

// FieldError says what is wrong with a field of a request.
type FieldError struct{ Field, Message string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// checkURL says what is wrong with a URL that is to be called.
func checkURL(c httpx.OutgoingConfig, field, raw string) error {
	if raw == "" {
		return &FieldError{field, "is required, e.g. https://example.com/hook"}
	}
	if len(raw) > maxURLBytes {
		return &FieldError{field, fmt.Sprintf("must have at most %d bytes", maxURLBytes)}
	}
	if _, err := c.CheckURL(raw); err != nil {
		return &FieldError{field, err.Error()}
	}
	return nil
}

// Create subscribes a URL to types of events, one hook for each, all signed with
// one key, which this is the only time to see.
func (s *Service) Create(ctx context.Context, account, target string, events []string, createdVia string) ([]Hook, error) {
	if err := checkURL(s.hooks, "url", target); err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, &FieldError{"event_type", "is required: one of " + strings.Join(Events(), ", ")}
	}
	key, now := NewKey(), s.now().UTC().Truncate(time.Millisecond)
	var hooks []Hook
	for i, event := range events {
		if !slices.Contains(Events(), event) {
			return nil, &FieldError{"event_type", fmt.Sprintf("%q is not an event; events are %s", clip(event), strings.Join(Events(), ", "))}
		}
		if slices.Contains(events[:i], event) {
			continue
		}
		hooks = append(hooks, Hook{ID: "wh_" + rand.Text(), Account: account, Channel: Webhook, Event: event, URL: Secret(target), Keys: []Secret{key}, Created: now, CreatedVia: createdVia})
	}
	today, err := s.engine.Today(ctx, account)
	if err != nil {
		return nil, err
	}
	if err := s.store.CreateHooks(ctx, account, hooks, maxHooks, today); err != nil {
		return nil, err
	}
	return hooks, nil
}

// clip shortens what a client sent before it is quoted back.
func clip(text string) string {
	const limit = 60
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// List returns the account's subscriptions, the oldest first.
func (s *Service) List(ctx context.Context, account string) ([]Hook, error) {
	return s.store.Hooks(ctx, account, Webhook)
}

// Get returns a subscription and how many deliveries wait for it.
func (s *Service) Get(ctx context.Context, account, id string) (h Hook, pending int, err error) {
	if h, err = s.subscription(ctx, account, id); err != nil {
		return Hook{}, 0, err
	}
	pending, err = s.store.Pending(ctx, account, id)
	return h, pending, err
}

func (s *Service) subscription(ctx context.Context, account, id string) (Hook, error) {
	h, err := s.store.Hook(ctx, account, id)
	if err == nil && h.Channel != Webhook {
		err = ErrNotFound
	}
	return h, err
}

// Delete ends a subscription and forgets its deliveries.
func (s *Service) Delete(ctx context.Context, account, id string) error {
	return s.store.DeleteHook(ctx, account, id)
}

// Forget drops what waits to be told, and what was told, about a customer who was
// deleted: their name is in it. source "" means any data source.
func (s *Service) Forget(ctx context.Context, account, source, customer string) error {
	if err := s.store.DropCustomer(ctx, account, source, customer); err != nil {
		return fmt.Errorf("forget deliveries about a customer: %w", err)
	}
	return nil
}

// Rotate gives a subscription a new key and returns it. The old one signs beside
// it for a day, so that the receiver can change over.
func (s *Service) Rotate(ctx context.Context, account, id string) (Secret, error) {
	h, err := s.subscription(ctx, account, id)
	if err != nil {
		return "", err
	}
	if h.Unreadable {
		return "", ErrUnreadable
	}
	keys := []Secret{NewKey(), h.Keys[0]}
	if err := s.store.SetKeys(ctx, account, id, keys, s.now().UTC().Truncate(time.Millisecond)); err != nil {
		return "", err
	}
	return keys[0], nil
}

// Resume lets a paused subscription get events again.
func (s *Service) Resume(ctx context.Context, account, id string) (Hook, error) {
	h, err := s.subscription(ctx, account, id)
	if err != nil {
		return Hook{}, err
	}
	h.Paused = ""
	return h, s.store.Pause(ctx, account, id, "")
}

// Deliveries returns a page of a subscription's deliveries, the newest first.
func (s *Service) Deliveries(ctx context.Context, account, id string, f jobs.Filter) ([]jobs.Job, error) {
	if _, err := s.subscription(ctx, account, id); err != nil {
		return nil, err
	}
	f.Lane = Lane(id)
	return s.queue.Jobs(ctx, account, f)
}

// Resend delivers once more what was delivered or given up. ErrNotFound for a
// delivery that is not there, jobs.ErrNotEnded for one that is still tried.
func (s *Service) Resend(ctx context.Context, account, id, delivery string) (jobs.Job, error) {
	if _, err := s.subscription(ctx, account, id); err != nil {
		return jobs.Job{}, err
	}
	j, err := s.queue.Job(ctx, account, delivery)
	if err != nil {
		return jobs.Job{}, err
	}
	if j.Lane != Lane(id) {
		return jobs.Job{}, jobs.ErrNotFound
	}
	return s.queue.Retry(ctx, account, delivery, s.now())
}

// Test delivers the sample of a subscription's event once and returns it with
// how that went; err is about the subscription itself.
func (s *Service) Test(ctx context.Context, account, id string) (sample analytics.Event, failure, err error) {
	h, err := s.subscription(ctx, account, id)
	if err != nil {
		return analytics.Event{}, nil, err
	}
	sample, ok := Sample(account, h.Event, s.now())
	if !ok {
		return analytics.Event{}, nil, ErrNotFound
	}
	if h.Unreadable {
		return sample, ErrUnreadable, nil
	}
	return sample, s.call(ctx, s.calls, h, sample.ID, sample.Body), nil
}

// Shorten hides the part of a URL that may be a secret: all but scheme, host and
// the last characters of the path.
func Shorten(raw Secret) string {
	u, err := url.Parse(raw.Reveal())
	if err != nil {
		return redacted
	}
	const shown = 4
	tail := ""
	if len(u.Path) > 4*shown {
		tail = u.Path[len(u.Path)-shown:]
	}
	return u.Scheme + "://" + u.Host + "/…" + tail
}
