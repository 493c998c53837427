package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

const familyColumns = `family.id, user_id, user_name, account_id, account_name, client_id, client_name, redirect, role,
read_only, family.scope, resource, key_id, state, created_at, family.expires_at, ends_at, last_used_at, last_from,
family.gen, current, rotated_at, used, minted, family.sealed_key, reason, ended_at, key_deleted_at`

// familyDest scans familyColumns.
func familyDest(f *oauth.Family) []any {
	return []any{
		fixedColumn{f.ID[:]},
		&f.User, &f.UserName, &f.Account, &f.AccountName, &f.Client, &f.ClientName, &f.Redirect, &f.Role,
		&f.ReadOnly, &f.Scope, &f.Resource, &f.KeyID, &f.State,
		millisColumn{&f.CreatedAt},
		millisColumn{&f.ExpiresAt},
		millisColumn{&f.EndsAt},
		millisColumn{&f.LastUsed},
		&f.LastFrom,
		&f.Gen,
		fixedColumn{f.Current[:]},
		millisColumn{&f.RotatedAt},
		&f.Used, &f.Minted, &f.SealedKey, &f.Reason,
		millisColumn{&f.EndedAt},
		millisColumn{&f.KeyDeletedAt},
	}
}

func getFamily(ctx context.Context, tx *sqldb.Tx, id oauth.FamilyID) (f oauth.Family, err error) {
	err = tx.Get(ctx, "SELECT "+familyColumns+" FROM family WHERE id = ?", []any{id[:]}, familyDest(&f)...)
	return f, err
}

// Family implements oauth.Store.
func (s *Store) Family(ctx context.Context, id oauth.FamilyID) (f oauth.Family, now time.Time, err error) {
	now = s.now()
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		f, err = getFamily(ctx, tx, id)
		return err
	})
	return f, now, err
}

// Families implements oauth.Store.
func (s *Store) Families(ctx context.Context, user string, limit int) (all []oauth.Family, now time.Time, err error) {
	const query = "SELECT " + familyColumns + ` FROM family WHERE user_id = ?
ORDER BY state = 'ended', created_at DESC, id LIMIT ?`
	now = s.now()
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{user, limit}, func(rows *sql.Rows) error {
			var f oauth.Family
			err := rows.Scan(familyDest(&f)...)
			all = append(all, f)
			return err
		})
	})
	return all, now, err
}

// Reserve implements oauth.Store.
func (s *Store) Reserve(ctx context.Context, f oauth.Family, sealed []byte, life time.Duration) error {
	const insertFamily = `INSERT INTO family (id, user_id, user_name, account_id, account_name, client_id, client_name, redirect,
role, read_only, scope, resource, state, created_at, expires_at, keep_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?) ON CONFLICT DO NOTHING`
	const insertRow = "INSERT INTO revocation (family_id, account_id, sealed, due) VALUES (?, ?, ?, ?)"
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		expires := now.Add(life)
		err := changedOr(oauth.ErrExists)(tx.Exec(ctx, insertFamily, f.ID[:], f.User, f.UserName, f.Account, f.AccountName,
			f.Client, f.ClientName, f.Redirect, f.Role, f.ReadOnly, f.Scope, f.Resource,
			millis(now), millis(expires), millis(expires.Add(oauth.Retention))))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertRow, f.ID[:], f.Account, sealed, millis(expires))
		return err
	})
}

// Rotate implements oauth.Store.
func (s *Store) Rotate(ctx context.Context, r oauth.Rotation) error {
	const update = `UPDATE family SET gen = gen + 1, current = ?, rotated_at = ?, used = 0, sealed_key = ?, minted = minted + 1,
expires_at = ?, keep_until = ? WHERE id = ? AND gen = ? AND current = ? AND state = 'live' AND expires_at > ? AND ends_at > ?
RETURNING minted`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := millis(s.now())
		var minted uint64
		err := tx.Get(ctx, update, []any{
			r.Next[:], now, r.SealedKey, millis(r.ExpiresAt),
			millis(r.ExpiresAt.Add(oauth.Retention)), r.Family[:], r.Gen, r.Previous[:], now, now,
		}, &minted)
		if err != nil {
			return moved(err)
		}
		return addAccess(ctx, tx, r.Family, r.Access, minted)
	})
}

// Mint implements oauth.Store.
func (s *Store) Mint(ctx context.Context, id oauth.FamilyID, t oauth.AccessToken, window time.Duration) error {
	const update = `UPDATE family SET minted = minted + 1 WHERE id = ? AND gen = ? AND state = 'live'
AND expires_at > ? AND ends_at > ? AND (used = 0 OR rotated_at >= ?) RETURNING minted`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		var minted uint64
		err := tx.Get(ctx, update, []any{id[:], t.Gen, millis(now), millis(now), millis(now.Add(-window))}, &minted)
		if err != nil {
			return moved(err)
		}
		return addAccess(ctx, tx, id, t, minted)
	})
}

// moved says that a conditional update found no row.
func moved(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return oauth.ErrMoved
	}
	return err
}

// MarkUsed implements oauth.Store.
func (s *Store) MarkUsed(ctx context.Context, id oauth.FamilyID, gen uint32) error {
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE family SET used = 1 WHERE id = ? AND gen = ? AND used = 0", id[:], gen)
		return err
	})
}

// End implements oauth.Store.
func (s *Store) End(ctx context.Context, id oauth.FamilyID, e oauth.Ending) (ended bool, err error) {
	const update = `UPDATE family SET state = 'ended', reason = ?, ended_at = ?, sealed_key = x'', keep_until = ?
WHERE id = ? AND state <> 'ended' AND (NOT ? OR expires_at <= ?)`
	err = s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		changed, err := tx.Exec(ctx, update, string(e.Reason), millis(now), millis(now.Add(oauth.Retention)),
			id[:], e.Stale, millis(now))
		if err != nil {
			return err
		}
		if ended = changed == 1; !ended {
			var found int
			return tx.Get(ctx, "SELECT 1 FROM family WHERE id = ?", []any{id[:]}, &found)
		}
		return dropTokens(ctx, tx, id, now, e.Keep)
	})
	return ended, err
}

// EndAll ends every family, as after a restore: tokens may have moved on since
// the backup. Their API keys are deleted when a server runs next.
func (s *Store) EndAll(ctx context.Context) error {
	const end = `UPDATE family SET state = 'ended', reason = ?, ended_at = ?, sealed_key = x'', keep_until = ? WHERE state <> 'ended'`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		if _, err := tx.Exec(ctx, end, string(oauth.ReasonOperator), millis(now), millis(now.Add(oauth.Retention))); err != nil {
			return err
		}
		for _, statement := range []string{"DELETE FROM access_token", "UPDATE code SET sealed_key = x''"} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE revocation SET due = ?, attempts = 0", millis(now))
		return err
	})
}

func dropTokens(ctx context.Context, tx *sqldb.Tx, id oauth.FamilyID, now time.Time, keep []string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM access_token WHERE family_id = ?", id[:]); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE code SET sealed_key = x'' WHERE family_id = ?", id[:]); err != nil {
		return err
	}
	const due = "UPDATE revocation SET due = ?, attempts = 0, keep = ? WHERE family_id = ?"
	_, err := tx.Exec(ctx, due, millis(now), strings.Join(keep, " "), id[:])
	return err
}

// Touch implements oauth.Store.
func (s *Store) Touch(ctx context.Context, uses []oauth.Use) error {
	const update = "UPDATE family SET last_used_at = ?, last_from = ? WHERE id = ? AND last_used_at < ?"
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, u := range uses {
			if _, err := tx.Exec(ctx, update, millis(u.At), u.From, u.Family[:], millis(u.At)); err != nil {
				return err
			}
		}
		return nil
	})
}
