package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// familyOf reads a family's hash; ErrNotFound when it is empty.
func familyOf(id oauth.FamilyID, reply any) (oauth.Family, error) {
	h := fieldsOf(reply)
	if h.err == nil && len(h.values) == 0 {
		return oauth.Family{}, oauth.ErrNotFound
	}
	f := oauth.Family{
		ID: id, KeyID: h.text("key_id"), State: oauth.State(h.text("state")),
		CreatedAt: h.time("created"), ExpiresAt: h.time("expires"), EndsAt: h.time("ends"),
		LastUsed: h.time("last_used"), LastFrom: h.text("last_from"),
		Gen: uint32(h.number("gen")), Current: h.hash("current"), RotatedAt: h.time("rotated"),
		Used: h.text("used") == "1", Minted: uint64(h.number("minted")), SealedKey: h.bytes("key"),
		Reason: oauth.Reason(h.text("reason")), EndedAt: h.time("ended"), KeyDeletedAt: h.time("key_deleted"),
	}
	if err := errors.Join(h.err, json.Unmarshal(h.bytes("grant"), &f.Grant)); err != nil {
		return oauth.Family{}, unavailable(fmt.Errorf("family %s: %w", id, err))
	}
	return f, nil
}

// Family implements oauth.Store.
func (s *Store) Family(ctx context.Context, id oauth.FamilyID) (oauth.Family, time.Time, error) {
	reply, err := s.ask(ctx, s.scripts.hash, []string{familyKey(id)}).Slice()
	if err != nil {
		return oauth.Family{}, time.Time{}, unavailable(err)
	}
	now, err := parseTime(reply[0])
	if err != nil {
		return oauth.Family{}, now, unavailable(err)
	}
	f, err := familyOf(id, reply[1])
	return f, now, err
}

// Families implements oauth.Store.
func (s *Store) Families(ctx context.Context, user string, limit int) ([]oauth.Family, time.Time, error) {
	reply, err := s.ask(ctx, s.scripts.members, []string{userKey(user)}).Slice()
	if err != nil {
		return nil, time.Time{}, unavailable(err)
	}
	now, err := parseTime(reply[0])
	names, ok := reply[1].([]any)
	if err != nil || !ok {
		return nil, now, unavailable(fmt.Errorf("families came as %T: %w", reply[1], err))
	}
	all, gone, err := s.readFamilies(ctx, names)
	if err != nil {
		return nil, now, unavailable(err)
	}
	if len(gone) > 0 {
		// Their time is over; when this fails, the next reader tries again.
		_ = s.rdb.SRem(ctx, userKey(user), gone...).Err()
	}
	slices.SortFunc(all, func(a, b oauth.Family) int {
		return cmp.Or(order(a)-order(b), b.CreatedAt.Compare(a.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return all[:min(len(all), limit)], now, nil
}

func order(f oauth.Family) int {
	if f.State == oauth.Ended {
		return 1
	}
	return 0
}

// readFamilies returns the families that are there and the names of the others.
func (s *Store) readFamilies(ctx context.Context, names []any) (all []oauth.Family, gone []any, err error) {
	ids := make([]oauth.FamilyID, len(names))
	replies := make([]*redis.MapStringStringCmd, len(names))
	_, err = s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, name := range names {
			text, _ := name.(string)
			if ids[i], err = oauth.ParseFamilyID(text); err != nil {
				return fmt.Errorf("family %q: %w", text, err)
			}
			replies[i] = pipe.HGetAll(ctx, familyKey(ids[i]))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, reply := range replies {
		f, err := familyOf(ids[i], pairs(reply.Val()))
		if errors.Is(err, oauth.ErrNotFound) {
			gone = append(gone, names[i])
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		all = append(all, f)
	}
	return all, gone, nil
}

func pairs(values map[string]string) []any {
	list := make([]any, 0, 2*len(values))
	for name, value := range values {
		list = append(list, name, value)
	}
	return list
}

// Reserve implements oauth.Store.
func (s *Store) Reserve(ctx context.Context, f oauth.Family, sealed []byte, life time.Duration) error {
	grant, err := json.Marshal(f.Grant)
	if err != nil {
		return unavailable(err)
	}
	keys := []string{familyKey(f.ID), outKey(f.ID), dueKey(f.ID.Partition()), userKey(f.User)}
	return outcome(s.run(ctx, s.scripts.reserve, keys, length(life), f.ID.String(), grant, f.Account, sealed).Text())
}

// accessArgs are the arguments that the script function mint takes.
func accessArgs(t oauth.AccessToken) []any {
	return []any{hashText(t.Hash), t.Scope, millis(t.IssuedAt), millis(t.ExpiresAt), t.SealedKey}
}

// Rotate implements oauth.Store.
func (s *Store) Rotate(ctx context.Context, r oauth.Rotation) error {
	keys := []string{familyKey(r.Family), accessKey(r.Family, r.Access.Hash)}
	args := append([]any{r.Gen, hashText(r.Previous), hashText(r.Next), r.SealedKey, millis(r.ExpiresAt)}, accessArgs(r.Access)...)
	return s.minted(ctx, r.Family, s.run(ctx, s.scripts.rotate, keys, args...))
}

// Mint implements oauth.Store.
func (s *Store) Mint(ctx context.Context, id oauth.FamilyID, t oauth.AccessToken, window time.Duration) error {
	keys := []string{familyKey(id), accessKey(id, t.Hash)}
	args := append([]any{t.Gen, length(window)}, accessArgs(t)...)
	return s.minted(ctx, id, s.run(ctx, s.scripts.mint, keys, args...))
}

// minted drops the access token that was pushed out. It is dead by its serial
// already, and goes by itself when this fails.
func (s *Store) minted(ctx context.Context, id oauth.FamilyID, cmd *redis.Cmd) error {
	reply, err := cmd.StringSlice()
	if err != nil {
		return unavailable(err)
	}
	if out := reply[1]; out != "" {
		_ = s.rdb.Unlink(ctx, accessKeyOf(id, out)).Err()
	}
	return outcome(reply[0], nil)
}

// MarkUsed implements oauth.Store.
func (s *Store) MarkUsed(ctx context.Context, id oauth.FamilyID, gen uint32) error {
	return outcome(s.run(ctx, s.scripts.markUsed, []string{familyKey(id)}, gen).Text())
}

// Access implements oauth.Store.
func (s *Store) Access(ctx context.Context, id oauth.FamilyID, hash oauth.Hash) (t oauth.AccessToken, f oauth.Family, now time.Time, err error) {
	keys := []string{accessKey(id, hash), familyKey(id)}
	reply, err := s.ask(ctx, s.scripts.access, keys).Slice()
	if err != nil {
		return t, f, now, unavailable(err)
	}
	if now, err = parseTime(reply[0]); err != nil {
		return t, f, now, unavailable(err)
	}
	h := fieldsOf(reply[1])
	if h.err == nil && len(h.values) == 0 {
		return t, f, now, oauth.ErrNotFound
	}
	t = oauth.AccessToken{
		Hash: hash, Gen: uint32(h.number("gen")), Serial: uint64(h.number("serial")), Scope: h.text("scope"),
		IssuedAt: h.time("issued"), ExpiresAt: h.time("expires"), SealedKey: h.bytes("key"),
	}
	if h.err != nil {
		return t, f, now, unavailable(h.err)
	}
	f, err = familyOf(id, reply[2])
	return t, f, now, err
}

// End implements oauth.Store.
func (s *Store) End(ctx context.Context, id oauth.FamilyID, e oauth.Ending) (ended bool, err error) {
	keys := []string{familyKey(id), outKey(id), dueKey(id.Partition())}
	reply, err := s.run(ctx, s.scripts.end, keys, id.String(), string(e.Reason), strings.Join(e.Keep, " "), flag(e.Stale)).StringSlice()
	if err != nil {
		return false, unavailable(err)
	}
	if tokens := reply[1:]; len(tokens) > 0 {
		keys := make([]string, len(tokens))
		for i, hash := range tokens {
			keys[i] = accessKeyOf(id, hash)
		}
		// They are dead with their family, and go by themselves when this fails.
		_ = s.rdb.Unlink(ctx, keys...).Err()
	}
	return reply[0] == "ok", outcome(reply[0], nil)
}

// Touch implements oauth.Store.
func (s *Store) Touch(ctx context.Context, uses []oauth.Use) error {
	for _, u := range uses {
		err := outcome(s.run(ctx, s.scripts.touch, []string{familyKey(u.Family)}, millis(u.At), u.From).Text())
		if err != nil && !errors.Is(err, oauth.ErrNotFound) {
			return err
		}
	}
	return nil
}
