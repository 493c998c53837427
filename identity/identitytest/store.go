// Package identitytest holds an identity store in memory for tests, and the
// suite that proves that any store keeps the contract of identity.Store.
package identitytest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/growpanel/growpanel-mcp/identity"
)

// Store is an identity.Store in memory. The zero value is not ready: use New.
type Store struct {
	mu       sync.Mutex
	accounts map[string]identity.Account
	keys     map[string]identity.Key
	reads    int
}

var _ identity.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{accounts: make(map[string]identity.Account), keys: make(map[string]identity.Key)}
}

// KeyReads returns how often KeyByID was called.
func (s *Store) KeyReads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// CreateAccount implements identity.Store.
func (s *Store) CreateAccount(_ context.Context, a identity.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.accounts[a.ID]; taken {
		return identity.ErrExists
	}
	s.accounts[a.ID] = a
	return nil
}

// Account implements identity.Store.
func (s *Store) Account(_ context.Context, id string) (identity.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return identity.Account{}, identity.ErrNotFound
	}
	return a, nil
}

// AccountsNamed implements identity.Store.
func (s *Store) AccountsNamed(_ context.Context, name string, limit int) ([]identity.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []identity.Account
	for _, a := range s.accounts {
		if a.Name == name {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b identity.Account) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(limit, len(found))], nil
}

// KeyByID implements identity.Store.
func (s *Store) KeyByID(_ context.Context, id string) (identity.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	k, ok := s.keys[id]
	if !ok {
		return identity.Key{}, identity.ErrNotFound
	}
	return k, nil
}

// CreateKey implements identity.Store.
func (s *Store) CreateKey(_ context.Context, k identity.Key, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.accounts[k.Account]; !ok {
		return identity.ErrNotFound
	}
	if _, taken := s.keys[k.ID]; taken {
		return identity.ErrExists
	}
	if len(s.list(k.Account)) >= limit {
		return identity.ErrTooManyKeys
	}
	s.keys[k.ID] = k
	return nil
}

// ListKeys implements identity.Store.
func (s *Store) ListKeys(_ context.Context, account string, limit int) ([]identity.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.list(account)
	return found[:min(limit, len(found))], nil
}

func (s *Store) list(account string) []identity.Key {
	var found []identity.Key
	for _, k := range s.keys {
		if k.Account == account {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b identity.Key) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// UpdateKey implements identity.Store.
func (s *Store) UpdateKey(_ context.Context, account, id, name string, role identity.Role) (identity.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[id]
	if !ok || k.Account != account {
		return identity.Key{}, identity.ErrNotFound
	}
	k.Name, k.Role = name, role
	s.keys[id] = k
	return k, nil
}

// DeleteKey implements identity.Store.
func (s *Store) DeleteKey(_ context.Context, account, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.keys[id]; !ok || k.Account != account {
		return identity.ErrNotFound
	}
	delete(s.keys, id)
	return nil
}

// TouchKeys implements identity.Store.
func (s *Store) TouchKeys(_ context.Context, used []identity.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range used {
		k, ok := s.keys[u.Key]
		if ok && k.Account == u.Account && u.At.After(k.LastUsed) {
			k.LastUsed = u.At
			s.keys[u.Key] = k
		}
	}
	return nil
}
