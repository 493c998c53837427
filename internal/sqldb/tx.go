package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// Tx is a transaction that Read or Write has begun. It is valid only until the
// function that got it returns, and on that function's goroutine. Statements
// are prepared once per connection: query must be one of a bounded set of texts.
type Tx struct{ conn *conn }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	s, err := tx.conn.stmt(ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := s.prepared.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Get scans the one row that the query returns, or returns sql.ErrNoRows.
func (tx *Tx) Get(ctx context.Context, query string, args []any, dest ...any) error {
	s, err := tx.conn.stmt(ctx, query)
	if err != nil {
		return err
	}
	return s.prepared.QueryRowContext(ctx, args...).Scan(dest...)
}

// Each calls row for every row that the query returns; row scans it. An error
// from row ends the query and is returned.
func (tx *Tx) Each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) (err error) {
	s, err := tx.conn.stmt(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.prepared.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Values is Each for queries that return rows by the hundred thousand: what is
// between driver and sql.Rows costs as much as the reading itself. row gets the
// columns as SQLite has them (int64, float64, string, []byte or nil) in a slice
// that the next row reuses; it must not use tx. args must be such values as well.
func (tx *Tx) Values(ctx context.Context, query string, args []driver.Value, row func([]driver.Value) error) (err error) {
	rows, err := tx.conn.values(ctx, query, args)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := row(values); err != nil {
			return err
		}
	}
}
