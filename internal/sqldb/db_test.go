package sqldb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// schema has a table whose foreign keys are checked only at commit, which makes
// commits fail on demand.
const schema = `
CREATE TABLE item (name TEXT NOT NULL PRIMARY KEY, parent TEXT REFERENCES item (name) DEFERRABLE INITIALLY DEFERRED) STRICT;`

func scripts(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files[fmt.Sprintf("%04d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func open(t *testing.T, path string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(schema)})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func openNew(t *testing.T) *sqldb.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "data.db"))
}

// insert is a write of one item; parent may be nil.
func insert(name string, parent any) func(context.Context, *sqldb.Tx) error {
	return func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO item (name, parent) VALUES (?, ?)", name, parent)
		return err
	}
}

func mustWrite(t *testing.T, db *sqldb.DB, fn func(context.Context, *sqldb.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Errorf("Write: %v", err)
	}
}

func namesIn(ctx context.Context, tx *sqldb.Tx) (names []string, err error) {
	err = tx.Each(ctx, "SELECT name FROM item ORDER BY name", nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

func wantNames(t *testing.T, db *sqldb.DB, want ...string) {
	t.Helper()
	var got []string
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		got, err = namesIn(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// group runs writes that arrive while the writer is busy, so that they share a
// transaction, and returns their errors. It needs a synctest bubble.
func group(t *testing.T, db *sqldb.DB, writes ...func(context.Context, *sqldb.Tx) error) []error {
	t.Helper()
	busy := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		mustWrite(t, db, func(context.Context, *sqldb.Tx) error { <-busy; return nil })
	})
	synctest.Wait()
	errs := make([]error, len(writes))
	for i, fn := range writes {
		wg.Go(func() { errs[i] = db.Write(t.Context(), fn) })
		synctest.Wait() // they arrive in this order
	}
	close(busy)
	wg.Wait()
	return errs
}

func TestWrite_WaitingCallsShareATransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		var inside []string
		errs := group(t, db,
			insert("a", nil),
			insert("b", nil),
			func(ctx context.Context, tx *sqldb.Tx) (err error) {
				wantNames(t, db) // nothing is committed yet
				inside, err = namesIn(ctx, tx)
				return err
			})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b"}, inside); diff != "" {
			t.Errorf("items that the third call saw (-want +got):\n%s", diff)
		}
		wantNames(t, db, "a", "b")
	})
}

func TestWrite_OneOfAGroupFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		refused := errors.New("refused")
		errs := group(t, db,
			insert("a", nil),
			func(ctx context.Context, tx *sqldb.Tx) error {
				return errors.Join(insert("half", nil)(ctx, tx), refused)
			},
			insert("a", nil), // taken
			insert("b", nil))
		if errs[0] != nil || !errors.Is(errs[1], refused) || errs[2] == nil || errs[3] != nil {
			t.Errorf("errors of the calls: %v", errs)
		}
		wantNames(t, db, "a", "b")
	})
}

func TestWrite_FailedSharedCommitIsTriedOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		runs := 0
		errs := group(t, db,
			func(ctx context.Context, tx *sqldb.Tx) error { runs++; return insert("a", nil)(ctx, tx) },
			insert("orphan", "nobody"), // fails at commit, not before
			insert("b", "a"))
		if errs[0] != nil || errs[1] == nil || errs[2] != nil {
			t.Errorf("errors of the calls: %v, want one of the second alone", errs)
		}
		if runs != 2 {
			t.Errorf("the first call ran %d times, want 2: once shared, once alone", runs)
		}
		wantNames(t, db, "a", "b")
	})
}

// SQLite ends the whole transaction when it finds no space, savepoints
// included. A limit on the file's pages stands for the full disk.
func TestWrite_DiskFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		mustWrite(t, db, insert("kept", nil))
		setPageLimit(t, db, 40)
		errs := group(t, db, insert("a", nil), fill, insert("b", nil))
		if errs[0] != nil || !errors.Is(errs[1], sqldb.ErrDiskFull) || errs[2] != nil {
			t.Errorf("errors of the calls: %v, want sqldb.ErrDiskFull of the second alone", errs)
		}
		wantNames(t, db, "a", "b", "kept")
		if err := db.Write(t.Context(), fill); !errors.Is(err, sqldb.ErrDiskFull) {
			t.Errorf("Write alone: %v, want sqldb.ErrDiskFull", err)
		}
		setPageLimit(t, db, 1<<30)
		mustWrite(t, db, insert("c", nil))
		wantNames(t, db, "a", "b", "c", "kept")
	})
}

func setPageLimit(t *testing.T, db *sqldb.DB, pages int) {
	t.Helper()
	mustWrite(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		var now int
		return tx.Get(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, &now)
	})
}

// fill inserts about 2 MB.
func fill(ctx context.Context, tx *sqldb.Tx) error {
	const many = `
INSERT INTO item (name)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
SELECT printf('filler %d %.*c', i, 2000, 'x') FROM n`
	_, err := tx.Exec(ctx, many)
	return err
}

func TestWrite_CanceledWhileWaitingNeverRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		busy := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { mustWrite(t, db, func(context.Context, *sqldb.Tx) error { <-busy; return nil }) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		wg.Go(func() { err = db.Write(ctx, insert("withdrawn", nil)) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(busy)
		wg.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Write: %v, want context.Canceled", err)
		}
		wantNames(t, db)
	})
}

func TestWrite_CanceledAfterItBeganIsDurable(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		cancel()
		return insert("a", nil)(ctx, tx)
	})
	if err != nil {
		t.Errorf("Write: %v, want nil", err)
	}
	wantNames(t, db, "a")
}

func TestClose_WaitingWritesAreDone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	synctest.Test(t, func(t *testing.T) {
		db := open(t, path)
		busy := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { mustWrite(t, db, func(context.Context, *sqldb.Tx) error { <-busy; return nil }) })
		synctest.Wait()
		wg.Go(func() { mustWrite(t, db, insert("a", nil)) })
		synctest.Wait()
		wg.Go(func() {
			if err := db.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		synctest.Wait()
		if err := db.Write(t.Context(), insert("late", nil)); !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("Write during Close: %v, want ErrClosed", err)
		}
		if err := db.Read(t.Context(), nil); !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("Read during Close: %v, want ErrClosed", err)
		}
		close(busy)
		wg.Wait()
	})
	wantNames(t, open(t, path), "a")
}

func TestClose_LeavesOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	db := open(t, path)
	mustWrite(t, db, insert("a", nil))
	if err := db.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{path}, files); diff != "" {
		t.Errorf("files after Close (-want +got):\n%s", diff)
	}
}

func TestRead_SeesOneSnapshot(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	mustWrite(t, db, insert("a", nil))
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		before, err := namesIn(ctx, tx)
		if err != nil {
			return err
		}
		mustWrite(t, db, insert("b", nil))
		after, err := namesIn(ctx, tx)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("items before and after a write (-before +after):\n%s", diff)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, db, "a", "b")
}

func TestRead_CannotWrite(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	if err := db.Read(t.Context(), insert("a", nil)); !errors.Is(err, sqldb.ErrReadOnly) {
		t.Errorf("write in Read: %v, want ErrReadOnly", err)
	}
	wantNames(t, db)
}

func TestRead_WaitsForAFreeReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data.db")
		db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(schema), Readers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		busy := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := db.Read(t.Context(), func(context.Context, *sqldb.Tx) error { <-busy; return nil }); err != nil {
				t.Errorf("Read: %v", err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		var waited error
		wg.Go(func() { waited = db.Read(ctx, func(context.Context, *sqldb.Tx) error { return nil }) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(waited, context.Canceled) {
			t.Errorf("Read canceled while it waited: %v, want context.Canceled", waited)
		}
		close(busy)
		wg.Wait()
		wantNames(t, db)
	})
}

const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

func TestRead_CanceledQueryEnds(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]func(context.Context, *sqldb.Tx, func() error) error{
		"Each": func(ctx context.Context, tx *sqldb.Tx, row func() error) error {
			return tx.Each(ctx, endless, nil, func(*sql.Rows) error { return row() })
		},
		"Values": func(ctx context.Context, tx *sqldb.Tx, row func() error) error {
			return tx.Values(ctx, endless, nil, func([]driver.Value) error { return row() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openNew(t)
			for range 8 { // every reader is given back
				ctx, cancel := context.WithCancel(t.Context())
				err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
					seen := 0
					return each(ctx, tx, func() error {
						if seen++; seen == 100 {
							cancel()
						}
						return nil
					})
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Read: %v, want context.Canceled", err)
				}
			}
			wantNames(t, db)
		})
	}
}

func TestTx_Values(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	enough := errors.New("enough")
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var got [][]driver.Value
		const query = "SELECT ?2, ?1, 1.5, x'0aff', NULL UNION ALL SELECT 1, '', 0.5, x'', 'é'"
		err := tx.Values(ctx, query, []driver.Value{"text", int64(-1 << 63)}, func(values []driver.Value) error {
			got = append(got, slices.Clone(values))
			return nil
		})
		want := [][]driver.Value{
			{int64(-1 << 63), "text", 1.5, []byte{0x0a, 0xff}, nil},
			{int64(1), "", 0.5, []byte(nil), "é"},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Values: %v (-want +got):\n%s", err, diff)
		}
		if err := tx.Values(ctx, "SELECT nothing FROM nowhere", nil, nil); err == nil {
			t.Error("Values of a malformed query = nil, want an error")
		}
		seen := 0
		err = tx.Values(ctx, endless, nil, func([]driver.Value) error { seen++; return enough })
		if !errors.Is(err, enough) || seen != 1 {
			t.Errorf("Values = %v after %d rows, want the error of the first", err, seen)
		}
		func() {
			defer func() { _ = recover() }()
			_ = tx.Values(ctx, endless, nil, func([]driver.Value) error { panic("as a handler may") })
		}()
		_, err = namesIn(ctx, tx) // the transaction goes on
		return err
	})
	if err != nil {
		t.Errorf("Read: %v", err)
	}
}

// Acknowledged means on disk: the settings that say so are checked here because
// no test can pull the plug.
func TestOpen_Durability(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		mustWrite(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Get(ctx, "PRAGMA "+pragma, nil, &got)
		})
		if got != want {
			t.Errorf("PRAGMA %s of the writer = %s, want %s", pragma, got, want)
		}
	}
}
