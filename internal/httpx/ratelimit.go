package httpx

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limiter counts requests in windows of a fixed length, one window per key that
// begins with the key's first request. Seed 000 promises exactly that ("usually
// 1 minute"); a token bucket would instead refuse the 31st request of a burst
// and let the next through two seconds later, which no Retry-After header of
// whole windows describes. It is safe for concurrent use.
type Limiter struct {
	window time.Duration
	keys   int
	now    func() time.Time

	mu      sync.Mutex
	windows map[limitKey]*window
}

type limitKey struct{ owner, class string }

type window struct {
	ends time.Time
	used int
}

// NewLimiter returns a limiter that remembers at most keys windows.
func NewLimiter(length time.Duration, keys int, now func() time.Time) *Limiter {
	return &Limiter{window: length, keys: keys, now: now, windows: make(map[limitKey]*window)}
}

// Quota is what is left of a key's window.
type Quota struct {
	Limit     int
	Remaining int           // requests left in the window
	Resets    time.Time     // when the window ends
	Wait      time.Duration // until then
	Allowed   bool          // whether the request that asked may go on
}

// Take counts one request of a class against its owner's limit.
func (l *Limiter) Take(owner, class string, limit int) Quota {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	key := limitKey{owner, class}
	w, ok := l.windows[key]
	if !ok || !now.Before(w.ends) {
		w = l.begin(key, now)
	}
	allowed := w.used < limit
	if allowed {
		w.used++
	}
	return Quota{Limit: limit, Remaining: max(0, limit-w.used), Resets: w.ends, Wait: w.ends.Sub(now), Allowed: allowed}
}

func (l *Limiter) begin(key limitKey, now time.Time) *window {
	if len(l.windows) >= l.keys {
		l.makeRoom(now)
	}
	w := &window{ends: now.Add(l.window)}
	l.windows[key] = w
	return w
}

// makeRoom drops the windows that have ended, or any one: forgetting a live
// window is too generous to one owner, never unfair to another.
func (l *Limiter) makeRoom(now time.Time) {
	for key, w := range l.windows {
		if !now.Before(w.ends) {
			delete(l.windows, key)
		}
	}
	if len(l.windows) < l.keys {
		return
	}
	for key := range l.windows {
		delete(l.windows, key)
		return
	}
}

// SetHeaders tells a client where it stands; Retry-After only when refused.
func (q Quota) SetHeaders(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(ceilSeconds(q.Resets.UnixNano()), 10))
	if !q.Allowed {
		h.Set("Retry-After", strconv.FormatInt(max(1, ceilSeconds(int64(q.Wait))), 10))
	}
}

// ceilSeconds rounds nanoseconds up, so that a client that obeys is never early.
func ceilSeconds(ns int64) int64 { return (ns + int64(time.Second) - 1) / int64(time.Second) }
