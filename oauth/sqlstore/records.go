package sqlstore

import (
	"context"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// Add implements oauth.Records.
func (s *Store) Add(ctx context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	const insert = `INSERT INTO record (kind, id, value, version, expires_at) VALUES (?1, ?2, ?3, 1, ?4)
ON CONFLICT DO UPDATE SET value = ?3, version = 1, expires_at = ?4 WHERE expires_at <= ?5`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		return changedOr(oauth.ErrExists)(
			tx.Exec(ctx, insert, string(kind), id, blob(value), millis(now.Add(ttl)), millis(now)))
	})
}

// Put implements oauth.Records.
func (s *Store) Put(ctx context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	const upsert = `INSERT INTO record (kind, id, value, version, expires_at) VALUES (?1, ?2, ?3, 1, ?4)
ON CONFLICT DO UPDATE SET value = ?3, version = version + 1, expires_at = ?4`
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, upsert, string(kind), id, blob(value), millis(s.now().Add(ttl)))
		return err
	})
}

// Record implements oauth.Records.
func (s *Store) Record(ctx context.Context, kind oauth.Kind, id string) (r oauth.Record, err error) {
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		r, err = s.getRecord(ctx, tx, kind, id)
		return err
	})
	return r, err
}

func (s *Store) getRecord(ctx context.Context, tx *sqldb.Tx, kind oauth.Kind, id string) (r oauth.Record, err error) {
	const query = "SELECT value, version, expires_at FROM record WHERE kind = ? AND id = ? AND expires_at > ?"
	err = tx.Get(ctx, query, []any{string(kind), id, millis(s.now())}, &r.Value, &r.Version, millisColumn{&r.ExpiresAt})
	return r, err
}

// Swap implements oauth.Records.
func (s *Store) Swap(ctx context.Context, kind oauth.Kind, id string, version int64, value []byte) error {
	const update = "UPDATE record SET value = ?, version = version + 1 WHERE kind = ? AND id = ? AND version = ?"
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := s.getRecord(ctx, tx, kind, id); err != nil {
			return err
		}
		return changedOr(oauth.ErrMoved)(tx.Exec(ctx, update, blob(value), string(kind), id, version))
	})
}

// Consume implements oauth.Records.
func (s *Store) Consume(ctx context.Context, kind oauth.Kind, id string) (r oauth.Record, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if r, err = s.getRecord(ctx, tx, kind, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM record WHERE kind = ? AND id = ?", string(kind), id)
		return err
	})
	if err != nil {
		return oauth.Record{}, err
	}
	return r, nil
}

// Delete implements oauth.Records.
func (s *Store) Delete(ctx context.Context, kind oauth.Kind, id string) error {
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM record WHERE kind = ? AND id = ?", string(kind), id)
		return err
	})
}

// blob makes nil the empty value, which a column that is not null can hold.
func blob(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
