package config

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a credential that no log line, error or dump shows.
type Secret struct{ value string }

// Reveal returns the credential itself.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no credential.
func (s Secret) IsZero() bool { return s.value == "" }

// String implements fmt.Stringer without the credential.
func (Secret) String() string { return redacted }

// Format implements fmt.Formatter without the credential, for every verb.
func (Secret) Format(f fmt.State, _ rune) {
	io.WriteString(f, redacted) //nolint:errcheck // fmt.State offers no way to report it
}

// MarshalJSON implements json.Marshaler without the credential.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer without the credential.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
