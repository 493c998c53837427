package redisstore

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/growpanel/growpanel-mcp/oauth"
)

func recordKey(kind oauth.Kind, id string) []string {
	return []string{"gp:" + string(kind) + ":{" + id + "}"}
}

// Add implements oauth.Records.
func (s *Store) Add(ctx context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	return outcome(s.run(ctx, s.scripts.recordPut, recordKey(kind, id), value, length(ttl), flag(true)).Text())
}

// Put implements oauth.Records.
func (s *Store) Put(ctx context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	return outcome(s.run(ctx, s.scripts.recordPut, recordKey(kind, id), value, length(ttl), flag(false)).Text())
}

// Record implements oauth.Records.
func (s *Store) Record(ctx context.Context, kind oauth.Kind, id string) (oauth.Record, error) {
	return recordOf(s.ask(ctx, s.scripts.recordGet, recordKey(kind, id)))
}

// Swap implements oauth.Records.
func (s *Store) Swap(ctx context.Context, kind oauth.Kind, id string, version int64, value []byte) error {
	return outcome(s.run(ctx, s.scripts.recordSwap, recordKey(kind, id), version, value).Text())
}

// Consume implements oauth.Records.
func (s *Store) Consume(ctx context.Context, kind oauth.Kind, id string) (oauth.Record, error) {
	return recordOf(s.run(ctx, s.scripts.recordConsume, recordKey(kind, id)))
}

// Delete implements oauth.Records.
func (s *Store) Delete(ctx context.Context, kind oauth.Kind, id string) error {
	return unavailable(s.rdb.Del(ctx, recordKey(kind, id)...).Err())
}

// recordOf reads value, version and end.
func recordOf(cmd *redis.Cmd) (oauth.Record, error) {
	reply, err := cmd.StringSlice()
	if err != nil {
		return oauth.Record{}, unavailable(err)
	}
	if len(reply) != 3 {
		return oauth.Record{}, oauth.ErrNotFound
	}
	version, err := strconv.ParseInt(reply[1], 10, 64)
	if err != nil {
		return oauth.Record{}, unavailable(err)
	}
	expires, err := parseTime(reply[2])
	return oauth.Record{Value: []byte(reply[0]), Version: version, ExpiresAt: expires}, unavailable(err)
}
