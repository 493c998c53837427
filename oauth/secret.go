package oauth

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token, a code or an API key. No verb, encoder or logger prints it,
// alone or inside another value; Reveal is the one way out.
type Secret struct {
	// A pointer, because fmt prints the unexported fields of an enclosing value
	// without asking their methods, and prints a nested pointer as an address.
	text *string
}

const redacted = "[redacted]"

// NewSecret wraps a text. An empty one gives the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Reveal returns the secret itself, for the one who is meant to have it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String implements fmt.Stringer without the secret.
func (Secret) String() string { return redacted }

// Format implements fmt.Formatter without the secret, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler without the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements encoding.TextMarshaler without the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer without the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
