package oauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// seal encrypts what a record keeps for one browser. Its cookie is nowhere on
// this server, so that nobody else opens it, not even with the store and the
// server's secret.
func (b *Browser) seal(browser, id, text string) ([]byte, error) {
	aead, err := browserCipher(b.cfg.Keys.Derive(PurposeCSRF)[0], browser, id)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, []byte(text), nil), nil //nolint:gosec // G407: this AEAD draws its nonces itself
}

// unseal opens what seal made; ok is false for another browser or record.
func (b *Browser) unseal(browser, id string, sealed []byte) (text string, ok bool) {
	for _, key := range b.cfg.Keys.Derive(PurposeCSRF) {
		aead, err := browserCipher(key, browser, id)
		if err != nil {
			return "", false
		}
		if plain, err := aead.Open(nil, nil, sealed, nil); err == nil {
			return string(plain), true
		}
	}
	return "", false
}

func browserCipher(key []byte, browser, id string) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("seal\x00" + browser + "\x00" + id))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal for browser: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("seal for browser: %w", err)
	}
	return aead, nil
}
