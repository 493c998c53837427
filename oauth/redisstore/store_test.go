package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/redisstore"
	"github.com/growpanel/growpanel-mcp/oauth/storetest"
)

func TestMain(m *testing.M) {
	redisstore.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// One server serves all peers, each in a database of its own.
func TestStore(t *testing.T) {
	t.Parallel()
	server := oauthtest.StartRedis(t)
	var databases atomic.Int32
	t.Run("suite", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(testing.TB) storetest.Peer { return peer(server.URL(int(databases.Add(1)))) })
	})
}

func TestModel(t *testing.T) {
	t.Parallel()
	server := oauthtest.StartRedis(t)
	var databases atomic.Int32
	t.Run("of", func(t *testing.T) {
		storetest.RunModel(t, func(testing.TB) storetest.Peer { return peer(server.URL(int(databases.Add(1)))) })
	})
}

// A cluster has one database only, so each peer has a server of its own. A new
// cluster takes two seconds to accept writes: a few serve in turn.
func TestCluster(t *testing.T) {
	t.Parallel()
	const servers = 4
	idle := make(chan *oauthtest.Redis, servers)
	for range servers {
		idle <- startCluster(t)
	}
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t testing.TB) storetest.Peer {
			server := <-idle
			awaitCluster(t, server)
			t.Cleanup(func() {
				if _, err := server.Do("FLUSHALL"); err != nil {
					t.Error(err)
				}
				idle <- server
			})
			return peer(server.URL(0))
		})
	})
}

// startCluster starts a cluster of one server, which checks the slots of every
// command and script.
func startCluster(t testing.TB) *oauthtest.Redis {
	t.Helper()
	server := oauthtest.StartRedis(t, "--cluster-enabled", "yes")
	if answer, err := server.Do("CLUSTER ADDSLOTSRANGE 0 16383"); err != nil || !bytes.HasPrefix(answer, []byte("+OK")) {
		t.Fatalf("CLUSTER ADDSLOTSRANGE: %s, %v", answer, err)
	}
	return server
}

func awaitCluster(t testing.TB, server *oauthtest.Redis) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		answer, err := server.Do("CLUSTER INFO")
		if err == nil && bytes.Contains(answer, []byte("cluster_state:ok")) {
			return
		}
	}
	t.Fatal("the cluster does not get ready")
}

func peer(url string) storetest.Peer {
	return storetest.Peer{
		Open: func(t testing.TB, clock *oauthtest.Clock, limits storetest.Limits) storetest.Backend {
			t.Helper()
			return open(t, redisstore.Config{URL: url, Offset: clock.Offset, MaxClients: limits.MaxClients})
		},
		Dump: func(t testing.TB) []byte {
			t.Helper()
			return dump(t, url)
		},
	}
}

func open(t testing.TB, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	store, err := redisstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return store
}

// dump returns all keys with their values as Redis shows them.
func dump(t testing.TB, url string) []byte {
	t.Helper()
	rdb := client(t, url)
	var all bytes.Buffer
	keys := rdb.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		name := keys.Val()
		fmt.Fprintln(&all, name, rdb.HGetAll(t.Context(), name).Val(), rdb.Get(t.Context(), name).Val(),
			rdb.SMembers(t.Context(), name).Val(), rdb.ZRange(t.Context(), name, 0, -1).Val())
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

func client(t testing.TB, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.Protocol, options.DisableIdentity = 2, true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	rdb := redis.NewClient(options)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestOpen_RefusesARedisThatForgets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		settings []string
		want     string
	}{
		{"without an append-only file", []string{"--appendonly", "no"}, "appendonly"},
		{"that evicts", []string{"--maxmemory-policy", "allkeys-lru"}, "maxmemory-policy"},
		{"that hides its settings", []string{"--rename-command", "CONFIG", "HIDDEN"}, "does not tell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := oauthtest.StartRedis(t, c.settings...)
			_, err := redisstore.Open(t.Context(), redisstore.Config{URL: server.URL(0)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open: %v, want an error about %s", err, c.want)
			}
			open(t, redisstore.Config{URL: server.URL(0), AllowLoss: true})
		})
	}
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://user:hunter2@localhost":           "redis://",
		"redis://user:hunter2@127.0.0.1:1/0":      "connection refused",
		"redis://user:hunter2@nowhere.invalid:99": "nowhere.invalid",
	} {
		_, err := redisstore.Open(t.Context(), redisstore.Config{URL: url})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%s): %v, want an error about %q without the password", url, err, want)
		}
	}
}

// A Redis that is down, stuck or out of memory is never a reason for a client to
// drop its tokens.
func TestStore_DownIsUnavailable(t *testing.T) {
	t.Parallel()
	server := oauthtest.StartRedis(t)
	store := open(t, redisstore.Config{URL: server.URL(0)})
	calls := map[string]func(context.Context) error{
		"Family": func(ctx context.Context) error { _, _, err := store.Family(ctx, oauth.FamilyID{}); return err },
		"Access": func(ctx context.Context) error {
			_, _, _, err := store.Access(ctx, oauth.FamilyID{}, oauth.Hash{})
			return err
		},
		"Code": func(ctx context.Context) error { _, _, _, err := store.Code(ctx, 0, oauth.Hash{}); return err },
		"Rotate": func(ctx context.Context) error {
			return store.Rotate(ctx, oauth.Rotation{Access: oauth.AccessToken{SealedKey: []byte{}}, SealedKey: []byte{}})
		},
		"Record": func(ctx context.Context) error {
			_, err := store.Record(ctx, oauth.KindTransaction, "x")
			return err
		},
		"Client":   func(ctx context.Context) error { _, err := store.Client(ctx, "x"); return err },
		"Claim":    func(ctx context.Context) error { _, _, err := store.Claim(ctx, 1, time.Minute); return err },
		"Families": func(ctx context.Context) error { _, _, err := store.Families(ctx, "x", 1); return err },
		"Take": func(ctx context.Context) error {
			_, err := store.Take(ctx, "x", oauth.Rate{Burst: 1, Interval: 1})
			return err
		},
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		if err := call(canceled); !errors.Is(err, oauth.ErrUnavailable) {
			t.Errorf("%s with a canceled context: %v, want ErrUnavailable", name, err)
		}
	}
	do(t, server, "CONFIG SET maxmemory 1mb")
	for _, name := range []string{"Rotate", "Take"} {
		if err := calls[name](t.Context()); !errors.Is(err, oauth.ErrUnavailable) || !strings.Contains(err.Error(), "OOM") {
			t.Errorf("%s without memory: %v, want ErrUnavailable", name, err)
		}
	}
	if err := calls["Family"](t.Context()); !errors.Is(err, oauth.ErrNotFound) {
		t.Errorf("Family without memory: %v, want that reading works", err)
	}
	do(t, server, "CLIENT PAUSE 60000 ALL")
	for name, call := range calls {
		hurried, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := call(hurried); !errors.Is(err, oauth.ErrUnavailable) {
			t.Errorf("%s of a server that is stuck: %v, want ErrUnavailable", name, err)
		}
		cancel()
	}
	server.Stop()
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, oauth.ErrUnavailable) {
			t.Errorf("%s without a server: %v, want ErrUnavailable", name, err)
		}
	}
}

func do(t *testing.T, server *oauthtest.Redis, command string) {
	t.Helper()
	if answer, err := server.Do(command); err != nil || !bytes.HasPrefix(answer, []byte("+OK")) {
		t.Fatalf("%s: %s, %v", command, answer, err)
	}
}

func TestTake_LimitsABucket(t *testing.T) {
	t.Parallel()
	server := oauthtest.StartRedis(t)
	clock := &oauthtest.Clock{}
	store := open(t, redisstore.Config{URL: server.URL(0), Offset: clock.Offset})
	storetest.RunRateLimits(t, store, clock)
}

func BenchmarkStore(b *testing.B) {
	storetest.RunBenchmarks(b, func(t testing.TB) storetest.Peer { return peer(oauthtest.StartRedis(t).URL(0)) })
}
