package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ErrStalled is returned by Stream when the answer stops coming.
var ErrStalled = errors.New("the answer stopped half-way; try again")

// Stream copies a 2xx answer to GET to a writer as it comes, of any size, and
// returns its header. Options.Timeout bounds the wait for each part, not the
// whole. The answer is complete if and only if the error is nil; what was
// written before an error stays written. Any other status is an *Error, with
// the second tries of Do.
func (c *Client) Stream(ctx context.Context, segments []string, query url.Values, to io.Writer) (http.Header, error) {
	plain, escaped, err := route(segments)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(c.timeout, func() { cancel(ErrStalled) })
	defer stall.Stop()
	req, err := c.newRequest(ctx, http.MethodGet, plain, escaped, query, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.exchange(req, escaped, &heard{to, func() { stall.Reset(c.timeout) }})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrStalled) {
		return nil, fmt.Errorf("GET %s: %w", escaped, cause)
	}
	if err != nil {
		return nil, err
	}
	if !succeeded(res.Status) {
		return nil, newError(http.MethodGet, escaped, res)
	}
	return res.Header, nil
}

// heard tells that something came.
type heard struct {
	w    io.Writer
	tell func()
}

func (h *heard) Write(b []byte) (int, error) {
	h.tell()
	return h.w.Write(b)
}
