package ledger

import "slices"

// classify finds out whether the movements of all slots depend on exchange
// rates, and their currency.
func (r *Replayer) classify(l *Ledger) {
	if len(l.Changes) == 0 {
		return
	}
	first := l.Changes[0].After.Currency
	if !slices.ContainsFunc(l.Changes, func(c Change) bool { return c.After.Currency != first }) {
		l.MovesIn = first
		return
	}
	moves, err := r.mover.Move(r.moves[:0], l, &View{})
	if err != nil {
		l.NeedsRates = true // the only error of a view without rates
		return
	}
	r.moves = moves
	if len(moves) > 0 && !slices.ContainsFunc(moves, func(m Movement) bool { return m.Currency != moves[0].Currency }) {
		l.MovesIn = moves[0].Currency
	}
}
