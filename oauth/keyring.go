package oauth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Purpose is what a derived key is for; no key serves two.
type Purpose string

// The purposes.
const (
	PurposeRefreshMAC  Purpose = "rt-mac"
	PurposeRefreshNext Purpose = "rt-next"
	PurposeWrap        Purpose = "wrap"
	PurposeSeal        Purpose = "seal"
	PurposeCSRF        Purpose = "csrf"
	PurposeUserToken   Purpose = "user-token"
	// PurposeRequestState is for what an MCP client carries from a question to its
	// answer, which any replica may read.
	PurposeRequestState Purpose = "mcp-state"
)

// MinSecretBytes is the least length of a secret of the product.
const MinSecretBytes = 32

// Keyring derives all keys from the product's own secrets. The first secret
// seals, all open: to replace one, put the new one before it, and take the old
// one away when the life of a refresh token has passed.
type Keyring struct {
	sets []keySet // the first seals
	raw  []Secret
}

// keySet is what one secret gives.
type keySet struct {
	id                    keyID
	mac, next, wrap, seal []byte
	csrf                  []byte
}

// keyID tells secrets apart in what was made with them; it says nothing about
// the secret.
type keyID [4]byte

// NewKeyring derives keys from secrets, the one that seals first.
func NewKeyring(secrets ...Secret) (*Keyring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret is set")
	}
	k := &Keyring{raw: secrets}
	for i, secret := range secrets {
		if len(secret.Reveal()) < MinSecretBytes {
			return nil, fmt.Errorf("secret %d has less than %d bytes", i+1, MinSecretBytes)
		}
		set := keySet{
			mac:  derive(secret, PurposeRefreshMAC),
			next: derive(secret, PurposeRefreshNext),
			wrap: derive(secret, PurposeWrap),
			seal: derive(secret, PurposeSeal),
			csrf: derive(secret, PurposeCSRF),
		}
		copy(set.id[:], derive(secret, "key-id"))
		if _, taken := k.set(set.id); taken {
			return nil, fmt.Errorf("secret %d is listed twice", i+1)
		}
		k.sets = append(k.sets, set)
	}
	return k, nil
}

// Derive returns the keys for a purpose, the one that seals first.
func (k *Keyring) Derive(p Purpose) [][]byte {
	keys := make([][]byte, len(k.raw))
	for i, secret := range k.raw {
		keys[i] = derive(secret, p)
	}
	return keys
}

// derive is HKDF-SHA256 (RFC 5869) with a label per purpose.
func derive(secret Secret, p Purpose) []byte {
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, "growpanel/v1/"+string(p), sha256.Size)
	if err != nil {
		// HKDF fails for lengths above 255 hashes and, in FIPS mode, for secrets
		// below 14 bytes, neither of which is possible here.
		panic(fmt.Sprintf("derive key: %v", err))
	}
	return key
}

func (k *Keyring) sealing() keySet { return k.sets[0] }

func (k *Keyring) set(id keyID) (keySet, bool) {
	for _, set := range k.sets {
		if set.id == id {
			return set, true
		}
	}
	return keySet{}, false
}
