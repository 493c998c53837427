package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// SignUp is what a person sends who has no user yet.
type SignUp struct {
	Email, Password     string
	FirstName, LastName string // may be empty
	AccountName         string // of the account that they will own
	FromAddress         string // IP address of the person, for the limit on tries
}

// SignUpAllowed reports whether strangers may create users.
func (s *Service) SignUpAllowed() bool { return s.signUp }

// SignUp creates a user and an account that they own, both or neither, and
// starts a session. ErrSignUpDisabled; *FieldError for bad input; ErrTaken for an
// address that has a user; *TooManyError.
//
// Every try that could tell who exists counts against the limits of SignIn, one
// that succeeds as well: they also bound how many users a network can make.
func (s *Service) SignUp(ctx context.Context, in SignUp) (SignedIn, error) {
	if !s.signUp {
		return SignedIn{}, ErrSignUpDisabled
	}
	u, a, err := s.admit(ctx, in)
	if errors.Is(err, ErrTaken) {
		s.audit(ctx, Event{Kind: SignUpRefused, Address: Network(in.FromAddress), Reason: "the address has a user"})
	}
	if err != nil {
		return SignedIn{}, err
	}
	for _, e := range []Event{
		{Kind: UserCreated, Detail: "sign-up"},
		{Kind: AccountCreated, Account: a.ID},
		{Kind: MemberAdded, Account: a.ID, Subject: u.ID, Detail: string(Owner), Reason: "signed up"},
	} {
		e.User, e.Address = u.ID, Network(in.FromAddress)
		s.audit(ctx, e)
	}
	signed, err := s.startSession(ctx, u)
	if err != nil {
		return SignedIn{}, err
	}
	s.audit(ctx, Event{Kind: SignedInEvent, User: u.ID, Detail: "password", Address: Network(in.FromAddress)})
	return signed, nil
}

// admit checks and stores a new user with their account.
func (s *Service) admit(ctx context.Context, in SignUp) (User, Account, error) {
	a, err := s.newAccount("account_name", in.AccountName)
	if err != nil {
		return User{}, Account{}, err
	}
	email, err := parseStranger(in.Email)
	if err != nil {
		return User{}, Account{}, err
	}
	if in.Password == "" {
		return User{}, Account{}, &FieldError{Field: "password", Message: "is required"}
	}
	quotas := signInQuotas(email, Network(in.FromAddress))
	if err := s.throttle.take(s.now(), quotas); err != nil {
		return User{}, Account{}, err
	}
	// The password is hashed also for an address that is taken: the time that an
	// answer takes tells no more than the answer.
	u, err := s.newUser(BySignUp, email, in.Password, Profile{FirstName: in.FirstName, LastName: in.LastName})
	if err == nil {
		err = s.store.CreateOwner(ctx, u, a)
	}
	switch {
	case errors.Is(err, ErrExists):
		return User{}, Account{}, ErrTaken
	case err != nil:
		s.throttle.giveBack(quotas) // bad input and outages tell nothing
		return User{}, Account{}, fmt.Errorf("sign up: %w", err)
	}
	return u, a, nil
}

// newAccount checks a name, as a field of the caller's, and draws an id.
func (s *Service) newAccount(field, name string) (Account, error) {
	name, err := cleanName(field, name)
	if err != nil {
		return Account{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Account{}, fmt.Errorf("draw account id: %w", err)
	}
	return Account{ID: id.String(), Name: name, CreatedAt: s.timestamp()}, nil
}
