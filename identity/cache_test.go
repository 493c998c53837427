package identity

import (
	"fmt"
	"testing"
	"time"
)

func TestKeyCache_IsBounded(t *testing.T) {
	t.Parallel()
	c := newKeyCache(time.Second, 10)
	now := time.Unix(1000, 0)
	for i := range 100 {
		k := Access{Key: Key{ID: fmt.Sprint("key-", i)}}
		_, epoch, _ := c.get(k.ID, now)
		c.put(k, epoch, now)
		if _, _, ok := c.get(k.ID, now); !ok {
			t.Fatalf("key %d is not remembered", i)
		}
		if len(c.entries) > 10 {
			t.Fatalf("%d entries after %d keys, want at most 10", len(c.entries), i+1)
		}
		if i%30 == 0 {
			now = now.Add(time.Second) // all before are over
		}
	}
}

func TestKeyCache_ExpiredKeysGoFirst(t *testing.T) {
	t.Parallel()
	c := newKeyCache(time.Second, 2)
	now := time.Unix(1000, 0)
	c.put(Access{Key: Key{ID: "old"}}, 0, now)
	now = now.Add(time.Second)
	c.put(Access{Key: Key{ID: "live"}}, 0, now)
	c.put(Access{Key: Key{ID: "new"}}, 0, now)
	for id, want := range map[string]bool{"old": false, "live": true, "new": true} {
		if _, _, ok := c.get(id, now); ok != want {
			t.Errorf("get(%q) found = %v, want %v", id, ok, want)
		}
	}
}
