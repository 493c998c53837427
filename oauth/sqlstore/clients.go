package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// touchEvery is how exact the time of a client's last use is: its end is months
// away.
const touchEvery = 24 * time.Hour

// CreateClient implements oauth.ClientStore.
func (s *Store) CreateClient(ctx context.Context, c oauth.RegisteredClient) error {
	const insert = "INSERT INTO client (id, doc, keep_until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.now()
		c.CreatedAt = now
		doc, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if err := s.makeRoom(ctx, tx, now); err != nil {
			return err
		}
		return changedOr(oauth.ErrExists)(
			tx.Exec(ctx, insert, c.ID, string(doc), millis(now.Add(oauth.UnusedClientLife))))
	})
}

// makeRoom drops the clients whose time is over or, when none is, the never-used
// one that is oldest.
func (s *Store) makeRoom(ctx context.Context, tx *sqldb.Tx, now time.Time) error {
	var have int
	if err := tx.Get(ctx, "SELECT count(*) FROM client", nil, &have); err != nil || have < s.cfg.MaxClients {
		return err
	}
	dropped, err := tx.Exec(ctx, "DELETE FROM client WHERE keep_until <= ?", millis(now))
	if err != nil || dropped > 0 {
		return err
	}
	const oldest = "DELETE FROM client WHERE id = (SELECT id FROM client WHERE last_used = 0 ORDER BY keep_until, id LIMIT 1)"
	return changedOr(oauth.ErrFull)(tx.Exec(ctx, oldest))
}

// Client implements oauth.ClientStore.
func (s *Store) Client(ctx context.Context, id string) (c oauth.RegisteredClient, err error) {
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const query = "SELECT doc, last_used FROM client WHERE id = ? AND keep_until > ?"
		var doc string
		var used time.Time
		if err := tx.Get(ctx, query, []any{id, millis(s.now())}, &doc, millisColumn{&used}); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(doc), &c)
		c.LastUsed = used
		return err
	})
	return c, err
}

// TouchClient implements oauth.ClientStore.
func (s *Store) TouchClient(ctx context.Context, id string) error {
	now := s.now()
	c, err := s.Client(ctx, id)
	if err != nil || now.Sub(c.LastUsed) < touchEvery {
		return ignoreMissing(err)
	}
	return s.write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const update = "UPDATE client SET last_used = ?, keep_until = ? WHERE id = ? AND keep_until > ?"
		_, err := tx.Exec(ctx, update, millis(now), millis(now.Add(s.cfg.ClientLife)), id, millis(now))
		return err
	})
}

func ignoreMissing(err error) error {
	if errors.Is(err, oauth.ErrNotFound) {
		return nil
	}
	return err
}
