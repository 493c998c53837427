package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

func tryOpen(t *testing.T, path string, migrations fs.FS) error {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: migrations, BusyTimeout: time.Millisecond})
	if err != nil {
		return err
	}
	return db.Close()
}

func TestOpen_RunsEachMigrationOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	first := "CREATE TABLE item (name TEXT); INSERT INTO item VALUES ('first');"
	second := "INSERT INTO item VALUES ('second'); CREATE TABLE other (name TEXT);"
	for _, migrations := range []fs.FS{scripts(first), scripts(first), scripts(first, second), scripts(first, second)} {
		if err := tryOpen(t, path, migrations); err != nil {
			t.Fatalf("Open: %v", err)
		}
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(first, second)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	wantNames(t, db, "first", "second")
}

func TestOpen_FailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	good := "CREATE TABLE item (name TEXT);"
	if err := tryOpen(t, path, scripts(good, "INSERT INTO item VALUES ('a');", "INSERT INTO missing VALUES (1);")); err == nil {
		t.Fatal("Open with a broken migration = nil, want an error")
	}
	// The good ones were undone as well: another first script fits.
	if err := tryOpen(t, path, scripts("CREATE TABLE item (name INTEGER);")); err != nil {
		t.Errorf("Open after a failed migration: %v", err)
	}
}

func TestOpen_NewerFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	if err := tryOpen(t, path, scripts("CREATE TABLE a (x);", "CREATE TABLE b (x);")); err != nil {
		t.Fatal(err)
	}
	if err := tryOpen(t, path, scripts("CREATE TABLE a (x);")); !errors.Is(err, sqldb.ErrNewer) {
		t.Errorf("Open: %v, want ErrNewer", err)
	}
}

func TestOpen_MisnamedMigrationIsRefused(t *testing.T) {
	t.Parallel()
	misnamed := fstest.MapFS{"0001_a.sql": {}, "0003_c.sql": {}}
	err := tryOpen(t, filepath.Join(t.TempDir(), "data.db"), misnamed)
	if err == nil || !strings.Contains(err.Error(), "0003_c.sql") {
		t.Errorf("Open: %v, want an error that names 0003_c.sql", err)
	}
}

func TestOpen_ManyAtOnce(t *testing.T) {
	t.Parallel()
	for range 4 {
		openAtOnce(t, 8, sqldb.Config{Path: filepath.Join(t.TempDir(), "data.db"), Migrations: scripts(schema)})
	}
}

// openAtOnce opens a file as often as asked, as processes that start at once
// do, and closes it.
func openAtOnce(t *testing.T, times int, cfg sqldb.Config) {
	t.Helper()
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() {
			db, err := sqldb.Open(t.Context(), cfg)
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if err := db.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestOpen_DamagedFile(t *testing.T) {
	t.Parallel()
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if err := tryOpen(t, foreign, scripts("CREATE TABLE theirs (x); PRAGMA user_version = 0;")); err != nil {
		t.Fatal(err)
	}
	cleared := bytes.Clone(read(t, foreign))
	clear(cleared[60:64]) // user_version in the file's header: nobody's migrations ran
	for name, content := range map[string][]byte{
		"text":              []byte(strings.Repeat("not a database\n", 1000)),
		"damaged schema":    damage(read(t, foreign), 100, 4096),
		"another program's": cleared,
	} {
		path := filepath.Join(t.TempDir(), "data.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := tryOpen(t, path, scripts(schema))
		if !errors.Is(err, sqldb.ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: Open: %v, want ErrCorrupt and the path", name, err)
		}
		if !bytes.Equal(read(t, path), content) {
			t.Errorf("%s: Open changed the file", name)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func damage(content []byte, from, to int) []byte {
	copy(content[from:to], bytes.Repeat([]byte{0xa5}, to-from))
	return content
}

func TestOpen_FolderCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := tryOpen(t, filepath.Join(file, "data.db"), scripts(schema))
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open below a file: %v, want an error that names %s", err, file)
	}
}

func TestWrite_BusyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	other := open(t, path)
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(schema), BusyTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	mustWrite(t, other, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := db.Write(ctx, insert("a", nil)); !errors.Is(err, sqldb.ErrBusy) {
			t.Errorf("Write while another process writes: %v, want ErrBusy", err)
		}
		return nil
	})
	mustWrite(t, db, insert("b", nil))
	wantNames(t, other, "b")
}
