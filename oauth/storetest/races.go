package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// racers is how many calls race in each test.
const racers = 50

var raceTests = []test{
	{"50_refreshes_of_one_token_give_one_successor", func(t *testing.T, w *world) {
		services := []*oauth.Grants{w.Grants, w.replica(t)}
		tokens := w.connect(t, "tx")
		got := make([]oauth.Tokens, racers)
		parallel(racers, func(i int) {
			var err error
			if got[i], err = services[i%2].Refresh(t.Context(), refresh(tokens.Refresh)); err != nil {
				t.Errorf("Refresh: %v", err)
			}
		})
		good := 0
		for _, pair := range got {
			if pair.Refresh.Reveal() != got[0].Refresh.Reveal() {
				t.Fatal("racing clients got different successors")
			}
			if _, err := w.CheckAccess(t.Context(), pair.Access); err == nil {
				good++
			}
		}
		if good != oauth.MaxAccessTokens {
			t.Errorf("%d access tokens live, want %d", good, oauth.MaxAccessTokens)
		}
		if f := w.family(t, tokens.Family); f.Gen != 1 || f.State != oauth.Live || f.Minted != racers+1 {
			t.Errorf("family is %s at generation %d with %d access tokens made", f.State, f.Gen, f.Minted)
		}
		w.mustRefresh(t, got[0].Refresh)
	}},
	{"R7_50_redemptions_of_one_code_give_one_family", func(t *testing.T, w *world) {
		services := []*oauth.Grants{w.Grants, w.replica(t)}
		code := w.issue(t, "tx")
		var won atomic.Int32
		var mu sync.Mutex
		var tokens oauth.Tokens
		parallel(racers, func(i int) {
			got, err := services[i%2].RedeemCode(t.Context(), redemption(code))
			if err == nil {
				won.Add(1)
				mu.Lock()
				defer mu.Unlock()
				tokens = got
			} else if !errors.Is(err, oauth.ErrInvalidGrant) {
				t.Errorf("RedeemCode: %v", err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d redemptions succeeded, want 1", won.Load())
		}
		w.wantGood(t, tokens.Access)
	}},
	{"50_clicks_on_Allow_give_one_code", func(t *testing.T, w *world) {
		services := []*oauth.Grants{w.Grants, w.replica(t)}
		codes := make([]oauth.Secret, racers)
		parallel(racers, func(i int) {
			var err error
			if codes[i], err = services[i%2].IssueCode(t.Context(), consent("tx")); err != nil {
				t.Errorf("IssueCode: %v", err)
			}
		})
		for _, code := range codes {
			if code.Reveal() != codes[0].Reveal() {
				t.Fatal("one transaction gave different codes")
			}
		}
		if n := len(w.api.Keys()); n != 1 {
			t.Errorf("%d API keys, want 1", n)
		}
		if _, err := w.RedeemCode(t.Context(), redemption(codes[0])); err != nil {
			t.Error(err)
		}
	}},
	{"a_family_revoked_among_refreshes_stays_revoked", func(t *testing.T, w *world) {
		replica := w.replica(t)
		tokens := w.connect(t, "tx")
		var mu sync.Mutex
		given := []oauth.Tokens{tokens}
		parallel(racers, func(i int) {
			if i == racers/2 {
				if _, err := replica.RevokeFamily(t.Context(), testUser, tokens.Family, byUser); err != nil {
					t.Errorf("RevokeFamily: %v", err)
				}
				if _, err := w.CheckAccess(t.Context(), tokens.Access); !errors.Is(err, oauth.ErrInvalidToken) {
					t.Errorf("CheckAccess after RevokeFamily: %v", err)
				}
				return
			}
			next, err := w.Refresh(t.Context(), refresh(tokens.Refresh))
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				given = append(given, next)
			} else if !errors.Is(err, oauth.ErrInvalidGrant) {
				t.Errorf("Refresh: %v", err)
			}
		})
		for _, pair := range given {
			w.wantDead(t, pair)
		}
		w.wantNoKeys(t)
	}},
	{"50_authorizations_at_once_leave_ten_families", func(t *testing.T, w *world) {
		replica := w.replica(t)
		parallel(racers, func(i int) {
			code, err := w.IssueCode(t.Context(), consent(fmt.Sprint("tx", i)))
			if err == nil {
				_, err = replica.RedeemCode(t.Context(), redemption(code))
			}
			if err != nil {
				t.Error(err)
			}
		})
		live := 0
		for _, f := range w.connection(t).Families {
			if f.State == oauth.Live {
				live++
			}
		}
		if live != oauth.MaxFamilies || len(w.api.Keys()) != live {
			t.Errorf("%d families live with %d keys, want %d", live, len(w.api.Keys()), oauth.MaxFamilies)
		}
	}},
	{"50_revocations_end_a_family_once", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		var ended atomic.Int32
		parallel(racers, func(int) {
			revoked, err := w.RevokeAll(t.Context(), testUser, byUser)
			if err != nil {
				t.Error(err)
			}
			ended.Add(int32(revoked.Families))
		})
		if ended.Load() != 1 {
			t.Errorf("the family ended %d times", ended.Load())
		}
		w.wantDead(t, tokens)
	}},
}
