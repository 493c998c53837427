package ledger

import "slices"

// classify finds the movements of all slots, as far as that is possible without
// exchange rates.
func (r *Replayer) classify(l *Ledger) {
	moves, err := r.mover.Move(r.moves[:0], l, &View{Base: r.set.Base})
	if err != nil {
		l.NeedsRates = true // the only error of a view without rates
		return
	}
	r.moves = moves
	l.Movements = slices.Clone(moves)
}
