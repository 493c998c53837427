package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/config"
)

// reply is an answer, read to its end.
type reply struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    string
	at      *url.URL
}

func readReply(t *testing.T, exchange func() (*http.Response, error)) reply {
	t.Helper()
	response, err := exchange()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := reply{status: response.StatusCode, header: response.Header, cookies: response.Cookies(), body: string(body)}
	if response.Request != nil {
		got.at = response.Request.URL
	}
	return got
}

// location is where the answer leads, nil for nowhere.
func (r reply) location(t *testing.T) *url.URL {
	t.Helper()
	if r.header.Get("Location") == "" {
		return nil
	}
	next, err := r.at.Parse(r.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// open sends a request to a server's MCP endpoint without following redirects.
func (r running) open(t *testing.T, method, path string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url(mcpName)+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return readReply(t, func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(request) })
}

// pageOf is what a browser is shown after an authorization request, redirects
// within the server followed.
func (p *person) pageOf(t *testing.T, address string) reply {
	t.Helper()
	for range 5 {
		got := readReply(t, func() (*http.Response, error) { return p.http.Do(p.get(t, address)) })
		next := got.location(t)
		if next == nil || next.Scheme+"://"+next.Host != p.site {
			return got
		}
		address = next.String()
	}
	t.Fatalf("%s leads nowhere", address)
	return reply{}
}

// TestRequirements goes through what the specifications ask of the server as a
// whole; what they ask of one endpoint is tested beside it, under the same
// numbers.
func TestRequirements(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, emitIss(demoConfig(t)))
	site := demo.url(mcpName)
	client := demo.register(t)

	t.Run("R20 no page can be framed, R22 nor tells where it was", func(t *testing.T) {
		t.Parallel()
		who := newPerson(t, site)
		for _, address := range []string{demo.authorizeURL(client), site + "/sign-in", site + "/connections", site + "/consent", site + "/", site + "/authorize?client_id=x"} {
			page := who.pageOf(t, address)
			policy := page.header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "frame-ancestors 'none'") || page.header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: Content-Security-Policy %q, X-Frame-Options %q", page.at.Path, policy, page.header.Get("X-Frame-Options"))
			}
			if got := page.header.Get("Referrer-Policy"); got != "same-origin" {
				t.Errorf("%s: Referrer-Policy %q", page.at.Path, got)
			}
		}
	})
	t.Run("R21 a decision is followed by GET", func(t *testing.T) {
		t.Parallel()
		who := newPerson(t, site)
		who.seen = func(response *http.Response) {
			if response.Header.Get("Location") != "" && response.StatusCode != http.StatusSeeOther {
				t.Errorf("%s %s is answered with %d", response.Request.Method, response.Request.URL.Path, response.StatusCode)
			}
		}
		who.decide(t, demo.authorizeURL(client), "allow")
	})
	t.Run("R23 no page of another origin reads the authorization endpoint", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			for _, path := range []string{"/authorize", "/sign-in", "/consent", "/connections"} {
				response := demo.open(t, method, path, "Origin", "https://claude.ai", "Access-Control-Request-Method", "GET")
				if got := response.header.Get("Access-Control-Allow-Origin"); got != "" {
					t.Errorf("%s %s allows %q", method, path, got)
				}
			}
		}
	})
	t.Run("R24 nobody is led to a stranger's address", func(t *testing.T) {
		t.Parallel()
		stranger, member := newPerson(t, site), newPerson(t, site)
		member.decide(t, demo.authorizeURL(client), "deny") // signs in on the way
		for name, address := range map[string]string{"prompt=none": demo.authorizeURL(client, "prompt", "none"), "an instant error": demo.authorizeURL(client, "response_type", "token")} {
			if page := stranger.pageOf(t, address); page.location(t) != nil || page.status != http.StatusBadRequest || strings.Contains(strings.ToLower(page.body), "http-equiv=\"refresh\"") {
				t.Errorf("%s without a session = %d, Location %v", name, page.status, page.location(t))
			}
			page := member.pageOf(t, address)
			if next := page.location(t); next == nil || next.Query().Get("error") == "" || next.Query().Get("state") != "xyz" || next.Query().Get("iss") != site {
				t.Errorf("%s with a session = %d, Location %v", name, page.status, next)
			}
		}
		page := member.pageOf(t, demo.authorizeURL(client, "redirect_uri", "https://evil.example/cb"))
		if page.location(t) != nil || page.status != http.StatusBadRequest {
			t.Errorf("another redirect URI = %d, Location %v", page.status, page.location(t))
		}
	})
	t.Run("R52 R53 R54 what clients look for in the metadata", func(t *testing.T) {
		t.Parallel()
		response := demo.open(t, http.MethodGet, "/.well-known/oauth-authorization-server")
		var m map[string]any
		if err := json.Unmarshal([]byte(response.body), &m); err != nil || response.status != http.StatusOK || !strings.HasPrefix(response.header.Get("Content-Type"), "application/json") {
			t.Fatalf("metadata = %d %s, %v", response.status, response.header.Get("Content-Type"), err)
		}
		for _, name := range []string{
			"code_challenge_methods_supported", "response_types_supported", "revocation_endpoint", "token_endpoint_auth_methods_supported", "grant_types_supported",
			"scopes_supported", "client_id_metadata_document_supported", "authorization_response_iss_parameter_supported",
		} {
			if m[name] == nil || m[name] == false {
				t.Errorf("%s = %v", name, m[name])
			}
		}
		if m["issuer"] != site {
			t.Errorf("issuer %v, want %s", m["issuer"], site)
		}
	})
	t.Run("R56 R57 the challenge says where and what to ask", func(t *testing.T) {
		t.Parallel()
		got := demo.open(t, http.MethodGet, "/mcp").header.Get("WWW-Authenticate")
		if !strings.Contains(got, `resource_metadata="`+site+`/.well-known/oauth-protected-resource/mcp"`) || !strings.Contains(got, `scope="growpanel.read growpanel.write"`) || strings.Contains(got, "offline_access") {
			t.Errorf("challenge %s", got)
		}
	})
	t.Run("R67 R71 the consent page tells who asks, for what, and where the answer goes", func(t *testing.T) {
		t.Parallel()
		who := newPerson(t, site)
		var consent string
		who.page = func(page string) {
			if strings.Contains(page, `name="decision"`) {
				consent = page
			}
		}
		who.decide(t, demo.authorizeURL(client), "deny")
		text := words([]byte(consent))
		for _, want := range []string{"Test", "this computer", "What it may do", "Read only"} {
			if !strings.Contains(text, want) {
				t.Errorf("the consent page does not say %q: %s", want, text)
			}
		}
		if !strings.Contains(consent, `name="csrf"`) || !strings.Contains(consent, "alert warn") {
			t.Error("the consent page has no CSRF token or no warning of local apps")
		}
	})
	t.Run("R70 consent is asked for each client, whoever is signed in", func(t *testing.T) {
		t.Parallel()
		who := newPerson(t, site)
		asked := 0
		who.page = func(page string) {
			if strings.Contains(page, `name="decision"`) {
				asked++
			}
		}
		who.decide(t, demo.authorizeURL(client), "allow")
		who.decide(t, demo.authorizeURL(demo.register(t)), "allow")
		who.decide(t, demo.authorizeURL(client, "state", "again"), "allow")
		if asked != 3 {
			t.Errorf("consent was asked %d times for 3 requests", asked)
		}
	})
	t.Run("R71 a decision without the page's token counts for nothing", func(t *testing.T) {
		t.Parallel()
		who := newPerson(t, site)
		who.decide(t, demo.authorizeURL(client), "deny")
		for _, path := range []string{"/consent", "/connections/revoke", "/sign-out", "/sign-in", "/password"} {
			for _, from := range []string{site, "https://evil.example", "null", "http://localhost:1"} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+path, strings.NewReader("decision=allow&email=a&password=b"))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.Header.Set("Origin", from)
				got := readReply(t, func() (*http.Response, error) { return who.http.Do(request) })
				if got.status < 400 && from != site || got.status == http.StatusOK || strings.Contains(got.header.Get("Location"), "code=") {
					t.Errorf("POST %s from %s = %d, Location %q", path, from, got.status, got.header.Get("Location"))
				}
			}
		}
	})
	t.Run("R73 an answer of a sign-in provider that nobody asked for is dropped", func(t *testing.T) {
		t.Parallel()
		page := newPerson(t, site).pageOf(t, site+"/auth/callback/google?state=x&code=y")
		if page.status < 400 || slices.ContainsFunc(page.cookies, func(c *http.Cookie) bool { return strings.Contains(c.Name, "session") && c.Value != "" }) {
			t.Errorf("callback = %d, cookies %v", page.status, page.cookies)
		}
	})
	t.Run("R75 each error has its status", func(t *testing.T) {
		t.Parallel()
		for token, want := range map[string]int{"gpa_x": http.StatusUnauthorized, "gpr_x": http.StatusUnauthorized, "gpc_x": http.StatusUnauthorized, "no-such-key": http.StatusUnauthorized} {
			if status, _ := demo.post(t, token, listTools); status != want {
				t.Errorf("token %s = %d, want %d", token, status, want)
			}
		}
		if response := demo.open(t, http.MethodGet, "/authorize?client_id="+client+"&redirect_uri="); response.status != http.StatusBadRequest {
			t.Errorf("a request without redirect_uri = %d", response.status)
		}
	})
	t.Run("R79 a call of the stateless era needs a token like any other", func(t *testing.T) {
		t.Parallel()
		body := `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
		status, answer := demo.post(t, "gpa_unknown", body)
		if status != http.StatusUnauthorized || strings.Contains(answer, "jsonrpc") {
			t.Errorf("server/discover without a token = %d %s", status, answer)
		}
	})
}

// TestServe_Tricks: what proxies and clients can add to a request changes neither
// what it means nor what is answered.
func TestServe_Tricks(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	site := demo.url(mcpName)
	for _, header := range [][]string{
		{"X-Forwarded-Host", "evil.example"},
		{"Forwarded", "host=evil.example;proto=https"},
		{"X-Original-URL", "/healthz"},
		{"X-Rewrite-URL", "/healthz"},
		{"X-Forwarded-Proto", "https"},
		{"X-HTTP-Method-Override", "POST"},
		{"X-Forwarded-Prefix", "/evil"},
	} {
		for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"} {
			got := demo.open(t, http.MethodGet, path, header...)
			if got.status != http.StatusOK || strings.Contains(got.body, "evil") || !strings.Contains(got.body, site) {
				t.Errorf("%s with %q = %d %s", path, header, got.status, got.body)
			}
		}
		if got := demo.open(t, http.MethodGet, "/mcp", header...); got.status != http.StatusUnauthorized || strings.Contains(got.header.Get("WWW-Authenticate"), "evil") {
			t.Errorf("/mcp with %q = %d %s", header, got.status, got.header.Get("WWW-Authenticate"))
		}
		if got := demo.open(t, http.MethodGet, "/token", header...); got.status != http.StatusMethodNotAllowed {
			t.Errorf("GET /token with %q = %d", header, got.status)
		}
	}
	for _, path := range []string{"//mcp", "/mcp/../token", "/./mcp", "//evil.example/..", "/%2e%2e/token", "/mcp//", "/token/", "/TOKEN", "/token%2f", "/authorize/", "/register/x"} {
		got := demo.open(t, http.MethodGet, path)
		if got.header.Get("Location") != "" || got.status != http.StatusNotFound {
			t.Errorf("%s = %d, Location %q", path, got.status, got.header.Get("Location"))
		}
	}
	for name, value := range map[string]string{
		"two schemes": "Bearer Bearer x", "a list": "Bearer x, Bearer y", "no space": "Bearerx", "Basic": "Basic eDp5", "a line break": "Bearer x\ty", "endless": "Bearer " + strings.Repeat("x", 60_000),
	} {
		if got := demo.open(t, http.MethodPost, "/mcp", "Authorization", value); got.status != http.StatusUnauthorized && got.status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("Authorization %s = %d", name, got.status)
		}
	}
}

// TestServe_Substitution: what one thing is good for, another is not.
func TestServe_Substitution(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	mine, theirs := demo.register(t), demo.register(t)
	who := newPerson(t, demo.url(mcpName))
	access, refresh := demo.connect(t, mine, who)
	otherAccess, otherRefresh := demo.connect(t, theirs, who)
	code := who.decide(t, demo.authorizeURL(mine), "allow").Query().Get("code")

	for name, bearer := range map[string]string{
		"refresh token": refresh, "code": code, "changed": flip(access), "without its prefix": strings.TrimPrefix(access, "gpa_"), "cut": access[:len(access)-1],
		"longer": access + "A", "of another case": strings.ToUpper(access), "padded": access + "=", "two": access + otherAccess,
	} {
		if status, _ := demo.post(t, bearer, listTools); status != http.StatusUnauthorized {
			t.Errorf("a call with a token that is %s = %d, want 401", name, status)
		}
	}
	for name, form := range map[string]url.Values{
		"access as refresh":      {"grant_type": {"refresh_token"}, "refresh_token": {access}, "client_id": {mine}},
		"code as refresh":        {"grant_type": {"refresh_token"}, "refresh_token": {code}, "client_id": {mine}},
		"changed refresh":        {"grant_type": {"refresh_token"}, "refresh_token": {flip(refresh)}, "client_id": {mine}},
		"another client's":       {"grant_type": {"refresh_token"}, "refresh_token": {otherRefresh}, "client_id": {mine}},
		"refresh as code":        {"grant_type": {"authorization_code"}, "code": {refresh}, "code_verifier": {verifier}, "client_id": {mine}},
		"another client's code":  {"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "client_id": {theirs}},
		"the challenge for code": {"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {challenge()}, "client_id": {mine}},
	} {
		if status, answer := demo.postForm(t, "/token", form); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
			t.Errorf("%s = %d %v, want invalid_grant", name, status, answer)
		}
	}
	for name, form := range map[string]url.Values{
		"no verifier":    {"grant_type": {"authorization_code"}, "code": {code}, "client_id": {mine}},
		"empty verifier": {"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {""}, "client_id": {mine}},
	} {
		if status, answer := demo.postForm(t, "/token", form); status != http.StatusBadRequest || answer["error"] != "invalid_request" {
			t.Errorf("%s = %d %v, want invalid_request", name, status, answer)
		}
	}
	// None of this has cost anybody their connection, or the code its use.
	for _, token := range []string{access, otherAccess} {
		if status, _ := demo.post(t, token, listTools); status != http.StatusOK {
			t.Errorf("a good token after all that = %d", status)
		}
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "client_id": {mine}}
	if status, answer := demo.postForm(t, "/token", form); status != http.StatusOK {
		t.Errorf("the code after all that = %d %v", status, answer)
	}
}

// flip changes one character in the middle of a token.
func flip(token string) string {
	at := len(token) / 2
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

// TestServe_RegistrationFlood: an address cannot hide behind a header.
func TestServe_RegistrationFlood(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	limited := 0
	for i := range 140 {
		got := demo.open(t, http.MethodPost, "/register", "Content-Type", "application/json", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i), "Forwarded", "for=1.2.3.4")
		if got.status == http.StatusTooManyRequests {
			limited++
			if got.header.Get("Retry-After") == "" {
				t.Error("a 429 without Retry-After")
			}
		}
	}
	if limited == 0 {
		t.Error("140 registrations from one address are all looked at")
	}
}

// TestR25_Audience: a token for one resource is none for another, whatever they
// share.
func TestR25_Audience(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAPI, demoConfig(t))
	cfg := config.Serve{Upstream: demo.url(apiName), Data: t.TempDir()}
	one, other := start(t, config.ServeMCP, cfg), start(t, config.ServeMCP, cfg)
	access, _ := one.connect(t, one.register(t), newPerson(t, one.url(mcpName)))
	if status, _ := one.post(t, access, listTools); status != http.StatusOK {
		t.Errorf("at its own resource = %d", status)
	}
	if status, _ := other.post(t, access, listTools); status != http.StatusUnauthorized {
		t.Errorf("at another resource = %d, want 401", status)
	}
}

// TestR72_Cookies: their names and attributes follow the public URL.
func TestR72_Cookies(t *testing.T) {
	t.Parallel()
	for public, secure := range map[string]bool{"https://mcp.example.com": true, "": false} {
		cfg := config.Serve{Data: t.TempDir(), PublicURL: public}
		server := start(t, config.ServeAll, cfg)
		listening := server.endpoints[1].listener.Addr().String()
		host := strings.TrimPrefix(server.url(mcpName), "https://")
		host = strings.TrimPrefix(host, "http://")
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listening+"/sign-in", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		page := readReply(t, func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(request) })
		if page.status != http.StatusOK || len(page.cookies) == 0 {
			t.Errorf("%s: /sign-in = %d, cookies %v", public, page.status, page.cookies)
		}
		for _, cookie := range page.cookies {
			if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.Secure != secure || strings.HasPrefix(cookie.Name, "__Host-") != secure {
				t.Errorf("%q: cookie %s", public, cookie)
			}
		}
	}
}

// TestR74_NoPassthrough: the token stays here, and the key behind it never
// reaches the client.
func TestR74_NoPassthrough(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAPI, demoConfig(t))
	upstream, err := url.Parse(demo.url(apiName))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent []string // everything that reaches the API
	var keys []string // API keys that it has given out
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			var created struct {
				Key string `json:"api_key"`
			}
			if json.Unmarshal(body, &created) == nil && created.Key != "" {
				mu.Lock()
				defer mu.Unlock()
				keys = append(keys, created.Key)
			}
			return nil
		},
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dump, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		sent = append(sent, string(dump))
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	front := start(t, config.ServeMCP, config.Serve{Upstream: api.URL, Data: t.TempDir()})
	client := front.register(t)
	access, refresh := front.connect(t, client, newPerson(t, front.url(mcpName)))
	_, answer := front.post(t, access, askMRR)
	for _, tool := range []string{`{"name":"manage_api_keys","arguments":{"action":"list"}}`, `{"name":"api_request","arguments":{"method":"GET","path":"/account/api-keys"}}`, `{"name":"manage_account","arguments":{"action":"get"}}`} {
		_, more := front.post(t, access, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+tool+`}`)
		answer += more
	}
	front.post(t, "gpa_"+strings.Repeat("A", 66), listTools)
	front.post(t, refresh, listTools)
	_, renewed := front.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}})
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 1 || len(sent) == 0 {
		t.Fatalf("the API made %d keys and was asked %d times", len(keys), len(sent))
	}
	for _, request := range sent {
		for _, prefix := range []string{"gpa_", "gpr_", "gpc_"} {
			if strings.Contains(request, prefix) {
				t.Errorf("a token reaches the API:\n%s", request)
			}
		}
	}
	answers, err := json.Marshal(renewed)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(answer+string(answers), keys[0]) || strings.Contains(answer, keys[0][len(keys[0])-36:]) {
		t.Error("the connection's API key reaches the client")
	}
}

// TestR77_IssuerStays: over a restart, with everything that depends on it.
func TestR77_IssuerStays(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAPI, demoConfig(t))
	lb := newBalancer(t)
	cfg := config.Serve{Upstream: demo.url(apiName), Data: t.TempDir(), PublicURL: lb.URL}
	var access, refresh, client string
	for restart := range 2 {
		server := start(t, config.ServeMCP, cfg)
		lb.replicas = []*url.URL{{Scheme: "http", Host: server.endpoints[0].listener.Addr().String()}}
		if body := server.page(t, lb.URL+"/.well-known/oauth-authorization-server"); !strings.Contains(body, `"issuer":"`+lb.URL+`"`) {
			t.Errorf("metadata %s", body)
		}
		if restart == 0 {
			client = server.register(t)
			access, refresh = server.connect(t, client, newPerson(t, lb.URL))
		}
		if status, _ := server.post(t, access, listTools); status != http.StatusOK {
			t.Errorf("a call after %d restarts = %d", restart, status)
		}
		if restart == 1 {
			if status, answer := server.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}}); status != http.StatusOK {
				t.Errorf("refresh after a restart = %d %v", status, answer)
			}
		}
		if err := server.stop(); err != nil {
			t.Fatal(err)
		}
	}
}
