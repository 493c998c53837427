package protocol

import (
	"fmt"
	"net/url"
	"strings"
)

// Resources knows by what names the product's one protected resource is called
// (RFC 8707): the origin and its path /mcp, each with or without a slash.
type Resources struct {
	public string
	names  map[string]string // normalized origin -> origin as it is shown
}

// NewResources returns the names of the resource at an origin without path,
// such as https://mcp.example.com. On loopback the three names of this machine,
// at the same port, mean the same.
func NewResources(publicURL string) (Resources, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || strings.Contains(publicURL, "#") ||
		u.Scheme != "https" && u.Scheme != "http" {
		return Resources{}, fmt.Errorf("public URL %q: want an origin such as https://mcp.example.com", publicURL)
	}
	if u.Scheme == "http" && !isLoopbackName(u.Hostname()) {
		// RFC 8414 §2, OAuth 2.1 §1.5: tokens do not travel in the clear.
		return Resources{}, fmt.Errorf("public URL %q: want https; plain http is for 127.0.0.1, [::1] and localhost alone", publicURL)
	}
	r := Resources{public: publicURL, names: map[string]string{normalOrigin(u): publicURL}}
	if !isLoopbackName(u.Hostname()) {
		return r, nil
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		alias := url.URL{Scheme: u.Scheme, Host: host}
		if u.Port() != "" {
			alias.Host += ":" + u.Port()
		}
		if origin := normalOrigin(&alias); r.names[origin] == "" {
			r.names[origin] = origin
		}
	}
	return r, nil
}

func isLoopbackName(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}

// Loopback reports whether the resource is on this machine alone.
func (r Resources) Loopback() bool { return len(r.names) > 1 }

// Issuer is the issuer of all tokens: the public URL byte for byte.
func (r Resources) Issuer() string { return r.public }

// Canonical is the name under which tokens are kept.
func (r Resources) Canonical() string { return r.public + "/mcp" }

// Resolve returns the canonical name of a resource that a client names, or
// InvalidTarget. No name means the canonical one: clients from
// before RFC 8707 send none.
func (r Resources) Resolve(names []string) (string, *Error) {
	for _, name := range names {
		if !r.knows(name) {
			return "", &Error{Code: InvalidTarget, Description: "resource: this server issues tokens for " + r.Canonical() + " alone"}
		}
	}
	return r.Canonical(), nil
}

func (r Resources) knows(name string) bool {
	if len(name) > maxURI || strings.ContainsAny(name, "#?@") || strings.ContainsFunc(name, notURIChar) {
		return false
	}
	u, err := url.Parse(name)
	if err != nil || u.Opaque != "" || u.RawPath != "" || strings.Contains(name, "%") {
		return false
	}
	switch u.Path {
	case "", "/", "/mcp", "/mcp/":
		_, ok := r.names[normalOrigin(u)]
		return ok
	default:
		return false
	}
}

// Origin returns the origin by which a request addressed the resource, given
// its Host header; ok is false for a host that is not ours.
func (r Resources) Origin(host string) (origin string, ok bool) {
	if host == "" || strings.ContainsAny(host, "/?#@%") || strings.ContainsFunc(host, notURIChar) {
		return "", false
	}
	scheme, _, _ := strings.Cut(r.public, ":")
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Host == "" {
		return "", false
	}
	origin, ok = r.names[normalOrigin(u)]
	return origin, ok
}

// normalOrigin is the origin of a URL in lower case and without a default port
// (RFC 3986 §6.2.3).
func normalOrigin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}
