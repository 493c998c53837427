package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// CreateCode implements oauth.Store.
func (s *Store) CreateCode(ctx context.Context, c oauth.Code, keyID string, life, grace time.Duration) error {
	const insert = `INSERT INTO code (hash, family_id, challenge, expires_at, sealed_key) VALUES (?, ?, ?, ?, ?)`
	const update = `UPDATE family SET key_id = ?, expires_at = ?, keep_until = ?
WHERE id = ? AND state = 'pending' AND expires_at > ?`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var taken int
		err := tx.Get(ctx, "SELECT 1 FROM code WHERE hash = ?", []any{c.Hash[:]}, &taken)
		if !errors.Is(err, sql.ErrNoRows) {
			return errors.Join(err, oauth.ErrExists)
		}
		now := s.now()
		expires := now.Add(life + grace)
		err = changedOr(oauth.ErrMoved)(tx.Exec(ctx, update, keyID, millis(expires), millis(expires.Add(oauth.Retention)),
			c.Family[:], millis(now)))
		if err != nil {
			return err
		}
		if err := setDue(ctx, tx, c.Family, expires); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insert, c.Hash[:], c.Family[:], c.Challenge, millis(now.Add(life)), c.SealedKey)
		return err
	})
}

func setDue(ctx context.Context, tx *sqldb.Tx, id oauth.FamilyID, due time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE revocation SET due = ? WHERE family_id = ?", millis(due), id[:])
	return err
}

// Code implements oauth.Store.
func (s *Store) Code(ctx context.Context, _ byte, hash oauth.Hash) (c oauth.Code, f oauth.Family, now time.Time, err error) {
	const query = "SELECT challenge, code.expires_at, redeemed_at, code.sealed_key, " + familyColumns +
		" FROM code JOIN family ON family.id = code.family_id WHERE code.hash = ?"
	now = s.now()
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		dest := []any{&c.Challenge, millisColumn{&c.ExpiresAt}, millisColumn{&c.RedeemedAt}, &c.SealedKey}
		return tx.Get(ctx, query, []any{hash[:]}, append(dest, familyDest(&f)...)...)
	})
	c.Hash, c.Family = hash, f.ID
	return c, f, now, err
}

// Redeem implements oauth.Store.
func (s *Store) Redeem(ctx context.Context, r oauth.Redemption) error {
	const redeem = "UPDATE code SET redeemed_at = ?, sealed_key = x'' WHERE hash = ? AND family_id = ? AND redeemed_at = 0 AND expires_at > ?"
	const begin = `UPDATE family SET state = 'live', gen = 0, current = ?, rotated_at = ?, sealed_key = ?, minted = 1,
expires_at = ?, ends_at = ?, keep_until = ? WHERE id = ? AND state = 'pending' AND expires_at > ?`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := millis(s.now())
		err := changedOr(oauth.ErrMoved)(tx.Exec(ctx, redeem, now, r.Code[:], r.Family[:], now))
		if err != nil {
			return err
		}
		err = changedOr(oauth.ErrMoved)(tx.Exec(ctx, begin, r.Refresh[:], now, r.SealedKey, millis(r.ExpiresAt), millis(r.EndsAt),
			millis(r.ExpiresAt.Add(oauth.Retention)), r.Family[:], now))
		if err != nil {
			return err
		}
		if err := setDue(ctx, tx, r.Family, r.ExpiresAt); err != nil {
			return err
		}
		return addAccess(ctx, tx, r.Family, r.Access, 1)
	})
}
