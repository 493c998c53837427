package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// RenameAccount implements identity.Store.
func (s *Identity) RenameAccount(ctx context.Context, id, name string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(tx.Exec(ctx, "UPDATE account SET name = ? WHERE id = ?", name, id))
	})
}

// CloseAccount implements identity.Store.
func (s *Identity) CloseAccount(ctx context.Context, id string, at time.Time) (a identity.Account, err error) {
	const gone = "SELECT " + keyColumns + ` FROM api_key k LEFT JOIN member m ON m.account_id = k.account_id AND m.person_id = k.person_id
		WHERE k.account_id = ? AND (k.kind = 'connection' OR coalesce(m.role, '') <> 'owner')`
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE account SET closing_at = ? WHERE id = ? AND closing_at IS NULL", timeText(at), id)
		if err != nil {
			return err
		}
		if a, err = getAccount(ctx, tx, id); err != nil {
			return err
		}
		keys, err := selectKeys(ctx, tx, gone, id)
		if err != nil {
			return err
		}
		if err := deleteKeys(ctx, tx, keys); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM invitation WHERE account_id = ?", id)
		return err
	})
	if err != nil {
		return identity.Account{}, err
	}
	return a, nil
}

// ReopenAccount implements identity.Store.
func (s *Identity) ReopenAccount(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(tx.Exec(ctx, "UPDATE account SET closing_at = NULL WHERE id = ?", id))
	})
}

// ClosedAccounts implements identity.Store.
func (s *Identity) ClosedAccounts(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	const query = "SELECT id FROM account WHERE closing_at <= ? ORDER BY closing_at, id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{timeText(before), limit}, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	return ids, err
}

const (
	// erasedAtOnce bounds how long one batch keeps others from writing.
	erasedAtOnce = 5000
	// keptTable remains when an account is deleted: it has ids and words alone.
	keptTable = "audit_event"
)

// owned is a table with rows of accounts.
type owned struct {
	name   string
	column string // account_id or account_no
	key    string // the primary key's columns, separated by commas
}

// EraseAccount deletes all rows of an account from every table but the audit
// log, in batches; the account itself goes last. What failed half-way is finished
// by the next call. The caller sees to it that nobody writes to the account.
//
// Which tables there are is read from the file, so that none can be forgotten.
func (s *Store) EraseAccount(ctx context.Context, id string) error {
	tables, err := s.ownedTables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := s.eraseFrom(ctx, t, id); err != nil {
			return fmt.Errorf("erase from %s: %w", t.name, err)
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM account WHERE id = ?", id)
		return err
	})
}

// ownedTables returns the tables with a column that names the account: jobs and
// the like first, so that what runs in the background stops, then those that know
// it by number, and the one that has the numbers last.
func (s *Store) ownedTables(ctx context.Context) (tables []owned, err error) {
	const query = `SELECT t.name, c.name, (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk))
		FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND c.name IN ('account_id', 'account_no') ORDER BY c.name, t.name`
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, nil, func(rows *sql.Rows) error {
			var t owned
			if err := rows.Scan(&t.name, &t.column, &t.key); err != nil {
				return err
			}
			if t.name != keptTable && t.name != numbersTable {
				tables = append(tables, t)
			}
			return nil
		})
	})
	return append(slices.Clip(tables), owned{name: numbersTable, column: "account_id", key: "account_no"}), err
}

// numbersTable gives accounts the numbers by which the analytics rows know them.
const numbersTable = "account_version"

func (s *Store) eraseFrom(ctx context.Context, t owned, id string) error {
	which := t.column + " = ?1"
	if t.column == "account_no" {
		which = "account_no = (SELECT account_no FROM " + numbersTable + " WHERE account_id = ?1)"
	}
	key := t.key
	if strings.Contains(key, ",") {
		key = "(" + key + ")"
	}
	// The names come from the schema, so the texts are as many as there are tables.
	query := "DELETE FROM " + t.name + " WHERE " + key + " IN (SELECT " + t.key + " FROM " + t.name + " WHERE " + which + " LIMIT ?2)"
	for {
		var deleted int64
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			deleted, err = tx.Exec(ctx, query, id, erasedAtOnce)
			return err
		})
		if err != nil || deleted == 0 {
			return err
		}
	}
}
