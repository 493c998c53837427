package identitytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
)

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
