package apiclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script answers with one status after the other and then with 200.
type script struct {
	t          *testing.T
	statuses   []int
	retryAfter string
	bodies     []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.bodies = append(s.bodies, string(body))
	status := http.StatusOK
	if n := len(s.bodies); n <= len(s.statuses) {
		status = s.statuses[n-1]
		if s.retryAfter != "" {
			w.Header().Set("Retry-After", s.retryAfter)
			w.Header().Set("Date", "Sat, 21 Nov 2026 10:00:00 GMT")
		}
	}
	writeJSON(w, status, `{"error":"Rate limit exceeded","code":"rate_limited"}`)
}

func TestClient_Do_TriesAgain(t *testing.T) {
	t.Parallel()
	s := time.Second
	tests := []struct {
		name       string
		method     string
		statuses   []int
		retryAfter string
		waits      []time.Duration
		status     int
	}{
		{"rate limit with a time", "GET", []int{429}, "3", []time.Duration{3 * s}, 200},
		{"rate limit with a date", "GET", []int{429}, "Sat, 21 Nov 2026 10:00:05 GMT", []time.Duration{5 * s}, 200},
		{"rate limit with a date that has passed", "GET", []int{429}, "Sat, 21 Nov 2026 09:00:00 GMT", []time.Duration{0}, 200},
		{"rate limit without a time", "GET", []int{429, 429, 429}, "", []time.Duration{s, 2 * s, 4 * s}, 200},
		{"rate limit with nonsense", "GET", []int{429}, "soon", []time.Duration{s}, 200},
		{"rate limit of a write", "POST", []int{429}, "1", []time.Duration{s}, 200},
		{"longer than allowed", "GET", []int{429}, "60", nil, 429},
		{"longer than allowed in sum", "GET", []int{429, 429, 429, 429}, "4", []time.Duration{4 * s, 4 * s}, 429},
		{"for ever", "GET", []int{503, 503, 503, 503, 503, 503, 503}, "0", []time.Duration{0, 0, 0, 0}, 503},
		{"gateway on a read", "GET", []int{502, 503, 504}, "", []time.Duration{s / 5, 2 * s / 5, 4 * s / 5}, 200},
		{"gateway on a write", "POST", []int{502}, "", nil, 502},
		{"internal error", "GET", []int{500}, "", nil, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := &script{t: t, statuses: tt.statuses, retryAfter: tt.retryAfter}
			var waits []time.Duration
			c := newClient(t, server, func(o *Options) {
				o.MaxWait = 10 * s
				o.Sleep = func(_ context.Context, d time.Duration) error {
					waits = append(waits, d)
					return nil
				}
			})
			_, err := c.Do(t.Context(), tt.method, []string{"plans"}, nil, []byte("{}"))
			status := http.StatusOK
			if apiErr, ok := errors.AsType[*Error](err); ok {
				status = apiErr.Status
			} else if err != nil {
				t.Fatal(err)
			}
			if status != tt.status {
				t.Errorf("status = %d, want %d", status, tt.status)
			}
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
			for i, body := range server.bodies {
				if body != "{}" {
					t.Errorf("try %d was sent with body %q", i, body)
				}
			}
		})
	}
}

func TestClient_Do_LastRateLimitSaysHowLong(t *testing.T) {
	t.Parallel()
	c := newClient(t, &script{t: t, statuses: []int{429}, retryAfter: "42"}, nil)
	_, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
	var got *Error
	if !errors.As(err, &got) || got.RetryAfter != 42*time.Second || got.Code != "rate_limited" {
		t.Errorf("error = %#v, want rate_limited after 42s", err)
	}
}

func TestClient_Do_NoSecondTryWhenTheCallerWillBeGone(t *testing.T) {
	t.Parallel()
	c := newClient(t, &script{t: t, statuses: []int{429}, retryAfter: "10"}, func(o *Options) {
		o.Timeout = 5 * time.Second
		o.Sleep = func(context.Context, time.Duration) error {
			t.Error("the client waits beyond its timeout")
			return nil
		}
	})
	_, err := c.Do(t.Context(), "GET", []string{"plans"}, nil, nil)
	var got *Error
	if !errors.As(err, &got) || got.Status != http.StatusTooManyRequests {
		t.Errorf("error = %v, want the 429", err)
	}
}

// The same as over the network: a wait, a slow server and a slow body all end
// with the caller's context.
func TestClient_Do_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	until := make(chan struct{})
	handlers := map[string]http.HandlerFunc{
		"while waiting to try again": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			writeJSON(w, http.StatusTooManyRequests, `{}`)
		},
		"before the answer": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-until:
			}
		},
		"inside the answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-until:
			}
		},
	}
	t.Cleanup(func() { close(until) })
	for name, h := range handlers {
		server := httptest.NewServer(h)
		t.Cleanup(server.CloseClientConnections)
		for kind, transport := range map[string]http.RoundTripper{"network": server.Client().Transport, "in process": InProcess(h)} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, nil, func(o *Options) {
					o.BaseURL, o.Transport, o.Sleep = server.URL, transport, nil
				})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(20*time.Millisecond, cancel)
				if _, err := c.Do(ctx, "GET", []string{"plans"}, nil, nil); !errors.Is(err, context.Canceled) {
					t.Errorf("error = %v, want %v", err, context.Canceled)
				}
			})
		}
	}
}
