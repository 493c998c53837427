package identity_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/growpanel/growpanel-mcp/identity"
)

// member adds a user with the password to the account.
func (f *fixture) member(t testing.TB, email string, role identity.Role) identity.User {
	t.Helper()
	u, err := f.CreateUser(t.Context(), email, password, identity.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AddMember(t.Context(), f.account.ID, u.ID, role); err != nil {
		t.Fatal(err)
	}
	return u
}

// keyOf makes a key of a member.
func (f *fixture) keyOf(t testing.TB, u identity.User, role identity.Role) string {
	t.Helper()
	_, token, err := f.CreateKey(t.Context(), identity.NewKey{Account: f.account.ID, User: u.ID, Name: "CI", Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func TestAuthenticate_TheLesserRoleCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	u := f.member(t, "ann@example.com", identity.Owner)
	for _, key := range []identity.Role{identity.Owner, identity.Admin, identity.Readonly} {
		token := f.keyOf(t, u, key)
		for _, member := range []identity.Role{identity.Readonly, identity.Admin, identity.Owner} {
			if err := f.SetRole(t.Context(), f.account.ID, u.ID, member); err != nil {
				t.Fatal(err)
			}
			want := key
			if key.Covers(member) {
				want = member
			}
			got, err := f.Authenticate(t.Context(), token)
			if err != nil || got.Role != want || got.Member != member {
				t.Errorf("a %s key of a member who is %s: %+v, %v", key, member, got, err)
			}
			if owns := member == identity.Owner && key.CanWrite(); got.IsOwner() != owns {
				t.Errorf("a %s key of a member who is %s: IsOwner = %v", key, member, got.IsOwner())
			}
		}
	}
}

func TestAuthenticate_EndsWithTheMembership(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fixture, u identity.User) error{
		"removed":  func(f *fixture, u identity.User) error { return f.RemoveMember(t.Context(), f.account.ID, u.ID) },
		"disabled": func(f *fixture, u identity.User) error { return f.DisableUser(t.Context(), u.ID) },
	} {
		f := newFixture(t)
		u := f.member(t, "ann@example.com", identity.Admin)
		token, others := f.keyOf(t, u, identity.Admin), f.keyOf(t, f.owner, identity.Admin)
		if _, err := f.Authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if err := end(f, u); err != nil {
			t.Fatal(err)
		}
		wantInvalid(t, f.Service, token)
		if _, err := f.Authenticate(t.Context(), others); err != nil {
			t.Errorf("%s: the key of another member: %v", name, err)
		}
	}
}

// TestAuthenticate_ConcurrentRoleChanges proves that a call that begins after a
// change was acknowledged never sees the role from before it.
func TestAuthenticate_ConcurrentRoleChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	u := f.member(t, "ann@example.com", identity.Admin)
	token := f.keyOf(t, u, identity.Admin)
	done := make(chan struct{})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := f.Authenticate(t.Context(), token); err != nil {
					t.Errorf("Authenticate: %v", err)
					return
				}
			}
		})
	}
	for i := range 50 {
		want := []identity.Role{identity.Readonly, identity.Admin}[i%2]
		if err := f.SetRole(t.Context(), f.account.ID, u.ID, want); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Authenticate(t.Context(), token); err != nil || got.Role != want {
			t.Errorf("after change %d: %q, %v, want %q", i, got.Role, err, want)
		}
	}
	close(done)
	calls.Wait()
}

func TestConnection_TakesAlongWhatItCreated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	create := func(n identity.NewKey) (identity.Caller, string) {
		t.Helper()
		n.Account, n.User, n.Name, n.Role = f.account.ID, f.owner.ID, "x", identity.Admin
		_, token, err := f.CreateKey(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := f.Authenticate(t.Context(), token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		return caller, token.Reveal()
	}
	connection, first := create(identity.NewKey{Kind: identity.Connection, ClientName: "Claude", Revocation: strings.Repeat("A", 43)})
	child, second := create(identity.NewKey{CreatedVia: connection.CreatedVia()})
	_, third := create(identity.NewKey{CreatedVia: child.CreatedVia()})
	_, other := create(identity.NewKey{})
	if err := f.DeleteKey(t.Context(), f.account.ID, connection.Key); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first, second, third} {
		wantInvalid(t, f.Service, token)
	}
	if _, err := f.Authenticate(t.Context(), other); err != nil {
		t.Errorf("a key that was not created with the connection: %v", err)
	}
}

func TestCreateKey_ConnectionsNeedTheirNameAndRevocation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := identity.NewKey{
		Account: f.account.ID, User: f.owner.ID, Name: "x", Role: identity.Admin, Kind: identity.Connection, ClientName: "Claude", Revocation: strings.Repeat("A", 43),
	}
	for field, spoil := range map[string]func(n *identity.NewKey){
		"client_name":     func(n *identity.NewKey) { n.ClientName = "" },
		"revocation_hash": func(n *identity.NewKey) { n.Revocation = strings.Repeat("A", 42) },
		"kind":            func(n *identity.NewKey) { n.Kind = "root" },
		"Idempotency-Key": func(n *identity.NewKey) { n.Request = strings.Repeat("x", 201) },
	} {
		n := good
		spoil(&n)
		var wrong *identity.FieldError
		if _, _, err := f.CreateKey(t.Context(), n); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestCreateKey_ConcurrentRepetitions proves that one request makes one key,
// however often it is sent.
func TestCreateKey_ConcurrentRepetitions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n := f.newKeyOf("Claude", identity.Admin)
	n.Kind, n.ClientName, n.Revocation, n.Request = identity.Connection, "Claude", strings.Repeat("A", 43), "family"
	tokens := make(chan string, 50)
	var all sync.WaitGroup
	for range cap(tokens) {
		all.Go(func() {
			_, token, err := f.CreateKey(t.Context(), n)
			if err != nil {
				t.Errorf("CreateKey: %v", err)
				return
			}
			tokens <- token.Reveal()
		})
	}
	all.Wait()
	close(tokens)
	working := 0
	for token := range tokens {
		if _, err := f.Authenticate(t.Context(), token); err == nil {
			working++
		}
	}
	keys, err := f.ListKeys(t.Context(), f.account.ID)
	if err != nil || len(keys) != 1 || working != 1 {
		t.Errorf("%d keys and %d working secrets (%v), want 1 and 1", len(keys), working, err)
	}
}

func TestSession_EndsAfterIdleTimeAndAWeek(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	signIn := func() string {
		t.Helper()
		signed, err := f.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
		if err != nil {
			t.Fatal(err)
		}
		return signed.Secret.Reveal()
	}
	idle := signIn()
	f.pass(12 * time.Hour)
	_, _, err := f.UserToken(t.Context(), idle, "")
	wantErrorIs(t, "a session that was idle for 12 hours", err, identity.ErrSession)
	busy := signIn()
	for range 15 {
		if _, _, err := f.UserToken(t.Context(), busy, f.account.ID); err != nil {
			t.Fatalf("a session in use: %v", err)
		}
		f.pass(11 * time.Hour)
	}
	f.pass(4 * time.Hour)
	_, _, err = f.UserToken(t.Context(), busy, "")
	wantErrorIs(t, "a session after a week", err, identity.ErrSession)
}

func TestUserToken_OfAnAccountOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other, err := f.CreateAccount(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := f.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{other.ID, "00000000-0000-4000-8000-000000000000", "x"} {
		_, _, err = f.UserToken(t.Context(), signed.Secret.Reveal(), account)
		wantErrorIs(t, "a token for "+account, err, identity.ErrNoAccess)
	}
	u := f.member(t, "ann@example.com", identity.Admin)
	signed, err = f.SignIn(t.Context(), identity.SignIn{Email: u.Email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := f.UserToken(t.Context(), signed.Secret.Reveal(), f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if caller, err := f.Authenticate(t.Context(), token); err != nil || !caller.ByUser || caller.Role != identity.Admin || caller.Account != f.account.ID {
		t.Errorf("Authenticate = %+v, %v", caller, err)
	}
	if err := f.RemoveMember(t.Context(), f.account.ID, u.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.Authenticate(t.Context(), token)
	wantErrorIs(t, "the token of a former member", err, identity.ErrKeyRevoked)
}

func TestUserToken_Forgeries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	signed, err := f.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	good, _, err := f.UserToken(t.Context(), signed.Secret.Reveal(), f.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _, err := jwt.NewParser().ParseUnverified(good, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	claims, _ := parsed.Claims.(jwt.MapClaims)
	resign := func(method jwt.SigningMethod, key any, change map[string]any) string {
		t.Helper()
		forged := jwt.MapClaims{}
		maps.Copy(forged, claims)
		maps.Copy(forged, change)
		token := jwt.NewWithClaims(method, forged)
		token.Header["kid"] = parsed.Header["kid"]
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	key := []byte("0123456789abcdef0123456789abcdef")
	if _, err := f.Authenticate(t.Context(), resign(jwt.SigningMethodHS256, key, nil)); err != nil {
		t.Fatalf("signed again: %v", err)
	}
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	for name, token := range map[string]string{
		"another key":          resign(jwt.SigningMethodHS256, []byte("another key of the same length.."), nil),
		"another algorithm":    resign(jwt.SigningMethodHS512, key, nil),
		"no algorithm":         resign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"another audience":     resign(jwt.SigningMethodHS256, key, map[string]any{"aud": "growpanel-mcp"}),
		"another issuer":       resign(jwt.SigningMethodHS256, key, map[string]any{"iss": "someone"}),
		"no end":               resign(jwt.SigningMethodHS256, key, map[string]any{"exp": nil}),
		"over":                 resign(jwt.SigningMethodHS256, key, map[string]any{"exp": f.time().Unix()}),
		"from the future":      resign(jwt.SigningMethodHS256, key, map[string]any{"iat": f.time().Add(time.Minute).Unix()}),
		"another user":         resign(jwt.SigningMethodHS256, key, map[string]any{"sub": "x"}),
		"another session":      resign(jwt.SigningMethodHS256, key, map[string]any{"sid": strings.Repeat("A", 43)}),
		"no session":           resign(jwt.SigningMethodHS256, key, map[string]any{"sid": ""}),
		"no signature":         head + "." + body + ".",
		"a broken signature":   head + "." + body + "." + signature[1:],
		"padding":              good + "=",
		"a newline":            good + "\n",
		"the body of a JWE":    "a.b.c.d.e",
		"the session's secret": signed.Secret.Reveal(),
	} {
		if caller, err := f.Authenticate(t.Context(), token); !errors.Is(err, identity.ErrInvalidKey) {
			t.Errorf("%s: %+v, %v, want ErrInvalidKey", name, caller, err)
		}
	}
}

func FuzzAuthenticate(f *testing.F) {
	fx := newFixture(f)
	signed, err := fx.SignIn(f.Context(), identity.SignIn{Email: fx.owner.Email, Password: password})
	if err != nil {
		f.Fatal(err)
	}
	token, _, err := fx.UserToken(f.Context(), signed.Secret.Reveal(), "")
	if err != nil {
		f.Fatal(err)
	}
	key := fx.keyOf(f, fx.owner, identity.Admin)
	for _, seed := range []string{token, key, signed.Secret.Reveal(), "", "..", "gpa_x", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		caller, err := fx.Authenticate(t.Context(), in)
		switch {
		case err == nil && in != token && !strings.EqualFold(in, key):
			t.Fatalf("%q is taken for %+v", in, caller)
		case err != nil && !errors.Is(err, identity.ErrInvalidKey):
			t.Fatalf("%q: %v, want ErrInvalidKey", in, err)
		}
	})
}

// TestSignIn_UnknownUsersCostAsMuch compares the quickest of several tries, taken
// in turn: a machine that is slow is so for both.
func TestSignIn_UnknownUsersCostAsMuch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	known, unknown := time.Hour, time.Hour
	for i := range 5 {
		refused := func(email string) time.Duration {
			start := time.Now()
			_, err := f.SignIn(t.Context(), identity.SignIn{Email: email, Password: "not the password", FromAddress: fmt.Sprintf("192.0.%d.1", i)})
			wantErrorIs(t, email, err, identity.ErrCredentials)
			return time.Since(start)
		}
		known = min(known, refused(f.owner.Email))
		unknown = min(unknown, refused("nobody@example.com"))
	}
	// Without the hash an unknown address would take a hundredth of the time.
	if unknown < known/5 {
		t.Errorf("an unknown address is refused in %v, a known one in %v", unknown, known)
	}
}

func TestSignIn_ConcurrentGuessesStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	results := make(chan error, 40)
	var all sync.WaitGroup
	for range cap(results) {
		all.Go(func() {
			_, err := f.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: "not the password", FromAddress: "192.0.2.1"})
			results <- err
		})
	}
	all.Wait()
	close(results)
	guesses := 0
	for err := range results {
		if errors.Is(err, identity.ErrCredentials) {
			guesses++
		}
	}
	if guesses != 10 {
		t.Errorf("%d of 40 guesses at once were tried, want 10", guesses)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	signIn := func(password string) (identity.SignedIn, error) {
		return f.SignIn(t.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
	}
	first, err := signIn(password)
	if err != nil {
		t.Fatal(err)
	}
	n := f.newKeyOf("Claude", identity.Admin)
	n.Kind, n.ClientName, n.Revocation = identity.Connection, "Claude", strings.Repeat("A", 43)
	_, connection, err := f.CreateKey(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	change := identity.PasswordChange{Session: first.Secret.Reveal(), Old: "not the password", New: "another password"}
	_, err = f.ChangePassword(t.Context(), change)
	wantErrorIs(t, "a wrong old password", err, identity.ErrCredentials)
	change.Old, change.New = password, "too short"
	var wrong *identity.FieldError
	if _, err := f.ChangePassword(t.Context(), change); !errors.As(err, &wrong) || wrong.Field != "new_password" {
		t.Errorf("a new password that is too short: %v", err)
	}
	change.New = "another password"
	second, err := f.ChangePassword(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = f.UserToken(t.Context(), first.Secret.Reveal(), "")
	wantErrorIs(t, "the session from before", err, identity.ErrSession)
	if _, _, err := f.UserToken(t.Context(), second.Secret.Reveal(), ""); err != nil {
		t.Errorf("the new session: %v", err)
	}
	_, err = signIn(password)
	wantErrorIs(t, "the old password", err, identity.ErrCredentials)
	if _, err := f.Authenticate(t.Context(), connection.Reveal()); err != nil {
		t.Errorf("a connection after a change of password: %v", err)
	}
	change = identity.PasswordChange{Session: second.Secret.Reveal(), Old: "another password", New: password, Disconnect: true}
	if _, err := f.ChangePassword(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, f.Service, connection.Reveal())
}

func TestParseEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann@example.com": "ann@example.com", " Ann+x@EXAMPLE.com ": "ann+x@example.com", "owner@localhost": "owner@localhost",
		"": "", "ann": "", "@example.com": "", "ann@": "", "Ann <ann@example.com>": "", "ann@example.com, bob@example.com": "",
		"a b@example.com": "", "\"a b\"@example.com": "", "ann@example.com\n": "ann@example.com", "ann\x00@example.com": "", "ann\u009b2j@example.com": "",
		strings.Repeat("a", 250) + "@example.com": "",
	} {
		got, err := identity.ParseEmail(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseEmail(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"ann@example.com", "Ann <a@b>", "\"x\"@y", "ä@é.com", "a@[192.0.2.1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		email, err := identity.ParseEmail(in)
		if err != nil {
			return
		}
		if again, err := identity.ParseEmail(email); err != nil || again != email {
			t.Fatalf("ParseEmail(%q) = %q, which is not stable: %q, %v", in, email, again, err)
		}
	})
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "::ffff:192.0.2.77": "192.0.2.0/24",
		"fe80::1%eth0": "fe80::/48", "": "", "localhost": "", "192.0.2.77:80": "",
	} {
		if got := identity.Network(in); got != want {
			t.Errorf("Network(%q) = %q, want %q", in, got, want)
		}
	}
}
