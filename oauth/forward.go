package oauth

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

type addressKey struct{}

// withAddress notes for whom the API is asked, or a document fetched.
func withAddress(ctx context.Context, from netip.Addr) context.Context {
	return context.WithValue(ctx, addressKey{}, from)
}

// ForwardAddress returns a transport that tells the API the address of the
// browser that a call is made for. The API believes it for the token, which it
// shares with this server.
func ForwardAddress(next http.RoundTripper, token Secret) http.RoundTripper {
	return forward{next, token}
}

type forward struct {
	next  http.RoundTripper
	token Secret
}

// RoundTrip implements http.RoundTripper.
func (f forward) RoundTrip(r *http.Request) (*http.Response, error) {
	from, ok := r.Context().Value(addressKey{}).(netip.Addr)
	if ok && from.IsValid() {
		r = r.Clone(r.Context()) // a transport must not change what it is given
		r.Header.Set(httpx.InternalTokenHeader, f.token.Reveal())
		r.Header.Set(httpx.ClientAddressHeader, from.String())
	}
	return f.next.RoundTrip(r)
}
