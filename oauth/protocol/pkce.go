package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// MethodS256 is the one code_challenge_method there is.
const MethodS256 = "S256"

// Challenge is the code_challenge of an authorization request: the SHA-256 of a
// verifier that the client keeps (RFC 7636 §4.2).
type Challenge string

// ParseChallenge checks a challenge and its method. A missing method would mean
// plain, which is refused like any other (RFC 7636 §4.3).
func ParseChallenge(challenge, method string) (Challenge, *Error) {
	if challenge == "" {
		return "", invalidRequest("code_challenge is missing: this server requires PKCE")
	}
	if method != MethodS256 {
		return "", invalidRequest("code_challenge_method must be S256")
	}
	hash, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	// The decoder skips line breaks, so the length of the text counts as well.
	if err != nil || len(hash) != sha256.Size || len(challenge) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return "", invalidRequest("code_challenge must be the 43 characters of an unpadded base64url SHA-256")
	}
	return Challenge(challenge), nil
}

// CheckVerifier reports what is wrong with the form of a code_verifier
// (RFC 7636 §4.1).
func CheckVerifier(verifier string) *Error {
	if len(verifier) < 43 || len(verifier) > 128 || strings.ContainsFunc(verifier, notUnreserved) {
		return invalidRequest("code_verifier must have 43 to 128 of the characters A-Z a-z 0-9 - . _ ~")
	}
	return nil
}

func notUnreserved(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
}

// Matches reports whether a verifier belongs to the challenge, in constant time.
func (c Challenge) Matches(verifier string) bool {
	hash := sha256.Sum256([]byte(verifier))
	got := base64.RawURLEncoding.EncodeToString(hash[:])
	return subtle.ConstantTimeCompare([]byte(got), []byte(c)) == 1
}
