package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// PasswordHash is an argon2id hash in PHC string form. It prints as a
// placeholder: a hash of a weak password is as good as the password.
type PasswordHash struct{ phc string }

// StoredPassword is the hash that a store kept as Stored.
func StoredPassword(phc string) PasswordHash { return PasswordHash{phc} }

// Stored returns the hash for a store; "" for no password.
func (h PasswordHash) Stored() string { return h.phc }

// String returns a placeholder.
func (PasswordHash) String() string { return redacted }

// GoString returns a placeholder.
func (PasswordHash) GoString() string { return redacted }

// LogValue logs a placeholder.
func (PasswordHash) LogValue() slog.Value { return slog.StringValue(redacted) }

const (
	minPasswordRunes = 10
	maxPasswordBytes = 1000

	// The second choice of RFC 9106 would take 64 MiB each; these are the
	// parameters of the OWASP cheat sheet for 19 MiB.
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	saltBytes    = 16
	hashBytes    = 32
	// hashersAtOnce bounds the memory that sign-ins take, to 76 MiB.
	hashersAtOnce = 4
)

// hashPassword says what is wrong with a new password as a *FieldError of field.
func (s *Service) hashPassword(field, password string) (PasswordHash, error) {
	switch {
	case !utf8.ValidString(password):
		return PasswordHash{}, &FieldError{Field: field, Message: "must be text"}
	case utf8.RuneCountInString(password) < minPasswordRunes:
		return PasswordHash{}, &FieldError{Field: field, Message: fmt.Sprintf("must have at least %d characters", minPasswordRunes)}
	case len(password) > maxPasswordBytes:
		return PasswordHash{}, &FieldError{Field: field, Message: fmt.Sprintf("must have at most %d bytes", maxPasswordBytes)}
	}
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	sum := s.argon(password, salt, argonTime, argonMemory, argonThreads, hashBytes)
	return PasswordHash{fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))}, nil
}

// argon waits for its turn, so that a flood of sign-ins takes time, not memory.
func (s *Service) argon(password string, salt []byte, time, memory uint32, threads uint8, length uint32) []byte {
	s.hashers <- struct{}{}
	defer func() { <-s.hashers }()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, length)
}

// checkPassword reports whether a password fits a hash. It takes as long when
// there is no hash, so that an answer does not tell who exists.
func (s *Service) checkPassword(hash PasswordHash, password string) bool {
	if len(password) > maxPasswordBytes {
		password = "" // no password has this length
	}
	p, ok := parsePHC(hash.phc)
	if !ok {
		s.argon(password, make([]byte, saltBytes), argonTime, argonMemory, argonThreads, hashBytes)
		return false
	}
	sum := s.argon(password, p.salt, p.time, p.memory, p.threads, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1 && password != ""
}

// phc is a parsed hash.
type phc struct {
	time, memory uint32
	threads      uint8
	salt, sum    []byte
}

// parsePHC reads what hashPassword wrote, with any parameters that are not
// absurd, so that they can be raised later.
func parsePHC(text string) (p phc, ok bool) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, false
	}
	var memory, rounds, threads uint64
	for setting := range strings.SplitSeq(parts[3], ",") {
		name, value, _ := strings.Cut(setting, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return p, false
		}
		switch name {
		case "m":
			memory = n
		case "t":
			rounds = n
		case "p":
			threads = n
		default:
			return p, false
		}
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 ||
		memory < 8 || memory > 1<<20 || rounds < 1 || rounds > 20 || threads < 1 || threads > 16 {
		return p, false
	}
	return phc{time: uint32(rounds), memory: uint32(memory), threads: uint8(threads), salt: salt, sum: sum}, true
}
