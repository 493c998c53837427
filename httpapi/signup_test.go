package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
)

// signUpBody signs up for an account that is called Initech.
func signUpBody(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"Ann","account_name":"Initech"}`, email, password)
}

func TestSignUp_FromNothingToTheFirstKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if methods := a.ok(t, "", "GET", "/auth/methods", ""); methods.at("signup") != true {
		t.Errorf("the methods: %s", methods.raw)
	}
	made := a.do(t, "", "POST", "/auth/sign-up", signUpBody("Ann@example.com"))
	if made.status != http.StatusCreated || made.text("user", "email") != "ann@example.com" || made.text("user", "first_name") != "Ann" {
		t.Fatalf("sign-up: %d %s", made.status, made.raw)
	}
	session := made.text("session")
	profile := a.ok(t, a.userToken(t, session, ""), "GET", "/profile", "")
	if len(profile.list("accounts")) != 1 || profile.text("accounts", 0, "name") != "Initech" || profile.text("accounts", 0, "role") != "owner" {
		t.Fatalf("the profile: %s", profile.raw)
	}
	key := a.connect(t, a.userToken(t, session, profile.text("accounts", 0, "id")), "one").text("api_key")
	if own := a.ok(t, key, "GET", "/customers", ""); strings.Contains(string(own.raw), "Alpha") {
		t.Errorf("a new account has customers: %s", own.raw)
	}
	a.signIn(t, "ann@example.com")
}

func TestSignUp_Refusals(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	for body, want := range map[string]string{
		signUpBody("ann@example.com"): "409 email_taken",
		signUpBody("ann"):             "400 invalid_parameter email",
		`{"email":"bob@example.com","password":"short","account_name":"Initech"}`:                                  "400 invalid_parameter password",
		`{"email":"bob@example.com","password":"","account_name":"Initech"}`:                                       "400 invalid_parameter password",
		`{"email":"bob@example.com","password":"long enough to pass","account_name":" "}`:                          "400 invalid_parameter account_name",
		`{"email":"bob@example.com","password":"long enough to pass"}`:                                             "400 invalid_parameter account_name",
		`{"email":"bob@example.com","password":"long enough to pass","account_name":"I","role":"owner"}`:           "400 invalid_parameter role",
		`{"email":"bob@example.com","password":"long enough to pass","account_name":"I","last_name":"\n a\u0000"}`: "400 invalid_parameter last_name",
	} {
		got := a.do(t, "", "POST", "/auth/sign-up", body)
		seen := fmt.Sprintf("%d %s", got.status, got.text("code"))
		if got.status == http.StatusBadRequest {
			seen += " " + got.text("details", 0, "field")
		}
		if seen != want {
			t.Errorf("%s: %s, want %s", body, got.raw, want)
		}
	}
	if got := a.do(t, "", "POST", "/auth/sign-in", fmt.Sprintf(`{"email":"bob@example.com","password":%q}`, "long enough to pass")); got.status != 401 {
		t.Errorf("a refused sign-up made a user: %d %s", got.status, got.raw)
	}
}

func TestSignUp_TriesAreLimited(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	for range 10 {
		if got := a.do(t, "", "POST", "/auth/sign-up", signUpBody("ann@example.com")); got.status != http.StatusConflict {
			t.Fatalf("%d %s", got.status, got.raw)
		}
	}
	got := a.do(t, "", "POST", "/auth/sign-up", signUpBody("ann@example.com"))
	if got.status != 429 || got.text("code") != "too_many_attempts" || got.header.Get("Retry-After") != "900" {
		t.Errorf("the 11th try: %d %s", got.status, got.raw)
	}
}

func TestSignUp_Disabled(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	now := func() time.Time { return startOfTests }
	closed := identity.New(identity.Config{Store: a.store.Identity(), Now: now, Logger: slog.New(slog.DiscardHandler)})
	server := httpapi.New(httpapi.Config{Engine: a.engine, Identity: closed, Logger: slog.New(slog.DiscardHandler), Now: now})
	a.Handler = a.contract.Watch(t, server)
	if methods := a.ok(t, "", "GET", "/auth/methods", ""); methods.at("signup") != false {
		t.Errorf("the methods: %s", methods.raw)
	}
	// Nothing is told, not even what is wrong with the input.
	for _, body := range []string{signUpBody("new@example.com"), signUpBody("bad")} {
		r := httptest.NewRequest(http.MethodPost, "/auth/sign-up", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if got := a.send(t, r); got.status != http.StatusForbidden || got.text("code") != "signup_disabled" {
			t.Errorf("%s: %d %s", body, got.status, got.raw)
		}
	}
	if _, err := closed.UserByEmail(t.Context(), "new@example.com"); err == nil {
		t.Error("a refused sign-up made a user")
	}
}
