package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/mcp"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// backend is the API that the MCP endpoint stands before: in this process or
// elsewhere.
type backend interface {
	// authenticate returns the caller that an API key belongs to; see
	// mcp.Config.Authenticate for its errors.
	authenticate(ctx context.Context, key string) (mcp.Caller, error)
	// client returns a client without a key.
	client() *apiclient.Client
	// forBrowsers returns a client that tells the API for which browser it asks.
	forBrowsers() *apiclient.Client
	// origin is where people reach the API.
	origin() string
	// hasUsers reports whether people can sign in at the API.
	hasUsers(ctx context.Context) (bool, error)
	// audit is where the API keeps its audit log, nil when that is elsewhere.
	audit() *identity.Service
}

// embedded is an API in this process.
type embedded struct {
	users    *identity.Service
	api      *apiclient.Client
	browsers *apiclient.Client
	url      string
}

func (b *embedded) client() *apiclient.Client              { return b.api }
func (b *embedded) forBrowsers() *apiclient.Client         { return b.browsers }
func (b *embedded) origin() string                         { return b.url }
func (b *embedded) hasUsers(context.Context) (bool, error) { return true, nil }
func (b *embedded) audit() *identity.Service               { return b.users }

func (b *embedded) authenticate(ctx context.Context, key string) (mcp.Caller, error) {
	caller, err := b.users.Authenticate(ctx, key)
	if errors.Is(err, identity.ErrInvalidKey) || errors.Is(err, identity.ErrKeyRevoked) {
		return mcp.Caller{}, mcp.ErrInvalidToken
	}
	if err != nil {
		return mcp.Caller{}, err
	}
	if caller.ByUser {
		return mcp.Caller{}, mcp.ErrInvalidToken // a user token is for the sign-in pages
	}
	return mcp.Caller{ID: caller.Key, Key: apiclient.NewSecret(key)}, nil
}

// remote is an API elsewhere. It is asked whether a key is good; the answer
// holds for a while, so that a tool call is one request rather than two.
type remote struct {
	api      *apiclient.Client
	browsers *apiclient.Client
	now      func() time.Time

	mu    sync.Mutex
	known map[[sha256.Size]byte]time.Time // until when a key is taken for good
}

const (
	trustTime   = 30 * time.Second
	trustedKeys = 10_000
)

func newRemote(p process, cfg config.Serve) (*remote, error) {
	network := apiclient.NewTransport()
	options := apiclient.Options{BaseURL: cfg.Upstream, UserAgent: "growpanel-mcp/" + version, Transport: network}
	api, err := apiclient.New(options)
	if err != nil {
		return nil, err
	}
	b := &remote{api: api, browsers: api, now: p.now, known: map[[sha256.Size]byte]time.Time{}}
	if cfg.InternalToken.IsZero() {
		return b, nil
	}
	options.Transport = oauth.ForwardAddress(network, oauth.NewSecret(cfg.InternalToken.Reveal()))
	b.browsers, err = apiclient.New(options)
	return b, err
}

func (b *remote) client() *apiclient.Client      { return b.api }
func (b *remote) forBrowsers() *apiclient.Client { return b.browsers }
func (b *remote) origin() string                 { return b.api.BaseURL() }
func (b *remote) hasUsers(ctx context.Context) (bool, error) {
	return hasUsers(ctx, b.api, upstreamPatience)
}
func (b *remote) audit() *identity.Service { return nil }

func (b *remote) authenticate(ctx context.Context, key string) (mcp.Caller, error) {
	sum := sha256.Sum256([]byte(key))
	caller := mcp.Caller{ID: hex.EncodeToString(sum[:8]), Key: apiclient.NewSecret(key)}
	if b.trusts(sum) {
		return caller, nil
	}
	client, err := b.api.WithKey(caller.Key)
	if err != nil {
		return mcp.Caller{}, mcp.ErrInvalidToken // it has characters that no key has
	}
	if err := check(client.Do(ctx, http.MethodGet, []string{"integrations", "verify"}, nil, nil)); err != nil {
		return mcp.Caller{}, err
	}
	b.trust(sum)
	return caller, nil
}

// check reads from an answer of the API what it thinks of the key.
func check(_ *apiclient.Response, err error) error {
	var refused *apiclient.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Status {
	case http.StatusUnauthorized:
		return mcp.ErrInvalidToken
	case http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return nil // the key is known; what it may do is for each call to find out
	default:
		return err
	}
}

func (b *remote) trusts(sum [sha256.Size]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now().Before(b.known[sum])
}

func (b *remote) trust(sum [sha256.Size]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) >= trustedKeys {
		clear(b.known) // they are asked about again
	}
	b.known[sum] = b.now().Add(trustTime)
}
