package oauth

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// What the REST API answers about people. Any other error of Users means that
// it could not be asked.
var (
	// ErrCredentials is returned for a wrong password, an unknown or a disabled
	// user, which nobody can tell apart.
	ErrCredentials = errors.New("e-mail or password is wrong")
	// ErrSessionOver is returned for a session that has ended.
	ErrSessionOver = errors.New("the session is over")
	// ErrNotLinked is returned for a provider's identity that no user has.
	ErrNotLinked = errors.New("no user has this identity")
	// ErrInvitationOver is returned for an invitation that is unknown, used or too
	// old.
	ErrInvitationOver = errors.New("the invitation is over")
	// ErrSignUpDisabled is returned where strangers cannot sign up.
	ErrSignUpDisabled = errors.New("sign-up is disabled")
	// ErrNoMember is returned for an account that the user does not belong to.
	ErrNoMember = errors.New("the user is no member of the account")
)

// RefusedError is an answer of the API that the user can do something about.
type RefusedError struct {
	Message string // for the user
	Field   string // that it is about; "" for none or several
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Message }

// WaitError is returned when somebody tries too often.
type WaitError struct {
	Wait time.Duration
}

// Error implements error.
func (*WaitError) Error() string { return "too many attempts" }

// Users is what pages need of the REST API: who somebody is and what they may
// do. Sessions and passwords are its own; pages only carry them.
type Users interface {
	// Methods tells how people can sign in.
	Methods(ctx context.Context) (SignInMethods, error)
	// Invitation tells what an invitation is for, or ErrInvitationOver.
	Invitation(ctx context.Context, secret Secret) (Invitation, error)
	// SignIn starts a session. ErrCredentials, ErrNotLinked, ErrInvitationOver,
	// *WaitError, *RefusedError.
	SignIn(ctx context.Context, p Proof) (Session, error)
	// SignUp makes a user who owns a new account, and starts a session.
	// ErrSignUpDisabled, *WaitError, *RefusedError.
	SignUp(ctx context.Context, n NewUser) (Session, error)
	// SignOut ends a session; one that is over is no error.
	SignOut(ctx context.Context, session Secret) error
	// User returns whose session it is, or ErrSessionOver.
	User(ctx context.Context, session Secret) (User, error)
	// Token returns a token that may create connection keys in an account.
	// ErrSessionOver, ErrNoMember.
	Token(ctx context.Context, session Secret, account string) (Secret, error)
	// Created lists what was made with one of the user's connection keys.
	// ErrSessionOver, ErrNoMember.
	Created(ctx context.Context, session Secret, account, key string) ([]CreatedThing, error)
	// ChangePassword sets a new password, ends all sessions of the user and returns
	// a new one. ErrCredentials, ErrSessionOver, *WaitError, *RefusedError.
	ChangePassword(ctx context.Context, c PasswordChange) (Session, error)
}

// SignInMethods are the ways to sign in.
type SignInMethods struct {
	Password  bool
	SignUp    bool // strangers can make a user
	Providers []ProviderName
}

// ProviderName is an OpenID Connect provider whose ID tokens the API accepts.
type ProviderName struct{ ID, Name string }

// Proof is how somebody proves who they are: e-mail address and password, or a
// provider's ID token.
type Proof struct {
	Email    string
	Password Secret
	Provider string
	IDToken  Secret
	Nonce    string
	// Session, with an ID token and its user's Password, links the identity to
	// that user.
	Session Secret
	// Invitation is accepted with the sign-in. For a new user, Password and the
	// names are those to set.
	Invitation          Secret
	FirstName, LastName string
	// From is the address of the browser.
	From netip.Addr
}

// NewUser is somebody who signs up.
type NewUser struct {
	Email               string
	Password            Secret
	FirstName, LastName string
	Account             string // name of the one that they will own
	// From is the address of the browser.
	From netip.Addr
}

// Invitation is what an invitation link is for.
type Invitation struct {
	Account string // name
	Email   string
	Role    string
	New     bool // joining makes a user
}

// Session is a signed-in browser.
type Session struct {
	Secret    Secret
	ExpiresAt time.Time // at the latest
}

// User is somebody who is signed in.
type User struct {
	ID       string
	Email    string
	Accounts []Membership
}

// Membership is an account with the user's role there.
type Membership struct {
	ID, Name string
	Role     string // owner, admin or readonly
}

// membership returns the user's membership of an account.
func (u User) membership(account string) (Membership, bool) {
	for _, m := range u.Accounts {
		if m.ID == account {
			return m, true
		}
	}
	return Membership{}, false
}

// PasswordChange is a user's wish for another password.
type PasswordChange struct {
	Session    Secret
	Old, New   Secret
	Disconnect bool // also end the user's connections
	From       netip.Addr
}

// CreatedThing is something that was made with a connection's key.
type CreatedThing struct {
	ID        string
	Kind      string // "API key", "Invitation", "Webhook", "Member"
	Stays     bool   // a person, who stays when the rest goes
	Name      string
	Role      string // that it gives; empty for what gives none
	CreatedAt time.Time
}
