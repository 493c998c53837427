package oauth

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// usesLimit bounds the families whose last use waits to be written.
	usesLimit = 100_000
	// usesEvery is how often last uses are written: at most one write a minute per
	// family.
	usesEvery = time.Minute
	// usesBatch bounds one write.
	usesBatch = 1000
)

// Touch notes that a family was used now, from an address. It does no I/O: Run
// writes what it has noted.
func (g *Grants) Touch(id FamilyID, from netip.Addr) {
	g.uses.add(Use{Family: id, At: g.cfg.Now().Truncate(time.Millisecond), From: network(from)})
}

// network is what is kept of an address: /24 of IPv4, /48 of IPv6.
func network(from netip.Addr) string {
	from = from.Unmap()
	bits := 48
	if from.Is4() {
		bits = 24
	}
	prefix, err := from.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// uses holds the last use of each family that is not written yet.
type uses struct {
	mu      sync.Mutex
	pending map[FamilyID]Use
}

func newUses() *uses { return &uses{pending: make(map[FamilyID]Use)} }

// add drops the use when there are too many to remember: it is only shown.
func (u *uses) add(use Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	last, known := u.pending[use.Family]
	if known && last.At.After(use.At) || !known && len(u.pending) >= usesLimit {
		return
	}
	u.pending[use.Family] = use
}

func (u *uses) take() []Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]Use, 0, len(u.pending))
	for _, use := range u.pending {
		all = append(all, use)
	}
	u.pending = make(map[FamilyID]Use)
	return all
}

// latest returns the family with a use that is not written yet.
func (u *uses) latest(f Family) Family {
	u.mu.Lock()
	defer u.mu.Unlock()
	if use, ok := u.pending[f.ID]; ok && use.At.After(f.LastUsed) {
		f.LastUsed, f.LastFrom = use.At, use.From
	}
	return f
}

// flush writes what was noted, and keeps what could not be written.
func (g *Grants) flush(ctx context.Context) error {
	pending := g.uses.take()
	for len(pending) > 0 {
		n := min(len(pending), usesBatch)
		if err := g.cfg.Store.Touch(ctx, pending[:n]); err != nil {
			for _, use := range pending {
				g.uses.add(use)
			}
			return err
		}
		pending = pending[n:]
	}
	return nil
}
