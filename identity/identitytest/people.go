package identitytest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
)

func userOf(at time.Time) identity.User {
	id := uuid.NewString()
	return identity.User{
		ID: id, Email: id + "@example.com", CreatedAt: at, Origin: identity.BySignUp, Password: identity.StoredPassword("$argon2id$" + id),
		Profile: identity.Profile{FirstName: "Ann", LastName: "O'Neill", Locale: "da-DK", Timezone: "Europe/Copenhagen"},
	}
}

func newUser(t *testing.T, s identity.Store) identity.User {
	t.Helper()
	u := userOf(epoch)
	if err := s.CreateUser(t.Context(), u); err != nil {
		t.Fatalf("CreateUser: %v", err)
	}
	return u
}

func newMember(t *testing.T, s identity.Store, account string, role identity.Role) identity.User {
	t.Helper()
	u := newUser(t, s)
	if err := s.AddMember(t.Context(), account, u.ID, role, epoch, 100); err != nil {
		t.Fatalf("AddMember: %v", err)
	}
	return u
}

// samePassword compares what stores keep.
var samePassword = cmp.Comparer(func(a, b identity.PasswordHash) bool { return a.Stored() == b.Stored() })

func wantUser(t *testing.T, s identity.Store, want identity.User) {
	t.Helper()
	got, err := s.User(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("User: %v", err)
	}
	if diff := cmp.Diff(want, got, samePassword); diff != "" {
		t.Errorf("User (-want +got):\n%s", diff)
	}
}

func testUser(t *testing.T, s identity.Store) {
	want := newUser(t, s)
	wantUser(t, s, want)
	got, err := s.UserByEmail(t.Context(), want.Email)
	if err != nil || got.ID != want.ID {
		t.Errorf("UserByEmail = %v, %v", got.ID, err)
	}
	double := userOf(epoch)
	double.Email = want.Email
	wantError(t, "address that is taken", s.CreateUser(t.Context(), double), identity.ErrExists)
	_, err = s.User(t.Context(), double.ID)
	wantError(t, "unknown user", err, identity.ErrNotFound)
	_, err = s.UserByEmail(t.Context(), "nobody@example.com")
	wantError(t, "unknown address", err, identity.ErrNotFound)

	want.Profile = identity.Profile{FirstName: "会社"}
	if err := s.UpdateProfile(t.Context(), want.ID, want.Profile); err != nil {
		t.Fatalf("UpdateProfile: %v", err)
	}
	wantUser(t, s, want)
	wantError(t, "profile of nobody", s.UpdateProfile(t.Context(), double.ID, want.Profile), identity.ErrNotFound)
}

func testCreateOwner(t *testing.T, s identity.Store) {
	u, a := userOf(epoch), identity.Account{ID: uuid.NewString(), Name: "Acme", CreatedAt: epoch}
	if err := s.CreateOwner(t.Context(), u, a); err != nil {
		t.Fatalf("CreateOwner: %v", err)
	}
	wantUser(t, s, u)
	list, err := s.Memberships(t.Context(), u.ID, 10)
	if diff := cmp.Diff([]identity.Membership{{Account: a, Role: identity.Owner}}, list); diff != "" || err != nil {
		t.Errorf("Memberships: %v (-want +got):\n%s", err, diff)
	}

	// An address that is taken leaves no account behind, an account's id no user.
	taken, other := userOf(epoch), identity.Account{ID: uuid.NewString(), Name: "Other", CreatedAt: epoch}
	taken.Email = u.Email
	wantError(t, "address that is taken", s.CreateOwner(t.Context(), taken, other), identity.ErrExists)
	_, err = s.Account(t.Context(), other.ID)
	wantError(t, "account of a refused owner", err, identity.ErrNotFound)
	free := userOf(epoch)
	wantError(t, "account id that is taken", s.CreateOwner(t.Context(), free, a), identity.ErrExists)
	_, err = s.User(t.Context(), free.ID)
	wantError(t, "owner of a refused account", err, identity.ErrNotFound)
}

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

func testMember(t *testing.T, s identity.Store) {
	a, b := newAccount(t, s, "Acme", epoch), newAccount(t, s, "Beta", epoch)
	u := newMember(t, s, a.ID, identity.Readonly)
	owner := newUser(t, s)
	for _, account := range []string{b.ID, a.ID} {
		if err := s.AddMember(t.Context(), account, owner.ID, identity.Owner, epoch.Add(time.Hour), 2); err != nil {
			t.Fatalf("AddMember: %v", err)
		}
	}
	want := []identity.Member{
		{User: u.ID, Email: u.Email, FirstName: "Ann", LastName: "O'Neill", Role: identity.Readonly, Since: epoch},
		{User: owner.ID, Email: owner.Email, FirstName: "Ann", LastName: "O'Neill", Role: identity.Owner, Since: epoch.Add(time.Hour)},
	}
	got, err := s.ListMembers(t.Context(), a.ID, 10)
	if err != nil {
		t.Fatalf("ListMembers: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ListMembers (-want +got):\n%s", diff)
	}
	one, err := s.Member(t.Context(), a.ID, u.ID)
	if diff := cmp.Diff(want[0], one); diff != "" || err != nil {
		t.Errorf("Member: %v (-want +got):\n%s", err, diff)
	}
	accounts, err := s.Memberships(t.Context(), owner.ID, 10)
	if diff := cmp.Diff([]identity.Membership{{Account: a, Role: identity.Owner}, {Account: b, Role: identity.Owner}}, accounts); diff != "" || err != nil {
		t.Errorf("Memberships: %v (-want +got):\n%s", err, diff)
	}
	_, err = s.Member(t.Context(), b.ID, u.ID)
	wantError(t, "member of another account", err, identity.ErrNotFound)
	third := newUser(t, s)
	wantError(t, "second membership", s.AddMember(t.Context(), a.ID, u.ID, identity.Owner, epoch, 10), identity.ErrExists)
	wantError(t, "third member of two", s.AddMember(t.Context(), a.ID, third.ID, identity.Owner, epoch, 2), identity.ErrTooManyMembers)
	wantError(t, "member who is nobody", s.AddMember(t.Context(), a.ID, uuid.NewString(), identity.Owner, epoch, 10), identity.ErrNotFound)
	wantError(t, "member of no account", s.AddMember(t.Context(), uuid.NewString(), third.ID, identity.Owner, epoch, 10), identity.ErrNotFound)
	wantError(t, "role of no member", s.SetRole(t.Context(), b.ID, u.ID, identity.Owner), identity.ErrNotFound)
	wantError(t, "removal of no member", s.RemoveMember(t.Context(), b.ID, u.ID), identity.ErrNotFound)
}

func testLastOwner(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	first, second := newMember(t, s, a.ID, identity.Owner), newMember(t, s, a.ID, identity.Admin)
	wantError(t, "demote the last owner", s.SetRole(t.Context(), a.ID, first.ID, identity.Admin), identity.ErrLastOwner)
	wantError(t, "remove the last owner", s.RemoveMember(t.Context(), a.ID, first.ID), identity.ErrLastOwner)
	if err := s.SetRole(t.Context(), a.ID, second.ID, identity.Owner); err != nil {
		t.Fatalf("SetRole: %v", err)
	}
	if err := s.DisableUser(t.Context(), second.ID, epoch); err != nil {
		t.Fatalf("DisableUser: %v", err)
	}
	wantError(t, "leave a disabled owner alone", s.RemoveMember(t.Context(), a.ID, first.ID), identity.ErrLastOwner)
	if err := s.EnableUser(t.Context(), second.ID); err != nil {
		t.Fatalf("EnableUser: %v", err)
	}
	if err := s.RemoveMember(t.Context(), a.ID, first.ID); err != nil {
		t.Fatalf("RemoveMember: %v", err)
	}
	if err := s.SetRole(t.Context(), a.ID, second.ID, identity.Owner); err != nil {
		t.Errorf("keep an owner one: %v", err)
	}
}

func testLastOwnerConcurrent(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	users := make(chan string, 10)
	for range cap(users) {
		users <- newMember(t, s, a.ID, identity.Owner).ID
	}
	refused := 0
	for _, err := range atOnce(cap(users), func() error {
		return s.SetRole(context.WithoutCancel(t.Context()), a.ID, <-users, identity.Readonly)
	}) {
		if err != nil {
			refused++
			wantError(t, "demotion", err, identity.ErrLastOwner)
		}
	}
	if refused != 1 {
		t.Errorf("%d of 10 demotions were refused, want 1", refused)
	}
}

// newConnection adds a connection's key of a user.
func newConnection(t *testing.T, s identity.Store, account, user string) identity.Key {
	t.Helper()
	k := keyOf(account, epoch)
	k.User, k.Kind, k.ClientName, k.Request = user, identity.Connection, "Claude", uuid.NewString()
	copy(k.Revocation[:], uuid.NewString())
	if err := s.CreateKey(t.Context(), k, 100); err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	return k
}

// newChild adds a key that was created with another.
func newChild(t *testing.T, s identity.Store, parent identity.Key) identity.Key {
	t.Helper()
	k := keyOf(parent.Account, epoch)
	k.User, k.CreatedVia = parent.User, parent.ID
	if err := s.CreateKey(t.Context(), k, 100); err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	return k
}

// What a member invited others to does not outlast their right to do so: a link
// they know would let them back in.
func testInvitationsOfMember(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	newMember(t, s, a.ID, identity.Owner)
	invited := func(by identity.User, role identity.Role) identity.Invitation {
		i := invitationOf(a.ID, uuid.NewString()+"@example.com", epoch)
		i.InvitedBy, i.Role = by.ID, role
		return newInvitation(t, s, i)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	owner, removed, disabled := newMember(t, s, a.ID, identity.Owner), newMember(t, s, a.ID, identity.Admin), newMember(t, s, a.ID, identity.Admin)
	invited(owner, identity.Owner)
	do(s.SetRole(t.Context(), a.ID, owner.ID, identity.Admin))
	wantInvitations(t, s, a.ID)
	kept := invited(owner, identity.Admin)
	do(s.SetRole(t.Context(), a.ID, owner.ID, identity.Admin))
	wantInvitations(t, s, a.ID, kept)
	do(s.SetRole(t.Context(), a.ID, owner.ID, identity.Readonly))
	wantInvitations(t, s, a.ID)
	invited(removed, identity.Readonly)
	do(s.RemoveMember(t.Context(), a.ID, removed.ID))
	wantInvitations(t, s, a.ID)
	invited(disabled, identity.Readonly)
	do(s.DisableUser(t.Context(), disabled.ID, epoch))
	wantInvitations(t, s, a.ID)
}

// A connection that is revoked while it creates something has created nothing.
func testCreatorGone(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	connection := newConnection(t, s, a.ID, newMember(t, s, a.ID, identity.Admin).ID)
	child := newChild(t, s, connection)
	got, err := s.Access(t.Context(), child.ID)
	if err != nil || got.Creator != connection.Role {
		t.Errorf("Access of a connection's child: %v, creator %q, want %q", err, got.Creator, connection.Role)
	}
	if err := s.DeleteKey(t.Context(), a.ID, connection.ID, nil); err != nil {
		t.Fatalf("DeleteKey: %v", err)
	}
	late := keyOf(a.ID, epoch)
	late.User, late.CreatedVia = connection.User, connection.ID
	wantError(t, "key of a connection that is gone", s.CreateKey(t.Context(), late, 100), identity.ErrRevoked)
	i := invitationOf(a.ID, "late@example.com", epoch)
	i.CreatedVia = connection.ID
	wantError(t, "invitation of a connection that is gone", s.CreateInvitation(t.Context(), i, 100), identity.ErrRevoked)
}

func testRemoveMember(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k, other := newKey(t, s, a.ID, epoch), newKey(t, s, a.ID, epoch)
	child := newChild(t, s, newConnection(t, s, a.ID, k.User))
	b := newAccount(t, s, "Beta", epoch)
	if err := s.AddMember(t.Context(), b.ID, k.User, identity.Admin, epoch, 10); err != nil {
		t.Fatalf("AddMember: %v", err)
	}
	elsewhere := newConnection(t, s, b.ID, k.User)
	if err := s.RemoveMember(t.Context(), a.ID, k.User); err != nil {
		t.Fatalf("RemoveMember: %v", err)
	}
	wantGone(t, s, a.ID, k.ID)
	wantGone(t, s, a.ID, child.ID)
	wantKey(t, s, other)
	wantKey(t, s, elsewhere)
	late := keyOf(a.ID, epoch)
	late.User = k.User
	wantError(t, "key of a former member", s.CreateKey(t.Context(), late, 100), identity.ErrNotFound)
}

func testAccess(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k := newKey(t, s, a.ID, epoch)
	want := identity.Access{Key: k, Member: identity.Admin}
	check := func() {
		t.Helper()
		got, err := s.Access(t.Context(), k.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Access: %v (-want +got):\n%s", err, diff)
		}
	}
	check()
	want.Member = identity.Readonly
	if err := s.SetRole(t.Context(), a.ID, k.User, identity.Readonly); err != nil {
		t.Fatalf("SetRole: %v", err)
	}
	check()
	_, err := s.Access(t.Context(), uuid.NewString())
	wantError(t, "unknown key", err, identity.ErrNotFound)
}

func invitationOf(account, email string, at time.Time) identity.Invitation {
	i := identity.Invitation{
		Account: account, AccountName: "Acme", Email: email, Role: identity.Readonly, InvitedBy: uuid.NewString(),
		CreatedAt: at, ExpiresAt: at.Add(time.Hour),
	}
	copy(i.Hash[:], uuid.NewString())
	return i
}

func newInvitation(t *testing.T, s identity.Store, i identity.Invitation) identity.Invitation {
	t.Helper()
	if err := s.CreateInvitation(t.Context(), i, 100); err != nil {
		t.Fatalf("CreateInvitation: %v", err)
	}
	return i
}

func wantInvitations(t *testing.T, s identity.Store, account string, want ...identity.Invitation) {
	t.Helper()
	got, err := s.ListInvitations(t.Context(), account, 100)
	if err != nil {
		t.Fatalf("ListInvitations: %v", err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("ListInvitations (-want +got):\n%s", diff)
	}
}

func testDeleteConnection(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	plain := newKey(t, s, a.ID, epoch)
	for name, remove := range map[string]func(k identity.Key, keep []string) error{
		"by its id": func(k identity.Key, keep []string) error { return s.DeleteKey(t.Context(), a.ID, k.ID, keep) },
		"by its secret": func(k identity.Key, keep []string) error {
			_, err := s.RevokeConnection(t.Context(), k.Revocation, keep, epoch)
			return err
		},
	} {
		connection, other := newConnection(t, s, a.ID, plain.User), newConnection(t, s, a.ID, plain.User)
		gone, kept, others := newChild(t, s, connection), newChild(t, s, connection), newChild(t, s, other)
		invited := invitationOf(a.ID, uuid.NewString()+"@example.com", epoch)
		invited.CreatedVia = connection.ID
		newInvitation(t, s, invited)
		if err := remove(connection, []string{kept.ID, others.ID, plain.ID}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantGone(t, s, a.ID, connection.ID)
		wantGone(t, s, a.ID, gone.ID)
		wantInvitations(t, s, a.ID)
		kept.CreatedVia = ""
		for _, k := range []identity.Key{kept, other, others, plain} {
			wantKey(t, s, k)
		}
	}
}

func testKeepAll(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	connection := newConnection(t, s, a.ID, newMember(t, s, a.ID, identity.Admin).ID)
	child := newChild(t, s, connection)
	if err := s.DeleteKey(t.Context(), a.ID, connection.ID, []string{identity.KeepAll}); err != nil {
		t.Fatalf("DeleteKey: %v", err)
	}
	wantGone(t, s, a.ID, connection.ID)
	child.CreatedVia = ""
	wantKey(t, s, child)
}

func testRevokeConnection(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	plain := newKey(t, s, a.ID, epoch)
	k := newConnection(t, s, a.ID, plain.User)
	got, err := s.RevokeConnection(t.Context(), k.Revocation, nil, epoch)
	if diff := cmp.Diff(k, got); diff != "" || err != nil {
		t.Errorf("RevokeConnection: %v (-want +got):\n%s", err, diff)
	}
	k.ID, k.Request = uuid.NewString(), ""
	var none identity.Hash
	copy(none[:], uuid.NewString())
	until := epoch.Add(time.Hour)
	_, err = s.RevokeConnection(t.Context(), none, nil, until)
	wantError(t, "revocation of nothing", err, identity.ErrNotFound)
	k.Revocation = none
	wantError(t, "key that was revoked before", s.CreateKey(t.Context(), k, 100), identity.ErrRevoked)
	if _, err := s.DeleteIdleConnections(t.Context(), time.Time{}, until.Add(time.Second), 10); err != nil {
		t.Fatalf("DeleteIdleConnections: %v", err)
	}
	if err := s.CreateKey(t.Context(), k, 100); err != nil {
		t.Errorf("key whose revocation is forgotten: %v", err)
	}
	wantKey(t, s, plain)
}

func testKeyByRequest(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k := newConnection(t, s, a.ID, newMember(t, s, a.ID, identity.Admin).ID)
	again := k
	again.ID = uuid.NewString()
	copy(again.Revocation[:], uuid.NewString())
	wantError(t, "repeated request", s.CreateKey(t.Context(), again, 100), identity.ErrExists)
	got, err := s.KeyByRequest(t.Context(), a.ID, k.User, k.Request)
	if diff := cmp.Diff(k, got); diff != "" || err != nil {
		t.Errorf("KeyByRequest: %v (-want +got):\n%s", err, diff)
	}
	for _, of := range [][2]string{{a.ID, uuid.NewString()}, {uuid.NewString(), k.User}} {
		_, err := s.KeyByRequest(t.Context(), of[0], of[1], k.Request)
		wantError(t, "request of another", err, identity.ErrNotFound)
	}
	copy(k.Hash[:], uuid.NewString())
	if err := s.RenewKey(t.Context(), a.ID, k.ID, k.Hash); err != nil {
		t.Fatalf("RenewKey: %v", err)
	}
	wantKey(t, s, k)
	if err := s.TouchKeys(t.Context(), []identity.Use{{Account: a.ID, Key: k.ID, At: epoch}}); err != nil {
		t.Fatalf("TouchKeys: %v", err)
	}
	k.LastUsed = epoch
	wantError(t, "renewal of a used key", s.RenewKey(t.Context(), a.ID, k.ID, identity.Hash{1}), identity.ErrUsed)
	wantKey(t, s, k)
}

func testIdleConnections(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	plain := newKey(t, s, a.ID, epoch)
	idle, used := newConnection(t, s, a.ID, plain.User), newConnection(t, s, a.ID, plain.User)
	child := newChild(t, s, idle)
	used.LastUsed = epoch.Add(time.Hour)
	if err := s.TouchKeys(t.Context(), []identity.Use{{Account: a.ID, Key: used.ID, At: used.LastUsed}}); err != nil {
		t.Fatalf("TouchKeys: %v", err)
	}
	gone, err := s.DeleteIdleConnections(t.Context(), epoch.Add(time.Minute), epoch, 1000)
	isIdle := func(k identity.Key) bool { return k.ID == idle.ID }
	if err != nil || len(filterKeys(gone, isIdle)) != 1 {
		t.Errorf("DeleteIdleConnections = %v, %v", gone, err)
	}
	wantGone(t, s, a.ID, idle.ID)
	wantGone(t, s, a.ID, child.ID)
	wantKey(t, s, used)
	wantKey(t, s, plain)
}

func filterKeys(in []identity.Key, keep func(identity.Key) bool) []identity.Key {
	var out []identity.Key
	for _, k := range in {
		if keep(k) {
			out = append(out, k)
		}
	}
	return out
}

func testInvitation(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	member := newMember(t, s, a.ID, identity.Owner)
	i := newInvitation(t, s, invitationOf(a.ID, "ann@example.com", epoch))
	wantInvitations(t, s, a.ID, i)
	wantInvitations(t, s, uuid.NewString())
	again := invitationOf(a.ID, i.Email, epoch)
	wantError(t, "second invitation", s.CreateInvitation(t.Context(), again, 100), identity.ErrExists)
	wantError(t, "invitation of a member", s.CreateInvitation(t.Context(), invitationOf(a.ID, member.Email, epoch), 100), identity.ErrExists)
	wantError(t, "more than fit", s.CreateInvitation(t.Context(), invitationOf(a.ID, "bob@example.com", epoch), 2), identity.ErrTooManyMembers)
	wantError(t, "invitation to nothing", s.CreateInvitation(t.Context(), invitationOf(uuid.NewString(), i.Email, epoch), 100), identity.ErrNotFound)

	old := i.Hash
	i.Hash, i.ExpiresAt = again.Hash, epoch.Add(2*time.Hour)
	got, err := s.RenewInvitation(t.Context(), a.ID, i.Email, i.Hash, i.ExpiresAt)
	if diff := cmp.Diff(i, got); diff != "" || err != nil {
		t.Errorf("RenewInvitation: %v (-want +got):\n%s", err, diff)
	}
	_, err = s.InvitationByHash(t.Context(), old)
	wantError(t, "old link", err, identity.ErrNotFound)
	got, err = s.InvitationByHash(t.Context(), i.Hash)
	if diff := cmp.Diff(i, got); diff != "" || err != nil {
		t.Errorf("InvitationByHash: %v (-want +got):\n%s", err, diff)
	}
	_, err = s.RenewInvitation(t.Context(), uuid.NewString(), i.Email, old, i.ExpiresAt)
	wantError(t, "renewal from another account", err, identity.ErrNotFound)
	wantError(t, "deletion from another account", s.DeleteInvitation(t.Context(), uuid.NewString(), i.Email), identity.ErrNotFound)
	// One that is over makes room for another.
	later := newInvitation(t, s, invitationOf(a.ID, i.Email, i.ExpiresAt.Add(time.Second)))
	wantInvitations(t, s, a.ID, later)
	if err := s.DeleteInvitation(t.Context(), a.ID, i.Email); err != nil {
		t.Fatalf("DeleteInvitation: %v", err)
	}
	wantInvitations(t, s, a.ID)
}

func testAcceptInvitation(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	owner := newMember(t, s, a.ID, identity.Owner)
	u := userOf(epoch)
	login := identity.Login{Issuer: "https://accounts.example.com", Subject: u.ID}
	i := invitationOf(a.ID, u.Email, epoch)
	i.CreatedVia = newConnection(t, s, a.ID, owner.ID).ID
	i = newInvitation(t, s, i)
	accept := func(u identity.User, at time.Time, limit int) error {
		return s.AcceptInvitation(t.Context(), i.Hash, u, login, at, limit)
	}
	wantError(t, "accept when it is over", accept(u, i.ExpiresAt, 100), identity.ErrNotFound)
	taken := userOf(epoch)
	taken.Email = owner.Email
	wantError(t, "accept with an address that is taken", accept(taken, epoch, 100), identity.ErrExists)
	wantError(t, "accept into a full account", accept(u, epoch, 1), identity.ErrTooManyMembers)
	wantInvitations(t, s, a.ID, i) // nothing of it was done
	if err := accept(u, epoch, 100); err != nil {
		t.Fatalf("AcceptInvitation: %v", err)
	}
	wantUser(t, s, u)
	if m, err := s.Member(t.Context(), a.ID, u.ID); err != nil || m.Role != i.Role || m.CreatedVia != i.CreatedVia {
		t.Errorf("Member = %v, %v", m, err)
	}
	if got, err := s.UserByLogin(t.Context(), login); err != nil || got.ID != u.ID {
		t.Errorf("UserByLogin = %v, %v", got.ID, err)
	}
	wantError(t, "accept again", accept(u, epoch, 100), identity.ErrNotFound)

	// A member who accepts keeps the role that they have.
	i = newInvitation(t, s, invitationOf(a.ID, "other@example.com", epoch))
	login = identity.Login{}
	if err := accept(owner, epoch, 100); err != nil {
		t.Fatalf("AcceptInvitation: %v", err)
	}
	if m, err := s.Member(t.Context(), a.ID, owner.ID); err != nil || m.Role != identity.Owner {
		t.Errorf("Member = %v, %v", m, err)
	}
}

func testAcceptInvitationConcurrent(t *testing.T, s identity.Store) {
	const tries = 50
	a := newAccount(t, s, "Acme", epoch)
	i := newInvitation(t, s, invitationOf(a.ID, "ann@example.com", epoch))
	accepted := 0
	for _, err := range atOnce(tries, func() error {
		return s.AcceptInvitation(context.WithoutCancel(t.Context()), i.Hash, userOf(epoch), identity.Login{}, epoch, 100)
	}) {
		if err == nil {
			accepted++
			continue
		}
		wantError(t, "accept", err, identity.ErrNotFound)
	}
	members, err := s.ListMembers(t.Context(), a.ID, 100)
	if accepted != 1 || len(members) != 1 || err != nil {
		t.Errorf("%d of %d accepted and there are %d members (%v), want 1", accepted, tries, len(members), err)
	}
}

func testEvents(t *testing.T, s identity.Store) {
	account, user := uuid.NewString(), uuid.NewString()
	first := identity.Event{At: epoch, Kind: identity.SignedInEvent, User: user, Address: "192.0.2.0/24", Detail: "password"}
	second := identity.Event{
		At: epoch, Kind: identity.RoleChanged, Account: account, User: uuid.NewString(), Key: "k", Client: "c", Subject: user, Reason: "r",
	}
	third := identity.Event{At: epoch.Add(time.Hour), Kind: identity.SignedInEvent, User: uuid.NewString(), Account: account}
	if err := s.AddEvents(t.Context(), []identity.Event{first, second, third}); err != nil {
		t.Fatalf("AddEvents: %v", err)
	}
	list := func(q identity.AuditQuery) []identity.Event {
		t.Helper()
		events, err := s.ListEvents(t.Context(), q)
		if err != nil {
			t.Fatalf("ListEvents: %v", err)
		}
		return events
	}
	for name, tt := range map[string]struct {
		query identity.AuditQuery
		want  []identity.Event
	}{
		"by user, who did it or had it done": {identity.AuditQuery{User: user, Limit: 10}, []identity.Event{second, first}},
		"by account":                         {identity.AuditQuery{Account: account, Limit: 10}, []identity.Event{third, second}},
		"the newest":                         {identity.AuditQuery{Account: account, Limit: 1}, []identity.Event{third}},
		"by kind":                            {identity.AuditQuery{User: user, Kind: identity.SignedInEvent, Limit: 10}, []identity.Event{first}},
		"since":                              {identity.AuditQuery{Account: account, Since: epoch.Add(time.Minute), Limit: 10}, []identity.Event{third}},
		"until":                              {identity.AuditQuery{Account: account, Until: epoch.Add(time.Minute), Limit: 10}, []identity.Event{second}},
	} {
		if diff := cmp.Diff(tt.want, list(tt.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := s.DeleteEvents(t.Context(), epoch.Add(time.Minute)); err != nil {
		t.Fatalf("DeleteEvents: %v", err)
	}
	if diff := cmp.Diff([]identity.Event{third}, list(identity.AuditQuery{Account: account, Limit: 10})); diff != "" {
		t.Errorf("after DeleteEvents (-want +got):\n%s", diff)
	}
}

func testRename(t *testing.T, s identity.Store) {
	a, b := newAccount(t, s, "Acme", epoch), newAccount(t, s, "Beta", epoch)
	if err := s.RenameAccount(t.Context(), a.ID, "Acme Inc"); err != nil {
		t.Fatalf("RenameAccount: %v", err)
	}
	a.Name = "Acme Inc"
	for _, want := range []identity.Account{a, b} {
		if got, err := s.Account(t.Context(), want.ID); err != nil || got != want {
			t.Errorf("Account = %+v, %v, want %+v", got, err, want)
		}
	}
	wantError(t, "rename nothing", s.RenameAccount(t.Context(), uuid.NewString(), "x"), identity.ErrNotFound)
}

func testClosing(t *testing.T, s identity.Store) {
	a, b := newAccount(t, s, "Acme", epoch), newAccount(t, s, "Beta", epoch)
	owner := newMember(t, s, a.ID, identity.Owner)
	kept := keyOf(a.ID, epoch)
	kept.User = owner.ID
	if err := s.CreateKey(t.Context(), kept, 100); err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	admins, connection, elsewhere := newKey(t, s, a.ID, epoch), newConnection(t, s, a.ID, owner.ID), newKey(t, s, b.ID, epoch)
	newInvitation(t, s, invitationOf(a.ID, "ann@example.com", epoch))
	a.ClosingAt = epoch.Add(time.Hour)
	for _, at := range []time.Time{a.ClosingAt, epoch.Add(9 * time.Hour)} {
		got, err := s.CloseAccount(t.Context(), a.ID, at)
		if err != nil || got != a {
			t.Errorf("CloseAccount = %+v, %v, want %+v", got, err, a)
		}
	}
	wantKey(t, s, kept)
	wantKey(t, s, elsewhere)
	wantGone(t, s, a.ID, admins.ID)
	wantGone(t, s, a.ID, connection.ID)
	wantInvitations(t, s, a.ID)
	if access, err := s.Access(t.Context(), kept.ID); err != nil || !access.Closing.Equal(a.ClosingAt) {
		t.Errorf("Access tells %v, %v", access.Closing, err)
	}
	late := keyOf(a.ID, epoch)
	late.User = owner.ID
	wantError(t, "key of a closing account", s.CreateKey(t.Context(), late, 100), identity.ErrClosing)
	wantError(t, "invitation to a closing account", s.CreateInvitation(t.Context(), invitationOf(a.ID, "bob@example.com", epoch), 100), identity.ErrClosing)
	for at, want := range map[time.Time]bool{a.ClosingAt: true, a.ClosingAt.Add(-time.Millisecond): false} {
		ids, err := s.ClosedAccounts(t.Context(), at, 1000)
		if slices.Contains(ids, a.ID) != want || slices.Contains(ids, b.ID) || err != nil {
			t.Errorf("ClosedAccounts at %v = %v, %v", at, ids, err)
		}
	}
	if err := s.ReopenAccount(t.Context(), a.ID); err != nil {
		t.Fatalf("ReopenAccount: %v", err)
	}
	if err := s.CreateKey(t.Context(), late, 100); err != nil {
		t.Errorf("key of an account that is open again: %v", err)
	}
	wantError(t, "reopen nothing", s.ReopenAccount(t.Context(), uuid.NewString()), identity.ErrNotFound)
	_, err := s.CloseAccount(t.Context(), uuid.NewString(), epoch)
	wantError(t, "close nothing", err, identity.ErrNotFound)
}
