package main

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/mcp"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// gate lets callers into the MCP endpoint: those with an access token of ours,
// and those with an API key of their own.
type gate struct {
	api       backend
	grants    *oauth.Grants // nil when the API has no users
	resources protocol.Resources
	// limits counts wrong API keys per address, for all replicas where they share a
	// store of limits; local does where that is missing or cannot be asked. A good
	// key writes nothing.
	limits oauth.RateLimits // nil for local alone
	local  *oauth.MemoryLimits
}

func newGate(api backend, resources protocol.Resources, now func() time.Time) *gate {
	return &gate{api: api, resources: resources, local: oauth.NewMemoryLimits(now)}
}

// wrongKeys is far more than a person mistypes, and far less than guessing takes.
func wrongKeys() oauth.Rate { return oauth.Rate{Burst: 30, Interval: 2 * time.Second} }

// authenticate is mcp.Config.Authenticate.
func (g *gate) authenticate(ctx context.Context, token string) (mcp.Caller, error) {
	if oauth.IsToken(token) {
		// Never tried as an API key: it must not leave this process.
		return g.connection(ctx, token)
	}
	caller, err := g.api.authenticate(ctx, token)
	if !errors.Is(err, mcp.ErrInvalidToken) {
		return caller, err
	}
	if g.tooMany(ctx) {
		return mcp.Caller{}, mcp.ErrTooMany
	}
	return mcp.Caller{}, err
}

// tooMany counts a wrong key of the caller's address and reports whether there
// were too many.
func (g *gate) tooMany(ctx context.Context) bool {
	bucket := "wrong-key:" + oauth.Bucket(addressFrom(ctx))
	if g.limits != nil {
		if wait, err := g.limits.Take(ctx, bucket, wrongKeys()); err == nil {
			return wait > 0
		}
	}
	wait, err := g.local.Take(ctx, bucket, wrongKeys())
	return err == nil && wait > 0
}

// connection returns the caller behind an access token.
func (g *gate) connection(ctx context.Context, token string) (mcp.Caller, error) {
	if g.grants == nil {
		return mcp.Caller{}, mcp.ErrInvalidToken
	}
	access, err := g.grants.CheckAccess(ctx, oauth.NewSecret(token))
	if errors.Is(err, oauth.ErrInvalidToken) {
		return mcp.Caller{}, mcp.ErrInvalidToken
	}
	if err != nil {
		return mcp.Caller{}, err
	}
	// RFC 8707: a token for another resource is none for this one, should the
	// public URL ever have changed.
	if access.Resource != g.resources.Canonical() {
		return mcp.Caller{}, mcp.ErrInvalidToken
	}
	g.grants.Touch(access.Family, addressFrom(ctx))
	family := access.Family.String()
	return mcp.Caller{ID: family, Connection: family, Key: apiclient.NewSecret(access.APIKey.Reveal()), Writes: writesOf(access)}, nil
}

// writesOf says what a connection may change. Where its user or their role left
// writing out, asking for more scope would be of no use to the client.
func writesOf(access oauth.Access) mcp.Writes {
	switch {
	case protocol.ParseScope(access.Scope).Has(protocol.Write):
		return mcp.WritesAllowed
	case access.ReadOnly:
		return mcp.WritesDenied
	default:
		return mcp.WritesNotAsked
	}
}

// keyRefused is mcp.Config.KeyRefused: the connection ends, so that the client
// hears of it with its next request.
func (g *gate) keyRefused(ctx context.Context, c mcp.Caller) {
	id, err := oauth.ParseFamilyID(c.Connection)
	if err != nil || g.grants == nil {
		return
	}
	// A client that hangs up must not keep its connection by that. What fails here
	// is found again at the next call.
	_ = g.grants.KeyGone(context.WithoutCancel(ctx), id)
}

// metadataOf is mcp.Config.ResourceMetadata.
func (g *gate) metadataOf(r *http.Request) string { return oauth.ResourceMetadataURL(g.resources, r) }

type addressKey struct{}

// noteAddress keeps where a request comes from in its context.
func noteAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, oauth.Address(r))))
	})
}

func addressFrom(ctx context.Context) netip.Addr {
	from, _ := ctx.Value(addressKey{}).(netip.Addr)
	return from
}
