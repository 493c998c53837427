package httpapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/reports/mrr":                        "/reports/mrr",
		"/v1/reports/mrr":                     "/reports/mrr",
		"/v2/account/":                        "/account",
		"/v1/v1/account":                      "/v1/account",
		"/v10/account":                        "/v10/account",
		"/customers/a%2Fb/":                   "/customers/a%2Fb",
		"/customers/u+x@e.com":                "/customers/u+x@e.com",
		"/customers/%2E%2E":                   "/customers/%2E%2E",
		"/data/data_sources":                  "/data/data-sources",
		"/v1/data_sources/ds/customers":       "/data-sources/ds/customers",
		"/data/plan_groups/plan_groups":       "/data/plan-groups/plan_groups",
		"/data/customers/data_sources":        "/data/customers/data_sources",
		"/customers/data_sources":             "/customers/data_sources",
		"/data-sources/data_sources/invoices": "/data-sources/data_sources/invoices",
	} {
		if got, ok := canonicalPath(in); !ok || got != want {
			t.Errorf("canonicalPath(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "/", "//", "/v1", "/v1/", "//account", "/customers//", "/customers/../account", "/customers/./a", "account", "*"} {
		if got, ok := canonicalPath(in); ok {
			t.Errorf("canonicalPath(%q) = %q, want it refused", in, got)
		}
	}
}

// echoRouter answers with the id that a route captured.
func echoRouter() *router {
	rt := &router{
		mux: http.NewServeMux(), errs: httpx.Errors{Logger: slog.New(slog.DiscardHandler)},
		wrap: func(_ string, h http.Handler) http.Handler { return h },
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		httpx.WriteJSON(w, http.StatusOK, map[string]string{"id": r.PathValue("id"), "method": r.Method})
	}
	for _, pattern := range []string{"GET /customers", "GET /customers/{id}", "DELETE /data/customers/{id}", "POST /data-sources/{id}/customers", "PUT /data-sources/{id}/customers"} {
		rt.HandleFunc(pattern, echo)
	}
	return rt
}

func TestRouter_CapturesIDsAsClientsMeantThem(t *testing.T) {
	t.Parallel()
	rt := echoRouter()
	for path, want := range map[string]string{
		"/customers/cus_1":        "cus_1",
		"/v1/customers/cus_1/":    "cus_1",
		"/customers/a%2Fb%20c":    "a/b c",
		"/customers/u+x@e.com":    "u+x@e.com",
		"/customers/a%2Bb":        "a+b",
		"/customers/100%25":       "100%",
		"/customers/100%2525":     "100%25",
		"/customers/%2E%2E":       "..",
		"/customers/%D0%BA":       "к",
		"/customers/a,b;c=d":      "a,b;c=d",
		"/v2/customers/customers": "customers",
	} {
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		var got struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.ID != want {
			t.Errorf("GET %s: %d, id %q, want %q (%v)", path, w.Code, got.ID, want, err)
		}
	}
}

func TestRouter_AnswersJSONWhereServeMuxWouldNot(t *testing.T) {
	t.Parallel()
	rt := echoRouter()
	tests := map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"unknown path":                     {"GET", "/nothing", 404, ""},
		"root":                             {"GET", "/", 404, ""},
		"id missing":                       {"DELETE", "/data/customers/", 404, ""},
		"id in several segments":           {"GET", "/customers/a/b", 404, ""},
		"path that ServeMux would clean":   {"GET", "/customers//cus_1", 404, ""},
		"path that climbs":                 {"GET", "/customers/../customers", 404, ""},
		"method that a path does not have": {"DELETE", "/customers/cus_1", 405, "GET, OPTIONS, HEAD"},
		"unknown method":                   {"BREW", "/customers", 405, "GET, OPTIONS, HEAD"},
		"read of a path that only writes":  {"GET", "/v1/data-sources/ds/customers", 405, "POST, PUT, OPTIONS"},
		"options":                          {"OPTIONS", "/data-sources/ds/customers/", 204, "POST, PUT, OPTIONS"},
		"options of an unknown path":       {"OPTIONS", "/nothing", 404, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			rt.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			if w.Code != tt.status || w.Header().Get("Allow") != tt.allow {
				t.Errorf("%s %s: %d with Allow %q, want %d with %q", tt.method, tt.path, w.Code, w.Header().Get("Allow"), tt.status, tt.allow)
			}
			if w.Code != 204 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s answered %q", tt.method, tt.path, w.Body)
			}
		})
	}
}

func TestRouter_HEADIsGET(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	echoRouter().ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/customers", nil))
	if w.Code != 200 {
		t.Errorf("HEAD /customers: %d", w.Code)
	}
}

func FuzzRouter(f *testing.F) {
	for _, seed := range []string{"/customers/a%2Fb", "/v1/v2/customers", "/customers/%2e%2e%2f", "//", "/data/data_sources/%00", "/customers/%zz", "/customers/a?b"} {
		f.Add("GET", seed)
	}
	rt := echoRouter()
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return
		}
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, &http.Request{Method: method, URL: u, Header: http.Header{}, Host: "localhost"})
		if !slices.Contains([]int{200, 204, 404, 405}, w.Code) {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		if w.Code != 204 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s answered %q", method, target, w.Body)
		}
	})
}
