package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// crashTests stop a process at every step that it takes, before or after the
// step has its effect, start another one over what is left, and let time pass.
var crashTests = []test{
	{"no_key_is_left_behind_wherever_consent_stops", func(t *testing.T, w *world) {
		stopEverywhere(t, w, func() {}, func(g *oauth.Grants, name string) error {
			code, err := g.IssueCode(t.Context(), consent(name))
			if err != nil {
				return err
			}
			_, err = g.RedeemCode(t.Context(), redemption(code))
			return err
		}, func(name string) {
			// The person clicks again: there is a code, or it says why not.
			code, err := w.IssueCode(t.Context(), consent(name))
			if errors.Is(err, oauth.ErrAlreadyConnected) {
				return
			}
			if err != nil {
				t.Errorf("%s: IssueCode again: %v", name, err)
				return
			}
			tokens, err := w.RedeemCode(t.Context(), redemption(code))
			if err != nil {
				t.Errorf("%s: RedeemCode again: %v", name, err)
				return
			}
			w.wantGood(t, tokens.Access)
		})
		w.wantKeysOfLiveFamilies(t)
	}},
	{"a_refresh_that_stops_can_be_repeated", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		stopEverywhere(t, w, func() {}, func(g *oauth.Grants, _ string) error {
			_, err := g.Refresh(t.Context(), refresh(tokens.Refresh))
			return err
		}, func(name string) {
			next, err := w.Refresh(t.Context(), refresh(tokens.Refresh))
			if err != nil {
				t.Fatalf("%s: Refresh again: %v", name, err)
			}
			w.wantGood(t, next.Access)
			tokens = next
		})
	}},
	{"a_revocation_that_stops_is_finished", func(t *testing.T, w *world) {
		var tokens oauth.Tokens
		n := 0
		stopEverywhere(t, w, func() {
			n++
			tokens = w.connect(t, fmt.Sprint("tx", n))
		}, func(g *oauth.Grants, _ string) error {
			_, err := g.RevokeFamily(t.Context(), testUser, tokens.Family, byUser)
			return err
		}, func(string) {
			if _, err := w.RevokeFamily(t.Context(), testUser, tokens.Family, byUser); err != nil {
				t.Fatal(err)
			}
			w.wantDead(t, tokens)
			w.sweep(t)
			w.wantNoKeys(t)
		})
	}},
	{"a_sweep_that_stops_is_finished_by_another", func(t *testing.T, w *world) {
		n := 0
		stopEverywhere(t, w, func() {
			n++
			w.issue(t, fmt.Sprint("tx", n))
			w.clock.Advance(time.Hour)
		}, func(g *oauth.Grants, _ string) error {
			return g.Sweep(t.Context())
		}, func(string) {
			w.clock.Advance(time.Hour)
			w.sweep(t)
			w.wantNoKeys(t)
		})
	}},
	{"a_forged_token_is_refused_without_the_store", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		forged := []byte(tokens.Refresh.Reveal())
		forged[len(forged)-2] ^= 1
		down := w.service(&failing{Store: w.store}, oauthtest.Keyring(t, "first"))
		for _, token := range []oauth.Secret{oauth.NewSecret(string(forged)), tokens.Access, oauth.NewSecret("gpr_x"), {}} {
			_, err := down.Refresh(t.Context(), refresh(token))
			wantError(t, "Refresh", err, oauth.ErrInvalidGrant)
		}
		_, err := down.CheckAccess(t.Context(), tokens.Refresh)
		wantError(t, "CheckAccess", err, oauth.ErrInvalidToken)
	}},
	{"a_store_that_is_down_is_not_a_bad_grant", func(t *testing.T, w *world) {
		code, tokens := w.issue(t, "pending"), w.connect(t, "tx")
		down := w.service(&failing{Store: w.store}, oauthtest.Keyring(t, "first"))
		_, refreshErr := down.Refresh(t.Context(), refresh(tokens.Refresh))
		_, redeemErr := down.RedeemCode(t.Context(), redemption(code))
		_, checkErr := down.CheckAccess(t.Context(), tokens.Access)
		_, issueErr := down.IssueCode(t.Context(), consent("new"))
		_, inspectErr := down.Inspect(t.Context(), tokens.Access)
		_, revokeErr := down.RevokeAll(t.Context(), testUser, byUser)
		for name, err := range map[string]error{
			"Refresh": refreshErr, "RedeemCode": redeemErr, "CheckAccess": checkErr, "IssueCode": issueErr,
			"Inspect": inspectErr, "RevokeAll": revokeErr,
		} {
			wantError(t, name, err, oauth.ErrUnavailable)
			if errors.Is(err, oauth.ErrInvalidGrant) || errors.Is(err, oauth.ErrInvalidToken) {
				t.Errorf("%s: %v, which makes a client drop its tokens", name, err)
			}
		}
		w.wantGood(t, tokens.Access)
	}},
}

// stopEverywhere runs work with a process that stops at its first step, then at
// its second, and so on until it gets through; prepare runs before each, resume
// after each stop.
func stopEverywhere(t *testing.T, w *world, prepare func(), work func(g *oauth.Grants, name string) error, resume func(name string)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			if at > 100 {
				t.Fatal("the work never gets through")
			}
			prepare()
			name := fmt.Sprintf("stop at %d, after=%v", at, after)
			crash := &failing{Store: w.store, at: at, after: after}
			w.api.FailBefore(func(oauthtest.Call) error { return crash.before() })
			w.api.FailAfter(func(oauthtest.Call) error { return crash.afterwards() })
			err := work(w.service(crash, oauthtest.Keyring(t, "first")), name)
			w.api.FailBefore(nil)
			w.api.FailAfter(nil)
			if !crash.stopped {
				if err != nil {
					t.Errorf("%s: %v without a stop", name, err)
				}
				break
			}
			resume(name)
		}
	}
}

// wantKeysOfLiveFamilies checks, after all codes have expired, that exactly the
// families that live have an API key.
func (w *world) wantKeysOfLiveFamilies(t testing.TB) {
	t.Helper()
	w.clock.Advance(10 * time.Minute)
	w.sweep(t)
	w.clock.Advance(time.Hour)
	w.sweep(t)
	keys := w.api.Keys()
	live := 0
	families, _, err := w.store.Families(t.Context(), testUser, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.State != oauth.Live {
			continue
		}
		live++
		if _, ok := keys[f.ID]; !ok {
			t.Errorf("live family %s has no API key", f.ID)
		}
	}
	if live != len(keys) || live == 0 {
		t.Errorf("%d live families and %d API keys", live, len(keys))
	}
}

// errStopped is what a process sees that stops; nothing works after it.
var errStopped = errors.New("the process has stopped")

// failing is a store of a process that stops at a step: at that step, before or
// after it has had its effect, and at all that follow.
type failing struct {
	oauth.Store

	at      int // 0 is before any step
	after   bool
	taken   int
	stopped bool
}

// step counts a step and says whether the process stops at it.
func (s *failing) step() error {
	s.taken++
	if s.stopped = s.stopped || s.taken >= s.at; s.stopped {
		return fmt.Errorf("%w: %w", oauth.ErrUnavailable, errStopped)
	}
	return nil
}

// before is where a step begins.
func (s *failing) before() error {
	if s.stopped || !s.after {
		return s.step()
	}
	return nil
}

// afterwards is where a step has had its effect.
func (s *failing) afterwards() error {
	if s.after {
		return s.step()
	}
	return nil
}

// around runs a step of the store.
func (s *failing) around(effect func() error) error {
	if err := s.before(); err != nil {
		return err
	}
	err := effect()
	if stop := s.afterwards(); stop != nil {
		return stop
	}
	return err
}

func (s *failing) Reserve(ctx context.Context, f oauth.Family, sealed []byte, life time.Duration) error {
	return s.around(func() error { return s.Store.Reserve(ctx, f, sealed, life) })
}

func (s *failing) CreateCode(ctx context.Context, c oauth.Code, keyID string, life, grace time.Duration) error {
	return s.around(func() error { return s.Store.CreateCode(ctx, c, keyID, life, grace) })
}

func (s *failing) Code(ctx context.Context, partition byte, hash oauth.Hash) (c oauth.Code, f oauth.Family, now time.Time, err error) {
	err = s.around(func() (err error) {
		c, f, now, err = s.Store.Code(ctx, partition, hash)
		return err
	})
	return c, f, now, err
}

func (s *failing) Redeem(ctx context.Context, r oauth.Redemption) error {
	return s.around(func() error { return s.Store.Redeem(ctx, r) })
}

func (s *failing) Family(ctx context.Context, id oauth.FamilyID) (f oauth.Family, now time.Time, err error) {
	err = s.around(func() (err error) {
		f, now, err = s.Store.Family(ctx, id)
		return err
	})
	return f, now, err
}

func (s *failing) Rotate(ctx context.Context, r oauth.Rotation) error {
	return s.around(func() error { return s.Store.Rotate(ctx, r) })
}

func (s *failing) Mint(ctx context.Context, id oauth.FamilyID, t oauth.AccessToken, window time.Duration) error {
	return s.around(func() error { return s.Store.Mint(ctx, id, t, window) })
}

func (s *failing) MarkUsed(ctx context.Context, id oauth.FamilyID, gen uint32) error {
	return s.around(func() error { return s.Store.MarkUsed(ctx, id, gen) })
}

func (s *failing) Access(ctx context.Context, id oauth.FamilyID, hash oauth.Hash) (a oauth.AccessToken, f oauth.Family, now time.Time, err error) {
	err = s.around(func() (err error) {
		a, f, now, err = s.Store.Access(ctx, id, hash)
		return err
	})
	return a, f, now, err
}

func (s *failing) End(ctx context.Context, id oauth.FamilyID, e oauth.Ending) (ended bool, err error) {
	err = s.around(func() (err error) {
		ended, err = s.Store.End(ctx, id, e)
		return err
	})
	return ended, err
}

func (s *failing) Families(ctx context.Context, user string, limit int) (all []oauth.Family, now time.Time, err error) {
	err = s.around(func() (err error) {
		all, now, err = s.Store.Families(ctx, user, limit)
		return err
	})
	return all, now, err
}

func (s *failing) Claim(ctx context.Context, limit int, lease time.Duration) (rows []oauth.Revocation, now time.Time, err error) {
	err = s.around(func() (err error) {
		rows, now, err = s.Store.Claim(ctx, limit, lease)
		return err
	})
	return rows, now, err
}

func (s *failing) Revocation(ctx context.Context, id oauth.FamilyID) (r oauth.Revocation, err error) {
	err = s.around(func() (err error) {
		r, err = s.Store.Revocation(ctx, id)
		return err
	})
	return r, err
}

func (s *failing) Postpone(ctx context.Context, r oauth.Revocation, due time.Time, attempts int) error {
	return s.around(func() error { return s.Store.Postpone(ctx, r, due, attempts) })
}

func (s *failing) Settle(ctx context.Context, id oauth.FamilyID) error {
	return s.around(func() error { return s.Store.Settle(ctx, id) })
}
