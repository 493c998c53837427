package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// Identity is an identity.Store.
type Identity struct{ db *sqldb.DB }

var _ identity.Store = (*Identity)(nil)

// timeLayout has a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// timeOrNull is null for a time that is not known.
func timeOrNull(t time.Time) sql.NullString {
	return sql.NullString{String: timeText(t), Valid: !t.IsZero()}
}

// parseTime reads a time that may be null, which is zero.
func parseTime(text sql.NullString) (time.Time, error) {
	if !text.Valid {
		return time.Time{}, nil
	}
	return time.Parse(timeLayout, text.String)
}

// CreateAccount implements identity.Store.
func (s *Identity) CreateAccount(ctx context.Context, a identity.Account) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insertAccount(ctx, tx, a) })
}

func insertAccount(ctx context.Context, tx *sqldb.Tx, a identity.Account) error {
	const insert = "INSERT INTO account (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
	return changedOr(identity.ErrExists)(tx.Exec(ctx, insert, a.ID, a.Name, timeText(a.CreatedAt)))
}

// Account implements identity.Store.
func (s *Identity) Account(ctx context.Context, id string) (a identity.Account, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		a, err = getAccount(ctx, tx, id)
		return err
	})
	return a, err
}

func getAccount(ctx context.Context, tx *sqldb.Tx, id string) (identity.Account, error) {
	a := identity.Account{ID: id}
	var created string
	var closing sql.NullString
	err := tx.Get(ctx, "SELECT name, created_at, closing_at FROM account WHERE id = ?", []any{id}, &a.Name, &created, &closing)
	if err != nil {
		return identity.Account{}, notFound(err)
	}
	if a.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return a, err
	}
	a.ClosingAt, err = parseTime(closing)
	return a, err
}

// AccountsNamed implements identity.Store.
func (s *Identity) AccountsNamed(ctx context.Context, name string, limit int) (accounts []identity.Account, err error) {
	const query = "SELECT id, created_at, closing_at FROM account WHERE name = ? ORDER BY created_at, id LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{name, limit}, func(rows *sql.Rows) error {
			a, err := scanAccount(rows, name)
			accounts = append(accounts, a)
			return err
		})
	})
	return accounts, err
}

func scanAccount(rows *sql.Rows, name string) (a identity.Account, err error) {
	a.Name = name
	var created string
	var closing sql.NullString
	if err := rows.Scan(&a.ID, &created, &closing); err != nil {
		return a, err
	}
	if a.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return a, err
	}
	a.ClosingAt, err = parseTime(closing)
	return a, err
}

// changedOr takes the result of a statement and returns missed when it changed
// no row.
func changedOr(missed error) func(changed int64, err error) error {
	return func(changed int64, err error) error {
		if err == nil && changed == 0 {
			return missed
		}
		return err
	}
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return identity.ErrNotFound
	}
	return err
}
