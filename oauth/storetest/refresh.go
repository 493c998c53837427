package storetest

import (
	"errors"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var errDown = errors.New("connection refused")

var refreshTests = []test{
	{"R12_a_refresh_token_rotates", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		next := w.mustRefresh(t, first.Refresh)
		if next.Refresh.Reveal() == first.Refresh.Reveal() || next.Access.Reveal() == first.Access.Reveal() {
			t.Error("a refresh gave a token that was given before")
		}
		w.wantGood(t, first.Access) // it lives until its own end
		w.wantGood(t, next.Access)  // and so the first refresh token is spent
		w.clock.Advance(121 * second)
		_, err := w.Refresh(t.Context(), refresh(first.Refresh))
		wantError(t, "Refresh with the old token", err, oauth.ErrInvalidGrant)
		w.wantDead(t, next)
		if got := w.audit.reasons(oauth.ActionEnded); got != "refresh_reuse" {
			t.Errorf("families ended for %q, want refresh_reuse", got)
		}
		if f := w.family(t, first.Family); f.Reason != oauth.ReasonReuse || f.KeyDeletedAt.IsZero() {
			t.Errorf("family ended for %q, key deleted at %v", f.Reason, f.KeyDeletedAt)
		}
	}},
	{"R12_a_lost_answer_is_given_again", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		lost := w.mustRefresh(t, first.Refresh)
		w.clock.Advance(30 * day) // however late, while the answer was not used
		again := w.mustRefresh(t, first.Refresh)
		if again.Refresh.Reveal() != lost.Refresh.Reveal() {
			t.Error("a replay gave another successor")
		}
		if again.Access.Reveal() == lost.Access.Reveal() {
			t.Error("a replay gave the same access token")
		}
		w.wantGood(t, again.Access)
		w.wantGood(t, w.mustRefresh(t, again.Refresh).Access)
		if got := w.audit.reasons(oauth.ActionRefreshed); got != " replay " {
			t.Errorf("refreshes were %q", got)
		}
	}},
	{"R12_clients_that_race_are_let_in_for_two_minutes", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		winner := w.mustRefresh(t, first.Refresh)
		w.wantGood(t, winner.Access)
		w.clock.Advance(110 * second)
		loser := w.mustRefresh(t, first.Refresh)
		if loser.Refresh.Reveal() != winner.Refresh.Reveal() {
			t.Error("a racing client got another successor")
		}
		w.wantGood(t, loser.Access)
	}},
	{"R12_a_token_two_generations_old_ends_the_family", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		third := w.mustRefresh(t, w.mustRefresh(t, first.Refresh).Refresh)
		_, err := w.Refresh(t.Context(), refresh(first.Refresh))
		wantError(t, "Refresh with the oldest token", err, oauth.ErrInvalidGrant)
		w.wantDead(t, third)
	}},
	{"R13_a_refresh_token_is_bound_to_its_client", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		r := refresh(first.Refresh)
		r.Client = "client-2"
		_, err := w.Refresh(t.Context(), r)
		wantError(t, "Refresh by another client", err, oauth.ErrInvalidGrant)
		w.mustRefresh(t, first.Refresh)
	}},
	{"R13_a_refresh_cannot_widen_scope_or_resource", func(t *testing.T, w *world) {
		first := w.connect(t, "tx", func(g *oauth.Grant) { g.Scope = "growpanel.read" })
		r := refresh(first.Refresh)
		r.Scope = testScope
		_, err := w.Refresh(t.Context(), r)
		wantError(t, "Refresh with more scope", err, oauth.ErrInvalidScope)
		r = refresh(first.Refresh)
		r.Resource = "https://other.example.com/mcp"
		_, err = w.Refresh(t.Context(), r)
		wantError(t, "Refresh for another resource", err, oauth.ErrInvalidTarget)
		r.Resource = resource
		if _, err := w.Refresh(t.Context(), r); err != nil {
			t.Error(err)
		}
	}},
	{"R13_a_refresh_may_narrow_the_scope_of_its_access_token", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		r := refresh(first.Refresh)
		r.Scope = "growpanel.read"
		narrow, err := w.Refresh(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.wantGood(t, narrow.Access).Scope; got != "growpanel.read" || narrow.Scope != got {
			t.Errorf("scope %q and %q, want growpanel.read", got, narrow.Scope)
		}
		if got := w.wantGood(t, w.mustRefresh(t, narrow.Refresh).Access).Scope; got != testScope {
			t.Errorf("the next refresh has scope %q, want all that was granted", got)
		}
	}},
	{"R14_a_refresh_token_ends_unused", func(t *testing.T, w *world) {
		first := w.connect(t, "tx")
		w.clock.Advance(89 * day)
		next := w.mustRefresh(t, first.Refresh)
		w.clock.Advance(89 * day)
		last := w.mustRefresh(t, next.Refresh)
		w.clock.Advance(91 * day)
		_, err := w.Refresh(t.Context(), refresh(last.Refresh))
		wantError(t, "Refresh after 91 days", err, oauth.ErrInvalidGrant)
	}},
	{"a_family_ends_after_a_year_and_no_access_token_outlives_it", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		for range 6 {
			w.clock.Advance(60 * day)
			tokens = w.mustRefresh(t, tokens.Refresh)
		}
		if tokens.ExpiresIn > 5*day || tokens.ExpiresIn < 4*day {
			t.Errorf("an access token five days before the family's end lives %v", tokens.ExpiresIn)
		}
		w.wantGood(t, tokens.Access)
		w.clock.Advance(5 * day)
		w.wantDead(t, tokens)
	}},
	{"a_refresh_asks_whether_the_key_is_there", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.api.DeleteKey(tokens.Family)
		_, err := w.Refresh(t.Context(), refresh(tokens.Refresh))
		wantError(t, "Refresh without a key", err, oauth.ErrInvalidGrant)
		wantError(t, "Refresh without a key", err, oauth.ErrKeyGone)
		w.wantDead(t, tokens)
		if f := w.family(t, tokens.Family); f.Reason != oauth.ReasonKeyGone {
			t.Errorf("family ended for %q, want key_gone", f.Reason)
		}
	}},
	{"a_refresh_does_not_need_the_API", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.api.FailBefore(func(oauthtest.Call) error { return errDown })
		w.wantGood(t, w.mustRefresh(t, tokens.Refresh).Access)
	}},
}
