package oauth_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
	"github.com/growpanel/growpanel-mcp/oauth/sqlstore"
)

const (
	webRedirect = "https://claude.ai/api/mcp/auth_callback"
	appRedirect = "cursor://anysphere.cursor-mcp/oauth/callback"
	password    = "correct horse battery staple"
)

// people are the users of an API in memory.
type people struct {
	mu       sync.Mutex
	users    map[string]*person // by e-mail
	sessions map[string]string  // session -> e-mail
	logins   map[string]string  // ID token -> e-mail

	onIDToken string // who every unknown ID token is of; "" for nobody
	drawn     int
	created   map[string][]oauth.CreatedThing // by key
	invited   map[string]oauth.Invitation     // by secret
	methods   oauth.SignInMethods
	proofs    []oauth.Proof
	newcomers []oauth.NewUser
	down      error
}

type person struct {
	oauth.User
	password string
}

func newPeople() *people {
	p := &people{
		users: map[string]*person{}, invited: map[string]oauth.Invitation{}, sessions: map[string]string{}, logins: map[string]string{}, created: map[string][]oauth.CreatedThing{},
		methods: oauth.SignInMethods{Password: true, Providers: []oauth.ProviderName{{ID: "oidc", Name: "Acme SSO"}, {ID: "unconfigured", Name: "Elsewhere"}}},
	}
	p.add("jane", oauth.Membership{ID: "acme", Name: "Acme Inc", Role: "owner"}, oauth.Membership{ID: "globex", Name: "Globex", Role: "readonly"})
	p.add("bob", oauth.Membership{ID: "acme", Name: "Acme Inc", Role: "admin"})
	p.add("nobody")
	return p
}

func (p *people) add(name string, accounts ...oauth.Membership) {
	email := name + "@example.com"
	p.users[email] = &person{User: oauth.User{ID: "user-" + name, Email: email, Accounts: accounts}, password: password}
}

func (p *people) setRole(email, account, role string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	accounts := slices.Clone(p.users[email].Accounts)
	for i := range accounts {
		if accounts[i].ID == account {
			accounts[i].Role = role
		}
	}
	p.users[email].Accounts = accounts
}

func (p *people) Methods(context.Context) (oauth.SignInMethods, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.methods, p.down
}

func (p *people) SignIn(_ context.Context, proof oauth.Proof) (oauth.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proofs = append(p.proofs, proof)
	if p.down != nil {
		return oauth.Session{}, p.down
	}
	email := proof.Email
	if secret := proof.Invitation.Reveal(); secret != "" {
		return p.join(secret, proof)
	}
	switch token := proof.IDToken.Reveal(); {
	case token != "" && !proof.Session.IsZero():
		email = p.sessions[proof.Session.Reveal()]
		p.logins[token] = email
	case token != "":
		known, ok := p.logins[token]
		if !ok && p.onIDToken == "" {
			return oauth.Session{}, oauth.ErrNotLinked
		}
		if !ok {
			known = p.onIDToken
		}
		return p.start(known), nil
	}
	if u, ok := p.users[email]; !ok || u.password != proof.Password.Reveal() {
		return oauth.Session{}, oauth.ErrCredentials
	}
	return p.start(email), nil
}

// SignUp makes an owner of an account that is called initech.
func (p *people) SignUp(_ context.Context, n oauth.NewUser) (oauth.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newcomers = append(p.newcomers, n)
	_, known := p.users[n.Email]
	switch {
	case p.down != nil:
		return oauth.Session{}, p.down
	case !p.methods.SignUp:
		return oauth.Session{}, oauth.ErrSignUpDisabled
	case known:
		return oauth.Session{}, &oauth.RefusedError{Message: "This e-mail address has a user already.", Field: "email"}
	case len(n.Password.Reveal()) < 10:
		return oauth.Session{}, &oauth.RefusedError{Message: "Password is too short.", Field: "password"}
	}
	p.users[n.Email] = &person{password: n.Password.Reveal(), User: oauth.User{
		ID: "user-" + n.Email, Email: n.Email, Accounts: []oauth.Membership{{ID: "initech", Name: n.Account, Role: "owner"}},
	}}
	return p.start(n.Email), nil
}

// join is a sign-in with an invitation.
func (p *people) join(secret string, proof oauth.Proof) (oauth.Session, error) {
	i, ok := p.invited[secret]
	if !ok {
		return oauth.Session{}, oauth.ErrInvitationOver
	}
	u, known := p.users[i.Email]
	switch given := proof.Password.Reveal(); {
	case proof.IDToken.IsZero() && !known && len(given) < 10:
		return oauth.Session{}, &oauth.RefusedError{Message: "The password is too short."}
	case !known:
		u = &person{User: oauth.User{ID: "user-" + proof.FirstName, Email: i.Email}, password: given}
		p.users[i.Email] = u
	case !proof.IDToken.IsZero():
		return oauth.Session{}, oauth.ErrNotLinked
	case given != u.password:
		return oauth.Session{}, oauth.ErrCredentials
	}
	delete(p.invited, secret)
	u.Accounts = append(u.Accounts, oauth.Membership{ID: "initech", Name: i.Account, Role: i.Role})
	return p.start(i.Email), nil
}

func (p *people) Invitation(_ context.Context, secret oauth.Secret) (oauth.Invitation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.invited[secret.Reveal()]
	if !ok {
		return i, oauth.ErrInvitationOver
	}
	return i, p.down
}

func (p *people) start(email string) oauth.Session {
	p.drawn++
	session := strings.Repeat("s", p.drawn) + "-session"
	p.sessions[session] = email
	return oauth.Session{Secret: oauth.NewSecret(session), ExpiresAt: time.Now().Add(time.Hour)}
}

func (p *people) SignOut(_ context.Context, session oauth.Secret) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, session.Reveal())
	return p.down
}

func (p *people) User(_ context.Context, session oauth.Secret) (oauth.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.users[p.sessions[session.Reveal()]]
	switch {
	case p.down != nil:
		return oauth.User{}, p.down
	case !ok:
		return oauth.User{}, oauth.ErrSessionOver
	}
	return u.User, nil
}

func (p *people) Token(ctx context.Context, session oauth.Secret, account string) (oauth.Secret, error) {
	u, err := p.User(ctx, session)
	if err != nil {
		return oauth.Secret{}, err
	}
	if !slices.ContainsFunc(u.Accounts, func(m oauth.Membership) bool { return m.ID == account }) {
		return oauth.Secret{}, oauth.ErrNoMember
	}
	return oauth.NewSecret("token of " + u.ID + " for " + account), nil
}

func (p *people) Created(_ context.Context, _ oauth.Secret, _, key string) ([]oauth.CreatedThing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.created[key], nil
}

func (p *people) ChangePassword(_ context.Context, c oauth.PasswordChange) (oauth.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	email := p.sessions[c.Session.Reveal()]
	u, ok := p.users[email]
	switch {
	case !ok:
		return oauth.Session{}, oauth.ErrSessionOver
	case u.password != c.Old.Reveal():
		return oauth.Session{}, oauth.ErrCredentials
	case len(c.New.Reveal()) < 10:
		return oauth.Session{}, &oauth.RefusedError{Message: "The new password is too short."}
	}
	u.password = c.New.Reveal()
	maps.DeleteFunc(p.sessions, func(_, owner string) bool { return owner == email })
	return p.start(email), nil
}

// site is the pages over a real store, as a server.
type site struct {
	t       *testing.T
	url     string
	people  *people
	api     *oauthtest.API
	grants  *oauth.Grants
	clients *oauth.Clients
	memory  *memory
	clock   *oauthtest.Clock
	audit   []oauth.AuditEvent
}

// newSite starts the pages; change adjusts their configuration.
func newSite(t *testing.T, change func(*oauth.BrowserConfig)) *site {
	t.Helper()
	s := &site{t: t, people: newPeople(), api: oauthtest.NewAPI(), clock: &oauthtest.Clock{}}
	s.memory = newMemory(s.clock.Now)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	store, err := sqlstore.Open(t.Context(), t.TempDir(), sqlstore.Config{Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	resources, err := protocol.NewResources(s.url)
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	var mu sync.Mutex
	record := func(_ context.Context, e oauth.AuditEvent) {
		mu.Lock()
		defer mu.Unlock()
		s.audit = append(s.audit, e)
	}
	keys := oauthtest.Keyring(t, "one")
	s.grants = oauth.New(oauth.Config{Store: store, API: s.api, Keys: keys, Audit: record, Logger: logger, Now: s.clock.Now})
	s.clients = oauth.NewClients(oauth.ClientsConfig{
		Store: store, Records: store, Limits: s.memory, Outgoing: &http.Client{}, Issuer: s.url, TokenEndpoint: s.url + "/token",
		KeepFor: time.Hour, Logger: logger, Now: s.clock.Now,
	})
	cfg := oauth.BrowserConfig{
		Grants: s.grants, Records: store, Users: s.people, Clients: s.clients, Limits: s.memory, Keys: keys,
		Protocol: protocol.Authorize{Resources: resources, EmitIss: true}, HTTP: &http.Client{Timeout: time.Minute}, Address: oauth.Address,
		APIURL: "http://127.0.0.1:1", Version: "test", IdleLife: oauth.DefaultRefreshTTL, Audit: record, Logger: logger, Now: s.clock.Now,
	}
	if change != nil {
		change(&cfg)
	}
	pages, err := oauth.NewBrowser(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	pages.Register(mux)
	mux.Handle("/{$}", pages.Landing())
	server.Config.Handler = httpx.Identify()(mux)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// register adds a client.
func (s *site) register(name string, redirects ...string) string {
	s.t.Helper()
	client, _, err := s.clients.Register(s.t.Context(), &protocol.ClientMetadata{
		Name: name, RedirectURIs: redirects, GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, AuthMethod: protocol.AuthNone,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return client.ID
}

// request is the query of an authorization request; more overrides its
// parameters, an empty value removes one.
func (s *site) request(client, redirect string, more map[string]string) string {
	query := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirect}, "state": {"the state"},
		"code_challenge": {oauthtest.Challenge()}, "code_challenge_method": {"S256"}, "resource": {s.url + "/mcp"},
	}
	for name, value := range more {
		query.Set(name, value)
		if value == "" {
			query.Del(name)
		}
	}
	return "/authorize?" + query.Encode()
}

// tab is a browser at a site. It follows redirects to the site itself, keeps
// cookies, and sends what browsers send with a form.
type tab struct {
	*site
	jar    http.CookieJar
	header http.Header // sent with every form on top of the usual
	stay   bool        // follow no redirect
}

func (s *site) open() *tab {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &tab{site: s, jar: jar, header: http.Header{}}
}

// page is an answer.
type page struct {
	status   int
	path     string // where redirects within the site have led
	location string // where a redirect leads out of it
	header   http.Header
	body     string
}

func (p page) has(text string) bool { return strings.Contains(p.body, text) }

// heading is the text of the h1.
func (p page) heading() string {
	if match := regexp.MustCompile(`<h1[^>]*>(.*?)</h1>`).FindStringSubmatch(p.body); match != nil {
		return match[1]
	}
	return ""
}

func (b *tab) get(path string) page {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

func (b *tab) do(method, path string, form url.Values) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	target := path
	if !strings.HasPrefix(path, "http") {
		target = b.url + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.url)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range b.header {
		r.Header[name] = values
		if values[0] == "" {
			delete(r.Header, name)
		}
	}
	client := http.Client{Jar: b.jar, Timeout: time.Minute, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if b.stay || "http://"+r.URL.Host != b.url {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{
		status: answer.StatusCode, path: answer.Request.URL.RequestURI(), location: answer.Header.Get("Location"),
		header: answer.Header, body: string(content),
	}
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>`)
	fieldPattern = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"/>`)
	errNoForm    = errors.New("no such form")
)

// form returns the hidden fields of the page's form with this action.
func (p page) form(action string) (url.Values, error) {
	for _, match := range formPattern.FindAllStringSubmatch(p.body, -1) {
		if match[1] != action {
			continue
		}
		values := url.Values{}
		for _, field := range fieldPattern.FindAllStringSubmatch(match[2], -1) {
			values.Add(field[1], field[2])
		}
		return values, nil
	}
	return nil, errNoForm
}

// submit sends the page's form with these fields added, as name, value, ...
func (b *tab) submit(p page, action string, more ...string) page {
	b.t.Helper()
	values, err := p.form(action)
	if err != nil {
		b.t.Fatalf("%v: %s on the page %q (%d):\n%s", err, action, p.heading(), p.status, p.body)
	}
	for i := 0; i < len(more); i += 2 {
		values.Add(more[i], more[i+1])
	}
	return b.do(http.MethodPost, action, values)
}

// signIn signs in on the page that asks for it.
func (b *tab) signIn(p page, name string) page {
	b.t.Helper()
	return b.submit(p, "/sign-in", "email", name+"@example.com", "password", password)
}

// toConsent leads a new request to the consent page for Acme.
func (b *tab) toConsent(client, redirect, name string) page {
	b.t.Helper()
	p := b.get(b.request(client, redirect, nil))
	if strings.HasPrefix(p.path, "/sign-in") {
		p = b.signIn(p, name)
	}
	if p.heading() == "Which account should “Claude” use?" {
		p = b.submit(p, "/consent", "account", "acme")
	}
	if !strings.HasPrefix(p.path, "/consent") || p.status != http.StatusOK {
		b.t.Fatalf("%s comes to %s: %d %q", name, p.path, p.status, p.heading())
	}
	return p
}

// answer is what a client gets back by the redirect.
func (p page) answer(t *testing.T) url.Values {
	t.Helper()
	u, err := url.Parse(p.location)
	if err != nil || p.location == "" {
		t.Fatalf("no redirect but %d %q", p.status, p.heading())
	}
	return u.Query()
}

func (s *site) redeem(client, redirect, code string) (oauth.Tokens, error) {
	return s.grants.RedeemCode(s.t.Context(), oauth.RedeemRequest{
		Code: oauth.NewSecret(code), Client: client, Verifier: oauth.NewSecret(oauthtest.Verifier), Redirect: redirect,
		Address: netip.MustParseAddr("192.0.2.1"),
	})
}
