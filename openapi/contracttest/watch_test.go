package contracttest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// verdict is a test that remembers whether something was reported to it.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Errorf(string, ...any) { v.failed = true }

func TestContract_Watch(t *testing.T) {
	t.Parallel()
	c := New(t)
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := []struct {
		name    string
		method  string
		path    string
		handler http.HandlerFunc
		breaks  bool
	}{
		{"as documented", "GET", "/v1/integrations/verify", answer(200, "application/json", verification), false},
		{"another field", "GET", "/integrations/verify", answer(200, "application/json", strings.Replace(verification, "{", `{"x":1,`, 1)), true},
		{"status that is not declared", "GET", "/integrations/verify", answer(418, "application/json", `{}`), true},
		{"nothing at all", "GET", "/integrations/verify", func(http.ResponseWriter, *http.Request) {}, true},
		{"unknown route", "GET", "/nothing", answer(404, "application/json", `{"error":"no","message":"no","code":"not_found"}`), false},
		{"unknown route with a page", "GET", "/nothing", answer(404, "text/plain", "no"), true},
		{"unknown route that works", "PUT", "/settings", answer(200, "application/json", `{}`), false},
		{"no body to judge", "HEAD", "/integrations/verify", answer(200, "", ""), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := &verdict{TB: t}
			w := httptest.NewRecorder()
			c.Watch(v, tt.handler).ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			if v.failed != tt.breaks {
				t.Errorf("reported %t, want %t", v.failed, tt.breaks)
			}
			direct := httptest.NewRecorder()
			tt.handler.ServeHTTP(direct, httptest.NewRequest(tt.method, tt.path, nil))
			if w.Code != direct.Code || w.Body.String() != direct.Body.String() {
				t.Errorf("the answer changed to %d %s", w.Code, w.Body)
			}
		})
	}
}
