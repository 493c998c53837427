package httpx

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Call is one exchange of an outgoing client, for the log of outgoing calls.
// Path, query, headers and bodies stay out of it: any may be a secret.
type Call struct {
	Purpose string
	Method  string
	Host    string        // as in the URL, with the port if it has one
	Remote  string        // address and port that were reached, "" if none was
	Status  int           // 0 without an answer
	Bytes   int64         // of the answer's body that were read
	Took    time.Duration // from the request until the body was closed
	Err     error         // why there was no answer
}

// LogCalls returns an OutgoingConfig.Log that writes one line per exchange.
func LogCalls(logger *slog.Logger) func(context.Context, Call) {
	return func(ctx context.Context, c Call) {
		attrs := []slog.Attr{
			slog.String("purpose", c.Purpose), slog.String("method", c.Method), slog.String("host", c.Host), slog.String("remote", c.Remote),
			slog.Int("status", c.Status), slog.Int64("bytes", c.Bytes), slog.Duration("took", c.Took),
		}
		if c.Err != nil {
			attrs = append(attrs, slog.Any("error", c.Err))
		}
		logger.LogAttrs(ctx, slog.LevelInfo, "outgoing call", attrs...)
	}
}

// outgoing checks the URL of each exchange, limits its answer and logs it.
type outgoing struct {
	cfg   OutgoingConfig
	guard guard
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o *outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.cfg.Log == nil {
		return o.exchange(r, func(int, int64, error) {})
	}
	start := o.cfg.Now()
	var remote string
	traced := r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { remote = info.Conn.RemoteAddr().String() },
	}))
	return o.exchange(traced, func(status int, n int64, err error) {
		o.cfg.Log(r.Context(), Call{
			Purpose: o.cfg.Purpose, Method: r.Method, Host: r.URL.Host, Remote: remote,
			Status: status, Bytes: n, Took: o.cfg.Now().Sub(start), Err: err,
		})
	})
}

func (o *outgoing) exchange(r *http.Request, done func(status int, n int64, err error)) (*http.Response, error) {
	if err := o.cfg.checkURL(r.URL, o.guard); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		done(0, 0, err)
		return nil, err
	}
	answer, err := o.next.RoundTrip(r)
	if err != nil {
		done(0, 0, err)
		return nil, err
	}
	answer.Body = &limitedBody{body: answer.Body, limit: o.cfg.MaxBytes, done: func(n int64) { done(answer.StatusCode, n, nil) }}
	return answer, nil
}

// ResponseTooLargeError says that an answer has more bytes than the client takes.
type ResponseTooLargeError struct{ Limit int64 }

// Error implements error.
func (e *ResponseTooLargeError) Error() string {
	return "the answer has more than " + sizeText(e.Limit)
}

// limitedBody fails once more than limit bytes were read, rather than end as if
// the body were whole.
type limitedBody struct {
	body  io.ReadCloser
	limit int64
	read  int64
	once  sync.Once
	done  func(n int64)
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.read > b.limit {
		return 0, &ResponseTooLargeError{b.limit}
	}
	// One byte past the limit tells a body that ends there from one that goes on.
	if room := b.limit + 1 - b.read; int64(len(p)) > room {
		p = p[:room]
	}
	n, err := b.body.Read(p)
	b.read += int64(n)
	if over := b.read - b.limit; over > 0 {
		return n - int(over), &ResponseTooLargeError{b.limit}
	}
	return n, err
}

// Close implements io.Closer.
func (b *limitedBody) Close() error {
	err := b.body.Close()
	b.once.Do(func() { b.done(min(b.read, b.limit)) })
	return err
}
