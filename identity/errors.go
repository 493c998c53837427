package identity

import (
	"errors"
	"unicode/utf8"
)

var (
	// ErrNotFound is returned for an account or key that does not exist in the
	// account that was asked.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned when an id is taken.
	ErrExists = errors.New("already exists")
	// ErrInvalidKey is returned for a token that is malformed, unknown, deleted
	// or has a wrong secret. Which of them it was is not told.
	ErrInvalidKey = errors.New("invalid API key")
	// ErrKeyRevoked is returned for a good token whose user may not use the
	// account any more.
	ErrKeyRevoked = errors.New("the user of this API key has no access to the account any more")
	// ErrRevoked is returned when a connection key is created whose revocation
	// came first, and when a connection creates something but is gone by then.
	ErrRevoked = errors.New("the connection was revoked")
	// ErrUsed is returned when a request to create a key is repeated after the
	// key was used.
	ErrUsed = errors.New("a key was created by this request and is in use")
	// ErrClosing is returned for changes of an account that is being deleted.
	ErrClosing = errors.New("the account is about to be deleted")
	// ErrCredentials is returned to a person who is not who they say, does not
	// exist or is disabled. Which of them it was is not told.
	ErrCredentials = errors.New("the e-mail address or password is wrong")
	// ErrSession is returned for a session that is unknown or over.
	ErrSession = errors.New("the session is over; sign in again")
	// ErrNoAccess is returned for an account that the user is no member of.
	ErrNoAccess = errors.New("the user is no member of this account")
	// ErrNotLinked is returned for a provider's identity that no user has.
	ErrNotLinked = errors.New("no user is linked to this identity; sign in with the password and link it, or ask for an invitation")
	// ErrLinkedElsewhere is returned when an identity is another user's.
	ErrLinkedElsewhere = errors.New("this identity is linked to another user")
	// ErrInvitation is returned for an invitation that is unknown, used or over.
	ErrInvitation = errors.New("the invitation is unknown, was used or is over; ask for another")
	// ErrSignUpDisabled is returned when the operator does not let strangers in.
	ErrSignUpDisabled = errors.New("sign-up is disabled on this server; ask an owner of your account for an invitation")
	// ErrTaken is returned to somebody who signs up with a user's address.
	ErrTaken = errors.New("this e-mail address has a user already; sign in instead")
	// ErrProvider is returned when a provider cannot be reached.
	ErrProvider = errors.New("the sign-in provider cannot be reached")
	// ErrLastOwner is returned rather than leave an account without an owner.
	ErrLastOwner = errors.New("an account keeps at least one owner")
	// ErrTooManyMembers is returned when an account has MaxMembers members and
	// invitations.
	ErrTooManyMembers = errors.New("the account has as many members and invitations as it can have")
	// ErrTooManyKeys is returned when an account has MaxKeys keys.
	ErrTooManyKeys = errors.New("the account has as many API keys as it can have")
	// ErrAmbiguousName is returned when several accounts have the asked name.
	ErrAmbiguousName = errors.New("several accounts have this name")
)

// FieldError says which input field is wrong and what would be right.
type FieldError struct {
	Field   string
	Message string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// clip shortens input that is quoted back in an error.
func clip(s string) string { return clipTo(s, 60) }

func clipTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
