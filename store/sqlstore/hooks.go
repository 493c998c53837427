package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/notify"
)

// Hooks is a notify.Store.
type Hooks struct {
	db     *sqldb.DB
	sealer Sealer
}

var _ notify.Store = (*Hooks)(nil)

// CreateHooks implements notify.Store.
func (s *Hooks) CreateHooks(ctx context.Context, account string, hooks []notify.Hook, limit int, today string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		there, err := s.listHooks(ctx, tx, account, notify.Webhook)
		if err != nil {
			return err
		}
		if len(there)+len(hooks) > limit {
			return notify.ErrTooMany
		}
		for _, h := range hooks {
			for _, old := range there {
				if old.URL == h.URL && old.Event == h.Event {
					return &notify.DuplicateError{ID: old.ID}
				}
			}
		}
		for _, h := range hooks {
			if err := creatorLives(ctx, tx, account, h.CreatedVia); errors.Is(err, identity.ErrRevoked) {
				return notify.ErrRevoked
			} else if err != nil {
				return err
			}
		}
		if err := beginTelling(ctx, tx, account, today); err != nil {
			return err
		}
		return s.addHooks(ctx, tx, account, hooks)
	})
}

// beginTelling notes the day when nobody has listened so far: what days have
// brought until then is not told.
func beginTelling(ctx context.Context, tx *sqldb.Tx, account, today string) error {
	var watched bool
	err := tx.Get(ctx, "SELECT EXISTS (SELECT 1 FROM hook WHERE account_id = ?)", []any{account}, &watched)
	if err != nil || watched {
		return err
	}
	return raiseToldThrough(ctx, tx, account, today)
}

func (s *Hooks) addHooks(ctx context.Context, tx *sqldb.Tx, account string, hooks []notify.Hook) error {
	const insert = `INSERT INTO hook (account_id, id, no, channel, event, sealed, threshold, created_at, paused, created_via)
		VALUES (?1, ?2, (SELECT coalesce(max(no), 0) + 1 FROM hook WHERE account_id = ?1), ?3, ?4, ?5, ?6, ?7, '', ?8)`
	for _, h := range hooks {
		sealed, err := s.sealHook(account, h.ID, h.URL, h.Keys)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insert, account, h.ID, string(h.Channel), h.Event, sealed, h.Threshold, timeText(h.Created), h.CreatedVia); err != nil {
			return err
		}
	}
	return nil
}

const hookColumns = "id, channel, event, sealed, rotated_at, threshold, created_at, paused, created_via"

func (s *Hooks) scanHook(account string, scan func(dest ...any) error) (h notify.Hook, err error) {
	h.Account = account
	var sealed []byte
	var created string
	var rotated sql.NullString
	if err := scan(&h.ID, &h.Channel, &h.Event, &sealed, &rotated, &h.Threshold, &created, &h.Paused, &h.CreatedVia); err != nil {
		return notify.Hook{}, orErr(notify.ErrNotFound, err)
	}
	if err := s.openHook(&h, sealed); err != nil {
		return notify.Hook{}, err
	}
	if rotated.Valid {
		if h.Rotated, err = time.Parse(timeLayout, rotated.String); err != nil {
			return notify.Hook{}, err
		}
	}
	h.Created, err = time.Parse(timeLayout, created)
	return h, err
}

// Hooks implements notify.Store.
func (s *Hooks) Hooks(ctx context.Context, account string, channel notify.Channel) (hooks []notify.Hook, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		hooks, err = s.listHooks(ctx, tx, account, channel)
		return err
	})
	return hooks, err
}

func (s *Hooks) listHooks(ctx context.Context, tx *sqldb.Tx, account string, channel notify.Channel) (hooks []notify.Hook, err error) {
	const query = "SELECT " + hookColumns + " FROM hook WHERE account_id = ? AND channel = ? ORDER BY no"
	err = tx.Each(ctx, query, []any{account, string(channel)}, func(rows *sql.Rows) error {
		h, err := s.scanHook(account, rows.Scan)
		hooks = append(hooks, h)
		return err
	})
	return hooks, err
}

// Hook implements notify.Store.
func (s *Hooks) Hook(ctx context.Context, account, id string) (h notify.Hook, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		h, err = s.hook(ctx, tx, account, id)
		return err
	})
	return h, err
}

func (s *Hooks) hook(ctx context.Context, tx *sqldb.Tx, account, id string) (notify.Hook, error) {
	const query = "SELECT " + hookColumns + " FROM hook WHERE account_id = ? AND id = ?"
	return s.scanHook(account, func(dest ...any) error { return tx.Get(ctx, query, []any{account, id}, dest...) })
}

// DeleteHook implements notify.Store.
func (s *Hooks) DeleteHook(ctx context.Context, account, id string) error {
	const remove = "DELETE FROM hook WHERE account_id = ? AND id = ? AND channel = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := changedOr(notify.ErrNotFound)(tx.Exec(ctx, remove, account, id, string(notify.Webhook))); err != nil {
			return err
		}
		return dropLane(ctx, tx, account, notify.Lane(id))
	})
}

// DropCustomer implements notify.Store. Events name their customer in data, or in
// data.customer.
func (s *Hooks) DropCustomer(ctx context.Context, account, source, customer string) error {
	const remove = `DELETE FROM job WHERE account_id = ?1 AND kind = ?2 AND (
		payload ->> '$.data.customer.id' = ?3 AND (?4 = '' OR payload ->> '$.data.customer.data_source' = ?4)
		OR payload ->> '$.event' IN (?5, ?6) AND payload ->> '$.data.id' = ?3 AND (?4 = '' OR payload ->> '$.data.data_source' = ?4))`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, remove, account, notify.JobKind, customer, source, analytics.CustomerCreated, analytics.CustomerUpdated)
		return err
	})
}

// SetKeys implements notify.Store.
func (s *Hooks) SetKeys(ctx context.Context, account, id string, keys []notify.Secret, rotated time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		h, err := s.hook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if h.Unreadable {
			return notify.ErrUnreadable
		}
		sealed, err := s.sealHook(account, id, h.URL, keys)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE hook SET sealed = ?, rotated_at = ? WHERE account_id = ? AND id = ?", sealed, timeText(rotated), account, id)
		return err
	})
}

// Pause implements notify.Store.
func (s *Hooks) Pause(ctx context.Context, account, id, reason string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return pauseHook(ctx, tx, account, id, reason) })
}

// Pending implements notify.Store.
func (s *Hooks) Pending(ctx context.Context, account, id string) (n int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err = pendingOf(ctx, tx, account, id)
		return err
	})
	return n, err
}

// Integration implements notify.Store.
func (s *Hooks) Integration(ctx context.Context, account, name string) (settings notify.Settings, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		settings = notify.Settings{}
		var text string
		var sealed []byte
		err := tx.Get(ctx, "SELECT settings, sealed FROM integration WHERE account_id = ? AND name = ?", []any{account, name}, &text, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		secret, unreadable := s.open(sealed, integrationPlace(account, name))
		settings = notify.Settings{Text: []byte(text), Secret: notify.Secret(secret), Unreadable: unreadable}
		return nil
	})
	return settings, err
}

// SetIntegration implements notify.Store.
func (s *Hooks) SetIntegration(ctx context.Context, account, name string, settings notify.Settings, channel notify.Channel, hooks []notify.Hook, today string) error {
	const set = "INSERT OR REPLACE INTO integration (account_id, name, settings, sealed) VALUES (?, ?, ?, ?)"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, set, account, name, string(settings.Text), s.seal(settings.Secret.Reveal(), integrationPlace(account, name))); err != nil {
			return err
		}
		if err := beginTelling(ctx, tx, account, today); err != nil {
			return err
		}
		old, err := s.listHooks(ctx, tx, account, channel)
		if err != nil {
			return err
		}
		for _, o := range old {
			if _, err := tx.Exec(ctx, "DELETE FROM hook WHERE account_id = ? AND id = ?", account, o.ID); err != nil {
				return err
			}
			if slices.ContainsFunc(hooks, func(h notify.Hook) bool { return h.ID == o.ID }) {
				continue
			}
			if err := dropLane(ctx, tx, account, notify.Lane(o.ID)); err != nil {
				return err
			}
		}
		return s.addHooks(ctx, tx, account, hooks)
	})
}

// Integrations implements notify.Store.
func (s *Hooks) Integrations(ctx context.Context, prefix, afterAccount, afterName string, limit int) (page []notify.StoredIntegration, err error) {
	const query = `SELECT account_id, name, settings FROM integration
		WHERE (account_id, name) > (?1, ?2) AND substr(name, 1, length(?3)) = ?3 ORDER BY account_id, name LIMIT ?4`
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		page = nil
		return tx.Each(ctx, query, []any{afterAccount, afterName, prefix, limit}, func(rows *sql.Rows) error {
			var i notify.StoredIntegration
			var text string
			err := rows.Scan(&i.Account, &i.Name, &text)
			i.Settings = []byte(text)
			page = append(page, i)
			return err
		})
	})
	return page, err
}

// Watching implements notify.Store.
func (s *Hooks) Watching(ctx context.Context, after string, limit int) (accounts []string, err error) {
	const query = "SELECT DISTINCT account_id FROM hook WHERE account_id > ? ORDER BY account_id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		accounts = nil
		return tx.Each(ctx, query, []any{after, limit}, func(rows *sql.Rows) error {
			var account string
			err := rows.Scan(&account)
			accounts = append(accounts, account)
			return err
		})
	})
	return accounts, err
}
