package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Sizes of the company of the benchmarks. GROWPANEL_BENCH_INVOICES says how many
// invoices it has.
const (
	benchInvoices  = 1_000_000
	benchCustomers = 30_000
	benchBatch     = 10_000
	benchStart     = "2023-01-01"
	benchToday     = "2026-06-30"
)

// bill is one invoice of the company: customers pay
// monthly, change their price now and then, pause, come back, and buy things once.
type bill struct {
	id, customer int
	date, until  time.Time // the period; until is zero for what is bought once
	cents        int
}

// bills calls visit for about n invoices in the order of their dates.
func bills(n int, visit func(bill)) {
	random := rand.New(rand.NewPCG(7, 7))
	start, _ := time.Parse(time.DateOnly, benchStart)
	end, _ := time.Parse(time.DateOnly, benchToday)
	price := make([]int, benchCustomers)
	paused := make([]int, benchCustomers) // months
	id := 0
	for month := 0; id < n; month++ {
		for customer := range benchCustomers {
			date := start.AddDate(0, month%41, customer%28)
			if date.After(end) {
				continue
			}
			switch {
			case month < customer%6:
				continue
			case paused[customer] > 0:
				paused[customer]--
				continue
			case month > 2 && random.IntN(60) == 0:
				paused[customer] = 1 + random.IntN(5)
				continue
			case price[customer] == 0 || random.IntN(12) == 0:
				price[customer] = 900 + 100*random.IntN(90)
			}
			id++
			visit(bill{id, customer, date, date.AddDate(0, 1, 0), price[customer]})
			if random.IntN(20) == 0 {
				id++
				visit(bill{id: id, customer: customer, date: date, cents: 100 + random.IntN(5000)})
			}
		}
		if month == 40 {
			return
		}
	}
}

// companySize is how many invoices the company has.
func companySize(b *testing.B) int {
	b.Helper()
	text := os.Getenv("GROWPANEL_BENCH_INVOICES")
	if text == "" {
		return benchInvoices
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// benchFolder is a data folder with an account.
type benchFolder struct{ path, key string }

func newFolder(b *testing.B) benchFolder {
	b.Helper()
	path := b.TempDir()
	key, err := exec.Command(program("growpanel"), "admin", "create-key", "--account", "Bench", "--data", path).Output()
	if err != nil {
		b.Fatal(err)
	}
	return benchFolder{path, strings.TrimSpace(string(key))}
}

// benchAPI is a running API.
type benchAPI struct {
	url, key string
	stop     func()
}

func startAPI(b *testing.B, folder benchFolder, env ...string) *benchAPI {
	b.Helper()
	log, stop := startUntil(b, cleanEnv(append(env, "GROWPANEL_FX_FEED=off")...), regexp.MustCompile(`url=http://\S+`), program("growpanel"),
		"serve", "api", "--data", folder.path, "--api-listen", "127.0.0.1:0", "--rate-limits", "off", "--now", benchToday)
	return &benchAPI{url: regexp.MustCompile(`url=(http://\S+)`).FindStringSubmatch(log)[1], key: folder.key, stop: stop}
}

func (a *benchAPI) send(b *testing.B, method, path string, body []byte) ([]byte, time.Duration) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, a.url+path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.key)
	begun := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > http.StatusCreated {
		b.Fatalf("%s %s: %d %.300s %v", method, path, response.StatusCode, text, err)
	}
	return text, time.Since(begun)
}

func (a *benchAPI) get(b *testing.B, path string) ([]byte, time.Duration) {
	return a.send(b, http.MethodGet, path, nil)
}

// push sends rows of one kind.
func (a *benchAPI) push(b *testing.B, kind string, rows [][]byte) {
	b.Helper()
	body := append(append([]byte{'['}, bytes.Join(rows, []byte{','})...), ']')
	if text, _ := a.send(b, http.MethodPost, "/data/"+kind+"?echo=errors", body); !bytes.Contains(text, []byte(`"failed":0`)) {
		b.Fatalf("push %s: %.300s", kind, text)
	}
}

// fill pushes the company.
func fill(b *testing.B, n int, api *benchAPI) {
	b.Helper()
	api.send(b, http.MethodPost, "/settings", []byte(`{"churn_grace_days":0}`))
	api.send(b, http.MethodPost, "/data/data-sources", []byte(`{"name":"Bench","type":"api"}`))
	api.push(b, "plans", [][]byte{[]byte(`{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"}`)})
	var rows [][]byte
	flush := func(kind string, most int) {
		if len(rows) > most {
			api.push(b, kind, rows)
			rows = rows[:0]
		}
	}
	for c := range benchCustomers {
		rows = append(rows, fmt.Appendf(nil, `{"id":"c%d","name":"Customer %d","created":"2023-01-01"}`, c, c))
		flush("customers", benchBatch-1)
	}
	flush("customers", 0)
	bills(n, func(i bill) {
		kind := "one_time"
		if !i.until.IsZero() {
			kind = "subscription"
		}
		row := fmt.Appendf(nil, `{"id":"i%d","customer_id":"c%d","type":%q,"invoice_date":%q,"amount":%d,"currency":"usd"`, i.id, i.customer, kind, i.date.Format(time.DateOnly), i.cents)
		if kind == "subscription" {
			row = fmt.Appendf(row, `,"plan_id":"pro","period_start":%q,"period_end":%q`, i.date.Format(time.DateOnly), i.until.Format(time.DateOnly))
		}
		rows = append(rows, append(row, '}'))
		flush("invoices", benchBatch-1)
	})
	flush("invoices", 0)
}
