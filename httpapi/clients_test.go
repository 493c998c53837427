package httpapi_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// These tests hold the API to what the public CLI, MCP server and SDKs send and
// read. Each names the client whose habit it is.

// serve starts the API on a real socket, where Content-Length, HEAD and
// redirects behave as clients see them.
func (a *api) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server
}

// received is an answer as it came over the socket.
type received struct {
	status int
	header http.Header
	body   string
}

// exchange sends a request as it is and reads the whole answer.
func exchange(t *testing.T, r *http.Request) received {
	t.Helper()
	noRedirects := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return received{res.StatusCode, res.Header, string(body)}
}

func (a *api) request(t *testing.T, server *httptest.Server, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.admin)
	return r
}

// The CLI and the MCP server send Content-Type on GET and DELETE, without a body.
func TestClients_ContentTypeWithoutABody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	server := a.serve(t)
	for _, tt := range []struct{ method, target string }{
		{"GET", "/reports/mrr"}, {"GET", "/customers/Alpha-1"}, {"DELETE", "/data/invoices/Alpha-i1"}, {"POST", "/settings"},
	} {
		r := a.request(t, server, tt.method, tt.target, "")
		r.Header.Set("Content-Type", "application/json")
		if got := exchange(t, r); got.status != 200 || got.body == "" {
			t.Errorf("%s %s: %d %q", tt.method, tt.target, got.status, got.body)
		}
	}
}

// The JavaScript SDK sends a body-less POST with Content-Length 0 and no type.
func TestClients_BodylessPOST(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	r := a.request(t, server, "POST", "/settings", "")
	r.ContentLength = 0
	if got := exchange(t, r); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// The SDKs send a body with DELETE /data/plans/{id}; the CLI sends none.
func TestClients_DELETEWithABody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "DELETE", "/data/invoices/Alpha-i3", "")
	wantJSON(t, a.ok(t, a.admin, "DELETE", "/data/plans/Alpha-basic", `{"id":"Alpha-basic","external_id":"Alpha-basic"}`), `{"result":"ok","deleted":"Alpha-basic"}`)
}

// curl as seed 000 shows it sends JSON as application/x-www-form-urlencoded.
func TestClients_CurlOfTheSeed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Custom Billing System")
	server := a.serve(t)
	for _, tt := range []struct{ kind, body string }{
		{"customers", `{"id": "cust_123", "name": "Acme Inc", "email": "billing@acme.example", "country": "US"}`},
		{"plans", `{"id": "plan_pro", "name": "Pro Plan", "interval": "month", "interval_count": 1, "currency": "USD"}`},
		{"invoices", `{"id": "inv_001", "customer_id": "cust_123", "type": "subscription", "invoice_date": "2026-06-01T00:00:00Z", "amount": 9900,
			"currency": "USD", "plan_id": "plan_pro", "subscription_id": "sub_001", "period_start": "2026-06-01T00:00:00Z", "period_end": "2026-07-01T00:00:00Z"}`},
	} {
		r := a.request(t, server, "POST", "/v1/data-sources/"+source+"/"+tt.kind, tt.body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := exchange(t, r); got.status != 200 || !strings.Contains(got.body, `"export_status":"success"`) {
			t.Errorf("%s: %d %s", tt.kind, got.status, got.body)
		}
	}
	if got := a.mrr(t, a.admin); got != 9900 {
		t.Errorf("MRR %v, want 9900", got)
	}
}

// The CLI decodes every answer as JSON and crashes on text.
func TestClients_EveryErrorIsJSONWithAnErrorText(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	for target, want := range map[string]int{
		"/reports/nothing": 404, "/data/customers/undefined": 404, "/customers/undefined": 404, "/%2e%2e/x": 404, "/a//b": 404, "/forecast/mrr": 404,
		"/reports/mrr?interval=fortnight": 400, "/reports/../reports/mrr": 404,
	} {
		r := a.request(t, server, "GET", "/", "")
		r.URL.Opaque = strings.TrimPrefix(server.URL, "http:") + target // as it is, without cleaning
		got := exchange(t, r)
		if got.status != want || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") || !strings.HasPrefix(got.body, `{"error":"`) {
			t.Errorf("GET %s: %d %q %s", target, got.status, got.header.Get("Content-Type"), got.body)
		}
	}
}

// The Go SDK decodes into types only when the content type says json, and takes
// every number as a float32: integers must not carry decimals.
// What is missing or unknown is named, with what would be right.
func TestClients_ErrorsSayWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for path, want := range map[string]string{
		"/reports/nothing":          `there is no report "nothing"; reports are cancellation-timing, `,
		"/v1/reports/nothing/":      `there is no report "nothing"`,
		"/":                         "there is no endpoint GET /; GET /openapi.json lists all, and /docs shows them",
		"/reports":                  "there is no endpoint GET /reports",
		"/reports/custom-variables": "key: is required",
	} {
		got := a.do(t, a.admin, "GET", path, "")
		if !strings.HasPrefix(got.text("error"), want) {
			t.Errorf("GET %s: %s, want %s", path, got.text("error"), want)
		}
	}
}

func TestClients_NumbersAreIntegers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	body := string(a.ok(t, a.admin, "GET", "/reports/mrr", "").raw)
	for _, want := range []string{`"total_mrr":29900`, `"total_arr":358800`, `"total_customers":2`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

// The CLI hands the top-level currency to Intl.NumberFormat, which throws on
// anything but a code of three letters.
func TestClients_ReportsNameTheirCurrency(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, op := range openapi.Operations() {
		if op.Method == http.MethodGet && strings.HasPrefix(op.Path, "/reports/") {
			if got := a.ok(t, a.admin, "GET", needed(op.Path+"?baseCurrency=EUR"), "").text("currency"); got != "eur" {
				t.Errorf("%s in currency %q, want eur", op.Path, got)
			}
		}
	}
}

// The CLI and MCP server write a space as +, the JavaScript SDK as %20; seed 000
// separates with ~~.
func TestClients_SeparatorsOfFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	for _, query := range []string{"country=us+dk", "country=us%20dk", "country=us~~dk", "country=US~~DK", "country=us,dk"} {
		if got := a.ok(t, a.admin, "GET", "/reports/summary?"+query, "").number("summary", "mrr_current"); got != 29900 {
			t.Errorf("?%s: MRR %v, want 29900", query, got)
		}
	}
	if got := a.ok(t, a.admin, "GET", "/reports/summary?custom_tier=Alpha+gold", "").number("summary", "mrr_current"); got != 19900 {
		t.Errorf("a custom variable with a space: MRR %v, want 19900", got)
	}
}

// The CLI and MCP server do not escape ids in paths; the SDKs do.
func TestClients_AwkwardIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Billing")
	for id, path := range map[string]string{
		"u+x@e.com": "u+x@e.com", "p 1/2": "p%201%2F2", "100%": "100%25", "..": "%2E%2E", "a?b#c": "a%3Fb%23c", "ключ": "%D0%BA%D0%BB%D1%8E%D1%87", "a%2Fb": "a%252Fb", "v1": "v1",
	} {
		a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers", `{"id":"`+id+`","name":"n"}`)
		if got := a.ok(t, a.admin, "GET", "/customers/"+path, "").text("id"); got != id {
			t.Errorf("GET /customers/%s found %q, want %q", path, got, id)
		}
		if got := a.ok(t, a.admin, "DELETE", "/data/customers/"+path, "").text("id"); got != id {
			t.Errorf("DELETE /data/customers/%s deleted %q, want %q", path, got, id)
		}
	}
}

// Every client sends numbers of a page as text.
// A client that lost an id asks for "undefined".
func TestClients_LostIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, at := range []string{"/data/customers/undefined", "/data/plans/undefined", "/data/invoices/undefined", "/customers/undefined", "/data/data-sources/undefined"} {
		if got := a.do(t, a.admin, "GET", at, ""); got.status != 404 || got.text("error") == "" {
			t.Errorf("%s: %d %s", at, got.status, got.raw)
		}
	}
}

func TestClients_NumericText(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	got := a.ok(t, a.admin, "GET", "/customers?limit=1&offset=2", "")
	if len(got.list("result", "list")) != 1 || got.number("result", "count") != 3 || got.at("result", "has_more") != false {
		t.Errorf("%s", got.raw)
	}
}

// The JavaScript SDK runs in browsers too: it asks first, with OPTIONS.
func TestClients_Browsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	r := a.request(t, server, "OPTIONS", "/v1/reports/mrr", "")
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Method", "GET")
	r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	r.Header.Del("Authorization")
	got := exchange(t, r)
	methods := strings.Split(got.header.Get("Access-Control-Allow-Methods"), ", ")
	headers := strings.ToLower(got.header.Get("Access-Control-Allow-Headers"))
	if got.status != 204 || got.body != "" || !slices.Contains(methods, "GET") || !strings.Contains(headers, "authorization") || !strings.Contains(headers, "content-type") {
		t.Errorf("preflight: %d %q %v", got.status, got.body, got.header)
	}
	r = a.request(t, server, "GET", "/v1/reports/mrr", "")
	r.Header.Set("Origin", "https://app.example")
	if got := exchange(t, r); got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("answer for another origin: %v", got.header)
	}
}

func TestClients_HEADIsGETWithoutABody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	got := exchange(t, a.request(t, server, "HEAD", "/reports/mrr", ""))
	if got.status != 200 || got.body != "" || got.header.Get("X-GrowPanel-Range") == "" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
}

// No client follows a redirect with its key, and none is ever sent.
func TestClients_NoRedirects(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	server := a.serve(t)
	for _, target := range []string{"/reports/mrr/", "/v1/reports//mrr", "/./account", "/v1", "/v2/account/"} {
		if got := exchange(t, a.request(t, server, "GET", target, "")); got.status >= 300 && got.status < 400 {
			t.Errorf("GET %s: %d to %s", target, got.status, got.header.Get("Location"))
		}
	}
}

func TestAnswers_AreNotStoredOrSniffed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, target := range []string{"/account", "/nothing"} {
		got := a.do(t, a.admin, "GET", target, "")
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got.header.Get(name) != want {
				t.Errorf("GET %s: %s is %q, want %q", target, name, got.header.Get(name), want)
			}
		}
		if got.header.Get("X-Request-Id") == "" || got.header.Get("Content-Security-Policy") == "" {
			t.Errorf("GET %s: headers %v", target, got.header)
		}
	}
}
