package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// fixture is a service over a store with one account and its owner.
type fixture struct {
	*identity.Service
	store   *countingStore
	account identity.Account
	owner   identity.User
	now     atomic.Int64 // Unix nanoseconds
}

// countingStore counts how often a key is looked up.
type countingStore struct {
	identity.Store
	reads atomic.Int64
}

func (s *countingStore) Access(ctx context.Context, id string) (identity.Access, error) {
	s.reads.Add(1)
	return s.Store.Access(ctx, id)
}

// openStore opens a store that its test closes.
func openStore(t testing.TB) identity.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store.Identity()
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{store: &countingStore{Store: openStore(t)}}
	f.now.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	f.Service = f.another()
	a, err := f.CreateAccount(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	f.account = a
	if f.owner, err = f.CreateUser(t.Context(), "owner@example.com", password, identity.Profile{}); err != nil {
		t.Fatal(err)
	}
	if err := f.AddMember(t.Context(), a.ID, f.owner.ID, identity.Owner); err != nil {
		t.Fatal(err)
	}
	return f
}

const password = "correct horse battery staple"

// another is a second process on the same store.
func (f *fixture) another() *identity.Service {
	return identity.New(identity.Config{
		Store: f.store, Logger: slog.New(slog.DiscardHandler),
		Now:           func() time.Time { return time.Unix(0, f.now.Load()) },
		UserTokenKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef"), []byte("an older key of the same length.")},
	})
}

func (f *fixture) pass(d time.Duration) { f.now.Add(int64(d)) }

func (f *fixture) newKeyOf(name string, role identity.Role) identity.NewKey {
	return identity.NewKey{Account: f.account.ID, User: f.owner.ID, Name: name, Role: role}
}

// callerOf is who calls with a key of the owner.
func (f *fixture) callerOf(key string, role identity.Role) identity.Caller {
	return identity.Caller{Account: f.account.ID, Key: key, User: f.owner.ID, Role: role, Member: identity.Owner, Kind: identity.API}
}

func (f *fixture) newKey(t *testing.T, role identity.Role) (identity.Key, string) {
	t.Helper()
	k, token, err := f.CreateKey(t.Context(), f.newKeyOf("CI", role))
	if err != nil {
		t.Fatal(err)
	}
	return k, token.Reveal()
}

func wantInvalid(t *testing.T, s *identity.Service, token string) {
	t.Helper()
	if got, err := s.Authenticate(t.Context(), token); !errors.Is(err, identity.ErrInvalidKey) {
		t.Errorf("Authenticate = %v, %v, want ErrInvalidKey", got, err)
	}
}

func wantCaller(t *testing.T, s *identity.Service, token string, want identity.Caller) {
	t.Helper()
	got, err := s.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatalf("Authenticate: %v", err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(identity.Caller{})); diff != "" {
		t.Errorf("Authenticate (-want +got):\n%s", diff)
	}
}

func TestService_Authenticate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Readonly)
	wantCaller(t, f.Service, token, f.callerOf(k.ID, identity.Readonly))

	_, other := f.newKey(t, identity.Admin)
	wantInvalid(t, f.Service, token[:37]+other[37:])
	wantInvalid(t, f.Service, token[:37]+"c0ffee00-1111-4222-8333-444455556666")
	wantInvalid(t, f.Service, uuid.NewString()+token[36:])
	wantInvalid(t, f.Service, "")
}

func TestService_Authenticate_ReadsTheStoreOncePerSecond(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, token := f.newKey(t, identity.Admin)
	for range 10 {
		for range 5 {
			if _, err := f.Authenticate(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		f.pass(time.Second)
	}
	if got := f.store.reads.Load(); got != 10 {
		t.Errorf("50 calls in 10 seconds read the store %d times, want 10", got)
	}
}

func TestService_DeleteKey_TakesEffectOnTheNextCall(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Admin)
	other := f.another()
	wantCaller(t, other, token, f.callerOf(k.ID, identity.Admin))
	wantCaller(t, f.Service, token, f.callerOf(k.ID, identity.Admin))

	if err := f.DeleteKey(t.Context(), f.account.ID, strings.ToUpper(k.ID)); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, f.Service, token)
	f.pass(time.Second)
	wantInvalid(t, other, token)
}

// slowStore lets a test act between a read of the store and its return.
type slowStore struct {
	identity.Store
	afterRead func()
}

func (s *slowStore) Access(ctx context.Context, id string) (identity.Access, error) {
	k, err := s.Store.Access(ctx, id)
	s.afterRead()
	return k, err
}

func TestService_DeleteKey_DuringAReadIsNotUndoneByTheCache(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Admin)
	slow := &slowStore{Store: f.store, afterRead: func() {}}
	s := identity.New(identity.Config{Store: slow, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(0, f.now.Load()) }})
	slow.afterRead = func() {
		if err := s.DeleteKey(t.Context(), f.account.ID, k.ID); err != nil {
			t.Error(err)
		}
		slow.afterRead = func() {}
	}
	if _, err := s.Authenticate(t.Context(), token); err != nil {
		t.Fatalf("Authenticate that began before the delete: %v", err)
	}
	wantInvalid(t, s, token)
}

func TestService_UpdateKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Admin)
	wantCaller(t, f.Service, token, f.callerOf(k.ID, identity.Admin))
	got, err := f.UpdateKey(t.Context(), f.account.ID, k.ID, "", "viewer")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "CI" || got.Role != identity.Readonly {
		t.Errorf("UpdateKey = %q, %q, want CI, readonly", got.Name, got.Role)
	}
	wantCaller(t, f.Service, token, f.callerOf(k.ID, identity.Readonly))
}

func TestService_KeysOfAnotherAccountDoNotExist(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Admin)
	other, err := f.CreateAccount(t.Context(), "Beta")
	if err != nil {
		t.Fatal(err)
	}
	_, getErr := f.Key(t.Context(), other.ID, k.ID)
	_, updateErr := f.UpdateKey(t.Context(), other.ID, k.ID, "stolen", identity.Owner)
	for what, err := range map[string]error{"Key": getErr, "UpdateKey": updateErr, "DeleteKey": f.DeleteKey(t.Context(), other.ID, k.ID)} {
		if !errors.Is(err, identity.ErrNotFound) {
			t.Errorf("%s from another account: %v, want ErrNotFound", what, err)
		}
	}
	if keys, err := f.ListKeys(t.Context(), other.ID); err != nil || len(keys) != 0 {
		t.Errorf("ListKeys of another account = %v, %v", keys, err)
	}
	wantCaller(t, f.Service, token, f.callerOf(k.ID, identity.Admin))
}

func TestService_BadInputNamesTheField(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	create := func(name string, role identity.Role) error {
		_, _, err := f.CreateKey(t.Context(), f.newKeyOf(name, role))
		return err
	}
	account := func(name string) error {
		_, err := f.CreateAccount(t.Context(), name)
		return err
	}
	for what, tt := range map[string]struct {
		err   error
		field string
	}{
		"key without a name":         {create(" ", identity.Admin), "name"},
		"key name with a line break": {create("a\nb", identity.Admin), "name"},
		"key name that is too long":  {create(strings.Repeat("ä", 201), identity.Admin), "name"},
		"key name that is not text":  {create("a\xff", identity.Admin), "name"},
		"key without a role":         {create("CI", ""), "role"},
		"key with an unknown role":   {create("CI", "root"), "role"},
		"account without a name":     {account(""), "name"},
	} {
		var fieldErr *identity.FieldError
		if !errors.As(tt.err, &fieldErr) || fieldErr.Field != tt.field {
			t.Errorf("%s: error %v, want a FieldError of %q", what, tt.err, tt.field)
		}
	}
	if keys, _ := f.ListKeys(t.Context(), f.account.ID); len(keys) != 0 {
		t.Errorf("refused input created %d keys", len(keys))
	}
}

func TestService_EnsureAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ensure := func(nameOrID string) identity.Account {
		t.Helper()
		a, err := f.EnsureAccount(t.Context(), nameOrID)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if got := ensure("Acme").ID; got != f.account.ID {
		t.Errorf("EnsureAccount by name = %s, want %s", got, f.account.ID)
	}
	if got := ensure(strings.ToUpper(f.account.ID)).ID; got != f.account.ID {
		t.Errorf("EnsureAccount by id = %s, want %s", got, f.account.ID)
	}
	if got := ensure("Beta"); got != ensure("Beta") {
		t.Errorf("EnsureAccount created the account twice")
	}
	if _, err := f.CreateAccount(t.Context(), "Acme"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.EnsureAccount(t.Context(), "Acme"); !errors.Is(err, identity.ErrAmbiguousName) {
		t.Errorf("EnsureAccount of a doubled name: %v, want ErrAmbiguousName", err)
	}
	if _, err := f.EnsureAccount(t.Context(), uuid.NewString()); !errors.Is(err, identity.ErrNotFound) {
		t.Errorf("EnsureAccount of an unknown id: %v, want ErrNotFound", err)
	}
}

func TestService_LastUsed_IsSeenAtOnceAndWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := openStore(t)
		s := identity.New(identity.Config{Store: store, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		a, err := s.CreateAccount(t.Context(), "Acme")
		if err != nil {
			t.Fatal(err)
		}
		k, token, err := s.CreateKey(t.Context(), identity.NewKey{Account: a.ID, Name: "CI", Role: identity.Admin})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		use := func() time.Time {
			t.Helper()
			if _, err := s.Authenticate(t.Context(), token.Reveal()); err != nil {
				t.Fatal(err)
			}
			return time.Now()
		}
		stored := func() time.Time {
			k, err := store.Access(t.Context(), k.ID)
			if err != nil {
				t.Fatal(err)
			}
			return k.LastUsed
		}

		first := use()
		if keys, err := s.ListKeys(t.Context(), a.ID); err != nil || !keys[0].LastUsed.Equal(first) {
			t.Errorf("ListKeys shows %v, %v, want %v", keys, err, first)
		}
		if !stored().IsZero() {
			t.Errorf("a request wrote the last-used time")
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := stored(); !got.Equal(first) {
			t.Errorf("after a minute the store has %v, want %v", got, first)
		}
		second := use()
		stop()
		running.Wait()
		if got := stored(); !got.Equal(second) {
			t.Errorf("after the end of Run the store has %v, want %v", got, second)
		}
	})
}

func TestService_Concurrent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				k, token, err := f.CreateKey(t.Context(), f.newKeyOf("CI", identity.Admin))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.Authenticate(t.Context(), token.Reveal()); err != nil {
					t.Errorf("Authenticate of a fresh key: %v", err)
				}
				if err := f.DeleteKey(t.Context(), f.account.ID, k.ID); err != nil {
					t.Error(err)
				}
				if _, err := f.Authenticate(t.Context(), token.Reveal()); !errors.Is(err, identity.ErrInvalidKey) {
					t.Errorf("Authenticate of a deleted key: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestParseRole(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]identity.Role{
		"owner": identity.Owner, "Admin": identity.Admin, "readonly": identity.Readonly,
		"viewer": identity.Readonly, "read-only": identity.Readonly, " READ_ONLY ": identity.Readonly,
	} {
		if got, err := identity.ParseRole(in); err != nil || got != want {
			t.Errorf("ParseRole(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "root", "administrator", strings.Repeat("é", 500)} {
		_, err := identity.ParseRole(in)
		var fieldErr *identity.FieldError
		if !errors.As(err, &fieldErr) || len(err.Error()) > 200 {
			t.Errorf("ParseRole(%q) error = %v, want a short FieldError", in, err)
		}
	}
}

func TestRole_Covers(t *testing.T) {
	t.Parallel()
	order := []identity.Role{identity.Readonly, identity.Admin, identity.Owner}
	for i, r := range order {
		for j, other := range order {
			if got := r.Covers(other); got != (i >= j) {
				t.Errorf("%s.Covers(%s) = %v", r, other, got)
			}
		}
		if r.Covers("root") || identity.Role("root").Covers(r) {
			t.Errorf("an unknown role has rights")
		}
	}
}

func TestService_AdoptKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const text = "de300000-0000-4000-8000-000000000001.de300000-0000-4000-8000-000000000002"
	token, err := identity.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.AdoptKey(t.Context(), f.newKeyOf("known", identity.Admin), token); err != nil {
			t.Fatalf("AdoptKey() = %v, want it to work twice", err)
		}
	}
	caller, err := f.Authenticate(t.Context(), text)
	if want := f.callerOf(token.KeyID(), identity.Admin); err != nil || caller != want {
		t.Errorf("Authenticate() = %+v, %v, want %+v", caller, err, want)
	}

	other, err := identity.ParseToken("de300000-0000-4000-8000-000000000001.de300000-0000-4000-8000-000000000003")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AdoptKey(t.Context(), f.newKeyOf("known", identity.Admin), other); !errors.Is(err, identity.ErrExists) {
		t.Errorf("AdoptKey() of another secret = %v, want ErrExists", err)
	}
	stranger, err := f.CreateAccount(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AdoptKey(t.Context(), identity.NewKey{Account: stranger.ID, Name: "known", Role: identity.Admin}, token); !errors.Is(err, identity.ErrExists) {
		t.Errorf("AdoptKey() into another account = %v, want ErrExists", err)
	}
}

var errDisk = errors.New("disk on fire")

// brokenStore fails while a test says so.
type brokenStore struct {
	identity.Store
	broken atomic.Bool
}

func (s *brokenStore) Access(ctx context.Context, id string) (identity.Access, error) {
	if s.broken.Load() {
		return identity.Access{}, errDisk
	}
	return s.Store.Access(ctx, id)
}

func (s *brokenStore) TouchKeys(ctx context.Context, used []identity.Use) error {
	if s.broken.Load() {
		return errDisk
	}
	return s.Store.TouchKeys(ctx, used)
}

func TestService_Authenticate_AStoreThatFailsIsNotAnInvalidKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, token := f.newKey(t, identity.Admin)
	store := &brokenStore{Store: f.store}
	store.broken.Store(true)
	s := identity.New(identity.Config{Store: store, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if _, err := s.Authenticate(t.Context(), token); !errors.Is(err, errDisk) || errors.Is(err, identity.ErrInvalidKey) {
		t.Errorf("Authenticate: %v, want the store's error", err)
	}
}

func TestService_LastUsed_IsKeptWhenItCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{Store: openStore(t)}
		s := identity.New(identity.Config{Store: store, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		a, err := s.CreateAccount(t.Context(), "Acme")
		if err != nil {
			t.Fatal(err)
		}
		k, token, err := s.CreateKey(t.Context(), identity.NewKey{Account: a.ID, Name: "CI", Role: identity.Admin})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		used := time.Now()
		if _, err := s.Authenticate(t.Context(), token.Reveal()); err != nil {
			t.Fatal(err)
		}
		store.broken.Store(true)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		store.broken.Store(false)
		stop()
		running.Wait()
		if got, err := store.Access(t.Context(), k.ID); err != nil || !got.LastUsed.Equal(used) {
			t.Errorf("the store has %v, %v, want %v", got.LastUsed, err, used)
		}
	})
}

func TestService_UpdateKey_BadInputChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, _ := f.newKey(t, identity.Readonly)
	for what, change := range map[string]struct {
		name string
		role identity.Role
	}{"a name with a line break": {"a\nb", ""}, "an unknown role": {"fine", "root"}} {
		var fieldErr *identity.FieldError
		if _, err := f.UpdateKey(t.Context(), f.account.ID, k.ID, change.name, change.role); !errors.As(err, &fieldErr) {
			t.Errorf("%s: %v, want a FieldError", what, err)
		}
	}
	if got, err := f.Key(t.Context(), f.account.ID, k.ID); err != nil || got != k {
		t.Errorf("the key became %+v, %v, want %+v", got, err, k)
	}
}

func TestKey_Prefix(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k, token := f.newKey(t, identity.Admin)
	if !strings.HasPrefix(token, k.Prefix()) || len(k.Prefix()) != 8 {
		t.Errorf("prefix %q of a token that begins %q", k.Prefix(), token[:8])
	}
	if !identity.Admin.CanWrite() || !identity.Owner.CanWrite() || identity.Readonly.CanWrite() {
		t.Errorf("the roles that may write are wrong")
	}
}
