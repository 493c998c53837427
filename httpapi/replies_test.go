package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// busyClient asks for another report while it receives one.
type busyClient struct {
	*httptest.ResponseRecorder
	meanwhile func()
}

func (c busyClient) Write(b []byte) (int, error) {
	c.meanwhile()
	return c.ResponseRecorder.Write(b)
}

func TestReports_BufferIsLentUntilTheAnswerIsSent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	get := func(target string, w http.ResponseWriter) {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Authorization", "Bearer "+a.admin)
		a.server.ServeHTTP(w, r)
	}
	for n := range 20 { // the pool may drop a buffer now and then
		at := "/reports/mrr?date=20250101-20261231&n=" + strconv.Itoa(n)
		another := func(name string) { get("/reports/"+name+"?n="+strconv.Itoa(n), httptest.NewRecorder()) }
		computed := busyClient{httptest.NewRecorder(), func() { another("summary") }}
		get(at, computed)
		another("retention")
		kept := httptest.NewRecorder()
		get(at, kept)
		if got, want := computed.Body.String(), kept.Body.String(); got != want {
			t.Fatalf("sent %.300s, kept %.300s", got, want)
		}
	}
}

// goneClient hangs up before it receives anything.
type goneClient struct{ *httptest.ResponseRecorder }

func (goneClient) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// asked is a company, all reports about it, and their answers when nobody else asks.
type asked struct {
	company
	targets, answers []string
}

// asks sends a request with the company's key.
func (q *asked) asks(a *api, method, target string, w http.ResponseWriter) {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Authorization", "Bearer "+q.key)
	a.server.ServeHTTP(w, r)
}

func (q *asked) get(a *api, target string) string {
	w := httptest.NewRecorder()
	q.asks(a, http.MethodGet, target, w)
	return fmt.Sprintln(w.Code, w.Body)
}

// asked founds a company, with an invoice that is not collected and a refund of
// an amount.
func (a *api) asked(t *testing.T, key, name string, amount int) *asked {
	t.Helper()
	q := &asked{company: a.found(t, key, name)}
	a.ok(t, key, "POST", "/data-sources/"+q.source+"/invoices", strings.NewReplacer("NAME", name, "AMOUNT", strconv.Itoa(amount)).Replace(`[
		{"id":"late","customer_id":"NAME-2","type":"subscription","status":"failed","invoice_date":"2026-05-12","amount":AMOUNT,"currency":"usd","plan_id":"NAME-pro"},
		{"id":"back","customer_id":"NAME-1","type":"refund","invoice_date":"2026-05-28","amount":AMOUNT,"currency":"usd","refund_of":"NAME-i2"}]`))
	for _, op := range openapi.Operations() {
		kind, _, _ := strings.Cut(op.Path[1:], "/")
		if op.Method != http.MethodGet || !slices.Contains([]string{"reports", "customers", "plans"}, kind) {
			continue
		}
		at := target(op, name+"-1") + "?date=20250101-20261231&interval=month&limit=50" + map[string]string{
			"/reports/custom-variables": "&key=tier", "/reports/mrr-subtypes": "&type=churn",
		}[op.Path]
		q.targets = append(q.targets, at)
		q.answers = append(q.answers, q.get(a, at))
		if answer := q.answers[len(q.answers)-1]; !strings.HasPrefix(answer, "200 ") {
			t.Fatalf("%s: %s", at, answer)
		}
	}
	return q
}

// askAll asks for every report three times. Clients of the same turn ask alike, so
// that some answers are computed and some kept, and some hang up and ask again.
func (q *asked) askAll(t *testing.T, a *api, turn, client int) {
	for n := range 3 * len(q.targets) {
		i := (n*7 + client*5) % len(q.targets)
		at := q.targets[i] + "&n=" + strconv.Itoa(3*turn+n/len(q.targets))
		switch n % 5 {
		case 0:
			q.asks(a, http.MethodGet, at, goneClient{httptest.NewRecorder()})
		case 1:
			q.asks(a, http.MethodHead, at, httptest.NewRecorder())
		}
		if got := q.get(a, at); got != q.answers[i] {
			t.Errorf("%s of %s: got %.300s, alone %.300s", at, q.name, got, q.answers[i])
			return
		}
	}
}

// Accounts share buffers and the memory for answers, and nothing that is in them.
func TestLaw_AnswersAtOnceAreThoseOfTheirAccounts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	_, other, _ := a.newAccount(t, "Other")
	both := []*asked{a.asked(t, a.admin, "Alpha", 500), a.asked(t, other, "LongerByFar", 1700)}
	differ := 0
	for i := range both[0].answers {
		if both[0].answers[i] != both[1].answers[i] {
			differ++
		}
	}
	if len(both[0].answers) < 40 || differ < 20 {
		t.Fatalf("%d reports, of which %d tell the accounts apart", len(both[0].answers), differ)
	}
	var clients sync.WaitGroup
	for client := range 16 {
		clients.Go(func() { both[client%2].askAll(t, a, client/4, client/2) })
	}
	clients.Wait()
}
