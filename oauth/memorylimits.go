package oauth

import (
	"context"
	"sync"
	"time"
)

// maxBuckets bounds the buckets that MemoryLimits remembers; a million strangers
// must not fill the memory.
const maxBuckets = 100_000

// MemoryLimits is RateLimits of one process, for a server without replicas. A
// bucket is one instant: when it will be empty again (the generic cell rate
// algorithm).
type MemoryLimits struct {
	now func() time.Time

	mu    sync.Mutex
	empty map[string]time.Time
}

var _ RateLimits = (*MemoryLimits)(nil)

// NewMemoryLimits returns limits with nothing counted.
func NewMemoryLimits(now func() time.Time) *MemoryLimits {
	return &MemoryLimits{now: now, empty: make(map[string]time.Time)}
}

// Take implements RateLimits.
func (l *MemoryLimits) Take(_ context.Context, bucket string, rate Rate) (time.Duration, error) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	empty := l.empty[bucket]
	if empty.Before(now) {
		empty = now
	}
	next := empty.Add(rate.Interval)
	if full := now.Add(rate.Interval * time.Duration(rate.Burst)); next.After(full) {
		return next.Sub(full), nil
	}
	if _, known := l.empty[bucket]; !known && len(l.empty) >= maxBuckets {
		l.makeRoom(now)
	}
	l.empty[bucket] = next
	return 0, nil
}

// makeRoom drops what is empty, and everything when nothing is: then there are
// more addresses than a limit per address could hold off.
func (l *MemoryLimits) makeRoom(now time.Time) {
	for bucket, empty := range l.empty {
		if !empty.After(now) {
			delete(l.empty, bucket)
		}
	}
	if len(l.empty) >= maxBuckets {
		clear(l.empty)
	}
}
