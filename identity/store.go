package identity

import (
	"context"
	"time"
)

// Account is one company whose data is kept apart from all others.
type Account struct {
	ID        string // UUID, lower case
	Name      string
	CreatedAt time.Time
	// ClosingAt is when its owner asked for its deletion; zero while it is open.
	ClosingAt time.Time
}

// Kind is what uses a key.
type Kind string

// The kinds of keys.
const (
	// API keys are used by people, programs and data sources.
	API Kind = "api"
	// Connection keys belong to an assistant that a person connected.
	Connection Kind = "connection"
)

// Key is an API key as it is stored: everything except the secret.
type Key struct {
	ID         string // UUID, lower case; the public half of the token
	Account    string
	User       string // id of the user whose key it is
	Name       string
	Role       Role
	Kind       Kind
	ClientName string // of a connection: what the assistant calls itself
	// CreatedVia is the id of the connection's key that it was created with, or
	// "". A key that such a key creates has the same.
	CreatedVia string
	// Revocation is the hash of the secret that can delete a connection's key.
	// Zero for none.
	Revocation Hash
	// Request is the creator's own name for the request, by which its repetition
	// is known; "" for none.
	Request   string
	Hash      Hash // of the whole token
	CreatedAt time.Time
	LastUsed  time.Time // zero when never used
}

// Prefix returns the first characters of the token, by which people tell their
// keys apart.
func (k Key) Prefix() string { return k.ID[:min(8, len(k.ID))] }

// Access is a key with what decides about its use at the moment.
type Access struct {
	Key
	Member   Role // the user's role in the account now, "" when not a member
	Creator  Role // of the key that CreatedVia names, "" when there is none
	Disabled bool // the user
	Closing  time.Time
}

// Use says when a key was last used.
type Use struct {
	Account, Key string
	At           time.Time
}

// Store keeps accounts, users, members, keys, sessions, invitations and the
// audit log. Implementations are safe for concurrent use, a method that returns
// nil has made its change durable, and one that returns an error has changed
// nothing. Each method is one transaction. Times are UTC and keep at least
// milliseconds. Ids are compared exactly; callers pass them in lower case.
//
// Every method about the things in an account takes the account's id first and
// touches that account alone. The ways across are how credentials find their
// account: Access, SessionByHash, InvitationByHash, RevokeConnection.
type Store interface {
	AccountStore
	UserStore
	MemberStore
	KeyStore
	SessionStore
	InvitationStore
	AuditStore
}

// AccountStore keeps accounts.
type AccountStore interface {
	// CreateAccount adds an account. ErrExists when the id is taken; names may
	// repeat.
	CreateAccount(ctx context.Context, a Account) error

	// Account returns an account, or ErrNotFound.
	Account(ctx context.Context, id string) (Account, error)

	// AccountsNamed returns the accounts with exactly this name, oldest first,
	// at most limit of them. None is not an error.
	AccountsNamed(ctx context.Context, name string, limit int) ([]Account, error)

	// RenameAccount gives an account another name, or returns ErrNotFound.
	RenameAccount(ctx context.Context, id, name string) error

	// CloseAccount marks an account for deletion, unless it is, deletes its
	// connection keys with what those created, its invitations and the keys of
	// members who are not owners, and returns it. ErrNotFound.
	CloseAccount(ctx context.Context, id string, at time.Time) (Account, error)

	// ReopenAccount takes the mark away. ErrNotFound.
	ReopenAccount(ctx context.Context, id string) error

	// ClosedAccounts returns the ids of accounts that were marked at or before a
	// time, the earliest first.
	ClosedAccounts(ctx context.Context, before time.Time, limit int) ([]string, error)
}

// UserStore keeps users. Their e-mail addresses are unique.
type UserStore interface {
	// CreateUser adds a user. ErrExists when the id or the address is taken.
	CreateUser(ctx context.Context, u User) error

	// CreateOwner adds a user and an account whose owner they are, both or
	// neither. ErrExists when an id or the address is taken.
	CreateOwner(ctx context.Context, u User, a Account) error

	// User returns a user, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)

	// UserByEmail returns the user with an address in the form of ParseEmail, or
	// ErrNotFound.
	UserByEmail(ctx context.Context, email string) (User, error)

	// UserByLogin returns the user whom a provider knows by subject, or
	// ErrNotFound.
	UserByLogin(ctx context.Context, login Login) (User, error)

	// UpdateProfile sets a user's names, locale and time zone, or returns
	// ErrNotFound.
	UpdateProfile(ctx context.Context, id string, p Profile) error

	// SetPassword sets a user's password, ends all sessions of theirs and what
	// else is asked for: connection keys with what those created, identities.
	// ErrNotFound for an unknown user.
	SetPassword(ctx context.Context, id string, hash PasswordHash, also PasswordReset) error

	// DisableUser ends a user's sessions, deletes their keys and invitations and refuses them
	// until EnableUser. ErrNotFound for an unknown user.
	DisableUser(ctx context.Context, id string, at time.Time) error

	// EnableUser lets a disabled user in again, or returns ErrNotFound.
	EnableUser(ctx context.Context, id string) error

	// LinkLogin lets a user in by a provider's identity. Repeating it does
	// nothing; ErrExists when the identity is another user's.
	LinkLogin(ctx context.Context, id string, login Login, at time.Time) error

	// Logins returns a user's identities, oldest first. None is not an error.
	Logins(ctx context.Context, id string) ([]LinkedLogin, error)

	// LinkFirstLogin does what LinkLogin does for a user who has neither a
	// password nor a provider's identity. ErrExists for one who has.
	LinkFirstLogin(ctx context.Context, id string, login Login, at time.Time) error
}

// MemberStore keeps who belongs to which account. An account that has an owner
// keeps one: the methods return ErrLastOwner rather than take the last away.
type MemberStore interface {
	// AddMember makes a user a member. ErrNotFound for an unknown account or
	// user, ErrExists for a member, ErrTooManyMembers at limit.
	AddMember(ctx context.Context, account, user string, role Role, at time.Time, limit int) error

	// SetRole changes a member's role and deletes their invitations that the new
	// role could not make. ErrNotFound for one who is no member.
	SetRole(ctx context.Context, account, user string, role Role) error

	// RemoveMember removes a member and deletes their keys in the account and the
	// invitations that they sent.
	// ErrNotFound for one who is no member.
	RemoveMember(ctx context.Context, account, user string) error

	// Member returns a member, or ErrNotFound.
	Member(ctx context.Context, account, user string) (Member, error)

	// ListMembers returns the members of an account, oldest first.
	ListMembers(ctx context.Context, account string, limit int) ([]Member, error)

	// Memberships returns the accounts of a user, in order of their names.
	Memberships(ctx context.Context, user string, limit int) ([]Membership, error)
}

// KeepAll stands for everything that was created with a key.
const KeepAll = "*"

// KeyStore keeps API keys.
type KeyStore interface {
	// Access returns a key of any account with what decides about it, or
	// ErrNotFound. One indexed read.
	Access(ctx context.Context, key string) (Access, error)

	// CreateKey adds k to the account k.Account. ErrNotFound when k.User is no
	// member of it, ErrClosing when it is about to be deleted, ErrExists when the
	// key's id is taken or the user has a key of k.Request in the account,
	// ErrTooManyKeys when the account has limit keys already, ErrRevoked when
	// k.Revocation is remembered as revoked or the key k.CreatedVia is gone.
	CreateKey(ctx context.Context, k Key, limit int) error

	// KeyByRequest returns the key that a user's request created in the account,
	// or ErrNotFound.
	KeyByRequest(ctx context.Context, account, user, request string) (Key, error)

	// RenewKey gives a key of the account that was never used another hash.
	// ErrUsed when it was used or is gone.
	RenewKey(ctx context.Context, account, id string, hash Hash) error

	// ListKeys returns the account's keys, oldest first (then by id), at most
	// limit of them.
	ListKeys(ctx context.Context, account string, limit int) ([]Key, error)

	// Key returns a key of the account, or ErrNotFound.
	Key(ctx context.Context, account, id string) (Key, error)

	// UpdateKey sets the name and role of a key of the account and returns it, or
	// ErrNotFound. "" keeps what it was.
	UpdateKey(ctx context.Context, account, id, name string, role Role) (Key, error)

	// DeleteKey removes a key of the account, and the keys and invitations that
	// were created with it except those in keep, which then stand alone; or
	// returns ErrNotFound. A key is kept by its id, an invitation by its address,
	// all by KeepAll.
	DeleteKey(ctx context.Context, account, id string, keep []string) error

	// RevokeConnection does what DeleteKey does for the key with this revocation
	// hash and returns it. When there is none it remembers the hash until the
	// given time and returns ErrNotFound.
	RevokeConnection(ctx context.Context, revocation Hash, keep []string, until time.Time) (Key, error)

	// DeleteIdleConnections deletes connection keys that were neither created nor
	// used since, with what was created with them, and forgets revocation hashes
	// whose time is over. It returns the keys, at most limit.
	DeleteIdleConnections(ctx context.Context, since, now time.Time, limit int) ([]Key, error)

	// TouchKeys records when keys were last used. A time that is older than the
	// recorded one, and a key that is gone, is skipped.
	TouchKeys(ctx context.Context, uses []Use) error
}

// SessionStore keeps the sessions of users.
type SessionStore interface {
	// CreateSession adds a session and records the user's sign-in. At most limit
	// sessions of a user live: the oldest go. ErrNotFound for a user who does not
	// exist or is disabled.
	CreateSession(ctx context.Context, s Session, limit int) error

	// SessionByHash returns a session with its user, or ErrNotFound. Whether it
	// is still good is for the caller to judge.
	SessionByHash(ctx context.Context, hash Hash) (Session, User, error)

	// TouchSession records that a session was used; one that is gone is skipped.
	TouchSession(ctx context.Context, hash Hash, at time.Time) error

	// DeleteSession ends a session; one that is gone is skipped.
	DeleteSession(ctx context.Context, hash Hash) error

	// DeleteSessions forgets sessions created or last used before the times.
	DeleteSessions(ctx context.Context, created, used time.Time) error
}

// InvitationStore keeps invitations to accounts, one per account and address.
type InvitationStore interface {
	// CreateInvitation adds an invitation. ErrExists when the address has one in
	// the account or is a member's, ErrTooManyMembers at limit, ErrNotFound for
	// an unknown account, ErrRevoked when the key i.CreatedVia is gone.
	CreateInvitation(ctx context.Context, i Invitation, limit int) error

	// RenewInvitation gives the invitation of an address a new secret and end, and
	// returns it, or ErrNotFound.
	RenewInvitation(ctx context.Context, account, email string, hash Hash, expires time.Time) (Invitation, error)

	// ListInvitations returns an account's invitations, oldest first.
	ListInvitations(ctx context.Context, account string, limit int) ([]Invitation, error)

	// DeleteInvitation removes the invitation of an address, or returns
	// ErrNotFound.
	DeleteInvitation(ctx context.Context, account, email string) error

	// InvitationByHash returns an invitation of any account, or ErrNotFound.
	InvitationByHash(ctx context.Context, hash Hash) (Invitation, error)

	// AcceptInvitation uses an invitation up: it creates a user unless one has
	// u.ID, links login unless it is zero, and makes the user a member. Of many
	// that try, one succeeds. ErrNotFound when the invitation is gone or over at
	// the time, ErrExists when u's address or the login is another user's,
	// ErrTooManyMembers at limit.
	AcceptInvitation(ctx context.Context, hash Hash, u User, login Login, now time.Time, limit int) error
}
