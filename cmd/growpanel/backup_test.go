package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/storetest"
)

// good runs a command that must succeed and returns its output.
func good(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := command(t, nil, "", args...)
	if code != 0 {
		t.Fatalf("growpanel %s: exit %d, %s", strings.Join(args, " "), code, stderr)
	}
	return strings.TrimSpace(stdout)
}

// bad runs a command that must fail and name what is wrong.
func bad(t *testing.T, want string, args ...string) {
	t.Helper()
	if _, stderr, code := command(t, nil, "", args...); code != 1 || !strings.Contains(stderr, want) {
		t.Errorf("growpanel %s: exit %d, %q, want %q", strings.Join(args, " "), code, stderr, want)
	}
}

func TestBackup_RestoresIntoAnotherFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to, file := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "backup.tar")
	id := good(t, "admin", "create-account", "Acme", "--data", from)
	lock, err := sqldb.LockFolder(from) // as a running server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	if got := good(t, "admin", "backup", file, "--data", from); !strings.HasPrefix(got, "backed up growpanel.db") {
		t.Errorf("said %q", got)
	}
	bad(t, "is there already", "admin", "backup", file, "--data", from)
	bad(t, "is in use", "admin", "restore", file, "--data", from, "--force")
	good(t, "admin", "restore", file, "--data", to)
	if again := good(t, "admin", "create-account", "Acme", "--data", to); again != id {
		t.Errorf("the account is %s, was %s", again, id)
	}
	bad(t, "has data already", "admin", "restore", file, "--data", to)
	other := good(t, "admin", "create-account", "Later", "--data", to)
	said := good(t, "admin", "restore", file, "--data", to, "--force")
	if made := good(t, "admin", "create-account", "Later", "--data", to); made == other {
		t.Error("what came after the backup is still there")
	}
	aside, _, _ := strings.Cut(strings.TrimPrefix(said, "moved what was there to "), "\n")
	if kept := good(t, "admin", "create-account", "Later", "--data", aside); kept != other {
		t.Errorf("what was there is not in %s", aside)
	}
	for _, folder := range []string{dir, to} {
		if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) > 0 {
			t.Errorf("%v was left behind", left)
		}
	}
}

// When customers came in is nowhere but in the data file, and comes back.
func TestBackup_KeepsWhenCustomersCameIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to, file := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "backup.tar")
	good(t, "admin", "create-account", "Acme", "--data", from)
	want := analytics.Row{
		Table: analytics.TableCustomer, Seq: 1, Source: 1, ID: "c", Doc: []byte(`{"id":"c"}`), Received: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC),
	}
	store := openData(t, from)
	if err := store.Analytics().Commit(t.Context(), "a", analytics.Changeset{Insert: []analytics.Row{want}, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	good(t, "admin", "backup", file, "--data", from)
	good(t, "admin", "restore", file, "--data", to)
	store = openData(t, to)
	got, version := storetest.ReadAll(t, store.Analytics(), "a")
	if diff := cmp.Diff([]analytics.Row{want}, got); version != 1 || diff != "" {
		t.Errorf("version %d, customers (-want +got):\n%s", version, diff)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func openData(t *testing.T, folder string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBackup_ADamagedOneReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, file := filepath.Join(dir, "from"), filepath.Join(dir, "backup.tar")
	id := good(t, "admin", "create-account", "Acme", "--data", from)
	good(t, "admin", "backup", file, "--data", from)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(text)
	broken[len(broken)/2] ^= 1
	for name, content := range map[string][]byte{"cut": text[:len(text)/2], "changed": broken, "other": []byte("hello"), "empty": nil} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		bad(t, "restore", "admin", "restore", path, "--data", from, "--force")
	}
	bad(t, "no such file", "admin", "restore", filepath.Join(dir, "none"), "--data", from, "--force")
	bad(t, "no such file", "admin", "backup", filepath.Join(dir, "x.tar"), "--data", filepath.Join(dir, "none"))
	if again := good(t, "admin", "create-account", "Acme", "--data", from); again != id {
		t.Errorf("the account is %s, was %s", again, id)
	}
}

// Connections end with a restore unless they are kept: their tokens may have
// been refreshed since the backup.
func TestBackup_EndsConnections(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		dir := t.TempDir()
		from, to, file := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "backup.tar")
		good(t, "admin", "create-account", "Acme", "--data", from)
		connected := openConnections(t, from)
		family := oauth.Family{ID: oauth.FamilyID{1}, Grant: oauth.Grant{User: "u"}, State: oauth.Pending, EndsAt: time.Now().Add(time.Hour)}
		if err := connected.Reserve(t.Context(), family, []byte("sealed"), time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := connected.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, "secret"), []byte("s"), 0o600); err != nil {
			t.Fatal(err)
		}
		backing, restoring := []string{"admin", "backup", file, "--data", from}, []string{"admin", "restore", file, "--data", to}
		if keep {
			backing, restoring = append(backing, "--include-secret"), append(restoring, "--keep-connections")
		}
		good(t, backing...)
		good(t, restoring...)
		connected = openConnections(t, to)
		families, _, err := connected.Families(t.Context(), "u", 10)
		if err := connected.Close(); err != nil {
			t.Error(err)
		}
		if err != nil || len(families) != 1 || (families[0].State == oauth.Pending) != keep {
			t.Errorf("keep %v: %+v, %v", keep, families, err)
		}
		if _, err := os.Stat(filepath.Join(to, "secret")); (err == nil) != keep {
			t.Errorf("keep %v: the secret: %v", keep, err)
		}
	}
}

func openConnections(t *testing.T, folder string) *oauthsql.Store {
	t.Helper()
	s, err := oauthsql.Open(t.Context(), folder, oauthsql.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDoctor_OfAFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	bad(t, "there is no data", "admin", "doctor", "--data", folder)
	good(t, "admin", "create-account", "Acme", "--data", folder)
	if out := good(t, "admin", "doctor", "--data", folder); strings.Contains(out, "FAIL") || !strings.Contains(out, "growpanel.db is whole") {
		t.Errorf("of a folder that is well:\n%s", out)
	}
	file := filepath.Join(folder, "growpanel.db")
	if err := sqldb.Copy(t.Context(), file, file+".schema-8"); err != nil {
		t.Fatal(err)
	}
	if out := good(t, "admin", "doctor", "--data", folder); !strings.Contains(out, "[growpanel.db.schema-8] are from before") {
		t.Errorf("of a folder with a kept copy:\n%s", out)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if stdout, _, code := command(t, nil, "", "admin", "doctor", "--data", folder); code != 1 || !strings.Contains(stdout, "chmod 600") {
		t.Errorf("of a file that others can read: %d\n%s", code, stdout)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(text); i += 512 {
		text[i] ^= 0xff
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, _, code := command(t, nil, "", "admin", "doctor", "--data", folder); code != 1 || !strings.Contains(stdout, "damaged") {
		t.Errorf("of a damaged file: %d\n%s", code, stdout)
	}
}
