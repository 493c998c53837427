// Package redisstore keeps OAuth state in Redis 7 or newer, alone or as a
// cluster, so that any number of processes can serve it.
//
// What belongs to a user is in one of 256 partitions, {gp:00} to {gp:ff}, and so
// in one slot: every step is one script over keys of one partition.
package redisstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// Config says which Redis to use and how. URL is required.
type Config struct {
	// URL is redis://, rediss:// or unix://. A server in cluster mode is one seed
	// of its cluster.
	URL string
	// AllowLoss accepts a Redis that may lose or evict what it has acknowledged.
	AllowLoss bool
	// ClientLife is how long a registered client is kept after its last use: 97
	// days when zero, a week longer than a refresh token.
	ClientLife time.Duration
	// MaxClients is how many registered clients are kept; oauth.MaxClients when zero.
	MaxClients int
	// Offset moves Redis's clock, which is the store's. Nil, as in the product,
	// leaves it.
	Offset func() time.Duration
}

// Store is a connected Redis. It is an oauth.Store, oauth.Records,
// oauth.ClientStore and oauth.RateLimits, and safe for concurrent use.
type Store struct {
	rdb     redis.UniversalClient
	scripts *scripts
	cfg     Config
}

var (
	_ oauth.Store       = (*Store)(nil)
	_ oauth.Records     = (*Store)(nil)
	_ oauth.ClientStore = (*Store)(nil)
	_ oauth.RateLimits  = (*Store)(nil)
)

// Open connects to Redis and checks that it keeps what it acknowledges: an
// append-only file and no eviction. The error says what to change.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.ClientLife == 0 {
		cfg.ClientLife = oauth.DefaultRefreshTTL + oauth.Retention
	}
	if cfg.MaxClients == 0 {
		cfg.MaxClients = oauth.MaxClients
	}
	if cfg.Offset == nil {
		cfg.Offset = func() time.Duration { return 0 }
	}
	loaded, err := loadScripts()
	if err != nil {
		return nil, fmt.Errorf("load scripts: %w", err)
	}
	rdb, err := connect(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open Redis: %w", err)
	}
	return &Store{rdb: rdb, scripts: loaded, cfg: cfg}, nil
}

// Close ends the connections.
func (s *Store) Close() error { return s.rdb.Close() }

// run runs a script, whose first argument is always the clock's offset.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	return script.Run(ctx, s.rdb, keys, s.args(args)...)
}

// ask runs a script that only reads.
func (s *Store) ask(ctx context.Context, script *redis.Script, keys []string) *redis.Cmd {
	return script.RunRO(ctx, s.rdb, keys, s.args(nil)...)
}

func (s *Store) args(args []any) []any {
	return append([]any{strconv.FormatInt(s.cfg.Offset().Milliseconds(), 10)}, args...)
}

// outcome turns the word that a script returns into an error.
func outcome(word string, err error) error {
	if err != nil {
		return unavailable(err)
	}
	switch word {
	case "ok", "unchanged":
		return nil
	case "moved":
		return oauth.ErrMoved
	case "exists":
		return oauth.ErrExists
	case "missing":
		return oauth.ErrNotFound
	case "full":
		return oauth.ErrFull
	default:
		return unavailable(fmt.Errorf("unexpected answer %q", word))
	}
}

func unavailable(err error) error {
	if err == nil || errors.Is(err, oauth.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", oauth.ErrUnavailable, err)
}

// The keys of a partition.

func key(partition byte, kind, name string) string {
	const hex = "0123456789abcdef"
	return "{gp:" + string([]byte{hex[partition>>4], hex[partition&15]}) + "}:" + kind + name
}

func dueKey(partition byte) string { return key(partition, "due", "") }
func userKey(user string) string   { return key(oauth.PartitionOf(user), "u:", user) }

func familyKey(id oauth.FamilyID) string { return key(id.Partition(), "fam:", id.String()) }

func outKey(id oauth.FamilyID) string { return key(id.Partition(), "out:", id.String()) }

func codeKey(partition byte, hash oauth.Hash) string      { return key(partition, "code:", hashText(hash)) }
func accessKey(id oauth.FamilyID, hash oauth.Hash) string { return accessKeyOf(id, hashText(hash)) }
func accessKeyOf(id oauth.FamilyID, hash string) string   { return key(id.Partition(), "at:", hash) }

func hashText(h oauth.Hash) string { return base64.RawURLEncoding.EncodeToString(h[:]) }

func parseHash(text string) (h oauth.Hash, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("a hash is stored as %d characters", len(text))
	}
	copy(h[:], b)
	return h, nil
}

// fields is a hash as a script returns it: names and values in turn. Reading a
// value that is not as it should be sets err.
type fields struct {
	values map[string]string
	err    error
}

func fieldsOf(reply any) *fields {
	list, ok := reply.([]any)
	if !ok {
		return &fields{err: fmt.Errorf("a hash came as %T", reply)}
	}
	f := &fields{values: make(map[string]string, len(list)/2)}
	for i := 0; i+1 < len(list); i += 2 {
		name, nameOK := list[i].(string)
		value, valueOK := list[i+1].(string)
		if !nameOK || !valueOK {
			f.err = errors.New("a hash has a field that is no text")
		}
		f.values[name] = value
	}
	return f
}

func (f *fields) text(name string) string { return f.values[name] }

func (f *fields) bytes(name string) []byte { return []byte(f.values[name]) }

func (f *fields) number(name string) int64 {
	text := f.values[name]
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f.err = fmt.Errorf("field %s: %w", name, err)
	}
	return n
}

func (f *fields) time(name string) time.Time { return instant(f.number(name)) }

func (f *fields) hash(name string) oauth.Hash {
	if f.values[name] == "" {
		return oauth.Hash{}
	}
	h, err := parseHash(f.values[name])
	if err != nil {
		f.err = fmt.Errorf("field %s: %w", name, err)
	}
	return h
}

func instant(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// parseTime reads the time that a script returns.
func parseTime(reply any) (time.Time, error) {
	text, _ := reply.(string)
	millis, err := strconv.ParseInt(text, 10, 64)
	return instant(millis), err
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func length(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
