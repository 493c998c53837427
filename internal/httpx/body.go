package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Buffers lends buffers for request bodies. The zero value is ready.
type Buffers struct{ pool sync.Pool }

// Read reads a whole request body into a lent buffer. It takes at most limit
// bytes; more is a 413, and so is a Content-Length that announces more. The
// caller must call release when nothing refers to the bytes any more.
func (b *Buffers) Read(r *http.Request, limit int64) (body []byte, release func(), err error) {
	if err := checkEncoding(r); err != nil {
		return nil, nil, err
	}
	if r.ContentLength > limit {
		return nil, nil, TooLarge(limit)
	}
	buf, ok := b.pool.Get().(*bytes.Buffer)
	if !ok {
		buf = new(bytes.Buffer)
	}
	buf.Reset()
	release = func() { b.pool.Put(buf) }
	if r.ContentLength > 0 {
		// One spare read's worth, or the buffer would grow once more just to see the end.
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		release()
		return nil, nil, readError(err)
	case n > limit:
		release()
		return nil, nil, TooLarge(limit)
	}
	return buf.Bytes(), release, nil
}

func checkEncoding(r *http.Request) error {
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return nil
	default:
		return &Error{Status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding", Message: "Content-Encoding: send the body uncompressed"}
	}
}

func readError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge(tooLarge.Limit)
	}
	return &Error{Status: http.StatusBadRequest, Code: "body_unreadable", Message: fmt.Sprintf("the body could not be read to its end: %v", err)}
}

// TooLarge is the 413 for a body of more than limit bytes.
func TooLarge(limit int64) *Error {
	return &Error{
		Status: http.StatusRequestEntityTooLarge, Code: "payload_too_large",
		Message: fmt.Sprintf("the body has more than %s; send several smaller ones", sizeText(limit)),
	}
}

func sizeText(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	if n >= 1<<10 && n%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
