// Package identity owns accounts and their API keys: who a token belongs to and
// what it may do.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// MaxKeys is how many API keys one account can have.
	MaxKeys = 1000

	maxNameRunes  = 200
	cacheLifetime = time.Second
	cachedKeys    = 10_000
	flushEvery    = time.Minute
	flushTimeout  = 5 * time.Second
)

// Config is what a Service needs; all fields are required.
type Config struct {
	Store  Store
	Now    func() time.Time
	Logger *slog.Logger
}

// Service creates and checks accounts and keys. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	log   *slog.Logger
	cache *keyCache
	uses  *uses
}

// New returns a service over a store. Run must be running for last-used times
// to become durable; nothing else depends on it.
func New(cfg Config) *Service {
	return &Service{
		store: cfg.Store, now: cfg.Now, log: cfg.Logger,
		cache: newKeyCache(cacheLifetime, cachedKeys), uses: newUses(),
	}
}

// Caller is who sent an authenticated request.
type Caller struct {
	Account string // account id
	Key     string // key id
	Role    Role
}

// Authenticate returns the caller that a token belongs to. The error is
// ErrInvalidKey, or that of a store that could not be asked. A key that this
// process deleted or changed is judged anew on the next call; one that another
// process changed, within a second.
func (s *Service) Authenticate(ctx context.Context, token string) (Caller, error) {
	t, err := ParseToken(token)
	if err != nil {
		return Caller{}, err
	}
	now := s.now()
	k, err := s.key(ctx, t.KeyID(), now)
	if errors.Is(err, ErrNotFound) {
		return Caller{}, ErrInvalidKey
	}
	if err != nil {
		return Caller{}, fmt.Errorf("look up API key: %w", err)
	}
	if !t.hash().equal(k.Hash) {
		return Caller{}, ErrInvalidKey
	}
	s.uses.add(k, now)
	return Caller{Account: k.Account, Key: k.ID, Role: k.Role}, nil
}

func (s *Service) key(ctx context.Context, id string, now time.Time) (Key, error) {
	k, epoch, ok := s.cache.get(id, now)
	if ok {
		return k, nil
	}
	k, err := s.store.KeyByID(ctx, id)
	if err != nil {
		return Key{}, err
	}
	s.cache.put(k, epoch, now)
	return k, nil
}

// CreateAccount adds an account. The error is a *FieldError for a name that is
// empty, too long or has control characters.
func (s *Service) CreateAccount(ctx context.Context, name string) (Account, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return Account{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Account{}, fmt.Errorf("draw account id: %w", err)
	}
	a := Account{ID: id.String(), Name: name, CreatedAt: s.timestamp()}
	if err := s.store.CreateAccount(ctx, a); err != nil {
		return Account{}, fmt.Errorf("create account: %w", err)
	}
	return a, nil
}

// EnsureAccount returns the account with this id or name, and creates one of
// this name when there is none. ErrAmbiguousName when several have it; the
// caller then has to use an id.
func (s *Service) EnsureAccount(ctx context.Context, nameOrID string) (Account, error) {
	if id, err := uuid.Parse(nameOrID); err == nil {
		return s.Account(ctx, id.String())
	}
	name, err := cleanName("account", nameOrID)
	if err != nil {
		return Account{}, err
	}
	found, err := s.store.AccountsNamed(ctx, name, 2)
	if err != nil {
		return Account{}, fmt.Errorf("find account %q: %w", name, err)
	}
	switch len(found) {
	case 0:
		return s.CreateAccount(ctx, name)
	case 1:
		return found[0], nil
	default:
		return Account{}, fmt.Errorf("find account %q: %w", name, ErrAmbiguousName)
	}
}

// Account returns an account, or ErrNotFound.
func (s *Service) Account(ctx context.Context, id string) (Account, error) {
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return Account{}, fmt.Errorf("get account: %w", err)
	}
	return a, nil
}

// CreateKey adds a key to an account and returns it with its token, which
// cannot be had again. A *FieldError for a bad name or role, ErrTooManyKeys at
// MaxKeys.
func (s *Service) CreateKey(ctx context.Context, account, name string, role Role) (Key, Token, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return Key{}, Token{}, err
	}
	if role, err = ParseRole(string(role)); err != nil {
		return Key{}, Token{}, err
	}
	t, err := newToken()
	if err != nil {
		return Key{}, Token{}, err
	}
	k := Key{ID: t.KeyID(), Account: account, Name: name, Role: role, Hash: t.hash(), CreatedAt: s.timestamp()}
	if err := s.store.CreateKey(ctx, k, MaxKeys); err != nil {
		return Key{}, Token{}, fmt.Errorf("create API key: %w", err)
	}
	return k, t, nil
}

// AdoptKey makes a token that was chosen elsewhere a key of the account. It
// does nothing when it is one already, whatever its name and role are now.
// ErrExists when its id belongs to another token or account.
func (s *Service) AdoptKey(ctx context.Context, account, name string, role Role, t Token) error {
	name, err := cleanName("name", name)
	if err != nil {
		return err
	}
	k := Key{ID: t.KeyID(), Account: account, Name: name, Role: role, Hash: t.hash(), CreatedAt: s.timestamp()}
	err = s.store.CreateKey(ctx, k, MaxKeys)
	if errors.Is(err, ErrExists) {
		known, lookup := s.store.KeyByID(ctx, k.ID)
		if lookup == nil && known.Account == account && k.Hash.equal(known.Hash) {
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
	k, err := s.store.KeyByID(ctx, strings.ToLower(id))
	if err == nil && k.Account != account {
		err = ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("get API key: %w", err)
	}
	k.LastUsed = s.uses.lastUsed(k)
	return k, nil
}

// UpdateKey sets a key's name and role; an empty one keeps what it was.
// ErrNotFound for a key that is not the account's, *FieldError for bad input.
func (s *Service) UpdateKey(ctx context.Context, account, id, name string, role Role) (Key, error) {
	k, err := s.Key(ctx, account, id)
	if err != nil {
		return Key{}, err
	}
	if name != "" {
		if k.Name, err = cleanName("name", name); err != nil {
			return Key{}, err
		}
	}
	if role != "" {
		if k.Role, err = ParseRole(string(role)); err != nil {
			return Key{}, err
		}
	}
	// Also when the update failed: it may have been committed and the reply lost.
	defer s.cache.forget(k.ID)
	k, err = s.store.UpdateKey(ctx, account, k.ID, k.Name, k.Role)
	if err != nil {
		return Key{}, fmt.Errorf("update API key: %w", err)
	}
	k.LastUsed = s.uses.lastUsed(k)
	return k, nil
}

// DeleteKey removes a key; the next Authenticate with it fails. ErrNotFound for
// a key that is not the account's.
func (s *Service) DeleteKey(ctx context.Context, account, id string) error {
	id = strings.ToLower(id)
	defer s.cache.forget(id)
	if err := s.store.DeleteKey(ctx, account, id); err != nil {
		return fmt.Errorf("delete API key: %w", err)
	}
	s.uses.forget(id)
	return nil
}

// Run writes last-used times once a minute until ctx ends, and once more then.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.flush(ctx)
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx))
			return
		}
	}
}

func (s *Service) flush(ctx context.Context) {
	pending := s.uses.take()
	if len(pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.store.TouchKeys(ctx, pending); err != nil {
		s.uses.restore(pending)
		s.log.WarnContext(ctx, "last-used times of API keys not written", slog.Any("error", err))
	}
}

// timestamp is now as stores keep it.
func (s *Service) timestamp() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// cleanName trims a name and refuses what could not be shown on one line.
func cleanName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", &FieldError{Field: field, Message: "is required"}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", &FieldError{Field: field, Message: "must be text without control characters"}
	case utf8.RuneCountInString(name) > maxNameRunes:
		return "", &FieldError{Field: field, Message: fmt.Sprintf("must have at most %d characters", maxNameRunes)}
	default:
		return name, nil
	}
}
