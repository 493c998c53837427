package storetest

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var byUser = oauth.Ending{Reason: oauth.ReasonUser}

var revocationTests = []test{
	{"R15_a_revoked_family_is_refused_at_once_everywhere", func(t *testing.T, w *world) {
		replica := w.replica(t)
		tokens := w.connect(t, "tx")
		w.wantGood(t, tokens.Access)
		if _, err := replica.CheckAccess(t.Context(), tokens.Access); err != nil {
			t.Fatal(err)
		}
		revoked, err := replica.RevokeFamily(t.Context(), testUser, tokens.Family, byUser)
		if err != nil || revoked != (oauth.Revoked{Families: 1, KeysDeleted: 1}) {
			t.Errorf("RevokeFamily = %+v, %v", revoked, err)
		}
		w.wantDead(t, tokens)
		if len(w.api.Keys()) != 0 {
			t.Error("the API key outlived its family")
		}
		f := w.connection(t).Families[0]
		if f.State != oauth.Ended || f.Reason != oauth.ReasonUser || f.EndedAt.IsZero() || f.KeyDeletedAt.IsZero() {
			t.Errorf("the page shows %s for %q, ended %v, key deleted %v", f.State, f.Reason, f.EndedAt, f.KeyDeletedAt)
		}
		again, err := w.RevokeFamily(t.Context(), testUser, tokens.Family, oauth.Ending{Reason: oauth.ReasonOwner})
		if err != nil || again != (oauth.Revoked{}) {
			t.Errorf("second RevokeFamily = %+v, %v", again, err)
		}
		if got := w.family(t, tokens.Family).Reason; got != oauth.ReasonUser {
			t.Errorf("reason is %q now: revoked stays revoked", got)
		}
	}},
	{"revoking_one_device_leaves_the_others", func(t *testing.T, w *world) {
		laptop, phone := w.connect(t, "laptop"), w.connect(t, "phone")
		if _, err := w.RevokeFamily(t.Context(), testUser, laptop.Family, byUser); err != nil {
			t.Fatal(err)
		}
		w.wantDead(t, laptop)
		w.wantGood(t, phone.Access)
		families := w.connection(t).Families
		if len(families) != 2 || families[0].ID != phone.Family {
			t.Errorf("the page shows %d families, want the live one first", len(families))
		}
	}},
	{"revoking_a_connection_ends_all_its_families", func(t *testing.T, w *world) {
		laptop, phone := w.connect(t, "laptop"), w.connect(t, "phone")
		other := w.connect(t, "other", func(g *oauth.Grant) { g.Client = "client-2" })
		id := oauth.ConnectionID(testUser, testAccount, testClient)
		revoked, err := w.RevokeConnection(t.Context(), testUser, id, byUser)
		if err != nil || revoked.Families != 2 || revoked.KeysDeleted != 2 {
			t.Errorf("RevokeConnection = %+v, %v", revoked, err)
		}
		w.wantDead(t, laptop)
		w.wantDead(t, phone)
		w.wantGood(t, other.Access)
		_, err = w.RevokeConnection(t.Context(), "somebody else", id, byUser)
		wantError(t, "RevokeConnection of another user", err, oauth.ErrNotFound)
	}},
	{"revoking_in_one_account_leaves_the_others", func(t *testing.T, w *world) {
		here := w.connect(t, "here")
		there := w.connect(t, "there", func(g *oauth.Grant) { g.Account = "elsewhere" })
		if _, err := w.RevokeAccount(t.Context(), testUser, testAccount, byUser); err != nil {
			t.Fatal(err)
		}
		w.wantDead(t, here)
		w.wantGood(t, there.Access)
	}},
	{"revoking_before_the_code_is_redeemed_kills_the_code", func(t *testing.T, w *world) {
		code := w.issue(t, "tx")
		revoked, err := w.RevokeAll(t.Context(), testUser, byUser)
		if err != nil || revoked.Families != 1 {
			t.Fatalf("RevokeAll = %+v, %v", revoked, err)
		}
		_, err = w.RedeemCode(t.Context(), redemption(code))
		wantError(t, "RedeemCode", err, oauth.ErrInvalidGrant)
		w.wantNoKeys(t)
	}},
	{"R39_only_the_tokens_own_client_revokes", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		for _, token := range []oauth.Secret{tokens.Refresh, tokens.Access} {
			if err := w.RevokeToken(t.Context(), token, "client-2", netip.Addr{}); err != nil {
				t.Errorf("RevokeToken by another client: %v, want nil", err)
			}
		}
		w.wantGood(t, tokens.Access)
	}},
	{"R40_either_token_revokes_the_family", func(t *testing.T, w *world) {
		for _, pick := range []func(oauth.Tokens) oauth.Secret{
			func(p oauth.Tokens) oauth.Secret { return p.Access },
			func(p oauth.Tokens) oauth.Secret { return p.Refresh },
		} {
			tokens := w.connect(t, "tx "+string(rune('a'+len(w.audit.reasons(oauth.ActionEnded)))))
			for range 2 { // a token that is dead is no error
				if err := w.RevokeToken(t.Context(), pick(tokens), testClient, netip.Addr{}); err != nil {
					t.Fatal(err)
				}
			}
			w.wantDead(t, tokens)
		}
		if len(w.api.Keys()) != 0 {
			t.Error("an API key outlived its family")
		}
		if got := w.audit.reasons(oauth.ActionEnded); got != "client_revoked client_revoked" {
			t.Errorf("families ended for %q", got)
		}
	}},
	{"R40_unknown_tokens_change_nothing", func(t *testing.T, w *world) {
		for _, text := range []string{"", "nonsense", "gpa_", "gpr_", w.issue(t, "tx").Reveal()} {
			if err := w.RevokeToken(t.Context(), oauth.NewSecret(text), testClient, netip.Addr{}); err != nil {
				t.Errorf("RevokeToken(%q): %v, want nil", text, err)
			}
		}
	}},
	{"who_hangs_up_while_revoking_keeps_no_key_alive", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		ctx, hangUp := context.WithCancel(t.Context())
		w.api.FailBefore(func(oauthtest.Call) error {
			hangUp()
			return nil
		})
		if revoked, err := w.RevokeFamily(ctx, testUser, tokens.Family, byUser); err != nil || revoked.KeysDeleted != 1 {
			t.Errorf("RevokeFamily = %+v, %v", revoked, err)
		}
		w.wantNoKeys(t)
	}},
	{"what_the_connection_created_is_kept_when_asked", func(t *testing.T, w *world) {
		now, later := w.connect(t, "now"), w.connect(t, "later")
		ending := oauth.Ending{Reason: oauth.ReasonUser, Keep: []string{"webhook-1", "", "ann@example.com", "no id", strings.Repeat("x", 300)}}
		if _, err := w.RevokeFamily(t.Context(), testUser, now.Family, ending); err != nil {
			t.Fatal(err)
		}
		w.api.FailBefore(func(oauthtest.Call) error { return errDown })
		if _, err := w.RevokeFamily(t.Context(), testUser, later.Family, ending); err != nil {
			t.Fatal(err)
		}
		w.api.FailBefore(nil)
		w.sweep(t)
		for _, id := range []oauth.FamilyID{now.Family, later.Family} {
			if diff := cmp.Diff([]string{"webhook-1", "ann@example.com"}, w.api.Kept(id)); diff != "" {
				t.Errorf("family %s: kept (-want +got):\n%s", id, diff)
			}
		}
	}},
}
