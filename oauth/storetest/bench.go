package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// How much a full store of the benchmarks holds.
const (
	benchClients  = 10_000
	benchFamilies = 100_000
	benchUsers    = 2_000
)

// RunBenchmarks measures the token check of every MCP call and the refresh, by
// one caller and by 64 at once, in an empty store and in a full one. The API is a
// map: its time is not in the figures.
func RunBenchmarks(b *testing.B, newPeer func(t testing.TB) Peer) {
	b.Run("Empty", func(b *testing.B) { benchmarks(b, newWorld(b, newPeer(b))) })
	b.Run("Full", func(b *testing.B) {
		w := newWorld(b, newPeer(b))
		w.fill(b)
		benchmarks(b, w)
	})
}

func benchmarks(b *testing.B, w *world) {
	const callers = 64
	chains := make([]chan oauth.Tokens, callers)
	for i := range chains {
		chains[i] = make(chan oauth.Tokens, 1)
		chains[i] <- w.connect(b, fmt.Sprint("bench", i), func(g *oauth.Grant) { g.Client = fmt.Sprint("bench", i) })
	}
	access := func(i int) oauth.Secret {
		tokens := <-chains[i]
		defer func() { chains[i] <- tokens }()
		return tokens.Access
	}
	for _, n := range []int{1, callers} {
		b.Run(fmt.Sprintf("CheckAccess/callers=%d", n), func(b *testing.B) {
			tokens := make([]oauth.Secret, n)
			for i := range tokens {
				tokens[i] = access(i)
			}
			share(b, n, func(i int) error {
				_, err := w.CheckAccess(b.Context(), tokens[i])
				return err
			})
		})
		b.Run(fmt.Sprintf("Refresh/callers=%d", n), func(b *testing.B) {
			share(b, n, func(i int) error {
				tokens := <-chains[i]
				next, err := w.Refresh(b.Context(), oauth.RefreshRequest{Token: tokens.Refresh, Client: fmt.Sprint("bench", i)})
				if err != nil {
					next = tokens
				}
				chains[i] <- next
				return err
			})
		})
	}
	b.Run("Client", func(b *testing.B) {
		if err := w.store.CreateClient(b.Context(), registered("bench")); err != nil && !errors.Is(err, oauth.ErrExists) {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := w.store.Client(b.Context(), "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Connections", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Connections(b.Context(), testUser); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// share has n callers make b.N calls in all, and reports calls per second.
func share(b *testing.B, n int, call func(caller int) error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// fill registers clients and makes live families for many users.
func (w *world) fill(b *testing.B) {
	b.Helper()
	for i := range benchClients {
		mustRegister(b, w.store, registered(fmt.Sprint("client", i)))
	}
	began := time.Now()
	var next atomic.Int64
	parallel(64, func(int) {
		for i := next.Add(1); i <= benchFamilies; i = next.Add(1) {
			if err := w.addFamily(b, uint32(i)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.Logf("%d families in %v", benchFamilies, time.Since(began).Round(time.Millisecond))
}

// addFamily makes family i by the store's own steps.
func (w *world) addFamily(b *testing.B, i uint32) error {
	b.Helper()
	grant := testGrant()
	grant.User, grant.Client = fmt.Sprint("user", i%benchUsers), fmt.Sprint("client", i%benchClients)
	id := oauth.FamilyID{oauth.PartitionOf(grant.User)}
	binary.BigEndian.PutUint32(id[1:], i)
	hash := func(kind byte) (h oauth.Hash) {
		binary.BigEndian.PutUint32(h[:], i)
		h[4] = kind
		return h
	}
	sealed := make([]byte, 112) // a sealed API key
	if err := w.store.Reserve(b.Context(), oauth.Family{ID: id, Grant: grant}, sealed, time.Minute); err != nil {
		return err
	}
	code := oauth.Code{Hash: hash('c'), Family: id, Challenge: "challenge", SealedKey: sealed}
	if err := w.store.CreateCode(b.Context(), code, "key", time.Minute, time.Minute); err != nil {
		return err
	}
	now := w.clock.Now()
	return w.store.Redeem(b.Context(), oauth.Redemption{
		Code: hash('c'), Family: id, User: grant.User, Refresh: hash('r'), SealedKey: sealed, ExpiresAt: now.Add(90 * day), EndsAt: now.Add(365 * day),
		Access: oauth.AccessToken{Hash: hash('a'), Scope: testScope, IssuedAt: now, ExpiresAt: now.Add(30 * day), SealedKey: sealed},
	})
}
