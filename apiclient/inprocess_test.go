package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A handler that is called in the process answers as one behind a socket.
func TestInProcess_SameAsTheNetwork(t *testing.T) {
	t.Parallel()
	handlers := map[string]http.HandlerFunc{
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"body alone":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello") },
		"status and body": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusTeapot, `{"a":1}`) },
		"status alone":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"no content":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"informational": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			writeJSON(w, 200, "{}")
		},
		"header after": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, "{}"); w.Header().Set("Late", "1") },
		"flush, then more": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			writeJSON(w, 500, "{}")
		},
		"the request": func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "text/plain")
			_, _ = fmt.Fprint(w, r.Method, r.URL, r.URL.Path, r.RequestURI, r.ContentLength, r.Proto, string(body), err,
				r.Header["Accept"], r.Header["Content-Type"], r.Host != "", r.URL.Host)
		},
	}
	type answer struct {
		Status              int
		Body, ContentType   string
		Late, Error         string
		ContentLengthIsBody bool
	}
	for name, h := range handlers {
		for _, method := range []string{"GET", "POST", "HEAD"} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(h)
				defer server.Close()
				ask := func(transport http.RoundTripper) answer {
					var body io.Reader
					if method == "POST" {
						body = strings.NewReader("{}")
					}
					req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/a%2Fb/c?x=1", body)
					if err != nil {
						t.Fatal(err)
					}
					res, err := transport.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = res.Body.Close() }()
					content, err := io.ReadAll(res.Body)
					return answer{
						Status: res.StatusCode, Body: string(content), ContentType: res.Header.Get("Content-Type"),
						Late: res.Header.Get("Late"), Error: fmt.Sprint(err),
					}
				}
				if diff := cmp.Diff(ask(server.Client().Transport), ask(InProcess(h))); diff != "" {
					t.Errorf("answer (-network +in process):\n%s", diff)
				}
			})
		}
	}
}

func TestInProcess_PanicIsAnErrorOfTheCall(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]any{"fault": errors.New("boom"), "text": "boom", "abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(cause) }), nil)
			_, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
			if err == nil {
				t.Fatal("the call succeeds")
			}
			if got, want := errors.Is(err, io.ErrUnexpectedEOF), name == "abort"; got != want {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestInProcess_HandlerCannotTouchTheRequest(t *testing.T) {
	t.Parallel()
	transport := InProcess(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "other")
		r.URL.Path = "/other"
		r.Host = "other"
	}))
	req := httptest.NewRequest(http.MethodGet, "http://api.test/plans", nil)
	req.Header.Set("Authorization", "mine")
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if req.Header.Get("Authorization") != "mine" || req.URL.Path != "/plans" || req.Host != "api.test" {
		t.Errorf("the request was changed: %v %v %s", req.Header, req.URL, req.Host)
	}
}

func TestInProcess_ClosedBodyCannotBeRead(t *testing.T) {
	t.Parallel()
	transport := InProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, "{}") }))
	res, err := transport.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(res.Body.Close(), res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read after close: %v", err)
	}
}

// Buffers are lent from call to call; no answer may show through another.
func TestClient_Do_ConcurrentCallsDoNotMix(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := strings.Repeat(r.URL.Query().Get("text"), 300)
		_, _ = io.WriteString(w, text[:len(text)/2])
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, text[len(text)/2:])
	})
	server := httptest.NewServer(echo)
	t.Cleanup(server.Close)
	for name, transport := range map[string]http.RoundTripper{"network": server.Client().Transport, "in process": InProcess(echo)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, nil, func(o *Options) { o.BaseURL, o.Transport = server.URL, transport })
			var group sync.WaitGroup
			for i := range 16 {
				group.Go(func() {
					text := string(rune('a' + i))
					for range 20 {
						res, err := c.Do(t.Context(), "GET", []string{"plans"}, url.Values{"text": {text}}, nil)
						if err != nil {
							t.Error(err)
							return
						}
						if string(res.Body) != strings.Repeat(text, 300) {
							t.Errorf("the answer to %q is %q", text, res.Body)
						}
					}
				})
			}
			group.Wait()
		})
	}
}

// stub is a report of about 20 KB, as a page of months has it.
func stub() http.Handler {
	body := []byte(`{"currency":"usd","result":[` + strings.Repeat(`{"date":"2026-01-01"},`, 900) + `{}]}`)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

func BenchmarkClient_Do(b *testing.B) {
	server := httptest.NewServer(stub())
	defer server.Close()
	for name, transport := range map[string]http.RoundTripper{"network": NewTransport(), "in_process": InProcess(stub())} {
		c, err := New(Options{BaseURL: server.URL, Key: NewSecret(testKey), Transport: transport})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Do(b.Context(), http.MethodGet, []string{"reports", "mrr"}, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	// The floor: the same call without the client.
	b.Run("bare", func(b *testing.B) {
		transport := NewTransport()
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/reports/mrr", nil)
			if err != nil {
				b.Fatal(err)
			}
			res, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			var body bytes.Buffer
			_, _ = body.ReadFrom(res.Body)
			_ = res.Body.Close()
		}
	})
}
