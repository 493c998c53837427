package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	userTokenLife     = 15 * time.Minute
	userTokenIssuer   = "growpanel"
	userTokenAudience = "growpanel-api"
)

// tokenKey signs and checks user tokens.
type tokenKey struct {
	id  string
	key []byte
}

// tokenKeys names keys by their hash.
func tokenKeys(keys [][]byte) []tokenKey {
	named := make([]tokenKey, 0, len(keys))
	for _, key := range keys {
		sum := sha256.Sum256(key)
		named = append(named, tokenKey{id: base64.RawURLEncoding.EncodeToString(sum[:6]), key: key})
	}
	return named
}

// userClaims are what a user token says.
type userClaims struct {
	jwt.RegisteredClaims

	Session string `json:"sid"`            // base64url of the session's hash
	Account string `json:"acct,omitempty"` // id
}

// UserToken trades a session for a token that Authenticate takes: with an
// account one of its members' for connection keys, without one for the profile
// alone. ErrSession, or ErrNoAccess for an account that the user is no member of.
func (s *Service) UserToken(ctx context.Context, session, account string) (token string, expires time.Time, err error) {
	live, u, err := s.session(ctx, session)
	if err != nil {
		return "", time.Time{}, err
	}
	account = strings.ToLower(account)
	if account != "" {
		_, err := s.store.Member(ctx, account, u.ID)
		if errors.Is(err, ErrNotFound) {
			return "", time.Time{}, ErrNoAccess
		}
		if err != nil {
			return "", time.Time{}, fmt.Errorf("look up member: %w", err)
		}
	}
	if len(s.tokenKeys) == 0 {
		return "", time.Time{}, errors.New("no key to sign user tokens with")
	}
	now := s.now().UTC().Truncate(time.Second)
	expires = now.Add(userTokenLife)
	claims := userClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: userTokenIssuer, Audience: jwt.ClaimStrings{userTokenAudience}, Subject: u.ID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Session: base64.RawURLEncoding.EncodeToString(live.Hash[:]), Account: account,
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	unsigned.Header["kid"] = s.tokenKeys[0].id
	token, err = unsigned.SignedString(s.tokenKeys[0].key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign user token: %w", err)
	}
	return token, expires, nil
}

// looksLikeJWT tells a user token from an API key, which has one dot.
func looksLikeJWT(token string) bool { return strings.Count(token, ".") == 2 }

// authenticateUser returns the caller of a user token. The session, the user and
// the membership are looked at on every call.
func (s *Service) authenticateUser(ctx context.Context, token string) (Caller, error) {
	claims, err := s.parseUserToken(token)
	if err != nil {
		return Caller{}, ErrInvalidKey
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(claims.Session)
	var hash Hash
	if err != nil || len(raw) != len(hash) {
		return Caller{}, ErrInvalidKey
	}
	copy(hash[:], raw)
	_, u, err := s.liveSession(ctx, hash)
	if errors.Is(err, ErrSession) || err == nil && u.ID != claims.Subject {
		return Caller{}, ErrInvalidKey
	}
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{User: u.ID, ByUser: true}
	if claims.Account == "" {
		return caller, nil
	}
	m, err := s.store.Member(ctx, claims.Account, u.ID)
	if errors.Is(err, ErrNotFound) {
		return Caller{}, ErrKeyRevoked
	}
	if err != nil {
		return Caller{}, fmt.Errorf("look up member: %w", err)
	}
	a, err := s.store.Account(ctx, claims.Account)
	if err != nil {
		return Caller{}, fmt.Errorf("look up account: %w", err)
	}
	caller.Account, caller.Role, caller.Member, caller.Closing = claims.Account, m.Role, m.Role, a.ClosingAt
	return caller, nil
}

func (s *Service) parseUserToken(token string) (*userClaims, error) {
	claims := &userClaims{}
	if strings.ContainsAny(token, "\r\n") {
		return nil, ErrInvalidKey // the base64 decoder would skip them
	}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		for _, k := range s.tokenKeys {
			if k.id == id {
				return k.key, nil
			}
		}
		return nil, ErrInvalidKey
	},
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(), jwt.WithTimeFunc(s.now),
		jwt.WithIssuer(userTokenIssuer), jwt.WithAudience(userTokenAudience), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	return claims, err
}
