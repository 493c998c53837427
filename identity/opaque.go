package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Opaque is the secret of a session or an invitation. Like Token it cannot be
// printed; Reveal is the one way out.
type Opaque struct{ text *string }

// The first characters tell people and scanners what a secret is.
const (
	sessionPrefix    = "gps_"
	invitationPrefix = "gpi_"
	opaqueBytes      = 32
)

func newOpaque(prefix string) (Opaque, Hash) {
	var secret [opaqueBytes]byte
	rand.Read(secret[:]) // never fails
	text := prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	return Opaque{&text}, sha256.Sum256([]byte(text))
}

// hashOpaque returns what the store knows a secret by. It reports false for
// text that is no secret of the kind.
func hashOpaque(prefix, text string) (Hash, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return Hash{}, false
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	// The decoder skips line breaks, which would make two texts of one secret.
	if err != nil || len(secret) != opaqueBytes || strings.ContainsAny(rest, "\r\n") {
		return Hash{}, false
	}
	return sha256.Sum256([]byte(text)), true
}

// Reveal returns the secret, to be handed to its owner.
func (o Opaque) Reveal() string { return *o.text }

// String returns a placeholder.
func (Opaque) String() string { return redacted }

// GoString returns a placeholder.
func (Opaque) GoString() string { return redacted }

// Format writes a placeholder for every verb.
func (Opaque) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText encodes a placeholder.
func (Opaque) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs a placeholder.
func (Opaque) LogValue() slog.Value { return slog.StringValue(redacted) }
