package oauthtest

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// Verifier is a PKCE verifier, and Challenge its S256 challenge.
const Verifier = "test-verifier-of-forty-three-characters-or-more"

// Challenge returns the S256 challenge of Verifier.
func Challenge() string {
	sum := sha256.Sum256([]byte(Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// SecretText is a secret of the product that differs by its name.
func SecretText(name string) oauth.Secret {
	return oauth.NewSecret(name + strings.Repeat(".", oauth.MinSecretBytes))
}

// Keyring returns the keys of secrets with these names, the one that seals first.
func Keyring(t testing.TB, names ...string) *oauth.Keyring {
	t.Helper()
	secrets := make([]oauth.Secret, len(names))
	for i, name := range names {
		secrets[i] = SecretText(name)
	}
	keys, err := oauth.NewKeyring(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
