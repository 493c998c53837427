package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// IssueCode makes a family with its API key and returns a code for it. The same
// transaction with the same grant gives the same code, whichever process is
// asked and however often; ErrAlreadyConnected once the code was redeemed or
// when it was given for another grant, ErrInvalidGrant when it has expired.
//
// Errors of the API are returned wrapped: the caller tells a refusal from an API
// that is down. Whatever fails, no API key outlives the code without a family.
func (g *Grants) IssueCode(ctx context.Context, r CodeRequest) (Secret, error) {
	code, err := g.issued(ctx, r)
	if errors.Is(err, ErrNotFound) {
		return g.issue(ctx, r)
	}
	return code, err
}

// issued returns the code that the transaction has, or ErrNotFound.
func (g *Grants) issued(ctx context.Context, r CodeRequest) (Secret, error) {
	for _, set := range g.cfg.Keys.sets {
		code := codeOf(set, r.Transaction, PartitionOf(r.Grant.User))
		c, f, now, err := g.cfg.Store.Code(ctx, code.partition, code.secret.hash())
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return Secret{}, fmt.Errorf("look up code: %w", err)
		case !c.RedeemedAt.IsZero() || f.Grant != r.Grant || c.Challenge != r.Challenge:
			return Secret{}, ErrAlreadyConnected
		case f.State != Pending || !now.Before(c.ExpiresAt):
			return Secret{}, fmt.Errorf("%w: the transaction's code has expired", ErrInvalidGrant)
		default:
			return code.text(), nil
		}
	}
	return Secret{}, ErrNotFound
}

// issue makes the code with a new family. Of several calls at once each makes a
// family with a key of its own, for an API that is asked twice for one key may
// make the first answer worthless; the code that is stored first counts.
func (g *Grants) issue(ctx context.Context, r CodeRequest) (Secret, error) {
	set := g.cfg.Keys.sealing()
	id := newFamilyID(r.Grant.User)
	revocation, err := g.reserve(ctx, id, r.Grant)
	if err != nil {
		return Secret{}, err
	}
	created, err := g.createKey(ctx, id, revocation, r)
	if err != nil {
		g.endQuietly(ctx, id, ReasonCodeUnused)
		return Secret{}, fmt.Errorf("create API key of connection: %w", err)
	}
	code := codeOf(set, r.Transaction, id.Partition())
	sealed, err := g.cfg.Keys.sealKey(code.secret, place{id, kindCode, 0}, created.Key)
	if err != nil {
		return Secret{}, err
	}
	record := Code{Hash: code.secret.hash(), Family: id, Challenge: r.Challenge, SealedKey: sealed}
	err = g.cfg.Store.CreateCode(ctx, record, created.ID, g.cfg.CodeTTL, codeGrace)
	if errors.Is(err, ErrExists) {
		g.endQuietly(ctx, id, ReasonCodeUnused)
		return g.issued(ctx, r)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("store code: %w", errors.Join(ErrUnavailable, err))
	}
	g.audit(ctx, ActionIssued, "", Family{ID: id, Grant: r.Grant}, netip.Addr{})
	return code.text(), nil
}

// reserve puts the family and its capability to delete the key on record before
// there is a key, and returns the capability.
func (g *Grants) reserve(ctx context.Context, id FamilyID, grant Grant) (tokenSecret, error) {
	revocation := newTokenSecret()
	sealed, err := g.cfg.Keys.sealRevocation(id, NewSecret(strict.EncodeToString(revocation[:])))
	if err != nil {
		return tokenSecret{}, err
	}
	err = g.cfg.Store.Reserve(ctx, Family{ID: id, Grant: grant}, sealed, g.cfg.CodeTTL+codeGrace)
	if err != nil {
		return tokenSecret{}, fmt.Errorf("reserve family: %w", errors.Join(ErrUnavailable, err))
	}
	return revocation, nil
}

func (g *Grants) createKey(ctx context.Context, id FamilyID, revocation tokenSecret, r CodeRequest) (CreatedKey, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	return g.cfg.API.CreateKey(ctx, NewKey{
		Family: id, UserToken: r.UserToken, Account: r.Grant.Account,
		Name: r.KeyName, ClientName: r.Grant.ClientName, Role: r.Grant.Role,
		RevocationHash: revocationHash(revocation),
	})
}

// revocationHash is what the API learns of a revocation secret: the SHA-256 of
// its 32 bytes.
func revocationHash(secret tokenSecret) string {
	hash := secret.hash()
	return strict.EncodeToString(hash[:])
}

// endQuietly ends a family that nobody waits for. When that fails, the sweep
// ends it after its time.
func (g *Grants) endQuietly(ctx context.Context, id FamilyID, reason Reason) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiTimeout)
	defer cancel()
	if _, err := g.end(ctx, id, Ending{Reason: reason}, netip.Addr{}); err != nil {
		g.cfg.Logger.WarnContext(ctx, "family not ended yet", "family", id.String(), "error", err)
	}
}

// redeemable reports why a code is no longer good, or "".
func redeemable(c Code, f Family, now time.Time) string {
	switch {
	case f.State != Pending:
		return "grant_ended"
	case !now.Before(c.ExpiresAt):
		return "code_expired"
	default:
		return ""
	}
}
