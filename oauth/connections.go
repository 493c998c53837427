package oauth

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Connections returns a user's connections, those used last first. A family that
// was not redeemed is none; families that ended stay for Retention.
func (g *Grants) Connections(ctx context.Context, user string) ([]Connection, error) {
	families, now, err := g.cfg.Store.Families(ctx, user, maxListed)
	if err != nil {
		return nil, fmt.Errorf("list families: %w", err)
	}
	var connections []Connection
	index := make(map[string]int)
	for _, f := range families {
		if f.State == Live && !f.alive(now) {
			f.State, f.Reason, f.EndedAt = Ended, ReasonExpired, f.ExpiresAt
		}
		if f.State == Pending || f.State == Ended && f.Gen == 0 && f.Minted == 0 {
			continue
		}
		id := f.Connection()
		at, known := index[id]
		if !known {
			at = len(connections)
			index[id] = at
			connections = append(connections, Connection{ID: id, Grant: f.Grant})
		}
		connections[at].Families = append(connections[at].Families, g.uses.latest(f))
	}
	for _, c := range connections {
		slices.SortStableFunc(c.Families, func(a, b Family) int { return rank(a) - rank(b) })
	}
	slices.SortStableFunc(connections, func(a, b Connection) int { return b.lastSeen().Compare(a.lastSeen()) })
	return connections, nil
}

func rank(f Family) int {
	if f.State == Live {
		return 0
	}
	return 1
}

// lastSeen is when any of the connection's families last showed life.
func (c Connection) lastSeen() (last time.Time) {
	for _, f := range c.Families {
		if t := f.lastSeen(); t.After(last) {
			last = t
		}
	}
	return last
}
