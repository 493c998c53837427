package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// command runs a command line in a process of its own making.
func command(t *testing.T, env map[string]string, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	p := testProcess(env)
	p.in, p.out, p.err = strings.NewReader(stdin), &out, &errs
	code = p.run(t.Context(), args)
	return out.String(), errs.String(), code
}

// testProcess reads the given environment alone, and the wall clock.
func testProcess(env map[string]string) process {
	return process{
		in: strings.NewReader(""), now: time.Now,
		config: func(flags map[string]string) config.Source {
			return config.Source{Flags: flags, Lookup: func(name string) (string, bool) {
				value, ok := env[name]
				return value, ok
			}}
		},
	}
}

// authenticate asks a data folder whom a key belongs to.
func authenticate(t *testing.T, folder, key string) (identity.Caller, error) {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), folder) //nolint:usetesting // closed by Cleanup, after the test's context
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	return testProcess(nil).identity(store).Authenticate(t.Context(), key)
}

func TestAdmin_CreateKey(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	id, stderr, code := command(t, nil, "", "admin", "create-account", "Acme", "--data", folder)
	if code != 0 {
		t.Fatalf("create-account exited with %d: %s", code, stderr)
	}
	key, stderr, code := command(t, map[string]string{"GROWPANEL_DATA": folder}, "", "admin", "create-key", "--account", "Acme", "--role", "readonly")
	if code != 0 || stderr != "" {
		t.Fatalf("create-key exited with %d: %s", code, stderr)
	}
	caller, err := authenticate(t, folder, strings.TrimSuffix(key, "\n"))
	if err != nil {
		t.Fatalf("the printed line %q is not a key: %v", key, err)
	}
	if caller.Role != identity.Readonly || caller.Account != strings.TrimSpace(id) {
		t.Errorf("the key is of %+v, want readonly in account %s", caller, id)
	}
}

func TestAdmin_CreateKey_WrongRoleCreatesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	stdout, stderr, code := command(t, nil, "", "admin", "create-key", "--account", "Acme", "--role", "boss", "--data", folder)
	if code != 1 || stdout != "" || !strings.Contains(stderr, `"boss" is not one of admin, readonly`) {
		t.Errorf("exit %d, output %q, error %q", code, stdout, stderr)
	}
	store, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := store.Identity().AccountsNamed(t.Context(), "Acme", 1)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || len(accounts) != 0 {
		t.Errorf("accounts = %v, %v, want none", accounts, err)
	}
}

func TestAdmin_ImportRates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "rates.csv")
	if err := os.WriteFile(file, []byte("date,base,quote,rate\n2026-01-30,eur,usd,1.08\n2026-01-31,eur,usd,1.0796\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := command(t, nil, "", "admin", "fx", "import", file, "--data", folder)
	if code != 0 || stdout != "imported 2 rates\n" {
		t.Errorf("exit %d, output %q, error %q", code, stdout, stderr)
	}
	tests := []struct{ name, in, want string }{
		{name: "a bad line is named", in: "2026-01-31,eur,usd,1.08\n2026-01-31,eur,usd,one\n", want: "-: line 2: "},
		{name: "an empty file", in: "", want: "expected lines of date,base,quote,rate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := command(t, nil, tt.in, "admin", "fx", "import", "-", "--data", folder)
			if code != 1 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit %d, output %q, error %q, want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

func TestAdmin_RatesStatus(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	status := func() string {
		t.Helper()
		stdout, stderr, code := command(t, nil, "", "admin", "fx", "status", "--data", folder)
		if code != 0 || stderr != "" {
			t.Errorf("exit %d, error %q", code, stderr)
		}
		return stdout
	}
	if got := status(); !strings.Contains(got, "not asked yet") || !strings.Contains(got, "no exchange rates") {
		t.Errorf("of an empty folder: %s", got)
	}
	rates := "2020-01-30,eur,usd,1.08\n2020-01-31,eur,usd,1.0796\n" + time.Now().UTC().Format(time.DateOnly) + ",eur,jpy,161\n"
	if _, stderr, code := command(t, nil, rates, "admin", "fx", "import", "-", "--data", folder); code != 0 {
		t.Fatal(stderr)
	}
	lines := strings.Split(status(), "\n")
	if len(lines) != 5 || strings.Contains(lines[2], "too old") || !strings.HasPrefix(lines[2], "eur   jpy    1 ") ||
		strings.Join(strings.Fields(lines[3]), " ") != "eur usd 2 2020-01-30 2020-01-31 too old for today" {
		t.Errorf("of two pairs:\n%s", strings.Join(lines, "\n"))
	}
}

func TestRun_WrongUse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{name: "unknown command", args: []string{"report"}, want: `unknown command "report"`},
		{name: "unknown flag", args: []string{"serve", "--redis"}, want: "unknown flag: --redis"},
		{name: "no command", want: "choose one of the commands above"},
		{name: "wrong value of a switch", args: []string{"serve", "--fx-feed=maybe"}, want: `--fx-feed "maybe": want on or off`},
		{name: "wrong value", args: []string{"serve", "--api-listen", "8081"}, want: `--api-listen "8081": want host:port`},
		{name: "no account", args: []string{"admin", "create-key"}, want: `required flag(s) "account" not set`},
		{name: "no upstream", args: []string{"serve", "mcp"}, want: "GROWPANEL_API_URL: want the origin of the REST API"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := command(t, nil, "", tt.args...)
			if code != 1 || stdout != "" || !strings.Contains(stderr, "Error: "+tt.want) {
				t.Errorf("exit %d, output %q, error %q, want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if stdout, _, code := command(t, nil, "", "version"); code != 0 || stdout != "growpanel "+version+"\n" {
		t.Errorf("exit %d, output %q", code, stdout)
	}
	for _, flag := range []string{"--version", "-V"} {
		if stdout, _, code := command(t, nil, "", flag); code != 0 || stdout != "growpanel version "+version+"\n" {
			t.Errorf("%s: exit %d, output %q", flag, code, stdout)
		}
	}
}

// A quote in a setting's text would make a word of it the name of the value.
func TestServe_HelpNamesValues(t *testing.T) {
	t.Parallel()
	stdout, _, _ := command(t, nil, "", "serve", "--help")
	for _, want := range []string{"--redis-url URL ", "--data DIR ", "--fx-feed[=on] "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("help lacks %q:\n%s", want, stdout)
		}
	}
}
