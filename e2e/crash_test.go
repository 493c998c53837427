package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	crashRounds = 6
	crashBatch  = 40 // customers whose first invoice is in one push
)

// A server that is killed keeps every push that it answered, and of the one it
// was at, all or nothing.
func TestServe_KilledAtAnyInstant(t *testing.T) {
	folder := t.TempDir()
	key, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "create-key", "--account", "Acme", "--data", folder)
	if err != nil {
		t.Fatal(err)
	}
	api := &crashing{t: t, folder: folder, key: strings.TrimSpace(key)}
	api.start()
	var source struct{ ID string }
	decode(t, api.must("/data/data-sources", `{"name":"Billing","type":"api"}`), &source)
	api.must("/data-sources/"+source.ID+"/plans", `{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}`)

	stored := 0 // batches known to be in the data folder
	for round := range crashRounds {
		acknowledged := stored
		if !api.push(source.ID, acknowledged) {
			t.Fatal("the server does not answer")
		}
		wait := time.Duration(rand.IntN(60_000)) * time.Microsecond
		process := api.cmd.Process
		time.AfterFunc(wait, func() { _ = process.Kill() })
		for acknowledged++; api.push(source.ID, acknowledged); {
			acknowledged++
		}
		_ = api.cmd.Wait() // it was killed
		api.start()
		customers := api.subscribers()
		stored = customers / crashBatch
		if customers%crashBatch != 0 || stored < acknowledged || stored > acknowledged+1 {
			t.Fatalf("round %d, killed after %v: %d pushes of %d customers were answered, and %d customers are there",
				round, wait, acknowledged, crashBatch, customers)
		}
	}
	_ = api.cmd.Process.Kill()
	_ = api.cmd.Wait()
}

// crashing is a server that is killed and started again on one data folder.
type crashing struct {
	t           *testing.T
	folder, key string
	args        []string // further ones
	url         string
	cmd         *exec.Cmd
}

func (c *crashing) start() {
	c.t.Helper()
	args := append([]string{"serve", "api", "--data", c.folder, "--api-listen", "127.0.0.1:0", "--rate-limits", "off"}, c.args...)
	c.cmd = exec.Command(program("growpanel"), args...)
	c.cmd.Env = cleanEnv()
	log, err := c.cmd.StderrPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	listening := regexp.MustCompile(`url=(http://\S+)`)
	for lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			c.url = match[1]
			go func() { _, _ = io.Copy(io.Discard, log) }() // ends with the process
			return
		}
	}
	c.t.Fatal("the server ended before it was ready")
}

// push sends one batch: its customers, then an invoice for each. It reports
// whether the invoices were answered.
func (c *crashing) push(source string, batch int) bool {
	var customers, invoices []string
	for i := range crashBatch {
		id := fmt.Sprintf("cus_%d_%d", batch, i)
		customers = append(customers, fmt.Sprintf(`{"id":%q,"name":%q}`, id, id))
		invoices = append(invoices, fmt.Sprintf(`{"id":"inv_%s","customer_id":%q,"type":"subscription","plan_id":"pro","invoice_date":%q,"amount":12000}`,
			id, id, time.Now().UTC().Format(time.DateOnly)))
	}
	if _, err := c.send("/data-sources/"+source+"/customers", "["+strings.Join(customers, ",")+"]"); err != nil {
		return false
	}
	_, err := c.send("/data-sources/"+source+"/invoices", "["+strings.Join(invoices, ",")+"]")
	return err == nil
}

// send returns the answer, or an error when there was none.
func (c *crashing) send(path, body string) (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		c.t.Fatalf("%s %s = %d %s", method, path, response.StatusCode, answer)
	}
	return string(answer), err
}

func (c *crashing) must(path, body string) string {
	c.t.Helper()
	answer, err := c.send(path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// subscribers is how many customers have paid: one per invoice that is there.
func (c *crashing) subscribers() int {
	c.t.Helper()
	var report struct {
		Summary struct {
			Subscribers int `json:"subscribers_current"`
		}
	}
	if err := json.Unmarshal([]byte(c.must("/reports/summary", "")), &report); err != nil {
		c.t.Fatal(err)
	}
	return report.Summary.Subscribers
}
