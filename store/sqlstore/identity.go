package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// Identity is an identity.Store.
type Identity struct{ db *sqldb.DB }

var _ identity.Store = (*Identity)(nil)

// timeLayout has a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// CreateAccount implements identity.Store.
func (s *Identity) CreateAccount(ctx context.Context, a identity.Account) error {
	const insert = "INSERT INTO account (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrExists)(tx.Exec(ctx, insert, a.ID, a.Name, timeText(a.CreatedAt)))
	})
}

// Account implements identity.Store.
func (s *Identity) Account(ctx context.Context, id string) (a identity.Account, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		a, err = getAccount(ctx, tx, id)
		return err
	})
	return a, err
}

func getAccount(ctx context.Context, tx *sqldb.Tx, id string) (identity.Account, error) {
	a := identity.Account{ID: id}
	var created string
	err := tx.Get(ctx, "SELECT name, created_at FROM account WHERE id = ?", []any{id}, &a.Name, &created)
	if err != nil {
		return identity.Account{}, notFound(err)
	}
	a.CreatedAt, err = time.Parse(timeLayout, created)
	return a, err
}

// AccountsNamed implements identity.Store.
func (s *Identity) AccountsNamed(ctx context.Context, name string, limit int) (accounts []identity.Account, err error) {
	const query = "SELECT id, created_at FROM account WHERE name = ? ORDER BY created_at, id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{name, limit}, func(rows *sql.Rows) error {
			a, err := scanAccount(rows, name)
			accounts = append(accounts, a)
			return err
		})
	})
	return accounts, err
}

func scanAccount(rows *sql.Rows, name string) (a identity.Account, err error) {
	a.Name = name
	var created string
	if err := rows.Scan(&a.ID, &created); err != nil {
		return a, err
	}
	a.CreatedAt, err = time.Parse(timeLayout, created)
	return a, err
}

const keyColumns = "id, account_id, name, role, hash, created_at, last_used_at"

// KeyByID implements identity.Store.
func (s *Identity) KeyByID(ctx context.Context, id string) (k identity.Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		k, err = getKey(ctx, tx, id)
		return err
	})
	return k, err
}

func getKey(ctx context.Context, tx *sqldb.Tx, id string) (identity.Key, error) {
	return scanKey(func(dest ...any) error {
		return tx.Get(ctx, "SELECT "+keyColumns+" FROM api_key WHERE id = ?", []any{id}, dest...)
	})
}

// scanKey reads keyColumns.
func scanKey(scan func(dest ...any) error) (k identity.Key, err error) {
	var created string
	var hash []byte
	var used sql.NullString
	if err := scan(&k.ID, &k.Account, &k.Name, &k.Role, &hash, &created, &used); err != nil {
		return identity.Key{}, notFound(err)
	}
	if copy(k.Hash[:], hash) != len(k.Hash) {
		return identity.Key{}, fmt.Errorf("API key %s: its hash has %d bytes, want %d", k.ID, len(hash), len(k.Hash))
	}
	if k.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return identity.Key{}, err
	}
	if used.Valid {
		k.LastUsed, err = time.Parse(timeLayout, used.String)
	}
	return k, err
}

// CreateKey implements identity.Store.
func (s *Identity) CreateKey(ctx context.Context, k identity.Key, limit int) error {
	const count = "SELECT count(*) FROM api_key WHERE account_id = ?"
	const insert = "INSERT INTO api_key (id, account_id, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := getAccount(ctx, tx, k.Account); err != nil {
			return err
		}
		var have int
		if err := tx.Get(ctx, count, []any{k.Account}, &have); err != nil {
			return err
		}
		if have >= limit {
			return identity.ErrTooManyKeys
		}
		return changedOr(identity.ErrExists)(
			tx.Exec(ctx, insert, k.ID, k.Account, k.Name, string(k.Role), k.Hash[:], timeText(k.CreatedAt)))
	})
}

// ListKeys implements identity.Store.
func (s *Identity) ListKeys(ctx context.Context, account string, limit int) (keys []identity.Key, err error) {
	const query = "SELECT " + keyColumns + " FROM api_key WHERE account_id = ? ORDER BY created_at, id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{account, limit}, func(rows *sql.Rows) error {
			k, err := scanKey(rows.Scan)
			keys = append(keys, k)
			return err
		})
	})
	return keys, err
}

// UpdateKey implements identity.Store.
func (s *Identity) UpdateKey(ctx context.Context, account, id, name string, role identity.Role) (k identity.Key, err error) {
	const update = "UPDATE api_key SET name = ?, role = ? WHERE account_id = ? AND id = ?"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, update, name, string(role), account, id))
		if err != nil {
			return err
		}
		k, err = getKey(ctx, tx, id)
		return err
	})
	if err != nil {
		return identity.Key{}, err
	}
	return k, nil
}

// DeleteKey implements identity.Store.
func (s *Identity) DeleteKey(ctx context.Context, account, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(
			tx.Exec(ctx, "DELETE FROM api_key WHERE account_id = ? AND id = ?", account, id))
	})
}

// TouchKeys implements identity.Store.
func (s *Identity) TouchKeys(ctx context.Context, uses []identity.Use) error {
	const touch = "UPDATE api_key SET last_used_at = ?1 WHERE account_id = ?2 AND id = ?3 AND (last_used_at IS NULL OR last_used_at < ?1)"
	if len(uses) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, u := range uses {
			if _, err := tx.Exec(ctx, touch, timeText(u.At), u.Account, u.Key); err != nil {
				return err
			}
		}
		return nil
	})
}

// changedOr takes the result of a statement and returns missed when it changed
// no row.
func changedOr(missed error) func(changed int64, err error) error {
	return func(changed int64, err error) error {
		if err == nil && changed == 0 {
			return missed
		}
		return err
	}
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return identity.ErrNotFound
	}
	return err
}
