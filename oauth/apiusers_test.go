package oauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// answering is an API that gives one answer and keeps the last request.
type answering struct {
	status int
	body   string
	header http.Header // to answer with

	last *http.Request
	sent map[string]any
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.last, a.sent = r, nil
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&a.sent); err != nil {
			panic(err)
		}
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

func newAPIUsers(t *testing.T, api *answering) *oauth.APIUsers {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{
		BaseURL: "http://api.internal", MaxWait: -1,
		Transport: oauth.ForwardAddress(apiclient.InProcess(api), oauth.NewSecret("the internal token")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return oauth.NewAPIUsers(client)
}

// Every refusal of the API becomes what a page can say.
func TestAPIUsers_Errors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		code   string
		want   string
	}{
		{http.StatusUnauthorized, "invalid_credentials", oauth.ErrCredentials.Error()},
		{http.StatusUnauthorized, "session_over", oauth.ErrSessionOver.Error()},
		{http.StatusForbidden, "not_linked", oauth.ErrNotLinked.Error()},
		{http.StatusForbidden, "no_access", oauth.ErrNoMember.Error()},
		{http.StatusForbidden, "account_closing", oauth.ErrNoMember.Error()},
		{http.StatusForbidden, "signup_disabled", oauth.ErrSignUpDisabled.Error()},
		{http.StatusConflict, "email_taken", "refused: Password: is too short."},
		{http.StatusNotFound, "invitation_over", oauth.ErrInvitationOver.Error()},
		{http.StatusTooManyRequests, "too_many_attempts", "wait 7s"},
		{http.StatusBadRequest, "invalid_parameter", "refused: Password: is too short."},
		{http.StatusConflict, "linked_elsewhere", "refused: Password: is too short."},
		{http.StatusInternalServerError, "internal", "an outage"},
		{http.StatusServiceUnavailable, "unavailable", "an outage"},
		{http.StatusUnauthorized, "", "an outage"},
	} {
		api := &answering{
			status: test.status, header: http.Header{"Retry-After": {"7"}},
			body: fmt.Sprintf(`{"error":"password: is too short","message":"password: is too short","code":%q}`, test.code),
		}
		_, err := newAPIUsers(t, api).SignIn(t.Context(), oauth.Proof{Email: "a@example.com", Password: oauth.NewSecret("x")})
		if got := meaning(err); got != test.want {
			t.Errorf("%d %s becomes %s, want %s", test.status, test.code, got, test.want)
		}
	}
}

// meaning is an error of Users in words.
func meaning(err error) string {
	if wait, ok := errors.AsType[*oauth.WaitError](err); ok {
		return "wait " + wait.Wait.String()
	}
	if refused, ok := errors.AsType[*oauth.RefusedError](err); ok {
		return "refused: " + refused.Message
	}
	if _, ok := errors.AsType[*apiclient.Error](err); ok {
		return "an outage"
	}
	return err.Error()
}

// Only what was given is sent, and the browser's address goes along.
func TestAPIUsers_SignIn_Sends(t *testing.T) {
	t.Parallel()
	api := &answering{status: http.StatusOK, body: `{"session":"gps_x","expires_at":"2026-11-28T10:00:00Z","user":{}}`}
	session, err := newAPIUsers(t, api).SignIn(t.Context(), oauth.Proof{
		Email: "a@example.com", Password: oauth.NewSecret("secret"), From: netip.MustParseAddr("198.51.100.7"),
	})
	if err != nil || session.Secret.Reveal() != "gps_x" || session.ExpiresAt.IsZero() {
		t.Errorf("SignIn = %+v, %v", session, err)
	}
	if want := map[string]any{"email": "a@example.com", "password": "secret"}; !reflect.DeepEqual(api.sent, want) {
		t.Errorf("sent %v, want %v", api.sent, want)
	}
	if got := httpx.ClientAddress(api.last, "the internal token"); got != "198.51.100.7" {
		t.Errorf("the API sees the address %q", got)
	}
	if err := newAPIUsers(t, api).SignOut(t.Context(), oauth.NewSecret("gps_x")); err != nil {
		t.Fatal(err)
	}
	if api.last.Header.Get(httpx.InternalTokenHeader) != "" {
		t.Error("the internal token goes along where nobody's address does")
	}
}

func TestAPIUsers_Created(t *testing.T) {
	t.Parallel()
	api := &answering{status: http.StatusOK, body: `{"token":"jwt","result":[
		{"id":"2","kind":"api_key","name":"script","detail":"readonly","created_at":"2026-11-02T00:00:00Z"},
		{"id":"bob@example.com","kind":"invitation","name":"bob@example.com","detail":"admin","created_at":"2026-11-02T00:00:00Z"},
		{"id":"wh_1","kind":"webhook","name":"https://x.example","detail":"movement.churn","created_at":"2026-11-02T00:00:00Z"},
		{"id":"user-7","kind":"member","name":"carol@example.com","detail":"admin","created_at":"2026-11-02T00:00:00Z"}]}`}
	got, err := newAPIUsers(t, api).Created(t.Context(), oauth.NewSecret("gps_x"), "acme", "key-1")
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	want := []oauth.CreatedThing{
		{ID: "2", Kind: "API key", Name: "script", Role: "readonly", CreatedAt: at},
		{ID: "bob@example.com", Kind: "Invitation", Name: "bob@example.com", Role: "admin", CreatedAt: at},
		{ID: "wh_1", Kind: "Webhook", Name: "https://x.example (movement.churn)", CreatedAt: at},
		{ID: "user-7", Kind: "Member", Stays: true, Name: "carol@example.com", Role: "admin", CreatedAt: at},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Created = %+v, %v, want %+v", got, err, want)
	}
	if got := api.last.Header.Get("Authorization"); got != "Bearer jwt" {
		t.Errorf("asked with %q", got)
	}
}

// An API that is down is an outage; one that answers nonsense has a fault.
func TestAPIUsers_Outage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		api    *answering
		outage bool
	}{
		"shutting down":         {&answering{status: http.StatusServiceUnavailable, body: `{"code":"shutting_down"}`}, true},
		"behind a proxy":        {&answering{status: http.StatusBadGateway, body: "<html>"}, true},
		"a fault of the API's":  {&answering{status: http.StatusInternalServerError, body: `{"code":"internal"}`}, false},
		"an answer of nonsense": {&answering{status: http.StatusOK, body: "nonsense"}, false},
	} {
		if _, err := newAPIUsers(t, tt.api).Methods(t.Context()); err == nil || errors.Is(err, oauth.ErrUnavailable) != tt.outage {
			t.Errorf("%s: %v", name, err)
		}
	}
	client, err := apiclient.New(apiclient.Options{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oauth.NewAPIUsers(client).Methods(t.Context()); !errors.Is(err, oauth.ErrUnavailable) {
		t.Errorf("nobody listens: %v", err)
	}
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("index out of range") })
	client, err = apiclient.New(apiclient.Options{BaseURL: "http://127.0.0.1", Transport: apiclient.InProcess(panics)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oauth.NewAPIUsers(client).Methods(t.Context()); err == nil || errors.Is(err, oauth.ErrUnavailable) {
		t.Errorf("a panic: %v", err)
	}
}

// The real API makes users, and names the field that it refuses.
func TestAPIUsers_SignUp(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	if methods, err := p.users.Methods(t.Context()); err != nil || !methods.SignUp {
		t.Fatalf("the methods are %+v, %v", methods, err)
	}
	n := oauth.NewUser{Email: "new@example.com", Password: oauth.NewSecret("short"), LastName: "Lee", Account: "Initech"}
	_, err := p.users.SignUp(t.Context(), n)
	if refused, ok := errors.AsType[*oauth.RefusedError](err); !ok || refused.Field != "password" || refused.Message != "Password must have at least 10 characters." {
		t.Errorf("a short password: %v", err)
	}
	n.Password, n.Account = oauth.NewSecret(apiPassword), ""
	_, err = p.users.SignUp(t.Context(), n)
	if refused, ok := errors.AsType[*oauth.RefusedError](err); !ok || refused.Field != "account_name" || refused.Message != "Account name is required." {
		t.Errorf("no account name: %v", err)
	}
	n.Account = "Initech"
	session, err := p.users.SignUp(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	u, err := p.users.User(t.Context(), session.Secret)
	if err != nil || u.Email != n.Email || len(u.Accounts) != 1 || u.Accounts[0].Name != "Initech" || u.Accounts[0].Role != "owner" {
		t.Errorf("the new user is %+v, %v", u, err)
	}
	_, err = p.users.SignUp(t.Context(), n)
	if refused, ok := errors.AsType[*oauth.RefusedError](err); !ok || refused.Field != "email" {
		t.Errorf("a second time: %v", err)
	}
}
