package apiclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// Response is an answer of the API, read to its end.
type Response struct {
	// Status is the HTTP status.
	Status int
	// Header is the header as it came.
	Header http.Header
	// Body is the whole body.
	Body []byte
}

// These are shared by all requests and never written to.
var (
	acceptValues = []string{"application/json, text/csv"}
	jsonValues   = []string{"application/json"}
)

// Do calls a route given by its segments, such as "customers" and "cus_1", and
// returns a 2xx answer as it came. Each segment is escaped, so that none can
// leave its place. A body is sent as JSON; nil sends none.
//
// Any other status is an *Error. Statuses 429, and for GET 502, 503 and 504, are
// tried again first, within Options.MaxWait.
func (c *Client) Do(ctx context.Context, method string, segments []string, query url.Values, body []byte) (*Response, error) {
	plain, escaped, err := route(segments)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.newRequest(ctx, method, plain, escaped, query, body)
	if err != nil {
		return nil, err
	}
	res, err := c.exchange(req, escaped, nil)
	if err != nil {
		return nil, err
	}
	if !succeeded(res.Status) {
		return nil, newError(method, escaped, res)
	}
	return res, nil
}

func (c *Client) newRequest(ctx context.Context, method, plain, escaped string, query url.Values, body []byte) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "", content)
	if err != nil {
		return nil, fmt.Errorf("call the API: %w", err)
	}
	*req.URL = url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path + plain}
	if escaped != plain || c.base.RawPath != "" {
		req.URL.RawPath = c.base.EscapedPath() + escaped
	}
	if len(query) > 0 {
		req.URL.RawQuery = query.Encode()
	}
	req.Host = c.base.Host
	if body != nil {
		req.Header["Content-Type"] = jsonValues
	}
	if key, ok := ctx.Value(idempotencyKey{}).(string); ok {
		req.Header.Set("Idempotency-Key", key)
	}
	return req, nil
}

type idempotencyKey struct{}

// WithIdempotencyKey returns a context whose calls by Do tell the API that they
// are one request, however often they are made.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// typedDoer carries the requests of the generated client.
type typedDoer struct{ client *Client }

// Do implements wire.HttpRequestDoer.
func (d typedDoer) Do(req *http.Request) (*http.Response, error) {
	path, err := d.relativePath(req.URL)
	if err != nil {
		return nil, err
	}
	if openapi.Find(req.Method, path) == nil || openapi.LacksParameter(req.Method, path) {
		return nil, fmt.Errorf("%w: %s %s is not a route; an id is empty or a dot segment", ErrPath, req.Method, path)
	}
	ctx, cancel := context.WithTimeout(req.Context(), d.client.timeout)
	defer cancel()
	req = req.WithContext(ctx)
	res, err := d.client.exchange(req, path, nil)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        http.StatusText(res.Status),
		StatusCode:    res.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        res.Header,
		Body:          io.NopCloser(bytes.NewReader(res.Body)),
		ContentLength: int64(len(res.Body)),
		Request:       req,
	}, nil
}

// relativePath returns the escaped path below the base. The generated client
// resolves dot segments before it gets here, so an id that is empty or made of
// dots shows as another route, or as a slash at the end, which no route has.
func (d typedDoer) relativePath(u *url.URL) (string, error) {
	base := d.client.base
	path, ok := strings.CutPrefix(u.EscapedPath(), base.EscapedPath())
	if !ok || u.Scheme != base.Scheme || u.Host != base.Host || strings.HasSuffix(path, "/") {
		return "", fmt.Errorf("%w %q: an id is empty or a dot segment", ErrPath, u.EscapedPath())
	}
	return path, nil
}
