package mcp

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// connected returns a handler for one caller, and what is told of refused keys.
func connected(t *testing.T, api http.Handler, caller Caller) (http.Handler, *[]string) {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{
		BaseURL: "http://api.test", Key: apiclient.NewSecret("k.s"), MaxWait: -1, Transport: apiclient.InProcess(api),
	})
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	s, err := New(Config{
		Version: "test", Now: time.Now, Scope: "growpanel.read growpanel.write",
		ClientFor:        func(context.Context, Caller) (*apiclient.Client, error) { return client, nil },
		Authenticate:     func(context.Context, string) (Caller, error) { return caller, nil },
		KeyRefused:       func(_ context.Context, c Caller) { refused = append(refused, c.Connection) },
		ResourceMetadata: func(*http.Request) string { return "https://mcp.example.com/.well-known/oauth-protected-resource/mcp" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler(), &refused
}

func postTool(t *testing.T, h http.Handler, name, arguments string) *httptest.ResponseRecorder {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + name + `","arguments":` + arguments + `}}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer gpa_x")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const write = `{"action":"create","resource":"plans","body":{"id":"p"}}`

// TestConnection_Writes: every tool lists the same for all connections, and what
// writes is refused where the connection does not allow it, before the API is
// asked.
func TestConnection_Writes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		writes Writes
		status int
		says   string
		asked  int
	}{
		"allowed":   {WritesAllowed, http.StatusOK, `"result"`, 1},
		"not asked": {WritesNotAsked, http.StatusForbidden, "insufficient_scope", 0},
		"denied":    {WritesDenied, http.StatusOK, "read_only_connection", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &stubAPI{}
			h, _ := connected(t, api, Caller{ID: "c", Connection: "f", Writes: tt.writes})
			w := postTool(t, h, "manage_data", write)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || len(api.asked) != tt.asked {
				t.Errorf("a call that writes = %d %s, asked %q", w.Code, w.Body, api.asked)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (tt.status == http.StatusForbidden) != strings.Contains(challenge, `scope="growpanel.read growpanel.write"`) {
				t.Errorf("challenge = %s", challenge)
			}
			if w := postTool(t, h, "list_plans", `{}`); w.Code != http.StatusOK || len(api.asked) != tt.asked+1 {
				t.Errorf("a call that reads = %d %s", w.Code, w.Body)
			}
		})
	}
}

// TestConnection_KeyGone: the model is told to have the user reconnect, and the
// connection is reported; a key of the caller's own is not.
func TestConnection_KeyGone(t *testing.T) {
	t.Parallel()
	for connection, wantRefused := range map[string]int{"f": 1, "": 0} {
		h, refused := connected(t, replying(http.StatusUnauthorized, "application/json", `{"error":"no such key"}`), Caller{ID: "c", Connection: connection})
		w := postTool(t, h, "list_plans", `{}`)
		if w.Code != http.StatusOK || len(*refused) != wantRefused || strings.Contains(w.Body.String(), "connect GrowPanel again") != (wantRefused == 1) {
			t.Errorf("connection %q: %d %s, reported %q", connection, w.Code, w.Body, *refused)
		}
	}
}
