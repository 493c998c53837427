package report

import (
	"math/bits"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// worths remembers what amounts are worth at points, because many customers pay
// the same. When they are too many it forgets them all.
type worths struct {
	points *points
	rates  *rates
	places []worth // 2^n of them, at most half of them taken
	taken  int
	cells  []int64 // by amount, then point; unpriced where nobody asked yet
}

// worth is an amount and where its cells begin. A place whose next is 0 is free.
type worth struct {
	holding
	next int // where the cells of the next amount begin
}

// unpriced stands for a worth that is not known; those that are known are 0 or more.
const unpriced = -1

// worthsKept is how many worths are remembered, about.
const worthsKept = 1 << 18

func newWorths(p *points, r *rates) worths {
	return worths{points: p, rates: r, places: make([]worth, 1<<8)}
}

// between returns what an amount of 0 or more is worth, by point; those from one
// to another are known. It holds until the next call.
func (w *worths) between(amount int64, in money.Currency, from, to int) ([]int64, error) {
	of := holding{amount, in}
	place := w.place(of)
	if place.next == 0 {
		place = w.take(of)
	}
	at := w.cells[place.next-len(w.points.ends) : place.next]
	for i := from; i <= to; i++ {
		if at[i] != unpriced {
			continue
		}
		worth, err := w.points.worth(w.rates, i, amount, in)
		if err != nil {
			return nil, err
		}
		at[i] = worth
	}
	return at, nil
}

// place returns the place of an amount, or the free one that it may take.
func (w *worths) place(of holding) *worth {
	last := uint64(len(w.places) - 1)
	i := (uint64(of.value)*0x9e3779b97f4a7c15 ^ uint64(of.currency)<<56) >> (64 - bits.Len64(last))
	for w.places[i].next != 0 && w.places[i].holding != of {
		i = (i + 1) & last
	}
	return &w.places[i]
}

// take makes room for an amount that has no place, and cells for its worths.
func (w *worths) take(of holding) *worth {
	switch {
	case len(w.cells) >= worthsKept:
		clear(w.places)
		w.taken, w.cells = 0, w.cells[:0]
	case 2*w.taken >= len(w.places):
		w.grow()
	}
	w.taken++
	for range w.points.ends {
		w.cells = append(w.cells, unpriced)
	}
	place := w.place(of)
	*place = worth{of, len(w.cells)}
	return place
}

func (w *worths) grow() {
	known := w.places
	w.places = make([]worth, 2*len(known))
	for i := range known {
		if known[i].next != 0 {
			*w.place(known[i].holding) = known[i]
		}
	}
}
