package identitytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
)

func testLogin(t *testing.T, s identity.Store) {
	ann, bob := newUser(t, s), newUser(t, s)
	google := identity.Login{Issuer: "https://accounts.example.com", Subject: uuid.NewString()}
	for range 2 {
		if err := s.LinkLogin(t.Context(), ann.ID, google, epoch); err != nil {
			t.Fatalf("LinkLogin: %v", err)
		}
	}
	wantError(t, "identity of another user", s.LinkLogin(t.Context(), bob.ID, google, epoch), identity.ErrExists)
	other := identity.Login{Issuer: "https://other.example.com", Subject: google.Subject}
	if err := s.LinkLogin(t.Context(), bob.ID, other, epoch); err != nil {
		t.Fatalf("LinkLogin with the subject of another issuer: %v", err)
	}
	for login, want := range map[identity.Login]string{google: ann.ID, other: bob.ID} {
		if got, err := s.UserByLogin(t.Context(), login); err != nil || got.ID != want {
			t.Errorf("UserByLogin(%v) = %v, %v, want %s", login, got.ID, err, want)
		}
	}
	later := identity.Login{Issuer: "https://later.example.com", Subject: "x"}
	if err := s.LinkLogin(t.Context(), ann.ID, later, epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err := s.Logins(t.Context(), ann.ID)
	if diff := cmp.Diff([]identity.LinkedLogin{{Login: google, At: epoch}, {Login: later, At: epoch.Add(time.Hour)}}, list); diff != "" || err != nil {
		t.Errorf("Logins: %v (-want +got):\n%s", err, diff)
	}
	for _, unlink := range []bool{false, true} {
		if err := s.SetPassword(t.Context(), ann.ID, ann.Password, identity.PasswordReset{Unlink: unlink}); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Logins(t.Context(), ann.ID); err != nil || (len(list) == 0) != unlink {
			t.Errorf("Logins after a reset with unlink %v: %v, %v", unlink, list, err)
		}
	}
	_, err = s.UserByLogin(t.Context(), google)
	wantError(t, "unlinked identity", err, identity.ErrNotFound)
	if got, err := s.UserByLogin(t.Context(), other); err != nil || got.ID != bob.ID {
		t.Errorf("the identity of another user went as well: %v, %v", got.ID, err)
	}
	expected := userOf(epoch)
	expected.Password = identity.PasswordHash{}
	if err := s.CreateUser(t.Context(), expected); err != nil {
		t.Fatalf("CreateUser: %v", err)
	}
	first := identity.Login{Issuer: uuid.NewString(), Subject: "first"}
	if err := s.LinkFirstLogin(t.Context(), expected.ID, first, epoch); err != nil {
		t.Errorf("LinkFirstLogin of a user whom nobody can open: %v", err)
	}
	first.Subject = "second"
	wantError(t, "first login of a user with a login", s.LinkFirstLogin(t.Context(), expected.ID, first, epoch), identity.ErrExists)
	wantError(t, "first login of a user with a password", s.LinkFirstLogin(t.Context(), newUser(t, s).ID, first, epoch), identity.ErrExists)
	_, err = s.UserByLogin(t.Context(), identity.Login{Issuer: google.Issuer, Subject: "nobody"})
	wantError(t, "unknown identity", err, identity.ErrNotFound)
}

// newSession starts a session of a user at a time.
func newSession(t *testing.T, s identity.Store, user string, at time.Time) identity.Session {
	t.Helper()
	session := identity.Session{User: user, CreatedAt: at, LastUsed: at}
	copy(session.Hash[:], uuid.NewString())
	if err := s.CreateSession(t.Context(), session, 3); err != nil {
		t.Fatalf("CreateSession: %v", err)
	}
	return session
}

func wantSession(t *testing.T, s identity.Store, want identity.Session, alive bool) {
	t.Helper()
	got, u, err := s.SessionByHash(t.Context(), want.Hash)
	if !alive {
		wantError(t, "SessionByHash", err, identity.ErrNotFound)
		return
	}
	if err != nil {
		t.Fatalf("SessionByHash: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" || u.ID != want.User {
		t.Errorf("SessionByHash of %s (-want +got):\n%s", u.ID, diff)
	}
}

func testSession(t *testing.T, s identity.Store) {
	u := newUser(t, s)
	first := newSession(t, s, u.ID, epoch)
	wantSession(t, s, first, true)
	first.LastUsed = epoch.Add(time.Hour)
	for _, at := range []time.Time{first.LastUsed, epoch} {
		if err := s.TouchSession(t.Context(), first.Hash, at); err != nil {
			t.Fatalf("TouchSession: %v", err)
		}
	}
	wantSession(t, s, first, true)
	var later []identity.Session
	for i := range 3 {
		later = append(later, newSession(t, s, u.ID, epoch.Add(time.Duration(i+2)*time.Hour)))
	}
	wantSession(t, s, first, false) // the limit is 3
	wantSession(t, s, later[0], true)
	u.LastSignIn = later[2].CreatedAt
	wantUser(t, s, u)
	for range 2 {
		if err := s.DeleteSession(t.Context(), later[2].Hash); err != nil {
			t.Fatalf("DeleteSession: %v", err)
		}
	}
	wantSession(t, s, later[2], false)
	if err := s.DeleteSessions(t.Context(), epoch, later[1].CreatedAt); err != nil {
		t.Fatalf("DeleteSessions: %v", err)
	}
	wantSession(t, s, later[0], false)
	wantSession(t, s, later[1], true)
	lost := later[1]
	lost.User = uuid.NewString()
	wantError(t, "session of nobody", s.CreateSession(t.Context(), lost, 3), identity.ErrNotFound)
}

func testSetPassword(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k := newKey(t, s, a.ID, epoch)
	connection := newConnection(t, s, a.ID, k.User)
	session := newSession(t, s, k.User, epoch)
	changed := identity.StoredPassword("$argon2id$new")
	if err := s.SetPassword(t.Context(), k.User, changed, identity.PasswordReset{}); err != nil {
		t.Fatalf("SetPassword: %v", err)
	}
	wantSession(t, s, session, false)
	wantKey(t, s, connection)
	if u, err := s.User(t.Context(), k.User); err != nil || u.Password.Stored() != changed.Stored() {
		t.Errorf("the password was not set: %v", err)
	}
	if err := s.SetPassword(t.Context(), k.User, changed, identity.PasswordReset{Disconnect: true}); err != nil {
		t.Fatalf("SetPassword: %v", err)
	}
	wantGone(t, s, a.ID, connection.ID)
	wantKey(t, s, k)
	wantError(t, "password of nobody", s.SetPassword(t.Context(), uuid.NewString(), changed, identity.PasswordReset{}), identity.ErrNotFound)
}

func testDisableUser(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k, other := newKey(t, s, a.ID, epoch), newKey(t, s, a.ID, epoch)
	session := newSession(t, s, k.User, epoch)
	if err := s.DisableUser(t.Context(), k.User, epoch); err != nil {
		t.Fatalf("DisableUser: %v", err)
	}
	wantSession(t, s, session, false)
	wantGone(t, s, a.ID, k.ID)
	wantKey(t, s, other)
	wantError(t, "session of a disabled user", s.CreateSession(t.Context(), session, 3), identity.ErrNotFound)
	if u, err := s.User(t.Context(), k.User); err != nil || !u.Disabled() {
		t.Errorf("the user is not disabled: %v", err)
	}
	if err := s.EnableUser(t.Context(), k.User); err != nil {
		t.Fatalf("EnableUser: %v", err)
	}
	newSession(t, s, k.User, epoch)
	wantError(t, "disable nobody", s.DisableUser(t.Context(), uuid.NewString(), epoch), identity.ErrNotFound)
	wantError(t, "enable nobody", s.EnableUser(t.Context(), uuid.NewString()), identity.ErrNotFound)
}
