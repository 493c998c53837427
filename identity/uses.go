package identity

import (
	"sync"
	"time"
)

// uses collects when keys were used, so that last-used times cost one write per
// minute rather than one per request. It has at most one entry per key that
// authenticated since the last flush.
type uses struct {
	mu    sync.Mutex
	byKey map[string]Use
}

func newUses() *uses { return &uses{byKey: make(map[string]Use)} }

func (u *uses) add(k Key, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at.After(u.byKey[k.ID].At) {
		u.byKey[k.ID] = Use{Account: k.Account, Key: k.ID, At: at}
	}
}

// lastUsed returns the later of the recorded time and the one not yet written.
func (u *uses) lastUsed(k Key) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at := u.byKey[k.ID].At; at.After(k.LastUsed) {
		return at
	}
	return k.LastUsed
}

// take returns everything collected and starts anew.
func (u *uses) take() []Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]Use, 0, len(u.byKey))
	for _, use := range u.byKey {
		out = append(out, use)
	}
	clear(u.byKey)
	return out
}

// restore puts uses back that could not be written.
func (u *uses) restore(failed []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, use := range failed {
		if use.At.After(u.byKey[use.Key].At) {
			u.byKey[use.Key] = use
		}
	}
}

func (u *uses) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.byKey, id)
}
