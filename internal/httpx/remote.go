package httpx

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const forwardedFor = "X-Forwarded-For"

// RealAddress replaces a request's RemoteAddr by the address that the operator's
// own proxies saw: the last one in X-Forwarded-For that is none of theirs. From
// any other peer the header is what a stranger claims, and counts for nothing.
func RealAddress(proxies []netip.Prefix) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if from, ok := forwarded(r, proxies); ok {
				r = r.WithContext(r.Context()) // a copy: the caller's request stays as it is
				r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
			}
			next.ServeHTTP(w, r)
		})
	}
}

// forwarded walks the addresses back from the nearest. One that is not an
// address ends the walk at the proxy that reported it.
func forwarded(r *http.Request, proxies []netip.Prefix) (netip.Addr, bool) {
	from, ok := addressOf(r.RemoteAddr)
	if !ok || !within(from, proxies) {
		return netip.Addr{}, false
	}
	hops := strings.Split(strings.Join(r.Header[forwardedFor], ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, ok := addressOf(strings.TrimSpace(hop))
		if !ok {
			break
		}
		if from = before; !within(from, proxies) {
			break
		}
	}
	return from, true
}

// addressOf reads an address, with or without a port.
func addressOf(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
