package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestGuard_Refuses(t *testing.T) {
	t.Parallel()
	g := newGuard(nil)
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
		"192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "100:0:0:1::1",
		"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
		"4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "2606:4700::1%eth0",
	} {
		if g.refuses(netip.MustParseAddr(text)) == "" {
			t.Errorf("%s may be reached", text)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "128.0.0.1", "168.63.129.15", "169.253.255.255", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00::1", "3ffe::1",
	} {
		if why := g.refuses(netip.MustParseAddr(text)); why != "" {
			t.Errorf("%s is refused as %s", text, why)
		}
	}
	if g.refuses(netip.Addr{}) == "" {
		t.Errorf("no address may be reached")
	}
}

func TestGuard_Refuses_WhatTheOperatorAllows(t *testing.T) {
	t.Parallel()
	g := newGuard([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")})
	for text, open := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::10.1.2.3": true, "fd12::1": true,
		"10.2.0.1": false, "127.0.0.1": false, "fc00::1": false, "fd12::1%eth0": false, "64:ff9b::10.2.0.1": false,
	} {
		if why := g.refuses(netip.MustParseAddr(text)); (why == "") != open {
			t.Errorf("%s: refused %q, want open = %v", text, why, open)
		}
	}
}

// FuzzGuard_Refuses checks the guard against what the standard library knows of
// addresses, and that no way of writing an IPv4 address opens it.
func FuzzGuard_Refuses(f *testing.F) {
	for _, seed := range []string{"\x7f\x00\x00\x01", "\x08\x08\x08\x08", "0123456789abcdef"} {
		f.Add([]byte(seed))
	}
	g := newGuard(nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		plain, why := addr.Unmap(), g.refuses(addr)
		if why == "" && (plain.IsPrivate() || !plain.IsGlobalUnicast()) {
			t.Errorf("%s may be reached", addr)
		}
		if !plain.Is4() {
			return
		}
		four := plain.As4()
		nat64 := netip.AddrFrom16([16]byte(append([]byte{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}, four[:]...)))
		for _, form := range []netip.Addr{plain, netip.AddrFrom16(plain.As16()), nat64} {
			if got := g.refuses(form); got != why {
				t.Errorf("%s: %q, but %s: %q", form, got, addr, why)
			}
		}
	})
}

// names is a resolver with a fixed answer per host and turn; the last repeats.
type names struct {
	mu    sync.Mutex
	turns map[string][][]string
	asked int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	turns := n.turns[host]
	if len(turns) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(turns) > 1 {
		n.turns[host] = turns[1:]
	}
	var addrs []netip.Addr
	for _, text := range turns[0] {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

// wire connects every address to one test server and remembers the addresses.
type wire struct {
	server *httptest.Server
	mu     sync.Mutex
	dialed []string
	broken map[string]bool
}

func (w *wire) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, addr.String())
	broken := w.broken[addr.String()]
	w.mu.Unlock()
	if broken {
		return nil, errors.New("connection refused")
	}
	return new(net.Dialer).DialContext(ctx, "tcp", w.server.Listener.Addr().String())
}

const publicHost = "example.com" // the name in httptest's certificate

// public is a client config for which example.com is a public host: in truth h.
func public(t *testing.T, h http.HandlerFunc) (OutgoingConfig, *wire) {
	t.Helper()
	w := &wire{server: httptest.NewTLSServer(h), broken: map[string]bool{}}
	t.Cleanup(w.server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(w.server.Certificate())
	return OutgoingConfig{
		Resolver: &names{turns: map[string][][]string{publicHost: {{"93.184.215.14"}}}}, Dial: w.dial, RootCAs: roots,
	}, w
}

func fetch(t *testing.T, c *http.Client, target string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer s3cret")
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

func TestOutgoing_ReachesPublicHosts(t *testing.T) {
	t.Parallel()
	cfg, w := public(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	status, body, err := fetch(t, NewOutgoing(cfg), "https://example.com/hook")
	if err != nil || status != 200 || body != "example.com" {
		t.Fatalf("got %d %q, %v", status, body, err)
	}
	if got := strings.Join(w.dialed, " "); got != "93.184.215.14:443" {
		t.Errorf("dialed %s", got)
	}
}

func TestOutgoing_TriesTheNextAddress(t *testing.T) {
	t.Parallel()
	cfg, w := public(t, func(http.ResponseWriter, *http.Request) {})
	cfg.Resolver = &names{turns: map[string][][]string{publicHost: {{"10.0.0.1", "2606:4700::1", "93.184.215.14", "127.0.0.1"}}}}
	w.broken["[2606:4700::1]:8443"] = true
	if _, _, err := fetch(t, NewOutgoing(cfg), "https://example.com:8443/"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.dialed, " "); got != "[2606:4700::1]:8443 93.184.215.14:8443" {
		t.Errorf("dialed %s", got)
	}
}

func TestOutgoing_RefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	cfg, w := public(t, func(http.ResponseWriter, *http.Request) {})
	cfg.AllowHTTP = true
	cfg.Resolver = &names{turns: map[string][][]string{
		"db.internal": {{"10.0.0.7"}}, "mixed.example.com": {{"::1", "fd00::1", "169.254.169.254"}},
		"2130706433": {{"127.0.0.1"}}, "0x7f.1": {{"127.0.0.1"}}, "localhost": {{"127.0.0.1", "::1"}},
	}}
	for _, target := range []string{
		"https://127.0.0.1/", "http://[::1]:8080/", "http://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/meta-data/", "https://db.internal/",
		"https://mixed.example.com/", "http://2130706433/", "http://0x7f.1/", "http://localhost:6379/", "http://[64:ff9b::a00:1]/", "http://[fe80::1%25eth0]/",
	} {
		_, _, err := fetch(t, NewOutgoing(cfg), target)
		blocked, ok := errors.AsType[*BlockedError](err)
		if !ok {
			t.Errorf("%s: %v, want a BlockedError", target, err)
			continue
		}
		if strings.Contains(target, "internal") && strings.Contains(blocked.Error(), "10.0.0.7") {
			t.Errorf("the error tells what a name of the network resolves to: %v", blocked)
		}
	}
	if len(w.dialed) > 0 {
		t.Errorf("dialed %v", w.dialed)
	}
}

// TestOutgoing_Rebinding lets a name answer with a public address first and a
// private one from then on: the private one is never dialed.
func TestOutgoing_Rebinding(t *testing.T) {
	t.Parallel()
	cfg, w := public(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	resolver := &names{turns: map[string][][]string{publicHost: {{"93.184.215.14"}, {"127.0.0.1"}}}}
	cfg.Resolver = resolver
	client := NewOutgoing(cfg)
	if _, _, err := fetch(t, client, "https://example.com/"); err != nil {
		t.Fatal(err)
	}
	if resolver.asked != 1 {
		t.Errorf("resolved %d times for one connection: what was checked is not what was dialed", resolver.asked)
	}
	if _, _, err := fetch(t, client, "https://example.com/"); !errors.As(err, new(*BlockedError)) {
		t.Errorf("second call: %v, want a BlockedError", err)
	}
	if got := strings.Join(w.dialed, " "); got != "93.184.215.14:443" {
		t.Errorf("dialed %s", got)
	}
}

func TestOutgoing_Redirects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		policy   Redirects
		location string
		status   int    // of the answer, 0 for an error
		problem  string // in the error
	}{
		"none are followed":                {NoRedirects, "/end", 302, ""},
		"the same host":                    {SameHostRedirects, "/end", 200, ""},
		"another host":                     {SameHostRedirects, "https://www.example.com/end", 0, "another host"},
		"another port":                     {SameHostRedirects, "https://example.com:8443/end", 0, "another host"},
		"another scheme":                   {SameHostRedirects, "http://example.com/end", 0, "another host"},
		"around in circles":                {SameHostRedirects, "/", 0, "more than 5 redirects"},
		"any host":                         {AnyHostRedirects, "https://www.example.com/end", 200, ""},
		"any host but a private one":       {AnyHostRedirects, "https://169.254.169.254/end", 0, "metadata"},
		"any host but one named privately": {AnyHostRedirects, "https://db.internal/end", 0, "private"},
		"any host but not without TLS":     {AnyHostRedirects, "http://www.example.com/end", 0, "https://"},
		"a scheme that is no web":          {AnyHostRedirects, "file:///etc/passwd", 0, "https://"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, _ := public(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/end" {
					http.Redirect(w, r, tt.location, http.StatusFound)
				}
			})
			cfg.Redirects = tt.policy
			cfg.Resolver = &names{turns: map[string][][]string{publicHost: {{"93.184.215.14"}}, "www.example.com": {{"93.184.215.15"}}, "db.internal": {{"10.0.0.1"}}}}
			status, _, err := fetch(t, NewOutgoing(cfg), "https://example.com/")
			if status != tt.status || (err == nil) != (tt.status != 0) {
				t.Fatalf("got %d, %v, want %d", status, err, tt.status)
			}
			if err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("error %q, want it to say %q", err, tt.problem)
			}
		})
	}
}

func TestOutgoing_LimitsAnswers(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(make([]byte, 1<<20))
	_ = zip.Close()
	cfg, _ := public(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes())
		case "/over":
			_, _ = w.Write(make([]byte, 5001))
		default:
			_, _ = w.Write(make([]byte, 5000))
		}
	})
	cfg.MaxBytes = 5000
	client := NewOutgoing(cfg)
	if _, body, err := fetch(t, client, "https://example.com/fits"); err != nil || len(body) != 5000 {
		t.Errorf("an answer as long as the limit: %d bytes, %v", len(body), err)
	}
	for _, path := range []string{"over", "bomb"} {
		_, body, err := fetch(t, client, "https://example.com/"+path)
		if !errors.As(err, new(*ResponseTooLargeError)) || len(body) != 5000 {
			t.Errorf("%s: %d bytes, %v, want a ResponseTooLargeError after 5000", path, len(body), err)
		}
	}
}

func TestOutgoing_TimesOut(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"header", "body"} {
		t.Run("before the end of the "+path, func(t *testing.T) {
			t.Parallel()
			cfg, _ := public(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/body" {
					_, _ = io.WriteString(w, "half")
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
				panic(http.ErrAbortHandler) // returning would end the body well, while the client hangs up
			})
			cfg.Timeout = 200 * time.Millisecond
			_, _, err := fetch(t, NewOutgoing(cfg), "https://example.com/"+path)
			if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	}
}

func TestOutgoing_UsesNoProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:3128")
	cfg, _ := public(t, func(http.ResponseWriter, *http.Request) {})
	if _, _, err := fetch(t, NewOutgoing(cfg), "https://example.com/"); err != nil {
		t.Error(err)
	}
}

func TestOutgoing_AllowsNetworksAndHosts(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if _, _, err := fetch(t, NewOutgoing(OutgoingConfig{Networks: loopback, AllowHTTP: true}), server.URL); err != nil {
		t.Errorf("a network that the operator allows: %v", err)
	}
	if _, _, err := fetch(t, NewOutgoing(OutgoingConfig{Networks: loopback}), server.URL); !errors.As(err, new(*URLError)) {
		t.Errorf("plain http: %v, want a URLError", err)
	}
	only := OutgoingConfig{Networks: loopback, AllowHTTP: true, AllowHost: func(host string) bool { return host == "hooks.slack.com" }}
	if _, _, err := fetch(t, NewOutgoing(only), server.URL); !errors.As(err, new(*URLError)) {
		t.Errorf("a host that is not listed: %v, want a URLError", err)
	}
}

func TestOutgoingConfig_CheckURL(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"https://example.com/hook?x=1": true, "https://example.com:8443": true, "https://8.8.8.8/": true, "https://bücher.example/": true,
		"": false, "example.com": false, "/hook": false, "http://example.com/": false, "ftp://example.com/": false, "https://": false, "https:///x": false,
		"https:example.com": false, "https://user:pw@example.com/": false, "https://127.0.0.1/": false, "https://[::1]/": false, "https://exa mple.com/": false,
		"javascript:alert(1)": false, "https://[fe80::1%25eth0]/": false, "https://:443/": false,
	} {
		u, err := OutgoingConfig{}.CheckURL(raw)
		if (err == nil) != good || (u != nil) != good {
			t.Errorf("CheckURL(%q) = %v, %v, want good = %v", raw, u, err, good)
		}
	}
}

// FuzzCheckURL checks that a URL which passes is one that a client may call: it
// has the scheme and a host, and its host is no address inside.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://example.com/", "https://127.0.0.1", "https://user@[::1]:80/", "https://%31%32%37.0.0.1/", "https://[::ffff:7f00:1]/"} {
		f.Add(seed)
	}
	g := newGuard(nil)
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := OutgoingConfig{}.CheckURL(raw)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Errorf("CheckURL(%q) lets %v pass", raw, u)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && g.refuses(addr) != "" {
			t.Errorf("CheckURL(%q) lets the address %s pass", raw, addr)
		}
	})
}

func TestOutgoing_LogHasNoSecrets(t *testing.T) {
	t.Parallel()
	cfg, _ := public(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/services/T0/s3cret" {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "s3cret answer")
		}
	})
	var logged bytes.Buffer
	clock := time.Unix(1000, 0)
	cfg.Purpose, cfg.Log = "slack", LogCalls(slog.New(slog.NewTextHandler(&logged, nil)))
	cfg.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	client := NewOutgoing(cfg)
	if status, _, err := fetch(t, client, "https://example.com/services/T0/s3cret?token=s3cret"); err != nil || status != http.StatusTeapot {
		t.Fatalf("got %d, %v", status, err)
	}
	if _, _, err := fetch(t, client, "https://10.0.0.1/s3cret"); err == nil {
		t.Fatal("a private address was reached")
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 2 || strings.Contains(logged.String(), "s3cret") {
		t.Fatalf("want two lines without the secret, got:\n%s", &logged)
	}
	for _, want := range []string{"purpose=slack", "method=GET", "host=example.com", "remote=127.0.0.1:", "status=418", "bytes=13", "took=1s"} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the log has no %s: %s", want, lines[0])
		}
	}
	for _, want := range []string{"host=10.0.0.1", "status=0", "private address"} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("the log has no %s: %s", want, lines[1])
		}
	}
}
