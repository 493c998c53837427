package oauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A sealed value is key id (4) ‖ nonce (12) ‖ AES-256-GCM of the text.

// errSealed is returned for a value that was sealed with an unknown secret,
// under another token or for another place, or was changed.
var errSealed = errors.New("sealed value cannot be opened")

// tokenKind is where a copy of an API key belongs.
type tokenKind byte

const (
	kindCode    tokenKind = 'c'
	kindRefresh tokenKind = 'r'
	kindAccess  tokenKind = 'a'
)

// place binds a sealed API key to its record, so that one copied elsewhere in
// the store opens nothing.
type place struct {
	family FamilyID
	kind   tokenKind
	gen    uint32
}

func (p place) bytes() []byte {
	b := append([]byte(nil), p.family[:]...)
	return binary.BigEndian.AppendUint32(append(b, byte(p.kind)), p.gen)
}

// sealKey seals an API key under a token: only the store, the product's secret
// and the token together open it.
func (k *Keyring) sealKey(token tokenSecret, p place, key Secret) ([]byte, error) {
	set := k.sealing()
	return sealWith(set.id, wrapKey(set, token), p.bytes(), []byte(key.Reveal()))
}

func (k *Keyring) openKey(token tokenSecret, p place, sealed []byte) (Secret, error) {
	set, rest, err := k.sealedWith(sealed)
	if err != nil {
		return Secret{}, err
	}
	text, err := openWith(wrapKey(set, token), p.bytes(), rest)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(string(text)), nil
}

// wrapKey mixes the token into the product's key; both are needed.
func wrapKey(set keySet, token tokenSecret) []byte {
	key, err := hkdf.Key(sha256.New, token[:], set.wrap, "growpanel/v1/wrap", sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("derive key: %v", err)) // as in derive
	}
	return key
}

// sealRevocation seals a revocation secret: it is opened while the user is
// absent, so the product's secret alone does. It can delete a key, never use one.
func (k *Keyring) sealRevocation(family FamilyID, secret Secret) ([]byte, error) {
	set := k.sealing()
	return sealWith(set.id, set.seal, family[:], []byte(secret.Reveal()))
}

func (k *Keyring) openRevocation(family FamilyID, sealed []byte) (Secret, error) {
	set, rest, err := k.sealedWith(sealed)
	if err != nil {
		return Secret{}, err
	}
	text, err := openWith(set.seal, family[:], rest)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(string(text)), nil
}

// resealRevocation returns the sealed value itself when the sealing secret made it.
func (k *Keyring) resealRevocation(family FamilyID, sealed []byte) ([]byte, error) {
	set, _, err := k.sealedWith(sealed)
	if err != nil {
		return nil, err
	}
	if set.id == k.sealing().id {
		return sealed, nil
	}
	secret, err := k.openRevocation(family, sealed)
	if err != nil {
		return nil, err
	}
	return k.sealRevocation(family, secret)
}

func (k *Keyring) sealedWith(sealed []byte) (set keySet, rest []byte, err error) {
	var id keyID
	if len(sealed) < len(id) {
		return keySet{}, nil, errSealed
	}
	copy(id[:], sealed)
	set, ok := k.set(id)
	if !ok {
		return keySet{}, nil, fmt.Errorf("%w: no secret has key id %x", errSealed, id)
	}
	return set, sealed[len(id):], nil
}

func sealWith(id keyID, key, bound, text []byte) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(id[:], nil, text, bound), nil //nolint:gosec // G407: the nonce is drawn by the AEAD itself
}

func openWith(key, bound, sealed []byte) ([]byte, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, nil, sealed, bound)
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
