package oauth

import (
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A client publishes its own keys: one that takes seconds to verify with must not
// become work of ours.
func TestAlgorithmOf_RefusesKeysOfAbsurdSizes(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint]jose.SignatureAlgorithm{1024: "", 2048: jose.RS256, 4096: jose.RS256, 8192: jose.RS256, 8193: "", 400_000: ""} {
		n := new(big.Int).SetBit(big.NewInt(1), int(bits-1), 1)
		if got := algorithmOf(jose.JSONWebKey{Key: &rsa.PublicKey{N: n, E: 65537}}); got != want {
			t.Errorf("an RSA key of %d bits is for %q, want %q", bits, got, want)
		}
	}
}
