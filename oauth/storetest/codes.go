package storetest

import (
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
)

var codeTests = []test{
	{"R7_a_code_is_good_once", func(t *testing.T, w *world) {
		code := w.issue(t, "tx")
		tokens, err := w.RedeemCode(t.Context(), redemption(code))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.RedeemCode(t.Context(), redemption(code))
		wantError(t, "second RedeemCode", err, oauth.ErrInvalidGrant)
		access := w.wantGood(t, tokens.Access) // a retry within seconds harms nobody
		if access.Grant != testGrant() || access.Scope != testScope || tokens.Scope != testScope {
			t.Errorf("access is %+v with scope %q", access.Grant, tokens.Scope)
		}
		if tokens.ExpiresIn != oauth.DefaultAccessTTL {
			t.Errorf("ExpiresIn = %v, want %v", tokens.ExpiresIn, oauth.DefaultAccessTTL)
		}
	}},
	{"R7_a_code_is_good_for_a_minute", func(t *testing.T, w *world) {
		late, early := w.issue(t, "late"), w.issue(t, "early")
		w.clock.Advance(oauth.DefaultCodeTTL - 5*second)
		if _, err := w.RedeemCode(t.Context(), redemption(early)); err != nil {
			t.Errorf("RedeemCode in time: %v", err)
		}
		w.clock.Advance(5 * second)
		_, err := w.RedeemCode(t.Context(), redemption(late))
		wantError(t, "RedeemCode after its life", err, oauth.ErrInvalidGrant)
		_, err = w.IssueCode(t.Context(), consent("late"))
		wantError(t, "IssueCode after its life", err, oauth.ErrInvalidGrant)
	}},
	{"R7_a_code_is_bound_to_client_redirect_and_resource", func(t *testing.T, w *world) {
		code := w.issue(t, "tx")
		for _, wrong := range []struct {
			name   string
			change func(*oauth.RedeemRequest)
			want   error
		}{
			{"client", func(r *oauth.RedeemRequest) { r.Client = "client-2" }, oauth.ErrInvalidGrant},
			{"redirect", func(r *oauth.RedeemRequest) { r.Redirect = redirect + "/" }, oauth.ErrInvalidGrant},
			{"resource", func(r *oauth.RedeemRequest) { r.Resource = "https://other.example.com" }, oauth.ErrInvalidTarget},
		} {
			r := redemption(code)
			wrong.change(&r)
			_, err := w.RedeemCode(t.Context(), r)
			wantError(t, "RedeemCode with another "+wrong.name, err, wrong.want)
		}
		r := redemption(code)
		r.Redirect, r.Resource = redirect, resource
		if _, err := w.RedeemCode(t.Context(), r); err != nil {
			t.Errorf("RedeemCode after refusals: %v, want them to have changed nothing", err)
		}
	}},
	{"R8_a_replayed_code_ends_what_it_gave", func(t *testing.T, w *world) {
		code := w.issue(t, "tx")
		tokens, err := w.RedeemCode(t.Context(), redemption(code))
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(11 * second)
		wrong := redemption(code)
		wrong.Verifier = oauth.NewSecret("another-verifier-of-forty-three-characters-or-so")
		_, err = w.RedeemCode(t.Context(), wrong)
		wantError(t, "replay with a wrong verifier", err, oauth.ErrInvalidGrant)
		w.wantGood(t, tokens.Access)
		_, err = w.RedeemCode(t.Context(), redemption(code))
		wantError(t, "replay", err, oauth.ErrInvalidGrant)
		w.wantDead(t, tokens)
		if got := w.audit.reasons(oauth.ActionEnded); got != "code_replay" {
			t.Errorf("families ended for %q, want code_replay", got)
		}
		if len(w.api.Keys()) != 0 {
			t.Error("the API key outlived its family")
		}
	}},
	{"R9_the_redirect_uri_may_be_left_out", func(t *testing.T, w *world) {
		r := redemption(w.issue(t, "tx"))
		r.Redirect, r.Resource = "", ""
		if _, err := w.RedeemCode(t.Context(), r); err != nil {
			t.Error(err)
		}
	}},
	{"R32_a_wrong_verifier_is_refused", func(t *testing.T, w *world) {
		code := w.issue(t, "tx")
		for _, verifier := range []string{"", "short", "another-verifier-of-forty-three-characters-or-so"} {
			r := redemption(code)
			r.Verifier = oauth.NewSecret(verifier)
			_, err := w.RedeemCode(t.Context(), r)
			wantError(t, "RedeemCode with verifier "+verifier, err, oauth.ErrInvalidGrant)
		}
		if _, err := w.RedeemCode(t.Context(), redemption(code)); err != nil {
			t.Errorf("RedeemCode after wrong verifiers: %v", err)
		}
	}},
	{"the_same_consent_gives_the_same_code", func(t *testing.T, w *world) {
		other := w.replica(t)
		first := w.issue(t, "tx")
		again, err := other.IssueCode(t.Context(), consent("tx"))
		if err != nil || again.Reveal() != first.Reveal() {
			t.Errorf("second IssueCode: another code or %v", err)
		}
		if len(w.api.Keys()) != 1 {
			t.Errorf("%d API keys, want 1", len(w.api.Keys()))
		}
		_, err = w.IssueCode(t.Context(), consent("tx", func(g *oauth.Grant) { g.ReadOnly = true }))
		wantError(t, "IssueCode with another choice", err, oauth.ErrAlreadyConnected)
		if _, err := w.RedeemCode(t.Context(), redemption(first)); err != nil {
			t.Fatal(err)
		}
		_, err = other.IssueCode(t.Context(), consent("tx"))
		wantError(t, "IssueCode after redemption", err, oauth.ErrAlreadyConnected)
	}},
	{"the_key_is_made_for_the_grant", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx", func(g *oauth.Grant) { g.Role = "readonly" })
		k, ok := w.api.Keys()[tokens.Family]
		if !ok || k.Role != "readonly" || k.Account != testAccount || k.ClientName != "Assistant" ||
			k.Name != "Assistant (MCP)" || k.UserToken.Reveal() != "user-token" {
			t.Errorf("key made as %+v", k)
		}
		if f := w.family(t, tokens.Family); f.KeyID != "key-1" {
			t.Errorf("family has key id %q, want key-1", f.KeyID)
		}
	}},
	{"malformed_codes_are_refused", func(t *testing.T, w *world) {
		code := w.issue(t, "tx").Reveal()
		for _, text := range []string{"", "gpc_", code[:len(code)-1], code + "A", "gpa_" + code[4:], code[:10] + "\n" + code[11:]} {
			_, err := w.RedeemCode(t.Context(), redemption(oauth.NewSecret(text)))
			wantError(t, "RedeemCode", err, oauth.ErrInvalidGrant)
		}
	}},
	{"the_eleventh_family_ends_the_one_longest_unused", func(t *testing.T, w *world) {
		all := make([]oauth.Tokens, 0, oauth.MaxFamilies)
		for i := range oauth.MaxFamilies {
			all = append(all, w.connect(t, "tx"+string(rune('a'+i))))
			w.clock.Advance(second)
		}
		elsewhere := w.connect(t, "elsewhere", func(g *oauth.Grant) { g.Account = "0b9c4f1e-0000-4000-8000-0000000000bb" })
		all[0] = w.mustRefresh(t, all[0].Refresh) // so the second is longest unused
		newest := w.connect(t, "one more")
		w.wantDead(t, all[1])
		for _, tokens := range append(all[2:], all[0], elsewhere, newest) {
			w.wantGood(t, tokens.Access)
		}
		if got := w.audit.reasons(oauth.ActionEnded); got != "replaced" {
			t.Errorf("families ended for %q, want one replaced", got)
		}
	}},
}
