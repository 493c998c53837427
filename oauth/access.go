package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CheckAccess returns who an access token acts for, with the API key that it
// opens. ErrInvalidToken for a token that is not good, ErrUnavailable when the
// store cannot be asked. It reads the store every time: what was revoked, by any
// process, is refused at once.
func (g *Grants) CheckAccess(ctx context.Context, token Secret) (Access, error) {
	presented, ok := parseAccess(token.Reveal())
	if !ok {
		return Access{}, ErrInvalidToken
	}
	t, f, err := g.live(ctx, presented)
	if err != nil {
		return Access{}, err
	}
	key, err := g.cfg.Keys.openKey(presented.secret, place{f.ID, kindAccess, t.Gen}, t.SealedKey)
	if err != nil {
		return Access{}, fmt.Errorf("%w: %w", ErrInvalidToken, err)
	}
	g.markUsed(ctx, t, f)
	return Access{Family: f.ID, Grant: f.Grant, Scope: t.Scope, ExpiresAt: t.ExpiresAt, APIKey: key}, nil
}

// live returns an access token that is good now.
func (g *Grants) live(ctx context.Context, presented accessToken) (AccessToken, Family, error) {
	t, f, now, err := g.cfg.Store.Access(ctx, presented.family, presented.secret.hash())
	if errors.Is(err, ErrNotFound) {
		return AccessToken{}, Family{}, ErrInvalidToken
	}
	if err != nil {
		return AccessToken{}, Family{}, fmt.Errorf("look up access token: %w", err)
	}
	if !f.alive(now) || !now.Before(t.ExpiresAt) || t.Serial+MaxAccessTokens <= f.Minted {
		return AccessToken{}, Family{}, ErrInvalidToken
	}
	return t, f, nil
}

// markUsed notes that the current refresh token has reached its client: its
// access token came back. One write per generation; without it the token before
// stays good longer, so a failure is no reason to refuse a call.
func (g *Grants) markUsed(ctx context.Context, t AccessToken, f Family) {
	if f.Used || t.Gen != f.Gen || f.Gen == 0 {
		return
	}
	if err := g.cfg.Store.MarkUsed(ctx, f.ID, f.Gen); err != nil {
		g.cfg.Logger.WarnContext(ctx, "use of a refresh token not noted", "family", f.ID.String(), "error", err)
	}
}

// Inspect tells about an access or refresh token without opening the API key and
// without counting as a use. A token that is not good is the zero TokenInfo; the
// error is ErrUnavailable alone.
func (g *Grants) Inspect(ctx context.Context, token Secret) (TokenInfo, error) {
	if presented, ok := parseAccess(token.Reveal()); ok {
		t, f, err := g.live(ctx, presented)
		if errors.Is(err, ErrInvalidToken) {
			return TokenInfo{}, nil
		}
		if err != nil {
			return TokenInfo{}, err
		}
		return tokenInfo("access_token", f, t.Scope, t.IssuedAt, t.ExpiresAt), nil
	}
	if presented, ok := g.cfg.Keys.parseRefresh(token.Reveal()); ok {
		return g.inspectRefresh(ctx, presented)
	}
	return TokenInfo{}, nil
}

func (g *Grants) inspectRefresh(ctx context.Context, presented refreshToken) (TokenInfo, error) {
	f, now, err := g.cfg.Store.Family(ctx, presented.family)
	if errors.Is(err, ErrNotFound) {
		return TokenInfo{}, nil
	}
	if err != nil {
		return TokenInfo{}, fmt.Errorf("look up family: %w", err)
	}
	if !f.alive(now) || presented.gen != f.Gen || presented.secret.hash() != f.Current {
		return TokenInfo{}, nil
	}
	return tokenInfo("refresh_token", f, f.Scope, f.RotatedAt, f.ExpiresAt), nil
}

func tokenInfo(kind string, f Family, scope string, issued, expires time.Time) TokenInfo {
	return TokenInfo{Active: true, Kind: kind, Family: f.ID, Grant: f.Grant, Scope: scope, IssuedAt: issued, ExpiresAt: expires}
}
