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
}

// Key is an API key as it is stored: everything except the secret.
type Key struct {
	ID        string // UUID, lower case; the public half of the token
	Account   string
	Name      string
	Role      Role
	Hash      Hash // of the whole token
	CreatedAt time.Time
	LastUsed  time.Time // zero when never used
}

// Prefix returns the first characters of the token, by which people tell their
// keys apart.
func (k Key) Prefix() string { return k.ID[:min(8, len(k.ID))] }

// Use says when a key was last used.
type Use struct {
	Account, Key string
	At           time.Time
}

// Store keeps accounts and keys. Implementations are safe for concurrent use,
// a method that returns nil has made its change durable, and one that returns
// an error has changed nothing. Times are UTC and keep at least milliseconds.
// Account and key ids are compared exactly; callers pass them in lower case.
//
// Every method about the things in an account takes the account's id first and
// touches that account alone. KeyByID is the one way across: it is how a token
// finds its account.
type Store interface {
	// CreateAccount adds an account. ErrExists when the id is taken; names may
	// repeat.
	CreateAccount(ctx context.Context, a Account) error

	// Account returns an account, or ErrNotFound.
	Account(ctx context.Context, id string) (Account, error)

	// AccountsNamed returns the accounts with exactly this name, oldest first,
	// at most limit of them. None is not an error.
	AccountsNamed(ctx context.Context, name string, limit int) ([]Account, error)

	// KeyByID returns a key of any account, or ErrNotFound. One indexed read.
	KeyByID(ctx context.Context, id string) (Key, error)

	// CreateKey adds k to the account k.Account. ErrNotFound when there is no
	// such account, ErrExists when the key's id is taken, ErrTooManyKeys when
	// the account has limit keys already (checked in the same transaction).
	CreateKey(ctx context.Context, k Key, limit int) error

	// ListKeys returns the account's keys, oldest first (then by id), at most
	// limit of them.
	ListKeys(ctx context.Context, account string, limit int) ([]Key, error)

	// UpdateKey sets the name and role of a key of the account and returns it,
	// or ErrNotFound.
	UpdateKey(ctx context.Context, account, id, name string, role Role) (Key, error)

	// DeleteKey removes a key of the account, or returns ErrNotFound.
	DeleteKey(ctx context.Context, account, id string) error

	// TouchKeys records when keys were last used, in one transaction. A time
	// that is older than the recorded one, and a key that is gone, is skipped.
	TouchKeys(ctx context.Context, uses []Use) error
}
