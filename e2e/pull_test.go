package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	pullPages  = 60 // of invoices
	pullRows   = 50 // of a page, each of a customer of its own
	pullKills  = 4
	pullAmount = 12000
)

// A server that is killed in the middle of an import goes on with it when it is
// started again, from about where it was, and ends with every row once.
func TestImport_KilledAtAnyInstant(t *testing.T) {
	var pages atomic.Int64 // of invoices that were asked for
	billing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		if r.URL.Path == "/invoices" {
			pages.Add(1)
			time.Sleep(3 * time.Millisecond)
		}
		_, _ = fmt.Fprint(w, pulledPage(r.URL.Path, page))
	}))
	defer billing.Close()
	folder := t.TempDir()
	key, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "create-key", "--account", "Acme", "--data", folder)
	if err != nil {
		t.Fatal(err)
	}
	api := &crashing{t: t, folder: folder, key: strings.TrimSpace(key), args: []string{"--allow-private-networks", "127.0.0.0/8"}}
	api.start()
	var source struct{ ID string }
	decode(t, api.must("/data/data-sources", `{"name":"Billing","type":"api"}`), &source)
	at := "/data/data-sources/" + source.ID
	api.must(at+"/connect", fmt.Sprintf(`{"endpoint_url":%q,"auth":{"type":"bearer","token":"t"}}`, billing.URL))
	api.must(at+"/full-import", "{}")
	for range pullKills {
		time.Sleep(time.Duration(rand.IntN(150_000)) * time.Microsecond)
		_ = api.cmd.Process.Kill()
		_ = api.cmd.Wait()
		api.start()
	}
	var progress struct {
		Phase, Error   string
		ProcessedCount int
	}
	for end := time.Now().Add(patience); progress.Phase != "done" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		decode(t, api.must(at+"/progress", ""), &progress)
		if progress.Phase == "stuck" {
			break
		}
	}
	want := pullPages * pullRows
	if got := api.subscribers(); progress.Phase != "done" || got != want || progress.ProcessedCount != 2*want+1 {
		t.Errorf("after %d kills: %+v, %d customers pay, want %d", pullKills, progress, got, want)
	}
	if asked := int(pages.Load()); asked > pullPages+2*pullKills {
		t.Errorf("%d pages of invoices were fetched for %d: the import does not go on where it stopped", asked, pullPages)
	}
	_ = api.cmd.Process.Kill()
	_ = api.cmd.Wait()
}

// pulledPage is a page of what the billing system has.
func pulledPage(path string, page int) string {
	if path == "/plans" {
		return `[{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}]`
	}
	var rows []string
	today := time.Now().UTC().Format(time.DateOnly)
	for i := range pullRows {
		id := fmt.Sprintf("%d-%d", page, i)
		row := fmt.Sprintf(`{"id":"cus-%s","name":"Customer %s"}`, id, id)
		if path == "/invoices" {
			row = fmt.Sprintf(`{"id":"inv-%s","customer_id":"cus-%s","type":"subscription","plan_id":"pro","invoice_date":%q,"amount":%d}`, id, id, today, pullAmount)
		}
		rows = append(rows, row)
	}
	return fmt.Sprintf(`{"data":[%s],"has_more":%t}`, strings.Join(rows, ","), page < pullPages)
}
