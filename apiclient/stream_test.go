package apiclient_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

func streamClient(t *testing.T, timeout time.Duration, handler http.HandlerFunc) *apiclient.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := apiclient.New(apiclient.Options{
		BaseURL: server.URL, Key: apiclient.NewSecret("k"), Timeout: timeout, MaxResponseBytes: 1000, MaxWait: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStream_PassesOnMoreThanFitsInMemory(t *testing.T) {
	t.Parallel()
	c := streamClient(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Of", r.URL.RequestURI())
		for range 100 {
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		}
	})
	var got bytes.Buffer
	header, err := c.Stream(t.Context(), []string{"exports", "a b.csv"}, url.Values{"date": {"today"}}, &got)
	if err != nil || got.Len() != 100_000 || header.Get("X-Of") != "/exports/a%20b.csv?date=today" {
		t.Errorf("%d bytes of %s: %v", got.Len(), header.Get("X-Of"), err)
	}
}

func TestStream_AnErrorIsNoFile(t *testing.T) {
	t.Parallel()
	c := streamClient(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"date: no"}`)
	})
	var got bytes.Buffer
	_, err := c.Stream(t.Context(), []string{"exports"}, nil, &got)
	if failure, ok := errors.AsType[*apiclient.Error](err); !ok || failure.Message != "date: no" || got.Len() > 0 {
		t.Errorf("%v, wrote %q", err, got.String())
	}
}

func TestStream_ABrokenFileIsAnError(t *testing.T) {
	t.Parallel()
	stalled := make(chan struct{})
	defer close(stalled)
	for name, end := range map[string]func(){
		"breaks off": func() { panic(http.ErrAbortHandler) },
		"stalls":     func() { <-stalled },
	} {
		c := streamClient(t, 200*time.Millisecond, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			end()
		})
		var got bytes.Buffer
		_, err := c.Stream(t.Context(), []string{"exports"}, nil, &got)
		if err == nil || got.String() != "half" {
			t.Errorf("%s: wrote %q without an error", name, got.String())
		}
		if name == "stalls" && !errors.Is(err, apiclient.ErrStalled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStream_AFailingWriterEndsTheCall(t *testing.T) {
	t.Parallel()
	c := streamClient(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	full := errors.New("no space")
	if _, err := c.Stream(t.Context(), []string{"exports"}, nil, failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
