package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// The prefixes of what clients hold, for people and for secret scanners. A
// bearer with one of them is never tried or forwarded as an API key.
const (
	AccessPrefix  = "gpa_"
	RefreshPrefix = "gpr_"
	CodePrefix    = "gpc_"
)

// IsToken reports whether a bearer is one of ours, however malformed, and so no
// API key.
func IsToken(bearer string) bool {
	return strings.HasPrefix(bearer, AccessPrefix) || strings.HasPrefix(bearer, RefreshPrefix) ||
		strings.HasPrefix(bearer, CodePrefix)
}

// tokenSecret is the part of a token or code that nobody can guess.
type tokenSecret [32]byte

func newTokenSecret() (s tokenSecret) {
	_, _ = rand.Read(s[:]) // never fails: see crypto/rand
	return s
}

func (s tokenSecret) hash() Hash { return sha256.Sum256(s[:]) }

// accessToken is family ‖ secret. The family is in it so that a check reads
// both records in one round trip.
type accessToken struct {
	family FamilyID
	secret tokenSecret
}

const (
	accessBytes  = len(FamilyID{}) + len(tokenSecret{})
	codeBytes    = 1 + len(tokenSecret{})
	refreshBytes = len(FamilyID{}) + 4 + len(tokenSecret{}) + len(keyID{}) + macBytes
	macBytes     = 16
)

func (t accessToken) text() Secret {
	return NewSecret(AccessPrefix + strict.EncodeToString(append(t.family[:], t.secret[:]...)))
}

func parseAccess(text string) (t accessToken, ok bool) {
	b, ok := decodeToken(text, AccessPrefix, accessBytes)
	if !ok {
		return accessToken{}, false
	}
	copy(t.secret[:], b[copy(t.family[:], b):])
	return t, true
}

// authCode is partition ‖ secret.
type authCode struct {
	partition byte
	secret    tokenSecret
}

func (c authCode) text() Secret {
	return NewSecret(CodePrefix + strict.EncodeToString(append([]byte{c.partition}, c.secret[:]...)))
}

func parseCode(text string) (c authCode, ok bool) {
	b, ok := decodeToken(text, CodePrefix, codeBytes)
	if !ok {
		return authCode{}, false
	}
	c.partition = b[0]
	copy(c.secret[:], b[1:])
	return c, true
}

// refreshToken is family ‖ generation ‖ secret ‖ key id ‖ MAC of the first three.
// Only the current one of a family is on record; the MAC tells a forged token
// before the store is asked.
type refreshToken struct {
	family FamilyID
	gen    uint32
	secret tokenSecret
}

// text signs the token with one of the keyring's sets.
func (t refreshToken) text(set keySet) Secret {
	b := append(t.body(), set.id[:]...)
	return NewSecret(RefreshPrefix + strict.EncodeToString(append(b, t.mac(set)...)))
}

func (t refreshToken) body() []byte {
	b := make([]byte, 0, refreshBytes)
	b = append(b, t.family[:]...)
	b = binary.BigEndian.AppendUint32(b, t.gen)
	return append(b, t.secret[:]...)
}

func (t refreshToken) mac(set keySet) []byte {
	h := hmac.New(sha256.New, set.mac)
	h.Write([]byte("rt"))
	h.Write(t.body())
	return h.Sum(nil)[:macBytes]
}

// parseRefresh reads a refresh token that this keyring made.
func (k *Keyring) parseRefresh(text string) (t refreshToken, ok bool) {
	b, ok := decodeToken(text, RefreshPrefix, refreshBytes)
	if !ok {
		return refreshToken{}, false
	}
	b = b[copy(t.family[:], b):]
	t.gen, b = binary.BigEndian.Uint32(b), b[4:]
	b = b[copy(t.secret[:], b):]
	var id keyID
	mac := b[copy(id[:], b):]
	set, ok := k.set(id)
	if !ok || !hmac.Equal(mac, t.mac(set)) {
		return refreshToken{}, false
	}
	return t, true
}

// successor derives the next refresh token from this one, so that it can be
// given again without being stored.
func (t refreshToken) successor(set keySet) refreshToken {
	next := refreshToken{family: t.family, gen: t.gen + 1}
	h := hmac.New(sha256.New, set.next)
	h.Write(t.family[:])
	h.Write(binary.BigEndian.AppendUint32(nil, next.gen))
	h.Write(t.secret[:])
	h.Sum(next.secret[:0])
	return next
}

// successorWith finds the successor whose secret has this hash, under whichever
// secret it was derived, and returns that one's set with it.
func (k *Keyring) successorWith(t refreshToken, hash Hash) (next refreshToken, set keySet, ok bool) {
	for _, set := range k.sets {
		if next := t.successor(set); next.secret.hash() == hash {
			return next, set, true
		}
	}
	return refreshToken{}, keySet{}, false
}

// codeOf derives the code of a transaction.
func codeOf(set keySet, transaction string, partition byte) authCode {
	c := authCode{partition: partition}
	h := hmac.New(sha256.New, set.csrf)
	h.Write([]byte("code\x00" + transaction))
	h.Sum(c.secret[:0])
	return c
}

// newFamilyID draws an id in the partition of a user.
func newFamilyID(user string) FamilyID {
	id := FamilyID{PartitionOf(user)}
	_, _ = rand.Read(id[1:]) // never fails: see crypto/rand
	return id
}

func decodeToken(text, prefix string, size int) ([]byte, bool) {
	body, ok := strings.CutPrefix(text, prefix)
	if !ok || len(body) != strict.EncodedLen(size) {
		return nil, false
	}
	b := make([]byte, size)
	n, err := strict.Decode(b, []byte(body))
	return b, err == nil && n == size
}
