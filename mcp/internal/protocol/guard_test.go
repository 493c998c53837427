package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
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
		{"evil.example", "", 403},
		{"127.0.0.1.evil.example", "", 403},
		{"mcp.example.com.evil.example", "", 403},
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
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Methods") != "POST" {
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
		{"Bearer bad-key", 401, realm + `, error="invalid_token", error_description="the API key is unknown, expired or revoked"`},
		{"Bearer blocked-key", 403, ""},
		{"Bearer outage-key", 503, ""},
	} {
		c := call{path: "/mcp?access_token=good-key"}
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

func TestAuth_OneHeaderOnly(t *testing.T) {
	t.Parallel()
	header := http.Header{"Authorization": {"Bearer a", "Bearer b"}}
	if _, refused := bearerToken(header); refused == nil || refused.status != http.StatusBadRequest || refused.code != "invalid_request" {
		t.Errorf("two Authorization headers: %+v, want invalid_request", refused)
	}
}
