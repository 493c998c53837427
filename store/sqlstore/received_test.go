package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/storetest"
)

func migrationFiles(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d migrations: %v", len(all), err)
	}
	return all
}

// openSchema opens a data file as a program did that knew the first migrations.
func openSchema(t *testing.T, folder string, version int) *sqldb.DB {
	t.Helper()
	migrations := fstest.MapFS{}
	for _, path := range migrationFiles(t)[:version] {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		migrations[filepath.Base(path)] = &fstest.MapFile{Data: text}
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: filepath.Join(folder, sqlstore.FileName), Migrations: migrations})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Of customers that came in before it was kept when, nothing is made up; the
// file from before is kept beside.
func TestMigration_CustomersFromBefore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := openSchema(t, folder, 8)
	err := old.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, statement := range []string{
			`INSERT INTO account_version (account_no, account_id, version) VALUES (1, 'a', 3)`,
			`INSERT INTO source (account_no, seq, source, owner, id, doc) VALUES (1, 1, 0, 0, 'ds_1', '{}')`,
			`INSERT INTO customer (account_no, seq, source, owner, id, doc) VALUES (1, 1, 1, 0, 'c1', '{"id":"c1"}')`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	known := analytics.Row{Table: analytics.TableCustomer, Seq: 2, Source: 1, ID: "c2", Doc: []byte(`{"id":"c2"}`), Received: at}
	before := analytics.Row{Table: analytics.TableCustomer, Seq: 1, Source: 1, ID: "c1", Doc: []byte(`{"id":"c1","name":"x"}`), Received: at}
	change := analytics.Changeset{Insert: []analytics.Row{known}, Update: []analytics.Row{before}, Version: 4}
	if err := s.Analytics().Commit(t.Context(), "a", change); err != nil {
		t.Fatal(err)
	}
	before.Received = time.Time{}
	got, _ := storetest.ReadAll(t, s.Analytics(), "a")
	got = slices.DeleteFunc(got, func(r analytics.Row) bool { return r.Table != analytics.TableCustomer })
	if diff := cmp.Diff([]analytics.Row{before, known}, got); diff != "" {
		t.Errorf("customers (-want +got):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, sqlstore.FileName+".schema-8")); err != nil {
		t.Errorf("the file from before: %v", err)
	}
	if got, want := readable(t, folder), []string{"ds_1 c1 ", "ds_1 c2 2026-11-21T09:30:00.000Z"}; !slices.Equal(got, want) {
		t.Errorf("readable_customer has %q, want %q", got, want)
	}
}

// readable reads a file as its operator would.
func readable(t *testing.T, folder string) []string {
	t.Helper()
	db := openSchema(t, folder, len(migrationFiles(t)))
	defer func() { _ = db.Close() }()
	var all []string
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, "SELECT source, id, coalesce(received_at, '') FROM readable_customer ORDER BY id", nil, func(rows *sql.Rows) error {
			var source, id, at string
			err := rows.Scan(&source, &id, &at)
			all = append(all, source+" "+id+" "+at)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
