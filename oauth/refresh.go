package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Refresh exchanges a refresh token for the next one and an access token. The
// client is authenticated already.
//
// The token that was exchanged last gives the same successor again while that is
// unused, or for two minutes: a lost answer and clients that race each other
// harm nobody. This is a deliberate reading of OAuth 2.1 §4.3.1. Any older one
// ends the family: two parties hold its tokens.
//
// ErrInvalidGrant, ErrInvalidScope, ErrInvalidTarget; ErrInvalidGrant wrapped
// with ErrKeyGone when the API refuses the family's key. An API that cannot be
// asked does not stop a refresh.
func (g *Grants) Refresh(ctx context.Context, r RefreshRequest) (tokens Tokens, err error) {
	presented, ok := g.cfg.Keys.parseRefresh(r.Token.Reveal())
	if !ok {
		return Tokens{}, g.refuse(ctx, "token_malformed", Family{Grant: Grant{Client: r.Client}}, r.Address)
	}
	verified := false
	err = decide(ctx, func() error {
		f, now, err := g.refreshable(ctx, presented, r)
		if err != nil {
			return err
		}
		s, err := g.decideRefresh(ctx, presented, f, now, r)
		if err != nil {
			return err
		}
		if !verified {
			if err := g.verifyKey(ctx, f, s.key, r); err != nil {
				return err
			}
			verified = true
		}
		tokens, err = g.commitRefresh(ctx, s, f, now, r)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return tokens, nil
}

// refreshable returns the token's family when it is the client's and lives.
func (g *Grants) refreshable(ctx context.Context, t refreshToken, r RefreshRequest) (Family, time.Time, error) {
	f, now, err := g.cfg.Store.Family(ctx, t.family)
	if errors.Is(err, ErrNotFound) {
		return Family{}, now, g.refuse(ctx, "grant_unknown", Family{ID: t.family, Grant: Grant{Client: r.Client}}, r.Address)
	}
	if err != nil {
		return Family{}, now, fmt.Errorf("look up family: %w", err)
	}
	switch {
	case f.Client != r.Client:
		return Family{}, now, g.refuse(ctx, "token_of_another_client", f, r.Address)
	case !f.alive(now):
		return Family{}, now, g.refuse(ctx, "grant_ended", f, r.Address)
	case r.Resource != "" && r.Resource != f.Resource:
		return Family{}, now, ErrInvalidTarget
	case !within(r.Scope, f.Scope):
		return Family{}, now, ErrInvalidScope
	default:
		return f, now, nil
	}
}

// within reports whether every scope of asked is granted.
func within(asked, granted string) bool {
	have := strings.Fields(granted)
	for scope := range strings.FieldsSeq(asked) {
		if !slices.Contains(have, scope) {
			return false
		}
	}
	return true
}

// step is what a presented refresh token leads to.
type step struct {
	presented refreshToken
	next      refreshToken
	set       keySet // that next was derived with
	replay    bool   // next is the current token already
	key       Secret
}

// decideRefresh looks at the generation of a token whose MAC is right.
func (g *Grants) decideRefresh(ctx context.Context, t refreshToken, f Family, now time.Time, r RefreshRequest) (step, error) {
	switch {
	case t.gen > f.Gen:
		// A store that lost its last second; ending the family would punish for it.
		return step{}, g.refuse(ctx, "store_behind", f, r.Address)
	case t.gen == f.Gen && t.secret.hash() != f.Current:
		return step{}, g.refuse(ctx, "store_behind", f, r.Address)
	case t.gen == f.Gen:
		set := g.cfg.Keys.sealing()
		return g.opened(ctx, step{presented: t, next: t.successor(set), set: set}, t, f, r)
	case t.gen+1 == f.Gen && replayable(f, now):
		next, set, ok := g.cfg.Keys.successorWith(t, f.Current)
		if !ok {
			return step{}, g.refuse(ctx, "successor_unknown", f, r.Address)
		}
		return g.opened(ctx, step{presented: t, next: next, set: set, replay: true}, next, f, r)
	default:
		return step{}, g.reused(ctx, f, r)
	}
}

// replayable is the rule for the token before the current one.
func replayable(f Family, now time.Time) bool {
	return !f.Used || now.Sub(f.RotatedAt) <= replayWindow
}

// opened takes the API key out of the family with its current refresh token.
func (g *Grants) opened(ctx context.Context, s step, current refreshToken, f Family, r RefreshRequest) (step, error) {
	key, err := g.cfg.Keys.openKey(current.secret, place{f.ID, kindRefresh, f.Gen}, f.SealedKey)
	if err != nil {
		return step{}, g.refuse(ctx, "key_not_opened", f, r.Address)
	}
	s.key = key
	return s, nil
}

func (g *Grants) reused(ctx context.Context, f Family, r RefreshRequest) error {
	if _, err := g.end(ctx, f.ID, Ending{Reason: ReasonReuse}, r.Address); err != nil {
		return err
	}
	return g.refuse(ctx, string(ReasonReuse), f, r.Address)
}

// verifyKey asks the API whether the key still works.
func (g *Grants) verifyKey(ctx context.Context, f Family, key Secret, r RefreshRequest) error {
	ask, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	err := g.cfg.API.VerifyKey(ask, key)
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrKeyGone) {
		g.cfg.Logger.WarnContext(ctx, "API key not verified at refresh", "family", f.ID.String(), "error", err)
		return nil
	}
	if _, err := g.end(ctx, f.ID, Ending{Reason: ReasonKeyGone}, r.Address); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", g.refuse(ctx, string(ReasonKeyGone), f, r.Address), ErrKeyGone)
}

// commitRefresh takes the step, or returns ErrMoved.
func (g *Grants) commitRefresh(ctx context.Context, s step, f Family, now time.Time, r RefreshRequest) (Tokens, error) {
	if !s.replay {
		f.ExpiresAt = earliest(now.Add(g.cfg.RefreshTTL), f.EndsAt)
	}
	scope := f.Scope
	if r.Scope != "" {
		scope = r.Scope
	}
	access, record, err := g.newAccess(f, s.next.gen, scope, now, s.key)
	if err != nil {
		return Tokens{}, err
	}
	reason := ""
	if s.replay {
		reason = "replay"
		err = g.cfg.Store.Mint(ctx, f.ID, record, replayWindow)
	} else {
		err = g.rotate(ctx, s, f, record)
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("refresh: %w", err)
	}
	g.audit(ctx, ActionRefreshed, reason, f, r.Address)
	return g.tokens(access, record, s.next.text(s.set)), nil
}

func (g *Grants) rotate(ctx context.Context, s step, f Family, record AccessToken) error {
	sealed, err := g.cfg.Keys.sealKey(s.next.secret, place{f.ID, kindRefresh, s.next.gen}, s.key)
	if err != nil {
		return err
	}
	return g.cfg.Store.Rotate(ctx, Rotation{
		Family: f.ID, Gen: s.presented.gen, Previous: s.presented.secret.hash(), Next: s.next.secret.hash(),
		SealedKey: sealed, Access: record, ExpiresAt: f.ExpiresAt,
	})
}
