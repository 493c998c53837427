package sqldb_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

const pairs = "CREATE TABLE pair (a INTEGER PRIMARY KEY, b INTEGER NOT NULL) STRICT;"

// A copy that is taken while another goroutine writes holds whole transactions.
func TestCopy_OfAFileInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "live.db")
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	started := make(chan struct{})
	writing.Go(func() {
		for n := 0; ctx.Err() == nil; n += 2 {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				for _, a := range []int{n, n + 1} {
					if _, err := tx.Exec(ctx, "INSERT INTO pair VALUES (?, 1)", a); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			if n == 20 {
				close(started)
			}
		}
	})
	<-started
	counts := []int{}
	for _, name := range []string{"one.db", "two.db"} {
		copied := filepath.Join(dir, name)
		if err := sqldb.Copy(t.Context(), path, copied); err != nil {
			t.Fatal(err)
		}
		counts = append(counts, count(t, copied))
	}
	stop()
	writing.Wait()
	if counts[0] < 22 || counts[0]%2 != 0 || counts[1]%2 != 0 || counts[1] < counts[0] {
		t.Errorf("the copies hold %v rows", counts)
	}
}

func count(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Get(ctx, "SELECT count(*) FROM pair", nil, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCopy_LeavesNothingWhenItFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	count(t, good)
	taken, broken := filepath.Join(dir, "taken"), filepath.Join(dir, "broken.db")
	for path, text := range map[string]string{taken: "mine", broken: "not a data file at all"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"no such file":    sqldb.Copy(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "out")),
		"a name in use":   sqldb.Copy(t.Context(), good, taken),
		"a broken file":   sqldb.Copy(t.Context(), broken, filepath.Join(dir, "out")),
		"no such folder":  sqldb.Copy(t.Context(), good, filepath.Join(dir, "none", "out")),
		"a canceled call": sqldb.Copy(canceled, good, filepath.Join(dir, "out")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if name == "a broken file" && !errors.Is(err, sqldb.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(taken); err != nil || string(text) != "mine" {
		t.Errorf("the file in the way holds %q, %v", text, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "out" || strings.Contains(e.Name(), "partial") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestCheck_FindsDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: path, Migrations: scripts(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for a := range 10_000 {
			if _, err := tx.Exec(ctx, "INSERT INTO pair VALUES (?, ?)", a, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := sqldb.Check(t.Context(), path); err != nil {
		t.Errorf("of a good file: %v", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		data[len(data)/2+i] ^= 0xa5
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqldb.Check(t.Context(), path); !errors.Is(err, sqldb.ErrCorrupt) {
		t.Errorf("of a damaged file: %v", err)
	}
}

func TestOpen_KeepsTheFileBeforeItsSchemaChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	count(t, path)
	if entries, _ := filepath.Glob(path + ".*"); len(entries) > 0 {
		t.Errorf("a new file has %v beside it", entries)
	}
	openAtOnce(t, 8, sqldb.Config{Path: path, Migrations: scripts(pairs, "DROP TABLE pair;")})
	if n := count(t, path+".schema-1"); n != 0 {
		t.Errorf("%d rows in the file that was kept", n)
	}
}
