package identitytest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
