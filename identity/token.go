package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/google/uuid"
)

// Token is a whole API key, `<key-uuid>.<secret>`. The secret is 64 hexadecimal
// digits, or a UUID (seed 000) in keys of older versions. It exists
// only between its creation or arrival and its first use: nothing stores it,
// and no verb, encoder or logger prints it. Reveal is the one way out.
type Token struct {
	key uuid.UUID
	// A pointer, because fmt prints the unexported fields of a value around it
	// without asking their methods; a pointer to a string stays an address under
	// every verb.
	secret *string
}

const (
	uuidLen     = 36
	secretBytes = 32
	redacted    = "[redacted]"
)

// newToken draws a key id and a secret of 256 bits.
func newToken() (Token, error) {
	key, err := uuid.NewRandom()
	if err != nil {
		return Token{}, fmt.Errorf("draw key id: %w", err)
	}
	return tokenOf(key, newSecret()), nil
}

func newSecret() string {
	var secret [secretBytes]byte
	rand.Read(secret[:]) // never fails
	return hex.EncodeToString(secret[:])
}

func tokenOf(key uuid.UUID, secret string) Token { return Token{key: key, secret: &secret} }

// ParseToken reads an API key. Anything that is not a hyphenated UUID, a dot and
// a secret of either form is ErrInvalidKey; hexadecimal digits may be in any case.
func ParseToken(s string) (Token, error) {
	if len(s) <= uuidLen || s[uuidLen] != '.' {
		return Token{}, ErrInvalidKey
	}
	key, err := uuid.Parse(s[:uuidLen])
	if err != nil {
		return Token{}, ErrInvalidKey
	}
	switch secret := s[uuidLen+1:]; len(secret) {
	case hex.EncodedLen(secretBytes):
		if _, err := hex.DecodeString(secret); err != nil {
			return Token{}, ErrInvalidKey
		}
		return tokenOf(key, strings.ToLower(secret)), nil
	case uuidLen:
		older, err := uuid.Parse(secret)
		if err != nil {
			return Token{}, ErrInvalidKey
		}
		return tokenOf(key, older.String()), nil
	default:
		return Token{}, ErrInvalidKey
	}
}

// KeyID returns the part of the token that is not secret.
func (t Token) KeyID() string { return t.key.String() }

// Reveal returns the whole key, to be shown to its owner once.
func (t Token) Reveal() string { return t.key.String() + "." + *t.secret }

// Hash is the SHA-256 of a secret. One of so many random bits cannot be guessed
// from its hash, so a slow password hash would only cost time.
type Hash [sha256.Size]byte

// hash covers the key id as well, so that equal secrets never have equal hashes.
func (t Token) hash() Hash { return sha256.Sum256([]byte(t.Reveal())) }

func (h Hash) equal(other Hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// String returns a placeholder.
func (Token) String() string { return redacted }

// GoString returns a placeholder.
func (Token) GoString() string { return redacted }

// Format writes a placeholder for every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON encodes a placeholder.
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText encodes a placeholder.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs a placeholder.
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }
