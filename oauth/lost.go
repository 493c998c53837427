package oauth

import (
	"context"
	"errors"
	"fmt"
)

// LostKey is an API key that nobody can use or delete from here any more.
type LostKey struct {
	Account     string // account id
	AccountName string // empty when the family is gone
	ClientName  string
	KeyID       string // empty when the key may not exist
}

// LostKeys returns the API keys of families whose records no secret of the
// keyring opens, as after a secret was lost: somebody has to delete them in their
// accounts. For operators: it reads the whole outbox.
func (g *Grants) LostKeys(ctx context.Context) ([]LostKey, error) {
	var ids []FamilyID
	_, err := g.cfg.Store.Reseal(ctx, func(id FamilyID, sealed []byte) ([]byte, error) {
		if _, err := g.cfg.Keys.openRevocation(id, sealed); err != nil {
			ids = append(ids, id)
		}
		return sealed, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	keys := make([]LostKey, 0, len(ids))
	for _, id := range ids {
		key, err := g.lostKey(ctx, id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (g *Grants) lostKey(ctx context.Context, id FamilyID) (LostKey, error) {
	f, _, err := g.cfg.Store.Family(ctx, id)
	if errors.Is(err, ErrNotFound) {
		r, err := g.cfg.Store.Revocation(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return LostKey{}, fmt.Errorf("look up outbox row: %w", err)
		}
		return LostKey{Account: r.Account}, nil
	}
	if err != nil {
		return LostKey{}, fmt.Errorf("look up family: %w", err)
	}
	return LostKey{Account: f.Account, AccountName: f.AccountName, ClientName: f.ClientName, KeyID: f.KeyID}, nil
}
