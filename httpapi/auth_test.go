package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi"
)

const password = "correct horse battery staple"

// newUser adds a user with the password to an account.
func (a *api) newUser(t testing.TB, account identity.Account, email string, role identity.Role) identity.User {
	t.Helper()
	u, err := a.identity.CreateUser(t.Context(), email, password, identity.Profile{FirstName: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.identity.AddMember(t.Context(), account.ID, u.ID, role); err != nil {
		t.Fatal(err)
	}
	return u
}

// signIn returns the session of a user with the password.
func (a *api) signIn(t testing.TB, email string) string {
	t.Helper()
	return a.ok(t, "", "POST", "/auth/sign-in", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)).text("session")
}

// userToken returns a token of a session for an account, "" for none.
func (a *api) userToken(t testing.TB, session, account string) string {
	t.Helper()
	body := fmt.Sprintf(`{"session":%q}`, session)
	if account != "" {
		body = fmt.Sprintf(`{"session":%q,"account":%q}`, session, account)
	}
	return a.ok(t, "", "POST", "/auth/token", body).text("token")
}

// revocation is a secret with its hash.
func revocation(seed string) (secret, hash string) {
	raw := sha256.Sum256([]byte(seed))
	sum := sha256.Sum256(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:]), base64.RawURLEncoding.EncodeToString(sum[:])
}

// connect creates a connection's key of a user token.
func (a *api) connect(t testing.TB, token, seed string) reply {
	t.Helper()
	_, hash := revocation(seed)
	return a.do(t, token, "POST", "/account/api-keys",
		fmt.Sprintf(`{"name":"Claude","role":"admin","kind":"connection","client_name":"Claude","revocation_hash":%q}`, hash))
}

// signInOperations sends each operation of sign-in with what makes it succeed.
func (a *api) signInOperations(t *testing.T) {
	t.Helper()
	a.newUser(t, a.account, "sign-in@example.com", identity.Admin)
	a.ok(t, "", "POST", "/auth/sign-up", fmt.Sprintf(`{"email":"sign-up@example.com","password":%q,"account_name":"New"}`, password))
	session := a.signIn(t, "sign-in@example.com")
	session = a.ok(t, "", "POST", "/auth/password", fmt.Sprintf(
		`{"session":%q,"current_password":%q,"new_password":"staple battery horse correct"}`, session, password)).text("session")
	a.userToken(t, session, a.account.ID)
	a.ok(t, "", "POST", "/auth/sign-out", fmt.Sprintf(`{"session":%q}`, session))
	secret, _ := revocation("nothing")
	a.ok(t, "", "POST", "/connection-keys/revoke", fmt.Sprintf(`{"revocation_secret":%q}`, secret))
	_, link, err := a.identity.Invite(t.Context(), identity.Caller{Account: a.account.ID}, "new@example.com", identity.Readonly)
	if err != nil {
		t.Fatal(err)
	}
	a.ok(t, "", "POST", "/auth/invitation", fmt.Sprintf(`{"invitation":%q}`, link.Reveal()))
}

func TestSignIn_FromPasswordToConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	u := a.newUser(t, a.account, "ann@example.com", identity.Admin)
	second, _, _ := a.newAccount(t, "Second")
	if err := a.identity.AddMember(t.Context(), second.ID, u.ID, identity.Readonly); err != nil {
		t.Fatal(err)
	}
	a.ok(t, a.admin, "POST", "/settings", `{"base_currency":"EUR"}`)
	session := a.signIn(t, " Ann@Example.com")

	profile := a.ok(t, a.userToken(t, session, ""), "GET", "/profile", "")
	wantJSON(t, profile, fmt.Sprintf(`{"id":%q,"email":"ann@example.com","first_name":"Ann","last_name":null,"locale":null,"timezone":null,"accounts":[
		{"id":%q,"name":"Acme","role":"admin","base_currency":"eur"},{"id":%q,"name":"Second","role":"readonly","base_currency":"usd"}]}`,
		u.ID, a.account.ID, second.ID))

	token := a.userToken(t, session, a.account.ID)
	made := a.connect(t, token, "one")
	if made.status != 201 || made.text("kind") != "connection" || made.text("role") != "admin" {
		t.Fatalf("connect: %d %s", made.status, made.raw)
	}
	key := made.text("api_key")
	a.ok(t, key, "GET", "/reports/mrr", "")
	// A key is for one account and does not tell of its user's others.
	if own := a.ok(t, key, "GET", "/profile", ""); len(own.list("accounts")) != 1 || own.text("accounts", 0, "id") != a.account.ID {
		t.Errorf("the profile by a key: %s", own.raw)
	}
	// The token sees the user's connections alone.
	if list := a.ok(t, token, "GET", "/account/api-keys", ""); list.number("result", "count") != 1 || list.text("result", "list", 0, "client_name") != "Claude" ||
		list.text("result", "list", 0, "user", "email") != "ann@example.com" {
		t.Errorf("the connections of a user: %s", list.raw)
	}
	if got := a.do(t, token, "DELETE", "/account/api-keys/"+a.readonly[:36], ""); got.status != 404 {
		t.Errorf("a user token deletes another key: %d %s", got.status, got.raw)
	}
	// In the other account the role is the member's.
	if got := a.connect(t, a.userToken(t, session, second.ID), "two"); got.status != 403 {
		t.Errorf("an admin key for a readonly member: %d %s", got.status, got.raw)
	}

	secret, _ := revocation("one")
	a.ok(t, "", "POST", "/connection-keys/revoke", fmt.Sprintf(`{"revocation_secret":%q}`, secret))
	if got := a.do(t, key, "GET", "/account", ""); got.status != 401 {
		t.Errorf("a revoked connection: %d %s", got.status, got.raw)
	}
	if got := a.connect(t, token, "one"); got.status != 201 {
		t.Errorf("a new key with the hash of one that existed: %d %s", got.status, got.raw)
	}
}

func TestSignIn_RevocationBeforeTheKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	secret, _ := revocation("early")
	a.ok(t, "", "POST", "/connection-keys/revoke", fmt.Sprintf(`{"revocation_secret":%q}`, secret))
	if got := a.connect(t, token, "early"); got.status != 409 || got.text("code") != "connection_revoked" {
		t.Errorf("a key that was revoked before: %d %s", got.status, got.raw)
	}
}

func TestSignIn_RepeatedCreateGivesTheSameKeyANewSecret(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	_, hash := revocation("one")
	create := func(hash string) reply {
		body := fmt.Sprintf(`{"name":"Claude","role":"admin","kind":"connection","client_name":"Claude","revocation_hash":%q}`, hash)
		r := httptest.NewRequest(http.MethodPost, "/account/api-keys", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", "family-1")
		return a.send(t, r)
	}
	first, second := create(hash), create(hash)
	if first.status != 201 || second.status != 201 || first.text("id") != second.text("id") || first.text("api_key") == second.text("api_key") {
		t.Fatalf("%d %s, then %d %s", first.status, first.raw, second.status, second.raw)
	}
	if got := a.do(t, first.text("api_key"), "GET", "/account", ""); got.status != 401 {
		t.Errorf("the secret that got lost still works: %d", got.status)
	}
	_, other := revocation("two")
	if got := create(other); got.status != 409 || got.text("code") != "idempotency_conflict" {
		t.Errorf("another body under the same name: %d %s", got.status, got.raw)
	}
	a.ok(t, second.text("api_key"), "GET", "/account", "")
	if got := create(hash); got.status != 409 || got.text("code") != "idempotency_conflict" {
		t.Errorf("a repetition after its use: %d %s", got.status, got.raw)
	}
}

func TestUserToken_DoesNothingElse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Owner)
	session := a.signIn(t, "ann@example.com")
	plain, bound := a.userToken(t, session, ""), a.userToken(t, session, a.account.ID)
	allowed := map[string]bool{
		"GetProfile": true, "GetAccountApiKeys": true, "PostAccountApiKeys": true, "DeleteAccountApiKeysId": true, "PostAccountUndoDeletion": true,
		"GetAccountApiKeysIdCreated": true,
	}
	for _, op := range openapi.Operations() {
		if op.Public {
			continue
		}
		if got := a.do(t, plain, op.Method, needed(target(op, "x")), "{}"); (got.status == 403) == (op.ID == "GetProfile") {
			t.Errorf("%s with a token without an account: %d %s", op.ID, got.status, got.raw)
		}
		if got := a.do(t, bound, op.Method, needed(target(op, "x")), "{}"); (got.status == 403) == allowed[op.ID] && op.ID != "PostAccountApiKeys" {
			t.Errorf("%s with a token for an account: %d %s", op.ID, got.status, got.raw)
		}
	}
	if got := a.do(t, bound, "POST", "/account/api-keys", `{"name":"x","role":"admin"}`); got.status != 403 {
		t.Errorf("a user token makes an API key: %d %s", got.status, got.raw)
	}
	if got := a.connect(t, a.admin, "key"); got.status != 403 {
		t.Errorf("an API key makes a connection key: %d %s", got.status, got.raw)
	}
}

func TestUserToken_EndsWithItsSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(a *api, u identity.User, session string) error{
		"sign-out": func(a *api, _ identity.User, session string) error { return a.identity.SignOut(t.Context(), session) },
		"disabled": func(a *api, u identity.User, _ string) error { return a.identity.DisableUser(t.Context(), u.ID) },
		"password": func(a *api, u identity.User, _ string) error {
			return a.identity.ResetPassword(t.Context(), u.ID, "another password", identity.PasswordReset{})
		},
		"15 minutes":    func(a *api, _ identity.User, _ string) error { a.pass(15 * time.Minute); return nil },
		"12 idle hours": func(a *api, _ identity.User, _ string) error { a.pass(12 * time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			u := a.newUser(t, a.account, "ann@example.com", identity.Admin)
			session := a.signIn(t, "ann@example.com")
			token := a.userToken(t, session, "")
			a.ok(t, token, "GET", "/profile", "")
			if err := end(a, u, session); err != nil {
				t.Fatal(err)
			}
			if got := a.do(t, token, "GET", "/profile", ""); got.status != 401 {
				t.Errorf("%d %s", got.status, got.raw)
			}
			if name == "15 minutes" {
				a.userToken(t, session, "")
				return
			}
			if got := a.do(t, "", "POST", "/auth/token", fmt.Sprintf(`{"session":%q}`, session)); got.status != 401 || got.text("code") != "session_over" {
				t.Errorf("a token of the session: %d %s", got.status, got.raw)
			}
		})
	}
}

func TestSignIn_DoesNotTellWhoExists(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	gone := a.newUser(t, a.account, "gone@example.com", identity.Admin)
	if err := a.identity.DisableUser(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	want := a.do(t, "", "POST", "/auth/sign-in", `{"email":"nobody@example.com","password":"wrong password"}`)
	if want.status != 401 || want.text("code") != "invalid_credentials" {
		t.Fatalf("%d %s", want.status, want.raw)
	}
	for _, body := range []string{
		`{"email":"ann@example.com","password":"wrong password"}`,
		fmt.Sprintf(`{"email":"gone@example.com","password":%q}`, password),
		fmt.Sprintf(`{"email":"owner-%s@example.com","password":"has no password"}`, a.account.ID),
	} {
		if got := a.do(t, "", "POST", "/auth/sign-in", body); got.status != want.status || string(got.raw) != string(want.raw) {
			t.Errorf("%s: %d %s, want what an unknown address gets", body, got.status, got.raw)
		}
	}
}

func TestSignIn_GuessesAreLimited(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	guess := func(email string) reply {
		return a.do(t, "", "POST", "/auth/sign-in", fmt.Sprintf(`{"email":%q,"password":"a wrong guess"}`, email))
	}
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		for range 10 {
			if got := guess(email); got.status != 401 {
				t.Fatalf("%d %s", got.status, got.raw)
			}
		}
		if got := guess(email); got.status != 429 || got.text("code") != "too_many_attempts" || got.header.Get("Retry-After") != "900" {
			t.Errorf("the 11th guess for %s: %d %s after %s", email, got.status, got.raw, got.header.Get("Retry-After"))
		}
	}
	right := fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, password)
	if got := a.do(t, "", "POST", "/auth/sign-in", right); got.status != 429 {
		t.Errorf("the right password after too many guesses: %d", got.status)
	}
	a.pass(15 * time.Minute)
	a.ok(t, "", "POST", "/auth/sign-in", right)
}

func TestSignIn_ThePagesSayForWhomTheyAsk(t *testing.T) {
	t.Parallel()
	a := newAPIWith(t, httpapi.Config{InternalToken: "known to both"})
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	from := func(token, address string) int {
		r := httptest.NewRequest(http.MethodPost, "/auth/sign-in", strings.NewReader(`{"email":"ann@example.com","password":"a wrong guess"}`))
		r.Header.Set(httpx.InternalTokenHeader, token)
		r.Header.Set(httpx.ClientAddressHeader, address)
		return a.send(t, r).status
	}
	for range 10 {
		from("known to both", "192.0.2.1")
	}
	for what, tt := range map[string]struct {
		token, address string
		want           int
	}{
		"the same network":         {"known to both", "192.0.2.200", 429},
		"another network":          {"known to both", "198.51.100.1", 401},
		"a peer without the token": {"guessed", "203.0.113.1", 429}, // the test's own address is in 192.0.2.0/24
	} {
		if got := from(tt.token, tt.address); got != tt.want {
			t.Errorf("%s: %d, want %d", what, got, tt.want)
		}
	}
}

func TestSignIn_IsClosedToPagesOfOtherOrigins(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, at := range []string{"/auth/methods", "/v1/auth/methods", "/auth/sign-in", "/v2/connection-keys/revoke/", "/%61uth/methods"} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			r := httptest.NewRequest(method, at, nil)
			r.Header.Set("Origin", "https://evil.example")
			if got := a.send(t, r); got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s has CORS headers", method, at)
			}
		}
	}
}
