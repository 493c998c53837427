// Package apiclient calls the GrowPanel REST API, over the network or inside the
// process. It has two doors: Typed for Go values, and Do for raw bytes. Both add
// the key, wait and try again when the API asks for it, bound the size of an
// answer, and keep every argument inside its route and host.
package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// What Options leaves out.
const (
	// DefaultBaseURL is the hosted API.
	DefaultBaseURL = "https://api.growpanel.io"

	defaultUserAgent        = "growpanel-go"
	defaultTimeout          = time.Minute
	defaultMaxWait          = 15 * time.Second
	defaultMaxResponseBytes = 64 << 20
)

// ErrNoKey is returned by a call that needs an API key when the client has none.
var ErrNoKey = errors.New("no API key; set GROWPANEL_API_KEY")

// Options configure a client. Every zero value but Key works.
type Options struct {
	// BaseURL is where the API is: http or https, a host, and perhaps a path that
	// every route is below. Default DefaultBaseURL.
	BaseURL string
	// Key is the API key to send. Without one only public operations can be called.
	Key Secret
	// Transport carries the requests; see NewTransport and InProcess. Default a
	// NewTransport of the client's own. Clients made by WithKey share it.
	Transport http.RoundTripper
	// UserAgent is sent with every request.
	UserAgent string
	// Timeout bounds one call, all of its tries and waits included. Default a minute.
	Timeout time.Duration
	// MaxWait bounds the time that one call spends waiting to try again. An answer
	// that asks for a longer wait is returned as it is. Default 15 seconds; negative
	// for no second try.
	MaxWait time.Duration
	// MaxResponseBytes bounds the body of an answer. Default 64 MiB.
	MaxResponseBytes int64
	// Sleep waits, or returns the context's error when that ends first. Tests
	// replace it.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client calls the API with one account's key. It is safe for concurrent use.
type Client struct {
	*connection
	authorization []string // value of the header, nil without a key
}

// connection is what clients with different keys share.
type connection struct {
	base             *url.URL // without a slash at the end of its path
	transport        http.RoundTripper
	userAgent        []string
	timeout          time.Duration
	maxWait          time.Duration
	maxResponseBytes int64
	sleep            func(ctx context.Context, d time.Duration) error
	buffers          bufferPool // for answers of unknown length
}

// New returns a client, or an error that says which option is wrong.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	authorization, err := o.Key.authorization()
	if err != nil {
		return nil, err
	}
	c := &connection{
		base:             base,
		transport:        o.Transport,
		userAgent:        []string{defaultUserAgent},
		timeout:          orDefault(o.Timeout, defaultTimeout),
		maxWait:          orDefault(o.MaxWait, defaultMaxWait),
		maxResponseBytes: orDefault(o.MaxResponseBytes, defaultMaxResponseBytes),
		sleep:            o.Sleep,
	}
	if c.transport == nil {
		c.transport = NewTransport()
	}
	if o.UserAgent != "" {
		c.userAgent = []string{o.UserAgent}
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	return &Client{connection: c, authorization: authorization}, nil
}

// WithKey returns a client that sends another key over the same connections. It
// is cheap enough to call for every request.
func (c *Client) WithKey(key Secret) (*Client, error) {
	authorization, err := key.authorization()
	if err != nil {
		return nil, err
	}
	return &Client{connection: c.connection, authorization: authorization}, nil
}

// Typed returns the generated client over c, whose answers are Go values. An
// answer outside 2xx is a value as well: look at its StatusCode. It is no method,
// because the linker keeps every method of a type that a program uses, and this
// one is megabytes.
func Typed(c *Client) *wire.ClientWithResponses {
	return &wire.ClientWithResponses{ClientInterface: &wire.Client{
		Server: c.base.String() + "/",
		Client: typedDoer{c},
	}}
}

// BaseURL returns where the API is, without a slash at the end.
func (c *Client) BaseURL() string { return c.base.String() }

// NewTransport returns a transport for the network that keeps enough idle
// connections for many calls at a time to one host. It honors the usual proxy
// variables.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		ReadBufferSize:      32 << 10,
	}
}

// parseBase checks a base URL and removes the slash at its end.
func parseBase(text string) (*url.URL, error) {
	if text == "" {
		text = DefaultBaseURL
	}
	base, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("API URL: %w", err)
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("API URL %q: use http:// or https://", text)
	case base.Host == "":
		return nil, fmt.Errorf("API URL %q: the host is missing", text)
	case base.User != nil:
		return nil, errors.New("API URL: remove the user and password; the key goes into GROWPANEL_API_KEY")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("API URL %q: remove what follows the path", text)
	}
	base = base.JoinPath()
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

// sleep waits for d or for the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
