package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
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
