package analytics

import (
	"hash/maphash"
	"sync"
)

// stageEvents is the number of events in a block of a stage.
const stageEvents = 4096

// stage holds the invoices of an account that is being opened in the order in
// which they are read. A customer's come one by one and far apart; once all are
// known, each history is made in its final size.
type stage struct {
	blocks    [][]packed
	customers []staged // by index
}

// staged is what is known of one customer's invoices while they are read.
type staged struct {
	source uint32 // index of the data source
	events int32
	last   refs // of the last invoice
}

func (s *stage) addCustomer(source uint32) { s.customers = append(s.customers, staged{source: source}) }

// add takes an event whose row has its key in the account already.
func (s *stage) add(p packed) {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last]) == stageEvents {
		s.blocks = append(s.blocks, make([]packed, 0, stageEvents))
		last++
	}
	s.blocks[last] = append(s.blocks[last], p)
}

// install hands the events to their customers, and makes the index of their ids
// meanwhile.
func (s *stage) install(a *account) {
	var wg sync.WaitGroup
	wg.Go(func() { s.index(&a.invoices, a.seed) })
	for i := range a.customers {
		a.customers[i].history.events = make([]packed, 0, s.customers[i].events)
	}
	for i, block := range s.blocks {
		for j := range block {
			h := &a.customers[a.invoices.keys[block[j].row].owner].history
			h.events = append(h.events, block[j])
		}
		s.blocks[i] = nil
	}
	for i := range a.customers {
		a.customers[i].history.sort()
	}
	wg.Wait()
}

// index enters all invoices into the empty index.
func (s *stage) index(t *invoices, seed maphash.Seed) {
	t.index.reserve(len(t.keys))
	for row := range t.keys {
		if k := &t.keys[row]; k.id != 0 {
			t.index.insert(keyHash(seed, s.customers[k.owner].source, t.ids.at(k.id)), uint32(row))
		}
	}
}
