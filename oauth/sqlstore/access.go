package sqlstore

import (
	"context"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// addAccess adds a family's newest access token and drops the one that is pushed
// out.
func addAccess(ctx context.Context, tx *sqldb.Tx, id oauth.FamilyID, t oauth.AccessToken, serial uint64) error {
	const insert = `INSERT INTO access_token (family_id, serial, hash, gen, scope, issued_at, expires_at, sealed_key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	_, err := tx.Exec(ctx, insert, id[:], serial, t.Hash[:], t.Gen, t.Scope, millis(t.IssuedAt), millis(t.ExpiresAt), t.SealedKey)
	if err != nil {
		return err
	}
	const drop = "DELETE FROM access_token WHERE family_id = ? AND serial <= ?"
	_, err = tx.Exec(ctx, drop, id[:], int64(serial)-oauth.MaxAccessTokens)
	return err
}

// Access implements oauth.Store.
func (s *Store) Access(ctx context.Context, id oauth.FamilyID, hash oauth.Hash) (t oauth.AccessToken, f oauth.Family, now time.Time, err error) {
	const query = `SELECT serial, access_token.gen, access_token.scope, issued_at, access_token.expires_at, access_token.sealed_key, ` +
		familyColumns + ` FROM access_token JOIN family ON family.id = access_token.family_id
WHERE access_token.family_id = ? AND access_token.hash = ?`
	now = s.now()
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		dest := []any{&t.Serial, &t.Gen, &t.Scope, millisColumn{&t.IssuedAt}, millisColumn{&t.ExpiresAt}, &t.SealedKey}
		return tx.Get(ctx, query, []any{id[:], hash[:]}, append(dest, familyDest(&f)...)...)
	})
	t.Hash = hash
	return t, f, now, err
}
