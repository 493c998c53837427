package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

const (
	// transactionLife is how long somebody may take from Connect to Allow.
	transactionLife = 10 * time.Minute
	// repeatWindow is how long the same Allow gives the same redirect again: people
	// click twice.
	repeatWindow = 30 * time.Second
)

// transaction is an authorization request on its way to a decision: a snapshot,
// so that nothing the client changes meanwhile changes what the user was shown.
type transaction struct {
	id      string
	version int64

	Request   protocol.AuthorizationRequest `json:"request"`
	Name      string                        `json:"name"`      // what the client called itself
	Publisher string                        `json:"publisher"` // host of its metadata document
	Browser   string                        `json:"browser"`   // hash of the browser cookie
	SignIn    bool                          `json:"sign_in"`   // still has to sign in anew
	Account   string                        `json:"account"`   // chosen account
	Decision  decision                      `json:"decision"`
	DecidedAt time.Time                     `json:"decided_at"`
	Grant     Grant                         `json:"grant"` // what was allowed
}

// decision is what the user has answered.
type decision string

const (
	undecided decision = ""
	allowed   decision = "allowed"
	denied    decision = "denied"
)

// client describes the transaction's client for pages.
func (t *transaction) client() pages.Client {
	return pages.NewClient(t.Name, t.Request.RedirectURI, t.Publisher)
}

// begin stores a new transaction for a browser.
func (b *Browser) begin(ctx context.Context, t *transaction, browser string) error {
	t.id, t.Browser = randomText(), browserHash(browser)
	value, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("store transaction: %w", err)
	}
	if err := b.cfg.Records.Add(ctx, KindTransaction, t.id, value, transactionLife); err != nil {
		return fmt.Errorf("store transaction: %w", err)
	}
	return nil
}

// transaction returns the transaction that a request names, or errExpired when it
// is gone or belongs to another browser.
func (b *Browser) transaction(r *http.Request, id string) (*transaction, error) {
	browser, ok := b.knownBrowser(r)
	if !ok || len(id) != len(browser) {
		return nil, errExpired
	}
	record, err := b.cfg.Records.Record(r.Context(), KindTransaction, id)
	if errors.Is(err, ErrNotFound) {
		return nil, errExpired
	}
	if err != nil {
		return nil, fmt.Errorf("read transaction: %w", err)
	}
	t := &transaction{id: id, version: record.Version}
	if err := json.Unmarshal(record.Value, t); err != nil {
		return nil, fmt.Errorf("read transaction: %w", err)
	}
	if t.Browser != browserHash(browser) {
		return nil, errExpired
	}
	return t, nil
}

// save stores what changed in a transaction. ErrMoved when it changed elsewhere.
func (b *Browser) save(ctx context.Context, t *transaction) error {
	value, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("store transaction: %w", err)
	}
	err = b.cfg.Records.Swap(ctx, KindTransaction, t.id, t.version, value)
	if errors.Is(err, ErrNotFound) {
		return errExpired
	}
	if err != nil {
		return fmt.Errorf("store transaction: %w", err)
	}
	return nil
}
