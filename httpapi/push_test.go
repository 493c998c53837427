package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newSource creates a data source of type api and returns its id.
func (a *api) newSource(t testing.TB, name string) string {
	t.Helper()
	return a.ok(t, a.admin, "POST", "/data/data-sources", fmt.Sprintf(`{"name":%q,"type":"api"}`, name)).text("id")
}

// mrr is the MRR now of the account of a key, in minor units.
func (a *api) mrr(t *testing.T, key string) float64 {
	t.Helper()
	return a.ok(t, key, "GET", "/reports/summary", "").number("summary", "mrr_current")
}

func TestPush_EveryFormOfBody(t *testing.T) {
	t.Parallel()
	row := `{"id":"cus_1","name":"Acme","created":"2026-01-01"}`
	for name, body := range map[string]string{
		"one object": row, "an array": "[" + row + "]", "a named batch": `{"customers":[` + row + `]}`, "the pull format": `{"data":[` + row + `],"has_more":false}`,
		"with white space": "\r\n \t" + row + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			got := a.ok(t, a.admin, "POST", "/v1/data-sources/"+a.newSource(t, "Billing")+"/customers", body)
			wantJSON(t, got, `{"success":true,"imported":1,"failed":0,"result":[{"id":"cus_1","name":"Acme","created":"2026-01-01","export_status":"success"}]}`)
		})
	}
}

func TestPush_AnEmptyBatchIsFine(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	at := "/data-sources/" + a.newSource(t, "Billing") + "/invoices"
	for _, body := range []string{`[]`, `{"invoices":[]}`} {
		wantJSON(t, a.ok(t, a.admin, "POST", at, body), `{"success":true,"imported":0,"failed":0,"result":[]}`)
	}
}

func TestPush_TheNextReportSeesIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	if got, want := a.mrr(t, a.admin), 19900.0+10000; got != want {
		t.Fatalf("MRR %v, want %v", got, want)
	}
	a.ok(t, a.admin, "DELETE", "/data/invoices/Alpha-i2", "")
	// The invoice before it ran until 2026-05-20, and its grace is over.
	if got := a.mrr(t, a.admin); got != 10000 {
		t.Errorf("MRR %v after deleting an invoice, want 10000", got)
	}
	a.ok(t, a.admin, "DELETE", "/data/customers/Alpha-2?data_source="+c.source, "")
	if got := a.mrr(t, a.admin); got != 0 {
		t.Errorf("MRR %v after deleting the other customer, want 0", got)
	}
}

func TestPush_PartlyBadRowsAreNamedAndTheOthersStored(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	body := `[
		{"id":"good","customer_id":"Alpha-3","type":"subscription","invoice_date":"2026-06-01","amount":5000,"currency":"usd","plan_id":"Alpha-pro"},
		{"id":"stranger","customer_id":"nobody","type":"subscription","invoice_date":"2026-06-01","amount":5000,"currency":"usd","plan_id":"Alpha-pro"},
		{"id":"float","customer_id":"Alpha-3","type":"subscription","invoice_date":"2026-06-01","amount":50.5,"currency":"usd","plan_id":"Alpha-pro"},
		7]`
	at := "/data-sources/" + c.source + "/invoices"
	got := a.ok(t, a.admin, "POST", at, body)
	if got.number("imported") != 1 || got.number("failed") != 3 {
		t.Fatalf("imported %v, failed %v, want 1 and 3: %s", got.number("imported"), got.number("failed"), got.raw)
	}
	wantStatus := []string{"success", "error", "error", "error"}
	for i, want := range wantStatus {
		if got.text("result", i, "export_status") != want {
			t.Errorf("row %d: %v, want %s", i, got.at("result", i), want)
		}
	}
	for i, part := range map[int]string{1: "customer_id: Customer not found", 2: "amount: "} {
		if text := got.text("result", i, "export_error"); !strings.Contains(text, part) {
			t.Errorf("row %d says %q, want %q in it", i, text, part)
		}
	}
	if got, want := a.mrr(t, a.admin), 19900.0+10000+5000; got != want {
		t.Errorf("MRR %v, want %v", got, want)
	}
	onlyErrors := a.ok(t, a.admin, "POST", at+"?echo=errors", body)
	if n := len(onlyErrors.list("result")); n != 3 || onlyErrors.number("imported") != 1 {
		t.Errorf("echo=errors returned %d rows: %s", n, onlyErrors.raw)
	}
}

func TestPush_AllBadIsAnErrorWithDetails(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Billing")
	batch := a.do(t, a.admin, "POST", "/data-sources/"+source+"/customers", `[{"id":"c1"},{"name":"Acme"}]`)
	if batch.status != 400 || batch.text("code") != "invalid_rows" || len(batch.list("details")) < 2 {
		t.Errorf("a batch of bad rows: %d %s", batch.status, batch.raw)
	}
	if batch.number("details", 1, "index") != 1 || batch.text("details", 0, "id") != "c1" {
		t.Errorf("details do not name the rows: %s", batch.raw)
	}
	if !strings.HasPrefix(batch.text("error"), "row 0 (c1): ") {
		t.Errorf("the text does not name the first row: %s", batch.raw)
	}
	single := a.do(t, a.admin, "POST", "/data-sources/"+source+"/plans", `{"id":"pro","name":"Pro","interval":"fortnight","interval_count":1,"currency":"usd"}`)
	if single.status != 400 || single.text("details", 0, "field") != "interval" || strings.HasPrefix(single.text("error"), "row") {
		t.Errorf("one bad object: %d %s", single.status, single.raw)
	}
}

func TestPush_Limits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	at := "/data-sources/" + a.newSource(t, "Billing") + "/customers"
	rows := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"id":"c","name":"n"},`, n), ",") + "]"
	}
	if got := a.ok(t, a.admin, "POST", at+"?echo=errors", rows(10_000)); got.number("imported") != 10_000 {
		t.Errorf("10,000 rows: %s", got.raw)
	}
	for name, body := range map[string]string{
		"10,001 rows":       rows(10_001),
		"more than 20 MiB":  `[{"id":"c","name":"` + strings.Repeat("x", 20<<20) + `"}]`,
		"20 MiB of nothing": strings.Repeat(" ", 20<<20+1),
	} {
		if got := a.do(t, a.admin, "POST", at, body); got.status != 413 || got.text("code") != "payload_too_large" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
}

func TestPush_UnknownDataSource(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, kind := range []string{"customers", "plans", "invoices"} {
		if got := a.do(t, a.admin, "POST", "/v1/data-sources/ds_unknown/"+kind, `[]`); got.status != 404 {
			t.Errorf("%s into an unknown source: %d %s", kind, got.status, got.raw)
		}
	}
}

func TestPush_ChoosesTheDataSource(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	row := func(id, source string) string {
		if source == "" {
			return fmt.Sprintf(`{"id":%q,"name":"n"}`, id)
		}
		return fmt.Sprintf(`{"id":%q,"name":"n","data_source":%q}`, id, source)
	}
	post := func(at, body string) reply { return a.do(t, a.admin, "POST", at, body) }

	if got := post("/data/customers", row("c1", "")); got.status != 400 || got.text("details", 0, "field") != "data_source" {
		t.Errorf("no source at all: %d %s", got.status, got.raw)
	}
	first := a.newSource(t, "First")
	if got := post("/data/customers", row("c1", "")); got.status != 200 {
		t.Errorf("the only api source is not taken: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Files","type":"csv"}`)
	if got := post("/data/customers", row("c1", "")); got.status != 200 {
		t.Errorf("a csv source beside it confuses: %d %s", got.status, got.raw)
	}
	second := a.newSource(t, "Second")
	if got := post("/data/customers", row("c2", "")); got.status != 400 || got.text("details", 0, "field") != "data_source" {
		t.Errorf("one of two sources was guessed: %d %s", got.status, got.raw)
	}
	for _, at := range []string{"/data/customers?data_source=" + second, "/data/customers?source=" + second} {
		if got := post(at, row("c2", "")); got.status != 200 {
			t.Errorf("POST %s: %d %s", at, got.status, got.raw)
		}
	}
	mixed := post("/data/customers?source="+second, "["+row("m1", first)+","+row("m2", "ds_none")+","+row("m3", "")+","+row("m4", first)+"]")
	statuses := []string{mixed.text("result", 0, "export_status"), mixed.text("result", 1, "export_status"), mixed.text("result", 2, "export_status"), mixed.text("result", 3, "export_status")}
	if diff := cmp.Diff([]string{"success", "error", "success", "success"}, statuses); diff != "" {
		t.Errorf("rows of several sources (-want +got):\n%s\n%s", diff, mixed.raw)
	}
	conflict := post("/data-sources/"+first+"/customers", "["+row("x1", second)+","+row("x2", first)+"]")
	if conflict.number("imported") != 1 || !strings.Contains(conflict.text("result", 0, "export_error"), "data_source") {
		t.Errorf("a row that names another source than the path: %s", conflict.raw)
	}
}

func TestPush_SaysWhatAProratedInvoiceWithoutPeriodDoes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	got := a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/invoices",
		`{"id":"p1","customer_id":"Alpha-1","type":"subscription","invoice_date":"2026-06-01","amount":500,"currency":"usd","plan_id":"Alpha-pro","proration":true}`)
	if got.text("result", 0, "export_status") != "success" || !strings.Contains(got.text("result", 0, "export_warning"), "period_start") {
		t.Errorf("no warning in %s", got.raw)
	}
}

func TestPush_TheSameRowsAgainChangeNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	before := a.state(t, c)
	_ = a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/customers", `[{"id":"Alpha-3","name":"Alpha Three","created":"2026-03-01"}]`)
	if diff := cmp.Diff(before, a.state(t, c)); diff != "" {
		t.Errorf("a repeated push changed (-before +after):\n%s", diff)
	}
}

func TestPush_ConcurrentClients(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	before := a.mrr(t, a.admin)
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for i := range 5 {
				body := fmt.Sprintf(`{"id":"n-%d-%d","customer_id":"Alpha-3","subscription_id":"s-%d-%d","type":"subscription","invoice_date":"2026-06-01","amount":100,"currency":"usd","plan_id":"Alpha-pro"}`, client, i, client, i)
				r := httptest.NewRequest(http.MethodPost, "/data-sources/"+c.source+"/invoices", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+a.admin)
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				if w.Code != 200 {
					t.Errorf("push: %d %s", w.Code, w.Body)
				}
				r = httptest.NewRequest(http.MethodGet, "/reports/mrr", nil)
				r.Header.Set("Authorization", "Bearer "+a.readonly)
				w = httptest.NewRecorder()
				a.ServeHTTP(w, r)
				if w.Code != 200 {
					t.Errorf("report: %d %s", w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
	if got, want := a.mrr(t, a.admin), before+40*100; got != want {
		t.Errorf("MRR %v after 40 concurrent pushes, want %v", got, want)
	}
}
