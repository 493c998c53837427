package protocol

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxURI = 2048 // bytes; what browsers and proxies carry without complaint

// forbiddenSchemes are those that run code, show local content or start a
// program with what the URI says, and those that a redirect cannot use.
func forbiddenSchemes() []string {
	return []string{
		"javascript", "data", "vbscript", "file", "filesystem", "blob", "about", "jar", "resource", "view-source",
		"chrome", "chrome-extension", "moz-extension", "ms-msdt", "search-ms", "intent", "mailto", "tel", "sms",
		"ws", "wss", "ftp",
	}
}

// CheckRedirectURI reports what is wrong with a redirect URI that a client
// wants to register. Accepted are https with any host, http with a loopback
// host, and private-use schemes (RFC 8252 §7.1; without the period it asks for,
// since cursor:// and vscode:// have none). What is accepted here is accepted
// at the authorization endpoint.
func CheckRedirectURI(uri string) *Error {
	if reason := redirectFault(uri); reason != "" {
		return &Error{Code: InvalidRedirectURI, Description: "redirect_uris: " + reason}
	}
	return nil
}

func redirectFault(uri string) string {
	if uri == "" || len(uri) > maxURI {
		return "each must have 1 to " + strconv.Itoa(maxURI) + " characters"
	}
	if strings.ContainsFunc(uri, notURIChar) {
		return "a character that must be percent-encoded"
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return "each must be an absolute URI, such as https://client.example/callback"
	case strings.Contains(uri, "#"):
		return "a redirect URI must not have a fragment"
	case u.User != nil:
		return "a redirect URI must not have a user"
	}
	switch u.Scheme {
	case "https":
		return authorityFault(u)
	case "http":
		if _, _, ok := splitLoopback(uri); !ok {
			return "plain http is for the hosts 127.0.0.1, [::1] and localhost alone; use https"
		}
		return authorityFault(u)
	}
	if slices.Contains(forbiddenSchemes(), u.Scheme) {
		return "the scheme " + u.Scheme + " is not for redirects"
	}
	if strings.TrimLeft(uri[len(u.Scheme)+1:], "/") == "" {
		return "a private-use URI must say more than its scheme"
	}
	return ""
}

// notURIChar is what RFC 3986 has no place for; browsers change some of it
// before they follow a redirect.
func notURIChar(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r)
}

func authorityFault(u *url.URL) string {
	if u.Hostname() == "" || u.Opaque != "" {
		return "a host is missing"
	}
	if strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return "the port must be 1 to 65535"
	}
	return ""
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// splitLoopback cuts a loopback URI into what is before and after its port.
func splitLoopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if after, hasPort := strings.CutPrefix(rest, ":"); hasPort {
			end := len(after)
			if i := strings.IndexAny(after, "/?"); i >= 0 {
				end = i
			}
			if !validPort(after[:end]) {
				return "", "", false
			}
			rest = after[end:]
		}
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			return host, rest, true
		}
	}
	return "", "", false
}

// MatchRedirectURI reports whether a redirect URI is one of the registered: by
// exact comparison of strings (RFC 9700 §2.1), except that a loopback URI may
// have any port, since the client learns its own when it starts (RFC 8252 §7.3;
// for localhost too, because clients use it).
func MatchRedirectURI(registered []string, uri string) bool {
	if slices.Contains(registered, uri) {
		return true
	}
	host, rest, ok := splitLoopback(uri)
	if !ok {
		return false
	}
	return slices.ContainsFunc(registered, func(known string) bool {
		knownHost, knownRest, ok := splitLoopback(known)
		return ok && knownHost == host && knownRest == rest
	})
}

// RedirectKind says where a redirect URI leads.
type RedirectKind string

// The kinds of redirect URI.
const (
	RedirectWeb      RedirectKind = "web"      // https: a site
	RedirectLoopback RedirectKind = "loopback" // http on this machine: a local program
	RedirectApp      RedirectKind = "app"      // a private-use scheme: an installed app
)

// RedirectTarget tells a person where a redirect URI leads: for the web and
// loopback the host with its port, for an app the scheme. The URI must have
// passed CheckRedirectURI.
func RedirectTarget(uri string) (RedirectKind, string) {
	u, err := url.Parse(uri)
	if err != nil {
		return RedirectApp, ""
	}
	switch u.Scheme {
	case "http":
		return RedirectLoopback, u.Host
	case "https":
		if addr, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && addr.IsLoopback() {
			return RedirectLoopback, u.Host
		}
		return RedirectWeb, u.Host
	default:
		return RedirectApp, u.Scheme
	}
}

// WithParams appends parameters to a redirect URI and leaves what it has as it
// is (RFC 6749 §3.1.2). Nothing is added to a fragment: there is none.
func WithParams(uri string, params url.Values) string {
	separator := "?"
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		separator = "&"
		if i == len(uri)-1 || strings.HasSuffix(uri, "&") {
			separator = ""
		}
	}
	return uri + separator + params.Encode()
}
