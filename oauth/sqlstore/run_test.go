package sqlstore_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/storetest"
)

// Run does in the background what no request waits for: it deletes keys when the
// API is back, ends what has expired, and writes when and from where a family
// was used, at most once a minute.
func TestRun(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	synctest.Test(t, func(t *testing.T) {
		clock := &oauthtest.Clock{}
		store := open(t, folder, clock, storetest.Limits{})
		api := oauthtest.NewAPI()
		grants := oauth.New(oauth.Config{
			Store: store, API: api, Keys: oauthtest.Keyring(t, "first"), Now: time.Now,
			Logger: slog.New(slog.DiscardHandler), Audit: func(context.Context, oauth.AuditEvent) {},
		})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { grants.Run(ctx) })

		used, revoked := connect(t, grants, "used"), connect(t, grants, "revoked")
		api.FailBefore(func(oauthtest.Call) error { return errors.New("connection refused") })
		if _, err := grants.RevokeFamily(t.Context(), "ann", revoked.Family, oauth.Ending{Reason: oauth.ReasonUser}); err != nil {
			t.Fatal(err)
		}
		if _, works := api.Keys()[revoked.Family]; !works {
			t.Error("a key was deleted while the API was down")
		}
		api.FailBefore(nil)
		for range 100 {
			grants.Touch(used.Family, netip.MustParseAddr("198.51.100.7"))
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if _, works := api.Keys()[revoked.Family]; works {
			t.Error("the key was not deleted when the API was back")
		}
		f, _, err := store.Family(t.Context(), used.Family)
		if err != nil || f.LastFrom != "198.51.100.0/24" || time.Since(f.LastUsed) < time.Minute {
			t.Errorf("last use from %q at %v, %v", f.LastFrom, f.LastUsed, err)
		}

		clock.Advance(oauth.DefaultRefreshTTL)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(api.Keys()); n != 0 {
			t.Errorf("%d keys after all families have expired", n)
		}
		clock.Advance(oauth.Retention)
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, _, err := store.Family(t.Context(), used.Family); !errors.Is(err, oauth.ErrNotFound) {
			t.Errorf("Family after its retention: %v, want ErrNotFound", err)
		}

		last := connect(t, grants, "last")
		grants.Touch(last.Family, netip.MustParseAddr("2001:db8:1:2::3"))
		stop()
		running.Wait()
		if f, _, err := store.Family(t.Context(), last.Family); err != nil || f.LastFrom != "2001:db8:1::/48" {
			t.Errorf("last use before the end from %q, %v", f.LastFrom, err)
		}
	})
}

func connect(t *testing.T, grants *oauth.Grants, transaction string) oauth.Tokens {
	t.Helper()
	code, err := grants.IssueCode(t.Context(), oauth.CodeRequest{
		Transaction: transaction, Challenge: oauthtest.Challenge(), Grant: oauth.Grant{User: "ann", Account: "acme", Client: "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := grants.RedeemCode(t.Context(), oauth.RedeemRequest{Code: code, Client: "c", Verifier: oauth.NewSecret(oauthtest.Verifier)})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}
