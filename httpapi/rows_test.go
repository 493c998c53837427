package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRows_ComeBackAsPushed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/invoices", `{"id":"full","customer_id":"Alpha-3","type":"subscription","date":"2026-06-01T10:00:00+02:00",
		"amount":-12300,"plan_id":"Alpha-pro","subscription_id":"sub","period_start":"2026-06-01","period_end":"2026-07-01","proration":true,"quantity":3,
		"discount":100,"discount_once":true,"tax":50,"fee":7,"fx_loss":2,"status":"failed","due_date":"2026-06-10","payment_date":"2026-06-11","payment_method":"VISA",
		"attempt_count":2,"first_failed_date":"2026-06-02","pricing_model":"metered","description":"June","number":"A-1",
		"lines":[{"amount":-12300,"description":"seats","quantity":3},{"amount":0,"type":"one-time","proration":true,"proration_type":"full"}],"vendor":{"kept":1}}`)
	wantJSON(t, a.ok(t, a.readonly, "GET", "/data/customers/Alpha-1", ""), `{"id":"Alpha-1","name":"Alpha One","email":"one@Alpha.example","country":"us","state":null,
		"created_date":"2026-01-01T00:00:00Z","trial_started":null,"custom_variables":{"tier":"Alpha gold"},"data_source":"`+c.source+`","status":"active",
		"trial_end_date":null,"paid_started":"2026-04-20T00:00:00Z","cancel_date":null,"cancel_reason":null,"overdue_date":null}`)
	wantJSON(t, a.ok(t, a.readonly, "GET", "/data/plans/Alpha-pro", ""), `{"id":"Alpha-pro","external_id":"Alpha-pro","name":"Alpha Pro","product_name":null,
		"billing_freq":"month","billing_freq_count":1,"interval":"month","interval_count":1,"currency":"usd","amount":null,"pricing_model":"licensed",
		"plan_group":"Alpha Group","data_source":"`+c.source+`"}`)
	wantJSON(t, a.ok(t, a.readonly, "GET", "/data/invoices/full?source="+c.source, ""), `{"id":"full","customer_id":"Alpha-3","plan_id":"Alpha-pro","subscription_id":"sub",
		"type":"subscription","date":"2026-06-01T08:00:00Z","invoice_date":"2026-06-01T08:00:00Z","amount":-12300,"currency":"usd",
		"period_start":"2026-06-01T00:00:00Z","period_end":"2026-07-01T00:00:00Z","proration":true,"proration_type":"differential","quantity":3,
		"discount":100,"discount_once":true,"tax":50,"fee":7,"fx_loss":2,"status":"failed","due_date":"2026-06-10T00:00:00Z","payment_date":"2026-06-11T00:00:00Z",
		"payment_method":"visa","attempt_count":2,"first_failed_date":"2026-06-02T00:00:00Z","pricing_model":"metered","refund_of":null,"cancel_reason":null,
		"cancel_comment":null,"description":"June","number":"A-1","data_source":"`+c.source+`","lines":[
		{"description":"seats","type":"subscription","plan_id":null,"amount":-12300,"quantity":3,"period_start":null,"period_end":null,"discount":0,"discount_once":false,"tax":0,"proration":false,"proration_type":null},
		{"description":null,"type":"one-time","plan_id":null,"amount":0,"quantity":null,"period_start":null,"period_end":null,"discount":0,"discount_once":false,"tax":0,"proration":true,"proration_type":"full"}]}`)
	for _, at := range []string{"/data/customers/none", "/data/plans/none", "/data/invoices/none", "/data/invoices/full?source=ds_none", "/data/invoices?source=ds_none"} {
		if got := a.do(t, a.admin, "GET", at, ""); got.status != 404 || got.text("code") != "not_found" {
			t.Errorf("GET %s: %d %s", at, got.status, got.raw)
		}
	}
}

// rowIDs returns the ids of a page.
func rowIDs(got reply) string {
	var ids []string
	for i := range got.list("result", "list") {
		ids = append(ids, got.text("result", "list", i, "id"))
	}
	return strings.Join(ids, " ")
}

func TestRows_PagesAndFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.found(t, a.admin, "Alpha"), a.found(t, a.admin, "Beta")
	a.ok(t, a.admin, "POST", "/data-sources/"+first.source+"/invoices", `[
		{"id":"refund","customer_id":"Alpha-1","type":"refund","invoice_date":"2026-06-01","amount":-100,"currency":"usd","status":"open"},
		{"id":"lines","customer_id":"Alpha-3","invoice_date":"2026-06-02","amount":100,"currency":"usd","lines":[{"amount":100,"plan_id":"Alpha-basic"}]}]`)
	a.ok(t, a.admin, "DELETE", "/data/invoices/Beta-i2", "")
	for _, tt := range []struct {
		target string
		count  float64
		ids    string
		more   bool
	}{
		{"invoices", 7, "Alpha-i1 Alpha-i2 Alpha-i3 Beta-i1 Beta-i3 refund lines", false},
		{"invoices?limit=2&offset=3", 7, "Beta-i1 Beta-i3", true},
		{"invoices?offset=7", 7, "", false},
		{"invoices?offset=9999999", 7, "", false},
		{"invoices?data_source=" + second.source, 2, "Beta-i1 Beta-i3", false},
		{"invoices?source=" + first.source + "&limit=1&offset=1", 5, "Alpha-i2", true},
		{"invoices?customer=Alpha-1", 3, "Alpha-i1 Alpha-i2 refund", false},
		{"invoices?customer=Alpha-1&offset=1&limit=1", 3, "Alpha-i2", true},
		{"invoices?customer=nobody", 0, "", false},
		{"invoices?plan=Alpha-basic", 2, "Alpha-i3 lines", false},
		{"invoices?plan=none", 0, "", false},
		{"invoices?type=refund", 1, "refund", false},
		{"invoices?status=open", 1, "refund", false},
		{"invoices?status=paid&type=Subscription&date=20260501-20260520", 3, "Alpha-i2 Alpha-i3 Beta-i3", false},
		{"customers", 6, "Alpha-1 Alpha-2 Alpha-3 Beta-1 Beta-2 Beta-3", false},
		{"customers?search=TWO&limit=1", 2, "Alpha-2", true},
		{"customers?data_source=" + second.source + "&offset=2", 3, "Beta-3", false},
		{"plans?limit=3", 4, "Alpha-pro Alpha-basic Beta-pro", true},
		{"plans?source=" + second.source, 2, "Beta-pro Beta-basic", false},
	} {
		got := a.ok(t, a.readonly, "GET", "/data/"+tt.target, "")
		if got.number("result", "count") != tt.count || rowIDs(got) != tt.ids || got.at("result", "has_more") != tt.more {
			t.Errorf("%s: %v rows, %q, more %v; want %v, %q, %v", tt.target, got.at("result", "count"), rowIDs(got), got.at("result", "has_more"), tt.count, tt.ids, tt.more)
		}
	}
	for query, field := range map[string]string{"limit=0": "limit", "limit=1001": "limit", "offset=-1": "offset", "type=gift": "type", "status=lost": "status", "date=soon": "date"} {
		if got := a.do(t, a.admin, "GET", "/data/invoices?"+query, ""); got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("?%s: %d %s, want 400 about %s", query, got.status, got.raw, field)
		}
	}
}

func TestRows_AnUpdateChangesWhatIsSentAndRecomputes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/customers", `{"id":"both","email":"b@x.example","created":"2026-01-01","metadata":{"a":"1","b":"2"},"custom_variables":{"b":"3"}}`)
	for _, tt := range []struct {
		target, body string
		field        string // that the row then has
		want         any
	}{
		{"customers/Alpha-1", `{"name":"Renamed","id":"Alpha-1"}`, "name", "Renamed"},
		{"customers/Alpha-1", `{"email":null}`, "email", nil},
		{"customers/Alpha-1", `{}`, "name", "Renamed"},
		{"customers/both", `{"created_date":"2026-02-02"}`, "created_date", "2026-02-02T00:00:00Z"},
		{"customers/both", `{"created":"2026-03-03"}`, "created_date", "2026-03-03T00:00:00Z"},
		{"customers/both", `{"metadata":{"a":null,"c":4}}`, "custom_variables", map[string]any{"b": "3", "c": "4"}},
		{"customers/both", `{"custom_variables":null}`, "custom_variables", map[string]any{}},
		{"plans/Alpha-basic", `{"amount":null}`, "amount", nil},
		{"plans/Alpha-basic", `{"billing_freq":"quarter"}`, "interval", "quarter"},
		{"plans/Alpha-basic", `{"billing_freq_count":2}`, "interval_count", 2.0},
		{"plans/Alpha-basic", `{"interval":"year","external_id":"Alpha-basic"}`, "interval_count", 1.0},
		{"invoices/Alpha-i2", `{"date":"2026-05-21","data_source":"` + c.source + `"}`, "invoice_date", "2026-05-21T00:00:00Z"},
		{"invoices/Alpha-i2", `{"description":"May"}`, "description", "May"},
	} {
		a.ok(t, a.admin, "PUT", "/data/"+tt.target, tt.body)
		if got := a.ok(t, a.admin, "GET", "/data/"+tt.target, ""); !cmp.Equal(got.at(tt.field), tt.want) {
			t.Errorf("after PUT %s %s: %s is %v, want %v", tt.target, tt.body, tt.field, got.at(tt.field), tt.want)
		}
	}
	if got := a.mrr(t, a.admin); got != 19900+10000 {
		t.Fatalf("MRR %v before", got)
	}
	a.ok(t, a.admin, "PUT", "/data/invoices/Alpha-i2", `{"amount":5000}`)
	a.ok(t, a.admin, "PUT", "/data/plans/Alpha-basic", `{"interval":"quarter"}`)
	if got, want := a.mrr(t, a.admin), 5000.0+40000; got != want {
		t.Errorf("MRR %v after an update, want %v", got, want)
	}
	a.ok(t, a.admin, "PUT", "/data/invoices/Alpha-i2", `{"customer_id":"Alpha-3"}`)
	if got := a.ok(t, a.admin, "GET", "/data/invoices?customer=Alpha-3", ""); rowIDs(got) != "Alpha-i2" {
		t.Errorf("invoices of the new customer: %s", got.raw)
	}
}

func TestRows_ARefusedUpdateNamesTheFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	before := a.state(t, c)
	for _, tt := range []struct{ target, body, field string }{
		{"customers/Alpha-1", `{"named":"x"}`, "named"},
		{"customers/Alpha-1", `{"id":"other"}`, "id"},
		{"customers/Alpha-1", `{"data_source":"ds_other"}`, "data_source"},
		{"customers/Alpha-1", `{"country":"Denmark"}`, "country"},
		{"customers/Alpha-1", `{"name":null,"email":null}`, "name"},
		{"customers/Alpha-1", `{"created":"2026-01-01","created_date":"2026-01-02"}`, "created_date"},
		{"customers/Alpha-1", `{"metadata":[]}`, "metadata"},
		{"plans/Alpha-pro", `{"interval":"fortnight"}`, "interval"},
		{"plans/Alpha-pro", `{"interval_count":0}`, "interval_count"},
		{"plans/Alpha-pro", `{"currency":null}`, "currency"},
		{"invoices/Alpha-i1", `{"amount":"99"}`, "amount"},
		{"invoices/Alpha-i1", `{"amount":9.5}`, "amount"},
		{"invoices/Alpha-i1", `{"amount":null}`, "amount"},
		{"invoices/Alpha-i1", `{"plan_id":"none"}`, "plan_id"},
		{"invoices/Alpha-i1", `{"customer_id":"none"}`, "customer_id"},
		{"invoices/Alpha-i1", `{"lines":[{"amount":1,"plan_id":"none"}]}`, "lines[0].plan_id"},
		{"invoices/Alpha-i1", `{"period_start":"2026-05-01","period_end":"2026-04-01"}`, "period_end"},
		{"invoices/none", `{"amount":1}`, ""},
	} {
		got := a.do(t, a.admin, "PUT", "/data/"+tt.target, tt.body)
		switch {
		case tt.field == "" && got.status != 404:
			t.Errorf("PUT %s: %d %s, want 404", tt.target, got.status, got.raw)
		case tt.field != "" && (got.status != 400 || got.text("details", 0, "field") != tt.field):
			t.Errorf("PUT %s %s: %d %s, want 400 about %s", tt.target, tt.body, got.status, got.raw, tt.field)
		}
	}
	if diff := cmp.Diff(before, a.state(t, c)); diff != "" {
		t.Errorf("refused updates changed (-before +after):\n%s", diff)
	}
}

// FuzzUpdate sends any body to the update endpoints: never a 5xx, and a row that
// was taken can be read.
func FuzzUpdate(f *testing.F) {
	a := newAPI(f)
	source := a.newSource(f, "Billing")
	a.ok(f, a.admin, "POST", "/data-sources/"+source+"/customers", `{"id":"c","name":"n"}`)
	a.ok(f, a.admin, "POST", "/data-sources/"+source+"/plans", `{"id":"p","name":"P","billing_freq":"month","currency":"usd"}`)
	a.ok(f, a.admin, "POST", "/data-sources/"+source+"/invoices", `{"id":"i","customer_id":"c","date":"2026-01-01","amount":100,"plan_id":"p"}`)
	for _, seed := range []string{
		`{"name":"x","metadata":{"a":1},"custom_variables":{"a":null}}`, `{"billing_freq":"year","interval_count":2}`, `{"date":"2026-02-01","lines":[]}`,
		`{"amount":1e3}`, `null`, `[]`, `{"id":null}`, `{"created":null,"created_date":""}`, `{"proration":true,"proration_type":"full"}`,
	} {
		for kind := range uint8(3) {
			f.Add(kind, []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		at := [...]string{"/data/customers/c", "/data/plans/p", "/data/invoices/i"}[kind%3]
		for _, r := range []*http.Request{
			withKey(a, httptest.NewRequest(http.MethodPut, at, strings.NewReader(string(body)))),
			withKey(a, httptest.NewRequest(http.MethodGet, at, nil)),
		} {
			w := httptest.NewRecorder()
			a.server.ServeHTTP(w, r)
			if w.Code >= 500 || r.Method == http.MethodGet && w.Code != 200 {
				t.Fatalf("%s %s after %q: %d %s", r.Method, at, body, w.Code, w.Body)
			}
		}
	})
}
