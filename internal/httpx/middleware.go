package httpx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Chain applies middleware so that the first named is the outermost.
func Chain(h http.Handler, outermostFirst ...Middleware) http.Handler {
	for _, wrap := range slices.Backward(outermostFirst) {
		h = wrap(h)
	}
	return h
}

type contextKey int

const requestKey contextKey = iota

// request is what is known of a request while it is served.
type request struct {
	id string

	mu    sync.Mutex
	attrs []slog.Attr
}

// RequestID returns the id of the request being served, "" outside of one.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey).(*request); ok {
		return r.id
	}
	return ""
}

// Annotate adds an attribute to the access log line of the request being
// served. It must not be a secret.
func Annotate(ctx context.Context, attr slog.Attr) {
	r, ok := ctx.Value(requestKey).(*request)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attrs = append(r.attrs, attr)
}

const requestIDHeader = "X-Request-Id"

// Identify gives every request an id, taken from X-Request-Id when that is
// short and plain, and repeats it in the answer.
func Identify() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := r.Header.Get(requestIDHeader)
			if !plainID(id) {
				id = rand.Text()
			}
			w.Header().Set(requestIDHeader, id)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey, &request{id: id})))
		})
	}
}

func plainID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// AccessLog writes one line per request. Headers, bodies and the query stay out
// of it: any of them may carry a key.
func AccessLog(logger *slog.Logger, now func() time.Time) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := now()
			rec := &recorder{ResponseWriter: w}
			defer func() {
				logger.LogAttrs(r.Context(), slog.LevelInfo, "request", accessAttrs(r, rec, now().Sub(start))...)
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

func accessAttrs(r *http.Request, rec *recorder, took time.Duration) []slog.Attr {
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", rec.statusOr200()),
		slog.Int64("bytes", rec.bytes), slog.Duration("took", took),
		slog.String("remote", remote), slog.String("request_id", RequestID(r.Context())),
	}
	if req, ok := r.Context().Value(requestKey).(*request); ok {
		req.mu.Lock()
		defer req.mu.Unlock()
		attrs = append(attrs, req.attrs...)
	}
	return attrs
}

// Recover answers 500 when a handler panics before it has written anything,
// and logs the panic with its stack.
func Recover(errs Errors) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := &recorder{ResponseWriter: w}
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p) // net/http's own way to cut a connection
				}
				err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				if rec.status != 0 {
					errs.Logger.ErrorContext(r.Context(), "request failed after its answer began", slog.Any("error", err))
					panic(http.ErrAbortHandler) // half an answer must not look whole
				}
				errs.Write(rec, r, err)
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

// SecureHeaders sets the headers that keep browsers from storing, sniffing,
// framing or running an API's answers.
func SecureHeaders() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			next.ServeHTTP(w, r)
		})
	}
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the answer begins
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	// 1xx answers come before the real one.
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) statusOr200() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
