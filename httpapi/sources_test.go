package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/jobs"
)

// endpoint is a billing system that data sources fetch from.
type endpoint struct {
	*httptest.Server
	release chan struct{}

	mu       sync.Mutex
	requests []string
	serve    http.HandlerFunc
}

// pages are what an endpoint answers, by path and query; "" for what is not in
// it.
type pages map[string]string

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{release: make(chan struct{})}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.requests = append(e.requests, r.URL.RequestURI())
		serve := e.serve
		e.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(e.Close)
	t.Cleanup(func() { close(e.release) })
	e.answer(pages{})
	return e
}

func (e *endpoint) handle(serve http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serve, e.requests = serve, nil
}

func (e *endpoint) answer(p pages) {
	e.handle(func(w http.ResponseWriter, r *http.Request) {
		body, ok := p[r.URL.RequestURI()]
		if !ok {
			body = p[""]
		}
		if body == "" {
			body = "[]"
		}
		_, _ = fmt.Fprint(w, body)
	})
}

// hang keeps every request until the client goes away or the test ends.
func (e *endpoint) hang() {
	e.handle(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-e.release:
		}
	})
}

func (e *endpoint) seen() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

// newConnected creates a data source that fetches from a URL.
func (a *api) newConnected(t testing.TB, url string) string {
	t.Helper()
	id := a.newSource(t, "Fetched")
	a.ok(t, a.admin, "POST", "/data/data-sources/"+id+"/connect", fmt.Sprintf(`{"endpoint_url":%q}`, url))
	return id
}

// imported starts an import and waits until it rests.
func (a *api) imported(t testing.TB, source string) reply {
	t.Helper()
	a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/full-import", "")
	return a.rested(t, source)
}

func (a *api) rested(t testing.TB, source string) reply {
	t.Helper()
	var got reply
	eventually(t, "the import ends", func() bool {
		got = a.ok(t, a.readonly, "GET", "/data/data-sources/"+source+"/progress", "")
		return got.text("phase") != "enqueueing" && got.text("phase") != "processing"
	})
	return got
}

// eventually waits until something is so. Its limit is no measure of speed.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

const (
	pulledCustomers = `{"data":[{"id":"c1","name":"One"},{"id":"c2","name":"Two"}],"has_more":false}`
	pulledPlans     = `[{"id":"p","name":"P","interval":"month","interval_count":1,"currency":"usd"}]`
)

func pulledInvoice(id, customer string, amount int) string {
	return fmt.Sprintf(`{"id":%q,"customer_id":%q,"type":"subscription","invoice_date":"2026-06-01","amount":%d,"plan_id":"p"}`, id, customer, amount)
}

func TestSources_AFullImportFetchesEveryPageInOrder(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	e := newEndpoint(t)
	e.answer(pages{
		"/api/customers?tenant=7": pulledCustomers, "/api/plans?tenant=7": pulledPlans,
		"/api/invoices?tenant=7":        `{"data":[` + pulledInvoice("i1", "c1", 9900) + `],"has_more":true}`,
		"/api/invoices?page=2&tenant=7": `{"has_more":true,"data":[` + pulledInvoice("i2", "c2", 100) + `,` + pulledInvoice("i3", "nobody", 1) + `]}`,
		"/api/invoices?page=3&tenant=7": `{"data":[],"has_more":true}`,
	})
	source := a.newConnected(t, e.URL+"/api/?tenant=7")
	got := a.imported(t, source)
	if got.text("phase") != "done" || got.number("enqueuedCount") != 6 || got.number("processedCount") != 5 || got.number("failedCount") != 1 || got.at("error") != nil {
		t.Errorf("progress %s", got.raw)
	}
	if f := got.at("failures", 0); got.text("failures", 0, "id") != "i3" || got.number("failures", 0, "page") != 2 || got.number("failures", 0, "index") != 1 {
		t.Errorf("failure %v", f)
	}
	want := "/api/customers?tenant=7 /api/plans?tenant=7 /api/invoices?tenant=7 /api/invoices?page=2&tenant=7 /api/invoices?page=3&tenant=7"
	if seen := strings.Join(e.seen(), " "); seen != want {
		t.Errorf("requests %s\nwant     %s", seen, want)
	}
	if mrr := a.mrr(t, a.admin); mrr != 10000 {
		t.Errorf("MRR %v, want 10000", mrr)
	}
	again := a.imported(t, source)
	if mrr := a.mrr(t, a.admin); again.text("phase") != "done" || mrr != 10000 {
		t.Errorf("a second run: %s, MRR %v", again.raw, mrr)
	}
	list := a.ok(t, a.admin, "GET", "/data/data-sources", "")
	if list.text("result", 0, "import_status") != "done" || list.at("result", 0, "import_started") == nil {
		t.Errorf("list %s", list.raw)
	}
}

func TestSources_AStuckImportSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed to another host, with %v", r.Header)
	}))
	t.Cleanup(elsewhere.Close)
	same := `{"data":[` + pulledInvoice("i1", "c1", 9900) + `],"has_more":true}`
	for name, tt := range map[string]struct {
		invoices http.HandlerFunc
		code     string
		text     string // part of the error
		page     float64
		final    bool
	}{
		"the same page again": {said(200, same), "pagination_not_advancing", "invoices, page 2: the endpoint sent the same rows", 2, true},
		"credentials refused": {said(401, "bad token\nsecret stack"), "endpoint_unauthorized", "invoices, page 1: the endpoint answered 401 Unauthorized: bad token", 1, true},
		"not there":           {said(404, ""), "endpoint_error", "404 Not Found", 1, true},
		"down":                {said(503, "<h1>down</h1>"), "endpoint_error", "503 Service Unavailable", 1, false},
		"too many requests":   {said(429, ""), "endpoint_error", "429", 1, false},
		"not JSON":            {said(200, "<html>"), "page_malformed", `want {"data": [...]`, 1, false},
		"no rows":             {said(200, `{"error":"none"}`), "page_malformed", `want {"data": [...]`, 1, false},
		"has_more is a word":  {said(200, `{"data":[],"has_more":"yes"}`), "page_malformed", "has_more must be true or false", 1, false},
		"a page without end":  {endless, "page_too_large", "20 MiB", 1, true},
		"too many rows":       {said(200, "["+strings.Repeat("{},", 10_000)+"{}]"), "page_too_large", "10000 rows", 1, true},
		"the line breaks": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte("["))
		}, "endpoint_unreachable", "does not answer", 1, false},
		"a redirect elsewhere": {http.RedirectHandler(elsewhere.URL+"/x", http.StatusFound).ServeHTTP, "redirect_to_another_host", "is not followed", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, e := newAPI(t), newEndpoint(t)
			e.handle(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/customers":
					_, _ = fmt.Fprint(w, pulledCustomers)
				case "/plans":
					_, _ = fmt.Fprint(w, pulledPlans)
				default:
					tt.invoices(w, r)
				}
			})
			source := a.newConnected(t, e.URL)
			a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"auth":{"type":"bearer","token":"hunter2"}}`)
			got := a.imported(t, source)
			if got.text("phase") != "stuck" || got.text("code") != tt.code || !strings.Contains(got.text("error"), tt.text) || got.number("page") != tt.page || got.text("type") != "invoices" {
				t.Errorf("progress %s, want %s and %q at page %v", got.raw, tt.code, tt.text, tt.page)
			}
			if (got.at("retryAt") == nil) != tt.final || strings.Contains(string(got.raw), "hunter2") {
				t.Errorf("progress %s, final %v", got.raw, tt.final)
			}
			if got := a.ok(t, a.admin, "GET", "/data/customers", ""); got.number("result", "count") != 2 {
				t.Errorf("what came before is not stored: %s", got.raw)
			}
			// Run again, it does no harm and ends well once the endpoint is mended.
			if !tt.final {
				a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/abort", "")
			}
			e.answer(pages{"/customers": pulledCustomers, "/plans": pulledPlans, "/invoices": "[" + pulledInvoice("i1", "c1", 9900) + "]"})
			if got := a.imported(t, source); got.text("phase") != "done" || a.mrr(t, a.admin) != 9900 {
				t.Errorf("after mending: %s, MRR %v", got.raw, a.mrr(t, a.admin))
			}
		})
	}
}

func said(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// endless sends rows until nobody listens.
func endless(w http.ResponseWriter, _ *http.Request) {
	_, err := w.Write([]byte("["))
	block := []byte(strings.Repeat(`{"id":"x","customer_id":"c1"},`, 10_000))
	for err == nil {
		_, err = w.Write(block)
	}
}

func TestSources_AFlakyEndpointIsTriedAgain(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	tries := map[string]int{}
	e.handle(func(w http.ResponseWriter, r *http.Request) {
		if tries[r.URL.Path]++; tries[r.URL.Path] < 3 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprint(w, map[string]string{"/customers": pulledCustomers, "/plans": pulledPlans, "/invoices": "[" + pulledInvoice("i", "c1", 100) + "]"}[r.URL.Path])
	})
	if got := a.imported(t, a.newConnected(t, e.URL)); got.text("phase") != "done" || got.number("processedCount") != 4 || got.number("attempt") != 1 {
		t.Errorf("progress %s", got.raw)
	}
}

func TestSources_AnImportGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	broken := pages{
		"/customers": pulledCustomers, "/plans": pulledPlans, "/invoices": `{"data":[` + pulledInvoice("i1", "c1", 9900) + `],"has_more":true}`,
		"/invoices?page=2": `gateway time-out`,
	}
	e.answer(broken)
	source := a.newConnected(t, e.URL)
	if got := a.imported(t, source); got.text("phase") != "stuck" || got.number("page") != 2 {
		t.Fatalf("progress %s", got.raw)
	}
	e.answer(pages{"/invoices?page=2": "[" + pulledInvoice("i2", "c2", 100) + "]"})
	a.pass(time.Hour)
	var got reply
	eventually(t, "the import is done", func() bool {
		got = a.ok(t, a.admin, "GET", "/data/data-sources/"+source+"/progress", "")
		return got.text("phase") == "done"
	})
	if seen := strings.Join(e.seen(), " "); seen != "/invoices?page=2" || a.mrr(t, a.admin) != 10000 {
		t.Errorf("progress %s, requests %s, MRR %v", got.raw, seen, a.mrr(t, a.admin))
	}
}

// An endpoint without pages gives the same rows for every number, so a type that
// is done must not be asked for again.
func TestSources_AnImportThatIsInterruptedBetweenTypesGoesOn(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	at := make(chan struct{}, 100)
	unpaged := func(hang string) {
		e.handle(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == hang {
				at <- struct{}{}
				<-r.Context().Done()
				return
			}
			switch r.URL.Path {
			case "/customers":
				_, _ = fmt.Fprint(w, pulledCustomers)
			case "/plans":
				_, _ = fmt.Fprint(w, pulledPlans)
			default:
				_, _ = fmt.Fprint(w, "["+pulledInvoice("i1", "c1", 9900)+"]")
			}
		})
	}
	unpaged("/plans")
	source := a.newConnected(t, e.URL)
	a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/full-import", "")
	<-at
	a.stopJobs()
	unpaged("")
	a.runJobs(t, func() time.Time { return time.Unix(a.clock.Load(), 0).UTC() }, slog.New(slog.DiscardHandler))
	got := a.rested(t, source)
	if seen := strings.Join(e.seen(), " "); got.text("phase") != "done" || seen != "/plans /invoices" || got.number("processedCount") != 4 {
		t.Errorf("progress %s, requests after the restart %s", got.raw, seen)
	}
}

func TestSources_ResyncFetchesAgain(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	a.found(t, a.admin, "Alpha")
	wantJSON(t, a.ok(t, a.admin, "POST", "/customers/Alpha-1/resync", ""), `{"success":true,"id":"Alpha-1","status":"done"}`)
	if got := a.do(t, a.admin, "POST", "/customers/nobody/resync", ""); got.status != 404 {
		t.Errorf("of nobody: %d %s", got.status, got.raw)
	}
	e.answer(pages{"/customers": pulledCustomers})
	source := a.newConnected(t, e.URL)
	a.imported(t, source)
	e.answer(pages{"/customers": strings.Replace(pulledCustomers, "One", "Renamed", 1)})
	wantJSON(t, a.ok(t, a.admin, "POST", "/customers/c1/resync", ""), `{"success":true,"id":"c1","status":"queued"}`)
	a.rested(t, source)
	if got := a.ok(t, a.admin, "GET", "/customers/c1", "").text("name"); got != "Renamed" {
		t.Errorf("after the resync the customer is %q", got)
	}
}

// A customer without a date of creation is a lead of the day on which its row
// first came in, and remains it when an import or a push brings it again.
func TestSources_WhatIsFetchedAgainKeepsTheDayOnWhichItCame(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	e := newEndpoint(t)
	e.answer(pages{"/customers": pulledCustomers})
	source := a.newConnected(t, e.URL)
	a.imported(t, source)
	came := time.Unix(a.clock.Load(), 0).UTC()
	first := a.ok(t, a.readonly, "GET", "/customers", "")
	if got := first.text("result", "list", 0, "created_date"); got != came.Format(time.RFC3339) {
		t.Errorf("created_date %s, want that of the import, %s", got, came)
	}
	a.pass(40 * 24 * time.Hour)
	e.answer(pages{"/customers": `[{"id":"c1","name":"One"},{"id":"c2","name":"Renamed"},{"id":"c3","name":"Three"}]`})
	a.imported(t, source)
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers", `[{"id":"c1","name":"One Ltd"}]`)
	a.ok(t, a.admin, "PUT", "/data/customers/c2", `{"country":"dk"}`)
	days := came.Format(time.DateOnly)
	table := a.ok(t, a.readonly, "GET", "/reports/leads-table?sort=customer_name&order=asc&date="+days, "")
	if got := fmt.Sprint(table.text("result", "list", 0, "name"), table.text("result", "list", 1, "name"), table.number("result", "count")); got != "One LtdRenamed2" {
		t.Errorf("leads of %s: %s", days, table.raw)
	}
	if got := a.ok(t, a.readonly, "GET", "/reports/leads-summary", "").number("summary", "leads_30"); got != 1 {
		t.Errorf("%v leads in 30 days, want the third customer alone", got)
	}
	raw := a.ok(t, a.readonly, "GET", "/data/customers/c1", "")
	if raw.at("created_date") != nil {
		t.Errorf("the raw row states %v, and was pushed without", raw.at("created_date"))
	}
}

func TestSources_AbortEndsAnImport(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	e.hang()
	source := a.newConnected(t, e.URL)
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/sync", "")
	if got := a.do(t, a.admin, "POST", "/data/data-sources/"+source+"/full-import", ""); got.status != 409 || got.text("code") != "import_running" {
		t.Errorf("a second import beside the first: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/abort", "")
	if got := a.rested(t, source); got.text("phase") != "aborted" {
		t.Errorf("progress %s", got.raw)
	}
	if got := a.do(t, a.admin, "POST", "/data/data-sources/"+source+"/abort", ""); got.status != 409 || got.text("code") != "no_import" {
		t.Errorf("abort of nothing: %d %s", got.status, got.raw)
	}
}

func TestSources_ResetAndDelete(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	kept := a.found(t, a.admin, "Alpha")
	mrr := a.mrr(t, a.admin)
	e.answer(pages{"/customers": pulledCustomers, "/plans": pulledPlans, "/invoices": "[" + pulledInvoice("i", "c1", 5000) + "]"})
	source := a.newConnected(t, e.URL)
	a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"schedule":"daily"}`)
	a.imported(t, source)
	if got := a.mrr(t, a.admin); got != mrr+5000 {
		t.Fatalf("MRR %v, want %v", got, mrr+5000)
	}
	e.hang()
	a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/full-import", "")
	a.ok(t, a.admin, "POST", "/data/data-sources/"+source+"/reset", "") // ends the import as well
	if got := a.ok(t, a.admin, "GET", "/data/customers?data_source="+source, ""); got.number("result", "count") != 0 || a.mrr(t, a.admin) != mrr {
		t.Errorf("after the reset: %s, MRR %v", got.raw, a.mrr(t, a.admin))
	}
	detail := a.ok(t, a.admin, "GET", "/data/data-sources/"+source, "")
	if detail.text("config", "schedule") != "daily" || detail.at("import_status") != nil {
		t.Errorf("after the reset: %s", detail.raw)
	}
	before := len(a.ok(t, a.admin, "GET", "/account/api-keys", "").list("result", "list"))
	a.ok(t, a.admin, "DELETE", "/data/data-sources/"+source, "")
	if after := len(a.ok(t, a.admin, "GET", "/account/api-keys", "").list("result", "list")); after != before-1 {
		t.Errorf("%d keys after deleting a data source with its own, want %d", after, before-1)
	}
	for _, at := range []string{"GET /data/data-sources/", "DELETE /data/data-sources/", "GET /data-sources/"} {
		method, path, _ := strings.Cut(at, " ")
		if got := a.do(t, a.admin, method, path+source, ""); got.status != 404 {
			t.Errorf("%s: %d %s", at, got.status, got.raw)
		}
	}
	if got := a.ok(t, a.admin, "GET", "/data/data-sources", ""); len(got.list("result")) != 1 || got.text("result", 0, "id") != kept.source {
		t.Errorf("left: %s", got.raw)
	}
}

func TestSources_CredentialsAreKeptAndNeverShown(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	var mu sync.Mutex
	var got http.Header
	e.handle(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = r.Header.Clone()
		_, _ = fmt.Fprint(w, "[]")
	})
	source := a.newConnected(t, e.URL)
	for _, tt := range []struct{ auth, header, want, shown string }{
		{`{"type":"bearer","token":"hunter2"}`, "Authorization", "Bearer hunter2", `{"header_name":null,"secret_set":true,"type":"bearer","username":null}`},
		{`{"type":"basic","username":"me","password":"hunter2"}`, "Authorization", "Basic bWU6aHVudGVyMg==", `{"header_name":null,"secret_set":true,"type":"basic","username":"me"}`},
		{`{"type":"header","header_name":"x-api-key","header_value":"hunter2"}`, "X-Api-Key", "hunter2", `{"header_name":"X-Api-Key","secret_set":true,"type":"header","username":null}`},
		{`{"type":"none"}`, "Authorization", "", `{"header_name":null,"secret_set":false,"type":"none","username":null}`},
	} {
		put := a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"auth":`+tt.auth+`}`)
		shown, err := json.Marshal(put.at("config", "auth"))
		if err != nil || string(shown) != tt.shown || strings.Contains(string(put.raw), "hunter2") {
			t.Errorf("%s is shown as %s", tt.auth, put.raw)
		}
		a.imported(t, source)
		mu.Lock()
		if got.Get(tt.header) != tt.want {
			t.Errorf("%s is sent as %v", tt.auth, got)
		}
		mu.Unlock()
	}
	// They stay for another path and go with another host.
	a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"auth":{"type":"bearer","token":"hunter2"}}`)
	a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, fmt.Sprintf(`{"endpoint_url":"%s/v2","name":"Renamed"}`, e.URL))
	if got := a.ok(t, a.admin, "GET", "/data/data-sources/"+source, ""); got.at("config", "auth", "secret_set") != true || got.text("name") != "Renamed" {
		t.Errorf("on another path: %s", got.raw)
	}
	for _, url := range []string{strings.Replace(e.URL, "127.0.0.1", "localhost", 1), strings.Replace(e.URL, "http:", "https:", 1), "http://127.0.0.1:1"} {
		a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, fmt.Sprintf(`{"endpoint_url":%q,"auth":{"type":"bearer","token":"hunter2"}}`, e.URL))
		a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, fmt.Sprintf(`{"endpoint_url":%q}`, url))
		if got := a.ok(t, a.admin, "GET", "/data/data-sources/"+source, ""); got.at("config", "auth", "secret_set") != false || got.text("config", "auth", "type") != "none" {
			t.Errorf("at %s: %s", url, got.raw)
		}
	}
}

func TestSources_BadConnectionsNameTheFieldAndChangeNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Billing")
	file := a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"File","type":"csv"}`).text("id")
	before := string(a.ok(t, a.admin, "GET", "/data/data-sources/"+source, "").raw)
	for _, tt := range []struct{ id, body, field string }{
		{source, `{}`, "endpoint_url"},
		{source, ``, "endpoint_url"},
		{source, `{"endpoint_url":"ftp://x.example"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://user:pw@x.example"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://10.0.0.1/x"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://169.254.169.254/latest"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://[::1]/"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://x.example/#y"}`, "endpoint_url"},
		{source, `{"endpoint_url":"https://x.example","types":["customer"]}`, "types"},
		{source, `{"endpoint_url":"https://x.example","types":[]}`, "types"},
		{source, `{"endpoint_url":"https://x.example","schedule":"weekly"}`, "schedule"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"digest"}}`, "auth.type"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"bearer"}}`, "auth.token"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"bearer","token":"a\r\nX: y"}}`, "auth.token"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"basic","username":"a:b","password":"c"}}`, "auth.username"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"header","header_name":"Host","header_value":"c"}}`, "auth.header_name"},
		{source, `{"endpoint_url":"https://x.example","auth":{"type":"header","header_name":"a b","header_value":"c"}}`, "auth.header_name"},
		{source, `{"endpoint":"https://x.example"}`, "endpoint"},
		{file, `{"endpoint_url":"https://x.example"}`, "type"},
	} {
		got := a.do(t, a.admin, "POST", "/data/data-sources/"+tt.id+"/connect", tt.body)
		if got.status != 400 || got.text("details", 0, "field") != tt.field {
			t.Errorf("%s: %d %s, want 400 about %s", tt.body, got.status, got.raw, tt.field)
		}
	}
	for _, tt := range []struct{ body, field string }{{`{"type":"csv"}`, "type"}, {`{"id":"ds_other"}`, "id"}, {`{"name":""}`, "name"}, {`{"named":"x"}`, "named"}} {
		if got := a.do(t, a.admin, "PUT", "/data/data-sources/"+source, tt.body); got.status != 400 || got.text("details", 0, "field") != tt.field {
			t.Errorf("PUT %s: %d %s", tt.body, got.status, got.raw)
		}
	}
	if after := string(a.ok(t, a.admin, "GET", "/data/data-sources/"+source, "").raw); after != before {
		t.Errorf("the source changed from %s to %s", before, after)
	}
	if got := a.do(t, a.admin, "POST", "/data/data-sources/"+source+"/full-import", ""); got.status != 409 || got.text("code") != "not_connected" {
		t.Errorf("an import without a connection: %d %s", got.status, got.raw)
	}
	if got := a.ok(t, a.admin, "GET", "/data/data-sources/"+source+"/progress", ""); got.text("phase") != "idle" {
		t.Errorf("progress %s", got.raw)
	}
}

func TestSources_AScheduleRunsByItself(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	e.answer(pages{"/customers": pulledCustomers})
	source := a.newConnected(t, e.URL)
	a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"schedule":"hourly"}`)
	eventually(t, "the schedule starts an import", func() bool {
		phase := a.ok(t, a.admin, "GET", "/data/data-sources/"+source+"/progress", "").text("phase")
		if phase != "processing" { // else the clock would run away from the job's lease
			a.pass(time.Minute)
		}
		return phase == "done"
	})
}

func TestSources_TheScheduleOfWhatIsGoneEnds(t *testing.T) {
	t.Parallel()
	a, e := newAPI(t), newEndpoint(t)
	source := a.newConnected(t, e.URL)
	a.ok(t, a.admin, "PUT", "/data/data-sources/"+source, `{"schedule":"hourly"}`)
	if err := a.engine.DeleteSource(t.Context(), a.account.ID, source); err != nil { // as when the account goes
		t.Fatal(err)
	}
	lane := "import/" + source
	eventually(t, "the schedule ends", func() bool {
		begun, err := a.store.Jobs().Jobs(t.Context(), a.account.ID, jobs.Filter{Lane: lane, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(begun) == 0 || begun[0].State != jobs.Running { // else the clock would run away from the job's lease
			a.pass(time.Minute)
		}
		_, err = a.store.Jobs().Schedule(t.Context(), a.account.ID, lane)
		return errors.Is(err, jobs.ErrNotFound)
	})
}
