package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	manyRounds    = 5
	manyWriters   = 4
	manyCustomers = 6 // of one batch
)

// Several writers push at once, correct what they pushed before, and the server
// is killed in the middle, again and again. What was answered is there, what
// was not is there as a whole or not at all, and the reports are those of a
// server that took the same batches one after the other and was never killed.
func TestServe_KilledWhileManyPush(t *testing.T) {
	tried, untried := openAPI(t), openAPI(t)
	stored := make([]int, manyWriters) // batches of each writer that are in the folder
	for round := range manyRounds {
		answered, began := tried.pushUntilKilled(stored, time.Duration(rand.IntN(80_000))*time.Microsecond)
		tried.start()
		paid := tried.payments()
		for writer := range manyWriters {
			for n := range answered[writer] {
				if got := paid.of(writer, n); got != manyCustomers {
					t.Fatalf("round %d: batch %d of writer %d was answered, and %d of %d customers are there", round, n, writer, got, manyCustomers)
				}
			}
			stored[writer] = answered[writer]
			if began[writer] == answered[writer] {
				continue
			}
			switch got := paid.of(writer, answered[writer]); got {
			case 0:
			case manyCustomers:
				stored[writer]++
			default:
				t.Fatalf("round %d: of an unanswered batch of writer %d, %d of %d customers are there", round, writer, got, manyCustomers)
			}
		}
	}
	total := 0
	for writer, batches := range stored {
		tried.mustPush(writer, batches) // its customers may be there without their invoices
		for n := range batches + 1 {
			untried.mustPush(writer, n)
			total++
		}
	}
	if total < manyRounds {
		t.Fatalf("only %d batches came through: the test proves nothing", total)
	}
	for _, report := range []string{
		"/reports/mrr?date=20240101-20251231&breakdown=plan", "/reports/movement-table?date=20240101-20251231&limit=10000",
		"/reports/retention?date=20240101-20251231", "/reports/cohort?date=20240101-20251231", "/customers?limit=500",
	} {
		want := strings.ReplaceAll(untried.must(report, ""), untried.source, "")
		got := strings.ReplaceAll(tried.must(report, ""), tried.source, "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s after the crashes (-clean +tried):\n%s", report, diff)
		}
	}
	t.Logf("%d batches in %d rounds", total, manyRounds)
	for _, api := range []*openedAPI{tried, untried} {
		_ = api.cmd.Process.Kill()
		_ = api.cmd.Wait()
	}
}

// openedAPI is a server with a data source that holds the plans.
type openedAPI struct {
	crashing
	source string
}

func openAPI(t *testing.T) *openedAPI {
	t.Helper()
	folder := t.TempDir()
	key, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "create-key", "--account", "Acme", "--data", folder)
	if err != nil {
		t.Fatal(err)
	}
	api := &openedAPI{crashing: crashing{t: t, folder: folder, key: strings.TrimSpace(key)}}
	api.start()
	var source struct{ ID string }
	decode(t, api.must("/data/data-sources", `{"name":"Billing","type":"api"}`), &source)
	api.source = source.ID
	api.must("/data-sources/"+source.ID+"/plans", `[{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"},
		{"id":"max","name":"Max","interval":"year","interval_count":1,"currency":"usd"}]`)
	return api
}

// manyBatch is what a writer pushes as its batch n: new customers, their
// invoices, and a correction of an invoice of the batch before.
func manyBatch(writer, n int) (customers, invoices string) {
	var people, bills []string
	bill := func(batch, k, amount int) {
		bills = append(bills, fmt.Sprintf(
			`{"id":"inv-%d-%d-%d","customer_id":"cus-%d-%d-%d","type":"subscription","plan_id":%q,"invoice_date":"2024-%02d-%02d","amount":%d}`,
			writer, batch, k, writer, batch, k, []string{"pro", "max"}[k%2], 1+batch%12, 1+k, amount))
	}
	for k := range manyCustomers {
		people = append(people, fmt.Sprintf(`{"id":"cus-%d-%d-%d","name":"Customer %d"}`, writer, n, k, k))
		bill(n, k, 1000+100*k+n)
	}
	if n > 0 {
		bill(n-1, n%manyCustomers, 5000+n)
	}
	return "[" + strings.Join(people, ",") + "]", "[" + strings.Join(bills, ",") + "]"
}

func (api *openedAPI) mustPush(writer, n int) {
	api.t.Helper()
	customers, invoices := manyBatch(writer, n)
	api.must("/data-sources/"+api.source+"/customers", customers)
	api.must("/data-sources/"+api.source+"/invoices", invoices)
}

// pushUntilKilled lets every writer push from its batch in from on, kills the
// server after a while, and returns how many batches of each were answered and
// how many were begun.
func (api *openedAPI) pushUntilKilled(from []int, after time.Duration) (answered, began []int) {
	answered, began = make([]int, manyWriters), make([]int, manyWriters)
	failed := make(chan error, manyWriters)
	var writers sync.WaitGroup
	for writer := range manyWriters {
		writers.Go(func() {
			n := from[writer]
			for ; ; n++ {
				began[writer], answered[writer] = n+1, n
				ok, err := api.tryPush(writer, n)
				if err != nil {
					failed <- err
				}
				if !ok {
					return
				}
			}
		})
	}
	process := api.cmd.Process
	time.AfterFunc(after, func() { _ = process.Kill() })
	writers.Wait()
	_ = api.cmd.Wait() // it was killed
	close(failed)
	for err := range failed {
		api.t.Fatal(err)
	}
	return answered, began
}

var errRefused = errors.New("the push was refused")

// tryPush pushes a batch. It is not ok when there was no answer; an answer that
// is not a success is an error.
func (api *openedAPI) tryPush(writer, n int) (ok bool, err error) {
	customers, invoices := manyBatch(writer, n)
	for _, rows := range []struct{ kind, body string }{{"customers", customers}, {"invoices", invoices}} {
		request, err := http.NewRequestWithContext(api.t.Context(), http.MethodPost, api.url+"/data-sources/"+api.source+"/"+rows.kind, strings.NewReader(rows.body))
		if err != nil {
			return false, err
		}
		request.Header.Set("Authorization", "Bearer "+api.key)
		status, answer := answerTo(request)
		switch status {
		case 0:
			return false, nil // it was killed
		case http.StatusOK:
		default:
			return false, fmt.Errorf("%w: %d %s", errRefused, status, answer)
		}
	}
	return true, nil
}

// answerTo sends a request. The status is 0 when there is no whole answer.
func answerTo(request *http.Request) (status int, answer []byte) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err = io.ReadAll(response.Body); err != nil {
		return 0, nil
	}
	return response.StatusCode, answer
}

// paying is how often each customer has paid, by id.
type paying map[string]int

// of is how many customers of a batch have paid.
func (p paying) of(writer, n int) int {
	count := 0
	for k := range manyCustomers {
		if p[fmt.Sprintf("cus-%d-%d-%d", writer, n, k)] > 0 {
			count++
		}
	}
	return count
}

func (api *openedAPI) payments() paying {
	api.t.Helper()
	paid := paying{}
	for offset := 0; ; {
		var page struct {
			Result struct {
				HasMore bool `json:"has_more"`
				List    []struct {
					ID       string
					Payments int
				}
			}
		}
		if err := json.Unmarshal([]byte(api.must(fmt.Sprintf("/customers?limit=500&offset=%d", offset), "")), &page); err != nil {
			api.t.Fatal(err)
		}
		for _, c := range page.Result.List {
			paid[c.ID] = c.Payments
		}
		if !page.Result.HasMore {
			return paid
		}
		offset += len(page.Result.List)
	}
}
