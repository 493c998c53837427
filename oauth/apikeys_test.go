package oauth_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

const apiPassword = "correct horse battery staple"

// platform is the real API in this process, with grants in front of it.
type platform struct {
	identity *identity.Service
	client   *apiclient.Client
	users    *oauth.APIUsers
	grants   *oauth.Grants
	clock    *oauthtest.Clock
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := &oauthtest.Clock{}
	grantStore, err := oauthsql.Open(t.Context(), t.TempDir(), oauthsql.Config{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	keys := oauthtest.Keyring(t, "first")
	logger := slog.New(slog.DiscardHandler)
	people := identity.New(identity.Config{
		Store: store.Identity(), Now: clock.Now, Logger: logger, UserTokenKeys: keys.Derive(oauth.PurposeUserToken), SignUp: true,
	})
	engine := analytics.New(analytics.Config{Store: store.Analytics(), Rows: ingest.Documents{}, Now: clock.Now})
	t.Cleanup(func() {
		engine.Close()
		if err := errors.Join(store.Close(), grantStore.Close()); err != nil {
			t.Error(err)
		}
	})
	api := httpapi.New(httpapi.Config{Engine: engine, Identity: people, Logger: logger, Now: clock.Now})
	client, err := apiclient.New(apiclient.Options{BaseURL: "http://api.internal", Transport: apiclient.InProcess(api)})
	if err != nil {
		t.Fatal(err)
	}
	return &platform{
		identity: people, client: client, users: oauth.NewAPIUsers(client), clock: clock,
		grants: oauth.New(oauth.Config{
			Store: grantStore, API: oauth.NewAPIKeys(client), Keys: keys, Audit: func(context.Context, oauth.AuditEvent) {}, Logger: logger, Now: clock.Now,
		}),
	}
}

// join adds a user with the password to a new account.
func (p *platform) join(t *testing.T, email string, role identity.Role) (identity.User, identity.Account) {
	t.Helper()
	account, err := p.identity.CreateAccount(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	u, err := p.identity.CreateUser(t.Context(), email, apiPassword, identity.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.identity.AddMember(t.Context(), account.ID, u.ID, role); err != nil {
		t.Fatal(err)
	}
	return u, account
}

// signIn returns a user's token for an account.
func (p *platform) signIn(t *testing.T, email, account string) oauth.Secret {
	t.Helper()
	session, err := p.users.SignIn(t.Context(), oauth.Proof{Email: email, Password: oauth.NewSecret(apiPassword)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.users.Token(t.Context(), session.Secret, account)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// works reports whether an API key does.
func (p *platform) works(t *testing.T, key oauth.Secret) bool {
	t.Helper()
	err := oauth.NewAPIKeys(p.client).VerifyKey(t.Context(), key)
	if err != nil && !errors.Is(err, oauth.ErrKeyGone) {
		t.Fatal(err)
	}
	return err == nil
}

func apiConsent(u identity.User, account identity.Account, token oauth.Secret) oauth.CodeRequest {
	return oauth.CodeRequest{
		Transaction: "tx", Challenge: oauthtest.Challenge(), UserToken: token, KeyName: "Claude",
		Grant: oauth.Grant{User: u.ID, Account: account.ID, Client: "c", ClientName: "Claude", Role: "admin", Scope: "growpanel.read"},
	}
}

func TestAPIKeys_AKeyLivesAsLongAsItsFamily(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	u, account := p.join(t, "ann@example.com", identity.Admin)
	code, err := p.grants.IssueCode(t.Context(), apiConsent(u, account, p.signIn(t, "ann@example.com", account.ID)))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := p.grants.RedeemCode(t.Context(), oauth.RedeemRequest{
		Code: code, Client: "c", Verifier: oauth.NewSecret(oauthtest.Verifier),
	})
	if err != nil {
		t.Fatal(err)
	}
	access, err := p.grants.CheckAccess(t.Context(), tokens.Access)
	if err != nil || !p.works(t, access.APIKey) {
		t.Fatalf("CheckAccess: %v, or its key does not work", err)
	}
	next, err := p.grants.Refresh(t.Context(), oauth.RefreshRequest{Token: tokens.Refresh, Client: "c"})
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := p.grants.RevokeFamily(t.Context(), u.ID, tokens.Family, oauth.Ending{Reason: oauth.ReasonUser, Keep: []string{"none"}})
	if err != nil || revoked != (oauth.Revoked{Families: 1, KeysDeleted: 1}) {
		t.Errorf("RevokeFamily = %+v, %v", revoked, err)
	}
	if p.works(t, access.APIKey) {
		t.Error("the API key works after its family has ended")
	}
	if _, err := p.grants.CheckAccess(t.Context(), next.Access); !errors.Is(err, oauth.ErrInvalidToken) {
		t.Errorf("CheckAccess: %v, want ErrInvalidToken", err)
	}
}

func TestAPIKeys_ACodeThatNobodyRedeemsLosesItsKey(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	u, account := p.join(t, "ann@example.com", identity.Admin)
	if _, err := p.grants.IssueCode(t.Context(), apiConsent(u, account, p.signIn(t, "ann@example.com", account.ID))); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(time.Hour)
	if err := p.grants.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := p.identity.ListKeys(t.Context(), account.ID)
	if err != nil || len(keys) != 0 {
		t.Errorf("%d keys, %v, want none", len(keys), err)
	}
}

func TestAPIKeys_AUserWhoIsRemovedIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.join(t, "owner@example.com", identity.Owner)
	u, account := p.join(t, "ann@example.com", identity.Admin)
	token := p.signIn(t, "ann@example.com", account.ID)
	refused := apiConsent(u, account, token)
	refused.Grant.Role = "owner" // more than the user's own
	if _, err := p.grants.IssueCode(t.Context(), refused); err == nil || errors.Is(err, oauth.ErrUnavailable) {
		t.Errorf("IssueCode above the user's role: %v, want a refusal", err)
	}
	code, err := p.grants.IssueCode(t.Context(), apiConsent(u, account, token))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := p.grants.RedeemCode(t.Context(), oauth.RedeemRequest{Code: code, Client: "c", Verifier: oauth.NewSecret(oauthtest.Verifier)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.identity.DisableUser(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	_, err = p.grants.Refresh(t.Context(), oauth.RefreshRequest{Token: tokens.Refresh, Client: "c"})
	if !errors.Is(err, oauth.ErrInvalidGrant) || !errors.Is(err, oauth.ErrKeyGone) {
		t.Errorf("Refresh by a disabled user: %v, want ErrInvalidGrant for ErrKeyGone", err)
	}
}
