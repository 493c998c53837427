package oauth

import (
	"context"
	"time"
)

// Kind is what a Record is for; each has its own ids.
type Kind string

// The kinds of records.
const (
	// KindTransaction is an authorize transaction, from the validated request to
	// the redirect, 10 minutes at most.
	KindTransaction Kind = "tx"
	// KindDocument is a cached client id metadata document; its id is the SHA-256
	// of the URL.
	KindDocument Kind = "cimd"
	// KindAssertion is the jti of a client assertion that was seen (RFC 7523 §3).
	KindAssertion Kind = "jti"
	// KindSignIn is the state of a sign-in with another provider.
	KindSignIn Kind = "oidc"
)

// Record is a small value that ends by itself.
type Record struct {
	Value     []byte
	Version   int64 // rises with every change
	ExpiresAt time.Time
}

// Records keeps what belongs to no user yet. Ids are at most 200 bytes of
// printable ASCII, values at most 64 KB. Errors are as Store's.
type Records interface {
	// Add stores a new record for ttl. ErrExists when there is one.
	Add(ctx context.Context, kind Kind, id string, value []byte, ttl time.Duration) error
	// Put stores a record for ttl, whether or not there is one.
	Put(ctx context.Context, kind Kind, id string, value []byte, ttl time.Duration) error
	// Record returns a record, or ErrNotFound.
	Record(ctx context.Context, kind Kind, id string) (Record, error)
	// Swap replaces the value of a record that still has this version and keeps
	// its end. ErrMoved when it has another, ErrNotFound when it is gone.
	Swap(ctx context.Context, kind Kind, id string, version int64, value []byte) error
	// Consume returns a record and deletes it, so that one caller alone gets it, or
	// ErrNotFound.
	Consume(ctx context.Context, kind Kind, id string) (Record, error)
	// Delete drops a record; it does nothing when there is none.
	Delete(ctx context.Context, kind Kind, id string) error
}
