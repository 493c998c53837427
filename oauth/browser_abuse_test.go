package oauth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// A form counts only from the page that this browser was shown, for the purpose
// that it was shown for.
func TestBrowser_ForeignForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	other := b.toConsent(client, webRedirect, "bob")
	good, err := consent.form("/consent")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.form("/consent")
	if err != nil {
		t.Fatal(err)
	}
	good.Set("decision", "allow")
	without := func(change func(url.Values)) url.Values {
		form := url.Values{}
		for name, values := range good {
			form[name] = append([]string(nil), values...)
		}
		change(form)
		return form
	}
	for _, test := range []struct {
		name   string
		header map[string]string
		form   url.Values
	}{
		{"no token", nil, without(func(f url.Values) { f.Del("csrf") })},
		{"token of another transaction", nil, without(func(f url.Values) { f.Set("csrf", foreign.Get("csrf")) })},
		{"token of the sign-out form", nil, without(func(f url.Values) { f.Set("csrf", mustForm(t, consent, "/sign-out").Get("csrf")) })},
		{"account put in", nil, without(func(f url.Values) { f.Set("for", "") })},
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, good},
		{"another port of this machine", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"}, good},
		{"old browser, another site", map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, good},
		{"null origin, old browser", map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}, good},
		{"null origin, another site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, good},
		{"no form", map[string]string{"Content-Type": "application/json"}, good},
	} {
		for name, value := range test.header {
			b.header[name] = []string{value}
		}
		p := b.do(http.MethodPost, "/consent", test.form)
		clear(b.header)
		if p.location != "" || p.status < 400 || p.status > 499 || len(s.api.Keys()) != 0 {
			t.Errorf("%s: %d %q %q", test.name, p.status, p.heading(), p.location)
		}
	}
	// A sandboxed opener makes the origin null; the browser still vouches for us.
	b.header["Origin"] = []string{"null"}
	if p := b.do(http.MethodPost, "/consent", good); p.answer(t).Get("code") == "" {
		t.Errorf("null origin from our own page: %d %q", p.status, p.heading())
	}
}

func mustForm(t *testing.T, p page, action string) url.Values {
	t.Helper()
	form, err := p.form(action)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// A browser from before Sec-Fetch-Site, behind a proxy that spells the host out.
func TestBrowser_OldBrowserBehindAProxy(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *oauth.BrowserConfig) {
		resources, err := protocol.NewResources("https://mcp.example.com")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Protocol.Resources = resources
	})
	for origin, want := range map[string]int{"https://mcp.example.com": http.StatusUnauthorized, "https://evil.example": http.StatusForbidden} {
		send := func(method, body, cookie string) *http.Response {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/sign-in", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "mcp.example.com:443"
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if method == http.MethodPost {
				r.Header.Set("Origin", origin)
			}
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = answer.Body.Close() })
			return answer
		}
		first := send(http.MethodGet, "", "") //nolint:bodyclose // send does
		content, err := io.ReadAll(first.Body)
		if err != nil {
			t.Fatal(err)
		}
		form := mustForm(t, page{body: string(content)}, "/sign-in")
		form.Set("email", "bob@example.com")
		form.Set("password", "wrong")
		if got := send(http.MethodPost, form.Encode(), first.Cookies()[0].String()); got.StatusCode != want { //nolint:bodyclose // send does
			t.Errorf("from %s: %d, want %d", origin, got.StatusCode, want)
		}
	}
}

// Signing somebody in to an account of the attacker's needs a token of this very
// browser.
func TestBrowser_LoginCSRF(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	attacker, victim := s.open(), s.open()
	form := mustForm(t, attacker.get("/sign-in"), "/sign-in")
	form.Set("email", "bob@example.com")
	form.Set("password", password)
	for _, open := range []bool{false, true} {
		if open {
			victim.get("/sign-in")
		}
		if p := victim.do(http.MethodPost, "/sign-in", form); p.status != http.StatusForbidden {
			t.Errorf("the form of another browser signs in: %d %q", p.status, p.heading())
		}
	}
	if len(s.people.proofs) != 0 {
		t.Error("the password was tried")
	}
}

func TestBrowser_Cookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	port := s.url[strings.LastIndexByte(s.url, ':')+1:]
	b := s.open()
	form := b.get("/sign-in")
	b.signIn(form, "bob")
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, cookie := range b.jar.Cookies(u) {
		names[cookie.Name] = true
	}
	if !names["gp_session_"+port] || !names["gp_browser_"+port] || len(names) != 2 {
		t.Errorf("the cookies are %v", names)
	}
}

// Over https the cookies have the prefix that binds them to this very host.
func TestBrowser_Cookies_HTTPS(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *oauth.BrowserConfig) {
		resources, err := protocol.NewResources("https://mcp.example.com")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Protocol.Resources = resources
	})
	for _, host := range []string{"mcp.example.com", "mcp.example.com:443", "MCP.example.com"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/sign-in", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		for _, cookie := range answer.Cookies() {
			if cookie.Name != "__Host-gp_browser" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
				t.Errorf("the cookie is %v", cookie)
			}
		}
		if answer.StatusCode != http.StatusOK || len(answer.Cookies()) != 1 {
			t.Errorf("%s: %d with %d cookies, want a page with 1", host, answer.StatusCode, len(answer.Cookies()))
		}
	}
}

// A session that was known before signing in is good for nothing after.
func TestBrowser_SignIn_NewSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.open()
	b.signIn(b.get("/sign-in"), "bob")
	if len(s.people.sessions) != 1 {
		t.Fatalf("%d sessions", len(s.people.sessions))
	}
	b.signIn(b.get("/sign-in"), "jane")
	if len(s.people.sessions) != 1 || !b.get("/connections").has("jane@example.com") {
		t.Errorf("sessions are %v", s.people.sessions)
	}
	p := b.submit(b.get("/connections"), "/sign-out")
	if p.heading() != "You are signed out" || len(s.people.sessions) != 0 {
		t.Errorf("signing out: %q, %v", p.heading(), s.people.sessions)
	}
	if p := b.get("/connections"); p.heading() != "Sign in to GrowPanel" {
		t.Errorf("after signing out: %q", p.heading())
	}
}

// The sign-in page leads to pages of ours alone.
func TestBrowser_SignIn_Next(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for next, want := range map[string]string{
		"":                                 "/connections",
		"/password":                        "/password",
		"/connections/revoke?all=yes":      "/connections",
		"https://evil.example/":            "/connections",
		"//evil.example/connections":       "/connections",
		"/\\evil.example":                  "/connections",
		"/connections/../../evil":          "/connections",
		"/%2fevil.example/connections":     "/connections",
		"javascript:alert(1)":              "/connections",
		"/sign-in":                         "/connections",
		"http:/connections":                "/connections",
		"/password#\r\nSet-Cookie: x=y":    "/password",
		"/password?\r\nSet-Cookie: x=y":    "/connections",
		"\t//evil.example/password":        "/connections",
		"https://evil.example/connections": "/connections",
	} {
		b := s.open()
		p := b.signIn(b.get("/sign-in?next="+url.QueryEscape(next)), "bob")
		if p.status != http.StatusOK || p.path != want || p.location != "" {
			t.Errorf("next=%q leads to %d %q %q, want %q", next, p.status, p.path, p.location, want)
		}
	}
}

func TestBrowser_Hosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	local := strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, test := range []struct {
		method, host, path string
		status             int
		location           string
	}{
		{http.MethodGet, strings.TrimPrefix(local, "http://"), "/sign-in?next=%2Fpassword", http.StatusSeeOther, s.url + "/sign-in?next=%2Fpassword"},
		{http.MethodPost, strings.TrimPrefix(local, "http://"), "/sign-in", http.StatusForbidden, ""},
		{http.MethodGet, "evil.example", "/sign-in", http.StatusMisdirectedRequest, ""},
		{http.MethodGet, "evil.example", "//evil.example/sign-in", 0, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, s.url+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		location := answer.Header.Get("Location")
		if test.status != 0 && answer.StatusCode != test.status || location != test.location && !strings.HasPrefix(location, "/") {
			t.Errorf("%s %s%s = %d %q, want %d %q", test.method, test.host, test.path, answer.StatusCode, location, test.status, test.location)
		}
	}
}

// Every page says the same to browsers about frames, types and caches.
func TestBrowser_Headers(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{"/", "/sign-in", "/consent?tx=x", "/connections/revoke", "/nowhere", "/sign-in/nobody", "/link?id=x", "/auth/callback/oidc?state=x"} {
		p := s.open().get(path)
		if path == "/nowhere" {
			continue // not ours
		}
		if !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || p.header.Get("X-Frame-Options") != "DENY" ||
			p.header.Get("Cache-Control") != "no-store" || p.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, p.header)
		}
	}
}

// Methods that a page does not have are no way around its checks.
func TestBrowser_Methods(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.open()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
		if p := b.do(method, "/authorize", url.Values{}); p.status != http.StatusNotFound || p.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s /authorize = %d", method, p.status)
		}
	}
}

func TestBrowser_SignIn_IsLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.open()
	form := b.get("/sign-in")
	for i := range 31 {
		p := b.submit(form, "/sign-in", "email", fmt.Sprintf("user%d@example.com", i), "password", "guess")
		want := http.StatusUnauthorized
		if i == 30 {
			want = http.StatusTooManyRequests
		}
		if p.status != want {
			t.Fatalf("attempt %d = %d, want %d", i+1, p.status, want)
		}
	}
	if got := len(s.people.proofs); got != 30 {
		t.Errorf("the API was asked %d times, want 30", got)
	}
	if !s.people.proofs[0].From.IsLoopback() {
		t.Errorf("the API was told %v for the browser's address", s.people.proofs[0].From)
	}
}

// Names that clients choose stay text, and cannot turn the words around them.
func TestBrowser_HostileClientName(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("<script>alert(1)</script>\u202eevil", webRedirect)
	p := s.open().get(s.request(client, webRedirect, nil))
	if p.has("<script>alert") || p.has("\u202e") || !p.has("&lt;script&gt;") {
		t.Errorf("the name is shown as\n%s", p.body)
	}
}
