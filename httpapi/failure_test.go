package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFailure_AClosedEngineAsksToComeBack(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.engine.Close()
	// The contract does not declare 503: the server is on its way out.
	for _, tt := range []struct{ method, target, body string }{
		{"GET", "/reports/mrr", ""},
		{"POST", "/settings", "{}"},
		{"GET", "/account", ""},
		{"POST", "/data-sources/" + c.source + "/customers", `{"id":"x","name":"x"}`},
		{"DELETE", "/data/invoices/Alpha-i1", ""},
	} {
		w := httptest.NewRecorder()
		a.server.ServeHTTP(w, withKey(a, httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body))))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"code":"shutting_down"`) {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Body)
		}
	}
}

func TestFailure_ADataSourceThatCannotBeCreatedLeavesNoKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.engine.Close()
	w := httptest.NewRecorder()
	a.server.ServeHTTP(w, withKey(a, httptest.NewRequest(http.MethodPost, "/data/data-sources", strings.NewReader(`{"name":"Billing","type":"api"}`))))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := a.ok(t, a.admin, "GET", "/account/api-keys", ""); got.number("result", "count") != 2 {
		t.Errorf("the key of the source is left over: %s", got.raw)
	}
}

func TestFailure_InternalErrorsTellNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.breakStore(t)
	for _, target := range []string{"/reports/mrr", "/account", "/settings"} {
		got := a.do(t, a.admin, "GET", target, "")
		wantJSON(t, got, `{"error":"internal error","message":"internal error","code":"internal"}`)
		if got.status != http.StatusInternalServerError {
			t.Errorf("GET %s: %d", target, got.status)
		}
	}
}

func TestPush_EchoIsAllOrErrors(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	at := "/data-sources/" + a.newSource(t, "Billing") + "/customers"
	if got := a.ok(t, a.admin, "POST", at+"?echo=all", `{"id":"c","name":"n"}`); len(got.list("result")) != 1 {
		t.Errorf("echo=all: %s", got.raw)
	}
	if got := a.do(t, a.admin, "POST", at+"?echo=some", `{"id":"c","name":"n"}`); got.status != 400 || got.text("details", 0, "field") != "echo" {
		t.Errorf("echo=some: %d %s", got.status, got.raw)
	}
}
