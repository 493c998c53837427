package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// csvFiles writes a small company to files and returns their flags.
func csvFiles(t *testing.T) []string {
	t.Helper()
	folder := t.TempDir()
	var flags []string
	for kind, text := range map[string]string{
		"customers": "id,name\nc1,One\nc2,Two\n",
		"plans":     "id;name;interval;currency\np;Pro;month;eur\n",
		"invoices":  "id,customer_id,date,amount,plan\ni1,c1,2026-05-20,\"1.234,50\",p\ni2,c2,2026-05-20,10,p\ni3,c9,2026-05-20,10,p\n",
	} {
		name := filepath.Join(folder, kind+".csv")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--"+kind, name)
	}
	return append(flags, "--amounts", "major", "--currency", "eur")
}

func TestAdmin_Import(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	args := append([]string{"admin", "import", "--account", "Acme", "--data-source", "Old system", "--data", folder}, csvFiles(t)...)

	stdout, stderr, code := command(t, nil, "", append(args, "--dry-run")...)
	if code != 1 || stdout != "5 rows good, 1 failed, 0 skipped\n" || !strings.Contains(stderr, "customer_id is not in the file of customers: c9") {
		t.Errorf("dry run: exit %d, output %q, error %q", code, stdout, stderr)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("the dry run left %v, %v", left, err)
	}

	report := filepath.Join(t.TempDir(), "report.csv")
	for range 2 { // the second time nothing changes
		stdout, stderr, code = command(t, nil, "", append(args, "--report", report)...)
		if code != 1 || stdout != "5 rows stored, 1 failed, 0 skipped\n" || !strings.Contains(stderr, "1 rows could not be imported") {
			t.Errorf("exit %d, output %q, error %q", code, stdout, stderr)
		}
	}
	written, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(written), ",4,i3,customer_id,") {
		t.Errorf("report %q, %v", written, err)
	}

	store, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	accounts, err := store.Identity().AccountsNamed(t.Context(), "Acme", 2)
	if err != nil || len(accounts) != 1 {
		t.Fatalf("accounts %v, %v", accounts, err)
	}
	today := func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	engine := analytics.New(analytics.Config{Store: store.Analytics(), Rows: ingest.Documents{}, Now: today})
	defer engine.Close()
	page, err := engine.Rows(t.Context(), accounts[0].ID, analytics.TableInvoice, analytics.RowFilter{}, 0, 10)
	if err != nil || page.Count != 2 || !strings.Contains(string(page.Rows[0].Doc), `"amount":123450`) {
		t.Errorf("invoices %+v, %v", page, err)
	}
	sources, err := engine.Sources(t.Context(), accounts[0].ID)
	if err != nil || len(sources) != 1 || sources[0].Name != "Old system" || sources[0].Type != analytics.SourceCSV {
		t.Errorf("data sources %+v, %v", sources, err)
	}
}

func TestAdmin_Import_NotBesideAServer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	_, stderr, code := command(t, nil, "", append([]string{"admin", "import", "--account", "Acme", "--data", folder}, csvFiles(t)...)...)
	if code != 1 || !strings.Contains(stderr, "growpanel data import") {
		t.Errorf("exit %d, error %q", code, stderr)
	}
}
