package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// change runs statements on the data file.
func change(t *testing.T, folder, script string) {
	t.Helper()
	old, err := sqldb.Open(t.Context(), sqldb.Config{Path: filepath.Join(folder, sqlstore.FileName), Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	runAndClose(t, old, script)
}

func runAndClose(t *testing.T, db *sqldb.DB, script string) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for statement := range strings.SplitSeq(script, ";") {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// oldFile makes a data file of an older schema and runs statements on it.
func oldFile(t *testing.T, folder string, schema int, script string) {
	t.Helper()
	names, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	before := fstest.MapFS{}
	for _, name := range names[:schema] {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before[filepath.Base(name)] = &fstest.MapFile{Data: script}
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: filepath.Join(folder, sqlstore.FileName), Migrations: before})
	if err != nil {
		t.Fatal(err)
	}
	runAndClose(t, db, script)
}

// Who made the users of before is found in the audit log; one whom it does not
// know is nobody's whom the operator vouches for.
func TestOpen_FindsWhoMadeUsers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const person = "INSERT INTO person (id, email, password, first_name, last_name, locale, timezone, created_at) VALUES "
	const values = ", '', '', '', '', '', '2026-03-04T00:00:00.000Z');"
	const event = "INSERT INTO audit_event (at, kind, account_id, person_id, key_id, client, subject, address, reason, detail) VALUES ('x', 'user_created', '', "
	oldFile(t, folder, 10, person+"('made', 'made'"+values+event+"'made', '', '', '', '', '', '');"+
		person+"('stranger', 'stranger'"+values+event+"'stranger', '', '', '', '', '', 'sign-up');"+
		person+"('invited', 'invited'"+values+
		person+"('00000000-0000-4000-8000-00000000000a', 'owner@localhost'"+strings.TrimSuffix(values, ";"))
	users := open(t, folder).Identity()
	for id, want := range map[string]identity.Origin{
		"made": identity.ByOperator, "stranger": identity.BySignUp, "invited": identity.ByInvitation, "00000000-0000-4000-8000-00000000000a": identity.ByOperator,
	} {
		if u, err := users.User(t.Context(), id); err != nil || u.Origin != want {
			t.Errorf("%s came by %q, %v, want %q", id, u.Origin, err, want)
		}
	}
}
