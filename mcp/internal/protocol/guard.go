package protocol

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard decides from which pages and under which names the endpoint may be
// used. It is what stands between a server on someone's laptop and the web
// pages that person visits (DNS rebinding).
type guard struct {
	origins map[string]struct{}
	hosts   map[string]struct{}
}

// newGuard returns a guard that accepts the origin and host of publicURL, which
// may be empty, and the further ones given.
func newGuard(publicURL string, origins, hosts []string) (*guard, error) {
	g := &guard{origins: make(map[string]struct{}), hosts: make(map[string]struct{})}
	if publicURL != "" {
		origin, host, err := splitOrigin(publicURL)
		if err != nil {
			return nil, fmt.Errorf("public URL: %w", err)
		}
		g.origins[origin] = struct{}{}
		g.hosts[host] = struct{}{}
	}
	for _, allowed := range origins {
		origin, _, err := splitOrigin(allowed)
		if err != nil {
			return nil, fmt.Errorf("allowed origin: %w", err)
		}
		g.origins[origin] = struct{}{}
	}
	for _, allowed := range hosts {
		if allowed == "" || strings.ContainsAny(allowed, "/@ ") {
			return nil, fmt.Errorf("allowed host %q: want a host name such as mcp.example.com", allowed)
		}
		g.hosts[hostname(allowed)] = struct{}{}
	}
	return g, nil
}

// splitOrigin returns the serialized origin (RFC 6454 section 6.2) and the host
// name of an http or https URL without path.
func splitOrigin(raw string) (origin, host string, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", "", fmt.Errorf("%q is not an origin such as https://mcp.example.com", raw)
	}
	authority := strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		authority = strings.TrimSuffix(authority, ":"+port)
	}
	return u.Scheme + "://" + authority, hostname(u.Host), nil
}

// hostname strips the port and the brackets of an authority.
func hostname(authority string) string {
	host, _, err := net.SplitHostPort(authority)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(authority, "["), "]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// allowsHost reports whether the Host header of r names this server.
func (g *guard) allowsHost(r *http.Request) bool {
	host := hostname(r.Host)
	_, ok := g.hosts[host]
	return ok || isLoopback(host)
}

// allowsOrigin reports whether a page of that origin may call. Clients that are
// not browsers send no Origin. Pages served by this machine may call as long as
// the server is addressed as this machine, too.
func (g *guard) allowsOrigin(r *http.Request) bool {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	origin, host, err := splitOrigin(values[0])
	if err != nil {
		return false
	}
	_, ok := g.origins[origin]
	return ok || isLoopback(host) && isLoopback(hostname(r.Host))
}

// corsRequestHeaders are the headers a page may send, corsResponseHeaders those
// it may read.
const (
	corsRequestHeaders  = "Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Method, Mcp-Name, Mcp-Protocol-Version, Mcp-Session-Id"
	corsResponseHeaders = "Retry-After, WWW-Authenticate"
)

// setCORS lets the page of an allowed origin read the response.
func setCORS(header http.Header, r *http.Request) {
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", corsResponseHeaders)
}

// preflight answers the OPTIONS request that a browser sends first. Parameters
// that a tool takes from headers have names of their own, so those are echoed.
func preflight(w http.ResponseWriter, r *http.Request) {
	allowed := []string{corsRequestHeaders}
	for requested := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		requested = strings.TrimSpace(requested)
		if isParamHeader(requested) && len(allowed) < 32 {
			allowed = append(allowed, requested)
		}
	}
	slices.Sort(allowed[1:])
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS") // clients try them all
	w.Header().Set("Access-Control-Allow-Headers", strings.Join(allowed, ", "))
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func isParamHeader(name string) bool {
	const prefix = "mcp-param-"
	if len(name) <= len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
