package ledger

// classify finds the movements of all slots when they share one currency.
func (r *Replayer) classify(l *Ledger) {
	total := int64(0)
	ever := false
	for i := 0; i < len(l.Changes); {
		day, before := l.Changes[i].Day, total
		for ; i < len(l.Changes) && l.Changes[i].Day == day; i++ {
			c := l.Changes[i]
			total += c.After.MRR
			if c.Prev >= 0 {
				total -= l.Changes[c.Prev].After.MRR
			}
		}
		m := Movement{Day: day, Before: before, After: total}
		switch {
		case before == total:
		case before == 0 && !ever:
			m.Type = New
			ever = true
		case before == 0:
			m.Type = Reactivation
		case total == 0:
			m.Type = Churn
		case total > before:
			m.Type = Expansion
		default:
			m.Type = Contraction
		}
		l.Movements = append(l.Movements, m)
	}
}
