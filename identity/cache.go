package identity

import (
	"sync"
	"time"
)

// keyCache remembers keys that were read from the store a moment ago, so that
// a busy client costs one read per lifetime instead of one per request.
type keyCache struct {
	lifetime time.Duration
	limit    int

	mu      sync.Mutex
	entries map[string]cachedKey // by key id
	// epoch rises with every forget. A read that began in an earlier epoch is
	// not remembered: it may have seen the key before it was deleted.
	epoch uint64
}

type cachedKey struct {
	key     Access
	expires time.Time
}

func newKeyCache(lifetime time.Duration, limit int) *keyCache {
	return &keyCache{lifetime: lifetime, limit: limit, entries: make(map[string]cachedKey)}
}

// get returns a live entry, and the epoch that put needs otherwise.
func (c *keyCache) get(id string, now time.Time) (k Access, epoch uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, found := c.entries[id]
	if !found || !now.Before(e.expires) {
		return Access{}, c.epoch, false
	}
	return e.key, c.epoch, true
}

// put remembers a key that was read from the store during epoch.
func (c *keyCache) put(k Access, epoch uint64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if _, known := c.entries[k.ID]; !known && len(c.entries) >= c.limit {
		c.makeRoom(now)
	}
	c.entries[k.ID] = cachedKey{key: k, expires: now.Add(c.lifetime)}
}

// makeRoom drops expired entries, or any one when all are live: the cache is a
// saving, so which one goes does not matter.
func (c *keyCache) makeRoom(now time.Time) {
	for id, e := range c.entries {
		if !now.Before(e.expires) {
			delete(c.entries, id)
		}
	}
	if len(c.entries) < c.limit {
		return
	}
	for id := range c.entries {
		delete(c.entries, id)
		return
	}
}

// forget drops a key and every read that is under way.
func (c *keyCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, id)
	c.epoch++
}

// clear drops everything, and every read that is under way.
func (c *keyCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.epoch++
}
