// Package httpxtest helps tests that talk HTTP.
package httpxtest

import "net/http"

// KeepConnections keeps servers of net/http/httptest, when they close, from
// closing the idle connections of http.DefaultTransport: a test beside, which is
// about to use one, would fail. Call it before the first test of a package runs.
func KeepConnections() { http.DefaultTransport = transport{http.DefaultTransport} }

// transport has RoundTrip alone.
type transport struct{ http.RoundTripper }
