package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

const revocationColumns = "family_id, account_id, sealed, due, attempts, keep"

func revocationDest(r *oauth.Revocation) []any {
	return []any{fixedColumn{r.Family[:]}, &r.Account, &r.Sealed, millisColumn{&r.Due}, &r.Attempts, wordsColumn{&r.Keep}}
}

// Claim implements oauth.Store.
func (s *Store) Claim(ctx context.Context, limit int, lease time.Duration) (rows []oauth.Revocation, now time.Time, err error) {
	const query = "SELECT " + revocationColumns + " FROM revocation WHERE due <= ? ORDER BY due LIMIT ?"
	const due = "SELECT EXISTS (SELECT 1 FROM revocation WHERE due <= ?)"
	now = s.now()
	var waiting bool
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Get(ctx, due, []any{millis(now)}, &waiting)
	})
	if err != nil || !waiting {
		return nil, now, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows = nil
		now = s.now()
		err := tx.Each(ctx, query, []any{millis(now), limit}, func(found *sql.Rows) error {
			var r oauth.Revocation
			err := found.Scan(revocationDest(&r)...)
			r.Due = now.Add(lease)
			rows = append(rows, r)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := setDue(ctx, tx, r.Family, r.Due); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, now, err
	}
	return rows, now, nil
}

// Revocation implements oauth.Store.
func (s *Store) Revocation(ctx context.Context, id oauth.FamilyID) (r oauth.Revocation, err error) {
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const query = "SELECT " + revocationColumns + " FROM revocation WHERE family_id = ?"
		return tx.Get(ctx, query, []any{id[:]}, revocationDest(&r)...)
	})
	return r, err
}

// Postpone implements oauth.Store.
func (s *Store) Postpone(ctx context.Context, claimed oauth.Revocation, due time.Time, attempts int) error {
	const update = "UPDATE revocation SET due = ?, attempts = ? WHERE family_id = ? AND due = ?"
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, update, millis(due), attempts, claimed.Family[:], millis(claimed.Due))
		return err
	})
}

// Settle implements oauth.Store.
func (s *Store) Settle(ctx context.Context, id oauth.FamilyID) error {
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		changed, err := tx.Exec(ctx, "DELETE FROM revocation WHERE family_id = ?", id[:])
		if err != nil || changed == 0 {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE family SET key_deleted_at = ? WHERE id = ?", millis(s.now()), id[:])
		return err
	})
}

// Reseal implements oauth.Store.
func (s *Store) Reseal(ctx context.Context, fn func(oauth.FamilyID, []byte) ([]byte, error)) (changed int, err error) {
	const page = 500
	var last oauth.FamilyID
	for {
		rows, err := s.revocationsAfter(ctx, last, page)
		if err != nil || len(rows) == 0 {
			return changed, err
		}
		for _, r := range rows {
			sealed, err := fn(r.Family, r.Sealed)
			if err != nil {
				return changed, err
			}
			if bytes.Equal(sealed, r.Sealed) {
				continue
			}
			n, err := s.reseal(ctx, r, sealed)
			if err != nil {
				return changed, err
			}
			changed += int(n)
		}
		last = rows[len(rows)-1].Family
	}
}

func (s *Store) revocationsAfter(ctx context.Context, last oauth.FamilyID, limit int) (rows []oauth.Revocation, err error) {
	const query = "SELECT " + revocationColumns + " FROM revocation WHERE family_id > ? ORDER BY family_id LIMIT ?"
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{last[:], limit}, func(found *sql.Rows) error {
			var r oauth.Revocation
			err := found.Scan(revocationDest(&r)...)
			rows = append(rows, r)
			return err
		})
	})
	return rows, err
}

func (s *Store) reseal(ctx context.Context, r oauth.Revocation, sealed []byte) (changed int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const update = "UPDATE revocation SET sealed = ? WHERE family_id = ? AND sealed = ?"
		changed, err = tx.Exec(ctx, update, sealed, r.Family[:], r.Sealed)
		return err
	})
	return changed, err
}

// Purge implements oauth.Store. Codes and tokens go with their family.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	statements := []string{
		"DELETE FROM family WHERE id IN (SELECT id FROM family WHERE keep_until <= ? LIMIT ?)",
		"DELETE FROM record WHERE (kind, id) IN (SELECT kind, id FROM record WHERE expires_at <= ? LIMIT ?)",
		"DELETE FROM client WHERE id IN (SELECT id FROM client WHERE keep_until <= ? LIMIT ?)",
	}
	purged := 0
	for _, statement := range statements {
		var changed int64
		err := s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			changed, err = tx.Exec(ctx, statement, millis(s.now()), limit-purged)
			return err
		})
		purged += int(changed)
		if err != nil || purged >= limit {
			return purged, err
		}
	}
	return purged, nil
}
