package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	maxAssertion     = 8 << 10 // bytes
	maxKeySet        = 64 << 10
	maxKeys          = 32
	assertionLife    = 5 * time.Minute
	assertionLeeway  = 30 * time.Second
	keySetMinAge     = time.Minute // before an unknown key id makes us look again
	maxAssertionID   = 512
	minRSABits       = 2048
	maxRSABits       = 8192 // as crypto/tls has it: verifying takes time that the client chooses
	assertionKeepFor = assertionLife + 2*assertionLeeway
)

func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
}

// assertionSubject returns the client that an assertion claims to come from. It
// proves nothing.
func assertionSubject(assertion string) (string, bool) {
	token, ok := parseAssertion(assertion)
	if !ok {
		return "", false
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || claims.Subject == "" {
		return "", false
	}
	return claims.Subject, true
}

func parseAssertion(assertion string) (*jwt.JSONWebToken, bool) {
	if len(assertion) > maxAssertion {
		return nil, false
	}
	token, err := jwt.ParseSigned(assertion, assertionAlgorithms())
	if err != nil || len(token.Headers) != 1 {
		return nil, false
	}
	return token, true
}

// checkAssertion is private_key_jwt (RFC 7523 §3): signed by a key that the
// client publishes at its own jwks_uri, meant for us, short-lived, and seen for
// the first time. Keys that the assertion brings or points to count for nothing.
func (c *Clients) checkAssertion(ctx context.Context, client *Client, assertion string) error {
	token, ok := parseAssertion(assertion)
	if !ok {
		return errClient("malformed assertion")
	}
	claims, err := c.verifyAssertion(ctx, client, token)
	if err != nil {
		return err
	}
	now := c.cfg.Now()
	expected := jwt.Expected{
		Issuer: client.ID, Subject: client.ID, AnyAudience: jwt.Audience{c.cfg.Issuer, c.cfg.TokenEndpoint}, Time: now,
	}
	switch {
	case claims.ValidateWithLeeway(expected, assertionLeeway) != nil:
		return errClient("assertion of another issuer, for another audience, or expired")
	case claims.Expiry == nil || claims.Expiry.Time().After(now.Add(assertionLife+assertionLeeway)):
		return errClient("assertion lives too long")
	case claims.ID == "" || len(claims.ID) > maxAssertionID:
		return errClient("assertion without a proper jti")
	}
	err = c.cfg.Records.Add(ctx, KindAssertion, recordID(client.ID, claims.ID), nil, assertionKeepFor)
	if errors.Is(err, ErrExists) {
		return errClient("assertion used before")
	}
	if err != nil {
		return fmt.Errorf("note assertion: %w", err)
	}
	return nil
}

// verifyAssertion checks the signature. A key that is not known yet may be new,
// so the client's keys are read once more.
func (c *Clients) verifyAssertion(ctx context.Context, client *Client, token *jwt.JSONWebToken) (jwt.Claims, error) {
	var claims jwt.Claims
	var keys []jose.JSONWebKey
	read := func(body []byte) (err error) {
		keys, err = parseKeys(body)
		return err
	}
	if client.JWKSURI == "" {
		return claims, errClient("no jwks_uri")
	}
	err := c.published.get(ctx, client.JWKSURI, maxKeySet, read)
	if err == nil && !signedByOne(token, keys, &claims) {
		err = c.published.renew(ctx, client.JWKSURI, maxKeySet, keySetMinAge, read)
		if err == nil && !signedByOne(token, keys, &claims) {
			return claims, errClient("assertion not signed by a key of the client")
		}
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		return claims, fmt.Errorf("keys of the client: %w", err)
	case err != nil:
		return claims, errClient("keys: " + err.Error())
	default:
		return claims, nil
	}
}

// parseKeys reads a JWK set (RFC 7517 §5). Keys that it cannot use are left out.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, notFetched("is not a JSON Web Key Set")
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && (key.Use == "" || key.Use == "sig") && algorithmOf(key) != "" {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// algorithmOf returns the one algorithm that a public key is for, "" for a key
// that is none of ours, too weak or absurdly large.
func algorithmOf(key jose.JSONWebKey) jose.SignatureAlgorithm {
	var algorithm jose.SignatureAlgorithm
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			algorithm = jose.RS256
		}
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			algorithm = jose.ES256
		}
	}
	if key.Algorithm != "" && key.Algorithm != string(algorithm) {
		return ""
	}
	return algorithm
}

// signedByOne reports whether one of the keys made the signature, and reads the
// claims then.
func signedByOne(token *jwt.JSONWebToken, keys []jose.JSONWebKey, claims *jwt.Claims) bool {
	header := token.Headers[0]
	return slices.ContainsFunc(keys, func(key jose.JSONWebKey) bool {
		return (header.KeyID == "" || key.KeyID == header.KeyID) && string(algorithmOf(key)) == header.Algorithm &&
			token.Claims(key.Key, claims) == nil
	})
}
