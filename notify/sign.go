package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	keyPrefix = "whsec_"
	keyBytes  = 24 // as Standard Webhooks recommends: 24 to 64

	// Tolerance is how far the time of a delivery may be from the receiver's
	// clock: an older one may be a copy.
	Tolerance = 5 * time.Minute
)

// NewKey makes a signing key in the form of Standard Webhooks.
func NewKey() Secret {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails
	return Secret(keyPrefix + base64.StdEncoding.EncodeToString(raw))
}

// Sign returns the value of the header webhook-signature for a delivery: one
// signature per key, base64 of HMAC-SHA256 over "id.timestamp.body" (Standard
// Webhooks 1.0).
func Sign(keys []Secret, id string, at time.Time, body []byte) string {
	signatures := make([]string, 0, len(keys))
	for _, key := range keys {
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, at, body)))
	}
	return strings.Join(signatures, " ")
}

func mac(key Secret, id string, at time.Time, body []byte) []byte {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key.Reveal(), keyPrefix))
	if err != nil {
		raw = []byte(key.Reveal())
	}
	h := hmac.New(sha256.New, raw)
	_, _ = h.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// Errors of Verify.
var (
	ErrSignature = errors.New("the signature does not match the body and the key")
	ErrTimestamp = errors.New("the timestamp is not a time within five minutes of now")
)

// Verify checks the headers webhook-id, webhook-timestamp and webhook-signature
// of a delivery against a key.
func Verify(key Secret, id, timestamp, signature string, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrTimestamp
	}
	at := time.Unix(seconds, 0)
	if gap := now.Sub(at); gap > Tolerance || gap < -Tolerance {
		return ErrTimestamp
	}
	want := mac(key, id, at, body)
	for candidate := range strings.FieldsSeq(signature) {
		text, ok := strings.CutPrefix(candidate, "v1,")
		if !ok {
			continue
		}
		if got, err := base64.StdEncoding.DecodeString(text); err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
