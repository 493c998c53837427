// Package storetest holds the conformance suite of OAuth stores: every store
// passes the same tests, alone and under the service that uses it.
package storetest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// Backend is everything that a store keeps.
type Backend interface {
	oauth.Store
	oauth.Records
	oauth.ClientStore
}

// Limits are the settings of a store that the suite needs small.
type Limits struct{ MaxClients int }

// Peer is one store with its data, empty at first.
type Peer struct {
	// Open returns a handle of the data, as another process would have it. The
	// store's time is the clock's. The handle is closed with the test.
	Open func(t testing.TB, clock *oauthtest.Clock, limits Limits) Backend
	// Dump returns all that is kept, in any form in which plain text stays so.
	Dump func(t testing.TB) []byte
}

// Run runs the suite; newPeer is called once per test.
func Run(t *testing.T, newPeer func(t testing.TB) Peer) {
	suites := []struct {
		name  string
		tests []test
	}{
		{"Steps", stepTests},
		{"Codes", codeTests},
		{"Refresh", refreshTests},
		{"Access", accessTests},
		{"Revocation", revocationTests},
		{"Outbox", outboxTests},
		{"Secrets", secretTests},
		{"Races", raceTests},
		{"Crashes", crashTests},
		{"Records", recordTests},
		{"Clients", clientTests},
	}
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range suite.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, newWorld(t, newPeer(t)))
				})
			}
		})
	}
}

// test is one case of the suite.
type test struct {
	name string
	run  func(t *testing.T, w *world)
}

// world is a deployment: a store, an API and a service.
type world struct {
	*oauth.Grants

	peer  Peer
	store Backend
	clock *oauthtest.Clock
	api   *oauthtest.API
	audit *auditLog
}

func newWorld(t testing.TB, peer Peer) *world {
	w := &world{peer: peer, clock: &oauthtest.Clock{}, api: oauthtest.NewAPI(), audit: &auditLog{}}
	w.store = peer.Open(t, w.clock, Limits{})
	w.Grants = w.service(w.store, oauthtest.Keyring(t, "first"))
	return w
}

// service returns a service over a store, as one more process.
func (w *world) service(store oauth.Store, keys *oauth.Keyring) *oauth.Grants {
	return oauth.New(oauth.Config{
		Store: store, API: w.api, Keys: keys, Audit: w.audit.add,
		Logger: slog.New(slog.DiscardHandler), Now: w.clock.Now,
	})
}

// replica returns a service of another process over the same data.
func (w *world) replica(t testing.TB) *oauth.Grants {
	return w.service(w.peer.Open(t, w.clock, Limits{}), oauthtest.Keyring(t, "first"))
}

// auditLog remembers what was reported.
type auditLog struct {
	mu     sync.Mutex
	events []oauth.AuditEvent
}

func (l *auditLog) add(_ context.Context, e oauth.AuditEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// reasons returns the reasons of an action, in order.
func (l *auditLog) reasons(action string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Action == action {
			all = append(all, e.Reason)
		}
	}
	return strings.Join(all, " ")
}

const (
	testUser    = "0b9c4f1e-0000-4000-8000-000000000001"
	testAccount = "0b9c4f1e-0000-4000-8000-0000000000aa"
	testClient  = "client-1"
	testScope   = "growpanel.read growpanel.write"
	resource    = "https://mcp.example.com/mcp"
	redirect    = "https://client.example.com/callback"
	second      = time.Second
	day         = 24 * time.Hour
)

func testGrant() oauth.Grant {
	return oauth.Grant{
		User: testUser, UserName: "ann@example.com", Account: testAccount, AccountName: "Acme",
		Client: testClient, ClientName: "Assistant", Redirect: redirect, Role: "admin",
		Scope: testScope, Resource: resource,
	}
}

func consent(transaction string, change ...func(*oauth.Grant)) oauth.CodeRequest {
	r := oauth.CodeRequest{
		Transaction: transaction, Grant: testGrant(), Challenge: oauthtest.Challenge(),
		UserToken: oauth.NewSecret("user-token"), KeyName: "Assistant (MCP)",
	}
	for _, f := range change {
		f(&r.Grant)
	}
	return r
}

func redemption(code oauth.Secret) oauth.RedeemRequest {
	return oauth.RedeemRequest{Code: code, Client: testClient, Verifier: oauth.NewSecret(oauthtest.Verifier)}
}

func refresh(token oauth.Secret) oauth.RefreshRequest {
	return oauth.RefreshRequest{Token: token, Client: testClient}
}

// issue consents and returns the code.
func (w *world) issue(t testing.TB, transaction string, change ...func(*oauth.Grant)) oauth.Secret {
	t.Helper()
	code, err := w.IssueCode(t.Context(), consent(transaction, change...))
	if err != nil {
		t.Fatalf("IssueCode: %v", err)
	}
	return code
}

// connect makes a family with its first tokens.
func (w *world) connect(t testing.TB, transaction string, change ...func(*oauth.Grant)) oauth.Tokens {
	t.Helper()
	r := consent(transaction, change...)
	redeem := redemption(w.issue(t, transaction, change...))
	redeem.Client = r.Grant.Client
	tokens, err := w.RedeemCode(t.Context(), redeem)
	if err != nil {
		t.Fatalf("RedeemCode: %v", err)
	}
	return tokens
}

func (w *world) mustRefresh(t testing.TB, token oauth.Secret) oauth.Tokens {
	t.Helper()
	tokens, err := w.Refresh(t.Context(), refresh(token))
	if err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	return tokens
}

// wantGood checks that an access token lets its user in.
func (w *world) wantGood(t testing.TB, token oauth.Secret) oauth.Access {
	t.Helper()
	access, err := w.CheckAccess(t.Context(), token)
	if err != nil {
		t.Fatalf("CheckAccess: %v, want nil", err)
	}
	if !strings.HasPrefix(access.APIKey.Reveal(), "api-key-secret-") {
		t.Fatalf("CheckAccess opened %q, want the API key", access.APIKey.Reveal())
	}
	return access
}

// wantDead checks that every token of a pair is refused.
func (w *world) wantDead(t testing.TB, tokens oauth.Tokens) {
	t.Helper()
	if _, err := w.CheckAccess(t.Context(), tokens.Access); !errors.Is(err, oauth.ErrInvalidToken) {
		t.Errorf("CheckAccess: %v, want ErrInvalidToken", err)
	}
	_, err := w.Refresh(t.Context(), refresh(tokens.Refresh))
	wantError(t, "Refresh", err, oauth.ErrInvalidGrant)
}

func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// sweep runs the sweep of one process.
func (w *world) sweep(t testing.TB) {
	t.Helper()
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatalf("Sweep: %v", err)
	}
}

// family returns a family as the store has it.
func (w *world) family(t testing.TB, id oauth.FamilyID) oauth.Family {
	t.Helper()
	f, _, err := w.store.Family(t.Context(), id)
	if err != nil {
		t.Fatalf("Family: %v", err)
	}
	return f
}

// parallel runs n calls at once and waits for all.
func parallel(n int, call func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; call(i) })
	}
	close(start)
	wg.Wait()
}
