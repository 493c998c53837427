package oauth_test

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// connect allows a client and returns its tokens.
func (b *tab) connect(client, name, access string) oauth.Tokens {
	b.t.Helper()
	p := b.submit(b.toConsent(client, webRedirect, name), "/consent", "decision", "allow", "access", access)
	tokens, err := b.redeem(client, webRedirect, p.answer(b.t).Get("code"))
	if err != nil {
		b.t.Fatal(err)
	}
	return tokens
}

func (s *site) works(tokens oauth.Tokens) bool {
	s.t.Helper()
	_, err := s.grants.CheckAccess(s.t.Context(), tokens.Access)
	if err != nil && !errors.Is(err, oauth.ErrInvalidToken) {
		s.t.Fatal(err)
	}
	return err == nil
}

// keyOf is the id of the API key behind a family.
func (s *site) keyOf(id oauth.FamilyID) string {
	s.t.Helper()
	connections, err := s.grants.Connections(s.t.Context(), "user-bob")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range connections {
		for _, f := range c.Families {
			if f.ID == id {
				return f.KeyID
			}
		}
	}
	s.t.Fatal("no such family")
	return ""
}

func TestBrowser_Connections(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	if p := b.signIn(b.get("/connections"), "bob"); p.status != http.StatusOK || !p.has("Nothing is connected yet") {
		t.Errorf("without connections: %d %s", p.status, p.body)
	}
	tokens := b.connect(client, "bob", "read")
	s.grants.Touch(tokens.Family, netip.MustParseAddr("198.51.100.77"))
	b.connect(client, "bob", "write")
	for _, path := range []string{"/connections", "/settings/integrations"} {
		p := b.get(path)
		for _, want := range []string{"Claude", "Acme Inc", "claude.ai", "198.51.100.0/24", "Read only", "Admin", "Just now", "Revoke all 2 devices"} {
			if !p.has(want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
	jane := s.open()
	if p := jane.signIn(jane.get("/connections"), "jane"); !p.has("Nothing is connected yet") {
		t.Error("another user sees the connection")
	}
}

func TestBrowser_Revoke(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, target, heading, done string
		wantLeft                    int // of the three families of bob
	}{
		{"device", "device", "Revoke “Claude”?", "Revoked, and its key is deleted.", 2},
		{"connection", "connection", "Revoke “Claude”?", "2 devices revoked, and their keys are deleted.", 1},
		{"all", "all", "Revoke all connections?", "3 devices revoked, and their keys are deleted.", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			claude, other := s.register("Claude", webRedirect), s.register("Other", webRedirect)
			b, jane := s.open(), s.open()
			b.connect(other, "bob", "write")
			s.clock.Advance(time.Second)
			all := []oauth.Tokens{b.connect(claude, "bob", "write"), b.connect(claude, "bob", "read")}
			hers := jane.connect(claude, "jane", "write")
			path := map[string]string{
				"device":     "/connections/revoke?device=" + all[1].Family.String(),
				"connection": "/connections/revoke?connection=" + oauth.ConnectionID("user-bob", "acme", claude),
				"all":        "/connections/revoke?all=yes",
			}[test.target]
			if p := b.get("/connections"); !p.has(strings.ReplaceAll(path, "&", "&amp;")) {
				t.Errorf("the page does not link to %s", path)
			}
			p := b.get(path)
			if p.heading() != test.heading {
				t.Fatalf("%s shows %d %q", path, p.status, p.heading())
			}
			if !s.works(all[1]) {
				t.Fatal("asking has revoked")
			}
			form := p
			p = b.submit(form, "/connections/revoke")
			if !p.has(test.done) {
				t.Errorf("the page does not say %q:\n%s", test.done, p.body)
			}
			if s.works(all[1]) {
				t.Error("the token still works")
			}
			if !s.works(hers) {
				t.Error("another user's connection ended")
			}
			if left := len(s.api.Keys()) - 1; left != test.wantLeft {
				t.Errorf("%d keys are left, want %d", left, test.wantLeft)
			}
			if again := b.submit(form, "/connections/revoke"); !again.has("Nothing was left to revoke.") {
				t.Error("a second click does not say that nothing was left")
			}
		})
	}
}

// Access ends at once even when the API is down; the page tells both steps.
func TestBrowser_Revoke_KeyFollows(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	tokens := b.connect(client, "bob", "write")
	page := b.get("/connections/revoke?device=" + tokens.Family.String())
	s.api.FailBefore(func(call oauthtest.Call) error {
		if call == oauthtest.RevokeKey {
			return errors.New("connection refused")
		}
		return nil
	})
	p := b.submit(page, "/connections/revoke")
	if s.works(tokens) || !p.has("Its key is being deleted") || !p.has("Revoked, its key is being deleted") {
		t.Errorf("with the API down:\n%s", p.body)
	}
	s.api.FailBefore(nil)
	s.clock.Advance(time.Hour)
	if err := s.grants.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/connections"); !p.has("Revoked, key deleted") || p.has("being deleted") {
		t.Errorf("afterwards:\n%s", p.body)
	}
}

// What a connection has created is shown; what is unticked stays.
func TestBrowser_Revoke_Created(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b := s.open()
	tokens := b.connect(client, "bob", "write")
	key := s.keyOf(tokens.Family)
	s.people.created[key] = []oauth.CreatedThing{
		{ID: "k1", Kind: "API key", Name: "Export script", Role: "admin", CreatedAt: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)},
		{ID: "k2", Kind: "API key", Name: "Old thing"},
		{ID: "u7", Kind: "Member", Stays: true, Name: "carol@example.com", Role: "admin", CreatedAt: time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC)},
	}
	page := b.get("/connections/revoke?device=" + tokens.Family.String())
	if !page.has("Export script") || !page.has("API key · Admin, created 3 November 2026") {
		t.Errorf("the page does not show what was created:\n%s", page.body)
	}
	if !page.has("carol@example.com") || !page.has("Admin, since 4 November 2026") || page.has(`value="u7"`) {
		t.Errorf("the page does not show who came by its invitation, or lets them be deleted:\n%s", page.body)
	}
	b.submit(page, "/connections/revoke", "delete", "k2")
	if got, want := s.api.Kept(tokens.Family), []string{"k1"}; !slices.Equal(got, want) || s.works(tokens) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

func TestBrowser_Revoke_OnlyOnesOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b, jane := s.open(), s.open()
	tokens := b.connect(client, "bob", "write")
	jane.signIn(jane.get("/sign-in"), "jane")
	for _, path := range []string{
		"/connections/revoke?device=" + tokens.Family.String(), "/connections/revoke?connection=" + oauth.ConnectionID("user-bob", "acme", client),
		"/connections/revoke?device=x", "/connections/revoke", "/connections/revoke?all=yes",
	} {
		if p := jane.get(path); p.heading() != "Connections" {
			t.Errorf("%s shows %q", path, p.heading())
		}
	}
	// The page of one target is no token for another.
	form := mustForm(t, b.get("/connections/revoke?device="+tokens.Family.String()), "/connections/revoke")
	form.Set("all", "yes")
	form.Del("device")
	if p := b.do(http.MethodPost, "/connections/revoke", form); p.status != http.StatusForbidden || !s.works(tokens) {
		t.Errorf("a form for a device revokes all: %d", p.status)
	}
}

// No link can make the page claim that something was revoked.
func TestBrowser_Connections_FlashIsSealed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.open()
	b.signIn(b.get("/sign-in"), "bob")
	for _, done := range []string{"1.1", "1.1.", "1.1.x", "..", "2.1.AAAA"} {
		if p := b.get("/connections?done=" + done); p.has(`role="status"`) {
			t.Errorf("done=%s makes the page say something", done)
		}
	}
}

func TestBrowser_Password(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.register("Claude", webRedirect)
	b, elsewhere := s.open(), s.open()
	tokens := b.connect(client, "bob", "write")
	elsewhere.signIn(elsewhere.get("/sign-in"), "bob")
	page := b.get("/password")
	if p := b.submit(page, "/password", "current", "wrong", "new", "long enough word"); p.status != http.StatusUnauthorized || !p.has("The current password is wrong.") {
		t.Errorf("a wrong password: %d %s", p.status, p.body)
	}
	if p := b.submit(page, "/password", "current", password, "new", "short"); p.status != http.StatusBadRequest || !p.has("The new password is too short.") {
		t.Errorf("a short password: %d", p.status)
	}
	if p := b.submit(page, "/password", "current", password, "new", "long enough word"); p.heading() != "Your password is changed" {
		t.Errorf("the change: %d %q", p.status, p.heading())
	}
	if !s.works(tokens) {
		t.Error("the connection ended, though nobody asked for that")
	}
	if p := elsewhere.get("/connections"); p.heading() != "Sign in to GrowPanel" {
		t.Errorf("another browser still sees %q", p.heading())
	}
	if p := b.submit(b.get("/password"), "/password", "current", "long enough word", "new", password, "disconnect", "yes"); p.status != http.StatusOK {
		t.Errorf("the second change: %d %q", p.status, p.heading())
	}
	if s.works(tokens) {
		t.Error("the connection lives on, though it was to end")
	}
}
