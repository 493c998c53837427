package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// FamilyID names a family: the partition of its user, then 16 random bytes. It is no secret; a token starts with it.
type FamilyID [17]byte

// familyIDLen is the length of a FamilyID as text.
var familyIDLen = strict.EncodedLen(len(FamilyID{}))

// strict refuses trailing bits; it skips line breaks, which a check of both
// lengths refuses, so that every value has one text.
var strict = base64.RawURLEncoding.Strict()

// ParseFamilyID reads what String wrote. ErrNotFound for anything else: no such
// family can exist.
func ParseFamilyID(text string) (FamilyID, error) {
	var id FamilyID
	if len(text) != familyIDLen {
		return FamilyID{}, ErrNotFound
	}
	if n, err := strict.Decode(id[:], []byte(text)); err != nil || n != len(id) {
		return FamilyID{}, ErrNotFound
	}
	return id, nil
}

// String returns 23 characters of base64url.
func (id FamilyID) String() string { return strict.EncodeToString(id[:]) }

// Partition is where the family's records live.
func (id FamilyID) Partition() byte { return id[0] }

// PartitionOf returns the partition of a user's records, one of 256.
func PartitionOf(user string) byte {
	sum := sha256.Sum256([]byte(user))
	return sum[0]
}

// ConnectionID names the connection (user, account, client). The ids of users
// and accounts are UUIDs, so the separator is unambiguous.
func ConnectionID(user, account, client string) string {
	sum := sha256.Sum256([]byte(user + "|" + account + "|" + client))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:22]
}

// Hash is the SHA-256 of a token's or code's secret: 256 random bits cannot be
// guessed from it, so a slow password hash would only cost time.
type Hash [sha256.Size]byte

// State is where a family is in its life.
type State string

// The states of a family, in their order.
const (
	// Pending families have a code that was not redeemed.
	Pending State = "pending"
	// Live families have tokens.
	Live State = "live"
	// Ended families have none, for a Reason, and never live again.
	Ended State = "ended"
)

// Reason says why a family ended. Pages and the audit log show it.
type Reason string

// The reasons.
const (
	ReasonUser       Reason = "user_revoked"     // on the connections page
	ReasonOwner      Reason = "owner_revoked"    // by an owner of the account
	ReasonOperator   Reason = "operator_revoked" // on the command line
	ReasonClient     Reason = "client_revoked"   // RFC 7009
	ReasonReuse      Reason = "refresh_reuse"    // an old refresh token came back
	ReasonCodeReplay Reason = "code_replay"      // a redeemed code came back
	ReasonKeyGone    Reason = "key_gone"         // the API no longer knows the key
	ReasonReplaced   Reason = "replaced"         // one authorization too many in the connection
	ReasonExpired    Reason = "expired"
	ReasonCodeUnused Reason = "code_unused"
)

// Grant is what the user allowed: it does not change while the family lives.
type Grant struct {
	User        string // user id
	UserName    string // as shown
	Account     string // account id
	AccountName string
	Client      string // client id, a URL for client id metadata documents
	ClientName  string // as the client calls itself
	Redirect    string // redirect URI of the authorization
	Role        string // of the API key: owner, admin or readonly
	ReadOnly    bool   // the client asked to write, and the user or their role said no
	Scope       string // granted scopes, space separated
	Resource    string // canonical resource URI
}

// Connection returns the id of the connection that the grant belongs to.
func (g Grant) Connection() string { return ConnectionID(g.User, g.Account, g.Client) }

// Family is one authorization as a Store keeps it. Times are the store's, to the
// millisecond.
type Family struct {
	ID FamilyID
	Grant

	KeyID     string // id of the API key, which is no secret
	State     State
	CreatedAt time.Time
	ExpiresAt time.Time // unless it is redeemed or refreshed before; never after EndsAt
	EndsAt    time.Time
	LastUsed  time.Time // zero before the first use
	LastFrom  string    // network of the last use: 203.0.113.0/24, 2001:db8:1::/48

	Gen       uint32    // generation of the current refresh token
	Current   Hash      // of its secret
	RotatedAt time.Time // when it was made
	Used      bool      // it, or an access token made at its generation, was used
	Minted    uint64    // access tokens ever made; the newest MaxAccessTokens are live
	SealedKey []byte    // the API key under the current refresh token

	Reason       Reason // of an ended family
	EndedAt      time.Time
	KeyDeletedAt time.Time // when the API confirmed that the key is gone
}

// alive reports whether the family's tokens are good at a time.
func (f Family) alive(now time.Time) bool {
	return f.State == Live && now.Before(f.ExpiresAt) && now.Before(f.EndsAt)
}

// Code is an authorization code as a Store keeps it. One that was redeemed stays
// until its family's records go.
type Code struct {
	Hash       Hash
	Family     FamilyID
	Challenge  string // PKCE S256
	ExpiresAt  time.Time
	RedeemedAt time.Time // zero until then
	SealedKey  []byte    // the API key under the code
}

// AccessToken is an access token as a Store keeps it.
type AccessToken struct {
	Hash      Hash
	Gen       uint32 // of the family when it was made
	Serial    uint64 // 1 for the family's first; set by the store
	Scope     string
	IssuedAt  time.Time
	ExpiresAt time.Time
	SealedKey []byte // the API key under this token
}

// Revocation is an outbox row: the capability to delete a family's API key, kept
// from before the key exists until the API has confirmed that it is gone.
type Revocation struct {
	Family   FamilyID
	Account  string
	Sealed   []byte    // the revocation secret
	Due      time.Time // when to see whether the family still lives
	Attempts int       // calls to the API that failed
	Keep     []string  // ids of what the connection's key has created and is to stay
}
