package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/notify"
)

// Sealer encrypts what this server alone may read, each text for its place.
// *sealed.Box is one.
type Sealer interface {
	Seal(text []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
	Current(sealed []byte) bool // sealed with the secret that seals now
}

func hookPlace(account, id string) string          { return account + " hook " + id }
func integrationPlace(account, name string) string { return account + " integration " + name }

// seal returns a column's value: nil, which is null, for "".
func (s *Hooks) seal(text, place string) []byte {
	if text == "" {
		return nil
	}
	return s.sealer.Seal([]byte(text), place)
}

// open is the reverse of seal. A text that no secret opens is no error: its row
// must still be seen and deleted.
func (s *Hooks) open(sealed []byte, place string) (text string, unreadable bool) {
	if sealed == nil {
		return "", false
	}
	plain, err := s.sealer.Open(sealed, place)
	return string(plain), err != nil
}

// hookSecret is what is sealed of a hook, as JSON.
type hookSecret struct {
	URL  string   `json:"url"`
	Keys []string `json:"keys,omitempty"`
}

func (s *Hooks) sealHook(account, id string, url notify.Secret, keys []notify.Secret) ([]byte, error) {
	if url == "" && len(keys) == 0 {
		return nil, nil // a mail
	}
	r := hookSecret{URL: url.Reveal()}
	for _, k := range keys {
		r.Keys = append(r.Keys, k.Reveal())
	}
	text, err := json.Marshal(r)
	return s.seal(string(text), hookPlace(account, id)), err
}

func (s *Hooks) openHook(h *notify.Hook, sealed []byte) error {
	text, unreadable := s.open(sealed, hookPlace(h.Account, h.ID))
	if h.Unreadable = unreadable; text == "" {
		return nil
	}
	var r hookSecret
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("read hook %s: %w", h.ID, err)
	}
	h.URL = notify.Secret(r.URL)
	for _, k := range r.Keys {
		h.Keys = append(h.Keys, notify.Secret(k))
	}
	return nil
}

// Reseal seals what an older version of the program kept readable, and anew what
// an older secret sealed; what no secret opens stays. After an upgrade the file is
// rewritten, since what is deleted was not always overwritten. It is for the
// start of a server, before others use the hooks.
func (s *Hooks) Reseal(ctx context.Context) error {
	plain, err := s.hasPlain(ctx)
	if err != nil {
		return fmt.Errorf("seal hooks: %w", err)
	}
	if plain {
		if err := s.db.Write(ctx, s.sealPlain); err != nil {
			return fmt.Errorf("seal hooks: %w", err)
		}
		if err := s.db.Scrub(ctx); err != nil {
			return fmt.Errorf("seal hooks: %w", err)
		}
		if err := s.db.Write(ctx, dropPlain); err != nil {
			return fmt.Errorf("seal hooks: %w", err)
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		const hooks, setHook = "SELECT account_id, id, sealed FROM hook WHERE sealed IS NOT NULL", "UPDATE hook SET sealed = ? WHERE account_id = ? AND id = ?"
		if err := s.resealRows(ctx, tx, hooks, setHook, hookPlace); err != nil {
			return fmt.Errorf("seal hooks anew: %w", err)
		}
		const all, set = "SELECT account_id, name, sealed FROM integration WHERE sealed IS NOT NULL", "UPDATE integration SET sealed = ? WHERE account_id = ? AND name = ?"
		if err := s.resealRows(ctx, tx, all, set, integrationPlace); err != nil {
			return fmt.Errorf("seal integrations anew: %w", err)
		}
		return nil
	})
}

// hasPlain reports whether the tables of before migration 9 are there.
func (s *Hooks) hasPlain(ctx context.Context) (plain bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Get(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'plain_hook')", nil, &plain)
	})
	return plain, err
}

// sealPlain empties the tables of before into those of now. What a connection
// created is gone if the connection was revoked since the upgrade.
func (s *Hooks) sealPlain(ctx context.Context, tx *sqldb.Tx) error {
	const (
		hooks   = "SELECT account_id, id, json_object('url', url, 'keys', json(keys)) FROM plain_hook WHERE url <> ''"
		addHook = `INSERT INTO hook (account_id, id, no, channel, event, sealed, rotated_at, threshold, created_at, paused, created_via)
			SELECT account_id, id, no, channel, event, NULL, rotated_at, threshold, created_at, paused, created_via FROM plain_hook
			WHERE created_via = '' OR created_via IN (SELECT id FROM api_key)`
		setHook      = "UPDATE hook SET sealed = ? WHERE account_id = ? AND id = ?"
		integrations = `SELECT account_id, name, json_object('url', settings -> '$.url', 'keys', coalesce(settings -> '$.keys', json('[]')))
			FROM plain_integration WHERE settings ->> '$.url' <> ''`
		addIntegration = "INSERT INTO integration (account_id, name, settings) SELECT account_id, name, json_remove(settings, '$.url', '$.keys') FROM plain_integration"
		setIntegration = "UPDATE integration SET sealed = ? WHERE account_id = ? AND name = ?"
	)
	for _, query := range []string{addHook, addIntegration} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}
	seal := func(place func(account, id string) string) func(r secretRow) []byte {
		return func(r secretRow) []byte { return s.seal(string(r.text), place(r.account, r.id)) }
	}
	if err := changeSecrets(ctx, tx, hooks, setHook, seal(hookPlace)); err != nil {
		return err
	}
	if err := changeSecrets(ctx, tx, integrations, setIntegration, seal(integrationPlace)); err != nil {
		return err
	}
	for _, query := range []string{"DELETE FROM plain_hook", "DELETE FROM plain_integration"} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

func dropPlain(ctx context.Context, tx *sqldb.Tx) error {
	for _, query := range []string{"DROP TABLE plain_integration", "DROP TABLE plain_hook"} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

func (s *Hooks) resealRows(ctx context.Context, tx *sqldb.Tx, query, set string, place func(account, id string) string) error {
	return changeSecrets(ctx, tx, query, set, func(r secretRow) []byte {
		if s.sealer.Current(r.text) {
			return nil
		}
		text, err := s.sealer.Open(r.text, place(r.account, r.id))
		if err != nil {
			return nil // with the secret that is missing it can be read again
		}
		return s.sealer.Seal(text, place(r.account, r.id))
	})
}

// secretRow is a row with a text that is or gets sealed.
type secretRow struct {
	account, id string
	text        []byte
}

// changeSecrets sets the new text of each row that a query returns; nil leaves
// a row alone.
func changeSecrets(ctx context.Context, tx *sqldb.Tx, query, set string, change func(secretRow) []byte) error {
	var all []secretRow // hooks are few
	err := tx.Each(ctx, query, nil, func(rows *sql.Rows) error {
		var r secretRow
		err := rows.Scan(&r.account, &r.id, &r.text)
		all = append(all, r)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		if text := change(r); text != nil {
			if _, err := tx.Exec(ctx, set, text, r.account, r.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// RewriteConnections replaces the connections of data sources by what rewrite
// makes of them; nil leaves one alone. It is for the start of a server, before an
// account is open.
func (s *Analytics) RewriteConnections(ctx context.Context, rewrite func(account, source string, connection []byte) ([]byte, error)) error {
	const (
		query = `SELECT v.account_id, r.id, r.doc -> '$.connection' FROM source r JOIN account_version v ON v.account_no = r.account_no
			WHERE r.doc ->> '$.connection' IS NOT NULL`
		set = `UPDATE source SET doc = json_set(doc, '$.connection', json(?))
			WHERE account_no = (SELECT account_no FROM account_version WHERE account_id = ?) AND id = ?`
	)
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var failed error
		err := changeSecrets(ctx, tx, query, set, func(r secretRow) []byte {
			next, err := rewrite(r.account, r.id, r.text)
			if failed == nil {
				failed = err
			}
			return next
		})
		if failed != nil {
			return failed
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("rewrite connections of data sources: %w", err)
	}
	return nil
}
