package oauth_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
)

func TestBrowser_Invitation_NewUser(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.people.invited["gpi_link"] = oauth.Invitation{Account: "Initech", Email: "new@example.com", Role: "admin", New: true}
	b := s.open()
	page := b.get("/invitation?token=gpi_link")
	if page.heading() != "Join Initech" || !page.has("new@example.com") || !page.has("Admin") || !page.has("new-password") {
		t.Fatalf("the link shows %d\n%s", page.status, page.body)
	}
	p := b.submit(page, "/invitation", "first_name", "Ann", "password", "short")
	if p.status != http.StatusBadRequest || !p.has("The password is too short.") || !p.has(`value="Ann"`) {
		t.Errorf("a short password: %d\n%s", p.status, p.body)
	}
	p = b.submit(page, "/invitation", "first_name", "Ann", "last_name", "Lee", "password", "long enough word")
	if p.heading() != "Welcome to GrowPanel" || !p.has("new@example.com") {
		t.Errorf("joining leads to %d %q", p.status, p.heading())
	}
	if got := s.people.proofs[len(s.people.proofs)-1]; got.FirstName != "Ann" || got.LastName != "Lee" || got.From.String() != "127.0.0.1" {
		t.Errorf("the API got %+v", got)
	}
	if p := b.submit(page, "/invitation", "password", "long enough word"); p.status != http.StatusNotFound || p.heading() != "This invitation is over" {
		t.Errorf("a second time: %d %q", p.status, p.heading())
	}
}

func TestBrowser_Invitation_KnownUser(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.people.invited["gpi_link"] = oauth.Invitation{Account: "Initech", Email: "bob@example.com", Role: "readonly"}
	b := s.open()
	page := b.get("/invitation?token=gpi_link")
	if page.has("new-password") {
		t.Error("a known user is asked for a new password")
	}
	if p := b.submit(page, "/invitation", "password", "wrong"); p.status != http.StatusUnauthorized || !p.has("The password is wrong.") {
		t.Errorf("a wrong password: %d", p.status)
	}
	if p := b.submit(page, "/invitation", "password", password); p.heading() != "Welcome to GrowPanel" {
		t.Errorf("joining leads to %d %q", p.status, p.heading())
	}
	// Another browser cannot be made to join by a form of this one.
	s.people.invited["gpi_other"] = oauth.Invitation{Account: "Initech", Email: "bob@example.com"}
	form := mustForm(t, b.get("/invitation?token=gpi_other"), "/invitation")
	if p := s.open().do(http.MethodPost, "/invitation", form); p.status != http.StatusForbidden {
		t.Errorf("a foreign form: %d", p.status)
	}
}

func TestBrowser_Invitation_ByProvider(t *testing.T) {
	t.Parallel()
	s, _ := newSiteWithProvider(t)
	s.people.invited["gpi_link"] = oauth.Invitation{Account: "Initech", Email: "new@example.com", Role: "admin", New: true}
	b := s.open()
	if p := b.visit(b.get("/invitation?token=gpi_link")); p.heading() != "Welcome to GrowPanel" {
		t.Errorf("joining leads to %d %q", p.status, p.heading())
	}
	if got := s.people.proofs[0]; got.Invitation.Reveal() != "gpi_link" || got.IDToken.IsZero() {
		t.Errorf("the API got %+v", got)
	}
	s.people.invited["gpi_link"] = oauth.Invitation{Account: "Initech", Email: "bob@example.com", Role: "admin"}
	p := b.visit(b.get("/invitation?token=gpi_link"))
	if p.status != http.StatusBadGateway || !p.has("Join with that") || !p.has("/invitation?token=gpi_link") {
		t.Errorf("an address that has a password: %d\n%s", p.status, p.body)
	}
}

func TestBrowser_Invitation_Over(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, secret := range []string{"", "gpi_unknown", string(make([]byte, 300))} {
		if p := s.open().get("/invitation?token=" + url.QueryEscape(secret)); p.status != http.StatusNotFound || p.heading() != "This invitation is over" {
			t.Errorf("%.20q: %d %q", secret, p.status, p.heading())
		}
	}
}
