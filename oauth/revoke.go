package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// RevokeToken is RFC 7009: it ends the family of an access or refresh token of
// the client, with all its tokens and its API key. An unknown token, one of
// another client and one of a family that has ended change nothing and are no
// error. A refresh token that was exchanged ends its family as well: its MAC
// proves that the client had it.
func (g *Grants) RevokeToken(ctx context.Context, token Secret, client string, from netip.Addr) error {
	id, ok, err := g.familyOfToken(ctx, token)
	if err != nil || !ok {
		return err
	}
	f, _, err := g.cfg.Store.Family(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up family: %w", err)
	}
	if f.Client != client {
		g.audit(ctx, ActionRefused, "token_of_another_client", f, from)
		return nil
	}
	_, err = g.end(ctx, id, Ending{Reason: ReasonClient}, from)
	return err
}

// familyOfToken returns the family of a token that we made.
func (g *Grants) familyOfToken(ctx context.Context, token Secret) (id FamilyID, ok bool, err error) {
	if t, ok := g.cfg.Keys.parseRefresh(token.Reveal()); ok {
		return t.family, true, nil
	}
	presented, ok := parseAccess(token.Reveal())
	if !ok {
		return FamilyID{}, false, nil
	}
	_, f, err := g.live(ctx, presented)
	if errors.Is(err, ErrInvalidToken) {
		return FamilyID{}, false, nil
	}
	return f.ID, err == nil, err
}

// RevokeFamily ends one of a user's families. ErrNotFound when it is not theirs;
// one that has ended is no error and counts as none.
func (g *Grants) RevokeFamily(ctx context.Context, user string, id FamilyID, e Ending) (Revoked, error) {
	f, _, err := g.cfg.Store.Family(ctx, id)
	if err == nil && f.User != user {
		err = ErrNotFound
	}
	if err != nil {
		return Revoked{}, fmt.Errorf("look up family: %w", err)
	}
	return g.end(ctx, id, e, netip.Addr{})
}

// RevokeConnection ends all of a user's families in a connection. ErrNotFound
// when the user has no such connection.
func (g *Grants) RevokeConnection(ctx context.Context, user, connection string, e Ending) (Revoked, error) {
	found := false
	revoked, err := g.revokeWhere(ctx, user, e, func(f Family) bool {
		match := f.Connection() == connection
		found = found || match
		return match
	})
	if err == nil && !found {
		return Revoked{}, ErrNotFound
	}
	return revoked, err
}

// RevokeAll ends all of a user's families.
func (g *Grants) RevokeAll(ctx context.Context, user string, e Ending) (Revoked, error) {
	return g.revokeWhere(ctx, user, e, func(Family) bool { return true })
}

// RevokeAccount ends all of a user's families in an account.
func (g *Grants) RevokeAccount(ctx context.Context, user, account string, e Ending) (Revoked, error) {
	return g.revokeWhere(ctx, user, e, func(f Family) bool { return f.Account == account })
}

// KeyGone ends a family whose API key was refused by the API: the client has to
// connect again.
func (g *Grants) KeyGone(ctx context.Context, id FamilyID) error {
	_, err := g.end(ctx, id, Ending{Reason: ReasonKeyGone}, netip.Addr{})
	return err
}

// revokeWhere ends every family before it reports the first error.
func (g *Grants) revokeWhere(ctx context.Context, user string, e Ending, which func(Family) bool) (Revoked, error) {
	families, _, err := g.cfg.Store.Families(ctx, user, maxListed)
	if err != nil {
		return Revoked{}, fmt.Errorf("list families: %w", err)
	}
	var total Revoked
	var errs []error
	for _, f := range families {
		if !which(f) || f.State == Ended {
			continue
		}
		revoked, err := g.end(ctx, f.ID, e, netip.Addr{})
		errs = append(errs, err)
		total.Families += revoked.Families
		total.KeysDeleted += revoked.KeysDeleted
	}
	return total, errors.Join(errs...)
}

// end ends a family and deletes its API key at once if the API answers; if it
// does not, the outbox sees to it. The error is the store's alone.
func (g *Grants) end(ctx context.Context, id FamilyID, e Ending, from netip.Addr) (Revoked, error) {
	e.Keep = keepable(e.Keep)
	ended, err := g.cfg.Store.End(ctx, id, e)
	if errors.Is(err, ErrNotFound) || err == nil && !ended {
		return Revoked{}, nil
	}
	if err != nil {
		return Revoked{}, fmt.Errorf("end family: %w", err)
	}
	f, _, err := g.cfg.Store.Family(ctx, id)
	if err != nil {
		f = Family{ID: id}
	}
	g.audit(ctx, ActionEnded, string(e.Reason), f, from)
	g.cfg.Logger.InfoContext(ctx, "connection ended", "family", id.String(), "reason", string(e.Reason))
	r, err := g.cfg.Store.Revocation(ctx, id)
	if err != nil || g.deleteKey(ctx, f, r) != nil {
		return Revoked{Families: 1}, nil //nolint:nilerr // the family has ended; the sweep deletes the key
	}
	return Revoked{Families: 1, KeysDeleted: 1}, nil
}

// keepable drops what cannot be an id: stores separate them by spaces. A list that is too long keeps its
// beginning: a request that the API refuses would keep the key alive.
func keepable(ids []string) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return len(strings.Fields(id)) != 1 || len(id) > maxKeptBytes })
	return ids[:min(len(ids), maxKept)]
}

// deleteKey has the API delete a family's key, and drops the outbox row when it
// is gone.
func (g *Grants) deleteKey(ctx context.Context, f Family, r Revocation) error {
	secret, err := g.cfg.Keys.openRevocation(r.Family, r.Sealed)
	if err != nil {
		g.audit(ctx, ActionUnsealed, "", f, netip.Addr{})
		return err
	}
	// A client that hangs up must not keep a key alive.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiTimeout)
	defer cancel()
	if err := g.cfg.API.RevokeKey(ctx, secret, r.Keep); err != nil {
		g.audit(ctx, ActionKeyKept, "", f, netip.Addr{})
		return fmt.Errorf("delete API key of family %s: %w", r.Family, err)
	}
	if err := g.cfg.Store.Settle(ctx, r.Family); err != nil {
		return fmt.Errorf("settle family %s: %w", r.Family, err)
	}
	g.audit(ctx, ActionKeyDeleted, "", f, netip.Addr{})
	return nil
}
