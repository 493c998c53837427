package analytics

import (
	"hash/maphash"
	"sync"
)

// stageEvents is the number of events in a block of a stage.
const stageEvents = 4096

// stage holds the invoices of an account that is being opened in the order in
// which they are read. A customer's come one by one and far apart; once all are
// known, everything that depends on their number is made in its final size.
type stage struct {
	blocks    [][]stagedEvent
	customers []stagedCustomer // by index
	last      int64            // row number of the last event
}

// stagedEvent is an invoice with its key.
type stagedEvent struct {
	packed
	doc   uint64 // hash of the document
	owner uint32 // index of the customer
}

// stagedCustomer is what is known of one customer's invoices while they are read.
type stagedCustomer struct {
	source uint32 // index of the data source
	events int32
	last   refs // of the last invoice
}

func (s *stage) addCustomer(source uint32) {
	s.customers = append(s.customers, stagedCustomer{source: source})
}

func (s *stage) add(e stagedEvent) {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last]) == stageEvents {
		s.blocks = append(s.blocks, make([]stagedEvent, 0, stageEvents))
		last++
	}
	s.blocks[last] = append(s.blocks[last], e)
	s.customers[e.owner].events++
	s.last = int64(e.row)
}

// install hands the events to their customers, and makes the index of their ids
// meanwhile.
func (s *stage) install(a *account) {
	t := &a.invoices
	t.keys = make([]invoiceKey, s.last+1) // deleted rows leave gaps
	for _, block := range s.blocks {
		for i := range block {
			e := &block[i]
			t.keys[e.row] = invoiceKey{doc: e.doc, owner: e.owner, id: e.id}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.index(t, a.seed) })
	for i := range a.customers {
		a.customers[i].history.events = make([]packed, 0, s.customers[i].events)
	}
	for i, block := range s.blocks {
		for j := range block {
			h := &a.customers[block[j].owner].history
			h.events = append(h.events, block[j].packed)
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
