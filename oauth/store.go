package oauth

import (
	"context"
	"time"
)

// MaxAccessTokens is how many access tokens of one family are live; a newer one
// pushes the oldest out.
const MaxAccessTokens = 20

// Store keeps families, codes, access tokens and the outbox. Each method is one
// atomic step that is durable when it returns nil. Methods that return a time
// give the store's clock at that step, by which the caller decides.
//
// Errors are ErrNotFound, ErrExists or ErrMoved where a method says so, and
// otherwise wrap ErrUnavailable: then the step may or may not have happened.
type Store interface {
	// Reserve adds a pending family with its outbox row, both until life has passed.
	// ErrExists when the family is there.
	Reserve(ctx context.Context, f Family, sealed []byte, life time.Duration) error
	// CreateCode adds a code that can be redeemed for life, notes the key's id on
	// its family, and lets family and outbox row wait for grace longer than the
	// code. ErrExists when the code is there, whatever its family; ErrMoved when
	// the family is not pending or has expired.
	CreateCode(ctx context.Context, c Code, keyID string, life, grace time.Duration) error
	// Code returns a code with its family, or ErrNotFound.
	Code(ctx context.Context, partition byte, code Hash) (Code, Family, time.Time, error)
	// Redeem makes a pending family live with its first tokens, marks its code
	// redeemed and moves the outbox row to r.ExpiresAt. ErrMoved when the family
	// is not pending or the code is redeemed or expired.
	Redeem(ctx context.Context, r Redemption) error

	// Family returns a family, or ErrNotFound.
	Family(ctx context.Context, id FamilyID) (Family, time.Time, error)
	// Rotate puts the next refresh token in place and adds an access token.
	// ErrMoved unless the family lives and its current refresh token is r.Previous.
	Rotate(ctx context.Context, r Rotation) error
	// Mint adds an access token at generation t.Gen. ErrMoved unless the family
	// lives, has that generation, and its refresh token is unused or younger than
	// window.
	Mint(ctx context.Context, id FamilyID, t AccessToken, window time.Duration) error
	// MarkUsed sets Used if the family still has this generation.
	MarkUsed(ctx context.Context, id FamilyID, gen uint32) error
	// Access returns an access token of the family with the family, or
	// ErrNotFound when either is missing or newer tokens pushed it out.
	Access(ctx context.Context, id FamilyID, token Hash) (AccessToken, Family, time.Time, error)

	// End ends a family, drops its tokens and makes its outbox row due at once. It
	// changes nothing, and reports so, when the family has ended before, or when e
	// is for stale families and this one is not past its ExpiresAt. ErrNotFound
	// when there is none.
	End(ctx context.Context, id FamilyID, e Ending) (ended bool, err error)
	// Families returns a user's families that are not purged, at most limit, those
	// that live before those that ended, newest first.
	Families(ctx context.Context, user string, limit int) ([]Family, time.Time, error)
	// Touch writes last uses; families that are gone are skipped, and a use older
	// than the one on record changes nothing.
	Touch(ctx context.Context, uses []Use) error

	// Claim takes up to limit outbox rows that are due and makes them due again
	// after the lease, so that nobody else gets them meanwhile.
	Claim(ctx context.Context, limit int, lease time.Duration) ([]Revocation, time.Time, error)
	// Revocation returns a family's outbox row, or ErrNotFound.
	Revocation(ctx context.Context, id FamilyID) (Revocation, error)
	// Postpone gives back a claimed row: it sets when the row is due again and how
	// often it has failed. It does nothing when the row has moved since the claim.
	Postpone(ctx context.Context, claimed Revocation, due time.Time, attempts int) error
	// Settle drops the row of a family whose key is gone, and notes that on the
	// family if it is there. It does nothing when there is no row.
	Settle(ctx context.Context, id FamilyID) error
	// Reseal passes the sealed secret of every outbox row through fn and stores
	// what it returns, unless the row has changed meanwhile. It returns how many
	// it changed. For operators: it reads the whole outbox.
	Reseal(ctx context.Context, fn func(id FamilyID, sealed []byte) ([]byte, error)) (int, error)
	// Purge drops up to limit records that ended or expired before the store's
	// retention, and returns how many.
	Purge(ctx context.Context, limit int) (int, error)
}

// Retention is how long a family's records stay after it expired or ended.
const Retention = 7 * 24 * time.Hour

// Redemption is the step from a code to the first tokens of its family.
type Redemption struct {
	Code      Hash
	Family    FamilyID
	User      string // whose the family is
	Refresh   Hash   // of the first refresh token's secret
	SealedKey []byte
	Access    AccessToken
	ExpiresAt time.Time
	EndsAt    time.Time
}

// Ending is why and how a family ends.
type Ending struct {
	Reason Reason
	Keep   []string // ids of what the connection's key has created and is to stay
	Stale  bool     // only if the family is past its ExpiresAt
}

// Rotation is the step from one refresh token to the next.
type Rotation struct {
	Family    FamilyID
	Gen       uint32 // of the presented token; the next has one more
	Previous  Hash   // its secret's
	Next      Hash
	SealedKey []byte
	Access    AccessToken
	ExpiresAt time.Time
}

// Use is the last use of a family.
type Use struct {
	Family FamilyID
	At     time.Time
	From   string // a network, see Family.LastFrom
}
