// Package oauthtest has what tests of OAuth need: an API in memory that keeps
// the real one's rules, a clock and a secret.
package oauthtest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// Call is one of the API's operations.
type Call string

// The operations.
const (
	CreateKey Call = "create"
	RevokeKey Call = "revoke"
	VerifyKey Call = "verify"
)

// API is an oauth.API. Its zero value is not ready: use NewAPI.
type API struct {
	mu      sync.Mutex
	keys    map[string]*key // by revocation hash
	revoked map[string]bool // revocation hashes that were spent
	drawn   int

	// before and after, when set, run around each call; an error fails the call,
	// after it has had its effect in the case of after.
	before, after func(Call) error
}

type key struct {
	oauth.NewKey
	oauth.CreatedKey
	kept []string
}

var _ oauth.API = (*API)(nil)

var errConflict = errors.New("the key was deleted before it was made")

// NewAPI returns an API without keys.
func NewAPI() *API { return &API{keys: make(map[string]*key), revoked: make(map[string]bool)} }

// FailBefore has fn decide whether a call fails without an effect; nil mends it.
func (a *API) FailBefore(fn func(Call) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before = fn
}

// FailAfter has fn decide whether the answer of a call that had its effect is
// lost; nil mends it.
func (a *API) FailAfter(fn func(Call) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.after = fn
}

func (a *API) around(ctx context.Context, call Call, effect func() error) error {
	a.mu.Lock()
	before, after := a.before, a.after
	a.mu.Unlock()
	if before != nil {
		if err := before(call); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	if after != nil {
		return after(call)
	}
	return nil
}

// CreateKey implements oauth.API.
func (a *API) CreateKey(ctx context.Context, k oauth.NewKey) (created oauth.CreatedKey, err error) {
	err = a.around(ctx, CreateKey, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.revoked[k.RevocationHash] {
			return errConflict
		}
		a.drawn++
		created = oauth.CreatedKey{ID: fmt.Sprintf("key-%d", a.drawn), Key: oauth.NewSecret(fmt.Sprintf("api-key-secret-%d", a.drawn))}
		a.keys[k.RevocationHash] = &key{NewKey: k, CreatedKey: created}
		return nil
	})
	return created, err
}

// RevokeKey implements oauth.API.
func (a *API) RevokeKey(ctx context.Context, secret oauth.Secret, keep []string) error {
	return a.around(ctx, RevokeKey, func() error {
		raw, err := base64.RawURLEncoding.DecodeString(secret.Reveal())
		if err != nil || len(raw) != 32 {
			return fmt.Errorf("revocation secret of %d bytes: %w", len(raw), err)
		}
		sum := sha256.Sum256(raw)
		hash := base64.RawURLEncoding.EncodeToString(sum[:])
		a.mu.Lock()
		defer a.mu.Unlock()
		if k, ok := a.keys[hash]; ok && !a.revoked[hash] {
			k.kept = keep
		}
		a.revoked[hash] = true
		return nil
	})
}

// VerifyKey implements oauth.API.
func (a *API) VerifyKey(ctx context.Context, secret oauth.Secret) error {
	return a.around(ctx, VerifyKey, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		for hash, k := range a.keys {
			if k.Key.Reveal() == secret.Reveal() && !a.revoked[hash] {
				return nil
			}
		}
		return oauth.ErrKeyGone
	})
}

// Keys returns the families whose keys work.
func (a *API) Keys() map[oauth.FamilyID]oauth.NewKey {
	a.mu.Lock()
	defer a.mu.Unlock()
	live := make(map[oauth.FamilyID]oauth.NewKey)
	for hash, k := range a.keys {
		if !a.revoked[hash] {
			live[k.Family] = k.NewKey
		}
	}
	return live
}

// Kept returns the ids that were to stay when a family's key was deleted.
func (a *API) Kept(id oauth.FamilyID) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.keys {
		if k.Family == id {
			return k.kept
		}
	}
	return nil
}

// DeleteKey deletes a family's key without telling its family, as a person does
// who works with the account's API keys.
func (a *API) DeleteKey(id oauth.FamilyID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for hash, k := range a.keys {
		if k.Family == id {
			a.revoked[hash] = true
		}
	}
}
