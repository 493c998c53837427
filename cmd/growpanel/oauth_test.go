package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/config"
)

const (
	callback  = "http://127.0.0.1:7777/callback"
	verifier  = "a-verifier-of-forty-three-characters-or-more-"
	listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// member is a text in an answer.
func member(t *testing.T, answer map[string]any, name string) string {
	t.Helper()
	value, ok := answer[name].(string)
	if !ok {
		t.Fatalf("%s in %v is no text", name, answer)
	}
	return value
}

// postForm sends a form to the authorization server and decodes the answer.
func (r running) postForm(t *testing.T, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	return r.send(t, path, "application/x-www-form-urlencoded", form.Encode())
}

func (r running) send(t *testing.T, path, contentType, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(mcpName)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s = %d, no JSON: %v", path, response.StatusCode, err)
	}
	return response.StatusCode, answer
}

func (r running) register(t *testing.T) string {
	t.Helper()
	status, answer := r.send(t, "/register", "application/json", `{"redirect_uris":["http://127.0.0.1/callback"],"client_name":"Test","token_endpoint_auth_method":"none"}`)
	if status != http.StatusCreated {
		t.Fatalf("register = %d %v", status, answer)
	}
	return member(t, answer, "client_id")
}

func (r running) authorizeURL(client string, change ...string) string {
	query := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "state": {"xyz"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"}, "resource": {r.url(mcpName) + "/mcp"},
	}
	for i := 0; i < len(change); i += 2 {
		query.Set(change[i], change[i+1])
	}
	return r.url(mcpName) + "/authorize?" + query.Encode()
}

// connect takes a client to its tokens.
func (r running) connect(t *testing.T, client string, who *person, change ...string) (access, refresh string) {
	t.Helper()
	back := who.decide(t, r.authorizeURL(client, change...), "allow")
	query := back.Query()
	if query.Get("code") == "" || query.Get("state") != "xyz" || !strings.HasPrefix(back.String(), callback) {
		t.Fatalf("the browser is sent to %s", back)
	}
	status, answer := r.postForm(t, "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {query.Get("code")}, "client_id": {client}, "code_verifier": {verifier}, "redirect_uri": {callback},
	})
	if status != http.StatusOK {
		t.Fatalf("token = %d %v", status, answer)
	}
	return member(t, answer, "access_token"), member(t, answer, "refresh_token")
}

func emitIss(cfg config.Serve) config.Serve {
	cfg.Connections.EmitIss = true
	return cfg
}

// TestServe_OAuth goes from a URL to tools and back: register, sign in, pick an
// account, allow, call, refresh, revoke. The MCP endpoint is in the API's
// process, and in one of its own.
func TestServe_OAuth(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, emitIss(demoConfig(t)))
	front := start(t, config.ServeMCP, emitIss(config.Serve{Upstream: demo.url(apiName), Data: t.TempDir()}))
	for name, server := range map[string]running{"in one process": demo, "in front of the API": front} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := server.register(t)
			who := newPerson(t, server.url(mcpName))
			if back := who.decide(t, server.authorizeURL(client), "deny"); back.Query().Get("error") != "access_denied" || back.Query().Get("iss") != server.url(mcpName) {
				t.Errorf("denied: the browser is sent to %s", back)
			}
			access, refresh := server.connect(t, client, who)
			if status, answer := server.post(t, access, askMRR); status != http.StatusOK || !strings.Contains(answer, "total_mrr") {
				t.Errorf("a call with the new token = %d %.200s", status, answer)
			}
			status, answer := server.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}})
			if status != http.StatusOK {
				t.Fatalf("refresh = %d %v", status, answer)
			}
			access = member(t, answer, "access_token")
			if status, _ := server.post(t, access, listTools); status != http.StatusOK {
				t.Errorf("a call after the refresh = %d", status)
			}
			if status, answer := server.postForm(t, "/revoke", url.Values{"token": {access}, "client_id": {client}}); status != http.StatusOK {
				t.Errorf("revoke = %d %v", status, answer)
			}
			if status, _ := server.post(t, access, listTools); status != http.StatusUnauthorized {
				t.Errorf("the call after the revocation = %d", status)
			}
		})
	}
}

// TestServe_OAuth_KeyGone: a connection whose API key was deleted elsewhere tells
// the model to reconnect, and is over after that.
func TestServe_OAuth_KeyGone(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	client := demo.register(t)
	who := newPerson(t, demo.url(mcpName))
	who.access = "read" // the demo's admin key cannot delete that of an owner
	access, refresh := demo.connect(t, client, who)
	if status, _ := demo.post(t, access, askMRR); status != http.StatusOK {
		t.Fatalf("a call before = %d", status)
	}
	var keys struct {
		Result struct {
			List []struct{ ID, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(demo.get(t, "account", "api-keys")), &keys); err != nil {
		t.Fatal(err)
	}
	deleted := 0
	for _, key := range keys.Result.List {
		if key.Kind == "connection" {
			deleted++
			if _, err := demo.client(t).Do(t.Context(), http.MethodDelete, []string{"account", "api-keys", key.ID}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if deleted != 1 {
		t.Fatalf("%d keys of connections, want 1", deleted)
	}
	if status, answer := demo.post(t, access, askMRR); status != http.StatusOK || !strings.Contains(answer, "connect GrowPanel again") {
		t.Errorf("the call after = %d %.300s", status, answer)
	}
	if status, _ := demo.post(t, access, listTools); status != http.StatusUnauthorized {
		t.Errorf("the call after that = %d, want 401", status)
	}
	status, answer := demo.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}})
	if status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("refresh = %d %v", status, answer)
	}
}

const writeCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"manage_data","arguments":{"action":"create","resource":"plans","body":{"id":"p","name":"P"}}}}`

// TestServe_OAuth_ReadOnly: who ticks read-only gets a connection that explains
// itself; a client that did not ask for more is told that it could.
func TestServe_OAuth_ReadOnly(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	client := demo.register(t)
	who := newPerson(t, demo.url(mcpName))
	who.access = "read"
	access, _ := demo.connect(t, client, who)
	if status, answer := demo.post(t, access, writeCall); status != http.StatusOK || !strings.Contains(answer, "read_only_connection") {
		t.Errorf("a write over a read-only connection = %d %.300s", status, answer)
	}
	if status, _ := demo.post(t, access, askMRR); status != http.StatusOK {
		t.Errorf("a read over it = %d", status)
	}
	access, _ = demo.connect(t, client, newPerson(t, demo.url(mcpName)), "scope", "growpanel.read")
	if status, answer := demo.post(t, access, writeCall); status != http.StatusForbidden || !strings.Contains(answer, "insufficient_scope") {
		t.Errorf("a write without the scope = %d %.300s", status, answer)
	}
}

// TestServe_Challenges: 401 at both resource URLs, each naming its own metadata,
// which names it in turn.
func TestServe_Challenges(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	for path, want := range map[string]string{"/": "", "/mcp": "/mcp", "/mcp/": "/mcp"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			request, err := http.NewRequestWithContext(t.Context(), method, demo.url(mcpName)+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept", "application/json, text/event-stream")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			metadata := demo.url(mcpName) + "/.well-known/oauth-protected-resource" + want
			if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusUnauthorized || !strings.Contains(got, `resource_metadata="`+metadata+`"`) {
				t.Errorf("%s %s = %d, challenge %s", method, path, response.StatusCode, got)
			}
			if body := demo.page(t, metadata); !strings.Contains(body, `"resource":"`+demo.url(mcpName)+want+`"`) {
				t.Errorf("%s = %s", metadata, body)
			}
		}
	}
	if page := demo.page(t, demo.url(mcpName)+"/"); !strings.Contains(page, "<html") {
		t.Errorf("a browser at / gets %.200s", page)
	}
}

// page gets a document as a browser does.
func (r running) page(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html, */*")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestAdmin_Tokens: an operator looks at a token beside the running server; the
// API key behind it does not show.
func TestAdmin_Tokens(t *testing.T) {
	t.Parallel()
	cfg := demoConfig(t)
	demo := start(t, config.ServeAll, cfg)
	client := demo.register(t)
	access, refresh := demo.connect(t, client, newPerson(t, demo.url(mcpName)))
	inspect := func(token string) (string, int) {
		t.Helper()
		out, _, code := command(t, nil, token+"\n", "admin", "token", "inspect", "--data", demoFolder(cfg))
		return out, code
	}
	for _, token := range []string{access, refresh} {
		out, code := inspect(token)
		if code != 0 || !strings.Contains(out, `"active": true`) || !strings.Contains(out, client) || !strings.Contains(out, demoUser) {
			t.Errorf("inspect = %d %s", code, out)
		}
	}
	if out, code := inspect(access[:len(access)-2] + "AA"); code != 0 || strings.Contains(out, "true") || strings.Contains(out, client) {
		t.Errorf("inspect of a changed token = %d %s", code, out)
	}
	if _, code := inspect("an-api-key"); code == 0 {
		t.Error("something that is no token is inspected")
	}
	if out, _, code := command(t, nil, "", "admin", "rotate-secret", "--data", demoFolder(cfg)); code != 0 || !strings.Contains(out, "sealed 0 records") {
		t.Errorf("rotate-secret = %d %s", code, out)
	}
	if _, stderr, code := command(t, nil, access, "admin", "token", "inspect", "--data", t.TempDir()); code == 0 || !strings.Contains(stderr, "no connections") {
		t.Errorf("inspect in an empty folder = %d %s", code, stderr)
	}
}

// TestServe_OAuth_Audit: who connected, refreshed, was refused and revoked, and
// nothing that could be used.
func TestServe_OAuth_Audit(t *testing.T) {
	t.Parallel()
	cfg := demoConfig(t)
	demo := start(t, config.ServeAll, cfg)
	client := demo.register(t)
	access, refresh := demo.connect(t, client, newPerson(t, demo.url(mcpName)))
	demo.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}})
	demo.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh + "x"}, "client_id": {client}})
	demo.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"gpcl_unknown"}})
	demo.postForm(t, "/revoke", url.Values{"token": {access}, "client_id": {client}})
	if err := demo.stop(); err != nil { // what waits is written before the end
		t.Fatal(err)
	}
	out, stderr, code := command(t, nil, "", "admin", "audit", "--json", "--data", demoFolder(cfg))
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{
		"client_registered", "sign_in", "grant_consented", "grant_created", "token_refreshed", "token_malformed", "invalid_client", "grant_ended", "client_revoked", client,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the audit log has no %q:\n%s", want, out)
		}
	}
	logs := demo.logs.String()
	if !strings.Contains(logs, "path=/token") {
		t.Error("the log does not tell of requests")
	}
	for _, secret := range []string{access, refresh, "gpa_", "gpr_", "gpc_", "gpcs_", "code=", "csrf", verifier, demoPassword, demoKey} {
		if strings.Contains(out, secret) {
			t.Errorf("the audit log tells %q", secret)
		}
		if strings.Contains(logs, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

// TestServe_WrongKeys: guessing keys is held off per address, and a right key is
// let in all the same.
func TestServe_WrongKeys(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	status := 0
	for range 40 {
		status, _ = demo.post(t, "de300000-0000-4000-8000-000000000001.de300000-0000-4000-8000-00000000dead", listTools)
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the 40th wrong key = %d, want 429", status)
	}
	if status, _ := demo.post(t, demoKey, listTools); status != http.StatusOK {
		t.Errorf("the right key after that = %d", status)
	}
}

// TestServe_UserTokenIsNoKey: the token with which the pages speak for a user
// opens no tool.
func TestServe_UserTokenIsNoKey(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	api := func(body string, segments ...string) map[string]any {
		t.Helper()
		response, err := demo.client(t).Do(t.Context(), http.MethodPost, segments, nil, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(response.Body, &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	session := member(t, api(`{"email":"`+demoUser+`","password":"`+demoPassword+`"}`, "auth", "sign-in"), "session")
	token := member(t, api(`{"session":"`+session+`"}`, "auth", "token"), "token")
	for name, bearer := range map[string]string{"session": session, "user token": token} {
		if status, _ := demo.post(t, bearer, listTools); status != http.StatusUnauthorized {
			t.Errorf("a call with a %s = %d, want 401", name, status)
		}
	}
}

// TestServe_KeysOnly: in front of an API from before there were users nothing
// promises a sign-in, and keys work as ever.
func TestServe_KeysOnly(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path != "/integrations/verify":
			w.WriteHeader(http.StatusNotFound)
		case r.Header.Get("Authorization") != "Bearer right":
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(api.Close)
	folder := filepath.Join(t.TempDir(), "data")
	front := start(t, config.ServeMCP, config.Serve{Upstream: api.URL, Data: folder})
	for _, path := range []string{
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server",
		"/register", "/token", "/authorize", "/sign-in", "/connections",
	} {
		if got := front.open(t, http.MethodGet, path); got.status != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, got.status)
		}
	}
	response := front.open(t, http.MethodGet, "/mcp")
	if got := response.header.Get("WWW-Authenticate"); response.status != http.StatusUnauthorized || !strings.HasPrefix(got, "Bearer") || strings.Contains(got, "resource_metadata") {
		t.Errorf("GET /mcp = %d, challenge %s", response.status, got)
	}
	for key, want := range map[string]int{"right": http.StatusOK, "wrong": http.StatusUnauthorized, "gpa_x": http.StatusUnauthorized} {
		if status, _ := front.post(t, key, listTools); status != want {
			t.Errorf("key %s = %d, want %d", key, status, want)
		}
	}
	if page := front.page(t, front.url(mcpName)+"/"); !strings.Contains(page, "<html") {
		t.Errorf("landing page: %.200s", page)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data folder: %v, want none where there is nothing to keep", err)
	}
}
