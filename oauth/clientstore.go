package oauth

import (
	"context"
	"encoding/json"
	"time"
)

// RegisteredClient is a client of dynamic registration (RFC 7591) as a
// ClientStore keeps it.
type RegisteredClient struct {
	ID           string
	SecretHash   []byte // SHA-256; nil for a public client
	RedirectURIs []string
	AuthMethod   string          // token_endpoint_auth_method
	Name         string          // client_name
	Metadata     json.RawMessage // the effective metadata, as the registration was answered
	CreatedAt    time.Time
	LastUsed     time.Time // zero until a code was issued to it
}

// ClientStore keeps registered clients. Clients that were never used go after
// unusedLife, used ones after usedLife without use (both are given to the
// constructor). Errors are as Store's.
type ClientStore interface {
	// CreateClient adds a client. When there are as many as there may be, the
	// never-used client that is longest unused goes; ErrFull when all are used.
	CreateClient(ctx context.Context, c RegisteredClient) error
	// Client returns a client, or ErrNotFound.
	Client(ctx context.Context, id string) (RegisteredClient, error)
	// TouchClient notes a use and puts the client's end off. It does nothing for a
	// client that is gone.
	TouchClient(ctx context.Context, id string) error
}

// The limits of registration.
const (
	// MaxClients is how many registered clients are kept.
	MaxClients = 100_000
	// UnusedClientLife is how long a client is kept that never got a code.
	UnusedClientLife = 24 * time.Hour
)
