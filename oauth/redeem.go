package oauth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RedeemCode exchanges a code for the first tokens of its family. The client is
// authenticated already. ErrInvalidGrant for a code that is not good, whatever
// the reason; it is told to the audit log alone. ErrInvalidTarget for another
// resource.
//
// A redeemed code ends its family when it comes back with the right verifier
// later than a retry would (OAuth 2.1 §4.1.3). A wrong client, verifier or
// redirect URI changes nothing.
func (g *Grants) RedeemCode(ctx context.Context, r RedeemRequest) (tokens Tokens, err error) {
	code, ok := parseCode(r.Code.Reveal())
	if !ok {
		return Tokens{}, g.refuse(ctx, "code_malformed", Family{Grant: Grant{Client: r.Client}}, r.Address)
	}
	err = decide(ctx, func() error {
		tokens, err = g.redeem(ctx, code, r)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return tokens, nil
}

func (g *Grants) redeem(ctx context.Context, code authCode, r RedeemRequest) (Tokens, error) {
	c, f, now, err := g.cfg.Store.Code(ctx, code.partition, code.secret.hash())
	if errors.Is(err, ErrNotFound) {
		return Tokens{}, g.refuse(ctx, "code_unknown", Family{Grant: Grant{Client: r.Client}}, r.Address)
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("look up code: %w", err)
	}
	if err := g.mayRedeem(ctx, c, f, now, r); err != nil {
		return Tokens{}, err
	}
	key, err := g.cfg.Keys.openKey(code.secret, place{f.ID, kindCode, 0}, c.SealedKey)
	if err != nil {
		return Tokens{}, g.refuse(ctx, "key_not_opened", f, r.Address)
	}
	f.EndsAt = now.Add(g.cfg.MaxLife)
	f.ExpiresAt = earliest(now.Add(g.cfg.RefreshTTL), f.EndsAt)
	first := refreshToken{family: f.ID, secret: newTokenSecret()}
	sealed, err := g.cfg.Keys.sealKey(first.secret, place{f.ID, kindRefresh, 0}, key)
	if err != nil {
		return Tokens{}, err
	}
	access, record, err := g.newAccess(f, 0, f.Scope, now, key)
	if err != nil {
		return Tokens{}, err
	}
	err = g.cfg.Store.Redeem(ctx, Redemption{
		Code: c.Hash, Family: f.ID, User: f.User, Refresh: first.secret.hash(), SealedKey: sealed,
		Access: record, ExpiresAt: f.ExpiresAt, EndsAt: f.EndsAt,
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("redeem code: %w", err)
	}
	g.audit(ctx, ActionCreated, "", f, r.Address)
	g.trim(ctx, f)
	return g.tokens(access, record, first.text(g.cfg.Keys.sealing())), nil
}

// mayRedeem says no with an error. The order matters: only who has proven to be
// the client of the code can end its family.
func (g *Grants) mayRedeem(ctx context.Context, c Code, f Family, now time.Time, r RedeemRequest) error {
	switch {
	case f.Client != r.Client:
		return g.refuse(ctx, "code_of_another_client", f, r.Address)
	case !verifies(c.Challenge, r.Verifier):
		return g.refuse(ctx, "verifier_wrong", f, r.Address)
	case r.Redirect != "" && r.Redirect != f.Redirect:
		return g.refuse(ctx, "redirect_uri_differs", f, r.Address)
	case !c.RedeemedAt.IsZero():
		return g.replayed(ctx, c, f, now, r)
	case r.Resource != "" && r.Resource != f.Resource:
		return ErrInvalidTarget
	}
	if reason := redeemable(c, f, now); reason != "" {
		return g.refuse(ctx, reason, f, r.Address)
	}
	return nil
}

func (g *Grants) replayed(ctx context.Context, c Code, f Family, now time.Time, r RedeemRequest) error {
	if now.Sub(c.RedeemedAt) > doubleClick {
		if _, err := g.end(ctx, f.ID, Ending{Reason: ReasonCodeReplay}, r.Address); err != nil {
			return err
		}
	}
	return g.refuse(ctx, "code_replay", f, r.Address)
}

// verifies compares a verifier with an S256 challenge (RFC 7636 §4.6).
func verifies(challenge string, verifier Secret) bool {
	text := verifier.Reveal()
	if len(text) < 43 || len(text) > 128 { // RFC 7636 §4.1
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare([]byte(strict.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// trim ends the families that are too many, of a connection or of its user, those
// longest unused first. It runs after the new family is there, and the order is
// the same for everyone, so that of several at once all end the same ones. When
// it fails, the next redemption makes up for it.
func (g *Grants) trim(ctx context.Context, of Family) {
	all, now, err := g.cfg.Store.Families(ctx, of.User, maxListed)
	if err != nil {
		g.cfg.Logger.WarnContext(ctx, "connection not trimmed", "family", of.ID.String(), "error", err)
		return
	}
	for _, f := range surplus(all, now, of.Connection()) {
		g.endQuietly(ctx, f.ID, ReasonReplaced)
	}
}

// surplus returns the families of a user that have to end, where a connection has
// just got another.
func surplus(all []Family, now time.Time, connection string) []Family {
	live := slices.DeleteFunc(slices.Clone(all), func(f Family) bool { return !f.alive(now) })
	slices.SortFunc(live, func(a, b Family) int {
		return cmp.Or(b.lastSeen().Compare(a.lastSeen()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	var over []Family
	kept, inConnection := 0, 0
	for _, f := range live {
		if f.Connection() == connection {
			inConnection++
		}
		if kept == maxUserFamilies || f.Connection() == connection && inConnection > MaxFamilies {
			over = append(over, f)
			continue
		}
		kept++
	}
	return over
}

// lastSeen is when the family last showed life.
func (f Family) lastSeen() time.Time {
	last := f.CreatedAt
	for _, t := range []time.Time{f.RotatedAt, f.LastUsed} {
		if t.After(last) {
			last = t
		}
	}
	return last
}
