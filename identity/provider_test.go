package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/growpanel/growpanel-mcp/identity"
)

// oidcProvider is an OpenID Connect provider on this machine.
type oidcProvider struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func newProvider(t *testing.T) *oidcProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &oidcProvider{key: key}
	mux := http.NewServeMux()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		}
	}
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	mux.Handle("/.well-known/openid-configuration", answer(map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}))
	mux.Handle("/keys", answer(map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}}))
	return p
}

// token signs an ID token; claims replace those of a good one, nil removes one.
func (p *oidcProvider) token(t *testing.T, now time.Time, claims map[string]any) string {
	t.Helper()
	all := jwt.MapClaims{
		"iss": p.URL, "aud": "our-client", "sub": "ann-at-provider", "nonce": "n-1",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "email": "ann@example.com", "email_verified": true,
	}
	maps.Copy(all, claims)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	unsigned.Header["kid"] = "1"
	token, err := unsigned.SignedString(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withProvider is the fixture's service with providers.
func (f *fixture) withProvider(providers ...identity.Provider) *identity.Service {
	return identity.New(identity.Config{
		Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.time, HTTP: http.DefaultClient, Providers: providers,
	})
}

func (f *fixture) time() time.Time { return time.Unix(0, f.now.Load()) }

func wantErrorIs(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func TestProvider_SignsInWhoIsLinked(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider(t)
	s := f.withProvider(identity.Provider{ID: "here", Name: "Here", Issuer: p.URL, ClientID: "our-client"})
	in := identity.SignIn{Provider: "here", IDToken: p.token(t, f.time(), map[string]any{"email": f.owner.Email}), Nonce: "n-1"}
	_, err := s.SignIn(t.Context(), in)
	wantErrorIs(t, "an identity that nobody has, with the address of a user", err, identity.ErrNotLinked)

	// Linking takes a session and the password once more.
	signed, err := s.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	in.Session = signed.Secret.Reveal()
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "linking without the password", err, identity.ErrCredentials)
	in.Password = "not the password"
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "linking with a wrong password", err, identity.ErrCredentials)
	in.Password = password
	if _, err := s.SignIn(t.Context(), in); err != nil {
		t.Fatalf("linking: %v", err)
	}
	in = identity.SignIn{Provider: "here", IDToken: p.token(t, f.time(), map[string]any{"email": "another@example.com"}), Nonce: "n-1"}
	signed, err = s.SignIn(t.Context(), in)
	if err != nil || signed.User.ID != f.owner.ID {
		t.Errorf("signing in by the linked identity: %v, %v", signed.User, err)
	}
	bob, err := s.CreateUser(t.Context(), "bob@example.com", password, identity.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	signed, err = s.SignIn(t.Context(), identity.SignIn{Email: bob.Email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	in.Session, in.Password = signed.Secret.Reveal(), password
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "linking another user's identity", err, identity.ErrLinkedElsewhere)
	if err := s.DisableUser(t.Context(), f.owner.ID); err != nil {
		t.Fatal(err)
	}
	_, link, err := s.Invite(t.Context(), identity.Caller{Account: f.account.ID}, "new@example.com", identity.Admin)
	if err != nil {
		t.Fatal(err)
	}
	in.Session, in.Password, in.Invitation = "", "", link.Reveal()
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "a disabled user", err, identity.ErrCredentials)
	if left, err := s.ListInvitations(t.Context(), f.account.ID); err != nil || len(left) != 1 {
		t.Errorf("a disabled user used an invitation up: %v, %v", left, err)
	}
}

func TestProvider_RefusesTokensThatProveNothing(t *testing.T) {
	t.Parallel()
	f, p, stranger := newFixture(t), newProvider(t), newProvider(t)
	s := f.withProvider(identity.Provider{ID: "here", Issuer: p.URL, ClientID: "our-client", LinkVerifiedEmail: true})
	good := map[string]any{"email": f.owner.Email}
	sign := func(claims map[string]any) string {
		all := maps.Clone(good)
		maps.Copy(all, claims)
		return p.token(t, f.time(), all)
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"iss": p.URL, "aud": "our-client", "sub": "x", "nonce": "n-1", "exp": f.time().Add(time.Hour).Unix(), "email": f.owner.Email, "email_verified": true,
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"for another client":           sign(map[string]any{"aud": "another-client"}),
		"of another issuer":            sign(map[string]any{"iss": stranger.URL}),
		"over":                         sign(map[string]any{"exp": f.time().Add(-time.Minute).Unix()}),
		"with another nonce":           sign(map[string]any{"nonce": "n-2"}),
		"without a nonce":              sign(map[string]any{"nonce": nil}),
		"without a subject":            sign(map[string]any{"sub": ""}),
		"signed by somebody else":      stranger.token(t, f.time(), map[string]any{"iss": p.URL, "email": f.owner.Email}),
		"not signed":                   none,
		"not a token":                  "e30.e30.e30",
		"claims of another type":       sign(map[string]any{"email_verified": "yes", "email": 1}),
		"an encrypted form of nothing": "a.b.c.d.e",
	} {
		_, err := s.SignIn(t.Context(), identity.SignIn{Provider: "here", IDToken: token, Nonce: "n-1"})
		wantErrorIs(t, name, err, identity.ErrCredentials)
	}
	_, err = s.SignIn(t.Context(), identity.SignIn{Provider: "here", IDToken: sign(map[string]any{"email_verified": false}), Nonce: "n-1"})
	wantErrorIs(t, "an address that is not verified", err, identity.ErrNotLinked)
	var field *identity.FieldError
	for name, in := range map[string]identity.SignIn{
		"unknown provider": {Provider: "there", IDToken: sign(nil), Nonce: "n-1"},
		"no token":         {Provider: "here", Nonce: "n-1"},
		"no nonce":         {Provider: "here", IDToken: sign(nil)},
		"no provider":      {IDToken: sign(nil), Nonce: "n-1"},
	} {
		if _, err := s.SignIn(t.Context(), in); !errors.As(err, &field) {
			t.Errorf("%s: %v, want a FieldError", name, err)
		}
	}
	expected, err := s.CreateUser(t.Context(), "expected@example.com", "", identity.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.SignIn(t.Context(), identity.SignIn{Provider: "here", IDToken: sign(map[string]any{"email": expected.Email}), Nonce: "n-1"})
	if err != nil || signed.User.ID != expected.ID {
		t.Errorf("a verified address of an issuer that the operator trusts: %v, %v", signed.User, err)
	}
}

// Whoever writes an invitation can accept it under an address of somebody else:
// the owner of the address must not be let into a user that others can open.
func TestProvider_AnAddressDoesNotJoinAUserWhomOthersCanOpen(t *testing.T) {
	t.Parallel()
	f, p, elsewhere := newFixture(t), newProvider(t), newProvider(t)
	s := f.withProvider(
		identity.Provider{ID: "here", Issuer: p.URL, ClientID: "our-client", LinkVerifiedEmail: true},
		identity.Provider{ID: "there", Issuer: elsewhere.URL, ClientID: "our-client"},
	)
	for name, taken := range map[string]identity.SignIn{
		"by a password": {Password: password},
		"by a provider": {Provider: "there", IDToken: elsewhere.token(t, f.time(), map[string]any{"sub": "mallory", "email": "mallory@example.com"}), Nonce: "n-1"},
	} {
		email := strings.ReplaceAll(name, " ", "-") + "@example.com"
		invite := func() string {
			account, err := s.CreateAccount(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			_, link, err := s.Invite(t.Context(), identity.Caller{Account: account.ID}, email, identity.Readonly)
			if err != nil {
				t.Fatal(err)
			}
			return link.Reveal()
		}
		taken.Invitation = invite()
		if _, err := s.SignIn(t.Context(), taken); err != nil {
			t.Fatal(err)
		}
		for _, invitation := range []string{"", invite()} {
			_, err := s.SignIn(t.Context(), identity.SignIn{
				Provider: "here", IDToken: p.token(t, f.time(), map[string]any{"sub": name, "email": email}), Nonce: "n-1", Invitation: invitation,
			})
			wantErrorIs(t, name, err, identity.ErrNotLinked)
		}
	}
}

func TestProvider_OutOfReach(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider(t)
	s := f.withProvider(identity.Provider{ID: "here", Issuer: p.URL, ClientID: "our-client"})
	token := p.token(t, f.time(), nil)
	p.Close()
	_, err := s.SignIn(t.Context(), identity.SignIn{Provider: "here", IDToken: token, Nonce: "n-1"})
	wantErrorIs(t, "a provider that is down", err, identity.ErrProvider)
}

func TestProvider_InvitationCreatesButNeverOpensAUser(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider(t)
	s := f.withProvider(identity.Provider{ID: "here", Issuer: p.URL, ClientID: "our-client"})
	invite := func(email string) string {
		t.Helper()
		_, link, err := s.Invite(t.Context(), identity.Caller{Account: f.account.ID, User: f.owner.ID}, email, identity.Readonly)
		if err != nil {
			t.Fatal(err)
		}
		return link.Reveal()
	}
	victim, err := s.CreateUser(t.Context(), "victim@example.com", password, identity.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	in := identity.SignIn{Provider: "here", IDToken: p.token(t, f.time(), nil), Nonce: "n-1", Invitation: invite(victim.Email)}
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "an invitation of a user who exists, with a stranger's identity", err, identity.ErrNotLinked)

	in.Invitation, in.FirstName = invite("ann@example.com"), "Ann"
	signed, err := s.SignIn(t.Context(), in)
	if err != nil || signed.User.Email != "ann@example.com" || signed.User.FirstName != "Ann" {
		t.Fatalf("an invitation of somebody new: %+v, %v", signed.User, err)
	}
	if m, err := s.Member(t.Context(), f.account.ID, signed.User.ID); err != nil || m.Role != identity.Readonly {
		t.Errorf("the new member: %+v, %v", m, err)
	}
	_, err = s.SignIn(t.Context(), in)
	wantErrorIs(t, "the same link again", err, identity.ErrInvitation)
	in.Invitation = ""
	if again, err := s.SignIn(t.Context(), in); err != nil || again.User.ID != signed.User.ID {
		t.Errorf("signing in later: %v, %v", again.User, err)
	}
}
