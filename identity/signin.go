package identity

import (
	"context"
	"errors"
	"fmt"
)

// SignIn is what a person sends to sign in: Email and Password, or Provider,
// IDToken and Nonce.
type SignIn struct {
	Email, Password string

	Provider, IDToken, Nonce string

	// Invitation is the secret of a link to accept; "" for none.
	Invitation          string
	FirstName, LastName string // of a user whom the invitation creates
	// Session is that of the user to link the provider's identity to; "" for none.
	Session string

	FromAddress string // IP address of the person, for the limit on guesses
}

// SignIn starts a session. ErrCredentials when the person is not who they say,
// does not exist or is disabled; *TooManyError; *FieldError; ErrNotLinked for
// a provider's identity that no user has; ErrInvitation.
func (s *Service) SignIn(ctx context.Context, in SignIn) (SignedIn, error) {
	u, method, err := s.identify(ctx, in)
	if err != nil {
		s.auditRefusal(ctx, in, err)
		return SignedIn{}, err
	}
	signed, err := s.startSession(ctx, u)
	if err != nil {
		s.auditRefusal(ctx, in, err)
		return SignedIn{}, err
	}
	s.audit(ctx, Event{Kind: SignedInEvent, User: u.ID, Detail: method, Address: Network(in.FromAddress)})
	return signed, nil
}

func (s *Service) auditRefusal(ctx context.Context, in SignIn, err error) {
	e := Event{Kind: SignInRefused, Address: Network(in.FromAddress)}
	switch {
	case errors.Is(err, ErrCredentials):
		e.Reason = "wrong credentials"
	case errors.Is(err, ErrNotLinked):
		e.Reason = "no user has this identity"
	case errors.Is(err, ErrInvitation):
		e.Reason = "the invitation is unknown, used or over"
	default:
		return // input that proves nothing, and floods, are not worth a row each
	}
	if email, bad := ParseEmail(in.Email); bad == nil {
		if u, bad := s.store.UserByEmail(ctx, email); bad == nil {
			e.User = u.ID // an address that nobody has may be a mistyped password
		}
	}
	s.audit(ctx, e)
}

// identify returns who signs in, after linking or creating them as asked.
func (s *Service) identify(ctx context.Context, in SignIn) (u User, method string, err error) {
	switch {
	case in.Provider != "":
		u, err = s.identifyByProvider(ctx, in)
		return u, in.Provider, err
	case in.IDToken != "" || in.Nonce != "":
		return User{}, "", &FieldError{Field: "provider", Message: "is required with an id_token"}
	case in.Session != "":
		return User{}, "", &FieldError{Field: "session", Message: "goes with provider, id_token and nonce"}
	case in.Password == "":
		return User{}, "", &FieldError{Field: "password", Message: "is required"}
	case in.Invitation != "":
		u, err = s.acceptByPassword(ctx, in)
		return u, "password", err
	default:
		u, err = s.identifyByPassword(ctx, in.Email, in.Password, in.FromAddress)
		return u, "password", err
	}
}

func (s *Service) identifyByPassword(ctx context.Context, email, password, address string) (User, error) {
	email, err := ParseEmail(email)
	if err != nil {
		return User{}, err
	}
	quotas := signInQuotas(email, Network(address))
	if err := s.throttle.take(s.now(), quotas); err != nil {
		return User{}, err
	}
	u, err := s.store.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		s.throttle.giveBack(quotas)
		return User{}, fmt.Errorf("look up user: %w", err)
	}
	// A user who does not exist costs as much time as one with another password.
	if !s.checkPassword(u.Password, password) || u.Disabled() {
		return User{}, ErrCredentials
	}
	s.throttle.giveBack(quotas)
	return u, nil
}

// confirmPassword asks a signed-in user for their password again.
func (s *Service) confirmPassword(ctx context.Context, u User, password, address string) error {
	confirmed, err := s.identifyByPassword(ctx, u.Email, password, address)
	if err != nil {
		return err
	}
	if confirmed.ID != u.ID {
		return ErrCredentials
	}
	return nil
}

// acceptByPassword takes an invitation for the user with its address, or for a
// new one with this password.
func (s *Service) acceptByPassword(ctx context.Context, in SignIn) (User, error) {
	invitation, hash, err := s.invitation(ctx, in.Invitation)
	if err != nil {
		return User{}, err
	}
	u, err := s.store.UserByEmail(ctx, invitation.Email)
	switch {
	case errors.Is(err, ErrNotFound):
		u, err = s.newUser(ByInvitation, invitation.Email, in.Password, Profile{FirstName: in.FirstName, LastName: in.LastName})
	case err == nil:
		u, err = s.identifyByPassword(ctx, invitation.Email, in.Password, in.FromAddress)
	}
	if err != nil {
		return User{}, err
	}
	return u, s.accept(ctx, invitation, hash, u, Login{})
}

// identifyByProvider returns the user whom an ID token proves.
func (s *Service) identifyByProvider(ctx context.Context, in SignIn) (User, error) {
	proof, err := s.verifyIDToken(ctx, in.Provider, in.IDToken, in.Nonce)
	if err != nil {
		return User{}, err
	}
	if in.Session != "" {
		return s.linkToSession(ctx, in, proof)
	}
	u, err := s.store.UserByLogin(ctx, proof.login)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.firstSignIn(ctx, in, proof)
	case err != nil:
		return User{}, fmt.Errorf("look up identity: %w", err)
	case u.Disabled():
		return User{}, ErrCredentials
	case in.Invitation != "":
		return u, s.acceptAs(ctx, in.Invitation, u)
	default:
		return u, nil
	}
}

// linkToSession links an identity to the signed-in user, who gave the password
// again: a session alone may be that of a browser left open.
func (s *Service) linkToSession(ctx context.Context, in SignIn, proof proof) (User, error) {
	_, u, err := s.session(ctx, in.Session)
	if err != nil {
		return User{}, err
	}
	if err := s.confirmPassword(ctx, u, in.Password, in.FromAddress); err != nil {
		return User{}, err
	}
	return u, s.link(ctx, u, proof)
}

func (s *Service) link(ctx context.Context, u User, proof proof) error {
	err := s.store.LinkLogin(ctx, u.ID, proof.login, s.timestamp())
	if errors.Is(err, ErrExists) {
		return ErrLinkedElsewhere
	}
	if err != nil {
		return fmt.Errorf("link identity: %w", err)
	}
	s.audit(ctx, Event{Kind: IdentityLinked, User: u.ID, Detail: proof.login.Issuer})
	return nil
}

// firstSignIn finds the user of an identity that nobody has yet: a new one whom
// an invitation creates, or, where the operator trusts the provider with that,
// the one with its verified address, as long as nobody can sign in as them yet:
// who set a password here has not proven to own the address. An invitation link
// alone never opens a user who exists: whoever wrote the invitation knows the link
// too.
func (s *Service) firstSignIn(ctx context.Context, in SignIn, proof proof) (User, error) {
	if proof.linkEmail && proof.email != "" {
		u, err := s.store.UserByEmail(ctx, proof.email)
		if err == nil && !u.Disabled() {
			err = s.store.LinkFirstLogin(ctx, u.ID, proof.login, s.timestamp())
		}
		switch {
		case err == nil && !u.Disabled():
			s.audit(ctx, Event{Kind: IdentityLinked, User: u.ID, Detail: proof.login.Issuer})
			if in.Invitation != "" {
				err = s.acceptAs(ctx, in.Invitation, u)
			}
			return u, err
		case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrExists):
			return User{}, fmt.Errorf("link by address: %w", err)
		}
	}
	if in.Invitation == "" {
		return User{}, ErrNotLinked
	}
	invitation, hash, err := s.invitation(ctx, in.Invitation)
	if err != nil {
		return User{}, err
	}
	u, err := s.newUser(ByInvitation, invitation.Email, "", Profile{FirstName: in.FirstName, LastName: in.LastName})
	if err != nil {
		return User{}, err
	}
	err = s.accept(ctx, invitation, hash, u, proof.login)
	if errors.Is(err, ErrExists) {
		return User{}, ErrNotLinked // the address has a user: sign in with the password, then link
	}
	return u, err
}
