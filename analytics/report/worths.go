package report

import (
	"math/bits"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// worths remembers what amounts are worth at points, because many customers pay
// the same. It forgets what shares a place with a later amount.
type worths struct {
	points *points
	rates  *rates
	places []worth // 2^n of them
	shift  int     // 64-n
}

// worth is what an amount is worth, by point; unpriced where nobody did.
type worth struct {
	holding
	at []int64
}

// unpriced stands for a worth that is not known; those that are known are 0 or more.
const unpriced = -1

// worthsKept is how many worths are remembered at most.
const worthsKept = 1 << 18

func newWorths(p *points, r *rates) worths {
	places := bits.Len(uint(worthsKept / max(1, len(p.ends))))
	return worths{points: p, rates: r, places: make([]worth, 1<<places), shift: 64 - places}
}

// between returns what an amount of 0 or more is worth, by point; those from one
// to another are known. It holds until the next call.
func (w *worths) between(amount int64, in money.Currency, from, to int) ([]int64, error) {
	of := holding{amount, in}
	place := &w.places[(uint64(amount)*0x9e3779b97f4a7c15^uint64(in)<<56)>>w.shift]
	if place.holding != of || place.at == nil {
		place.forget(of, len(w.points.ends))
	}
	at := place.at
	for i := from; i <= to; i++ {
		if at[i] != unpriced {
			continue
		}
		var err error
		if at[i], err = w.points.worth(w.rates, i, amount, in); err != nil {
			at[i] = unpriced
			return nil, err
		}
	}
	return at, nil
}

func (w *worth) forget(of holding, points int) {
	w.holding = of
	if w.at == nil {
		w.at = make([]int64, points)
	}
	for i := range w.at {
		w.at[i] = unpriced
	}
}
