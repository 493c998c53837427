package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// window is what one row of one value adds up.
type window struct {
	base, target, rebased, gross                int64
	cohort, retained                            int64
	expansion, contraction, churn, reactivation int64
	expanded, contracted, reactivated           int64

	// Until settle, how many more customers of the cohort there are than in the row
	// before, and how much more MRR they have: of those who need no conversion, if
	// nothing moved until the target, what moved being counted above. Of the others
	// steadyBase is the MRR at the baseline, if nothing moves.
	steady, steadyLevel, steadyBase int64
}

// settle adds up the customers for whom nothing moves.
func (r *retention) settle(windows []window) {
	customers, level := int64(0), int64(0)
	for i := range windows[:r.known] {
		w := &windows[i]
		customers += w.steady
		level += w.steadyLevel
		base := level + w.steadyBase
		w.cohort += customers
		w.retained += customers
		w.base += base
		w.rebased += base
		w.gross += base
		w.target += level
		w.steady, w.steadyLevel, w.steadyBase = 0, 0, 0
	}
}

// count adds a customer's windows within a view to all sinks.
func (r *retention) count(x *subject, match func(*ledger.State) bool, sinks ...[]window) error {
	moves, foreign, err := r.sc.movements(x, match)
	if err != nil {
		return err
	}
	return r.countMoves(x, match, moves, foreign, sinks...)
}

// countMoves is count for movements that are known already.
func (r *retention) countMoves(x *subject, match func(*ledger.State) bool, moves []ledger.Movement, foreign bool, sinks ...[]window) error {
	if len(moves) == 0 {
		return nil
	}
	if foreign && !x.single {
		return r.countSlots(x, match, moves[0].Day, sinks)
	}
	for len(moves) > 0 && moves[len(moves)-1].Day > r.sc.horizon {
		moves = moves[:len(moves)-1]
	}
	if !foreign {
		r.countOwn(moves, sinks)
		return nil
	}
	err := r.countRows(&payments{moves: moves, sinks: sinks})
	if err == nil {
		return nil
	}
	if first := r.convert(x, match); first != nil {
		return first // of the first day that has no rate
	}
	return err
}

// countOwn counts a customer who needs no conversion, where something moves.
func (r *retention) countOwn(moves []ledger.Movement, sinks [][]window) {
	level, done := int64(0), 0 // before the movement; rows that are counted
	for i := max(0, r.untilFirst(moves)-1); i < len(moves); i++ {
		m := &moves[i]
		// The rows from its first to the last before end have the movement between
		// baseline and target, those from end on before the baseline.
		end := min(r.known, rowOf(&r.before, m.Day))
		for row := max(done, rowOf(&r.rows, m.Day)); row < end; row++ {
			last := i
			for last+1 < len(moves) && moves[last+1].Day <= r.targets[row] {
				last++
			}
			for _, sink := range sinks {
				sink[row].change(level, moves[last].After, i > 0) // a view's first movement is always new
			}
		}
		done = max(done, end)
		if end < r.known {
			for _, sink := range sinks {
				sink[end].steady += payers(m.After) - payers(level)
				sink[end].steadyLevel += m.After - level
			}
		}
		level = m.After
	}
}

// untilFirst is how many movements there are until the baseline of the first row.
func (r *retention) untilFirst(moves []ledger.Movement) int {
	if len(moves) == 0 || moves[0].Day > r.bases[0] {
		return 0
	}
	n := len(moves)
	for moves[n-1].Day > r.bases[0] {
		n--
	}
	return n
}

// rowOf is the first row that does not end before a day.
func rowOf(r *rows, day calendar.Day) int { return max(0, r.of(day)-1) }

// payers is how many customers there are, of one.
func payers(mrr int64) int64 {
	if mrr > 0 {
		return 1
	}
	return 0
}

// change counts how one customer's balance moves from baseline to target. If it is
// in the cohort, it is already counted as one for whom nothing moves.
func (w *window) change(base, target int64, paidBefore bool) {
	change := target - base
	switch {
	case base == 0:
		if target > 0 && paidBefore {
			w.reactivation += target
			w.reactivated++
		}
		return
	case target == 0:
		w.churn += change
		w.retained--
	case change > 0:
		w.expansion += change
		w.expanded++
	case change < 0:
		w.contraction += change
		w.contracted++
	}
	w.target += change
	w.rebased += change
	w.gross += min(0, change)
}

// payments are what a customer with one slot pays, which needs conversion.
type payments struct {
	moves []ledger.Movement
	sinks [][]window
	first int // row of which more than customers is counted
}

// after is the movement that n movements lead to; that of no MRR before the first.
func (p *payments) after(n int) *ledger.Movement {
	if n == 0 {
		return &ledger.Movement{}
	}
	return &p.moves[n-1]
}

// firstWeighed is the first row of which the money is counted: all rows are, where
// a rate is missing, so that it is asked for.
func (r *retention) firstWeighed(moves []ledger.Movement) int {
	for i := range moves {
		if r.weighed == 0 || !r.priced(moves[i].Currency) {
			return 0
		}
	}
	return r.weighed
}

// priced reports whether a currency has rates on all days.
func (r *retention) priced(in money.Currency) bool {
	if r.rated[in] == 0 {
		missing := func(c fx.Converter) bool { return !c.Valid() }
		r.rated[in] = 1
		if in != r.sc.rates.to && slices.ContainsFunc(r.days.at(r.sc.rates, in), missing) {
			r.rated[in] = -1
		}
	}
	return r.rated[in] > 0
}

// countRows counts a customer in all rows: those in which nothing moves at once,
// however many.
func (r *retention) countRows(p *payments) error {
	before := r.untilFirst(p.moves) // movements until the row's baseline
	p.first = r.firstWeighed(p.moves[max(0, before-1):])
	for row := 0; row < r.known; {
		for before < len(p.moves) && p.moves[before].Day <= r.bases[row] {
			before++
		}
		next := r.known // the first row that the next movement is in
		if before < len(p.moves) {
			next = min(next, rowOf(&r.rows, p.moves[before].Day))
		}
		var err error
		if next > row {
			err = r.countSteady(p, p.after(before), row, next)
		} else {
			next = row + 1
			err = r.countMoved(p, before, row)
		}
		if err != nil {
			return err
		}
		row = next
	}
	return nil
}

// countSteady counts a customer who pays the same from the baseline of the row
// from to the target of the row before to.
func (r *retention) countSteady(p *payments, m *ledger.Movement, from, to int) error {
	if m.After == 0 {
		return nil
	}
	for _, sink := range p.sinks {
		sink[from].steady++
		if to < len(sink) {
			sink[to].steady--
		}
	}
	if from = max(from, p.first); from >= to {
		return nil
	}
	worth, err := r.worths.between(m.After, m.Currency, r.baseAt[from], r.targetAt[to-1])
	if err != nil {
		return err
	}
	for _, sink := range p.sinks {
		for row := from; row < to; row++ {
			sink[row].steadyBase += worth[r.baseAt[row]]
			sink[row].target += worth[r.targetAt[row]]
		}
	}
	return nil
}

// countMoved counts a row in which something moves, after so many movements
// before its baseline.
func (r *retention) countMoved(p *payments, before, row int) error {
	until := before
	for until < len(p.moves) && p.moves[until].Day <= r.targets[row] {
		until++
	}
	was, is := p.after(before), p.after(until)
	base, target := balanceAt{live: was.After > 0}, balanceAt{live: is.After > 0}
	if row < p.first {
		for _, sink := range p.sinks {
			sink[row].add(base, target, target, before > 0)
		}
		return nil
	}
	var err error
	if base.level, err = r.worthAt(was, r.baseAt[row]); err != nil {
		return err
	}
	if target.level, err = r.worthAt(is, r.targetAt[row]); err != nil {
		return err
	}
	rebased := target
	if base.live {
		if rebased.level, err = r.worthAt(is, r.baseAt[row]); err != nil {
			return err
		}
	}
	for _, sink := range p.sinks {
		sink[row].add(base, target, rebased, before > 0) // a view's first movement is always new
	}
	return nil
}

// worthAt is what a customer pays after a movement, at one of the days.
func (r *retention) worthAt(m *ledger.Movement, day int) (int64, error) {
	if m.After == 0 {
		return 0, nil
	}
	at, err := r.worths.between(m.After, m.Currency, day, day)
	if err != nil {
		return 0, err
	}
	return at[day], nil
}

// countSlots counts a customer whose slots must be converted one by one.
func (r *retention) countSlots(x *subject, match func(*ledger.State) bool, firstPaid calendar.Day, sinks [][]window) error {
	if err := r.convert(x, match); err != nil {
		return err
	}
	for i := range r.known {
		b, t, rebased := r.levels[r.baseAt[i]], r.levels[r.targetAt[i]], r.rebased[i]
		if !r.moved[i] {
			rebased = b
		}
		if !b.live && !t.live {
			continue
		}
		for _, sink := range sinks {
			sink[i].add(b, t, rebased, firstPaid <= r.bases[i])
		}
	}
	return nil
}

// convert finds the balances of a customer at all days, and those of targets at
// the rates of their baselines where anything changed in between and the
// customer is in the cohort. Only the cohort is converted at those rates: the
// baseline may lie before the account's history and its rates.
func (r *retention) convert(x *subject, match func(*ledger.State) bool) error {
	l := x.ledger
	if err := r.sc.levels(x, match, &r.days, r.levels); err != nil {
		return err
	}
	base, target := 0, 0 // changes until then
	late := false
	for i := range r.total {
		base, target = changesUntil(l, base, r.bases[i]), changesUntil(l, target, r.targets[i])
		r.moved[i] = base != target
		r.rebase.only[i] = r.moved[i] && r.levels[r.baseAt[i]].live
		late = late || r.rebase.only[i]
	}
	if !late {
		return nil
	}
	return r.sc.levels(x, match, &r.rebase, r.rebased)
}

// changesUntil counts the changes of a ledger until the end of a day, of which
// some are known.
func changesUntil(l *ledger.Ledger, known int, day calendar.Day) int {
	for known < len(l.Changes) && l.Changes[known].Day <= day {
		known++
	}
	return known
}

// add counts one customer: its balance at the baseline, at the target, and at
// the target in the rates of the baseline.
func (w *window) add(base, target, rebased balanceAt, paidBefore bool) {
	if !base.live {
		if target.live && paidBefore {
			w.reactivation += target.level
			w.reactivated++
		}
		return
	}
	w.cohort++
	w.base += base.level
	w.target += target.level
	w.rebased += rebased.level
	w.gross += min(base.level, rebased.level)
	change := rebased.level - base.level
	switch {
	case !target.live:
		w.churn += change
		return
	case change > 0:
		w.expansion += change
		w.expanded++
	case change < 0:
		w.contraction += change
		w.contracted++
	}
	w.retained++
}
