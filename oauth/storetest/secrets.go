package storetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var secretTests = []test{
	{"what_is_stored_holds_no_token_and_no_key", func(t *testing.T, w *world) {
		code := w.issue(t, "pending")
		tokens := w.connect(t, "tx")
		next := w.mustRefresh(t, tokens.Refresh)
		dump := w.peer.Dump(t)
		if !bytes.Contains(dump, []byte(testUser)) {
			t.Fatal("the dump does not even hold the user's id")
		}
		for name, secret := range map[string]oauth.Secret{
			"code": code, "access token": tokens.Access, "refresh token": tokens.Refresh,
			"new access token": next.Access, "new refresh token": next.Refresh,
			"API key": w.wantGood(t, next.Access).APIKey, "user token": oauth.NewSecret("user-token"),
			"secret of the product": oauthtest.SecretText("first"),
		} {
			text := secret.Reveal()
			if bytes.Contains(dump, []byte(text)) {
				t.Errorf("the store holds the %s", name)
			}
			if _, body, ok := strings.Cut(text, "_"); ok && bytes.Contains(dump, []byte(body[len(body)-20:])) {
				t.Errorf("the store holds the end of the %s", name)
			}
		}
	}},
	{"another_secret_opens_nothing", func(t *testing.T, w *world) {
		code, tokens := w.issue(t, "pending"), w.connect(t, "tx")
		stranger := w.service(w.store, oauthtest.Keyring(t, "another"))
		_, err := stranger.CheckAccess(t.Context(), tokens.Access)
		wantError(t, "CheckAccess", err, oauth.ErrInvalidToken)
		_, err = stranger.Refresh(t.Context(), refresh(tokens.Refresh))
		wantError(t, "Refresh", err, oauth.ErrInvalidGrant)
		_, err = stranger.RedeemCode(t.Context(), redemption(code))
		wantError(t, "RedeemCode", err, oauth.ErrInvalidGrant)
		w.wantGood(t, tokens.Access)
		w.mustRefresh(t, tokens.Refresh)
	}},
	{"a_new_secret_takes_over", func(t *testing.T, w *world) {
		pending, tokens := w.issue(t, "pending"), w.connect(t, "tx")
		both := w.service(w.store, oauthtest.Keyring(t, "second", "first"))
		if again, err := both.IssueCode(t.Context(), consent("pending")); err != nil || again.Reveal() != pending.Reveal() {
			t.Errorf("IssueCode under the new secret: another code or %v", err)
		}
		if _, err := both.RedeemCode(t.Context(), redemption(pending)); err != nil {
			t.Errorf("RedeemCode: %v", err)
		}
		if _, err := both.CheckAccess(t.Context(), tokens.Access); err != nil {
			t.Errorf("CheckAccess: %v", err)
		}
		lost := w.mustRefresh(t, tokens.Refresh)
		again, err := both.Refresh(t.Context(), refresh(tokens.Refresh))
		if err != nil || again.Refresh.Reveal() != lost.Refresh.Reveal() {
			t.Errorf("replay under the new secret: another successor or %v", err)
		}
		next, err := both.Refresh(t.Context(), refresh(again.Refresh))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := both.Reseal(t.Context()); err != nil || n != 2 {
			t.Errorf("Reseal = %d, %v, want 2", n, err)
		}
		if n, err := both.Reseal(t.Context()); err != nil || n != 0 {
			t.Errorf("second Reseal = %d, %v, want 0", n, err)
		}
		alone := w.service(w.store, oauthtest.Keyring(t, "second"))
		if _, err := alone.CheckAccess(t.Context(), next.Access); err != nil {
			t.Errorf("CheckAccess without the old secret: %v", err)
		}
		if _, err := alone.RevokeAll(t.Context(), testUser, byUser); err != nil {
			t.Fatal(err)
		}
		w.wantNoKeys(t)
	}},
	{"a_lost_secret_keeps_the_outbox", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		stranger := w.service(w.store, oauthtest.Keyring(t, "another"))
		revoked, err := stranger.RevokeFamily(t.Context(), testUser, tokens.Family, byUser)
		if err != nil || revoked != (oauth.Revoked{Families: 1}) {
			t.Errorf("RevokeFamily = %+v, %v", revoked, err)
		}
		if err := stranger.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.Reseal(t.Context()); err == nil || errors.Is(err, oauth.ErrUnavailable) {
			t.Errorf("Reseal: %v, want an error that names the key id", err)
		}
		w.revocation(t, tokens.Family)
		lost, err := stranger.LostKeys(t.Context())
		want := []oauth.LostKey{{Account: testAccount, AccountName: "Acme", ClientName: "Assistant", KeyID: "key-1"}}
		if diff := cmp.Diff(want, lost); diff != "" || err != nil {
			t.Errorf("LostKeys: %v (-want +got):\n%s", err, diff)
		}
		if lost, err := w.LostKeys(t.Context()); err != nil || len(lost) != 0 {
			t.Errorf("LostKeys with the right secret = %+v, %v", lost, err)
		}
		w.clock.Advance(day)
		w.sweep(t) // with the right secret
		w.wantNoKeys(t)
	}},
}
