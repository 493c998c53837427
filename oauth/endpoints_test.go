package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
	"github.com/growpanel/growpanel-mcp/oauth/sqlstore"
)

const (
	testResource = testIssuer + "/mcp"
	testRedirect = "https://client.example/cb"
	testUser     = "0b9c4f1e-0000-4000-8000-000000000001"
	testAccount  = "0b9c4f1e-0000-4000-8000-0000000000aa"
)

// server is the authorization server over a real store, without its pages: the
// consent that they end with is given directly.
type server struct {
	http.Handler

	grants  *oauth.Grants
	clients *oauth.Clients
	clock   *oauthtest.Clock
	api     *oauthtest.API
	store   *failing
	limits  *oauth.MemoryLimits
	site    *publisher // where clients may publish

	mu     sync.Mutex
	audit  []oauth.AuditEvent
	issued int
}

// failing is a store that can be switched off.
type failing struct {
	*sqlstore.Store
	down bool
}

func (f *failing) Client(ctx context.Context, id string) (oauth.RegisteredClient, error) {
	if f.down {
		return oauth.RegisteredClient{}, oauth.ErrUnavailable
	}
	return f.Store.Client(ctx, id)
}

func (f *failing) CreateClient(ctx context.Context, c oauth.RegisteredClient) error {
	if f.down {
		return oauth.ErrUnavailable
	}
	return f.Store.CreateClient(ctx, c)
}

func newServer(t *testing.T, change ...func(*oauth.EndpointsConfig)) *server {
	t.Helper()
	s := &server{clock: &oauthtest.Clock{}, api: oauthtest.NewAPI(), site: newPublisher(t)}
	store, err := sqlstore.Open(t.Context(), t.TempDir(), sqlstore.Config{Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.store, s.limits = &failing{Store: store}, oauth.NewMemoryLimits(s.clock.Now)
	record := func(_ context.Context, e oauth.AuditEvent) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.audit = append(s.audit, e)
	}
	s.grants = oauth.New(oauth.Config{
		Store: store, API: s.api, Keys: oauthtest.Keyring(t, "first"), Audit: record, Logger: quiet(), Now: s.clock.Now,
	})
	s.clients = oauth.NewClients(oauth.ClientsConfig{
		Store: s.store, Records: store, Limits: s.limits, Outgoing: s.site.outgoing(),
		Issuer: testIssuer, TokenEndpoint: testToken, KeepFor: time.Hour, Logger: quiet(), Now: s.clock.Now,
	})
	resources, err := protocol.NewResources(testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	cfg := oauth.EndpointsConfig{
		Grants: s.grants, Clients: s.clients, Limits: s.limits, Resources: resources, EmitIss: true, Audit: record, Logger: quiet(),
	}
	for _, fn := range change {
		fn(&cfg)
	}
	mux := http.NewServeMux()
	oauth.NewEndpoints(cfg).Register(mux)
	s.Handler = httpx.Chain(mux, oauth.HostGuard(resources, "/healthz"))
	return s
}

// do sends a request. body is a form, or JSON when it begins with a brace.
func (s *server) do(t *testing.T, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, testIssuer+path, strings.NewReader(body))
	contentType := "application/x-www-form-urlencoded"
	if strings.HasPrefix(body, "{") {
		contentType = "application/json"
	}
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// answer decodes a JSON answer and checks what every answer must have.
func answer(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("answer %d is not JSON: %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("Content-Type %q", got)
	}
	if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	return body
}

// text is a member of an answer.
func text(t *testing.T, answer map[string]any, name string) string {
	t.Helper()
	value, ok := answer[name].(string)
	if !ok {
		t.Fatalf("%s in %v is no text", name, answer)
	}
	return value
}

// wantError checks an OAuth error.
func wantError(t *testing.T, what string, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	body := answer(t, w)
	if w.Code != status || body["error"] != code || body["error_description"] == "" {
		t.Errorf("%s: %d %s, want %d %s", what, w.Code, w.Body, status, code)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: Cache-Control %q", what, w.Header().Get("Cache-Control"))
	}
}

// register registers a client and returns its id and secret.
func (s *server) register(t *testing.T, method string) (id, secret string) {
	t.Helper()
	w := s.do(t, http.MethodPost, "/register", `{"redirect_uris":["`+testRedirect+`","http://localhost/cb"],"client_name":"x","token_endpoint_auth_method":"`+method+`"}`)
	if w.Code != http.StatusCreated {
		t.Fatalf("register = %d %s", w.Code, w.Body)
	}
	body := answer(t, w)
	if body["client_secret"] != nil {
		secret = text(t, body, "client_secret")
	}
	return text(t, body, "client_id"), secret
}

// consent gives a client a code, as the pages do.
func (s *server) consent(t *testing.T, client string, change ...func(*oauth.Grant)) string {
	t.Helper()
	s.issued++
	r := oauth.CodeRequest{
		Transaction: fmt.Sprint("tx", s.issued), Challenge: oauthtest.Challenge(), UserToken: oauth.NewSecret("user"), KeyName: "x",
		Grant: oauth.Grant{
			User: testUser, UserName: "ann@example.com", Account: testAccount, AccountName: "Acme", Client: client, ClientName: "x",
			Redirect: testRedirect, Role: "admin", Scope: protocol.DefaultScope.String(), Resource: testResource,
		},
	}
	for _, fn := range change {
		fn(&r.Grant)
	}
	code, err := s.grants.IssueCode(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return code.Reveal()
}

func redeemForm(client, code string, more ...string) string {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "code_verifier": {oauthtest.Verifier}}
	return with(form, more...)
}

func refreshForm(client, token string, more ...string) string {
	return with(url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}, more...)
}

// with sets name, value pairs; a value "-" removes.
func with(form url.Values, more ...string) string {
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
		if more[i+1] == "-" {
			form.Del(more[i])
		}
	}
	return form.Encode()
}

type tokens struct{ access, refresh, scope string }

// mustToken sends a form to /token and returns what it gives.
func (s *server) mustToken(t *testing.T, form string) tokens {
	t.Helper()
	w := s.do(t, http.MethodPost, "/token", form)
	if w.Code != http.StatusOK {
		t.Fatalf("token = %d %s", w.Code, w.Body)
	}
	body := answer(t, w)
	return tokens{text(t, body, "access_token"), text(t, body, "refresh_token"), text(t, body, "scope")}
}

// connect registers a public client and takes it to its first tokens.
func (s *server) connect(t *testing.T) (client string, got tokens) {
	t.Helper()
	client, _ = s.register(t, "none")
	return client, s.mustToken(t, redeemForm(client, s.consent(t, client)))
}

func (s *server) good(t *testing.T, access string) bool {
	t.Helper()
	_, err := s.grants.CheckAccess(t.Context(), oauth.NewSecret(access))
	if err != nil && !errors.Is(err, oauth.ErrInvalidToken) {
		t.Fatal(err)
	}
	return err == nil
}

func (s *server) audited(action, reason string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.audit {
		if e.Action == action && e.Reason == reason {
			return true
		}
	}
	return false
}

// TestR7_CodeOnce: and bound to client, redirect URI, challenge and resource.
func TestR7_CodeOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	other, _ := s.register(t, "none")
	code := s.consent(t, client)
	for name, form := range map[string]string{
		"another client":     redeemForm(other, code),
		"another verifier":   redeemForm(client, code, "code_verifier", strings.Repeat("a", 43)),
		"another redirect":   redeemForm(client, code, "redirect_uri", "http://localhost/cb"),
		"an unknown code":    redeemForm(client, code[:len(code)-4]+"AAAA"),
		"an access token":    redeemForm(client, "gpa_x"),
		"a malformed code":   redeemForm(client, "x"),
		"a code with spaces": redeemForm(client, " "+code),
	} {
		wantError(t, name, s.do(t, http.MethodPost, "/token", form), http.StatusBadRequest, "invalid_grant")
	}
	wantError(t, "another resource", s.do(t, http.MethodPost, "/token", redeemForm(client, code, "resource", "https://evil.example")), http.StatusBadRequest, "invalid_target")
	got := s.mustToken(t, redeemForm(client, code, "redirect_uri", testRedirect, "resource", testIssuer+"/"))
	wantError(t, "twice", s.do(t, http.MethodPost, "/token", redeemForm(client, code)), http.StatusBadRequest, "invalid_grant")
	if !s.good(t, got.access) {
		t.Error("a double click ends the connection")
	}
	expired := s.consent(t, client)
	s.clock.Advance(2 * time.Minute)
	wantError(t, "too late", s.do(t, http.MethodPost, "/token", redeemForm(client, expired)), http.StatusBadRequest, "invalid_grant")
}

// TestR8_CodeReplayRevokes: what the code gave, once a retry cannot explain it.
func TestR8_CodeReplayRevokes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	code := s.consent(t, client)
	got := s.mustToken(t, redeemForm(client, code))
	s.clock.Advance(time.Minute)
	wantError(t, "a thief without the verifier", s.do(t, http.MethodPost, "/token", redeemForm(client, code, "code_verifier", strings.Repeat("b", 50))), http.StatusBadRequest, "invalid_grant")
	if !s.good(t, got.access) {
		t.Fatal("who does not know the verifier can end a connection")
	}
	wantError(t, "replay", s.do(t, http.MethodPost, "/token", redeemForm(client, code)), http.StatusBadRequest, "invalid_grant")
	if s.good(t, got.access) || !s.audited(oauth.ActionEnded, string(oauth.ReasonCodeReplay)) {
		t.Error("a replayed code leaves its tokens good")
	}
	wantError(t, "refresh after", s.do(t, http.MethodPost, "/token", refreshForm(client, got.refresh)), http.StatusBadRequest, "invalid_grant")
	if len(s.api.Keys()) != 0 {
		t.Error("the API key outlives its family")
	}
}

// TestR9_RedirectAtTheTokenEndpoint: not needed, and equal when sent.
func TestR9_RedirectAtTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	loopback := func(g *oauth.Grant) { g.Redirect = "http://localhost:4711/cb" }
	wantError(t, "another port", s.do(t, http.MethodPost, "/token", redeemForm(client, s.consent(t, client, loopback), "redirect_uri", "http://localhost:4712/cb")), http.StatusBadRequest, "invalid_grant")
	s.mustToken(t, redeemForm(client, s.consent(t, client, loopback), "redirect_uri", "http://localhost:4711/cb"))
	s.mustToken(t, redeemForm(client, s.consent(t, client, loopback)))
}

// TestR10_NoOtherGrants: neither passwords nor anything else.
func TestR10_NoOtherGrants(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	for _, grant := range []string{"password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange", "AUTHORIZATION_CODE"} {
		w := s.do(t, http.MethodPost, "/token", with(url.Values{"grant_type": {grant}, "client_id": {client}, "username": {"a"}, "password": {"b"}}))
		wantError(t, grant, w, http.StatusBadRequest, "unsupported_grant_type")
	}
	wantError(t, "none", s.do(t, http.MethodPost, "/token", "client_id="+client), http.StatusBadRequest, "invalid_request")
	for name, form := range map[string]string{
		"no code": redeemForm(client, "", "code", "-"), "no verifier": redeemForm(client, "gpc_x", "code_verifier", "-"), "no refresh token": refreshForm(client, ""),
		"a short verifier": redeemForm(client, "gpc_x", "code_verifier", "short"),
	} {
		wantError(t, name, s.do(t, http.MethodPost, "/token", form), http.StatusBadRequest, "invalid_request")
	}
}

// TestR12_RefreshRotates: a new token each time; the old one ends the family
// once it is older than the one before.
func TestR12_RefreshRotates(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, first := s.connect(t)
	second := s.mustToken(t, refreshForm(client, first.refresh))
	third := s.mustToken(t, refreshForm(client, second.refresh))
	if first.refresh == second.refresh || second.refresh == third.refresh || first.access == second.access {
		t.Error("a token comes twice")
	}
	wantError(t, "reuse", s.do(t, http.MethodPost, "/token", refreshForm(client, first.refresh)), http.StatusBadRequest, "invalid_grant")
	if s.good(t, third.access) || !s.audited(oauth.ActionEnded, string(oauth.ReasonReuse)) {
		t.Error("reuse leaves the family alive")
	}
}

// TestR12_ParallelRefreshes: clients race each other, and all get the same
// successor.
func TestR12_ParallelRefreshes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, first := s.connect(t)
	var all sync.WaitGroup
	successors := make([]string, 20)
	for i := range successors {
		all.Go(func() {
			w := s.do(t, http.MethodPost, "/token", refreshForm(client, first.refresh))
			if w.Code != http.StatusOK {
				t.Errorf("refresh %d = %d %s", i, w.Code, w.Body)
				return
			}
			successors[i] = fmt.Sprint(answer(t, w)["refresh_token"])
		})
	}
	all.Wait()
	for _, got := range successors {
		if got != successors[0] {
			t.Fatal("two different successors of one refresh token")
		}
	}
	s.mustToken(t, refreshForm(client, successors[0]))
}

// TestR13_RefreshBounds: the client, the scope and the resource of the grant.
func TestR13_RefreshBounds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	other, _ := s.register(t, "none")
	readOnly := func(g *oauth.Grant) { g.Scope = protocol.Read.String() }
	got := s.mustToken(t, redeemForm(client, s.consent(t, client, readOnly)))
	wantError(t, "another client", s.do(t, http.MethodPost, "/token", refreshForm(other, got.refresh)), http.StatusBadRequest, "invalid_grant")
	wantError(t, "more scope", s.do(t, http.MethodPost, "/token", refreshForm(client, got.refresh, "scope", "growpanel.write")), http.StatusBadRequest, "invalid_scope")
	wantError(t, "another resource", s.do(t, http.MethodPost, "/token", refreshForm(client, got.refresh, "resource", "https://evil.example")), http.StatusBadRequest, "invalid_target")
	next := s.mustToken(t, refreshForm(client, got.refresh, "scope", " offline_access growpanel.read  claudeai", "resource", testIssuer))
	if next.scope != "growpanel.read" {
		t.Errorf("scope = %q", next.scope)
	}
	if next = s.mustToken(t, refreshForm(client, next.refresh)); next.scope != "growpanel.read" {
		t.Errorf("scope without asking = %q", next.scope)
	}
}

// TestR14_RefreshExpires: after 90 days without use.
func TestR14_RefreshExpires(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, got := s.connect(t)
	s.clock.Advance(91 * 24 * time.Hour)
	wantError(t, "after 91 days", s.do(t, http.MethodPost, "/token", refreshForm(client, got.refresh)), http.StatusBadRequest, "invalid_grant")
}

// TestR16_NoStore: on success and on errors.
func TestR16_NoStore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	for _, form := range []string{redeemForm(client, s.consent(t, client)), redeemForm(client, "x"), ""} {
		if w := s.do(t, http.MethodPost, "/token", form); w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d: Cache-Control %q", w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

// TestR17_RepeatedParameters: at the token endpoint.
func TestR17_RepeatedParameters(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "none")
	code := s.consent(t, client)
	for _, again := range []string{"grant_type=authorization_code", "code=x", "client_id=" + client, "unknown=1&unknown=2"} {
		wantError(t, again, s.do(t, http.MethodPost, "/token", redeemForm(client, code)+"&"+again), http.StatusBadRequest, "invalid_request")
	}
	s.mustToken(t, redeemForm(client, code)+"&resource="+url.QueryEscape(testResource)+"&resource="+url.QueryEscape(testIssuer)+"&unknown=1")
}

// TestR18_TokenEndpointMethods: POST of a form alone.
func TestR18_TokenEndpointMethods(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, path := range []string{"/token", "/revoke", "/register"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			w := s.do(t, method, path, "")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST, OPTIONS" {
				t.Errorf("%s %s = %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	wantError(t, "JSON", s.do(t, http.MethodPost, "/token", `{"grant_type":"x"}`), http.StatusBadRequest, "invalid_request")
	wantError(t, "parameters in the query", s.do(t, http.MethodPost, "/token?grant_type=refresh_token&client_id=x", ""), http.StatusUnauthorized, "invalid_client")
}

// TestR19_FailedBasic: is told by a challenge, and two ways at once are refused.
func TestR19_FailedBasic(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, secret := s.register(t, "client_secret_basic")
	basic := func(user, password string) string {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	code := s.consent(t, client)
	w := s.do(t, http.MethodPost, "/token", redeemForm(client, code), "Authorization", basic(client, "wrong"))
	wantError(t, "wrong secret", w, http.StatusUnauthorized, "invalid_client")
	if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("challenge %q", w.Header().Get("WWW-Authenticate"))
	}
	wantError(t, "two ways", s.do(t, http.MethodPost, "/token", redeemForm(client, code, "client_secret", secret), "Authorization", basic(client, secret)), http.StatusBadRequest, "invalid_request")
	wantError(t, "no secret", s.do(t, http.MethodPost, "/token", redeemForm(client, code)), http.StatusUnauthorized, "invalid_client")
	if w := s.do(t, http.MethodPost, "/token", redeemForm(client, code), "Authorization", basic(client, secret)); w.Code != http.StatusOK {
		t.Errorf("right secret = %d %s", w.Code, w.Body)
	}
	if !s.audited(oauth.ActionRefused, "invalid_client") {
		t.Error("a refused client is not audited")
	}
}

// TestR26_Entropy: tokens are long, and no two of many are equal.
func TestR26_Entropy(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, got := s.connect(t)
	seen := map[string]bool{}
	for range 200 {
		got = s.mustToken(t, refreshForm(client, got.refresh))
		for _, token := range []string{got.access, got.refresh} {
			if seen[token] || len(token) < 4+43 {
				t.Fatalf("token of %d characters, seen before: %v", len(token), seen[token])
			}
			seen[token] = true
		}
	}
}

// TestR33_Registration: 201 with what took effect, nothing empty, integers alone.
func TestR33_Registration(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.do(t, http.MethodPost, "/register", `{"redirect_uris":["`+testRedirect+`"],"client_name":null,"client_uri":"","logo_uri":null,"grant_types":["authorization_code","refresh_token","implicit"],"token_endpoint_auth_method":"none"}`)
	body := answer(t, w)
	if w.Code != http.StatusCreated || !strings.HasPrefix(text(t, body, "client_id"), "gpcl_") || body["token_endpoint_auth_method"] != "none" ||
		fmt.Sprint(body["redirect_uris"]) != "["+testRedirect+"]" || fmt.Sprint(body["grant_types"]) != "[authorization_code refresh_token]" || fmt.Sprint(body["response_types"]) != "[code]" {
		t.Errorf("register = %d %s", w.Code, w.Body)
	}
	for name, value := range body {
		if value == nil || value == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if strings.Contains(w.Body.String(), ".") && strings.Contains(w.Body.String(), "issued_at\":1.") {
		t.Errorf("a time is not an integer: %s", w.Body)
	}
}

// TestR36_SecretExpiry: with a secret 0, without none of both.
func TestR36_SecretExpiry(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for method, secret := range map[string]bool{"none": false, "client_secret_post": true, "client_secret_basic": true, "": true} {
		w := s.do(t, http.MethodPost, "/register", `{"redirect_uris":["`+testRedirect+`"],"token_endpoint_auth_method":"`+method+`"}`)
		body := answer(t, w)
		expires, has := body["client_secret_expires_at"]
		if _, given := body["client_secret"]; given != secret || has != secret || has && expires != 0.0 {
			t.Errorf("method %q: %s", method, w.Body)
		}
	}
}

// TestR37_RegistrationErrorsAreJSON: whatever is wrong.
func TestR37_RegistrationErrorsAreJSON(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	wantError(t, "no body", s.do(t, http.MethodPost, "/register", ""), http.StatusBadRequest, "invalid_client_metadata")
	wantError(t, "no redirect", s.do(t, http.MethodPost, "/register", `{}`), http.StatusBadRequest, "invalid_redirect_uri")
	wantError(t, "bad redirect", s.do(t, http.MethodPost, "/register", `{"redirect_uris":["javascript:alert(1)"]}`), http.StatusBadRequest, "invalid_redirect_uri")
	wantError(t, "form", s.do(t, http.MethodPost, "/register", "a=b"), http.StatusBadRequest, "invalid_client_metadata")
}

// TestR38_NoRegistrationManagement: neither promised nor served.
func TestR38_NoRegistrationManagement(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.do(t, http.MethodPost, "/register", `{"redirect_uris":["`+testRedirect+`"]}`)
	if strings.Contains(w.Body.String(), "registration_client_uri") || strings.Contains(w.Body.String(), "registration_access_token") {
		t.Errorf("registration promises management: %s", w.Body)
	}
}

// TestR39_RevokeOwnTokensAlone: an unknown or foreign token is no error and
// changes nothing.
func TestR39_RevokeOwnTokensAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, got := s.connect(t)
	other, _ := s.register(t, "none")
	for name, form := range map[string]string{
		"foreign access": "client_id=" + other + "&token=" + got.access, "foreign refresh": "client_id=" + other + "&token=" + got.refresh,
		"unknown": "client_id=" + client + "&token=gpr_x", "an API key": "client_id=" + client + "&token=abc",
	} {
		if w := s.do(t, http.MethodPost, "/revoke", form); w.Code != http.StatusOK || !s.good(t, got.access) {
			t.Errorf("%s: %d %s, token good: %v", name, w.Code, w.Body, s.good(t, got.access))
		}
	}
	wantError(t, "no client", s.do(t, http.MethodPost, "/revoke", "token="+got.access), http.StatusUnauthorized, "invalid_client")
	wantError(t, "no token", s.do(t, http.MethodPost, "/revoke", "client_id="+client), http.StatusBadRequest, "invalid_request")
}

// TestR40_RevokeEndsTheFamily: by either token, with the API key.
func TestR40_RevokeEndsTheFamily(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, which := range []string{"access", "refresh"} {
		client, got := s.connect(t)
		token := map[string]string{"access": got.access, "refresh": got.refresh}[which]
		form := "client_id=" + client + "&token_type_hint=nonsense&token=" + token
		for range 2 {
			if w := s.do(t, http.MethodPost, "/revoke", form); w.Code != http.StatusOK {
				t.Errorf("revoke by %s = %d %s", which, w.Code, w.Body)
			}
		}
		if s.good(t, got.access) || len(s.api.Keys()) != 0 {
			t.Errorf("revoked by %s: access good %v, %d keys", which, s.good(t, got.access), len(s.api.Keys()))
		}
		wantError(t, "refresh", s.do(t, http.MethodPost, "/token", refreshForm(client, got.refresh)), http.StatusBadRequest, "invalid_grant")
	}
}

// TestR15_RevocationIsInstant: a token of 30 days is looked up at every use.
func TestR15_RevocationIsInstant(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, got := s.connect(t)
	if !s.good(t, got.access) {
		t.Fatal("a new token is refused")
	}
	s.do(t, http.MethodPost, "/revoke", "client_id="+client+"&token="+got.refresh)
	if s.good(t, got.access) {
		t.Error("the call after the revocation is let in")
	}
}

// TestR41_Introspection: for the operator's own service, if there is one.
func TestR41_Introspection(t *testing.T) {
	t.Parallel()
	if w := newServer(t).do(t, http.MethodPost, "/introspect", "token=x"); w.Code != http.StatusNotFound {
		t.Errorf("without a secret: %d, want 404", w.Code)
	}
	s := newServer(t, func(c *oauth.EndpointsConfig) { c.IntrospectionSecret = oauth.NewSecret("tell-me") })
	_, got := s.connect(t)
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	r.SetBasicAuth("introspect", "tell-me")
	right := r.Header.Get("Authorization")
	r.SetBasicAuth("introspect", "wrong")
	wrong := r.Header.Get("Authorization")

	w := s.do(t, http.MethodPost, "/introspect", "token="+got.access, "Authorization", right)
	body := answer(t, w)
	if body["active"] != true || body["sub"] != testUser || body["aud"] != testResource || body["iss"] != testIssuer || body["account"] != testAccount || body["scope"] == "" {
		t.Errorf("introspection = %s", w.Body)
	}
	if strings.Contains(w.Body.String(), "api-key-secret") {
		t.Error("introspection tells the API key")
	}
	for _, token := range []string{"gpa_x", "abc", got.access + "x"} {
		if w := s.do(t, http.MethodPost, "/introspect", "token="+token, "Authorization", right); strings.TrimSpace(w.Body.String()) != `{"active":false}` {
			t.Errorf("token %s = %s", token, w.Body)
		}
	}
	for name, header := range map[string][]string{"anonymous": nil, "wrong": {"Authorization", wrong}} {
		w := s.do(t, http.MethodPost, "/introspect", "token="+got.access, header...)
		wantError(t, name, w, http.StatusUnauthorized, "invalid_client")
		if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%s: no challenge", name)
		}
	}
	wantError(t, "in the body", s.do(t, http.MethodPost, "/introspect", "client_id=introspect&client_secret=tell-me&token=x"), http.StatusUnauthorized, "invalid_client")
	for range 20 {
		w = s.do(t, http.MethodPost, "/introspect", "token=x", "Authorization", wrong)
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("guessing = %d, want 429", w.Code)
	}
	if w := s.do(t, http.MethodPost, "/introspect", "token=x", "Authorization", right); w.Code != http.StatusOK {
		t.Errorf("the right password after wrong ones = %d", w.Code)
	}
}

// TestR50_ServerMetadata and R52 to R54, R62: one document, whose issuer is the
// public URL byte for byte.
func TestR50_ServerMetadata(t *testing.T) {
	t.Parallel()
	w := newServer(t).do(t, http.MethodGet, "/.well-known/oauth-authorization-server", "")
	body := answer(t, w)
	for name, want := range map[string]string{
		"issuer": testIssuer, "authorization_endpoint": testIssuer + "/authorize", "token_endpoint": testToken, "registration_endpoint": testIssuer + "/register",
		"revocation_endpoint": testIssuer + "/revoke", "introspection_endpoint": "<nil>", "response_types_supported": "[code]", "code_challenge_methods_supported": "[S256]",
		"grant_types_supported": "[authorization_code refresh_token]", "token_endpoint_auth_methods_supported": "[none client_secret_post client_secret_basic private_key_jwt]",
		"scopes_supported": "[growpanel.read growpanel.write offline_access]", "client_id_metadata_document_supported": "true", "authorization_response_iss_parameter_supported": "true",
		"token_endpoint_auth_signing_alg_values_supported": "[RS256 ES256]", "response_modes_supported": "[query]",
	} {
		if got := fmt.Sprint(body[name]); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	quietly := newServer(t, func(c *oauth.EndpointsConfig) { c.EmitIss = false; c.IntrospectionSecret = oauth.NewSecret("x") })
	body = answer(t, quietly.do(t, http.MethodGet, "/.well-known/oauth-authorization-server", ""))
	if _, has := body["authorization_response_iss_parameter_supported"]; has || body["introspection_endpoint"] != testIssuer+"/introspect" {
		t.Errorf("metadata = %v", body)
	}
}

// TestR55_ResourceMetadata: for both paths, each naming itself.
func TestR55_ResourceMetadata(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for path, want := range map[string]string{"": testIssuer, "/": testIssuer, "/mcp": testResource, "/mcp/": testResource} {
		body := answer(t, s.do(t, http.MethodGet, "/.well-known/oauth-protected-resource"+path, ""))
		if body["resource"] != want || fmt.Sprint(body["authorization_servers"]) != "["+testIssuer+"]" || fmt.Sprint(body["scopes_supported"]) != "[growpanel.read growpanel.write]" {
			t.Errorf("%q: %v", path, body)
		}
	}
}

// TestProbes: documents of others get a clean 404, so that clients go on.
func TestProbes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, path := range []string{
		"/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp", "/mcp/.well-known/openid-configuration",
		"/mcp/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/other", "/.well-known/x",
	} {
		w := s.do(t, http.MethodGet, path, "")
		wantError(t, path, w, http.StatusNotFound, "not_found")
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: a page cannot read the 404", path)
		}
	}
}

// TestCORS: pages of every origin may use what takes no cookies; introspection
// is for servers.
func TestCORS(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *oauth.EndpointsConfig) { c.IntrospectionSecret = oauth.NewSecret("x") })
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp", "/register", "/token", "/revoke"} {
		w := s.do(t, http.MethodOptions, path, "", "Origin", "https://a.example")
		if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "MCP-Protocol-Version") {
			t.Errorf("preflight of %s = %d %v", path, w.Code, w.Header())
		}
		if w := s.do(t, http.MethodPost, path, "", "Origin", "https://a.example"); w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s = %d %v", path, w.Code, w.Header())
		}
	}
	if w := s.do(t, http.MethodOptions, "/introspect", ""); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("a page may introspect")
	}
}

// TestHostGuard: another host gets nothing but a 421.
func TestHostGuard(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, host := range []string{"evil.example", "127.0.0.1", "localhost:8080", "mcp.example.com:8443", "mcp.example.com.evil.example", "mcp.example.com@evil.example"} {
		w := s.do(t, http.MethodGet, "/.well-known/oauth-authorization-server", "", "Host", host)
		wantError(t, host, w, http.StatusMisdirectedRequest, "misdirected_request")
	}
	for _, host := range []string{"mcp.example.com", "MCP.example.com:443"} {
		if w := s.do(t, http.MethodGet, "/.well-known/oauth-authorization-server", "", "Host", host); w.Code != http.StatusOK {
			t.Errorf("%s = %d", host, w.Code)
		}
	}
	if w := s.do(t, http.MethodGet, "/healthz", "", "Host", "10.0.0.7"); w.Code == http.StatusMisdirectedRequest {
		t.Error("a probe of the load balancer is refused")
	}
}

// TestStoreDown: 503 and a time to come back, never an error that makes a client
// drop its credentials.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, got := s.connect(t)
	s.store.down = true
	for path, body := range map[string]string{
		"/token": refreshForm(client, got.refresh), "/revoke": "client_id=" + client + "&token=" + got.access, "/register": `{"redirect_uris":["` + testRedirect + `"]}`,
	} {
		w := s.do(t, http.MethodPost, path, body)
		wantError(t, path, w, http.StatusServiceUnavailable, "temporarily_unavailable")
		if w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	s.store.down = false
	s.mustToken(t, refreshForm(client, got.refresh))
}

// TestR78_BothWaysToBeAClient: registered, and by a metadata document, public and
// with a key.
func TestR78_BothWaysToBeAClient(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	key := newES256(t, "k")
	s.site.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/jwks" {
			_, _ = fmt.Fprint(w, keySet(t, key))
			return
		}
		_, _ = fmt.Fprint(w, s.site.document(r.URL.Path, `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["private_key_jwt","none"],"jwks_uri":"`+s.site.URL+`/jwks"`))
	})
	registered, _ := s.register(t, "none")
	for _, client := range []string{registered, s.site.URL + "/client.json"} {
		got := s.mustToken(t, redeemForm(client, s.consent(t, client)))
		s.mustToken(t, refreshForm(client, got.refresh))
		if w := s.do(t, http.MethodPost, "/revoke", "client_id="+url.QueryEscape(client)+"&token="+got.access); w.Code != http.StatusOK || s.good(t, got.access) {
			t.Errorf("%s: revoke = %d", client, w.Code)
		}
	}
	client := s.site.URL + "/client.json"
	assertion := func() string {
		now := time.Now().Unix()
		return key.sign(t, map[string]any{"iss": client, "sub": client, "aud": testToken, "exp": now + 60, "jti": fmt.Sprint(time.Now().UnixNano())})
	}
	signed := func(form string) string {
		return form + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" + assertion()
	}
	got := s.mustToken(t, signed(redeemForm(client, s.consent(t, client))))
	s.mustToken(t, signed(refreshForm(client, got.refresh)))
	other, _ := s.register(t, "none")
	wantError(t, "a document's code by a registered client", s.do(t, http.MethodPost, "/token", redeemForm(other, s.consent(t, client))), http.StatusBadRequest, "invalid_grant")
	s.site.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	s.mustToken(t, refreshForm(client, s.mustToken(t, redeemForm(client, s.consent(t, client))).refresh))
}

// TestRegistrationFlood: one address is held off; others are not.
func TestRegistrationFlood(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var w *httptest.ResponseRecorder
	for range 125 {
		w = s.do(t, http.MethodPost, "/register", `{}`)
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("a flood = %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, testIssuer+"/register", strings.NewReader(`{"redirect_uris":["`+testRedirect+`"]}`))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "198.51.100.7:1"
	other := httptest.NewRecorder()
	if s.ServeHTTP(other, r); other.Code != http.StatusCreated {
		t.Errorf("another address = %d", other.Code)
	}
}

// TestMalformedBodies: of every kind, to every endpoint; nothing is a 5xx.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *oauth.EndpointsConfig) { c.IntrospectionSecret = oauth.NewSecret("x") })
	bodies := []string{"", "{", "null", "[]", "\x00", "%", "%zz=%zz", "a=%ff", strings.Repeat("a=b&", 20_000), strings.Repeat("[", 10_000), `{"redirect_uris":` + strings.Repeat("[", 9000), "grant_type=refresh_token&refresh_token=%00", "\xff\xfe"}
	for _, path := range []string{"/token", "/revoke", "/register", "/introspect"} {
		for _, contentType := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain", "", "multipart/form-data", "application/x-www-form-urlencoded; charset=\x00"} {
			for _, body := range bodies {
				r := httptest.NewRequest(http.MethodPost, testIssuer+path, strings.NewReader(body))
				r.Header["Content-Type"] = []string{contentType}
				r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1", len(body)%250)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code < 400 || w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
					t.Errorf("POST %s %q %.20q = %d %s", path, contentType, body, w.Code, w.Body)
				}
			}
		}
	}
}

// TestAnswersTellNoSecrets: an error shows nothing that was sent.
func TestAnswersTellNoSecrets(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, _ := s.register(t, "client_secret_post")
	const secret = "do-not-repeat-this"
	for _, form := range []string{
		redeemForm(client, secret, "client_secret", secret), refreshForm(client, secret, "client_secret", secret), "client_id=" + secret, secret + "=1&" + secret + "=2",
		redeemForm(client, "x", "grant_type", secret), redeemForm(client, "x", "resource", secret), "client_assertion=" + secret,
	} {
		if w := s.do(t, http.MethodPost, "/token", form); strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s is answered with %s", form, w.Body)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.audit {
		if strings.Contains(fmt.Sprintf("%+v", e), "client_secret") {
			t.Errorf("audit event %+v", e)
		}
	}
}

// FuzzTokenEndpoint: no body makes the server fail or gives tokens away.
func FuzzTokenEndpoint(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "grant_type=authorization_code&code=gpc_x&client_id=y")
	f.Add("application/json", "{}")
	store := newMemory(time.Now)
	resources, err := protocol.NewResources(testIssuer)
	if err != nil {
		f.Fatal(err)
	}
	limits := oauth.NewMemoryLimits(time.Now)
	mux := http.NewServeMux()
	oauth.NewEndpoints(oauth.EndpointsConfig{
		Clients: oauth.NewClients(oauth.ClientsConfig{
			Store: store, Records: store, Limits: limits, Outgoing: httpx.NewOutgoing(httpx.OutgoingConfig{Resolver: nowhere{}}), Issuer: testIssuer, Logger: quiet(), Now: time.Now,
		}),
		Limits: limits, Resources: resources, Logger: quiet(), Audit: func(context.Context, oauth.AuditEvent) {},
	}).Register(mux)
	var n int
	f.Fuzz(func(t *testing.T, contentType, body string) {
		n++
		r := httptest.NewRequest(http.MethodPost, "/token", io.NopCloser(strings.NewReader(body)))
		r.Header["Content-Type"] = []string{contentType}
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", n>>16&255, n>>8&255, n&255)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code < 400 || w.Code > 499 && w.Code != http.StatusServiceUnavailable || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q %q = %d %s", contentType, body, w.Code, w.Body)
		}
	})
}
