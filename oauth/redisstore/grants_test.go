package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/redisstore"
)

// service is grants over a Redis.
type service struct {
	*oauth.Grants

	api   *oauthtest.API
	clock *oauthtest.Clock
}

func newService(t *testing.T, server *oauthtest.Redis) service {
	t.Helper()
	s := service{api: oauthtest.NewAPI(), clock: &oauthtest.Clock{}}
	s.Grants = oauth.New(oauth.Config{
		Store: open(t, redisstore.Config{URL: server.URL(0), Offset: s.clock.Offset}), API: s.api,
		Keys: oauthtest.Keyring(t, "first"), Audit: func(context.Context, oauth.AuditEvent) {},
		Logger: slog.New(slog.DiscardHandler), Now: s.clock.Now,
	})
	return s
}

func consentOf(user string) oauth.CodeRequest {
	return oauth.CodeRequest{
		Transaction: "tx of " + user, Challenge: oauthtest.Challenge(), UserToken: oauth.NewSecret("user-token"), KeyName: "key",
		Grant: oauth.Grant{User: user, Account: "acme", Client: "c", Scope: "growpanel.read", Role: "admin"},
	}
}

func (s service) connect(ctx context.Context, user string) (oauth.Tokens, error) {
	code, err := s.IssueCode(ctx, consentOf(user))
	if err != nil {
		return oauth.Tokens{}, err
	}
	return s.RedeemCode(ctx, oauth.RedeemRequest{Code: code, Client: "c", Verifier: oauth.NewSecret(oauthtest.Verifier)})
}

// A Redis that is killed answers 503 until it is back, and then everything that
// was acknowledged is there.
func TestGrants_SurviveAKilledRedis(t *testing.T) {
	t.Parallel()
	server := oauthtest.StartRedis(t, "--appendfsync", "always")
	s := newService(t, server)
	tokens, err := s.connect(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := s.connect(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeFamily(t.Context(), "bob", revoked.Family, oauth.Ending{Reason: oauth.ReasonUser}); err != nil {
		t.Fatal(err)
	}
	refresh := func(token oauth.Secret) (oauth.Tokens, error) {
		return s.Refresh(t.Context(), oauth.RefreshRequest{Token: token, Client: "c"})
	}
	next, err := refresh(tokens.Refresh)
	if err != nil {
		t.Fatal(err)
	}

	server.Stop()
	_, checkErr := s.CheckAccess(t.Context(), next.Access)
	_, refreshErr := refresh(next.Refresh)
	_, issueErr := s.IssueCode(t.Context(), consentOf("carol"))
	revokeErr := s.RevokeToken(t.Context(), next.Refresh, "c", netip.Addr{})
	for name, err := range map[string]error{
		"CheckAccess": checkErr, "Refresh": refreshErr, "IssueCode": issueErr, "RevokeToken": revokeErr, "Sweep": s.Sweep(t.Context()),
	} {
		if !errors.Is(err, oauth.ErrUnavailable) || errors.Is(err, oauth.ErrInvalidGrant) || errors.Is(err, oauth.ErrInvalidToken) {
			t.Errorf("%s without Redis: %v, want ErrUnavailable alone", name, err)
		}
	}

	server.Restart(t)
	if _, err := s.CheckAccess(t.Context(), next.Access); err != nil {
		t.Errorf("CheckAccess after the restart: %v", err)
	}
	if again, err := refresh(tokens.Refresh); err != nil || again.Refresh.Reveal() != next.Refresh.Reveal() {
		t.Errorf("replay after the restart: another successor or %v", err)
	}
	if _, err := s.CheckAccess(t.Context(), revoked.Access); !errors.Is(err, oauth.ErrInvalidToken) {
		t.Errorf("CheckAccess of what was revoked: %v, want ErrInvalidToken", err)
	}
}

// Many users at once are spread over the partitions of a cluster, and no request
// looks at more keys than its own.
func TestGrants_ManyUsersInACluster(t *testing.T) {
	t.Parallel()
	const users, workers = 1500, 32
	server := startCluster(t)
	awaitCluster(t, server)
	s := newService(t, server)
	var next atomic.Int64
	var partitions sync.Map
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= users; i = next.Add(1) {
				tokens, err := s.live(t.Context(), fmt.Sprint("user-", i))
				if err != nil {
					t.Error(err)
					return
				}
				partitions.Store(tokens.Family.Partition(), true)
			}
		})
	}
	wg.Wait()
	spread := 0
	partitions.Range(func(any, any) bool { spread++; return true })
	if spread < 250 { // 1500 users leave one of 256 partitions empty once in 350
		t.Errorf("%d users are in %d partitions", users, spread)
	}
	if n := len(s.api.Keys()); n != users {
		t.Errorf("%d API keys, want %d", n, users)
	}
	s.clock.Advance(91 * 24 * time.Hour)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.api.Keys()); n != 0 {
		t.Errorf("%d API keys after all families have expired, want none", n)
	}
	stats, err := client(t, server.URL(0)).Info(t.Context(), "commandstats", "errorstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if bad := regexp.MustCompile(`cmdstat_(keys|scan|flush\w+|sort\w*|hscan|sscan|zscan):.*|errorstat_(CROSSSLOT|MOVED|ERR).*`).FindAllString(stats, -1); bad != nil {
		t.Errorf("the server has seen %q", bad)
	}
}

// live takes one user through a connection.
func (s service) live(ctx context.Context, user string) (oauth.Tokens, error) {
	tokens, err := s.connect(ctx, user)
	if err != nil {
		return tokens, err
	}
	tokens, err = s.Refresh(ctx, oauth.RefreshRequest{Token: tokens.Refresh, Client: "c"})
	if err != nil {
		return tokens, err
	}
	access, err := s.CheckAccess(ctx, tokens.Access)
	if err == nil && access.User != user {
		err = fmt.Errorf("the token of %s lets in %s", user, access.User)
	}
	return tokens, err
}
