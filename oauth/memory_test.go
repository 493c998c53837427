package oauth_test

import (
	"context"
	"sync"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// memory keeps records, clients and buckets in maps, for tests of what reads
// them. The stores have a suite of their own.
type memory struct {
	now func() time.Time

	mu      sync.Mutex
	records map[string]oauth.Record
	clients map[string]oauth.RegisteredClient
	taken   map[string]int
	touched map[string]int
	down    error // what every call fails with
}

func newMemory(now func() time.Time) *memory {
	return &memory{
		now: now, records: map[string]oauth.Record{}, clients: map[string]oauth.RegisteredClient{},
		taken: map[string]int{}, touched: map[string]int{},
	}
}

func (m *memory) Add(ctx context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	if _, err := m.Record(ctx, kind, id); err == nil {
		return oauth.ErrExists
	}
	return m.Put(ctx, kind, id, value, ttl)
}

func (m *memory) Put(_ context.Context, kind oauth.Kind, id string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[string(kind)+id] = oauth.Record{Value: value, Version: 1, ExpiresAt: m.now().Add(ttl)}
	return m.down
}

func (m *memory) Record(_ context.Context, kind oauth.Kind, id string) (oauth.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return oauth.Record{}, m.down
	}
	r, ok := m.records[string(kind)+id]
	if !ok || !m.now().Before(r.ExpiresAt) {
		return oauth.Record{}, oauth.ErrNotFound
	}
	return r, nil
}

func (m *memory) Swap(context.Context, oauth.Kind, string, int64, []byte) error {
	return oauth.ErrMoved
}

func (m *memory) Consume(ctx context.Context, kind oauth.Kind, id string) (oauth.Record, error) {
	r, err := m.Record(ctx, kind, id)
	return r, err
}

func (m *memory) Delete(_ context.Context, kind oauth.Kind, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, string(kind)+id)
	return m.down
}

func (m *memory) CreateClient(_ context.Context, c oauth.RegisteredClient) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients[c.ID] = c
	return m.down
}

func (m *memory) Client(_ context.Context, id string) (oauth.RegisteredClient, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clients[id]
	if m.down == nil && !ok {
		return c, oauth.ErrNotFound
	}
	return c, m.down
}

func (m *memory) TouchClient(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.touched[id]++
	return m.down
}

// Take lets a burst through and no more.
func (m *memory) Take(_ context.Context, bucket string, rate oauth.Rate) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.taken[bucket]++; m.taken[bucket] > rate.Burst {
		return rate.Interval, m.down
	}
	return 0, m.down
}
