package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// Analytics is an analytics.Store.
type Analytics struct{ db *sqldb.DB }

var _ analytics.Store = (*Analytics)(nil)

// Load implements analytics.Store.
func (s *Analytics) Load(ctx context.Context, account string, visit func(analytics.LoadedRow) error) (version uint64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		no, found, err := accountState(ctx, tx, account)
		if err != nil || no == 0 {
			return err
		}
		loaded := func(r *analytics.LoadedRow, _ string) error { return visit(*r) }
		for _, t := range loadOrder {
			if err := visitRows(ctx, tx, t, statements[t].load, []driver.Value{no}, loaded); err != nil {
				return fmt.Errorf("load %s rows: %w", statements[t].name, err)
			}
		}
		version = found
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("load account %s: %w", account, err)
	}
	return version, nil
}

// visitRows visits the rows of one table that a query returns, with the id if it
// has that.
func visitRows(ctx context.Context, tx *sqldb.Tx, t analytics.Table, query string, args []driver.Value, visit func(r *analytics.LoadedRow, id string) error) error {
	row, id := analytics.LoadedRow{Table: t}, ""
	return tx.Values(ctx, query, args, func(values []driver.Value) error {
		if err := readRow(&row, &id, values); err != nil {
			return fmt.Errorf("row %v: %w", values[0], err)
		}
		return visit(&row, id)
	})
}

var errColumn = errors.New("a column has a value of another type than the table's")

// readRow reads seq, source, owner and doc, then received_at if the table has it,
// then the id if it was asked for.
func readRow(row *analytics.LoadedRow, id *string, values []driver.Value) (err error) {
	ok := true
	into(&row.Seq, values[0], &ok)
	into(&row.Source, values[1], &ok)
	into(&row.Owner, values[2], &ok)
	into(&row.Doc, values[3], &ok)
	values = values[4:]
	if statements[row.Table].received {
		var at sql.NullString
		if values[0] != nil {
			at.Valid = true
			into(&at.String, values[0], &ok)
		}
		if row.Received, err = parseTime(at); err != nil {
			return err
		}
		values = values[1:]
	}
	if len(values) > 0 {
		into(id, values[0], &ok)
	}
	if !ok {
		return errColumn
	}
	return nil
}

// into stores a value of type T, or clears ok.
func into[T any](dest *T, value driver.Value, ok *bool) {
	v, is := value.(T)
	*dest, *ok = v, *ok && is
}

// Rows implements analytics.Store.
func (s *Analytics) Rows(ctx context.Context, account string, t analytics.Table, seqs []int64, visit func(analytics.Row) error) error {
	if !known(t) {
		return fmt.Errorf("read rows of account %s: unknown table %d", account, t)
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return fmt.Errorf("read rows of account %s: %w", account, err)
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		no, _, err := accountState(ctx, tx, account)
		if err != nil || no == 0 {
			return err
		}
		return visitRows(ctx, tx, t, statements[t].rows, []driver.Value{no, string(list)}, func(r *analytics.LoadedRow, id string) error {
			return visit(analytics.Row{Table: r.Table, Seq: r.Seq, Source: r.Source, Owner: r.Owner, ID: id, Doc: []byte(r.Doc), Received: r.Received})
		})
	})
	if err != nil {
		return fmt.Errorf("read %s rows of account %s: %w", statements[t].name, account, err)
	}
	return nil
}

// Version implements analytics.Store.
func (s *Analytics) Version(ctx context.Context, account string) (version uint64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, version, err = accountState(ctx, tx, account)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read version of account %s: %w", account, err)
	}
	return version, nil
}

// accountState returns the number that stands for the account in the tables of
// rows, and its version; zeros for an account that has never written.
func accountState(ctx context.Context, tx *sqldb.Tx, account string) (no int64, version uint64, err error) {
	err = tx.Get(ctx, "SELECT account_no, version FROM account_version WHERE account_id = ?", []any{account}, &no, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	return no, version, err
}

// Commit implements analytics.Store. It clears, then writes inserts, updates
// and deletes. A version that is not above the account's, a sequence number that is
// taken, and an update or delete of a row that is not there mean that caller
// and store disagree about the account: they are refused.
func (s *Analytics) Commit(ctx context.Context, account string, c analytics.Changeset) error {
	if err := checkChangeset(c); err != nil {
		return fmt.Errorf("commit to account %s: %w", account, err)
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return commit(ctx, tx, account, c) })
	if err != nil {
		return fmt.Errorf("commit to account %s: %w", account, err)
	}
	return nil
}

func checkChangeset(c analytics.Changeset) error {
	if c.Version == 0 || c.Version > math.MaxInt64 {
		return fmt.Errorf("version %d is not between 1 and %d", c.Version, int64(math.MaxInt64))
	}
	for _, rows := range [][]analytics.Row{c.Insert, c.Update} {
		for i := range rows {
			if !known(rows[i].Table) {
				return fmt.Errorf("row %d is of unknown table %d", i, rows[i].Table)
			}
		}
	}
	for i, k := range c.Delete {
		if !known(k.Table) {
			return fmt.Errorf("key %d is of unknown table %d", i, k.Table)
		}
	}
	return nil
}

func commit(ctx context.Context, tx *sqldb.Tx, account string, c analytics.Changeset) error {
	no, err := raiseVersion(ctx, tx, account, c.Version)
	if err != nil {
		return err
	}
	if err := clearSources(ctx, tx, no, c.Clear); err != nil {
		return err
	}
	if err := insertRows(ctx, tx, no, c.Insert); err != nil {
		return err
	}
	for i := range c.Update {
		r := &c.Update[i]
		changed, err := tx.Exec(ctx, statements[r.Table].update, r.Source, r.Owner, r.ID, string(r.Doc), no, r.Seq)
		if err := oneRow(changed, err); err != nil {
			return fmt.Errorf("update %s %d: %w", statements[r.Table].name, r.Seq, err)
		}
	}
	for _, k := range c.Delete {
		changed, err := tx.Exec(ctx, statements[k.Table].remove, no, k.Seq)
		if err := oneRow(changed, err); err != nil {
			return fmt.Errorf("delete %s %d: %w", statements[k.Table].name, k.Seq, err)
		}
	}
	return addDeliveries(ctx, tx, account, c.Events)
}

// clearSources removes the rows of data sources.
func clearSources(ctx context.Context, tx *sqldb.Tx, no int64, sources []int64) error {
	for _, source := range sources {
		for _, t := range [...]analytics.Table{analytics.TableInvoice, analytics.TableCustomer, analytics.TablePlan} {
			if _, err := tx.Exec(ctx, statements[t].clear, no, source); err != nil {
				return fmt.Errorf("clear %s rows of data source %d: %w", statements[t].name, source, err)
			}
		}
	}
	return nil
}

var errNoRow = errors.New("there is no such row")

func oneRow(changed int64, err error) error {
	if err == nil && changed != 1 {
		return errNoRow
	}
	return err
}

const raiseVersionSQL = `
INSERT INTO account_version (account_id, version) VALUES (?, ?)
ON CONFLICT (account_id) DO UPDATE SET version = excluded.version WHERE excluded.version > version
RETURNING account_no`

// raiseVersion sets the account's version and returns its number, which the
// account's first commit assigns.
func raiseVersion(ctx context.Context, tx *sqldb.Tx, account string, version uint64) (no int64, err error) {
	err = tx.Get(ctx, raiseVersionSQL, []any{account, int64(version)}, &no) // checkChangeset bounds it
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("version %d is not above the committed one", version)
	}
	if err != nil {
		return 0, fmt.Errorf("raise version: %w", err)
	}
	return no, nil
}

// insertRows inserts runs of rows of the same table, insertBatch at a time.
func insertRows(ctx context.Context, tx *sqldb.Tx, no int64, rows []analytics.Row) error {
	var args []any
	for len(rows) > 0 {
		n := runLength(rows, insertBatch)
		query := statements[rows[0].Table].insertMany
		if n < insertBatch {
			n, query = 1, statements[rows[0].Table].insertOne
		}
		args = args[:0]
		for i := range rows[:n] {
			r := &rows[i]
			args = append(args, no, r.Seq, r.Source, r.Owner, r.ID, string(r.Doc))
			if statements[r.Table].received {
				args = append(args, timeOrNull(r.Received))
			}
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("insert %s %d to %d: %w", statements[rows[0].Table].name, rows[0].Seq, rows[n-1].Seq, err)
		}
		rows = rows[n:]
	}
	return nil
}

// runLength returns how many rows at the front are of one table, at most limit.
func runLength(rows []analytics.Row, limit int) int {
	for i := range rows {
		if i == limit || rows[i].Table != rows[0].Table {
			return i
		}
	}
	return len(rows)
}
