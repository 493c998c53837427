package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"` + testVersion +
	`","capabilities":{},"clientInfo":{"name":"doctor","version":"1"}}}`

// mcpHeaders are what every client sends with a message.
var mcpHeaders = []string{
	"Content-Type", "application/json", "Accept", "application/json, text/event-stream", "MCP-Protocol-Version", testVersion,
}

// transport looks at the way to the server: only https is safe beyond this
// machine, and hosted clients take nothing else.
func (e *examination) transport(ctx context.Context) bool {
	const check = "the connection"
	host := e.target.Hostname()
	local := host == "localhost"
	if ip := net.ParseIP(host); ip != nil {
		local = ip.IsLoopback()
	}
	if e.target.Scheme == "http" {
		if local {
			e.ok(check)
			return true
		}
		e.problem(check, "the URL is http://: tokens would cross the network in the open, and clients refuse it",
			"put the server behind a proxy with a certificate, and set --public-url to its https:// origin", Clients...)
		return true
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: slow}}
	if transport, ok := e.cfg.HTTP.Transport.(*http.Transport); ok {
		dialer.Config = transport.TLSClientConfig
	}
	port := e.target.Port()
	if port == "" {
		port = "443"
	}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		problem, mend := unreachable(err)
		e.problem(check, problem, mend+"; the certificate must be one that everybody trusts, with its whole chain", Clients...)
		return false
	}
	defer func() { _ = conn.Close() }() // nothing was written
	if secure, ok := conn.(*tls.Conn); ok && len(secure.ConnectionState().PeerCertificates) > 0 {
		if left := secure.ConnectionState().PeerCertificates[0].NotAfter.Sub(e.cfg.Now()); left < 7*24*time.Hour {
			e.problem(check, fmt.Sprintf("the certificate ends in %.0f hours", left.Hours()), "renew it")
			return true
		}
	}
	e.ok(check)
	return true
}

var metadataParameter = regexp.MustCompile(`(?i)\bresource_metadata="([^"]*)"`)

// challenge sends the first message of every client, which has no token yet.
func (e *examination) challenge(ctx context.Context) bool {
	const check = "the first message, without a token"
	a, err := e.send(ctx, http.MethodPost, e.cfg.URL, strings.NewReader(initialize), mcpHeaders...)
	if err != nil {
		problem, mend := unreachable(err)
		e.problem(check, problem, mend, Clients...)
		return false
	}
	header := a.header.Get("WWW-Authenticate")
	switch {
	case a.status >= 300 && a.status < 400:
		e.problem(check, fmt.Sprintf("it is redirected to %s; clients lose the message or the token on the way", a.header.Get("Location")),
			"paste the final URL, or serve this one without a redirect", Clients...)
		return false
	case a.status == http.StatusOK:
		e.problem(check, "the server answers without asking who calls", "if it is meant to be public there is nothing to connect; else require a token", Clients...)
		return false
	case a.status != http.StatusUnauthorized:
		e.problem(check, fmt.Sprintf("it is answered with %d (%s), not with 401", a.status, a.says()),
			"check that the URL is that of the MCP endpoint, and that nothing before it refuses unknown callers", Clients...)
		return false
	case header == "":
		e.problem(check, "the 401 has no WWW-Authenticate header, so that clients do not know where to sign in",
			"let the proxy before the server pass that header on", Clients...)
		return false
	case !strings.HasPrefix(strings.ToLower(header), "bearer"):
		e.problem(check, "the challenge is "+header+", not Bearer", "something before the server asks for a password of its own: exempt the MCP endpoint", Clients...)
		return false
	}
	if match := metadataParameter.FindStringSubmatch(header); match != nil {
		e.metadata = match[1]
	} else {
		e.problem(check, "the challenge does not say where the resource metadata is (RFC 9728, section 5.1)",
			"add resource_metadata to WWW-Authenticate; newer clients guess, others give up", ChatGPT)
		e.metadata = e.wellKnown("oauth-protected-resource", true)
	}
	if a.took > slow {
		e.problem(check, fmt.Sprintf("it took %s; hosted clients give up after 10 s", a.took.Round(time.Second)), "find out what is slow", Claude)
	}
	e.ok(check)
	return true
}

// probes are requests that clients send beside: what they cannot bear is a page
// of another application, or a refusal before the server was asked.
func (e *examination) probes(ctx context.Context) bool {
	var bad []Finding
	look := func(client, what, method, at string, want []int, mend string, headers ...string) {
		a, err := e.send(ctx, method, at, nil, headers...)
		if err != nil {
			bad = append(bad, Finding{Problem: what + ": " + err.Error(), Mend: mend, Fails: []string{client}})
			return
		}
		if slices.Contains(want, a.status) {
			return
		}
		bad = append(bad, Finding{Problem: fmt.Sprintf("%s is answered with %d (%s)", what, a.status, a.says()), Mend: mend, Fails: []string{client}})
	}
	stream := []string{"Accept", "application/json, text/event-stream"}
	const toServer = "let the request reach the server, which answers 401"
	look(MCPRemote, "GET for a stream", http.MethodGet, e.cfg.URL, []int{401, 405}, toServer, stream...)
	look(Claude, "GET from Claude's servers", http.MethodGet, e.cfg.URL, []int{401, 405},
		"let requests with the user agents Claude-User and python-httpx pass the firewall, from 160.79.104.0/21", "Accept", "text/event-stream", "User-Agent", "python-httpx/0.28.1")
	look(Claude, "HEAD", http.MethodHead, e.cfg.URL, []int{401, 405}, toServer, "User-Agent", "Claude-User")
	look(VSCode, "DELETE of a session", http.MethodDelete, e.cfg.URL, []int{401, 405}, toServer, stream...)
	if path := e.target.EscapedPath(); path != "" && path != "/" {
		other := e.origin() + path + "/"
		if without, ok := strings.CutSuffix(path, "/"); ok {
			other = e.origin() + without
		}
		look(Claude, "GET "+other, http.MethodGet, other, []int{401, 405}, "serve the URL with and without a slash at the end, without a redirect", stream...)
	}
	e.verdict("what clients send beside", bad)
	return true
}

// resourceMetadata reads what the challenge points to (RFC 9728).
func (e *examination) resourceMetadata(ctx context.Context) bool {
	const check = "the protected resource metadata"
	d, problem, mend := e.fetch(ctx, e.metadata)
	if problem != "" {
		e.problem(check, problem, mend, Clients...)
		return false
	}
	e.resource = d
	var bad []Finding
	if got := d.text("resource"); got != e.cfg.URL {
		fails := []string{VSCode}
		if !sameResource(got, e.cfg.URL) {
			fails = Clients
		}
		bad = append(bad, Finding{
			Problem: fmt.Sprintf("it is about %q, the URL is %q; clients compare the two letter by letter", got, e.cfg.URL),
			Mend:    "set --public-url to the origin that people paste, and paste " + got, Fails: fails,
		})
	}
	servers := d.list("authorization_servers")
	if len(servers) == 0 {
		e.problem(check, "it names no authorization server", "set authorization_servers", Clients...)
		return false
	}
	e.issuer = servers[0]
	if guess := e.wellKnown("oauth-protected-resource", true); guess != e.metadata {
		if other, problem, _ := e.fetch(ctx, guess); problem != "" || other.text("resource") != d.text("resource") {
			bad = append(bad, Finding{
				Problem: guess + ", where clients look that do not read the challenge, says something else",
				Mend:    "serve the same document there",
			})
		}
	}
	e.verdict(check, bad)
	return true
}

// sameResource compares two URLs but for the slash that some clients add.
func sameResource(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// wrongToken sends a token that nobody issued.
func (e *examination) wrongToken(ctx context.Context) bool {
	const check = "a token that is not good"
	a, err := e.send(ctx, http.MethodPost, e.cfg.URL, strings.NewReader(initialize), append([]string{"Authorization", "Bearer gpa_doctor"}, mcpHeaders...)...)
	switch {
	case err != nil:
		problem, mend := unreachable(err)
		e.problem(check, problem, mend, Clients...)
	case a.status != http.StatusUnauthorized:
		e.problem(check, fmt.Sprintf("it is answered with %d (%s); clients refresh or connect again only after 401", a.status, a.says()),
			"let the Authorization header reach the server, and answer 401", Clients...)
	case !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token"):
		e.problem(check, "the challenge does not say error=\"invalid_token\"", "let the proxy pass WWW-Authenticate on as it is")
	default:
		e.ok(check)
	}
	return true
}

// key calls the server with an API key, as clients with a fixed header do.
func (e *examination) key(ctx context.Context) bool {
	if e.cfg.Key == "" {
		return true
	}
	const check = "the API key"
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	a, err := e.send(ctx, http.MethodPost, e.cfg.URL, strings.NewReader(list), append([]string{"Authorization", "Bearer " + e.cfg.Key}, mcpHeaders...)...)
	switch {
	case err != nil:
		problem, mend := unreachable(err)
		e.problem(check, problem, mend, Clients...)
	case a.status == http.StatusUnauthorized:
		e.problem(check, "it is not good for this server", "create one with growpanel admin create-key, on the data folder of this server", Cursor, VSCode, MCPRemote)
	case a.status != http.StatusOK:
		e.problem(check, fmt.Sprintf("it is answered with %d (%s)", a.status, a.says()), "look into the server's log", Cursor, VSCode, MCPRemote)
	default:
		e.ok(check)
	}
	return true
}
