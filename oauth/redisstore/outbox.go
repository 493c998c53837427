package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/growpanel/growpanel-mcp/oauth"
)

const partitions = 256

// Claim implements oauth.Store. The lease is per row: what is claimed is due
// again only after it, so several processes share the work.
func (s *Store) Claim(ctx context.Context, limit int, lease time.Duration) (rows []oauth.Revocation, now time.Time, err error) {
	due, now, err := s.duePartitions(ctx)
	for _, partition := range due {
		if err != nil || len(rows) >= limit {
			break
		}
		var claimed []oauth.Revocation
		claimed, now, err = s.claim(ctx, partition, limit-len(rows), lease)
		rows = append(rows, claimed...)
	}
	if len(rows) > 0 {
		return rows, now, nil // what could not be claimed stays due
	}
	return nil, now, unavailable(err)
}

// duePartitions returns the partitions that have a due row.
func (s *Store) duePartitions(ctx context.Context) (due []byte, now time.Time, err error) {
	if now, err = s.time(ctx); err != nil {
		return nil, now, err
	}
	var first [partitions]*redis.StringSliceCmd
	_, err = s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range partitions {
			first[p] = pipe.ZRangeByScore(ctx, dueKey(byte(p)), &redis.ZRangeBy{Min: "-inf", Max: millis(now), Count: 1})
		}
		return nil
	})
	for p := range first {
		if len(first[p].Val()) > 0 {
			due = append(due, byte(p))
		}
	}
	return due, now, err
}

func (s *Store) claim(ctx context.Context, partition byte, limit int, lease time.Duration) (rows []oauth.Revocation, now time.Time, err error) {
	reply, err := s.run(ctx, s.scripts.claim, []string{dueKey(partition)}, limit, length(lease)).Slice()
	if err != nil {
		return nil, now, err
	}
	if now, err = parseTime(reply[0]); err != nil {
		return nil, now, err
	}
	names, _ := reply[1].([]any)
	for _, name := range names {
		text, _ := name.(string)
		id, err := oauth.ParseFamilyID(text)
		if err != nil {
			return rows, now, fmt.Errorf("due family %q: %w", text, err)
		}
		r, err := s.Revocation(ctx, id)
		if errors.Is(err, oauth.ErrNotFound) {
			_ = s.rdb.ZRem(ctx, dueKey(partition), text).Err() // settled meanwhile
			continue
		}
		if err != nil {
			return rows, now, err
		}
		rows = append(rows, r)
	}
	return rows, now, nil
}

// Revocation implements oauth.Store.
func (s *Store) Revocation(ctx context.Context, id oauth.FamilyID) (oauth.Revocation, error) {
	var row *redis.MapStringStringCmd
	var due *redis.FloatCmd
	_, err := s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		row, due = pipe.HGetAll(ctx, outKey(id)), pipe.ZScore(ctx, dueKey(id.Partition()), id.String())
		return nil
	})
	if errors.Is(err, redis.Nil) || err == nil && len(row.Val()) == 0 {
		return oauth.Revocation{}, oauth.ErrNotFound
	}
	if err != nil {
		return oauth.Revocation{}, unavailable(err)
	}
	h := fields{values: row.Val()}
	r := oauth.Revocation{
		Family: id, Account: h.text("account"), Sealed: h.bytes("sealed"), Due: instant(int64(due.Val())),
		Attempts: int(h.number("attempts")), Keep: strings.Fields(h.text("keep")),
	}
	return r, unavailable(h.err)
}

// Postpone implements oauth.Store.
func (s *Store) Postpone(ctx context.Context, claimed oauth.Revocation, due time.Time, attempts int) error {
	id := claimed.Family
	keys := []string{dueKey(id.Partition()), outKey(id)}
	err := outcome(s.run(ctx, s.scripts.postpone, keys, id.String(), millis(claimed.Due), millis(due), attempts).Text())
	if errors.Is(err, oauth.ErrMoved) {
		return nil
	}
	return err
}

// Settle implements oauth.Store.
func (s *Store) Settle(ctx context.Context, id oauth.FamilyID) error {
	keys := []string{outKey(id), dueKey(id.Partition()), familyKey(id)}
	return outcome(s.run(ctx, s.scripts.settle, keys, id.String()).Text())
}

// Reseal implements oauth.Store.
func (s *Store) Reseal(ctx context.Context, fn func(oauth.FamilyID, []byte) ([]byte, error)) (changed int, err error) {
	for p := range partitions {
		names, err := s.rdb.ZRange(ctx, dueKey(byte(p)), 0, -1).Result()
		if err != nil {
			return changed, unavailable(err)
		}
		for _, name := range names {
			done, err := s.reseal(ctx, name, fn)
			if err != nil {
				return changed, err
			}
			if done {
				changed++
			}
		}
	}
	return changed, nil
}

func (s *Store) reseal(ctx context.Context, name string, fn func(oauth.FamilyID, []byte) ([]byte, error)) (done bool, err error) {
	id, err := oauth.ParseFamilyID(name)
	if err != nil {
		return false, unavailable(fmt.Errorf("due family %q", name))
	}
	r, err := s.Revocation(ctx, id)
	if errors.Is(err, oauth.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sealed, err := fn(id, r.Sealed)
	if err != nil || bytes.Equal(sealed, r.Sealed) {
		return false, err
	}
	err = outcome(s.run(ctx, s.scripts.reseal, []string{outKey(id)}, r.Sealed, sealed).Text())
	if errors.Is(err, oauth.ErrMoved) {
		return false, nil
	}
	return err == nil, err
}

// Purge implements oauth.Store. Redis drops what is over by itself.
func (s *Store) Purge(context.Context, int) (int, error) { return 0, nil }

// Take implements oauth.RateLimits.
func (s *Store) Take(ctx context.Context, bucket string, rate oauth.Rate) (time.Duration, error) {
	keys := []string{"gp:rl:{" + bucket + "}"}
	text, err := s.run(ctx, s.scripts.take, keys, rate.Interval.Microseconds(), rate.Burst).Text()
	if err != nil {
		return 0, unavailable(err)
	}
	wait, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(wait) * time.Microsecond, unavailable(err)
}
