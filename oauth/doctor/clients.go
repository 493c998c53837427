package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const claudeRedirect = "https://claude.ai/api/mcp/auth_callback"

// registration is what a client sends to register itself, as it was seen to.
type registration struct {
	client    string
	name      string
	redirects []string
	more      map[string]any // beside what all send
}

func (r registration) body() ([]byte, error) {
	body := map[string]any{
		"client_name": r.name, "redirect_uris": r.redirects, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	}
	maps.Copy(body, r.more)
	return json.Marshal(body)
}

func registrations() []registration {
	return []registration{
		{Claude, "Claude", []string{claudeRedirect}, map[string]any{"scope": "growpanel.read growpanel.write"}},
		{Claude, "Claude Code", []string{"http://localhost:54321/callback"}, nil},
		{ChatGPT, "ChatGPT", []string{"https://chatgpt.com/connector_platform_oauth_redirect"}, nil},
		{ChatGPT, "ChatGPT", []string{"https://chatgpt.com/connector/oauth/doctor"}, nil},
		{Cursor, "Cursor", []string{"cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback", "http://localhost:8787/callback"}, nil},
		{
			VSCode, "Visual Studio Code",
			[]string{"http://127.0.0.1/", "http://127.0.0.1:33418/", "https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"},
			map[string]any{"application_type": "native"},
		},
		{MCPRemote, "MCP CLI Client", []string{"http://localhost:19050/oauth/callback"}, map[string]any{
			"client_uri": "https://github.com/punkpeye/mcp-remote", "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d", "software_version": "0.15.1", "scope": "growpanel.read",
		}},
	}
}

// registration registers every client in the shape that it sends.
func (e *examination) registration(ctx context.Context) bool {
	at := e.authorization.text("registration_endpoint")
	if !e.cfg.Register || at == "" {
		return true
	}
	for _, r := range registrations() {
		check := "registration of " + r.name
		body, err := r.body()
		if err != nil {
			e.problem(check, err.Error(), "", r.client)
			continue
		}
		a, err := e.send(ctx, http.MethodPost, at, bytes.NewReader(body), "Content-Type", "application/json", "Accept", "application/json", "MCP-Protocol-Version", testVersion)
		if err != nil {
			problem, mend := unreachable(err)
			e.problem(check, problem, mend, r.client)
			continue
		}
		var d document
		if a.status != http.StatusCreated || json.Unmarshal(a.body, &d) != nil {
			mend := "do not limit redirect URIs to a list, or put these into it: " + strings.Join(r.redirects, ", ")
			if a.status == http.StatusTooManyRequests {
				mend = "raise the limit: hosted clients share few addresses"
			}
			e.problem(check, fmt.Sprintf("it is answered with %d (%s)", a.status, a.says()), mend, r.client)
			continue
		}
		e.registered(check, r, d)
	}
	return true
}

// registered looks at the answer to a registration, which clients decode strictly.
func (e *examination) registered(check string, r registration, d document) {
	switch {
	case d.text("client_id") == "":
		e.problem(check, "the answer has no client_id", "answer as RFC 7591, section 3.2.1 says", r.client)
	case !slices.Equal(d.list("redirect_uris"), r.redirects):
		e.problem(check, "the answer does not repeat the redirect_uris", "answer with all that was registered", r.client)
	case len(d.empty()) > 0:
		e.problem(check, "empty members: "+strings.Join(d.empty(), ", "), "leave out what does not apply", r.client)
	default:
		if e.client == "" {
			e.client = d.text("client_id")
		}
		e.ok(check)
	}
}

// authorize opens the page that Connect opens, in every form of the resource
// that clients send, and looks whether a person would see something.
func (e *examination) authorize(ctx context.Context) bool {
	if e.client == "" {
		return true
	}
	request := func(change func(url.Values)) string {
		query := url.Values{
			"response_type": {"code"}, "client_id": {e.client}, "redirect_uri": {claudeRedirect}, "state": {"doctor"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
			"scope": {" growpanel.read growpanel.write claudeai"}, "resource": {e.cfg.URL},
		}
		change(query)
		at := e.authorization.text("authorization_endpoint")
		return at + map[bool]string{true: "&", false: "?"}[strings.Contains(at, "?")] + query.Encode()
	}
	var bad []Finding
	for _, form := range []struct {
		client, what string
		change       func(url.Values)
	}{
		{VSCode, "the URL as it is", func(url.Values) {}},
		{Claude, "no resource", func(q url.Values) { q.Del("resource") }},
		{Cursor, "the URL with a slash at the end", func(q url.Values) { q.Set("resource", strings.TrimSuffix(e.cfg.URL, "/")+"/") }},
		{MCPRemote, "a request for consent", func(q url.Values) { q.Set("prompt", "consent"); q.Set("scope", "growpanel.read offline_access") }},
	} {
		if problem := e.page(ctx, request(form.change)); problem != "" {
			bad = append(bad, Finding{Problem: "with " + form.what + ": " + problem, Mend: "look into the server's log and audit log; the page must reach people unchanged", Fails: []string{form.client}})
		}
	}
	if to := e.leaves(ctx, request(func(q url.Values) { q.Set("redirect_uri", "https://attacker.example/callback") })); to != nil {
		bad = append(bad, Finding{Problem: "a redirect URI that is not registered is followed, to " + to.Host, Mend: "stop using this server: codes can be stolen", Fails: Clients})
	}
	if e.page(ctx, request(func(q url.Values) { q.Set("code_challenge_method", "plain") })) == "" {
		bad = append(bad, Finding{Problem: "PKCE with the method plain is not refused", Mend: "accept S256 alone"})
	}
	e.verdict("the page that a person sees", bad)
	return true
}

// page follows redirects within the server and returns what is wrong with what
// comes in the end, "" for a page.
func (e *examination) page(ctx context.Context, at string) string {
	a, away, err := e.follow(ctx, at)
	switch {
	case err != nil:
		return err.Error()
	case away != nil && away.Query().Get("error") != "":
		return "it is refused with " + away.Query().Get("error") + ": " + away.Query().Get("error_description")
	case away != nil:
		return "it redirects to " + away.String()
	case a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Type"), "text/html"):
		return fmt.Sprintf("it ends with %d (%s)", a.status, a.says())
	default:
		return ""
	}
}

// leaves returns where a request is sent when it leaves the server, nil when it
// does not.
func (e *examination) leaves(ctx context.Context, at string) *url.URL {
	_, away, _ := e.follow(ctx, at)
	return away
}

// follow opens a page as a browser does, with its redirects, until one leaves
// the server: that one is returned instead of an answer.
func (e *examination) follow(ctx context.Context, at string) (*answer, *url.URL, error) {
	cookies := map[string]string{}
	for range 8 {
		a, err := e.open(ctx, at, cookies)
		if err != nil {
			return nil, nil, err
		}
		location := a.header.Get("Location")
		if a.status < 300 || a.status > 399 || location == "" {
			return a, nil, nil
		}
		from, err := url.Parse(at)
		if err != nil {
			return nil, nil, err
		}
		to, err := from.Parse(location)
		if err != nil {
			return nil, nil, err
		}
		if to.Scheme+"://"+to.Host != e.issuerOrigin() {
			return nil, to, nil
		}
		at = to.String()
	}
	return nil, nil, errors.New("it redirects in circles")
}

// issuerOrigin is the issuer without its path.
func (e *examination) issuerOrigin() string {
	u, err := url.Parse(e.issuer)
	if err != nil {
		return e.issuer
	}
	return u.Scheme + "://" + u.Host
}

// open asks for a page as a browser does, which remembers cookies.
func (e *examination) open(ctx context.Context, at string, cookies map[string]string) (*answer, error) {
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	a, err := e.send(ctx, http.MethodGet, at, nil, "Accept", "text/html", "Cookie", strings.Join(pairs, "; "), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
	if err != nil {
		return nil, err
	}
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		cookies[cookie.Name] = cookie.Value
	}
	return a, nil
}
