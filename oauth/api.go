package oauth

import "context"

// API is what grants need of the REST API.
type API interface {
	// CreateKey makes an API key of kind connection with the rights of a user's
	// token. When it is repeated for the same family, the newest answer alone counts.
	CreateKey(ctx context.Context, k NewKey) (CreatedKey, error)
	// RevokeKey deletes the key that was made with this revocation secret and what
	// was created with that key, except the ids in keep; it is nil as well when
	// there is none. Only nil means that the key is gone, and that none can be made
	// any more with the secret's hash.
	RevokeKey(ctx context.Context, revocationSecret Secret, keep []string) error
	// VerifyKey returns nil for a key that works and ErrKeyGone for one that the
	// API refuses; any other error means that the API could not be asked.
	VerifyKey(ctx context.Context, key Secret) error
}

// NewKey asks for an API key.
type NewKey struct {
	Family         FamilyID // its text is the Idempotency-Key
	UserToken      Secret   // of the user in Account
	Account        string
	Name           string
	ClientName     string
	Role           string
	RevocationHash string // base64url of the SHA-256 of the revocation secret
}

// CreatedKey is an API key that was just made.
type CreatedKey struct {
	ID  string
	Key Secret
}
