package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

const (
	testIssuer = "https://mcp.example.com"
	testToken  = testIssuer + "/token"
)

// clock is a clock that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(by time.Duration) { c.offset.Add(int64(by)) }
func loopbackNetwork() netip.Prefix       { return netip.MustParsePrefix("127.0.0.0/8") }
func quiet() *slog.Logger                 { return slog.New(slog.DiscardHandler) }
func isProtocol(err error, c protocol.Code) bool {
	fault, ok := errors.AsType[*protocol.Error](err)
	return ok && fault.Code == c
}

// publisher is the web server of a client.
type publisher struct {
	*httptest.Server
	handler atomic.Pointer[http.HandlerFunc]
	fetches atomic.Int64
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		(*p.handler.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// outgoing reaches the site, which is on this machine.
func (p *publisher) outgoing() *http.Client {
	return httpx.NewOutgoing(httpx.OutgoingConfig{
		Purpose: "client", Networks: []netip.Prefix{loopbackNetwork()}, RootCAs: p.roots(), Timeout: 5 * time.Second,
	})
}

func (p *publisher) roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	return roots
}

func (p *publisher) serve(h http.HandlerFunc) { p.handler.Store(&h) }

func (p *publisher) serveJSON(cacheControl, body string) {
	p.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", cacheControl)
		_, _ = fmt.Fprint(w, body)
	})
}

func (p *publisher) document(path, more string) string {
	return `{"client_id":"` + p.URL + path + `","client_name":"x","redirect_uris":["https://client.example/cb"]` + more + `}`
}

type clientsFixture struct {
	*oauth.Clients
	clock  *clock
	memory *memory
	site   *publisher
}

// newClients returns clients whose documents may be on this machine.
func newClients(t *testing.T) clientsFixture {
	t.Helper()
	f := clientsFixture{clock: &clock{}, site: newPublisher(t)}
	f.memory = newMemory(f.clock.now)
	f.Clients = oauth.NewClients(oauth.ClientsConfig{
		Store: f.memory, Records: f.memory, Limits: f.memory, Outgoing: f.site.outgoing(), Issuer: testIssuer, TokenEndpoint: testToken,
		KeepFor: 97 * 24 * time.Hour, Logger: quiet(), Now: f.clock.now,
	})
	return f
}

func TestClients_Register(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	metadata, err := protocol.ParseRegistration([]byte(`{"redirect_uris":["https://client.example/cb"],"client_name":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	created, secret, err := f.Register(t.Context(), metadata)
	if err != nil || secret.IsZero() {
		t.Fatalf("Register() = %v, secret %v", err, secret.IsZero())
	}
	found, err := f.Client(t.Context(), created.ID)
	if err != nil || found.Name != "x" || found.RedirectURIs[0] != "https://client.example/cb" || found.Publisher != "" {
		t.Errorf("Client() = %+v, %v", found, err)
	}
	if strings.Contains(fmt.Sprintf("%+v", f.memory.clients), secret.Reveal()) {
		t.Error("the store holds the secret")
	}
	for _, id := range []string{"", "gpcl_unknown", strings.Repeat("x", 1000)} {
		if _, err := f.Client(t.Context(), id); !errors.Is(err, oauth.ErrNotFound) {
			t.Errorf("Client(%.20q) = %v, want ErrNotFound", id, err)
		}
	}
	f.Used(t.Context(), found)
	if f.memory.touched[created.ID] != 1 {
		t.Error("the use of the client is not noted")
	}
}

func TestClients_AuthenticateSecrets(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	register := func(method string) (id, secret string) {
		metadata, err := protocol.ParseRegistration([]byte(`{"redirect_uris":["https://client.example/cb"],"token_endpoint_auth_method":"` + method + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		c, s, err := f.Register(t.Context(), metadata)
		if err != nil {
			t.Fatal(err)
		}
		return c.ID, s.Reveal()
	}
	public, _ := register("none")
	post, secret := register("client_secret_post")
	for name, tt := range map[string]struct {
		body, user, password string
		ok                   bool
	}{
		"public":                       {body: "client_id=" + public, ok: true},
		"public with a secret":         {body: "client_id=" + public + "&client_secret=x"},
		"post":                         {body: "client_id=" + post + "&client_secret=" + secret, ok: true},
		"basic instead of post":        {user: post, password: secret, ok: true},
		"confidential without secret":  {body: "client_id=" + post},
		"wrong secret":                 {body: "client_id=" + post + "&client_secret=" + secret + "x"},
		"another client's secret":      {body: "client_id=" + public + "&client_secret=" + secret},
		"basic with an empty password": {user: post},
		"unknown":                      {body: "client_id=gpcl_unknown"},
	} {
		form, err := protocol.ParseParams(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/token", http.NoBody)
		if tt.user != "" {
			r.SetBasicAuth(tt.user, tt.password)
		}
		presented, err := protocol.ReadCredentials(r.Header, form)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Authenticate(t.Context(), presented)
		if (err == nil) != tt.ok || err != nil && !isProtocol(err, protocol.InvalidClient) {
			t.Errorf("%s: %v, want ok = %v", name, err, tt.ok)
		}
	}
	f.memory.down = oauth.ErrUnavailable
	form, _ := protocol.ParseParams("client_id=" + public)
	presented, _ := protocol.ReadCredentials(http.Header{}, form)
	if _, err := f.Authenticate(t.Context(), presented); !errors.Is(err, oauth.ErrUnavailable) || isProtocol(err, protocol.InvalidClient) {
		t.Errorf("with the store down: %v, want ErrUnavailable", err)
	}
}

// TestR63_DocumentIsFetchedAndCached: for as long as it says, within 5 minutes
// and 24 hours.
func TestR63_DocumentIsFetchedAndCached(t *testing.T) {
	t.Parallel()
	for cacheControl, fresh := range map[string]time.Duration{
		"": time.Hour, "no-store": 5 * time.Minute, "max-age=1": 5 * time.Minute, "public, max-age=7200": 2 * time.Hour, "max-age=99999999": 24 * time.Hour, "max-age=x": time.Hour,
	} {
		f := newClients(t)
		f.site.serveJSON(cacheControl, f.site.document("/c", ""))
		get := func() {
			t.Helper()
			c, err := f.Client(t.Context(), f.site.URL+"/c")
			if err != nil || c.Name != "x" || c.Publisher == "" {
				t.Fatalf("%s: Client() = %+v, %v", cacheControl, c, err)
			}
		}
		get()
		f.clock.advance(fresh - time.Second)
		get()
		if n := f.site.fetches.Load(); n != 1 {
			t.Errorf("%s: fetched %d times while fresh", cacheControl, n)
		}
		f.clock.advance(2 * time.Second)
		get()
		if n := f.site.fetches.Load(); n != 2 {
			t.Errorf("%s: fetched %d times, want anew once it is stale", cacheControl, n)
		}
	}
}

// TestClients_StaleDocument: a client in use outlasts an outage of its site, a
// stranger does not.
func TestClients_StaleDocument(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	f.site.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, f.site.document(r.URL.Path, ""))
	})
	known, err := f.Client(t.Context(), f.site.URL+"/known")
	if err != nil {
		t.Fatal(err)
	}
	f.Used(t.Context(), known)
	if _, err := f.Client(t.Context(), f.site.URL+"/stranger"); err != nil {
		t.Fatal(err)
	}
	f.clock.advance(3 * time.Hour)
	f.site.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if _, err := f.Client(t.Context(), f.site.URL+"/known"); err != nil {
		t.Errorf("a known client during an outage: %v", err)
	}
	if _, err := f.Client(t.Context(), f.site.URL+"/stranger"); !errors.Is(err, oauth.ErrUnavailable) {
		t.Errorf("a stranger during an outage: %v, want ErrUnavailable", err)
	}
	f.clock.advance(60 * 24 * time.Hour)
	if _, err := f.Client(t.Context(), f.site.URL+"/known"); err != nil {
		t.Errorf("a known client after two months: %v", err)
	}
}

// TestR63_BadDocuments: nothing but a 200 with a small JSON document will do.
func TestR63_BadDocuments(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	good := func(path string) string { return f.site.document(path, "") }
	for name, h := range map[string]http.HandlerFunc{
		"404": func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"HTML": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, good(r.URL.Path))
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) },
		"another id": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, good("/other"))
		},
		"too large": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, good(r.URL.Path)+strings.Repeat(" ", protocol.MaxDocument))
		},
		"created": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprint(w, good(r.URL.Path))
		},
	} {
		f.site.serve(h)
		path := "/" + strings.ReplaceAll(name, " ", "-")
		if _, err := f.Client(t.Context(), f.site.URL+path); !isProtocol(err, protocol.InvalidClientMetadata) {
			t.Errorf("%s: %v, want invalid_client_metadata", name, err)
		}
	}
	f.site.serve(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.Client(ctx, f.site.URL+"/slow"); !errors.Is(err, oauth.ErrUnavailable) {
		t.Errorf("a site that does not answer: %v, want ErrUnavailable", err)
	}
}

// TestR66_NoRequestForgery: a document on an address that is not public is never
// asked for, however its name resolves.
func TestR66_NoRequestForgery(t *testing.T) {
	t.Parallel()
	site := newPublisher(t)
	site.serveJSON("", site.document("/c", ""))
	m := newMemory(time.Now)
	port := site.URL[strings.LastIndex(site.URL, ":"):]
	var lookups, dials atomic.Int64
	clients := oauth.NewClients(oauth.ClientsConfig{
		Store: m, Records: m, Limits: m, Issuer: testIssuer, TokenEndpoint: testToken, KeepFor: time.Hour, Logger: quiet(), Now: time.Now,
		Outgoing: httpx.NewOutgoing(httpx.OutgoingConfig{RootCAs: site.roots(), Resolver: rebinding{&lookups}, Dial: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
			if dials.Add(1); !to.Addr().IsGlobalUnicast() || to.Addr().IsPrivate() {
				t.Errorf("connects to %s", to)
			}
			return nil, errors.New("no network in tests")
		}}),
	})
	for _, id := range []string{
		site.URL + "/c", "https://localhost" + port + "/c", "https://[::1]" + port + "/c", "https://169.254.169.254/latest", "https://10.0.0.1/x",
		"https://[::ffff:127.0.0.1]" + port + "/c", "https://0.0.0.0" + port + "/c", "https://2130706433" + port + "/c", "https://rebind.example" + port + "/c",
		"https://rebind.example" + port + "/c",
	} {
		if _, err := clients.Client(t.Context(), id); err == nil {
			t.Errorf("%s is read", id)
		} else if text := err.Error(); strings.Contains(text, "127.0.0.1") || strings.Contains(text, "169.254") {
			t.Errorf("%s: the error tells about the network: %s", id, text)
		}
	}
	if site.fetches.Load() != 0 || dials.Load() != 1 {
		t.Errorf("the local server was asked %d times, %d addresses were dialed; want the one public address alone", site.fetches.Load(), dials.Load())
	}
}

// rebinding resolves every name to a public address first and to loopback after.
type rebinding struct{ lookups *atomic.Int64 }

func (r rebinding) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	if r.lookups.Add(1) == 1 {
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestClients_FetchesAreLimited: nobody can have us flood somebody else.
func TestClients_FetchesAreLimited(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	f.site.serve(func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	for i := range 100 {
		if _, err := f.Client(t.Context(), fmt.Sprintf("%s/%d", f.site.URL, i)); err == nil {
			t.Fatal("a document that is not there is read")
		}
	}
	if n := f.site.fetches.Load(); n > 60 {
		t.Errorf("one host was asked %d times at once", n)
	}
}

// signer makes assertions as a client does.
type signer struct {
	key       any
	algorithm jose.SignatureAlgorithm
	id        string
}

func newES256(t *testing.T, id string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, jose.ES256, id}
}

func newRS256(t *testing.T, id string, bits int) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, jose.RS256, id}
}

func (s signer) sign(t *testing.T, claims any) string {
	t.Helper()
	key := jose.SigningKey{Algorithm: s.algorithm, Key: jose.JSONWebKey{Key: s.key, KeyID: s.id}}
	made, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(made).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func keySet(t *testing.T, signers ...signer) string {
	t.Helper()
	set := struct {
		Keys []any `json:"keys"`
	}{Keys: []any{map[string]string{"kty": "unknown"}}}
	for _, s := range signers {
		key := jose.JSONWebKey{Key: s.key, KeyID: s.id, Use: "sig"}
		set.Keys = append(set.Keys, key.Public())
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestClients_PrivateKeyJWT: good assertions once, all others never.
func TestClients_PrivateKeyJWT(t *testing.T) {
	t.Parallel()
	f := newClients(t)
	es, rs, other := newES256(t, "es"), newRS256(t, "rs", 2048), newES256(t, "es")
	weak := newRS256(t, "weak", 1024)
	id := f.site.URL + "/c"
	f.site.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/jwks" {
			_, _ = fmt.Fprint(w, keySet(t, es, rs, weak))
			return
		}
		_, _ = fmt.Fprint(w, f.site.document("/c", `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],"jwks_uri":"`+f.site.URL+`/jwks"`))
	})
	now := f.clock.now().Unix()
	claims := func(changes ...any) map[string]any { // pairs of name and value; nil removes
		c := map[string]any{"iss": id, "sub": id, "aud": testIssuer, "exp": now + 60, "iat": now, "jti": rand.Text()}
		for i := 0; i < len(changes); i += 2 {
			name := fmt.Sprint(changes[i])
			if c[name] = changes[i+1]; changes[i+1] == nil {
				delete(c, name)
			}
		}
		return c
	}
	authenticate := func(clientID, assertion string) error {
		form, err := protocol.ParseParams("client_id=" + clientID + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" + assertion)
		if err != nil {
			t.Fatal(err)
		}
		presented, err := protocol.ReadCredentials(http.Header{}, form)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Authenticate(t.Context(), presented)
		return err
	}
	for name, assertion := range map[string]string{
		"ES256": es.sign(t, claims()), "RS256": rs.sign(t, claims()), "for the token endpoint": es.sign(t, claims("aud", []string{"x", testToken})),
		"without iat": es.sign(t, claims("iat", nil)), "of five minutes": es.sign(t, claims("exp", now+300)), "a little late": es.sign(t, claims("exp", now-10)),
	} {
		if err := authenticate(id, assertion); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := authenticate("", assertion); !isProtocol(err, protocol.InvalidClient) {
			t.Errorf("%s again: %v, want invalid_client: a jti counts once", name, err)
		}
	}
	if err := authenticate("", es.sign(t, claims())); err != nil {
		t.Errorf("without client_id: %v", err)
	}
	unsigned := strings.Join(strings.Split(es.sign(t, claims()), ".")[:2], ".") + "."
	none := "eyJhbGciOiJub25lIn0." + strings.Split(es.sign(t, claims()), ".")[1] + "."
	hmac := signer{[]byte(strings.Repeat("k", 32)), jose.HS256, "es"}
	for name, assertion := range map[string]string{
		"another key of that id": other.sign(t, claims()), "an unknown key": newES256(t, "new").sign(t, claims()), "a weak key": weak.sign(t, claims()),
		"HMAC": hmac.sign(t, claims()), "unsigned": unsigned, "alg none": none, "nothing": "x", "three dots": "...",
		"another issuer": es.sign(t, claims("iss", "https://evil.example/c")), "another audience": es.sign(t, claims("aud", "https://evil.example")), "no audience": es.sign(t, claims("aud", nil)),
		"expired": es.sign(t, claims("exp", now-60)), "no expiry": es.sign(t, claims("exp", nil)), "an hour": es.sign(t, claims("exp", now+3600)),
		"not yet": es.sign(t, claims("nbf", now+120)), "no jti": es.sign(t, claims("jti", nil)), "an endless jti": es.sign(t, claims("jti", strings.Repeat("x", 1000))),
		"no subject": es.sign(t, claims("sub", nil)),
	} {
		if err := authenticate(id, assertion); !isProtocol(err, protocol.InvalidClient) {
			t.Errorf("%s: %v, want invalid_client", name, err)
		}
	}
	if err := authenticate("gpcl_x", es.sign(t, claims())); !isProtocol(err, protocol.InvalidClient) {
		t.Errorf("assertion of another client: %v", err)
	}

	// A new key is found once the old copy of the keys is a minute old.
	fresh := newES256(t, "fresh")
	es = fresh
	f.clock.advance(2 * time.Minute)
	now = f.clock.now().Unix()
	if err := authenticate(id, fresh.sign(t, claims())); err != nil {
		t.Errorf("a key that was just published: %v", err)
	}
}

// FuzzAssertion: no text that was not signed with a published key authenticates
// anybody.
func FuzzAssertion(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	m := newMemory(time.Now)
	clients := oauth.NewClients(oauth.ClientsConfig{
		Store: m, Records: m, Limits: m, Outgoing: httpx.NewOutgoing(httpx.OutgoingConfig{Resolver: nowhere{}}), Issuer: testIssuer, TokenEndpoint: testToken, Logger: quiet(), Now: time.Now,
	})
	f.Fuzz(func(t *testing.T, assertion string) {
		m.taken = map[string]int{}
		form, err := protocol.ParseParams(url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		}.Encode())
		if err != nil {
			return
		}
		presented, err := protocol.ReadCredentials(http.Header{}, form)
		if err != nil {
			return
		}
		if _, err := clients.Authenticate(t.Context(), presented); err == nil {
			t.Fatalf("%q authenticates a client", assertion)
		}
	})
}

// nowhere resolves no name.
type nowhere struct{}

func (nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such host")
}
