package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	maxRequestBytes = 200
	// revokedMemory is how long the hash of an unknown revocation secret is
	// remembered: a create that is under way longer than that has failed.
	revokedMemory = 24 * time.Hour
)

// NewKey is a key to create.
type NewKey struct {
	Account string
	// User is whose key it is; "" for the account's first owner.
	User string
	Name string
	Role Role
	Kind Kind // "" for API
	// CreatedVia is that of the caller; see Caller.CreatedVia.
	CreatedVia string
	// ClientName and Revocation are for connections. Revocation is the SHA-256, in
	// base64url without padding, of the secret that RevokeConnection takes.
	ClientName, Revocation string
	// Request names the request, so that its repetition gives the same key a new
	// secret; "" for none.
	Request string
}

// CreateKey adds a key to an account and returns it with its token, which
// cannot be had again. A *FieldError for bad input, ErrNotFound for a user who is
// no member, ErrTooManyKeys at MaxKeys, ErrRevoked, ErrUsed, ErrClosing.
func (s *Service) CreateKey(ctx context.Context, n NewKey) (Key, Token, error) {
	k, err := s.keyOf(ctx, n)
	if err != nil {
		return Key{}, Token{}, err
	}
	t, err := newToken()
	if err != nil {
		return Key{}, Token{}, err
	}
	if n.Request != "" {
		// The repetition must not be taken for unused because its use is not
		// written yet.
		s.flush(ctx)
	}
	k.ID, k.Hash = t.KeyID(), t.hash()
	err = s.store.CreateKey(ctx, k, MaxKeys)
	if errors.Is(err, ErrExists) && k.Request != "" {
		return s.renewKey(ctx, k)
	}
	if err != nil {
		return Key{}, Token{}, fmt.Errorf("create API key: %w", err)
	}
	s.audit(ctx, Event{Kind: KeyCreated, Account: k.Account, User: k.User, Subject: k.ID, Client: k.ClientName, Detail: string(k.Role)})
	return k, t, nil
}

// renewKey gives the key that an equal request made before a new secret, for the
// answer that had the old one did not arrive.
func (s *Service) renewKey(ctx context.Context, wanted Key) (Key, Token, error) {
	k, err := s.store.KeyByRequest(ctx, wanted.Account, wanted.User, wanted.Request)
	if err != nil {
		return Key{}, Token{}, fmt.Errorf("find API key of an earlier request: %w", err)
	}
	if k.Kind != wanted.Kind || k.Role != wanted.Role || k.CreatedVia != wanted.CreatedVia || k.Revocation != wanted.Revocation {
		return Key{}, Token{}, ErrUsed
	}
	id, err := uuid.Parse(k.ID)
	if err != nil {
		return Key{}, Token{}, fmt.Errorf("id of an API key: %w", err)
	}
	t := tokenOf(id, newSecret())
	defer s.cache.forget(k.ID)
	if err := s.store.RenewKey(ctx, k.Account, k.ID, t.hash()); err != nil {
		return Key{}, Token{}, fmt.Errorf("renew API key: %w", err)
	}
	k.Hash = t.hash()
	return k, t, nil
}

// keyOf checks a new key.
func (s *Service) keyOf(ctx context.Context, n NewKey) (k Key, err error) {
	k = Key{Account: n.Account, User: n.User, Kind: n.Kind, CreatedVia: n.CreatedVia, Request: n.Request, CreatedAt: s.timestamp()}
	if k.Name, err = cleanName("name", n.Name); err != nil {
		return k, err
	}
	if k.Role, err = ParseRole(string(n.Role)); err != nil {
		return k, err
	}
	if len(n.Request) > maxRequestBytes {
		return k, &FieldError{Field: "Idempotency-Key", Message: fmt.Sprintf("must have at most %d bytes", maxRequestBytes)}
	}
	switch n.Kind {
	case "", API:
		k.Kind = API
		if n.ClientName != "" || n.Revocation != "" {
			return k, &FieldError{Field: "kind", Message: "must be connection for a key with client_name or revocation_hash"}
		}
	case Connection:
		if k.ClientName, err = cleanName("client_name", n.ClientName); err != nil {
			return k, err
		}
		if k.Revocation, err = parseRevocation("revocation_hash", n.Revocation); err != nil {
			return k, err
		}
	default:
		return k, &FieldError{Field: "kind", Message: fmt.Sprintf("%q is not one of api, connection", clip(string(n.Kind)))}
	}
	if k.User == "" {
		owner, err := s.FirstOwner(ctx, n.Account)
		if err != nil {
			return k, err
		}
		k.User = owner.ID
	}
	return k, nil
}

// parseRevocation reads 32 bytes in base64url without padding.
func parseRevocation(field, text string) (Hash, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var hash Hash
	if err != nil || len(raw) != len(hash) || strings.ContainsAny(text, "\r\n") {
		return hash, &FieldError{Field: field, Message: "must be 32 bytes in base64url without padding"}
	}
	copy(hash[:], raw)
	return hash, nil
}

// AdoptKey makes a token that was chosen elsewhere a key of the account. It
// does nothing when it is one already, whatever its name and role are now.
// ErrExists when its id belongs to another token or account.
func (s *Service) AdoptKey(ctx context.Context, n NewKey, t Token) error {
	k, err := s.keyOf(ctx, n)
	if err != nil {
		return err
	}
	k.ID, k.Hash = t.KeyID(), t.hash()
	err = s.store.CreateKey(ctx, k, MaxKeys)
	if errors.Is(err, ErrExists) {
		known, lookup := s.store.Key(ctx, k.Account, k.ID)
		if lookup == nil && k.Hash.equal(known.Hash) {
			return nil
		}
		err = errors.Join(err, lookup)
	}
	if err != nil {
		return fmt.Errorf("adopt API key: %w", err)
	}
	return nil
}

// ListKeys returns the account's keys, oldest first.
func (s *Service) ListKeys(ctx context.Context, account string) ([]Key, error) {
	keys, err := s.store.ListKeys(ctx, account, MaxKeys)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	for i := range keys {
		keys[i].LastUsed = s.uses.lastUsed(keys[i])
	}
	return keys, nil
}

// Key returns a key of the account, or ErrNotFound.
func (s *Service) Key(ctx context.Context, account, id string) (Key, error) {
	k, err := s.store.Key(ctx, account, strings.ToLower(id))
	if err != nil {
		return Key{}, fmt.Errorf("get API key: %w", err)
	}
	k.LastUsed = s.uses.lastUsed(k)
	return k, nil
}

// UpdateKey sets a key's name and role; an empty one keeps what it was.
// ErrNotFound for a key that is not the account's, *FieldError for bad input.
func (s *Service) UpdateKey(ctx context.Context, account, id, name string, role Role) (Key, error) {
	var err error
	if name != "" {
		if name, err = cleanName("name", name); err != nil {
			return Key{}, err
		}
	}
	if role != "" {
		if role, err = ParseRole(string(role)); err != nil {
			return Key{}, err
		}
	}
	// Also when the update failed: it may have been committed and the reply lost.
	// All keys, because the role binds those that were created with this one.
	defer s.cache.clear()
	k, err := s.store.UpdateKey(ctx, account, strings.ToLower(id), name, role)
	if err != nil {
		return Key{}, fmt.Errorf("update API key: %w", err)
	}
	k.LastUsed = s.uses.lastUsed(k)
	s.audit(ctx, Event{Kind: KeyChanged, Account: account, Subject: k.ID, Detail: string(k.Role)})
	return k, nil
}

// DeleteKey removes a key; the next Authenticate with it fails. With a
// connection's key go the keys and invitations that were created with it, except
// those whose ids are in keep. ErrNotFound for a key that is not the account's.
func (s *Service) DeleteKey(ctx context.Context, account, id string, keep ...string) error {
	id = strings.ToLower(id)
	defer s.cache.clear() // those created with it are not known here
	if err := s.store.DeleteKey(ctx, account, id, keep); err != nil {
		return fmt.Errorf("delete API key: %w", err)
	}
	s.uses.forget(id)
	s.audit(ctx, Event{Kind: KeyDeleted, Account: account, Subject: id})
	return nil
}

// RevokeConnection deletes the connection key that was created with the hash of
// this secret, as DeleteKey does. When there is none, none can be created with
// that hash for a day. *FieldError for text that is no such secret.
func (s *Service) RevokeConnection(ctx context.Context, secret string, keep ...string) error {
	raw, err := parseRevocation("revocation_secret", secret)
	if err != nil {
		return err
	}
	defer s.cache.clear()
	k, err := s.store.RevokeConnection(ctx, sha256.Sum256(raw[:]), keep, s.timestamp().Add(revokedMemory))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("revoke connection: %w", err)
	}
	s.uses.forget(k.ID)
	s.audit(ctx, Event{Kind: ConnectionRevoked, Account: k.Account, User: k.User, Subject: k.ID, Client: k.ClientName})
	return nil
}
