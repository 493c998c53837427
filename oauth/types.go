package oauth

import (
	"net/netip"
	"time"
)

// CodeRequest is a user's consent.
type CodeRequest struct {
	// Transaction is the id of the authorize transaction; the same one always
	// gives the same code.
	Transaction string
	Grant       Grant
	Challenge   string // PKCE S256, 43 characters of base64url
	UserToken   Secret // may create connection keys in Grant.Account
	KeyName     string // of the API key, as the account's key list shows it
}

// RedeemRequest is an authorization_code grant of an authenticated client.
type RedeemRequest struct {
	Code     Secret
	Client   string
	Verifier Secret
	Redirect string // empty when it was not sent
	Resource string // canonical; empty when it was not sent
	Address  netip.Addr
}

// RefreshRequest is a refresh_token grant of an authenticated client.
type RefreshRequest struct {
	Token    Secret
	Client   string
	Scope    string // empty to keep what was granted; unknown scopes already dropped
	Resource string // canonical; empty when it was not sent
	Address  netip.Addr
}

// Tokens is the answer to a redeemed code or a refresh.
type Tokens struct {
	Access    Secret
	Refresh   Secret
	ExpiresIn time.Duration // of the access token, whole seconds
	Scope     string
	Family    FamilyID
}

// Access is who a request with an access token acts for.
type Access struct {
	Family FamilyID
	Grant
	Scope     string // of this token: never more than the grant's
	ExpiresAt time.Time
	APIKey    Secret
}

// TokenInfo is what introspection may tell (RFC 7662 §2.2). The zero value is an
// inactive token.
type TokenInfo struct {
	Active    bool
	Kind      string // access_token or refresh_token
	Family    FamilyID
	Grant     Grant
	Scope     string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Connection is what one client may do for one user in one account.
type Connection struct {
	ID       string
	Grant    Grant    // of the newest family
	Families []Family // live ones, newest first, then those that ended lately
}

// Revoked tells how far revoking has come.
type Revoked struct {
	Families    int // that ended
	KeysDeleted int // of those; the rest follow from the outbox
}
