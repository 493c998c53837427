package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// newSiteWithProvider starts the pages beside a provider whose user nobody knows.
func newSiteWithProvider(t *testing.T) (*site, *oauthtest.Provider) {
	t.Helper()
	p := oauthtest.NewProvider(t, oauthtest.ProviderUser{Subject: "4711", Email: "bob@example.com", Verified: true})
	s := newSite(t, func(cfg *oauth.BrowserConfig) {
		cfg.Providers = []oauth.Provider{
			{ID: "oidc", Name: "Acme SSO", Issuer: p.URL, ClientID: p.ClientID, ClientSecret: oauth.NewSecret(p.Secret)},
			{ID: "not-accepted", Name: "Not accepted by the API", Issuer: p.URL},
		}
	})
	return s, p
}

// visit takes the browser to the provider and back.
func (b *tab) visit(p page) page {
	b.t.Helper()
	p = b.submit(p, "/sign-in/oidc")
	if p.location == "" {
		b.t.Fatalf("the button leads to %d %q", p.status, p.heading())
	}
	return b.get(p.location) // and back from there
}

func TestBrowser_Provider(t *testing.T) {
	t.Parallel()
	s, provider := newSiteWithProvider(t)
	client := s.register("Claude", webRedirect)
	b := s.open()
	p := b.get(s.request(client, webRedirect, nil))
	if !p.has("Continue with Acme SSO") || p.has("Elsewhere") || p.has("Not accepted") {
		t.Errorf("the sign-in page offers the wrong providers:\n%s", p.body)
	}
	// The first time, nobody has this identity: the password says whose it is.
	p = b.visit(p)
	if p.heading() != "Sign in once with your password" || !p.has("Acme SSO") {
		t.Fatalf("an unknown identity leads to %d %q", p.status, p.heading())
	}
	link := p
	if p = b.submit(link, "/link", "email", "bob@example.com", "password", "wrong"); p.status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d %q", p.status, p.heading())
	}
	if p = b.submit(link, "/link", "email", "bob@example.com", "password", password); p.heading() != "Let “Claude” use Acme Inc?" {
		t.Fatalf("linking leads to %d %q", p.status, p.heading())
	}
	request := provider.Requests()[0]
	if request.Get("code_challenge_method") != "S256" || len(request.Get("nonce")) != 43 || len(request.Get("state")) != 43 ||
		request.Get("redirect_uri") != s.url+"/auth/callback/oidc" || !strings.Contains(request.Get("scope"), "openid") {
		t.Errorf("the provider was asked %v", request)
	}
	last := s.people.proofs[len(s.people.proofs)-1]
	if last.Nonce != request.Get("nonce") || last.IDToken.Reveal() != provider.Tokens()[0] || last.Session.IsZero() {
		t.Errorf("the API got %+v", last)
	}
	if len(s.people.sessions) != 1 {
		t.Errorf("%d sessions, want the one of the browser", len(s.people.sessions))
	}
	if p = b.submit(link, "/link", "email", "bob@example.com", "password", password); p.heading() != "This request has expired" {
		t.Errorf("linking twice leads to %d %q", p.status, p.heading())
	}
	// From then on it is enough. This provider gives the test's API the same token.
	s.people.logins = map[string]string{}
	other := s.open()
	s.people.onIDToken = "bob@example.com"
	if p = other.visit(other.get(s.request(client, webRedirect, nil))); p.heading() != "Let “Claude” use Acme Inc?" {
		t.Errorf("a known identity leads to %d %q", p.status, p.heading())
	}
}

// The provider's answer counts once, in the browser and for the visit it is of.
func TestBrowser_Provider_Callback(t *testing.T) {
	t.Parallel()
	s, provider := newSiteWithProvider(t)
	s.people.onIDToken = "bob@example.com"
	b := s.open()
	begin := func() string { // leads to the answer without following it
		p := b.submit(b.get("/sign-in"), "/sign-in/oidc")
		b.stay = true
		defer func() { b.stay = false }()
		return b.get(p.location).location
	}
	signedIn := func() int { return len(s.people.sessions) }

	answer := begin()
	if p := s.open().get(answer); p.heading() != "This request has expired" || signedIn() != 0 {
		t.Errorf("in another browser: %d %q", p.status, p.heading())
	}
	answer = begin()
	if p := b.get(answer); p.heading() != "Connections" || signedIn() != 1 {
		t.Errorf("in its browser: %d %q", p.status, p.heading())
	}
	if p := b.get(answer); p.heading() != "This request has expired" {
		t.Errorf("a second time: %d %q", p.status, p.heading())
	}
	answer = begin()
	if p := b.get(strings.Replace(answer, "/auth/callback/oidc", "/auth/callback/not-accepted", 1)); p.heading() != "This request has expired" {
		t.Errorf("at another provider's address: %d %q", p.status, p.heading())
	}
	answer = begin()
	if p := b.get(answer + "&iss=https%3A%2F%2Fevil.example"); p.heading() != "This request has expired" {
		t.Errorf("with another issuer: %d %q", p.status, p.heading())
	}
	answer = begin()
	s.clock.Advance(11 * time.Minute)
	if p := b.get(answer); p.heading() != "This request has expired" {
		t.Errorf("too late: %d %q", p.status, p.heading())
	}
	u, err := url.Parse(begin())
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("code", "another code")
	if p := b.get("/auth/callback/oidc?" + query.Encode()); p.heading() != "Signing in with Acme SSO did not work" || p.status != http.StatusBadGateway {
		t.Errorf("with another code: %d %q", p.status, p.heading())
	}
	provider.Fail("access_denied")
	if p := b.get(begin()); !p.has("canceled") || !p.has(`href="/sign-in?next=%2fconnections"`) && !p.has(`href="/sign-in?next=%2Fconnections"`) {
		t.Errorf("canceled: %d\n%s", p.status, p.body)
	}
	if p := b.get("/auth/callback/nobody?state=x"); p.status != http.StatusNotFound {
		t.Errorf("an unknown provider: %d", p.status)
	}
}

func TestBrowser_Provider_Down(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *oauth.BrowserConfig) {
		cfg.Providers = []oauth.Provider{{ID: "oidc", Name: "Acme SSO", Issuer: "http://127.0.0.1:1"}}
	})
	b := s.open()
	p := b.submit(b.get("/sign-in"), "/sign-in/oidc")
	if p.status != http.StatusBadGateway || !p.has("does not answer") || p.has("127.0.0.1:1") {
		t.Errorf("%d\n%s", p.status, p.body)
	}
}
