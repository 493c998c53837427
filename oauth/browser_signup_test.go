package oauth_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
)

const signUpLink = "Create an account"

// toSignUp follows the link of a sign-in page.
func (b *tab) toSignUp(p page) page {
	b.t.Helper()
	link := regexp.MustCompile(`<a href="(/sign-up[^"]*)">` + signUpLink).FindStringSubmatch(p.body)
	if link == nil {
		b.t.Fatalf("no link to sign up on the page %q (%d):\n%s", p.heading(), p.status, p.body)
	}
	return b.get(html.UnescapeString(link[1]))
}

func (s *site) openSignUp() { s.people.methods.SignUp = true }

func TestBrowser_SignUp_IsOffByDefault(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.open()
	if p := b.get("/sign-in"); p.has("/sign-up") || p.has(signUpLink) {
		t.Errorf("the sign-in page offers sign-up:\n%s", p.body)
	}
	if p := b.get("/sign-up"); p.status != http.StatusNotFound || p.heading() != "There is nothing here" {
		t.Errorf("/sign-up = %d %q", p.status, p.heading())
	}
	// A form from before it was switched off makes nobody.
	s.openSignUp()
	form := b.get("/sign-up")
	s.people.methods.SignUp = false
	if p := b.submit(form, "/sign-up", "account_name", "Initech", "email", "new@example.com", "password", password); p.status != http.StatusNotFound {
		t.Errorf("an old form = %d %q", p.status, p.heading())
	}
	if _, known := s.people.users["new@example.com"]; known {
		t.Error("there is a user")
	}
}

// From Connect to tokens, as somebody who has never been here goes.
func TestBrowser_SignUp_WholeFlow(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.openSignUp()
	client := s.register("Claude", webRedirect)
	b := s.open()
	p := b.toSignUp(b.get(s.request(client, webRedirect, nil)))
	if p.heading() != signUpLink || !p.has("“Claude”") || !p.has("claude.ai") || !p.has(`href="/sign-in?tx=`) {
		t.Fatalf("the link leads to %d %q\n%s", p.status, p.heading(), p.body)
	}
	p = b.submit(p, "/sign-up", "account_name", "Initech", "first_name", "Ann", "last_name", "Lee", "email", " new@example.com", "password", password)
	if p.heading() != "Let “Claude” use Initech?" || !p.has("Owner") || !p.has("new@example.com") {
		t.Fatalf("signing up leads to %d %q", p.status, p.heading())
	}
	got := s.people.newcomers[0]
	if got.Email != "new@example.com" || got.FirstName != "Ann" || got.LastName != "Lee" || got.Account != "Initech" || !got.From.IsLoopback() {
		t.Errorf("the API got %+v", got)
	}
	p = b.submit(p, "/consent", "decision", "allow", "access", "write")
	tokens, err := s.redeem(client, webRedirect, p.answer(t).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	access, err := s.grants.CheckAccess(t.Context(), tokens.Access)
	if err != nil || access.Account != "initech" || access.Role != "owner" {
		t.Errorf("the grant is %+v, %v", access.Grant, err)
	}
}

func TestBrowser_SignUp_KeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.openSignUp()
	b := s.open()
	form := b.toSignUp(b.get("/sign-in?next=%2Fpassword"))
	p := b.submit(form, "/sign-up", "account_name", "<Initech>", "first_name", "Ann", "email", "new@example.com", "password", "short one")
	if p.status != http.StatusBadRequest || !p.has("Password is too short.") || !p.has(`value="&lt;Initech&gt;"`) || !p.has(`value="Ann"`) ||
		!p.has(`value="new@example.com"`) || p.has("short one") {
		t.Errorf("a short password: %d\n%s", p.status, p.body)
	}
	p = b.submit(p, "/sign-up", "account_name", "Initech", "email", "jane@example.com", "password", password)
	if p.status != http.StatusBadRequest || !p.has("has a user already") || !p.has(`href="/sign-in?next=%2Fpassword"`) {
		t.Errorf("an address that is taken: %d\n%s", p.status, p.body)
	}
	if p = b.submit(p, "/sign-up", "account_name", "Initech", "email", "new@example.com", "password", password); p.heading() != "Change your password" {
		t.Errorf("signing up leads to %d %q", p.status, p.heading())
	}
}

func TestBrowser_SignUp_ForeignForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.openSignUp()
	form := mustForm(t, s.open().get("/sign-up"), "/sign-up")
	if p := s.open().do(http.MethodPost, "/sign-up", form); p.status != http.StatusForbidden {
		t.Errorf("the form of another browser: %d", p.status)
	}
	b := s.open()
	stolen := url.Values{"next": {"/connections"}, "csrf": {mustForm(t, b.get("/sign-in"), "/sign-in").Get("csrf")}}
	if p := b.do(http.MethodPost, "/sign-up", stolen); p.status != http.StatusForbidden {
		t.Errorf("the token of another form: %d", p.status)
	}
	if len(s.people.newcomers) != 0 {
		t.Errorf("the API was asked for %+v", s.people.newcomers)
	}
	s.people.invited["gpi_link"] = oauth.Invitation{Account: "Acme Inc", Email: "new@example.com", Role: "admin", New: true}
	if p := b.get("/sign-up?invitation=gpi_link"); p.heading() != "Join Acme Inc" {
		t.Errorf("with an invitation: %d %q", p.status, p.heading())
	}
}

func TestBrowser_SignUp_IsLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.openSignUp()
	b := s.open()
	form := b.get("/sign-up")
	for i := range 31 {
		p := b.submit(form, "/sign-up", "account_name", "Initech", "email", "jane@example.com", "password", fmt.Sprintf("a long password %d", i))
		want := http.StatusBadRequest
		if i == 30 {
			want = http.StatusTooManyRequests
		}
		if p.status != want {
			t.Fatalf("try %d = %d, want %d", i+1, p.status, want)
		}
	}
	if got := len(s.people.newcomers); got != 30 {
		t.Errorf("the API was asked %d times, want 30", got)
	}
}
