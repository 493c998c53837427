package oauth_test

import (
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// From Connect to tokens, as somebody with two accounts goes.
func TestBrowser_WholeFlow(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()

	p := b.get(s.request(client, webRedirect, nil))
	if p.heading() != "Sign in to GrowPanel" || !p.has("“Claude”") || !p.has("claude.ai") {
		t.Fatalf("the request leads to %d %q", p.status, p.heading())
	}
	p = b.submit(p, "/sign-in", "email", "jane@example.com", "password", "wrong")
	if p.status != http.StatusUnauthorized || !p.has("E-mail or password is wrong.") || !p.has(`value="jane@example.com"`) {
		t.Errorf("a wrong password is answered with %d: %s", p.status, p.body)
	}
	p = b.signIn(p, "jane")
	if p.heading() != "Which account should “Claude” use?" || !p.has("Acme Inc") || !p.has("Globex") {
		t.Fatalf("after signing in: %d %q", p.status, p.heading())
	}
	p = b.submit(p, "/consent", "account", "acme")
	if p.heading() != "Let “Claude” use Acme Inc?" || !p.has("Owner") || !p.has("jane@example.com") {
		t.Fatalf("after choosing: %d %q", p.status, p.heading())
	}
	p = b.submit(p, "/consent", "decision", "allow", "access", "write")
	answer := p.answer(t)
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, webRedirect+"?") ||
		answer.Get("state") != "the state" || answer.Get("iss") != s.url || answer.Get("code") == "" {
		t.Fatalf("Allow leads to %d %q", p.status, p.location)
	}
	tokens, err := s.redeem(client, webRedirect, answer.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	access, err := s.grants.CheckAccess(t.Context(), tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.Grant{
		User: "user-jane", UserName: "jane@example.com", Account: "acme", AccountName: "Acme Inc", Client: client, ClientName: "Claude",
		Redirect: webRedirect, Role: "owner", Scope: "growpanel.read growpanel.write", Resource: s.url + "/mcp",
	}
	if access.Grant != want {
		t.Errorf("the grant is\n%+v, want\n%+v", access.Grant, want)
	}
}

func TestBrowser_Consent_LeastOfRoleWishAndChoice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, account, access, scope string
		readOnlyServer               bool
		wantRole, wantScope          string
	}{
		{name: "owner allows all", account: "acme", access: "write", wantRole: "owner", wantScope: "growpanel.read growpanel.write"},
		{name: "owner allows reading", account: "acme", access: "read", wantRole: "readonly", wantScope: "growpanel.read"},
		{name: "no choice sent", account: "acme", wantRole: "readonly", wantScope: "growpanel.read"},
		{name: "role is readonly", account: "globex", access: "write", wantRole: "readonly", wantScope: "growpanel.read"},
		{name: "client asks to read", account: "acme", access: "write", scope: "growpanel.read", wantRole: "readonly", wantScope: "growpanel.read"},
		{name: "server is read-only", account: "acme", access: "write", readOnlyServer: true, wantRole: "readonly", wantScope: "growpanel.read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(cfg *oauth.BrowserConfig) { cfg.ReadOnly = test.readOnlyServer })
			client := s.register("Claude", webRedirect)
			b := s.open()
			p := b.signIn(b.get(s.request(client, webRedirect, map[string]string{"scope": test.scope})), "jane")
			p = b.submit(p, "/consent", "account", test.account)
			offered := p.has(`name="access"`)
			if want := test.wantRole == "owner" || test.access != "write"; offered != want {
				t.Errorf("the choice of access is offered: %v, want %v", offered, want)
			}
			p = b.submit(p, "/consent", "decision", "allow", "access", test.access)
			tokens, err := s.redeem(client, webRedirect, p.answer(t).Get("code"))
			if err != nil {
				t.Fatal(err)
			}
			access, err := s.grants.CheckAccess(t.Context(), tokens.Access)
			if err != nil {
				t.Fatal(err)
			}
			if access.Role != test.wantRole || access.Scope != test.wantScope || access.ReadOnly != (test.wantRole == "readonly" && test.scope == "") {
				t.Errorf("granted %s, %q, read only %v; want %s, %q", access.Role, access.Scope, access.ReadOnly, test.wantRole, test.wantScope)
			}
		})
	}
}

// A second click, or the back button and another one, gives the same answer for
// a while, and after that a page.
func TestBrowser_Allow_Twice(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	allow := func() page { return b.submit(consent, "/consent", "decision", "allow", "access", "write") }
	first, second := allow(), allow()
	if first.location == "" || second.location != first.location {
		t.Errorf("two clicks lead to\n%q and\n%q", first.location, second.location)
	}
	if p := b.get(consent.path); p.heading() != "Already connected" || p.location != "" {
		t.Errorf("the back button leads to %d %q", p.status, p.heading())
	}
	if other := b.submit(consent, "/consent", "decision", "allow", "access", "read"); other.location != "" {
		t.Errorf("another choice after Allow leads to %q", other.location)
	}
	if p := b.submit(consent, "/consent", "decision", "deny"); p.location != "" || p.heading() != "Already connected" {
		t.Errorf("Deny after Allow leads to %d %q %q", p.status, p.heading(), p.location)
	}
	s.clock.Advance(31 * time.Second)
	if p := allow(); p.location != "" || p.heading() != "Already connected" {
		t.Errorf("a click after half a minute leads to %d %q", p.status, p.location)
	}
	if got := len(s.api.Keys()); got != 1 {
		t.Errorf("%d API keys were made, want 1", got)
	}
}

func TestBrowser_Allow_AfterRedemption(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	allow := func() page { return b.submit(consent, "/consent", "decision", "allow", "access", "write") }
	if _, err := s.redeem(client, webRedirect, allow().answer(t).Get("code")); err != nil {
		t.Fatal(err)
	}
	if p := allow(); p.heading() != "Already connected" || p.location != "" {
		t.Errorf("a click after the code was redeemed leads to %d %q %q", p.status, p.heading(), p.location)
	}
}

func TestBrowser_Deny(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	deny := func() page { return b.submit(consent, "/consent", "decision", "deny") }
	first, second := deny(), deny()
	answer := first.answer(t)
	if answer.Get("error") != "access_denied" || answer.Get("state") != "the state" || answer.Get("iss") != s.url || answer.Has("code") {
		t.Errorf("Deny answers %v", answer)
	}
	if second.location != first.location {
		t.Errorf("a second click leads to %q", second.location)
	}
	if p := b.submit(consent, "/consent", "decision", "allow", "access", "write"); p.location != "" || p.heading() != "Access was denied" {
		t.Errorf("Allow after Deny leads to %d %q %q", p.status, p.heading(), p.location)
	}
	if len(s.api.Keys()) != 0 {
		t.Error("Deny made an API key")
	}
	if got := s.audit[len(s.audit)-1]; got.Action != oauth.ActionDenied || got.User != "user-bob" || got.Client != client {
		t.Errorf("the audit log says %+v", got)
	}
}

// Requests of one browser in two tabs do not disturb each other.
func TestBrowser_TwoTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	claude, cursor := s.register("Claude", webRedirect), s.register("Cursor", appRedirect)
	b := s.open()
	one := b.get(s.request(claude, webRedirect, nil))
	two := b.get(s.request(cursor, appRedirect, nil))
	two = b.signIn(two, "bob")
	one = b.get(strings.Replace(one.path, "/sign-in", "/consent", 1))
	if one.heading() != "Let “Claude” use Acme Inc?" || two.heading() != "Let “Cursor” use Acme Inc?" {
		t.Fatalf("the tabs show %q and %q", one.heading(), two.heading())
	}
	first := b.submit(one, "/consent", "decision", "allow", "access", "write")
	second := b.submit(two, "/consent", "decision", "allow", "access", "read")
	if _, err := s.redeem(claude, webRedirect, first.answer(t).Get("code")); err != nil {
		t.Error(err)
	}
	if !second.has("cursor://anysphere.cursor-mcp/oauth/callback?code=") {
		t.Errorf("the second tab leads to %d %q", second.status, second.heading())
	}
}

// What the user was shown is what is granted, whatever happens in other tabs.
func TestBrowser_Consent_IsToWhatWasShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	acme := b.toConsent(client, webRedirect, "jane")

	other := b.submit(acme, "/consent", "decision", "switch")
	if other = b.submit(other, "/consent", "account", "globex"); !strings.Contains(other.heading(), "Globex") {
		t.Fatalf("the other tab shows %q", other.heading())
	}
	s.people.setRole("jane@example.com", "acme", "admin")
	if p := b.submit(acme, "/consent", "decision", "allow", "access", "write"); p.status != http.StatusForbidden || p.location != "" {
		t.Errorf("Allow with a role that changed leads to %d %q", p.status, p.location)
	}
	s.people.setRole("jane@example.com", "acme", "owner")
	p := b.submit(acme, "/consent", "decision", "allow", "access", "write")
	tokens, err := s.redeem(client, webRedirect, p.answer(t).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if access, err := s.grants.CheckAccess(t.Context(), tokens.Access); err != nil || access.Account != "acme" {
		t.Errorf("granted %q, %v; want the account that the page showed", access.Account, err)
	}
}

func TestBrowser_Consent_AnotherUserSignedInMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	b.signIn(b.get("/sign-in"), "jane")
	p := b.submit(consent, "/consent", "decision", "allow", "access", "write")
	if p.location != "" || p.status != http.StatusForbidden || len(s.api.Keys()) != 0 {
		t.Errorf("the page of another user is accepted: %d %q", p.status, p.location)
	}
}

// The client cannot change what was asked for while the user decides.
func TestBrowser_Consent_IsASnapshot(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	p := b.submit(consent, "/consent", "decision", "allow", "access", "write",
		"redirect_uri", "https://evil.example/", "client_id", "other", "scope", "x", "state", "other")
	if !strings.HasPrefix(p.location, webRedirect+"?") || p.answer(t).Get("state") != "the state" {
		t.Errorf("Allow leads to %q", p.location)
	}
}

func TestBrowser_NoAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	p := b.signIn(b.get(s.request(client, webRedirect, nil)), "nobody")
	if p.status != http.StatusForbidden || p.heading() != "No GrowPanel account access" || !p.has("nobody@example.com") || p.location != "" {
		t.Errorf("a user without accounts gets %d %q", p.status, p.heading())
	}
}

func TestBrowser_PromptLogin_AsksAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	b.signIn(b.get("/sign-in"), "bob")
	p := b.get(s.request(client, webRedirect, map[string]string{"prompt": "login"}))
	if p.heading() != "Sign in to GrowPanel" {
		t.Fatalf("prompt=login leads to %q", p.heading())
	}
	if p = b.get(strings.Replace(p.path, "/sign-in", "/consent", 1)); p.heading() != "Sign in to GrowPanel" {
		t.Errorf("the sign-in can be left out: %q", p.heading())
	}
	if p = b.signIn(p, "bob"); p.heading() != "Let “Claude” use Acme Inc?" {
		t.Errorf("after signing in anew: %q", p.heading())
	}
}

// An app's own scheme is opened by a page, since browsers drop such redirects.
func TestBrowser_AppScheme(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Cursor", appRedirect)
	b := s.open()
	p := b.toConsent(client, appRedirect, "bob")
	if !p.has("any program there can claim this name") {
		t.Error("the consent page of a local app has no warning")
	}
	p = b.submit(p, "/consent", "decision", "allow", "access", "write")
	target, found := strings.CutPrefix(p.header.Get("Refresh"), "0; url=")
	if p.status != http.StatusOK || !found || !strings.HasPrefix(target, appRedirect+"?") || !strings.Contains(html.UnescapeString(p.body), `href="`+target+`"`) {
		t.Fatalf("Allow answers %d, Refresh %q", p.status, p.header.Get("Refresh"))
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.redeem(client, appRedirect, u.Query().Get("code")); err != nil {
		t.Error(err)
	}
}

// Nothing leads away from a request that proves nothing, and a client that is
// known is told of its mistake at once only by a browser with a session.
func TestBrowser_Authorize_FaultyRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	stranger, member := s.open(), s.open()
	member.signIn(member.get("/sign-in"), "bob")
	for _, test := range []struct {
		name    string
		more    map[string]string
		heading string
		code    string // told to the client when there is a session
	}{
		{"unknown client", map[string]string{"client_id": "gpcl_unknown"}, "GrowPanel does not know this app", ""},
		{"no client", map[string]string{"client_id": ""}, "This request cannot be read", ""},
		{"foreign redirect", map[string]string{"redirect_uri": "https://evil.example/cb"}, "This link does not lead back to the app", ""},
		{"redirect with a tail", map[string]string{"redirect_uri": webRedirect + "/x"}, "This link does not lead back to the app", ""},
		{"script", map[string]string{"redirect_uri": "javascript:alert(1)"}, "This link does not lead back to the app", ""},
		{"no PKCE", map[string]string{"code_challenge": ""}, "This request cannot be answered", "invalid_request"},
		{"plain PKCE", map[string]string{"code_challenge_method": "plain"}, "This request cannot be answered", "invalid_request"},
		{"token", map[string]string{"response_type": "token"}, "This request cannot be answered", "unsupported_response_type"},
		{"no prompt", map[string]string{"prompt": "none"}, "This request cannot be answered", "interaction_required"},
		{"other resource", map[string]string{"resource": "https://other.example/mcp"}, "This request cannot be answered", "invalid_target"},
	} {
		p := stranger.get(s.request(client, webRedirect, test.more))
		if p.status != http.StatusBadRequest || p.heading() != test.heading || p.location != "" {
			t.Errorf("%s: %d %q %q, want a page %q", test.name, p.status, p.heading(), p.location, test.heading)
		}
		if strings.Contains(p.body, `href="https://evil.example`) || strings.Contains(p.body, `href="javascript:`) {
			t.Errorf("%s: the page links to what was refused", test.name)
		}
		p = member.get(s.request(client, webRedirect, test.more))
		if test.code == "" {
			if p.location != "" || p.heading() != test.heading {
				t.Errorf("%s with a session: %d %q %q", test.name, p.status, p.heading(), p.location)
			}
			continue
		}
		if answer := p.answer(t); answer.Get("error") != test.code || answer.Get("state") != "the state" || answer.Get("iss") != s.url {
			t.Errorf("%s with a session: answered %v, want %s", test.name, answer, test.code)
		}
	}
}

// A state of any form comes back as it was sent, up to its limit.
func TestBrowser_Authorize_State(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	b.signIn(b.get("/sign-in"), "bob")
	for name, state := range map[string]string{
		"none": "", "signs": "<>&\"'+ %2B\u00e9\u2028", "longest": strings.Repeat("\x01", 8<<10),
	} {
		p := b.get(s.request(client, webRedirect, map[string]string{"state": state}))
		p = b.submit(p, "/consent", "decision", "deny")
		if answer := p.answer(t); answer.Get("state") != state || answer.Has("state") != (state != "") {
			t.Errorf("%s: comes back as %q", name, answer.Get("state"))
		}
	}
	if p := b.get(s.request(client, webRedirect, map[string]string{"state": strings.Repeat("x", 8<<10+1)})); p.status != http.StatusBadRequest || p.location != "" {
		t.Errorf("one byte more: %d", p.status)
	}
}

// A transaction ends after ten minutes, and belongs to one browser.
func TestBrowser_Transaction_IsOfOneBrowserAndTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b, other := s.open(), s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	other.signIn(other.get("/sign-in"), "bob")
	if p := other.get(consent.path); p.heading() != "This request has expired" {
		t.Errorf("another browser sees %q", p.heading())
	}
	if p := other.submit(consent, "/consent", "decision", "allow", "access", "write"); p.location != "" {
		t.Errorf("another browser is led to %q", p.location)
	}
	if p := s.open().get(consent.path); p.heading() != "This request has expired" {
		t.Errorf("a browser without cookies sees %q", p.heading())
	}
	s.clock.Advance(10*time.Minute + time.Second)
	if p := b.get(consent.path); p.heading() != "This request has expired" || p.status != http.StatusBadRequest {
		t.Errorf("after ten minutes: %d %q", p.status, p.heading())
	}
	if p := b.submit(consent, "/consent", "decision", "allow", "access", "write"); p.heading() != "This request has expired" {
		t.Errorf("Allow after ten minutes: %d %q", p.status, p.heading())
	}
}

// logBuffer keeps what a server logs while the test reads it.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A fault of ours is no outage: nothing promises that it passes, and the page has
// the reference under which the log tells the cause.
func TestBrowser_Fault(t *testing.T) {
	t.Parallel()
	var logs logBuffer
	s := newSite(t, func(cfg *oauth.BrowserConfig) { cfg.Logger = slog.New(slog.NewTextHandler(&logs, nil)) })
	s.people.down = errors.New("index out of range in cookie jar")
	p := s.open().get("/sign-in")
	if p.status != http.StatusInternalServerError || p.header.Get("Retry-After") != "" || p.has("cookie jar") || p.heading() != "Something went wrong on our side" {
		t.Errorf("%d %q:\n%s", p.status, p.heading(), p.body)
	}
	reference := regexp.MustCompile(`request_id=(\S+)`).FindStringSubmatch(logs.String())
	if reference == nil || !p.has(reference[1]) || !strings.Contains(logs.String(), "level=ERROR") || !strings.Contains(logs.String(), "cookie jar") {
		t.Errorf("the log says\n%s\nand the page\n%s", logs.String(), p.body)
	}
}

// An outage is a page that says so, and Allow works when it is over.
func TestBrowser_Outage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	consent := b.toConsent(client, webRedirect, "bob")
	allow := func() page { return b.submit(consent, "/consent", "decision", "allow", "access", "write") }
	down := fmt.Errorf("%w: connection refused", oauth.ErrUnavailable)
	s.api.FailBefore(func(oauthtest.Call) error { return down })
	if p := allow(); p.status != http.StatusServiceUnavailable || p.location != "" || p.has("refused") || p.header.Get("Retry-After") == "" {
		t.Errorf("with the API down: %d %q", p.status, p.heading())
	}
	s.api.FailBefore(nil)
	s.people.down = down
	for _, path := range []string{"/sign-in", "/connections", consent.path} {
		if p := b.get(path); p.status != http.StatusServiceUnavailable {
			t.Errorf("%s with the API down: %d", path, p.status)
		}
	}
	s.people.down = nil
	if p := allow(); p.answer(t).Get("code") == "" {
		t.Errorf("afterwards: %d %q", p.status, p.heading())
	}
}
