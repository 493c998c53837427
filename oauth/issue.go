package oauth

import (
	"context"
	"crypto/sha256"
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
	if code, err := g.issued(ctx, r); !errors.Is(err, ErrNotFound) {
		return code, err
	}
	for attempt := range maxAttempts {
		code, err := g.issue(ctx, r, attempt)
		if !errors.Is(err, ErrKeyConflict) && !errors.Is(err, ErrMoved) {
			return code, err
		}
	}
	return Secret{}, fmt.Errorf("%w: no API key after %d attempts", ErrUnavailable, maxAttempts)
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

// issue makes the code with a new family. ErrKeyConflict and ErrMoved mean that
// this family is spent and another attempt may succeed.
func (g *Grants) issue(ctx context.Context, r CodeRequest, attempt int) (Secret, error) {
	set := g.cfg.Keys.sealing()
	id := familyOf(set, r.Transaction, r.Grant, attempt)
	revocation, err := g.reserve(ctx, id, r.Grant)
	if err != nil {
		return Secret{}, err
	}
	created, err := g.createKey(ctx, id, revocation, r)
	if err != nil {
		if errors.Is(err, ErrKeyConflict) {
			g.endQuietly(ctx, id, ReasonCodeUnused)
		}
		return Secret{}, fmt.Errorf("create API key of connection: %w", err)
	}
	code := codeOf(set, r.Transaction, id.Partition())
	sealed, err := g.cfg.Keys.sealKey(code.secret, place{id, kindCode, 0}, created.Key)
	if err != nil {
		return Secret{}, err
	}
	record := Code{Hash: code.secret.hash(), Family: id, Challenge: r.Challenge, SealedKey: sealed}
	err = g.cfg.Store.CreateCode(ctx, record, created.ID, g.cfg.CodeTTL, codeGrace)
	switch {
	case errors.Is(err, ErrExists):
		return g.overtaken(ctx, id, r)
	case err != nil:
		return Secret{}, fmt.Errorf("store code: %w", err)
	}
	g.audit(ctx, ActionIssued, "", Family{ID: id, Grant: r.Grant}, netip.Addr{})
	return code.text(), nil
}

// reserve makes sure that the family and its capability to delete the key are on
// record before there is a key, and returns the capability.
func (g *Grants) reserve(ctx context.Context, id FamilyID, grant Grant) (Secret, error) {
	secret := newTokenSecret()
	revocation := NewSecret(strict.EncodeToString(secret[:]))
	sealed, err := g.cfg.Keys.sealRevocation(id, revocation)
	if err != nil {
		return Secret{}, err
	}
	f, sealed, err := g.cfg.Store.Reserve(ctx, Family{ID: id, Grant: grant}, sealed, g.cfg.CodeTTL+codeGrace)
	if err != nil {
		return Secret{}, fmt.Errorf("reserve family: %w", err)
	}
	if f.State != Pending || sealed == nil {
		return Secret{}, ErrMoved
	}
	return g.cfg.Keys.openRevocation(id, sealed)
}

func (g *Grants) createKey(ctx context.Context, id FamilyID, revocation Secret, r CodeRequest) (CreatedKey, error) {
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
func revocationHash(revocation Secret) string {
	raw, err := strict.DecodeString(revocation.Reveal())
	if err != nil {
		return "" // the API refuses it: only a damaged store can lead here
	}
	sum := sha256.Sum256(raw)
	return strict.EncodeToString(sum[:])
}

// overtaken gives up this family, unless the code that was there first is its own.
func (g *Grants) overtaken(ctx context.Context, id FamilyID, r CodeRequest) (Secret, error) {
	set := g.cfg.Keys.sealing()
	code := codeOf(set, r.Transaction, id.Partition())
	c, _, _, err := g.cfg.Store.Code(ctx, code.partition, code.secret.hash())
	if err != nil {
		return Secret{}, fmt.Errorf("look up code: %w", err)
	}
	if c.Family != id {
		g.endQuietly(ctx, id, ReasonCodeUnused)
	}
	return g.issued(ctx, r)
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
