// Package identitytest holds the suite that proves that a store keeps the contract
// of identity.Store.
package identitytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
)

// RunStore proves that a store keeps the contract of identity.Store. open
// returns a store that no one else uses; it may hold rows of other tests.
func RunStore(t *testing.T, open func(t *testing.T) identity.Store) {
	for name, test := range map[string]func(*testing.T, identity.Store){
		"an account is kept as it was created":      testAccount,
		"accounts are found by name, oldest first":  testAccountsNamed,
		"a key is kept as it was created":           testKey,
		"a key needs an account and a free id":      testCreateKeyRefused,
		"an account has at most limit keys":         testKeyLimit,
		"concurrent creates do not pass the limit":  testKeyLimitConcurrent,
		"keys are listed oldest first":              testListKeys,
		"a key is changed in its own account alone": testUpdateKey,
		"a key is deleted in its own account alone": testDeleteKey,
		"last-used times only move forward":         testTouchKeys,
		"text comes back as it went in":             testAwkwardText,

		"a user is kept as they were created":              testUser,
		"an owner comes with their account or not at all":  testCreateOwner,
		"a user has one address and many identities":       testLogin,
		"a password change ends sessions":                  testSetPassword,
		"a disabled user has nothing":                      testDisableUser,
		"a member is kept as added":                        testMember,
		"an account keeps an owner":                        testLastOwner,
		"concurrent demotions leave an owner":              testLastOwnerConcurrent,
		"a removed member's keys are gone":                 testRemoveMember,
		"invitations go with the right to send them":       testInvitationsOfMember,
		"a connection that is gone creates nothing":        testCreatorGone,
		"access tells the member's role now":               testAccess,
		"a connection's key takes along what it created":   testDeleteConnection,
		"what a connection created can all be kept":        testKeepAll,
		"a revocation works before and after its key":      testRevokeConnection,
		"a repeated request finds its key":                 testKeyByRequest,
		"idle connections go":                              testIdleConnections,
		"a session is kept until it is ended":              testSession,
		"an invitation is kept, renewed and taken back":    testInvitation,
		"an invitation is accepted once":                   testAcceptInvitation,
		"of many who accept an invitation one succeeds":    testAcceptInvitationConcurrent,
		"an account is renamed":                            testRename,
		"a closing account keeps its owners' keys alone":   testClosing,
		"the audit log is kept, chosen from and forgotten": testEvents,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// epoch has the millisecond precision that stores promise.
var epoch = time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)

func newAccount(t *testing.T, s identity.Store, name string, at time.Time) identity.Account {
	t.Helper()
	a := identity.Account{ID: uuid.NewString(), Name: name, CreatedAt: at}
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatalf("CreateAccount: %v", err)
	}
	return a
}

func newKey(t *testing.T, s identity.Store, account string, at time.Time) identity.Key {
	t.Helper()
	k := keyOf(account, at)
	k.User = newMember(t, s, account, identity.Admin).ID
	if err := s.CreateKey(t.Context(), k, 100); err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	return k
}

func keyOf(account string, at time.Time) identity.Key {
	k := identity.Key{ID: uuid.NewString(), Account: account, Name: "CI", Role: identity.Admin, Kind: identity.API, CreatedAt: at}
	copy(k.Hash[:], k.ID)
	return k
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func wantKey(t *testing.T, s identity.Store, want identity.Key) {
	t.Helper()
	got, err := s.Key(t.Context(), want.Account, want.ID)
	if err != nil {
		t.Fatalf("Key: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Key (-want +got):\n%s", diff)
	}
	wantGone(t, s, uuid.NewString(), want.ID) // in any other account
}

func testAccount(t *testing.T, s identity.Store) {
	want := newAccount(t, s, "Acme", epoch)
	got, err := s.Account(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Account: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Account (-want +got):\n%s", diff)
	}
	wantError(t, "second CreateAccount", s.CreateAccount(t.Context(), want), identity.ErrExists)
	_, err = s.Account(t.Context(), uuid.NewString())
	wantError(t, "unknown account", err, identity.ErrNotFound)
}

func testAccountsNamed(t *testing.T, s identity.Store) {
	name := "Twins " + uuid.NewString()
	later := newAccount(t, s, name, epoch.Add(time.Hour))
	earlier := newAccount(t, s, name, epoch)
	newAccount(t, s, strings.ToUpper(name), epoch)
	for limit, want := range map[int][]identity.Account{1: {earlier}, 5: {earlier, later}} {
		got, err := s.AccountsNamed(t.Context(), name, limit)
		if err != nil {
			t.Fatalf("AccountsNamed: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("AccountsNamed with limit %d (-want +got):\n%s", limit, diff)
		}
	}
	got, err := s.AccountsNamed(t.Context(), uuid.NewString(), 5)
	if err != nil || len(got) != 0 {
		t.Errorf("AccountsNamed of an unknown name = %v, %v", got, err)
	}
}

func testKey(t *testing.T, s identity.Store) {
	want := newKey(t, s, newAccount(t, s, "Acme", epoch).ID, epoch)
	wantKey(t, s, want)
	wantGone(t, s, want.Account, uuid.NewString())
}

func wantGone(t *testing.T, s identity.Store, account, id string) {
	t.Helper()
	_, err := s.Key(t.Context(), account, id)
	wantError(t, "Key", err, identity.ErrNotFound)
}

func testCreateKeyRefused(t *testing.T, s identity.Store) {
	wantError(t, "key of no account", s.CreateKey(t.Context(), keyOf(uuid.NewString(), epoch), 100), identity.ErrNotFound)
	kept := newKey(t, s, newAccount(t, s, "Acme", epoch).ID, epoch)
	beta := newAccount(t, s, "Beta", epoch)
	double := keyOf(beta.ID, epoch)
	double.User = kept.User
	wantError(t, "key of a user who is no member", s.CreateKey(t.Context(), double, 100), identity.ErrNotFound)
	double.ID, double.User = kept.ID, newMember(t, s, beta.ID, identity.Owner).ID
	wantError(t, "key with a taken id", s.CreateKey(t.Context(), double, 100), identity.ErrExists)
	wantKey(t, s, kept)
}

func testKeyLimit(t *testing.T, s identity.Store) {
	a, other := newAccount(t, s, "Acme", epoch), newAccount(t, s, "Beta", epoch)
	newKey(t, s, other.ID, epoch)
	for range 2 {
		newKey(t, s, a.ID, epoch)
	}
	third := keyOf(a.ID, epoch)
	third.User = newMember(t, s, a.ID, identity.Admin).ID
	wantError(t, "third key of two", s.CreateKey(t.Context(), third, 2), identity.ErrTooManyKeys)
}

func testKeyLimitConcurrent(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	const limit, tries = 3, 12
	user := newMember(t, s, a.ID, identity.Admin).ID
	errs := atOnce(tries, func() error {
		k := keyOf(a.ID, epoch)
		k.User = user
		return s.CreateKey(context.WithoutCancel(t.Context()), k, limit)
	})
	created := 0
	for _, err := range errs {
		if err == nil {
			created++
			continue
		}
		wantError(t, "create above the limit", err, identity.ErrTooManyKeys)
	}
	if created != limit {
		t.Errorf("%d of %d concurrent creates succeeded, want %d", created, tries, limit)
	}
}

// atOnce calls do many times at once and returns its errors.
func atOnce(times int, do func() error) []error {
	errs := make([]error, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	return errs
}

func testListKeys(t *testing.T, s identity.Store) {
	a, other := newAccount(t, s, "Acme", epoch), newAccount(t, s, "Beta", epoch)
	newKey(t, s, other.ID, epoch)
	third := newKey(t, s, a.ID, epoch.Add(2*time.Second))
	first := newKey(t, s, a.ID, epoch)
	second := newKey(t, s, a.ID, epoch.Add(time.Second))
	for limit, want := range map[int][]identity.Key{2: {first, second}, 9: {first, second, third}} {
		got, err := s.ListKeys(t.Context(), a.ID, limit)
		if err != nil {
			t.Fatalf("ListKeys: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ListKeys with limit %d (-want +got):\n%s", limit, diff)
		}
	}
	got, err := s.ListKeys(t.Context(), uuid.NewString(), 9)
	if err != nil || len(got) != 0 {
		t.Errorf("ListKeys of an unknown account = %v, %v", got, err)
	}
}

func testUpdateKey(t *testing.T, s identity.Store) {
	want := newKey(t, s, newAccount(t, s, "Acme", epoch).ID, epoch)
	other := newAccount(t, s, "Beta", epoch)
	_, err := s.UpdateKey(t.Context(), other.ID, want.ID, "stolen", identity.Owner)
	wantError(t, "update from another account", err, identity.ErrNotFound)
	wantKey(t, s, want)

	want.Name, want.Role = "Nightly", identity.Readonly
	got, err := s.UpdateKey(t.Context(), want.Account, want.ID, want.Name, want.Role)
	if err != nil {
		t.Fatalf("UpdateKey: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("UpdateKey (-want +got):\n%s", diff)
	}
	wantKey(t, s, want)

	want.Name = "Weekly"
	if _, err := s.UpdateKey(t.Context(), want.Account, want.ID, want.Name, ""); err != nil {
		t.Fatalf("UpdateKey of the name alone: %v", err)
	}
	wantKey(t, s, want)
}

func testDeleteKey(t *testing.T, s identity.Store) {
	k := newKey(t, s, newAccount(t, s, "Acme", epoch).ID, epoch)
	other := newAccount(t, s, "Beta", epoch)
	wantError(t, "delete from another account", s.DeleteKey(t.Context(), other.ID, k.ID, nil), identity.ErrNotFound)
	wantKey(t, s, k)
	if err := s.DeleteKey(t.Context(), k.Account, k.ID, nil); err != nil {
		t.Fatalf("DeleteKey: %v", err)
	}
	wantGone(t, s, k.Account, k.ID)
	wantError(t, "second delete", s.DeleteKey(t.Context(), k.Account, k.ID, nil), identity.ErrNotFound)
}

func testTouchKeys(t *testing.T, s identity.Store) {
	a := newAccount(t, s, "Acme", epoch)
	k, idle := newKey(t, s, a.ID, epoch), newKey(t, s, a.ID, epoch)
	touch := func(uses ...identity.Use) {
		t.Helper()
		if err := s.TouchKeys(t.Context(), uses); err != nil {
			t.Fatalf("TouchKeys: %v", err)
		}
	}
	k.LastUsed = epoch.Add(time.Hour)
	touch(identity.Use{Account: a.ID, Key: k.ID, At: k.LastUsed}, identity.Use{Account: a.ID, Key: uuid.NewString(), At: epoch})
	wantKey(t, s, k)
	touch(identity.Use{Account: a.ID, Key: k.ID, At: epoch})
	touch(identity.Use{Account: uuid.NewString(), Key: k.ID, At: epoch.Add(9 * time.Hour)})
	touch()
	wantKey(t, s, k)
	wantKey(t, s, idle)
}

func testAwkwardText(t *testing.T, s identity.Store) {
	for i, name := range []string{"O'Reilly; DROP TABLE key;--", "Ünïcödé 会社 🎈", strings.Repeat("x", 200), `%_\"`} {
		a := newAccount(t, s, name, epoch)
		found, err := s.AccountsNamed(t.Context(), name, 1000)
		if err != nil {
			t.Fatalf("AccountsNamed: %v", err)
		}
		isA := func(got identity.Account) bool { return got.ID == a.ID }
		if !cmp.Equal(filter(found, isA), []identity.Account{a}, cmpopts.EquateEmpty()) {
			t.Errorf("case %d: account %q not found by its name", i, name)
		}
		k := keyOf(a.ID, epoch)
		k.User = newMember(t, s, a.ID, identity.Admin).ID
		k.Name = fmt.Sprintf("%s %d", name, i)
		if err := s.CreateKey(t.Context(), k, 10); err != nil {
			t.Fatalf("CreateKey: %v", err)
		}
		wantKey(t, s, k)
	}
}

func filter(in []identity.Account, keep func(identity.Account) bool) []identity.Account {
	var out []identity.Account
	for _, a := range in {
		if keep(a) {
			out = append(out, a)
		}
	}
	return out
}
