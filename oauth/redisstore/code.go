package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// CreateCode implements oauth.Store.
func (s *Store) CreateCode(ctx context.Context, c oauth.Code, keyID string, life, grace time.Duration) error {
	partition := c.Family.Partition()
	keys := []string{codeKey(partition, c.Hash), familyKey(c.Family), dueKey(partition)}
	return outcome(s.run(ctx, s.scripts.createCode, keys,
		length(life), length(grace), c.Family.String(), c.Challenge, c.SealedKey, keyID).Text())
}

// Code implements oauth.Store. It reads the code and then its family: what was
// decided by the two is checked again by the step that follows.
func (s *Store) Code(ctx context.Context, partition byte, hash oauth.Hash) (c oauth.Code, f oauth.Family, now time.Time, err error) {
	reply, err := s.ask(ctx, s.scripts.hash, []string{codeKey(partition, hash)}).Slice()
	if err != nil {
		return c, f, now, unavailable(err)
	}
	h := fieldsOf(reply[1])
	if h.err == nil && len(h.values) == 0 {
		return c, f, now, oauth.ErrNotFound
	}
	id, err := oauth.ParseFamilyID(h.text("family"))
	c = oauth.Code{
		Hash: hash, Family: id, Challenge: h.text("challenge"), ExpiresAt: h.time("expires"),
		RedeemedAt: h.time("redeemed"), SealedKey: h.bytes("key"),
	}
	if err := errors.Join(h.err, err); err != nil {
		return c, f, now, fmt.Errorf("%w: code: %s", oauth.ErrUnavailable, err.Error())
	}
	f, now, err = s.Family(ctx, id)
	return c, f, now, err
}

// Redeem implements oauth.Store.
func (s *Store) Redeem(ctx context.Context, r oauth.Redemption) error {
	partition := r.Family.Partition()
	keys := []string{
		codeKey(partition, r.Code), familyKey(r.Family), accessKey(r.Family, r.Access.Hash), dueKey(partition), userKey(r.User),
	}
	args := append([]any{
		r.Family.String(), hashText(r.Refresh), r.SealedKey, millis(r.ExpiresAt), millis(r.EndsAt),
	}, accessArgs(r.Access)...)
	return outcome(s.run(ctx, s.scripts.redeem, keys, args...).Text())
}
