package apiclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// streamClients returns clients of a handler behind a socket and in the process.
func streamClients(t *testing.T, timeout time.Duration, handler http.HandlerFunc) map[string]*apiclient.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	clients := map[string]*apiclient.Client{}
	for name, transport := range map[string]http.RoundTripper{"network": nil, "in process": apiclient.InProcess(handler)} {
		c, err := apiclient.New(apiclient.Options{
			BaseURL: server.URL, Key: apiclient.NewSecret("k"), Timeout: timeout, MaxResponseBytes: 1000, MaxWait: -1, Transport: transport,
		})
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = c
	}
	return clients
}

func TestStream_PassesOnMoreThanFitsInMemory(t *testing.T) {
	t.Parallel()
	for name, c := range streamClients(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Of", r.URL.RequestURI())
		for range 100 {
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		}
	}) {
		var got bytes.Buffer
		header, err := c.Stream(t.Context(), []string{"exports", "a b.csv"}, url.Values{"date": {"today"}}, &got)
		if err != nil || got.Len() != 100_000 || header.Get("X-Of") != "/exports/a%20b.csv?date=today" {
			t.Errorf("%s: %d bytes of %s: %v", name, got.Len(), header.Get("X-Of"), err)
		}
	}
}

// In the process as well a part is passed on before the next one is written.
func TestStream_HoldsNothingBack(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	c := streamClients(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		for n := range 5 {
			if got.Len() != n*1000 {
				t.Errorf("%d bytes were passed on after %d parts", got.Len(), n)
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		}
	})["in process"]
	if _, err := c.Stream(t.Context(), []string{"exports"}, nil, &got); err != nil || got.Len() != 5000 {
		t.Errorf("%d bytes: %v", got.Len(), err)
	}
}

// A handler in the process is told when nobody waits for its answer any more.
func TestStream_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	var after error
	c := streamClients(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "x")
		leave()
		_, after = io.WriteString(w, "y")
	})["in process"]
	var got bytes.Buffer
	_, err := c.Stream(ctx, []string{"exports"}, nil, &got)
	if !errors.Is(err, context.Canceled) || !errors.Is(after, context.Canceled) || got.String() != "x" {
		t.Errorf("%v, the handler is told %v, wrote %q", err, after, got.String())
	}
}

func TestStream_AnErrorIsNoFile(t *testing.T) {
	t.Parallel()
	for name, c := range streamClients(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"date: no"}`)
	}) {
		var got bytes.Buffer
		_, err := c.Stream(t.Context(), []string{"exports"}, nil, &got)
		if failure, ok := errors.AsType[*apiclient.Error](err); !ok || failure.Message != "date: no" || got.Len() > 0 {
			t.Errorf("%s: %v, wrote %q", name, err, got.String())
		}
	}
}

func TestStream_ABrokenFileIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range streamClients(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}) {
		var got bytes.Buffer
		if _, err := c.Stream(t.Context(), []string{"exports"}, nil, &got); err == nil || got.String() != "half" {
			t.Errorf("%s: wrote %q: %v", name, got.String(), err)
		}
	}
}

// The whole may take any time, each part of it no more than the timeout.
func TestStream_WaitsForEachPartAlone(t *testing.T) {
	t.Parallel()
	const timeout = time.Minute
	for _, tt := range []struct {
		name    string
		waits   []time.Duration // before each part
		want    string
		wantErr error
	}{
		{"slow but steady", []time.Duration{timeout - 1, timeout - 1, timeout - 1}, "xxx", nil},
		{"stalls at once", []time.Duration{timeout + 1}, "", apiclient.ErrStalled},
		{"stalls after the first part", []time.Duration{0, timeout + 1}, "x", apiclient.ErrStalled},
		{"stalls late", []time.Duration{timeout - 1, timeout - 1, timeout + 1}, "xx", apiclient.ErrStalled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, err := apiclient.New(apiclient.Options{
					BaseURL: "http://api.example", Key: apiclient.NewSecret("k"), Timeout: timeout, MaxWait: -1, Transport: parts(tt.waits),
				})
				if err != nil {
					t.Fatal(err)
				}
				var got strings.Builder
				if _, err := c.Stream(t.Context(), []string{"exports"}, nil, &got); !errors.Is(err, tt.wantErr) || got.String() != tt.want {
					t.Errorf("wrote %q: %v, want %q: %v", got.String(), err, tt.want, tt.wantErr)
				}
			})
		})
	}
}

// parts is a transport whose answers come in parts, each after a wait.
type parts []time.Duration

func (p parts) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: &slowBody{req.Context(), p}, ContentLength: -1}, nil
}

type slowBody struct {
	ctx   context.Context
	waits []time.Duration
}

func (b *slowBody) Read(to []byte) (int, error) {
	if len(b.waits) == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.waits[0]):
		b.waits = b.waits[1:]
		return copy(to, "x"), nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b *slowBody) Close() error { return nil }

func TestStream_AFailingWriterEndsTheCall(t *testing.T) {
	t.Parallel()
	full := errors.New("no space")
	for name, c := range streamClients(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }) {
		if _, err := c.Stream(t.Context(), []string{"exports"}, nil, failingWriter{full}); !errors.Is(err, full) || errors.Is(err, apiclient.ErrUnreachable) {
			t.Errorf("%s: %v, want %v", name, err, full)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
