package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// InProcess returns a transport that calls a handler directly, without a
// socket. The handler runs in the caller's goroutine and sees its context, what
// it writes is held in memory until it returns, unless Client.Stream asks for it,
// and a panic in it becomes an error of the call.
func InProcess(h http.Handler) http.RoundTripper {
	return &inProcess{handler: h}
}

type inProcess struct {
	handler http.Handler
	buffers bufferPool
}

// RoundTrip implements http.RoundTripper.
func (p *inProcess) RoundTrip(req *http.Request) (*http.Response, error) { return p.send(req, nil) }

// send is RoundTrip. The body of a 2xx answer goes to a writer, if there is one,
// as it is written, and is then missing from the answer; what the writer says
// against it is the error of that body.
func (p *inProcess) send(req *http.Request, to io.Writer) (*http.Response, error) {
	defer closeBody(req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := recorder{header: make(http.Header), body: p.buffers.get(), head: req.Method == http.MethodHead}
	if to != nil {
		w.pass = func(b []byte) (int, error) {
			if err := req.Context().Err(); err != nil {
				return 0, err
			}
			return to.Write(b)
		}
	}
	err := p.serve(&w, req)
	if w.err != nil {
		return &http.Response{StatusCode: w.status, Header: w.sent, Body: brokenBody{w.err}, Request: req}, nil
	}
	if err != nil {
		return nil, err
	}
	// A handler that stopped because its caller left may have written anything.
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return w.response(req, &p.buffers), nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // it is a buffer in memory
	}
}

// serve calls the handler with the request as a server would have received it.
func (p *inProcess) serve(w *recorder, req *http.Request) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicError(req, cause)
		}
	}()
	in := req.WithContext(req.Context())
	in.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
	in.RequestURI = req.URL.RequestURI()
	in.Header = req.Header.Clone()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.GetBody = nil
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	p.handler.ServeHTTP(w, in)
	return nil
}

// panicError tells a deliberate abort from a fault.
func panicError(req *http.Request, cause any) error {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s %s: %w: %v", req.Method, req.URL.Path, errPanicked, cause)
}

// recorder is a ResponseWriter in memory with the rules of net/http: the first
// status wins, and headers set after it do not count.
type recorder struct {
	header http.Header
	sent   http.Header // as of the first write; nil before
	status int
	body   *bytes.Buffer
	head   bool
	pass   func([]byte) (int, error) // takes the body of a 2xx answer; may be nil
	err    error                     // of pass
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational statuses are dropped.
func (w *recorder) WriteHeader(status int) {
	if w.sent != nil || status < http.StatusOK {
		return
	}
	w.status = status
	w.sent = w.header.Clone()
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.begin(b)
	if !w.hasBody() {
		return len(b), nil
	}
	if w.pass == nil || !succeeded(w.status) {
		return w.body.Write(b)
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.pass(b)
	w.err = err
	return n, err
}

// WriteString implements io.StringWriter.
func (w *recorder) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush implements http.Flusher: it fixes the header, as the network would.
func (w *recorder) Flush() { w.begin(nil) }

// begin fixes status and header at the first write.
func (w *recorder) begin(first []byte) {
	if w.sent != nil {
		return
	}
	if len(first) > 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(first))
	}
	w.WriteHeader(http.StatusOK)
}

// hasBody is false where HTTP allows none (RFC 9110 §6.4.1).
func (w *recorder) hasBody() bool {
	return !w.head && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// response is what was recorded. Closing its body gives the buffer back.
func (w *recorder) response(req *http.Request, buffers *bufferPool) *http.Response {
	w.begin(nil)
	return &http.Response{
		Status:        http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          &recordedBody{buffer: w.body, buffers: buffers},
		ContentLength: int64(w.body.Len()),
		Request:       req,
	}
}

// brokenBody is the rest of a body that could not be passed on.
type brokenBody struct{ err error }

// Read implements io.Reader.
func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

// Close implements io.Closer.
func (brokenBody) Close() error { return nil }

// recordedBody reads a buffer that goes back to its pool when closed.
type recordedBody struct {
	buffer  *bytes.Buffer // nil once closed
	buffers *bufferPool
}

// Read implements io.Reader.
func (b *recordedBody) Read(p []byte) (int, error) {
	if b.buffer == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.buffer.Read(p)
}

// Close implements io.Closer.
func (b *recordedBody) Close() error {
	if b.buffer != nil {
		b.buffers.put(b.buffer)
		b.buffer = nil
	}
	return nil
}
