package protocol

import (
	"strings"
	"testing"
)

// The example of RFC 7636, appendix B.
const (
	rfcVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// TestR30_ChallengeForm: exactly 43 unpadded base64url characters.
func TestR30_ChallengeForm(t *testing.T) {
	t.Parallel()
	if _, err := ParseChallenge(rfcChallenge, "S256"); err != nil {
		t.Fatal(err)
	}
	for _, challenge := range []string{
		"", rfcChallenge[:42], rfcChallenge + "A", rfcChallenge + "=", strings.Replace(rfcChallenge, "-", "+", 1), rfcChallenge[:42] + "N",
		strings.Repeat("a", 128), rfcChallenge[:42] + " ", rfcChallenge[:42] + "\n", rfcChallenge + "\n", "\r" + rfcChallenge,
	} {
		if _, err := ParseChallenge(challenge, "S256"); err == nil || err.Code != InvalidRequest {
			t.Errorf("challenge %q: %v, want invalid_request", challenge, err)
		}
	}
	for _, verifier := range []string{"", strings.Repeat("a", 42), strings.Repeat("a", 129), strings.Repeat("a", 42) + "!", strings.Repeat("ä", 43)} {
		if CheckVerifier(verifier) == nil {
			t.Errorf("verifier %q is accepted", verifier)
		}
	}
}

// TestR31_MethodMissingMeansPlain: and plain is refused.
func TestR31_MethodMissingMeansPlain(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"", "plain", "s256", "S512"} {
		if _, err := ParseChallenge(rfcChallenge, method); err == nil || err.Code != InvalidRequest {
			t.Errorf("method %q: %v, want invalid_request", method, err)
		}
	}
}

// TestR32_VerifierMismatch: only the verifier of the challenge matches it.
func TestR32_VerifierMismatch(t *testing.T) {
	t.Parallel()
	if !Challenge(rfcChallenge).Matches(rfcVerifier) {
		t.Error("the example of RFC 7636 does not match")
	}
	for _, verifier := range []string{"", rfcChallenge, rfcVerifier + "a", strings.ToLower(rfcVerifier)} {
		if Challenge(rfcChallenge).Matches(verifier) {
			t.Errorf("verifier %q matches", verifier)
		}
	}
	if Challenge("").Matches("") {
		t.Error("an empty verifier matches an empty challenge")
	}
}

// FuzzParseChallenge: an accepted challenge has one spelling.
func FuzzParseChallenge(f *testing.F) {
	f.Add(rfcChallenge, rfcVerifier)
	f.Fuzz(func(t *testing.T, challenge, verifier string) {
		c, err := ParseChallenge(challenge, MethodS256)
		if err != nil {
			return
		}
		if len(c) != 43 || string(c) != challenge {
			t.Fatalf("challenge %q became %q", challenge, c)
		}
		if c.Matches(verifier) && verifier != rfcVerifier {
			t.Fatalf("verifier %q matches %q", verifier, c)
		}
	})
}
