package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// OutgoingConfig says where the calls of an outgoing client may go and what they
// may cost. Its zero value is the strictest one: https to public addresses, no
// redirects, 30 s, 1 MiB.
type OutgoingConfig struct {
	Purpose  string         // what the calls are for, one word for the log: "webhook"
	Networks []netip.Prefix // networks that are not public and may be reached none the less; the operator's choice

	AllowHTTP bool                   // whether http is accepted beside https
	AllowHost func(host string) bool // which hosts may be called; nil for every one
	Redirects Redirects              // NoRedirects by default

	Timeout  time.Duration // of a whole call with its body; 0 is 30 s
	MaxBytes int64         // of an answer's body, after decompression; 0 is 1 MiB. More is a *ResponseTooLargeError while reading

	Log func(context.Context, Call) // told of every exchange once it is over; nil for none
	Now func() time.Time            // needed with Log

	Resolver Resolver // nil for the system's
	// Dial connects to an address that was checked. Nil for the network.
	Dial    func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	RootCAs *x509.CertPool // nil for the system's
}

// Resolver finds the addresses of a host. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Redirects says what an outgoing client does with a redirect.
type Redirects int

const (
	// NoRedirects hands a redirect to the caller as the answer it is.
	NoRedirects Redirects = iota
	// SameHostRedirects follows up to five redirects that keep scheme, host and
	// port, and fails on others: headers with credentials go nowhere else.
	SameHostRedirects
	// AnyHostRedirects follows up to five redirects to any host that the client
	// may call. It is for requests without credentials.
	AnyHostRedirects
)

const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBytes = 1 << 20
	maxRedirects    = 5
	connectTimeout  = 10 * time.Second // of one address; a host may have several
	maxAddresses    = 4                // tried of one host
	maxHeaderBytes  = 64 << 10
)

// NewOutgoing makes a client for URLs that were written by others. Whatever a
// URL says, and however its name resolves, calls reach only addresses that the
// config allows: names are resolved here, every address is checked, and the
// connection goes to the very address that was checked, so that a name which
// resolves differently the next time gains nothing. Proxies from the environment
// are not used. A call that is refused fails with a *BlockedError or *URLError,
// which net/http wraps into a *url.Error whose text has the whole URL: unwrap it
// where the URL is a secret.
func NewOutgoing(cfg OutgoingConfig) *http.Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Dial == nil {
		dialer := &net.Dialer{Timeout: connectTimeout}
		cfg.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", addr.String())
		}
	}
	d := dialer{guard: newGuard(cfg.Networks), resolver: cfg.Resolver, dial: cfg.Dial}
	transport := &http.Transport{
		Proxy:                  nil,
		DialContext:            d.dialContext,
		TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  cfg.Timeout,
		IdleConnTimeout:        connectTimeout,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return &http.Client{
		Transport:     &outgoing{cfg: cfg, guard: d.guard, next: transport},
		CheckRedirect: cfg.checkRedirect,
		Timeout:       cfg.Timeout,
	}
}

// URLError says what is wrong with a URL that an outgoing client is to call. The
// text does not repeat the URL: its path may be a secret.
type URLError struct{ Problem string }

// Error implements error.
func (e *URLError) Error() string { return e.Problem }

// RedirectError says that a redirect led to another scheme, host or port.
type RedirectError struct{ Host string }

// Error names the host.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("redirect to another host (%s) is not followed", e.Host)
}

// CheckURL reads a URL and says early what a client with this config would
// refuse to call, as far as the text alone shows. Errors are *URLError or
// *BlockedError.
func (c OutgoingConfig) CheckURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &URLError{"must be a URL such as https://example.com/path"}
	}
	if err := c.checkURL(u, newGuard(c.Networks)); err != nil {
		return nil, err
	}
	return u, nil
}

func (c OutgoingConfig) checkURL(u *url.URL, g guard) error {
	switch {
	case u.Scheme == "http" && !c.AllowHTTP:
		return &URLError{"must begin with https://"}
	case u.Scheme != "https" && u.Scheme != "http":
		return &URLError{"must begin with https:// and name a host"}
	case u.Hostname() == "" || u.Opaque != "":
		return &URLError{"must name a host"}
	case u.User != nil:
		return &URLError{"must not hold a user name or password"}
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if why := g.refuses(addr); why != "" {
			return &BlockedError{Host: u.Hostname(), Addr: addr, Why: why}
		}
	}
	if c.AllowHost != nil && !c.AllowHost(u.Hostname()) {
		return &URLError{"must not lead to the host " + u.Hostname()}
	}
	return nil
}

func (c OutgoingConfig) checkRedirect(next *http.Request, past []*http.Request) error {
	switch {
	case c.Redirects == NoRedirects:
		return http.ErrUseLastResponse
	case len(past) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case c.Redirects == SameHostRedirects && (next.URL.Scheme != past[0].URL.Scheme || next.URL.Host != past[0].URL.Host):
		return &RedirectError{Host: next.URL.Host}
	}
	return nil
}

// dialer connects to hosts by addresses that it has checked.
type dialer struct {
	guard    guard
	resolver Resolver
	dial     func(context.Context, netip.AddrPort) (net.Conn, error)
}

func (d dialer) dialContext(ctx context.Context, _, hostport string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", portText)
	if err != nil {
		return nil, err
	}
	addrs, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, addr := range addrs {
		attempt, cancel := context.WithTimeout(ctx, connectTimeout)
		conn, err := d.dial(attempt, netip.AddrPortFrom(addr, uint16(port)))
		cancel()
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// addresses returns the addresses of a host that may be reached, at least one.
func (d dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	found := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		found = append(found, literal)
	} else if found, err = d.resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", host, err)
	}
	var good []netip.Addr
	blocked := &BlockedError{Host: host, Why: "no address"}
	for _, addr := range found {
		why := d.guard.refuses(addr)
		if why == "" {
			good = append(good, addr.Unmap())
			continue
		}
		if !blocked.Addr.IsValid() {
			blocked.Addr, blocked.Why = addr, why
		}
	}
	if len(good) == 0 {
		return nil, blocked
	}
	return good[:min(len(good), maxAddresses)], nil
}
