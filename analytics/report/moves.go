package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Moves finds the movements of single customers, for those who are told of each
// as it happens. It is not safe for concurrent use.
type Moves struct{ t *table }

// Move is one movement. Without a rate for its day, its worth in the account's
// currency is not known: Priced is false and ChangeBase 0.
type Move struct {
	MovementRow
	Priced bool
}

// NewMoves prepares to find the movements of some days.
func NewMoves(s *Snapshot, days calendar.Range) *Moves {
	q := &Query{Base: s.Settings.Base, Unit: calendar.UnitDay, Range: days}
	return &Moves{&table{days: days, sc: newScan(s, q)}}
}

// Any reports whether the customer's value changed on one of the days at all.
func (m *Moves) Any(c *Customer) bool {
	l := c.Ledger
	if l == nil {
		return false
	}
	for i := range slices.Backward(l.Changes) {
		if d := l.Changes[i].Day; d <= l.Today {
			return d >= m.t.days.From
		}
	}
	return false
}

// Of returns the customer's movements of the days that the ledger, as it stands,
// knows to have happened, oldest first. A customer whose movements cannot be
// told apart without rates that are missing has none.
func (m *Moves) Of(c *Customer) []Move {
	l := c.Ledger
	if !m.Any(c) {
		return nil
	}
	x := subjectOf(c)
	moves, foreign, err := m.t.sc.movements(&x, nil)
	if err != nil {
		return nil
	}
	var out []Move
	for i := range moves {
		at := &moves[i]
		if !m.t.days.Contains(at.Day) || at.Day > l.Today {
			continue
		}
		f := found{customer: c, move: *at, base: at.After - at.Before}
		priced := true
		if foreign {
			f.base, err = m.t.sc.delta(&x, at, nil)
			priced = err == nil
		}
		if f.kind = typed(at.Type, f.base); f.kind == ledger.None {
			continue
		}
		row, err := m.t.row(&f)
		if err != nil {
			continue
		}
		out = append(out, Move{MovementRow: row, Priced: priced})
	}
	return out
}
