package protocol

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func TestGuard_HostAndOrigin(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) {
		c.PublicURL = "https://mcp.example.com"
		c.AllowedOrigins = []string{"https://app.example.com:443"}
		c.AllowedHosts = []string{"mcp"}
	})
	for _, test := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:8080", "", 200},
		{"localhost", "", 200},
		{"[::1]:8080", "", 200},
		{"127.0.0.9", "", 200},
		{"mcp.example.com", "", 200},
		{"MCP.example.com.:443", "", 200},
		{"mcp:8080", "", 200},
		{"evil.example", "", 421},
		{"127.0.0.1.evil.example", "", 421},
		{"mcp.example.com.evil.example", "", 421},
		{"", "", 200}, // httptest falls back to its own

		{"127.0.0.1:8080", "http://localhost:6274", 200},
		{"127.0.0.1:8080", "http://127.0.0.1", 200},
		{"mcp.example.com", "http://localhost:6274", 403},
		{"mcp.example.com", "https://mcp.example.com", 200},
		{"mcp.example.com", "http://mcp.example.com", 403},
		{"mcp.example.com", "https://app.example.com", 200},
		{"mcp.example.com", "https://app.example.com:444", 403},
		{"127.0.0.1:8080", "https://evil.example", 403},
		{"127.0.0.1:8080", "null", 403},
		{"127.0.0.1:8080", "http://localhost.evil.example", 403},
		{"127.0.0.1:8080", "http://localhost/path", 403},
	} {
		c := call{host: test.host}
		if test.origin != "" {
			c.header = map[string]string{"Origin": test.origin}
		}
		got := do(t, s, c)
		if got.status != test.want {
			t.Errorf("host %q, origin %q = %d, want %d", test.host, test.origin, got.status, test.want)
		}
		allowed := got.header.Get("Access-Control-Allow-Origin")
		if want := test.origin; test.want == 200 && allowed != want || test.want != 200 && allowed != "" {
			t.Errorf("host %q, origin %q: Access-Control-Allow-Origin %q", test.host, test.origin, allowed)
		}
	}
}

func TestGuard_Preflight(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) { c.Authenticate = refuseEveryone })
	got := do(t, s, call{method: http.MethodOptions, header: map[string]string{
		"Origin":                         "http://localhost:6274",
		"Access-Control-Request-Method":  "POST",
		"Access-Control-Request-Headers": "authorization, mcp-param-region, x-other, mcp-param-",
	}})
	allowed := got.header.Get("Access-Control-Allow-Headers")
	if got.status != http.StatusNoContent || !strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight = %d %v", got.status, got.header)
	}
	for _, name := range []string{"Authorization", "Content-Type", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "mcp-param-region"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("Access-Control-Allow-Headers %q lacks %s", allowed, name)
		}
	}
	if strings.Contains(allowed, "x-other") || strings.HasSuffix(allowed, "mcp-param-") {
		t.Errorf("Access-Control-Allow-Headers %q allows what the server does not read", allowed)
	}
	refused := do(t, s, call{header: map[string]string{"Origin": "http://localhost:6274"}})
	if !strings.Contains(refused.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
		t.Error("a page cannot read the challenge")
	}
}

func TestGuard_Settings(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{
		{PublicURL: "mcp.example.com"},
		{PublicURL: "https://mcp.example.com/mcp"},
		{PublicURL: "ftp://mcp.example.com"},
		{AllowedOrigins: []string{"*"}},
		{AllowedHosts: []string{"https://mcp.example.com"}},
		{AllowedHosts: []string{""}},
	} {
		cfg.Logger = slog.New(slog.DiscardHandler)
		if _, err := New(cfg); err == nil {
			t.Errorf("New accepts %q %q %q", cfg.PublicURL, cfg.AllowedOrigins, cfg.AllowedHosts)
		}
	}
}

type userKey struct{}

func TestAuth_Bearer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newTestServer(t, func(c *Config) {
		c.Name = `Quoted "name"`
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Authenticate = func(ctx context.Context, token string) (context.Context, error) {
			switch token {
			case "good-key":
				return context.WithValue(ctx, userKey{}, "u"), nil
			case "blocked-key":
				return nil, fmt.Errorf("account is closed: %w", ErrForbidden)
			case "outage-key":
				return nil, errors.New("connection refused")
			default:
				return nil, ErrInvalidToken
			}
		}
	})
	const realm = `Bearer realm="Quoted \"name\""`
	for _, test := range []struct {
		authorization string
		status        int
		challenge     string
	}{
		{"Bearer good-key", 200, ""},
		{"bearer good-key", 200, ""},
		{"BEARER   good-key ", 200, ""},
		{"", 401, realm},
		{"Bearer", 401, realm},
		{"Basic Z29vZC1rZXk=", 401, realm},
		{"Bearer good-key other", 401, realm},
		{"Bearer bad-key", 401, realm + `, error="invalid_token", error_description="the token is unknown, expired or revoked"`},
		{"Bearer blocked-key", 403, ""},
		{"Bearer outage-key", 503, ""},
	} {
		c := call{}
		if test.authorization != "" {
			c.header = map[string]string{"Authorization": test.authorization}
		}
		got := do(t, s, c)
		if got.status != test.status || got.header.Get("WWW-Authenticate") != test.challenge {
			t.Errorf("Authorization %q = %d, challenge %s; want %d, %s",
				test.authorization, got.status, got.header.Get("WWW-Authenticate"), test.status, test.challenge)
		}
		if test.status == 503 && got.header.Get("Retry-After") == "" {
			t.Error("an outage does not say when to come back")
		}
	}
	if strings.Contains(log.String(), "-key") {
		t.Errorf("the log has a key:\n%s", log.String())
	}
}

// TestR43_OneTokenOneWay: two headers, or one and a parameter, are too many.
func TestR43_OneTokenOneWay(t *testing.T) {
	t.Parallel()
	two := httptest.NewRequest(http.MethodPost, "/mcp", http.NoBody)
	two.Header["Authorization"] = []string{"Bearer a", "Bearer b"}
	both := httptest.NewRequest(http.MethodPost, "/mcp?access_token=a", http.NoBody)
	both.Header.Set("Authorization", "Bearer a")
	for _, r := range []*http.Request{two, both} {
		if _, refused := bearerToken(r); refused == nil || refused.status != http.StatusBadRequest || refused.code != "invalid_request" {
			t.Errorf("%s %q: %+v, want invalid_request", r.URL, r.Header["Authorization"], refused)
		}
	}
}

// FuzzBearerToken: a request gives one token in one piece, or is refused with a
// 400 or 401; nothing that was sent shows in the refusal.
func FuzzBearerToken(f *testing.F) {
	f.Add("Bearer abc", "")
	f.Add("bearer  abc ", "access_token=x")
	f.Add("Basic eDp5", "x=y")
	f.Add("Bearer a, Bearer b", "")
	f.Fuzz(func(t *testing.T, authorization, query string) {
		r := httptest.NewRequest(http.MethodPost, "/mcp", http.NoBody)
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{authorization}
		token, refused := bearerToken(r)
		switch {
		case refused == nil && (token == "" || strings.ContainsAny(token, " \t,") || !strings.Contains(authorization, token)):
			t.Fatalf("%q gives the token %q", authorization, token)
		case refused != nil && refused.status != http.StatusBadRequest && refused.status != http.StatusUnauthorized:
			t.Fatalf("%q is refused with %d", authorization, refused.status)
		}
	})
}

// authorized returns a server with an authorization server beside it, which
// accepts the tokens that accepts has.
func authorized(t *testing.T, accepts func(token string) error) *Server {
	t.Helper()
	return newTestServer(t, func(c *Config) {
		c.Name = "test"
		c.Authenticate = func(ctx context.Context, token string) (context.Context, error) { return ctx, accepts(token) }
		c.ResourceMetadata = func(r *http.Request) string {
			return "http://" + r.Host + "/.well-known/oauth-protected-resource" + r.URL.Path
		}
		c.Scope = "read write"
	})
}

func onlyGood(token string) error {
	if token != "good" {
		return ErrInvalidToken
	}
	return nil
}

// TestR11_NoTokenInTheQuery: it is not looked at.
func TestR11_NoTokenInTheQuery(t *testing.T) {
	t.Parallel()
	got := do(t, authorized(t, onlyGood), call{path: "/mcp?access_token=good"})
	if got.status != http.StatusUnauthorized || strings.Contains(got.header.Get("WWW-Authenticate"), "error=") {
		t.Errorf("token in the query = %d, challenge %s; want 401 without an error", got.status, got.header.Get("WWW-Authenticate"))
	}
}

// TestR42_Challenges and R56, R57: without an error when no token was sent, with
// the metadata and the scope to ask for in every case.
func TestR42_Challenges(t *testing.T) {
	t.Parallel()
	s := authorized(t, onlyGood)
	const where = `resource_metadata="http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp", scope="read write"`
	for token, want := range map[string]string{
		"":    `Bearer realm="test", ` + where,
		"bad": `Bearer realm="test", error="invalid_token", error_description="the token is unknown, expired or revoked", ` + where,
	} {
		header := map[string]string{}
		if token != "" {
			header["Authorization"] = "Bearer " + token
		}
		if got := do(t, s, call{header: header}); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != want {
			t.Errorf("token %q = %d, challenge\n%s; want\n%s", token, got.status, got.header.Get("WWW-Authenticate"), want)
		}
	}
}

// TestR76_EveryRequestIsAuthenticated: whatever the method, before it is looked
// at; clients find out how to sign in by a GET.
func TestR76_EveryRequestIsAuthenticated(t *testing.T) {
	t.Parallel()
	s := authorized(t, onlyGood)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodPut, http.MethodPost} {
		for _, path := range []string{"/", "/mcp", "/mcp/"} {
			c := call{method: method, path: path, header: map[string]string{"Mcp-Session-Id": "1"}}
			if got := do(t, s, c); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s without a token = %d", method, path, got.status)
			}
			c.header["Authorization"] = "Bearer good"
			want := http.StatusMethodNotAllowed
			if method == http.MethodPost {
				want = http.StatusOK
			}
			if got := do(t, s, c); got.status != want {
				t.Errorf("%s %s with a token = %d, want %d", method, path, got.status, want)
			}
		}
	}
}

// TestR58_InsufficientScope: over HTTP a 403 with what to ask for; inside a
// batch, where one status serves several calls, an error of the protocol.
func TestR58_InsufficientScope(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) {
		c.Name, c.Scope = "test", "read write"
		c.ResourceMetadata = func(*http.Request) string { return "http://m" }
		c.Tools = append(c.Tools, server.ServerTool{
			Tool: mcpgo.NewTool("write"),
			Handler: func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return nil, ErrInsufficientScope
			},
		})
	})
	got := do(t, s, call{body: callTool("1", "write", "{}")})
	challenge := got.header.Get("WWW-Authenticate")
	if got.status != http.StatusForbidden || !strings.Contains(challenge, `error="insufficient_scope"`) ||
		!strings.Contains(challenge, `scope="read write"`) || !strings.Contains(challenge, `resource_metadata="http://m"`) {
		t.Errorf("call = %d, challenge %s", got.status, challenge)
	}
	got = do(t, s, call{body: "[" + callTool("1", "write", "{}") + "]"})
	if got.status != http.StatusOK || !strings.Contains(got.body, ErrInsufficientScope.Message) {
		t.Errorf("batch = %d %s", got.status, got.body)
	}
}

// TestWatch_RevokedStreamEnds: a stream outlives its token by one recheck at
// most, also where its address has sent so many wrong tokens that none is looked
// at, and stays open while the token cannot be checked.
func TestWatch_RevokedStreamEnds(t *testing.T) {
	t.Parallel()
	for _, wrong := range []error{ErrInvalidToken, ErrTooMany} {
		var answer atomic.Pointer[error]
		var checks atomic.Int64
		s := authorized(t, func(string) error {
			checks.Add(1)
			return *answer.Load()
		})
		s.recheck = 5 * time.Millisecond
		down := errors.New("the store is down")
		answer.Store(&down)
		ctx, release := s.watch(t.Context(), "t")
		defer release()
		for seen := checks.Load(); checks.Load() < seen+3; {
			time.Sleep(time.Millisecond)
		}
		if ctx.Err() != nil {
			t.Fatal("the stream ended while the token could not be checked")
		}
		answer.Store(&wrong)
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("the stream stays open when checking its token says: %v", wrong)
		}
	}
}

// TestHTTP_RevokedSubscriptionEnds: the open stream of a token that is revoked
// gets its final result and ends.
func TestHTTP_RevokedSubscriptionEnds(t *testing.T) {
	t.Parallel()
	var revoked atomic.Bool
	s := newTestServer(t, func(c *Config) {
		c.Options = []server.ServerOption{server.WithToolCapabilities(true)}
		c.Extend = func(*server.MCPServer) {}
		c.Authenticate = func(ctx context.Context, _ string) (context.Context, error) {
			if revoked.Load() {
				return nil, ErrInvalidToken
			}
			return ctx, nil
		}
	})
	s.recheck = 2 * time.Millisecond
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(
		modernBody(`"sub"`, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`, "{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range modernHeader("subscriptions/listen", "", map[string]string{"Authorization": "Bearer x"}) {
		r.Header.Set(name, value)
	}
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	if first := nextEvent(t, lines); first.Method != "notifications/subscriptions/acknowledged" {
		t.Fatalf("first event = %+v", first)
	}
	revoked.Store(true)
	if last := nextEvent(t, lines); string(last.ID) != `"sub"` || last.Result == nil {
		t.Errorf("last event = %+v, want the result", last)
	}
	for lines.Scan() {
		if lines.Text() != "" {
			t.Errorf("after the last event: %q", lines.Text())
		}
	}
}
