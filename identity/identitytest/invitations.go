package identitytest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
)

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
