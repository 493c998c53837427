package httpx

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
)

// The server that shows the sign-in pages calls the API for many people. It says
// by these headers who asked; they count only with the token that the operator
// gave both.
const (
	InternalTokenHeader = "X-GrowPanel-Internal-Token" //nolint:gosec // G101: the name of a header
	ClientAddressHeader = "X-GrowPanel-Client-Address"
)

// ClientAddress returns the IP address of the person or program that a request
// comes from: the connection's, or what a peer with the internal token says. token
// is empty when there is no such peer. "" for an address that cannot be read.
func ClientAddress(r *http.Request, token string) string {
	sent := r.Header.Get(InternalTokenHeader)
	if token != "" && subtle.ConstantTimeCompare([]byte(sent), []byte(token)) == 1 {
		if address, err := netip.ParseAddr(r.Header.Get(ClientAddressHeader)); err == nil {
			return address.Unmap().String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// InProcess reports whether a request was made inside this process, without a
// connection: none comes from port 0.
func InProcess(r *http.Request) bool { return r.RemoteAddr == "127.0.0.1:0" }
