package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// admin runs admin commands on one folder.
type admin struct {
	t      *testing.T
	folder string
}

func (a admin) run(stdin string, args ...string) (stdout, stderr string, code int) {
	a.t.Helper()
	return command(a.t, nil, stdin, append(append([]string{"admin"}, args...), "--data", a.folder)...)
}

func (a admin) ok(stdin string, args ...string) string {
	a.t.Helper()
	stdout, stderr, code := a.run(stdin, args...)
	if code != 0 {
		a.t.Fatalf("%q exited with %d: %s", args, code, stderr)
	}
	return strings.TrimSpace(stdout)
}

// signIn tries a password against the folder.
func (a admin) signIn(email, password string) error {
	a.t.Helper()
	store, err := sqlstore.Open(a.t.Context(), a.folder)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			a.t.Error(err)
		}
	}()
	p := testProcess(nil)
	p.err = &syncBuffer{}
	_, err = p.identity(store).SignIn(a.t.Context(), identity.SignIn{Email: email, Password: password, FromAddress: "192.0.2.7"})
	return err
}

func TestAdmin_LifeOfAUser(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	drawn := a.ok("", "create-user", "Ann@Example.com", "--account", "Acme", "--role", "owner")
	if err := a.signIn("ann@example.com", drawn); err != nil {
		t.Fatalf("sign in with the password that was printed: %v", err)
	}
	if out := a.ok("a password of her own\r\n", "create-user", "bob@example.com", "--password-stdin", "--account", "Acme", "--role", "readonly"); out != "" {
		t.Errorf("create-user --password-stdin prints %q", out)
	}
	key := a.ok("", "create-key", "--account", "Acme", "--user", "bob@example.com")
	wantRole := func(want identity.Role) {
		t.Helper()
		if caller, err := authenticate(t, a.folder, key); err != nil || caller.Role != want {
			t.Errorf("the key has %q, %v, want %q", caller.Role, err, want)
		}
	}
	wantRole(identity.Readonly) // the lesser of the key's admin and the member's role
	a.ok("", "set-role", "bob@example.com", "--account", "Acme", "--role", "admin")
	wantRole(identity.Admin)
	a.ok("", "remove-member", "bob@example.com", "--account", "Acme")
	if _, err := authenticate(t, a.folder, key); err == nil {
		t.Errorf("the key of a removed member works")
	}
	a.ok("", "add-member", "bob@example.com", "--account", "Acme", "--role", "owner")
	if _, err := authenticate(t, a.folder, key); err == nil {
		t.Errorf("the key of a removed member came back with them")
	}

	second := a.ok("", "reset-password", "bob@example.com", "--revoke-connections")
	if err := a.signIn("bob@example.com", second); err != nil {
		t.Errorf("sign in after the reset: %v", err)
	}
	a.ok("", "disable-user", "bob@example.com")
	if err := a.signIn("bob@example.com", second); err == nil {
		t.Errorf("a disabled user signs in")
	}
	a.ok("", "enable-user", "bob@example.com")
	if err := a.signIn("bob@example.com", second); err != nil {
		t.Errorf("sign in after enable-user: %v", err)
	}

	log := a.ok("", "audit", "--user", "bob@example.com", "--json")
	var kinds []string
	for line := range strings.SplitSeq(log, "\n") {
		var e eventLine
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		kinds = append(kinds, e.Kind)
	}
	want := "sign_in user_enabled sign_in_refused user_disabled sign_in password_changed member_added member_removed role_changed key_created member_added user_created"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("the audit log has\n%s, want\n%s", got, want)
	}
	for _, secret := range []string{drawn, second, "a password of her own", key[37:], "192.0.2.7"} {
		if strings.Contains(a.ok("", "audit", "--since", "1h")+log, secret) {
			t.Errorf("the audit log has %q", secret)
		}
	}
	if table := a.ok("", "audit", "--kind", "sign_in_refused"); !strings.Contains(table, "bob@example.com  192.0.2.0/24  wrong credentials") {
		t.Errorf("the audit log as a table:\n%s", table)
	}
}

// open opens the folder's store and its users until the test ends.
func (a admin) open() (*sqlstore.Store, *identity.Service) {
	a.t.Helper()
	store, err := sqlstore.Open(a.t.Context(), a.folder)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			a.t.Error(err)
		}
	})
	p := testProcess(nil)
	p.err = &syncBuffer{}
	return store, p.identity(store)
}

// What a stranger calls themselves is shown, but does not drive the terminal on
// which the operator reads who they are.
func TestAdmin_ShowUserKeepsNamesInTheirPlace(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	a.ok("", "create-user", "ann@example.com", "--account", "Acme \u202ecba")
	store, users := a.open()
	ann, err := users.UserByEmail(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	first := "Ann \u2067ecnO"
	if _, err := users.UpdateProfile(t.Context(), ann.ID, identity.ProfilePatch{FirstName: &first}); err != nil {
		t.Fatal(err)
	}
	if err := store.Identity().LinkLogin(t.Context(), ann.ID, identity.Login{Issuer: "https://accounts.example.com", Subject: "x\ncreated by the operator\x1b[2J"}, ann.CreatedAt); err != nil {
		t.Fatal(err)
	}
	out := a.ok("", "show-user", "ann@example.com")
	if strings.ContainsAny(out, "\u202e\u2067\x1b") || strings.Count(out, "\ncreated by the operator") != 1 || !strings.Contains(out, "Acme  cba") {
		t.Errorf("show-user prints %q", out)
	}
}

func TestAdmin_ResetPasswordAndProviders(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	a.ok("", "create-user", "ann@example.com", "--account", "Acme")
	store, users := a.open()
	ann, err := users.UserByEmail(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	login := identity.Login{Issuer: "https://accounts.example.com", Subject: "ann-at-provider"}
	if err := store.Identity().LinkLogin(t.Context(), ann.ID, login, ann.CreatedAt); err != nil {
		t.Fatal(err)
	}
	line := "signs in by https://accounts.example.com as ann-at-provider, linked " + dateOf(ann.CreatedAt)
	if out := a.ok("", "show-user", "ANN@example.com"); !strings.Contains(out, line) || !strings.Contains(out, "created by the operator") || !strings.Contains(out, "owner of Acme") {
		t.Errorf("show-user prints\n%s", out)
	}
	stdout, stderr, code := a.run("", "reset-password", "ann@example.com")
	if code != 0 || !strings.Contains(stderr, line) || strings.Contains(stdout, line) || a.signIn("ann@example.com", strings.TrimSpace(stdout)) != nil {
		t.Errorf("reset-password: %d, %q, %q", code, stdout, stderr)
	}
	if _, err := store.Identity().UserByLogin(t.Context(), login); err != nil {
		t.Errorf("the provider after a reset: %v", err)
	}
	stdout, stderr, code = a.run("", "reset-password", "ann@example.com", "--unlink")
	if code != 0 || stderr != "" || a.signIn("ann@example.com", strings.TrimSpace(stdout)) != nil {
		t.Errorf("reset-password --unlink: %d, %q, %q", code, stdout, stderr)
	}
	if _, err := store.Identity().UserByLogin(t.Context(), login); !errors.Is(err, identity.ErrNotFound) {
		t.Errorf("the provider after --unlink: %v", err)
	}
	if out := a.ok("", "audit", "--kind", "identity_unlinked"); !strings.Contains(out, "ann@example.com") {
		t.Errorf("the audit log:\n%s", out)
	}
}

// Somebody who signed up may have written another person's address.
func TestAdmin_AddMemberOfAnUnprovenAddress(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	a.ok("", "create-account", "Acme")
	store, _ := a.open()
	signUp := identity.New(identity.Config{Store: store.Identity(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), SignUp: true, UserTokenKeys: [][]byte{make([]byte, 32)}})
	if _, err := signUp.SignUp(t.Context(), identity.SignUp{Email: "boss@acme.example", Password: "not the boss's own", AccountName: "Mine"}); err != nil {
		t.Fatal(err)
	}
	add := []string{"add-member", "boss@acme.example", "--account", "Acme", "--role", "owner"}
	_, stderr, code := a.run("", add...)
	for _, want := range []string{"signed up; nobody has proved", "--yes", "owner of Mine"} {
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("add-member: %d, %q, want %q", code, stderr, want)
		}
	}
	if out := a.ok("", "show-user", "boss@acme.example"); strings.Contains(out, "Acme") {
		t.Errorf("they are a member all the same:\n%s", out)
	}
	a.ok("", append(add, "--yes")...)
	if out := a.ok("", "show-user", "boss@acme.example"); !strings.Contains(out, "owner of Acme") {
		t.Errorf("with --yes they are\n%s", out)
	}
}

func TestAdmin_UserCommandsRefuse(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	a.ok("", "create-user", "ann@example.com", "--account", "Acme")
	for want, args := range map[string][]string{
		"already exists":           {"create-user", "ANN@example.com"},
		"must be an e-mail":        {"create-user", "ann"},
		"at least 10 characters":   {"create-user", "bob@example.com", "--password-stdin"},
		"exclude each other":       {"create-user", "bob@example.com", "--password-stdin", "--no-password"},
		"at least one owner":       {"remove-member", "ann@example.com", "--account", "Acme"},
		"not found":                {"disable-user", "nobody@example.com"},
		`account "Other"`:          {"add-member", "ann@example.com", "--account", "Other", "--role", "admin"},
		"is not one of":            {"set-role", "ann@example.com", "--account", "Acme", "--role", "king"},
		"want 24h, 30d":            {"audit", "--since", "yesterday"},
		`required flag(s) "role"`:  {"set-role", "ann@example.com", "--account", "Acme"},
		"keeps at least one owner": {"set-role", "ann@example.com", "--account", "Acme", "--role", "admin"},
	} {
		if _, stderr, code := a.run("short\n", args...); code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%q exited with %d: %s, want %q", args, code, stderr, want)
		}
	}
}

func TestAdmin_Billing(t *testing.T) {
	t.Parallel()
	a := admin{t, filepath.Join(t.TempDir(), "data")}
	a.ok("", "create-account", "Acme")
	if got := a.ok("", "billing", "--account", "Acme"); got != "{}" {
		t.Errorf("nothing noted: %s", got)
	}
	a.ok("", "billing", "--account", "Acme", "--plan", "growth", "--cycle", "yearly", "--mrr-limit", "500000", "--period-end", "2026-12-31")
	got := a.ok("", "billing", "--account", "Acme", "--status", "past_due", "--period-end", "")
	if want := `{"plan":"growth","status":"past_due","cycle":"yearly","mrr_limit":500000}`; strings.Join(strings.Fields(got), "") != want {
		t.Errorf("noted %s, want %s", got, want)
	}
	for _, args := range [][]string{{"--cycle", "weekly"}, {"--mrr-limit", "-1"}, {"--cancel-at", "soon"}, {"--plan", "a b"}, {"--status", "great"}} {
		if _, stderr, code := a.run("", append([]string{"billing", "--account", "Acme"}, args...)...); code == 0 || !strings.Contains(stderr, args[0]) {
			t.Errorf("%q exited with %d: %s", args, code, stderr)
		}
	}
	if again := a.ok("", "billing", "--account", "Acme", "--plan", "scale", "--status", "trialing"); !strings.Contains(again, `"status": "trialing"`) {
		t.Errorf("plan and status at once: %s", again)
	}
}
