package apiclient

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Secret is an API key. No verb, encoder or logger prints it, alone or inside
// another value; only the Authorization header of a call contains it. The zero
// Secret is no key.
type Secret struct {
	// A pointer, because fmt prints the unexported fields of an enclosing value
	// without asking their methods, and prints a nested pointer as an address.
	text *string
}

const redacted = "[redacted]"

// errKeyText does not repeat the key.
var errKeyText = errors.New("the API key contains a character that a header cannot carry; it may have been copied with a line break or a quote")

// NewSecret wraps a key. An empty one gives the zero Secret.
func NewSecret(key string) Secret {
	if key == "" {
		return Secret{}
	}
	return Secret{text: &key}
}

// IsZero reports whether there is no key.
func (s Secret) IsZero() bool { return s.text == nil }

// String implements fmt.Stringer without revealing the key.
func (Secret) String() string { return redacted }

// Format implements fmt.Formatter without revealing the key, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler without revealing the key.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer without revealing the key.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// authorization returns the value of the Authorization header, or nil without a key.
func (s Secret) authorization() ([]string, error) {
	if s.text == nil {
		return nil, nil
	}
	for _, c := range []byte(*s.text) {
		if c <= ' ' || c > '~' {
			return nil, errKeyText
		}
	}
	return []string{"Bearer " + *s.text}, nil
}
