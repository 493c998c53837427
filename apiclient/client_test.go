package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/openapi"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// newClient returns a client that calls h in the process and never really waits.
func newClient(t *testing.T, h http.Handler, change func(*Options)) *Client {
	t.Helper()
	o := Options{
		BaseURL:   "http://api.test",
		Key:       NewSecret(testKey),
		Transport: InProcess(h),
		Sleep:     func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestNew_BadBaseURL(t *testing.T) {
	t.Parallel()
	for _, base := range []string{
		"api.growpanel.io", "ftp://x", "https://", "https://user:pass@x", "https://x?y=1", "https://x#y", "://", "http://x\n",
	} {
		if _, err := New(Options{BaseURL: base}); err == nil {
			t.Errorf("New accepts the base URL %q", base)
		} else if strings.Contains(err.Error(), "pass@") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
}

func TestClient_Do_SendsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	type seen struct {
		Method, Path, Query, Host, Key, ContentType, Agent, Body string
	}
	var got seen
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{
			r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Host,
			r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.UserAgent(), string(body),
		}
		writeJSON(w, http.StatusCreated, `{"id":"x"}`)
	})
	c := newClient(t, h, func(o *Options) {
		o.BaseURL = "https://api.test:8443/base/"
		o.UserAgent = "test/1"
	})
	res, err := c.Do(t.Context(), "POST", []string{"data", "a/b c%"}, url.Values{"q": {"x y&z"}}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	want := seen{
		"POST", "/base/data/a%2Fb%20c%25", "q=x+y%26z", "api.test:8443",
		"Bearer " + testKey, "application/json", "test/1", "{}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if res.Status != http.StatusCreated || string(res.Body) != `{"id":"x"}` {
		t.Errorf("answer = %d %s", res.Status, res.Body)
	}
}

func TestClient_Do_PathsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was sent", r.URL)
	}), nil)
	for _, segments := range [][]string{nil, {}, {""}, {"customers", ""}, {"customers", "."}, {"..", "x"}, {"a", "..", "b"}} {
		if _, err := c.Do(t.Context(), "GET", segments, nil, nil); !errors.Is(err, ErrPath) {
			t.Errorf("Do(%q): error %v, want %v", segments, err, ErrPath)
		}
	}
	if _, err := c.Do(t.Context(), "GET /x HTTP/1.1\r\nHost: y\r\n", []string{"plans"}, nil, nil); err == nil {
		t.Error("a method with a line break was accepted")
	}
}

// No segment can change the host, the number of segments or its neighbors.
func FuzzClient_Do_SegmentsStayInPlace(f *testing.F) {
	for _, s := range []string{"cus_1", "../../admin", "a/b", "%2e%2e", "//evil.example/x", "x?y=z#w", "\\..\\", "é", "a\r\nb", " "} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		segments := []string{"customers", first, second}
		sent := false
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent = true
			parts := strings.Split(r.URL.EscapedPath(), "/")[1:]
			for i := range parts {
				parts[i], _ = url.PathUnescape(parts[i])
			}
			if !slices.Equal(parts, segments) || r.Host != "api.test" || r.URL.RawQuery != "" {
				t.Errorf("segments %q were sent as %s%s", segments, r.Host, r.RequestURI)
			}
			writeJSON(w, http.StatusOK, `{}`)
		}), nil)
		_, err := c.Do(t.Context(), "GET", segments, nil, nil)
		if sent == errors.Is(err, ErrPath) {
			t.Errorf("Do(%q): sent %t, error %v", segments, sent, err)
		}
	})
}

func TestSplitPath(t *testing.T) {
	t.Parallel()
	segments, query, err := SplitPath("/customers/a%2Fb?date=20260101&x=1+2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"customers", "a/b"}, segments); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(url.Values{"date": {"20260101"}, "x": {"1 2"}}, query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	for _, path := range []string{
		"", "/", "customers", "//evil.example/x", "https://evil.example/x", `/\evil.example`, "/a/../b", "/a/%2e%2e/b",
		"/a//b", "/a/%zz", "/a?x=%zz", "/a#b", "/./a", "?x=1",
	} {
		if _, _, err := SplitPath(path); !errors.Is(err, ErrPath) {
			t.Errorf("SplitPath(%q): error %v, want %v", path, err, ErrPath)
		}
	}
}

// Whatever SplitPath accepts is a path that Do accepts.
func FuzzSplitPath(f *testing.F) {
	f.Add("/reports/mrr?date=20260101")
	f.Add("/a/%2e%2e/b")
	f.Fuzz(func(t *testing.T, path string) {
		segments, _, err := SplitPath(path)
		if err != nil {
			return
		}
		if _, _, err := route(segments); err != nil {
			t.Errorf("SplitPath(%q) = %q, which Do refuses: %v", path, segments, err)
		}
	})
}

func TestClient_Do_Errors(t *testing.T) {
	t.Parallel()
	index := int64(3)
	tests := []struct {
		name        string
		contentType string
		body        string
		want        Error
	}{
		{
			"whole error", "application/json",
			`{"error":"bad","message":"bad","code":"invalid_rows","details":[{"index":3,"id":"inv_1","field":"plan_id","message":"push it first"}]}`,
			Error{Message: "bad", Code: "invalid_rows", Details: []Detail{{Index: &index, ID: "inv_1", Field: "plan_id", Message: "push it first"}}},
		},
		{"message alone", "application/json", `{"message":"bad"}`, Error{Message: "bad"}},
		{"error alone", "application/json", `{"error":"bad"}`, Error{Message: "bad"}},
		{"JSON of another shape", "application/json", `[1]`, Error{Message: "bad request"}},
		{"nothing", "", "", Error{Message: "bad request"}},
		{"a page", "text/html", "<html>", Error{Message: "bad request"}},
		{"text", "text/plain; charset=utf-8", "no\n", Error{Message: "no"}},
		{"long text", "text/plain", strings.Repeat("ü", 200), Error{Message: strings.Repeat("ü", 150) + "…"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, tt.body)
			}), nil)
			_, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("error %v is not an *Error", err)
			}
			want := tt.want
			want.Method, want.Path, want.Status = "GET", "/plans", http.StatusBadRequest
			if diff := cmp.Diff(want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClient_Do_DoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed with the header %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	c := newClient(t, nil, func(o *Options) { o.BaseURL, o.Transport = server.URL, server.Client().Transport })
	_, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
	var got *Error
	if !errors.As(err, &got) || got.Status != http.StatusFound {
		t.Errorf("error = %v, want status 302", err)
	}
}

func TestClient_Do_BoundsTheAnswer(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for name, h := range map[string]http.HandlerFunc{
		"length announced": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", limit+len(r.URL.Query().Get("more"))))
		},
		"length unknown": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, strings.Repeat("x", limit+len(r.URL.Query().Get("more"))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(h)
			defer server.Close()
			c := newClient(t, nil, func(o *Options) {
				o.BaseURL, o.Transport, o.MaxResponseBytes = server.URL, server.Client().Transport, limit
			})
			res, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
			if err != nil || len(res.Body) != limit {
				t.Errorf("an answer at the bound: %v", err)
			}
			_, err = c.Do(t.Context(), "GET", []string{"plans"}, url.Values{"more": {"1"}}, nil)
			if !errors.Is(err, ErrResponseTooLarge) {
				t.Errorf("an answer beyond the bound: error %v, want %v", err, ErrResponseTooLarge)
			}
		})
	}
}

func TestClient_WithKey_ReplacesTheKeyAlone(t *testing.T) {
	t.Parallel()
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := json.Marshal(r.Header.Get("Authorization"))
		writeJSON(w, http.StatusOK, string(text))
	}), nil)
	other, err := c.WithKey(NewSecret("other"))
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[*Client]string{c: `"Bearer ` + testKey + `"`, other: `"Bearer other"`} {
		res, err := client.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(res.Body) != want {
			t.Errorf("header = %s, want %s", res.Body, want)
		}
	}
}

func TestClient_NoKey_OnlyPublicOperations(t *testing.T) {
	t.Parallel()
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Authorization"]) > 0 {
			t.Error("an Authorization header was sent without a key")
		}
		writeJSON(w, http.StatusOK, `{"status":"ok"}`)
	}), func(o *Options) { o.Key = Secret{} })
	if _, err := c.Do(t.Context(), "GET", []string{"healthz"}, nil, nil); err != nil {
		t.Errorf("GET /healthz: %v", err)
	}
	if _, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("GET /plans: error %v, want %v", err, ErrNoKey)
	}
	if _, err := Typed(c).GetPlansWithResponse(t.Context(), nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("typed GET /plans: error %v, want %v", err, ErrNoKey)
	}
}

func TestClient_Typed_DecodesAnswersAndErrors(t *testing.T) {
	t.Parallel()
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() == "/base/customers/a%2Fb" {
			writeJSON(w, http.StatusOK, `{"id":"a/b","current_mrr_base_currency":9900,"churn_risk_score":null}`)
			return
		}
		writeJSON(w, http.StatusNotFound, `{"error":"no customer","message":"no customer","code":"not_found"}`)
	}), func(o *Options) { o.BaseURL = "http://api.test/base" })

	found, err := Typed(c).GetCustomersIdWithResponse(t.Context(), "a/b", nil)
	if err != nil {
		t.Fatal(err)
	}
	if found.JSON200 == nil || found.JSON200.CurrentMrrBaseCurrency != 9900 || found.JSON200.ChurnRiskScore != nil {
		t.Errorf("answer = %+v", found.JSON200)
	}
	missing, err := Typed(c).GetCustomersIdWithResponse(t.Context(), "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if missing.StatusCode() != http.StatusNotFound || missing.JSON404 == nil || missing.JSON404.Code != "not_found" {
		t.Errorf("answer = %d %+v", missing.StatusCode(), missing.JSON404)
	}
}

// The generated client resolves dot segments before the request reaches us. The
// law that makes our check sufficient: no route of the contract becomes another
// route when its parameter is empty or made of dots.
func TestClient_Typed_NoIdLeavesItsRoute(t *testing.T) {
	t.Parallel()
	base := &url.URL{Scheme: "http", Host: "api.test", Path: "/"}
	c := newClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
	}), nil)
	for _, op := range openapi.Operations() {
		if !strings.Contains(op.Path, "{id}") {
			continue
		}
		for _, id := range []string{"", ".", ".."} {
			target, err := base.Parse("." + strings.ReplaceAll(op.Path, "{id}", id))
			if err != nil {
				t.Fatal(err)
			}
			req := &http.Request{Method: op.Method, URL: target, Header: http.Header{}}
			res, err := (typedDoer{c}).Do(req.WithContext(t.Context()))
			if err == nil {
				_ = res.Body.Close()
			}
			if !errors.Is(err, ErrPath) {
				t.Errorf("%s with id %q: error %v, want %v", op.ID, id, err, ErrPath)
			}
		}
	}
	if _, err := Typed(c).DeleteDataCustomersIdWithResponse(t.Context(), "..", &wire.DeleteDataCustomersIdParams{}); !errors.Is(err, ErrPath) {
		t.Errorf("delete with id ..: error %v, want %v", err, ErrPath)
	}
}
