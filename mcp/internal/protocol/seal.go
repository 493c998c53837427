package protocol

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// stateTTL is how long a client may take to answer what it was asked.
const stateTTL = 10 * time.Minute

// Sealer makes and checks request states. A client carries them from a question
// to its answer, so they are authenticated, name what they are for, and expire.
// They are not single-use: that would need a memory that all replicas share.
type Sealer struct {
	key []byte
	now func() time.Time
}

// NewSealer returns a Sealer that uses key, or a random key if it is empty.
func NewSealer(key []byte, now func() time.Time) *Sealer {
	if len(key) == 0 {
		key = []byte(rand.Text())
	}
	return &Sealer{key: key, now: now}
}

// Seal returns a state for subject: eight bytes of expiry and a MAC over both.
func (s *Sealer) Seal(subject []byte) string {
	expiry := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(stateTTL).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(expiry, s.mac(expiry, subject)...))
}

// Valid reports whether state was sealed for subject and has not expired.
func (s *Sealer) Valid(state string, subject []byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], s.mac(raw[:8], subject)) {
		return false
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	return s.now().Before(expires)
}

func (s *Sealer) mac(expiry, subject []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("growpanel mcp request state\x00"))
	mac.Write(expiry)
	mac.Write(subject)
	return mac.Sum(nil)
}
