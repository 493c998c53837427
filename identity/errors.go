package identity

import (
	"errors"
	"unicode/utf8"
)

var (
	// ErrNotFound is returned for an account or key that does not exist in the
	// account that was asked.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned when an id is taken.
	ErrExists = errors.New("already exists")
	// ErrInvalidKey is returned for a token that is malformed, unknown, deleted
	// or has a wrong secret. Which of them it was is not told.
	ErrInvalidKey = errors.New("invalid API key")
	// ErrTooManyKeys is returned when an account has MaxKeys keys.
	ErrTooManyKeys = errors.New("the account has as many API keys as it can have")
	// ErrAmbiguousName is returned when several accounts have the asked name.
	ErrAmbiguousName = errors.New("several accounts have this name")
)

// FieldError says which input field is wrong and what would be right.
type FieldError struct {
	Field   string
	Message string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// clip shortens input that is quoted back in an error.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
