package identity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
)

// open is the service with sign-up allowed, over a store.
func (f *fixture) open(store identity.Store) *identity.Service {
	return identity.New(identity.Config{Store: store, Logger: slog.New(slog.DiscardHandler), Now: f.time, SignUp: true})
}

func newcomer(email string) identity.SignUp {
	return identity.SignUp{Email: email, Password: password, FirstName: " Ann ", AccountName: " Initech ", FromAddress: "192.0.2.1"}
}

func TestSignUp_IsOffByDefault(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if f.SignUpAllowed() {
		t.Error("sign-up is allowed without being asked for")
	}
	_, err := f.SignUp(t.Context(), newcomer("ann@example.com"))
	wantErrorIs(t, "sign-up", err, identity.ErrSignUpDisabled)
	_, err = f.UserByEmail(t.Context(), "ann@example.com")
	wantErrorIs(t, "the user", err, identity.ErrNotFound)
}

func TestSignUp_MakesTheOwnerOfANewAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(f.store)
	signed, err := s.SignUp(t.Context(), newcomer(" Ann@Example.com "))
	if err != nil {
		t.Fatal(err)
	}
	if u := signed.User; u.Email != "ann@example.com" || u.FirstName != "Ann" || signed.Secret.Reveal() == "" {
		t.Errorf("signed in as %+v", u)
	}
	list, err := f.store.Memberships(t.Context(), signed.User.ID, 10)
	if err != nil || len(list) != 1 || list[0].Account.Name != "Initech" || list[0].Role != identity.Owner {
		t.Fatalf("memberships %+v, %v", list, err)
	}
	if _, err := s.SignIn(t.Context(), identity.SignIn{Email: "ann@example.com", Password: password}); err != nil {
		t.Errorf("signing in afterwards: %v", err)
	}
	events, err := s.Events(t.Context(), identity.AuditQuery{User: signed.User.ID})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[identity.EventKind]string{}
	for _, e := range events {
		kinds[e.Kind] = e.Address
	}
	for _, kind := range []identity.EventKind{identity.UserCreated, identity.AccountCreated, identity.MemberAdded, identity.SignedInEvent} {
		if _, ok := kinds[kind]; !ok {
			t.Errorf("the audit log has no %s: %+v", kind, events)
		}
	}
	if kinds[identity.AccountCreated] != "192.0.2.0/24" {
		t.Errorf("the account was made from %q", kinds[identity.AccountCreated])
	}
}

func TestSignUp_BadInputNamesTheFieldAndCostsNoTry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(f.store)
	for field, spoil := range map[string]func(*identity.SignUp){
		"email":        func(in *identity.SignUp) { in.Email = "ann" },
		"password":     func(in *identity.SignUp) { in.Password = "too short" },
		"first_name":   func(in *identity.SignUp) { in.FirstName = "a\x00b" },
		"last_name":    func(in *identity.SignUp) { in.LastName = "a\nb" },
		"account_name": func(in *identity.SignUp) { in.AccountName = " " },
	} {
		for range 20 {
			in := newcomer("ann@example.com")
			spoil(&in)
			_, err := s.SignUp(t.Context(), in)
			if bad, ok := errors.AsType[*identity.FieldError](err); !ok || bad.Field != field {
				t.Fatalf("a bad %s: %v", field, err)
			}
		}
	}
	in := newcomer("ann@example.com")
	in.Password = ""
	_, err := s.SignUp(t.Context(), in)
	if bad, ok := errors.AsType[*identity.FieldError](err); !ok || bad.Field != "password" {
		t.Errorf("no password: %v", err)
	}
	_, err = f.UserByEmail(t.Context(), "ann@example.com")
	wantErrorIs(t, "the user", err, identity.ErrNotFound)
	if _, err := s.SignUp(t.Context(), newcomer("ann@example.com")); err != nil {
		t.Errorf("after bad input: %v", err)
	}
}

// Asking who exists is no cheaper than guessing passwords, and shares its limits.
func TestSignUp_TakenAddressesAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(f.store)
	in := newcomer("owner@example.com")
	for range 10 {
		_, err := s.SignUp(t.Context(), in)
		wantErrorIs(t, "a taken address", err, identity.ErrTaken)
	}
	_, err := s.SignUp(t.Context(), in)
	if limited, ok := errors.AsType[*identity.TooManyError](err); !ok || limited.Wait != 15*time.Minute {
		t.Errorf("the 11th try: %v", err)
	}
	_, err = s.SignIn(t.Context(), identity.SignIn{Email: in.Email, Password: password, FromAddress: in.FromAddress})
	if _, ok := errors.AsType[*identity.TooManyError](err); !ok {
		t.Errorf("signing in from there: %v", err)
	}
	if found, err := f.store.AccountsNamed(t.Context(), "Initech", 10); err != nil || len(found) != 0 {
		t.Errorf("refused sign-ups left accounts %v, %v", found, err)
	}
	events, err := s.Events(t.Context(), identity.AuditQuery{Kind: identity.SignUpRefused})
	if err != nil || len(events) != 10 {
		t.Errorf("%d refusals in the audit log, %v; want 10", len(events), err)
	}
}

func TestSignUp_ANetworkMakesSoManyUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(f.store)
	const most = 60
	for i := range most {
		if _, err := s.SignUp(t.Context(), newcomer(fmt.Sprintf("ann%d@example.com", i))); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.SignUp(t.Context(), newcomer("more@example.com"))
	if _, ok := errors.AsType[*identity.TooManyError](err); !ok {
		t.Errorf("user %d: %v", most+1, err)
	}
}

func TestSignUp_ConcurrentOnesMakeOneUser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(f.store)
	const tries = 8
	results := make([]error, tries)
	var all sync.WaitGroup
	for i := range tries {
		all.Go(func() { _, results[i] = s.SignUp(context.WithoutCancel(t.Context()), newcomer("ann@example.com")) })
	}
	all.Wait()
	made := 0
	for _, err := range results {
		if err == nil {
			made++
			continue
		}
		wantErrorIs(t, "sign-up", err, identity.ErrTaken)
	}
	found, err := f.store.AccountsNamed(t.Context(), "Initech", 10)
	if made != 1 || len(found) != 1 || err != nil {
		t.Errorf("%d sign-ups made %d accounts, %v; want 1", made, len(found), err)
	}
}

// downStore cannot store owners.
type downStore struct{ identity.Store }

func (downStore) CreateOwner(context.Context, identity.User, identity.Account) error {
	return errors.New("the disk is full")
}

func TestSignUp_AnOutageIsNoTry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.open(downStore{f.store})
	for range 12 {
		_, err := s.SignUp(t.Context(), newcomer("ann@example.com"))
		if _, limited := errors.AsType[*identity.TooManyError](err); err == nil || limited || errors.Is(err, identity.ErrTaken) {
			t.Fatalf("sign-up without a disk: %v", err)
		}
	}
}

// The operator's commands make owner@localhost the owner of accounts that have
// none: nobody else may become that user.
func TestSignUp_TheLocalOwnerIsNobodyElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var field *identity.FieldError
	if _, err := f.open(f.store).SignUp(t.Context(), newcomer(" Owner@LOCALHOST")); !errors.As(err, &field) {
		t.Errorf("sign-up as the local owner: %v", err)
	}
	_, _, err := f.Invite(t.Context(), identity.Caller{Account: f.account.ID, User: f.owner.ID}, "owner@localhost", identity.Readonly)
	if !errors.As(err, &field) {
		t.Errorf("an invitation of the local owner: %v", err)
	}
}
