package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// FuzzPush sends any body to the push endpoints: the answer is JSON, never a
// 5xx, and a refused body changes nothing that a report shows.
func FuzzPush(f *testing.F) {
	a := newAPI(f)
	source := a.newSource(f, "Billing")
	a.ok(f, a.admin, "POST", "/data-sources/"+source+"/customers", `{"id":"c","name":"n"}`)
	a.ok(f, a.admin, "POST", "/data-sources/"+source+"/plans", `{"id":"p","name":"P","interval":"month","interval_count":1,"currency":"usd"}`)
	for _, seed := range []string{
		`{"id":"c","name":"n"}`, `{"customers":[{"id":"c","email":"e@x.example"}]}`, `[{"id":"p","name":"P","interval":"month","interval_count":1,"currency":"usd"}]`,
		`[{"id":"i","customer_id":"c","type":"subscription","invoice_date":"2026-01-01","amount":100,"currency":"usd","plan_id":"p"}]`,
		`[{"id":"i","customer_id":"c","type":"refund","date":"2026-01-01","amount":-5,"currency":"jpy"},7,null]`, `[`, ``, `{"data":[{}]}`, "\xff",
	} {
		for kind := range uint8(3) {
			f.Add(kind, []byte(seed))
		}
	}
	report := func(t *testing.T) string {
		return string(a.ok(t, a.admin, "GET", "/reports/summary?fix_fx=true", "").raw)
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		before := report(t)
		w := httptest.NewRecorder()
		a.server.ServeHTTP(w, push(a, source, [...]string{"customers", "plans", "invoices"}[kind%3], body))
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
		if w.Code >= 400 {
			if after := report(t); after != before {
				t.Errorf("%q was refused with %d and changed the report from %s to %s", body, w.Code, before, after)
			}
		}
	})
}

func push(a *api, source, kind string, body []byte) *http.Request {
	return withKey(a, httptest.NewRequest(http.MethodPost, "/data-sources/"+source+"/"+kind, bytes.NewReader(body)))
}

func withKey(a *api, r *http.Request) *http.Request {
	r.Header.Set("Authorization", "Bearer "+a.admin)
	return r
}

// FuzzRequest sends any method, path, query and small body: the answer is never
// a 5xx and always JSON where there is a body.
func FuzzRequest(f *testing.F) {
	a := newAPI(f)
	for _, seed := range [][3]string{
		{"GET", "/reports/mrr?date=last-12-months&breakdown=plan&country=us~~~de", ""},
		{"POST", "/settings", `{"auto_churn_days":null,"churn_grace_days":3}`},
		{"PUT", "/account/api-keys/x", `{"role":"viewer"}`},
		{"DELETE", "/v1/data/customers/a%2Fb?source=x", ""},
		{"GET", "/customers?limit=-1&offset=9e9", ""},
		{"GET", "/reports/cohort?interval=day&date=19000101-20990101", ""},
		{"POST", "/data/data-sources", `{"name":1}`},
		{"HEAD", "/openapi.json", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == "" || u.Host != "" {
			return
		}
		r := withKey(a, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body))))
		r.Method, r.URL, r.RequestURI = method, u, target
		w := httptest.NewRecorder()
		a.server.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %s %q: %d %s", method, target, body, w.Code, w.Body)
		}
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s %s answered %q", method, target, w.Body)
		}
	})
}
