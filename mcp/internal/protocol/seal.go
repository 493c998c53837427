package protocol

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"
)

// stateTTL is how long a client may take to answer what it was asked.
const stateTTL = 10 * time.Minute

// Sealer makes and checks request states. A client carries them from a question
// to its answer, so they are authenticated, name what they are for, and expire.
// They are not single-use: that would need a memory that all replicas share.
type Sealer struct {
	keys [][]byte // the first seals, all are good
	now  func() time.Time
}

// NewSealer returns a Sealer that seals with the first key and takes the seals of
// all. Without keys it uses a random one.
func NewSealer(keys [][]byte, now func() time.Time) *Sealer {
	if len(keys) == 0 {
		keys = [][]byte{[]byte(rand.Text())}
	}
	return &Sealer{keys: keys, now: now}
}

// Seal returns a state for subject: eight bytes of expiry and a MAC over both.
func (s *Sealer) Seal(subject []byte) string {
	expiry := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(stateTTL).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(expiry, mac(s.keys[0], expiry, subject)...))
}

// Valid reports whether state was sealed for subject and has not expired.
func (s *Sealer) Valid(state string, subject []byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(raw) != 8+sha256.Size {
		return false
	}
	sealed := func(key []byte) bool { return hmac.Equal(raw[8:], mac(key, raw[:8], subject)) }
	if !slices.ContainsFunc(s.keys, sealed) {
		return false
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	return s.now().Before(expires)
}

func mac(key, expiry, subject []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("growpanel mcp request state\x00"))
	mac.Write(expiry)
	mac.Write(subject)
	return mac.Sum(nil)
}
