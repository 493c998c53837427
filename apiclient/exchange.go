package apiclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/growpanel/growpanel-mcp/openapi"
)

const (
	maxTries = 5
	// What to wait, doubled with each try, when the API does not say.
	limitedBackoff  = time.Second
	upstreamBackoff = 200 * time.Millisecond
)

// exchange sends a request until the answer is one to keep. The body of a 2xx
// answer goes to a writer, if there is one, and else into memory. Redirects are
// never followed, so that the key reaches no other host.
func (c *Client) exchange(req *http.Request, path string, to io.Writer) (*Response, error) {
	if err := c.prepare(req, path); err != nil {
		return nil, err
	}
	var waited time.Duration
	for try := 0; ; try++ {
		res, err := c.roundTrip(req, to)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", req.Method, path, err)
		}
		wait, again := backoff(req.Method, res, try)
		waited += wait
		if !again || waited > c.maxWait || endsWithin(req.Context(), wait) {
			return res, nil
		}
		if err := c.sleep(req.Context(), wait); err != nil {
			return nil, fmt.Errorf("%s %s: wait to try again: %w", req.Method, path, err)
		}
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// prepare adds the headers that every request has.
func (c *Client) prepare(req *http.Request, path string) error {
	if c.authorization != nil {
		req.Header["Authorization"] = c.authorization
	} else if op := openapi.Find(req.Method, path); op == nil || !op.Public {
		return ErrNoKey
	}
	req.Header["Accept"] = acceptValues
	req.Header["User-Agent"] = c.userAgent
	return nil
}

// rewind returns the request with its body at the beginning. It is a copy,
// because a transport may still be busy with the one that was answered early.
func rewind(req *http.Request) (*http.Request, error) {
	again := req.WithContext(req.Context())
	if req.GetBody == nil {
		return again, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("send the body again: %w", err)
	}
	again.Body = body
	return again, nil
}

func (c *connection) roundTrip(req *http.Request, to io.Writer) (*Response, error) {
	res, err := c.send(req, to)
	if err != nil && !errors.Is(err, errPanicked) {
		err = unreachableError{err}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // what was read is what counts
	if to != nil && succeeded(res.StatusCode) {
		if _, err := io.Copy(to, res.Body); err != nil {
			return nil, fmt.Errorf("pass the answer on: %w", err)
		}
		return &Response{Status: res.StatusCode, Header: res.Header}, nil
	}
	body, err := c.read(res)
	if err != nil {
		return nil, err
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// send lets the transport carry the request. A handler in this process writes the
// body of a 2xx answer straight on, if there is a writer for it.
func (c *connection) send(req *http.Request, to io.Writer) (*http.Response, error) {
	if p, ok := c.transport.(*inProcess); ok {
		return p.send(req, to)
	}
	return c.transport.RoundTrip(req)
}

func succeeded(status int) bool { return status >= 200 && status <= 299 }

// read returns the whole body within the bound on its size.
func (c *connection) read(res *http.Response) ([]byte, error) {
	if res.ContentLength > c.maxResponseBytes {
		return nil, ErrResponseTooLarge
	}
	if res.ContentLength >= 0 && res.Request != nil && res.Request.Method != http.MethodHead {
		body := make([]byte, res.ContentLength)
		if _, err := io.ReadFull(res.Body, body); err != nil {
			return nil, unreachableError{fmt.Errorf("read the answer: %w", err)}
		}
		return body, nil
	}
	buffer := c.buffers.get()
	defer c.buffers.put(buffer)
	n, err := buffer.ReadFrom(io.LimitReader(res.Body, c.maxResponseBytes+1))
	if err != nil {
		return nil, unreachableError{fmt.Errorf("read the answer: %w", err)}
	}
	if n > c.maxResponseBytes {
		return nil, ErrResponseTooLarge
	}
	return bytes.Clone(buffer.Bytes()), nil
}

// backoff says whether to try again, and after how long. The statuses of a
// gateway are retried for reads alone: a write may have happened behind it.
func backoff(method string, res *Response, try int) (wait time.Duration, again bool) {
	var first time.Duration
	switch res.Status {
	case http.StatusTooManyRequests:
		first = limitedBackoff
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if method != http.MethodGet {
			return 0, false
		}
		first = upstreamBackoff
	default:
		return 0, false
	}
	if try+1 >= maxTries {
		return 0, false
	}
	if asked, ok := retryAfter(res.Header); ok {
		return asked, true
	}
	return first << try, true
}

// retryAfter reads the Retry-After header (RFC 9110 §10.2.3): seconds, or a
// date, which is taken relative to the answer's own Date.
func retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	sent, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	return max(at.Sub(sent), 0), true
}

// endsWithin reports whether the context ends before d has passed: then the
// answer at hand says more than a later "deadline exceeded".
func endsWithin(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}
