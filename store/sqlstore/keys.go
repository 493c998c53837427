package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/notify"
)

const keyColumns = "k.id, k.account_id, k.person_id, k.name, k.role, k.kind, k.client_name, k.created_via, k.revocation, k.request, k.hash, k.created_at, k.last_used_at"

// Access implements identity.Store.
func (s *Identity) Access(ctx context.Context, id string) (a identity.Access, err error) {
	const query = "SELECT " + keyColumns + `, coalesce(m.role, ''), coalesce(v.role, ''), p.disabled_at, a.closing_at
		FROM api_key k JOIN person p ON p.id = k.person_id JOIN account a ON a.id = k.account_id
		LEFT JOIN api_key v ON v.account_id = k.account_id AND v.id = k.created_via
		LEFT JOIN member m ON m.account_id = k.account_id AND m.person_id = k.person_id WHERE k.id = ?`
	var disabled, closing sql.NullString
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		a.Key, err = scanKey(func(dest ...any) error {
			return tx.Get(ctx, query, []any{id}, append(dest, &a.Member, &a.Creator, &disabled, &closing)...)
		})
		return err
	})
	if err != nil {
		return identity.Access{}, err
	}
	a.Disabled = disabled.Valid
	a.Closing, err = parseTime(closing)
	return a, err
}

// Key implements identity.Store.
func (s *Identity) Key(ctx context.Context, account, id string) (k identity.Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		k, err = getKey(ctx, tx, account, id)
		return err
	})
	return k, err
}

func getKey(ctx context.Context, tx *sqldb.Tx, account, id string) (identity.Key, error) {
	return scanKey(func(dest ...any) error {
		return tx.Get(ctx, "SELECT "+keyColumns+" FROM api_key k WHERE k.account_id = ? AND k.id = ?", []any{account, id}, dest...)
	})
}

// KeyByRequest implements identity.Store.
func (s *Identity) KeyByRequest(ctx context.Context, account, user, request string) (k identity.Key, err error) {
	const query = "SELECT " + keyColumns + " FROM api_key k WHERE k.account_id = ? AND k.person_id = ? AND k.request = ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		k, err = scanKey(func(dest ...any) error { return tx.Get(ctx, query, []any{account, user, request}, dest...) })
		return err
	})
	return k, err
}

// scanKey reads keyColumns.
func scanKey(scan func(dest ...any) error) (k identity.Key, err error) {
	var created string
	var hash, revocation []byte
	var request, used sql.NullString
	err = scan(&k.ID, &k.Account, &k.User, &k.Name, &k.Role, &k.Kind, &k.ClientName, &k.CreatedVia, &revocation, &request, &hash, &created, &used)
	if err != nil {
		return identity.Key{}, notFound(err)
	}
	k.Request = request.String
	if k.Hash, err = hashOf(hash); err != nil {
		return identity.Key{}, fmt.Errorf("API key %s: %w", k.ID, err)
	}
	if revocation != nil {
		if k.Revocation, err = hashOf(revocation); err != nil {
			return identity.Key{}, fmt.Errorf("API key %s: revocation: %w", k.ID, err)
		}
	}
	if k.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return identity.Key{}, err
	}
	k.LastUsed, err = parseTime(used)
	return k, err
}

func hashOf(raw []byte) (h identity.Hash, err error) {
	if copy(h[:], raw) != len(h) || len(raw) != len(h) {
		return h, fmt.Errorf("its hash has %d bytes, want %d", len(raw), len(h))
	}
	return h, nil
}

// CreateKey implements identity.Store.
func (s *Identity) CreateKey(ctx context.Context, k identity.Key, limit int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := mayCreateKey(ctx, tx, k, limit); err != nil {
			return err
		}
		const insert = `INSERT INTO api_key (id, account_id, person_id, name, role, kind, client_name, created_via, revocation, request, hash, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
		var revocation any
		if k.Revocation != (identity.Hash{}) {
			revocation = k.Revocation[:]
		}
		return changedOr(identity.ErrExists)(tx.Exec(ctx, insert, k.ID, k.Account, k.User, k.Name, string(k.Role), string(k.Kind),
			k.ClientName, k.CreatedVia, revocation, sql.NullString{String: k.Request, Valid: k.Request != ""}, k.Hash[:], timeText(k.CreatedAt)))
	})
}

func mayCreateKey(ctx context.Context, tx *sqldb.Tx, k identity.Key, limit int) error {
	const count = "SELECT count(*) FROM api_key WHERE account_id = ?"
	a, err := getAccount(ctx, tx, k.Account)
	if err != nil {
		return err
	}
	if !a.ClosingAt.IsZero() {
		return identity.ErrClosing
	}
	if _, err := getMember(ctx, tx, k.Account, k.User); err != nil {
		return err
	}
	if err := creatorLives(ctx, tx, k.Account, k.CreatedVia); err != nil {
		return err
	}
	var have int
	if err := tx.Get(ctx, count, []any{k.Account}, &have); err != nil {
		return err
	}
	if have >= limit {
		return identity.ErrTooManyKeys
	}
	if k.Revocation == (identity.Hash{}) {
		return nil
	}
	var revoked int
	if err := tx.Get(ctx, "SELECT count(*) FROM revoked_connection WHERE hash = ?", []any{k.Revocation[:]}, &revoked); err != nil {
		return err
	}
	if revoked > 0 {
		return identity.ErrRevoked
	}
	return nil
}

// creatorLives refuses what a connection creates while it is revoked: what comes
// after the revocation would not be deleted with it. via is "" for no connection.
func creatorLives(ctx context.Context, tx *sqldb.Tx, account, via string) error {
	if via == "" {
		return nil
	}
	_, err := getKey(ctx, tx, account, via)
	if isNotFound(err) {
		return identity.ErrRevoked
	}
	return err
}

// RenewKey implements identity.Store.
func (s *Identity) RenewKey(ctx context.Context, account, id string, hash identity.Hash) error {
	const update = "UPDATE api_key SET hash = ? WHERE account_id = ? AND id = ? AND last_used_at IS NULL"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrUsed)(tx.Exec(ctx, update, hash[:], account, id))
	})
}

// ListKeys implements identity.Store.
func (s *Identity) ListKeys(ctx context.Context, account string, limit int) (keys []identity.Key, err error) {
	const query = "SELECT " + keyColumns + " FROM api_key k WHERE k.account_id = ? ORDER BY k.created_at, k.id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		keys, err = selectKeys(ctx, tx, query, account, limit)
		return err
	})
	return keys, err
}

func selectKeys(ctx context.Context, tx *sqldb.Tx, query string, args ...any) (keys []identity.Key, err error) {
	err = tx.Each(ctx, query, args, func(rows *sql.Rows) error {
		k, err := scanKey(rows.Scan)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// UpdateKey implements identity.Store.
func (s *Identity) UpdateKey(ctx context.Context, account, id, name string, role identity.Role) (k identity.Key, err error) {
	const update = "UPDATE api_key SET name = iif(?1 = '', name, ?1), role = iif(?2 = '', role, ?2) WHERE account_id = ?3 AND id = ?4"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, update, name, string(role), account, id))
		if err != nil {
			return err
		}
		k, err = getKey(ctx, tx, account, id)
		return err
	})
	if err != nil {
		return identity.Key{}, err
	}
	return k, nil
}

// DeleteKey implements identity.Store.
func (s *Identity) DeleteKey(ctx context.Context, account, id string, keep []string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return deleteKey(ctx, tx, account, id, keep)
	})
}

// deleteKey removes a key and what was created with it except keep, which then
// stands alone.
func deleteKey(ctx context.Context, tx *sqldb.Tx, account, id string, keep []string) error {
	err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, "DELETE FROM api_key WHERE account_id = ? AND id = ?", account, id))
	if err != nil {
		return err
	}
	for _, kept := range keep {
		if err := detach(ctx, tx, account, id, kept); err != nil {
			return err
		}
	}
	return deleteCreated(ctx, tx, account, id)
}

// detach lets one thing that a key created, or all of them, stand alone. A key
// and a webhook are told by their ids, an invitation by its address.
func detach(ctx context.Context, tx *sqldb.Tx, account, id, kept string) error {
	for _, update := range [...]string{
		"UPDATE api_key SET created_via = '' WHERE account_id = ?1 AND created_via = ?2 AND (id = ?3 OR ?3 = '*')",
		"UPDATE invitation SET created_via = '' WHERE account_id = ?1 AND created_via = ?2 AND (email = ?3 OR ?3 = '*')",
		"UPDATE hook SET created_via = '' WHERE account_id = ?1 AND created_via = ?2 AND (id = ?3 OR ?3 = '*')",
	} {
		if _, err := tx.Exec(ctx, update, account, id, kept); err != nil {
			return err
		}
	}
	return nil
}

// deleteCreated deletes what a key created, and the deliveries that wait for its
// webhooks.
func deleteCreated(ctx context.Context, tx *sqldb.Tx, account, id string) error {
	var hooks []string
	err := tx.Each(ctx, "SELECT id FROM hook WHERE account_id = ? AND created_via = ?", []any{account, id}, func(rows *sql.Rows) error {
		var hook string
		err := rows.Scan(&hook)
		hooks = append(hooks, hook)
		return err
	})
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if err := dropLane(ctx, tx, account, notify.Lane(hook)); err != nil {
			return err
		}
	}
	for _, remove := range [...]string{
		"DELETE FROM hook WHERE account_id = ? AND created_via = ?",
		"DELETE FROM invitation WHERE account_id = ? AND created_via = ?",
		"DELETE FROM api_key WHERE account_id = ? AND created_via = ?",
	} {
		if _, err := tx.Exec(ctx, remove, account, id); err != nil {
			return err
		}
	}
	return nil
}

// deleteKeys deletes the keys of a query for account and id with what they
// created. Several of them may have created each other.
func deleteKeys(ctx context.Context, tx *sqldb.Tx, keys []identity.Key) error {
	for _, k := range keys {
		if err := deleteKey(ctx, tx, k.Account, k.ID, nil); err != nil && !isNotFound(err) {
			return err
		}
	}
	return nil
}

// RevokeConnection implements identity.Store.
func (s *Identity) RevokeConnection(ctx context.Context, revocation identity.Hash, keep []string, until time.Time) (k identity.Key, err error) {
	const query = "SELECT " + keyColumns + " FROM api_key k WHERE k.revocation = ?"
	const remember = "INSERT INTO revoked_connection (hash, until) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET until = max(until, ?2)"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := selectKeys(ctx, tx, query, revocation[:])
		if err != nil {
			return err
		}
		if len(found) == 0 {
			k = identity.Key{}
			_, err := tx.Exec(ctx, remember, revocation[:], timeText(until))
			return err
		}
		k = found[0]
		return deleteKey(ctx, tx, k.Account, k.ID, keep)
	})
	if err != nil {
		return identity.Key{}, err
	}
	if k.ID == "" {
		return identity.Key{}, identity.ErrNotFound
	}
	return k, nil
}

// DeleteIdleConnections implements identity.Store.
func (s *Identity) DeleteIdleConnections(ctx context.Context, since, now time.Time, limit int) (keys []identity.Key, err error) {
	const query = "SELECT " + keyColumns + ` FROM api_key k
		WHERE k.kind = 'connection' AND coalesce(k.last_used_at, k.created_at) < ? ORDER BY k.id LIMIT ?`
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM revoked_connection WHERE until < ?", timeText(now)); err != nil {
			return err
		}
		if keys, err = selectKeys(ctx, tx, query, timeText(since), limit); err != nil {
			return err
		}
		return deleteKeys(ctx, tx, keys)
	})
	if err != nil {
		return nil, err
	}
	return slices.Clip(keys), nil
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
