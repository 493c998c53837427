package storetest

import (
	"context"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var accessTests = []test{
	{"an_access_token_ends_after_its_life", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.clock.Advance(oauth.DefaultAccessTTL - time.Minute)
		w.wantGood(t, tokens.Access)
		w.clock.Advance(time.Minute)
		_, err := w.CheckAccess(t.Context(), tokens.Access)
		wantError(t, "CheckAccess", err, oauth.ErrInvalidToken)
		w.mustRefresh(t, tokens.Refresh)
	}},
	{"malformed_and_unknown_tokens_are_refused", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		access := tokens.Access.Reveal()
		flipped := []byte(access)
		flipped[40] ^= 1
		for _, text := range []string{
			"", "gpa_", access + "A", access[:len(access)-1], "gpr_" + access[4:],
			tokens.Refresh.Reveal(), string(flipped), "api-key-secret-1",
		} {
			_, err := w.CheckAccess(t.Context(), oauth.NewSecret(text))
			wantError(t, "CheckAccess("+text+")", err, oauth.ErrInvalidToken)
		}
	}},
	{"twenty_access_tokens_live_and_the_oldest_goes", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		all := []oauth.Secret{first.Access}
		latest := first
		for range oauth.MaxAccessTokens {
			latest = w.mustRefresh(t, latest.Refresh)
			all = append(all, latest.Access)
		}
		_, err := w.CheckAccess(t.Context(), all[0])
		wantError(t, "CheckAccess of the oldest of 21", err, oauth.ErrInvalidToken)
		for _, token := range all[1:] {
			w.wantGood(t, token)
		}
	}},
	{"a_token_that_was_pushed_out_is_dead_before_it_is_gone", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		behind := w.service(mintedMore{w.store}, oauthtest.Keyring(t, "first"))
		_, err := behind.CheckAccess(t.Context(), tokens.Access)
		wantError(t, "CheckAccess", err, oauth.ErrInvalidToken)
	}},
	{"the_use_of_a_generation_is_noted_once", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		next := w.mustRefresh(t, first.Refresh)
		w.wantGood(t, first.Access)
		if w.family(t, first.Family).Used {
			t.Error("an access token of the generation before marked the new refresh token used")
		}
		w.wantGood(t, next.Access)
		if !w.family(t, first.Family).Used {
			t.Error("an access token of the generation did not mark it used")
		}
	}},
	{"last_use_is_written_off_the_request", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.clock.Advance(time.Hour)
		w.Touch(tokens.Family, netip.MustParseAddr("203.0.113.77"))
		shown := w.connection(t).Families[0]
		if shown.LastFrom != "203.0.113.0/24" || shown.LastUsed.IsZero() {
			t.Errorf("last use is shown as %q at %v", shown.LastFrom, shown.LastUsed)
		}
		if f := w.family(t, tokens.Family); !f.LastUsed.IsZero() {
			t.Error("Touch wrote at once")
		}
		at := w.clock.Now().Truncate(time.Millisecond).UTC()
		for _, use := range []oauth.Use{
			{Family: tokens.Family, At: at, From: "2001:db8:1::/48"},
			{Family: tokens.Family, At: at.Add(-second), From: "older"},
			{Family: oauth.FamilyID{tokens.Family.Partition(), 1}, At: at, From: "no such family"},
		} {
			if err := w.store.Touch(t.Context(), []oauth.Use{use}); err != nil {
				t.Errorf("Touch: %v", err)
			}
		}
		if f := w.family(t, tokens.Family); !f.LastUsed.Equal(at) || f.LastFrom != "2001:db8:1::/48" {
			t.Errorf("last use is %q at %v, want %v", f.LastFrom, f.LastUsed, at)
		}
		_, _, err := w.store.Family(t.Context(), oauth.FamilyID{tokens.Family.Partition(), 1})
		wantError(t, "Family that was only touched", err, oauth.ErrNotFound)
	}},
	{"R41_introspection_tells_what_is_active", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		for kind, token := range map[string]oauth.Secret{"access_token": tokens.Access, "refresh_token": tokens.Refresh} {
			info, err := w.Inspect(t.Context(), token)
			if err != nil || !info.Active || info.Kind != kind || info.Grant != testGrant() || info.Scope != testScope ||
				!info.ExpiresAt.After(info.IssuedAt) {
				t.Errorf("Inspect(%s) = %+v, %v", kind, info, err)
			}
		}
		next := w.mustRefresh(t, tokens.Refresh)
		w.wantInactive(t, tokens.Refresh)
		if w.family(t, tokens.Family).Used {
			t.Error("introspection counted as a use")
		}
		if err := w.KeyGone(t.Context(), tokens.Family); err != nil {
			t.Fatal(err)
		}
		for _, token := range []oauth.Secret{tokens.Access, next.Access, next.Refresh, oauth.NewSecret("nonsense")} {
			w.wantInactive(t, token)
		}
	}},
	{"a_token_is_good_in_its_own_family_alone", func(t *testing.T, w *world) {
		mine, other := w.connect(t, "mine"), w.connect(t, "other")
		transplanted := transplant(t, mine.Access, other.Family)
		_, err := w.CheckAccess(t.Context(), transplanted)
		wantError(t, "CheckAccess", err, oauth.ErrInvalidToken)
		w.wantInactive(t, transplanted)
		if err := w.RevokeToken(t.Context(), transplanted, testClient, netip.Addr{}); err != nil {
			t.Error(err)
		}
		w.wantGood(t, other.Access)
		w.wantGood(t, mine.Access)
	}},
	{"a_clock_that_is_behind_is_no_reason_to_refuse", func(t *testing.T, w *world) {
		tokens := w.mustRefresh(t, w.connect(t, "tx").Refresh)
		w.clock.Advance(-5 * second)
		w.wantGood(t, tokens.Access)
		w.wantGood(t, w.mustRefresh(t, tokens.Refresh).Access)
	}},
	{"two_users_share_nothing", func(t *testing.T, w *world) {
		ann := w.connect(t, "ann")
		bob := w.connect(t, "bob", func(g *oauth.Grant) { g.User = "0b9c4f1e-0000-4000-8000-000000000002" })
		if a, b := w.wantGood(t, ann.Access), w.wantGood(t, bob.Access); a.User == b.User || a.APIKey.Reveal() == b.APIKey.Reveal() {
			t.Error("two users have the same grant")
		}
		connections, err := w.Connections(t.Context(), testUser)
		if err != nil || len(connections) != 1 || connections[0].Families[0].ID != ann.Family {
			t.Errorf("Connections = %+v, %v", connections, err)
		}
		_, err = w.RevokeFamily(t.Context(), testUser, bob.Family, oauth.Ending{Reason: oauth.ReasonUser})
		wantError(t, "RevokeFamily of another user", err, oauth.ErrNotFound)
		if _, err := w.RevokeAll(t.Context(), testUser, oauth.Ending{Reason: oauth.ReasonUser}); err != nil {
			t.Fatal(err)
		}
		w.wantGood(t, bob.Access)
	}},
}

// mintedMore is a store that has not yet dropped what twenty newer access tokens
// have pushed out.
type mintedMore struct{ oauth.Store }

func (s mintedMore) Access(ctx context.Context, id oauth.FamilyID, hash oauth.Hash) (oauth.AccessToken, oauth.Family, time.Time, error) {
	t, f, now, err := s.Store.Access(ctx, id, hash)
	f.Minted += oauth.MaxAccessTokens
	return t, f, now, err
}

// transplant returns an access token with the id of another family.
func transplant(t testing.TB, token oauth.Secret, id oauth.FamilyID) oauth.Secret {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token.Reveal(), oauth.AccessPrefix))
	if err != nil {
		t.Fatal(err)
	}
	copy(raw, id[:])
	return oauth.NewSecret(oauth.AccessPrefix + base64.RawURLEncoding.EncodeToString(raw))
}

func (w *world) wantInactive(t testing.TB, token oauth.Secret) {
	t.Helper()
	if info, err := w.Inspect(t.Context(), token); err != nil || info != (oauth.TokenInfo{}) {
		t.Errorf("Inspect = %+v, %v, want nothing", info, err)
	}
}

// connection returns the one connection of the test's user.
func (w *world) connection(t testing.TB) oauth.Connection {
	t.Helper()
	connections, err := w.Connections(t.Context(), testUser)
	if err != nil || len(connections) != 1 {
		t.Fatalf("Connections: %d, %v, want one", len(connections), err)
	}
	return connections[0]
}
