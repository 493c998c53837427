package sqlstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/identity/identitytest"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/storetest"
)

func open(t testing.TB, folder string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestAnalytics_Contract(t *testing.T) {
	t.Parallel()
	storetest.RunAnalytics(t, func(t *testing.T) analytics.Store { return open(t, t.TempDir()).Analytics() })
}

func TestIdentity_Contract(t *testing.T) {
	t.Parallel()
	identitytest.RunStore(t, func(t *testing.T) identity.Store { return open(t, t.TempDir()).Identity() })
}

func TestJobs_Contract(t *testing.T) {
	t.Parallel()
	storetest.RunJobs(t, func(t *testing.T) jobs.Store { return open(t, t.TempDir()).Jobs() })
}

func TestHooks_Contract(t *testing.T) {
	t.Parallel()
	storetest.RunHooks(t, func(t *testing.T) storetest.HookStore {
		s := open(t, t.TempDir())
		return storetest.HookStore{Hooks: s.Hooks(newBox(t, "a")), Outbox: s.Analytics(), Jobs: s.Jobs()}
	})
}

// newBox makes a box of secrets that repeat a letter each, the first one seals.
func newBox(t *testing.T, letters ...string) *sealed.Box {
	t.Helper()
	var secrets [][]byte
	for _, letter := range letters {
		secrets = append(secrets, []byte(strings.Repeat(letter, sealed.MinSecretBytes)))
	}
	box, err := sealed.NewBox("webhooks", secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestStore_FileModes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder with ? # % and ü")
	s := open(t, folder)
	if err := s.Analytics().Commit(t.Context(), "a", analytics.Changeset{Version: 1}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		"":                         os.ModeDir | 0o700,
		sqlstore.FileName:          0o600,
		sqlstore.FileName + "-wal": 0o600,
	} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != want {
			t.Errorf("mode of %q = %v, want %v", name, got, want)
		}
	}
}

func TestStore_Closed(t *testing.T) {
	t.Parallel()
	s, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	_, readErr := s.Analytics().Version(t.Context(), "a")
	for call, err := range map[string]error{
		"Version":   readErr,
		"Commit":    s.Analytics().Commit(t.Context(), "a", analytics.Changeset{Version: 1}),
		"TouchKeys": s.Identity().TouchKeys(t.Context(), []identity.Use{{}}),
	} {
		if !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("%s after Close: %v, want sqldb.ErrClosed", call, err)
		}
	}
}

func TestLoad_DamagedFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, sqlstore.FileName)
	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	c := analytics.Changeset{Version: 1}
	for seq := range int64(5000) {
		c.Insert = append(c.Insert, analytics.Row{Table: analytics.TableInvoice, Seq: seq + 1, ID: "i", Doc: make([]byte, 100)})
	}
	if err := s.Analytics().Commit(t.Context(), "a", c); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	middle := content[len(content)/2:]
	for i := range middle {
		middle[i] = 0xa5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, folder).Analytics().Load(t.Context(), "a", func(analytics.LoadedRow) error { return nil })
	if !errors.Is(err, sqldb.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("Load: %v, want sqldb.ErrCorrupt and the path", err)
	}
}

// A table that was rebuilt by hand may hold anything in any column.
func TestLoad_ValuesOfOtherTypes(t *testing.T) {
	t.Parallel()
	for _, values := range []string{
		"'1', 1, 0, '{}', 'c', NULL", "1, 'one', 0, '{}', 'c', NULL", "1, 1, 0.5, '{}', 'c', NULL", "1, 1, 0, x'7b7d', 'c', NULL",
		"1, 1, 0, NULL, 'c', NULL", "1, 1, 0, '{}', 'c', 7", "1, 1, 0, '{}', 'c', 'yesterday'",
	} {
		folder := t.TempDir()
		s, err := sqlstore.Open(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Analytics().Commit(t.Context(), "a", analytics.Changeset{Version: 1}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db := openSchema(t, folder, len(migrationFiles(t)))
		err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for _, statement := range []string{
				"DROP VIEW readable_customer", "DROP TABLE customer",
				"CREATE TABLE customer (account_no, seq, source, owner, doc, id, received_at)", "INSERT INTO customer VALUES (1, " + values + ")",
			} {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		store := open(t, folder).Analytics()
		visited := 0
		_, err = store.Load(t.Context(), "a", func(analytics.LoadedRow) error { visited++; return nil })
		if err == nil || visited > 0 || !strings.Contains(err.Error(), "load customer rows: row 1:") {
			t.Errorf("Load of (%s): %v after %d rows, want an error about row 1", values, err, visited)
		}
	}
}
