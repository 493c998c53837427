package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// taking answers pushes as the API does, refuses the ids in bad, and fails the
// first times.
type taking struct {
	t        *testing.T
	bad      string
	failures int
	requests []string
	stored   []string
}

func (a *taking) serve(w http.ResponseWriter, r *http.Request) {
	a.requests = append(a.requests, r.Method+" "+r.URL.RequestURI())
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, `{"result":[{"id":"ds_other","name":"Other"}]}`)
		return
	}
	if r.URL.Path == "/data/data-sources" {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"ds_new"}`)
		return
	}
	if a.failures > 0 {
		a.failures--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"busy"}`)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/imported") {
		_, _ = io.WriteString(w, `{"success":true,"id":"ds_new"}`)
		return
	}
	var rows []map[string]any
	if err := json.NewDecoder(r.Body).Decode(&rows); err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	var refused []string
	for _, row := range rows {
		id, _ := row["id"].(string)
		if strings.Contains(a.bad, id) {
			refused = append(refused, fmt.Sprintf(`{"id":%q,"export_status":"error","export_error":"name: is odd"}`, id))
			continue
		}
		a.stored = append(a.stored, id)
	}
	_, _ = fmt.Fprintf(w, `{"success":true,"imported":%d,"failed":%d,"result":[%s]}`, len(rows)-len(refused), len(refused), strings.Join(refused, ","))
}

func TestImport(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "people.csv", "Number;Full name;Tier\nc1;One;gold\nc2;Two;\nc3;Three;\n")
	report := filepath.Join(t.TempDir(), "report.csv")
	api := &taking{t: t, bad: "c2", failures: 1}
	stdout, stderr, err := run(t, api.serve, false, "x", "data", "import", "--create", "Old system", "--customers", file,
		"--map", "id=Number", "--map", "customers.name=Full name", "--map", "custom_tier=Tier", "--report", report)
	if err == nil || !strings.Contains(err.Error(), "1 rows could not be imported") || stdout != "2 rows stored, 1 failed, 0 skipped\n" {
		t.Errorf("%v, output %q", err, stdout)
	}
	if !strings.Contains(stderr, "created data source ds_new") || !strings.Contains(stderr, "people.csv:3 (c2): name: is odd") {
		t.Errorf("told %q", stderr)
	}
	want := "GET /data/data-sources?type=csv,POST /data/data-sources,POST /data-sources/ds_new/customers?echo=errors,POST /data-sources/ds_new/customers?echo=errors,POST /data/data-sources/ds_new/imported"
	if got := strings.Join(api.requests, ","); got != want {
		t.Errorf("requests %s, want %s", got, want)
	}
	if got := strings.Join(api.stored, " "); got != "c1 c3" {
		t.Errorf("stored %s", got)
	}
	if written, err := os.ReadFile(report); err != nil || !strings.HasSuffix(string(written), ",3,c2,,name: is odd\n") {
		t.Errorf("report %q, %v", written, err)
	}
}

func TestImport_WrongInputSendsNothing(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "c.csv", "id,name\nc1,One\n")
	refuse := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) }
	for _, tt := range []struct{ args, want string }{
		{"--customers " + file, "say where to import into"},
		{"--data-source d --create n --customers " + file, "not both"},
		{"--create n --decimals dot --customers " + file, `--decimals "dot": must be point or comma`},
		{"--create n", "name one with --customers"},
		{"--data-source d", "no file"},
		{"--data-source d --customers /nonexistent.csv", "no such file"},
		{"--data-source d --customers /dev/null", "not a regular file"},
		{"--data-source d --customers " + file + " --map id", "must be FIELD=COLUMN"},
		{"--data-source d --customers " + file + " --map amount=x", "no file that is imported has this field"},
		{"--data-source d --customers " + file + " --amounts cents", "must be minor or major"},
		{"--data-source d --customers " + file + " --delimiter ;;", "must be one character"},
		{"--data-source d --customers " + file + " --dates ymd", "must be dmy or mdy"},
		{"--create n --customers " + file + " --preset paddle", "preset"},
		{"--create n --customers " + file + " --map name=Nom", "the file has no such column; it has id, name"},
		{"--create n --invoices " + file, "no column gives the field"},
	} {
		if _, _, err := run(t, refuse, false, "x", append([]string{"data", "import"}, strings.Fields(tt.args)...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.args, err, tt.want)
		}
	}
	if stdout, _, err := run(t, refuse, false, "x", "data", "import", "--dry-run", "--customers", file); err != nil || stdout != "1 rows good, 0 failed, 0 skipped\n" {
		t.Errorf("a dry run: %v, output %q", err, stdout)
	}
}

// A person sees by the totals that amounts were read in the wrong unit.
func TestImport_SaysWhatInvoicesAddUpTo(t *testing.T) {
	t.Parallel()
	refuse := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) }
	const head = "id,customer_id,date,type,amount,currency\n"
	for _, tt := range []struct{ rows, options, want string }{
		{"a,c,2026-01-01,one-time,1200,eur\nb,c,2026-01-01,refund,-200,EUR\nc,c,2026-01-01,one-time,x,eur\n", "", "add up to 10.00 EUR\n"},
		{"a,c,2026-01-01,one-time,1200,eur\nb,c,2026-01-01,one-time,5000,jpy\n", "--amounts major", "add up to 1,200.00 EUR, 5,000 JPY\n"},
		{"a,c,2026-01-01,one-time,1200,\n", "", "add up to 1,200 minor units without a currency\n"},
	} {
		file := writeFile(t, "i.csv", head+tt.rows)
		_, stderr, _ := run(t, refuse, false, "x", append([]string{"data", "import", "--dry-run", "--invoices", file}, strings.Fields(tt.options)...)...)
		if !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: told %q, want %q", tt.options, stderr, tt.want)
		}
	}
	file := writeFile(t, "c.csv", "id,name\nc,C\n")
	if _, stderr, _ := run(t, refuse, false, "x", "data", "import", "--dry-run", "--customers", file); strings.Contains(stderr, "add up") {
		t.Errorf("without invoices: told %q", stderr)
	}
}

func TestImport_ControlCharactersOfFilesStayOutOfTheTerminal(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "c.csv", "id,name,created\n\x1b[31mc1,One,soon\n")
	refuse := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) }
	_, stderr, err := run(t, refuse, true, "x", "data", "import", "--dry-run", "--customers", file)
	if err == nil || strings.Contains(stderr, "\x1b[31m") || !strings.Contains(stderr, "[31mc1") {
		t.Errorf("%v, told %q", err, stderr)
	}
}

func TestImport_ProgressIsForPeople(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "c.csv", "id,name\nc1,One\n")
	for _, tty := range []bool{true, false} {
		api := &taking{t: t}
		_, stderr, err := run(t, api.serve, tty, "x", "data", "import", "--data-source", "d", "--customers", file)
		if err != nil || strings.Contains(stderr, "[##############################] customers: 1 stored, 0 failed") != tty {
			t.Errorf("on a terminal %t: %v, told %q", tty, err, stderr)
		}
	}
}
