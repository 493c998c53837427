package report

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// part is what a movement did to one slot: its state before and after within
// the view, nil where it had no value.
type part struct {
	before, after *ledger.State
}

// partsOf returns the parts of a movement, without slots outside the view. The
// next call overwrites them.
func (t *table) partsOf(l *ledger.Ledger, m *ledger.Movement, view *ledger.View) []part {
	parts := t.parts[:0]
	for i := m.First; i < m.Last; i++ {
		c := &l.Changes[i]
		var p part
		if view.Value(&c.After) > 0 {
			p.after = &c.After
		}
		if c.Prev >= 0 && view.Value(&l.Changes[c.Prev].After) > 0 {
			p.before = &l.Changes[c.Prev].After
		}
		if p.before != nil || p.after != nil {
			parts = append(parts, p)
		}
	}
	t.parts = parts
	return parts
}

// mainPlan is the plan that a movement is shown with: the largest after it, of
// a churn the largest before it.
func mainPlan(t ledger.Type, parts []part) ledger.PlanRef {
	var best *ledger.State
	pick := func(st *ledger.State) {
		if st != nil && (best == nil || st.MRR > best.MRR) {
			best = st
		}
	}
	if t != ledger.Churn {
		for _, p := range parts {
			pick(p.after)
		}
	}
	if best == nil {
		for _, p := range parts {
			pick(p.before)
		}
	}
	if best == nil {
		return 0
	}
	return best.Plan
}

// description puts a movement into words: "Pro" for new, reactivation, churn and
// streams that come or go, "Pro → Enterprise" for another plan, and otherwise
// "Pro (quantity 1 → 3)" when the quantity changed, else "Pro". The next call
// overwrites it.
func (t *table) description(kind ledger.Type, parts []part) []byte {
	old, now := t.old[:0], t.now[:0]
	var was, is int64
	for _, p := range parts {
		if p.before != nil {
			old = append(old, t.sc.s.planName(p.before.Plan))
			was += int64(p.before.Quantity)
		}
		if p.after != nil {
			now = append(now, t.sc.s.planName(p.after.Plan))
			is += int64(p.after.Quantity)
		}
	}
	const arrow = " → "
	text := appendSum(t.text[:0], old)
	mid := len(text)
	text = appendSum(append(text, arrow...), now)
	before, after := text[:mid], text[mid+len(arrow):]
	t.old, t.now, t.text = old, now, text
	switch {
	case kind == ledger.Churn || len(after) == 0:
		return before
	case len(before) == 0:
		return after
	case !bytes.Equal(before, after):
		return text
	case was != is:
		text = strconv.AppendInt(append(before, " (quantity "...), was, 10)
		t.text = append(strconv.AppendInt(append(text, arrow...), is, 10), ')')
		return t.text
	default:
		return before
	}
}

// appendSum appends names such as "Basic + Pro", each of them once. It sorts them.
func appendSum(b []byte, names []string) []byte {
	slices.Sort(names)
	for i, name := range slices.Compact(names) {
		if i > 0 {
			b = append(b, " + "...)
		}
		b = append(b, name...)
	}
	return b
}

func (s *Snapshot) planName(ref ledger.PlanRef) string {
	p := s.plan(ref)
	if p.Name != "" {
		return p.Name
	}
	return p.ID
}

// linesOf lists the parts of a movement; they add up to its change. A slot that
// keeps its plan is one line with the difference, one that changes it is what
// was added and what was removed.
func (t *table) linesOf(m *ledger.Movement, parts []part) ([]MovementLine, error) {
	s := t.sc.s
	lines := make([]MovementLine, 0, 2*len(parts))
	for _, p := range parts {
		now, err := t.amount(m, p.after)
		if err != nil {
			return nil, err
		}
		was, err := t.amount(m, p.before)
		if err != nil {
			return nil, err
		}
		if p.before != nil && p.after != nil && p.before.Plan == p.after.Plan {
			lines = append(lines, MovementLine{s.planName(p.after.Plan), now - was, int64(p.after.Quantity - p.before.Quantity)})
			continue
		}
		if p.after != nil {
			lines = append(lines, MovementLine{s.planName(p.after.Plan), now, int64(p.after.Quantity)})
		}
		if p.before != nil {
			lines = append(lines, MovementLine{s.planName(p.before.Plan) + " (removed)", -was, -int64(p.before.Quantity)})
		}
	}
	slices.SortStableFunc(lines, func(a, b MovementLine) int { // additions first
		switch {
		case a.MRR >= 0 && b.MRR < 0:
			return -1
		case a.MRR < 0 && b.MRR >= 0:
			return 1
		default:
			return 0
		}
	})
	return lines, nil
}

// amount is a state's MRR in the movement's currency, at the rates that the
// movement itself was classified with.
func (t *table) amount(m *ledger.Movement, st *ledger.State) (int64, error) {
	switch {
	case st == nil:
		return 0, nil
	case st.Currency == m.Currency:
		return st.MRR, nil
	}
	return t.sc.classes.convert(st.MRR, st.Currency, m.Day)
}
