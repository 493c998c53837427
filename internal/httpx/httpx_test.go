package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

func TestErrors_Handle(t *testing.T) {
	t.Parallel()
	errTeapot := errors.New("short and stout")
	var index int64 = 3
	tests := map[string]struct {
		err    error
		status int
		body   map[string]any
		logged bool
	}{
		"an error for clients": {
			err:    fmt.Errorf("push rows: %w", &Error{Status: 400, Code: "invalid_rows", Message: "bad row", Details: []Detail{{Index: &index, ID: "inv_1", Field: "amount", Message: "must be an integer"}}}),
			status: 400,
			body: map[string]any{"error": "bad row", "message": "bad row", "code": "invalid_rows", "details": []any{
				map[string]any{"index": 3.0, "id": "inv_1", "field": "amount", "message": "must be an integer"},
			}},
		},
		"an error that is translated": {
			err:    fmt.Errorf("brew: %w", errTeapot),
			status: 418,
			body:   map[string]any{"error": "I am a teapot", "message": "I am a teapot", "code": "teapot"},
		},
		"an error that clients must not see": {
			err:    errors.New("dial tcp 10.0.0.1: password is hunter2"),
			status: 500,
			body:   map[string]any{"error": "internal error", "message": "internal error", "code": "internal"},
			logged: true,
		},
		"an error about a field": {
			err:    Field("interval", "must be day, week, month, quarter or year"),
			status: 400,
			body: map[string]any{
				"error": "interval: must be day, week, month, quarter or year", "message": "interval: must be day, week, month, quarter or year",
				"code": "invalid_parameter", "details": []any{map[string]any{"field": "interval", "message": "must be day, week, month, quarter or year"}},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			errs := Errors{Logger: slog.New(slog.NewTextHandler(&logged, nil)), Translate: func(err error) *Error {
				if errors.Is(err, errTeapot) {
					return &Error{Status: 418, Code: "teapot", Message: "I am a teapot"}
				}
				return nil
			}}
			w := serve(errs.Handle(func(http.ResponseWriter, *http.Request) error { return tt.err }), get("/"))
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatalf("body %q: %v", w.Body, err)
			}
			if diff := cmp.Diff(tt.body, body); diff != "" || w.Code != tt.status {
				t.Errorf("status %d, want %d; body (-want +got):\n%s", w.Code, tt.status, diff)
			}
			if got := w.Header().Get("Content-Type"); got != ContentTypeJSON {
				t.Errorf("Content-Type %q, want %q", got, ContentTypeJSON)
			}
			if (logged.Len() > 0) != tt.logged {
				t.Errorf("logged %q, want logged = %v", logged.String(), tt.logged)
			}
		})
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	errs := Errors{Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	w := serve(Recover(errs)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })), get("/"))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal"`) || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("panic answered %d %s, want a plain 500", w.Code, w.Body)
	}
	if !strings.Contains(logged.String(), "boom") || !strings.Contains(logged.String(), "httpx_test.go") {
		t.Errorf("log has no panic with stack: %s", &logged)
	}
}

func TestRecover_CutsAnAnswerThatHasBegun(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]any{"a panic": "boom", "an abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got, ok := recover().(error); !ok || !errors.Is(got, http.ErrAbortHandler) {
					t.Errorf("recovered %v, want http.ErrAbortHandler", got)
				}
			}()
			h := Recover(Errors{Logger: slog.New(slog.DiscardHandler)})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("half"))
				panic(p)
			}))
			serve(h, get("/"))
		})
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for sent, kept := range map[string]bool{"req-1.A_b": true, "": false, "a b": false, "a\nb": false, strings.Repeat("x", 65): false, "ключ": false} {
		r := get("/")
		r.Header.Set("X-Request-Id", sent)
		var seen string
		w := serve(Identify()(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = RequestID(r.Context()) })), r)
		if seen == "" || (seen == sent) != kept || w.Header().Get("X-Request-Id") != seen {
			t.Errorf("X-Request-Id %q became %q, answered %q", sent, seen, w.Header().Get("X-Request-Id"))
		}
	}
	if got := RequestID(t.Context()); got != "" {
		t.Errorf("RequestID outside of a request = %q", got)
	}
}

func TestAccessLog_HasNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	var logged bytes.Buffer
	clock := time.Unix(1000, 0)
	now := func() time.Time { clock = clock.Add(time.Millisecond); return clock }
	h := Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Annotate(r.Context(), slog.String("account", "acme"))
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("hello"))
	}), Identify(), AccessLog(slog.New(slog.NewTextHandler(&logged, nil)), now))
	r := httptest.NewRequest(http.MethodPost, "/data/customers?api_key="+secret, strings.NewReader(secret))
	r.Header.Set("Authorization", "Bearer "+secret)
	serve(h, r)
	line := logged.String()
	if strings.Contains(line, secret) {
		t.Errorf("the access log tells the secret: %s", line)
	}
	for _, want := range []string{"method=POST", "path=/data/customers", "status=201", "bytes=5", "took=1ms", "account=acme", "remote=192.0.2.1", "request_id="} {
		if !strings.Contains(line, want) {
			t.Errorf("access log has no %s: %s", want, line)
		}
	}
}

func TestBearerToken(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer abc.def": "abc.def", "bearer abc": "abc", "BEARER  abc ": "abc",
		"": "", "Bearer": "", "Bearer ": "", "Basic abc": "", "abc": "", "Bearer a b": "", "Bearer a,b": "", "Bearer\tabc": "", "Bearerabc": "",
	} {
		if got := BearerToken(header); got != want {
			t.Errorf("BearerToken(%q) = %q, want %q", header, got, want)
		}
	}
}

func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  x ", "Basic Zm9v", "Bearer a b", "\x00", "Bearer \xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token := BearerToken(header)
		if token == "" {
			return
		}
		if !strings.HasSuffix(strings.TrimRight(header, " "), token) || strings.ContainsAny(token, " \t\r\n,") {
			t.Errorf("BearerToken(%q) = %q", header, token)
		}
		if again := BearerToken("Bearer " + token); again != token {
			t.Errorf("BearerToken(Bearer %q) = %q", token, again)
		}
	})
}

func TestBuffers_Read(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body     io.Reader
		length   int64
		encoding string
		want     string
		status   int
	}{
		"a body":                          {body: strings.NewReader("0123456789"), length: 10, want: "0123456789"},
		"a body of unknown length":        {body: strings.NewReader("0123456789"), length: -1, want: "0123456789"},
		"no body":                         {body: http.NoBody, length: 0, want: ""},
		"an announced length too long":    {body: strings.NewReader(""), length: 11, status: 413},
		"an unannounced length too long":  {body: strings.NewReader("0123456789a"), length: -1, status: 413},
		"a body that breaks off":          {body: io.MultiReader(strings.NewReader("01"), iotest.ErrReader(io.ErrUnexpectedEOF)), length: 10, status: 400},
		"a body that is compressed":       {body: strings.NewReader("x"), length: 1, encoding: "gzip", status: 415},
		"an encoding that says unchanged": {body: strings.NewReader("x"), length: 1, encoding: "identity", want: "x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			r.ContentLength = tt.length
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			var buffers Buffers
			got, release, err := buffers.Read(r, 10)
			if tt.status != 0 {
				var seen *Error
				if !errors.As(err, &seen) || seen.Status != tt.status {
					t.Errorf("error %v, want status %d", err, tt.status)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("Read = %q, %v, want %q", got, err, tt.want)
			}
			release()
		})
	}
}

func TestBuffers_Read_ConcurrentBodiesStayApart(t *testing.T) {
	t.Parallel()
	var buffers Buffers
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			want := strings.Repeat(strconv.Itoa(i), 1000+i)
			for range 50 {
				got, release, err := buffers.Read(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(want)), 1<<20)
				if err != nil || string(got) != want {
					t.Errorf("body %d came back changed: %v", i, err)
					return
				}
				release()
			}
		})
	}
	wg.Wait()
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{20 << 20: "20 MiB", 64 << 10: "64 KiB", 1500: "1500 bytes"} {
		if got := sizeText(n); got != want {
			t.Errorf("sizeText(%d) = %q, want %q", n, got, want)
		}
	}
}

// limiterAt is a limiter of one minute with a clock that the test moves.
func limiterAt(keys int) (*Limiter, func(time.Duration)) {
	clock := time.Unix(1_000_000, 500_000_000)
	return NewLimiter(time.Minute, keys, func() time.Time { return clock }), func(d time.Duration) { clock = clock.Add(d) }
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	l, pass := limiterAt(100)
	for i := range 3 {
		if q := l.Take("acme", "GET", 3); !q.Allowed || q.Remaining != 2-i {
			t.Fatalf("request %d: %+v", i, q)
		}
		pass(10 * time.Second)
	}
	refused := l.Take("acme", "GET", 3)
	if refused.Allowed || refused.Remaining != 0 || refused.Wait != 30*time.Second {
		t.Errorf("fourth request: %+v, want refused for 30 s", refused)
	}
	if !l.Take("acme", "POST", 3).Allowed || !l.Take("beta", "GET", 3).Allowed {
		t.Errorf("a full window closes another class or account")
	}
	pass(refused.Wait - time.Nanosecond)
	if l.Take("acme", "GET", 3).Allowed {
		t.Errorf("allowed before the window ended")
	}
	pass(time.Nanosecond)
	if q := l.Take("acme", "GET", 3); !q.Allowed || q.Remaining != 2 {
		t.Errorf("after the window: %+v", q)
	}
}

func TestQuota_SetHeaders(t *testing.T) {
	t.Parallel()
	l, pass := limiterAt(100)
	h := http.Header{}
	l.Take("acme", "GET", 1).SetHeaders(h)
	want := http.Header{"X-Ratelimit-Limit": {"1"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1000061"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
	pass(59*time.Second + 999*time.Millisecond)
	l.Take("acme", "GET", 1).SetHeaders(h)
	want.Set("Retry-After", "1")
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestLimiter_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	l, pass := limiterAt(10)
	for i := range 1000 {
		l.Take(strconv.Itoa(i), "GET", 1)
		if i%100 == 0 {
			pass(time.Minute)
		}
		if len(l.windows) > 10 {
			t.Fatalf("%d windows after %d owners, want at most 10", len(l.windows), i)
		}
	}
}

func TestLimiter_Concurrent(t *testing.T) {
	t.Parallel()
	l, _ := limiterAt(10)
	var allowed [8]int
	var wg sync.WaitGroup
	for i := range allowed {
		wg.Go(func() {
			for range 100 {
				if l.Take("acme", "GET", 300).Allowed {
					allowed[i]++
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range allowed {
		total += n
	}
	if total != 300 {
		t.Errorf("%d of 800 concurrent requests allowed, want 300", total)
	}
}

func TestErrors_Write_DoesNotLogAClientThatHungUp(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := Errors{Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	errs.Write(httptest.NewRecorder(), get("/").WithContext(ctx), context.Canceled)
	if logged.Len() > 0 {
		t.Errorf("logged %s", &logged)
	}
}
