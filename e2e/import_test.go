package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A client that is killed in the middle of a file goes on with it when it is
// run again with the same checkpoint, and every row is there once.
func TestImportCSV_KilledAndRunAgain(t *testing.T) {
	const rows = 60_000
	folder := t.TempDir()
	var file strings.Builder
	file.WriteString("id;name;custom_tier\n")
	for i := range rows {
		_, _ = fmt.Fprintf(&file, "cus-%05d;Kunde Nr. %d;gold\n", i, i)
	}
	customers, checkpoint := filepath.Join(folder, "customers.csv"), filepath.Join(folder, "checkpoint")
	if err := os.WriteFile(customers, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "create-key", "--account", "Acme", "--data", filepath.Join(folder, "data"))
	if err != nil {
		t.Fatal(err)
	}
	api := &crashing{t: t, folder: filepath.Join(folder, "data"), key: strings.TrimSpace(key)}
	api.start()
	env := cleanEnv("GROWPANEL_API_URL="+api.url, "GROWPANEL_API_KEY="+api.key)
	args := []string{"data", "import", "--create", "Files", "--checkpoint", checkpoint, "--customers", customers}

	client := exec.Command(program("growpanel"), args...)
	client.Env = env
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(checkpoint); err == nil {
			break
		}
	}
	_ = client.Process.Kill()
	_ = client.Wait()
	begun, err := os.ReadFile(checkpoint)
	if err != nil {
		t.Fatalf("the import left no checkpoint: %v", err)
	}

	printed, err := output(t, env, nil, program("growpanel"), args...)
	if err != nil || printed != fmt.Sprintf("%d rows stored, 0 failed, 0 skipped\n", rows) {
		t.Errorf("after the checkpoint %s: %q, %v", begun, printed, err)
	}
	var page struct{ Result struct{ Count int } }
	decode(t, api.must("/data/customers?limit=1", ""), &page)
	var sources struct{ Result []struct{ ID string } }
	decode(t, api.must("/data/data-sources", ""), &sources)
	if page.Result.Count != rows || len(sources.Result) != 1 {
		t.Errorf("%d customers in %d data sources, want %d in one", page.Result.Count, len(sources.Result), rows)
	}
	_ = api.cmd.Process.Kill()
	_ = api.cmd.Wait()
}
