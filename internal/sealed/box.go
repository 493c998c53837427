// Package sealed encrypts what the product must be able to read back: the
// credentials of others. Every sealed text is bound to its place, so that one
// that is copied elsewhere in a store opens nothing.
package sealed

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// MinSecretBytes is the least length of a secret.
const MinSecretBytes = 32

// ErrSealed is returned for a text that was sealed with an unknown secret or for
// another place, or was changed.
var ErrSealed = errors.New("sealed text cannot be opened")

// Box seals with its first secret and opens what any of them sealed, so that a
// secret can be replaced: put the new one before it.
type Box struct{ keys []key }

// key is what a secret gives for one purpose. Its id tells secrets apart in what
// they sealed, and nothing about them.
type key struct {
	id   [4]byte
	aead cipher.AEAD
}

// NewBox derives a box from secrets of the product. No two purposes share a key.
func NewBox(purpose string, secrets ...[]byte) (*Box, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret to seal with")
	}
	b := &Box{}
	for i, secret := range secrets {
		if len(secret) < MinSecretBytes {
			return nil, fmt.Errorf("secret %d has less than %d bytes", i+1, MinSecretBytes)
		}
		k, err := newKey(purpose, secret)
		if err != nil {
			return nil, err
		}
		b.keys = append(b.keys, k)
	}
	return b, nil
}

func newKey(purpose string, secret []byte) (key, error) {
	// RFC 5869, with a label per purpose; the last bytes are the id.
	material, err := hkdf.Key(sha256.New, secret, nil, "growpanel/sealed/v1/"+purpose, sha256.Size+4)
	if err != nil {
		return key{}, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(material[:sha256.Size])
	if err != nil {
		return key{}, fmt.Errorf("derive key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return key{}, fmt.Errorf("derive key: %w", err)
	}
	return key{id: [4]byte(material[sha256.Size:]), aead: aead}, nil
}

// Seal encrypts a text for a place: key id (4), nonce (12), AES-256-GCM.
func (b *Box) Seal(text []byte, place string) []byte {
	k := b.keys[0]
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand
	return k.aead.Seal(append(k.id[:], nonce...), nonce, text, []byte(place))
}

// Current reports whether a text was sealed with the first secret.
func (b *Box) Current(sealed []byte) bool { return bytes.HasPrefix(sealed, b.keys[0].id[:]) }

// Open decrypts a text that was sealed for the place, or returns ErrSealed.
func (b *Box) Open(sealed []byte, place string) ([]byte, error) {
	for _, k := range b.keys {
		rest := sealed
		if len(rest) < len(k.id)+k.aead.NonceSize() || [4]byte(rest) != k.id {
			continue
		}
		rest = rest[len(k.id):]
		n := k.aead.NonceSize()
		if text, err := k.aead.Open(nil, rest[:n], rest[n:], []byte(place)); err == nil {
			return text, nil
		}
	}
	return nil, ErrSealed
}
