package analytics

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// stageBytes is the size of a block of a stage.
const stageBytes = 64 << 10

// stage holds the invoices of an account that is being opened in the order in
// which they are read. A customer's come one by one and far apart; once all are
// known, everything that depends on their number is made in its final size.
type stage struct {
	blocks    [][]byte         // the events as they are written, each behind its length
	customers []stagedCustomer // by index
}

// stagedCustomer is what is known of one customer's invoices while they are read.
type stagedCustomer struct {
	source uint32 // index of the data source
	mixed  bool   // the events are not in order of date
	bytes  int    // of the events
	writer writer
	text   strings.Builder
}

func (s *stage) addCustomer(source uint32) {
	s.customers = append(s.customers, stagedCustomer{source: source})
}

func (s *stage) add(owner uint32, ev *ledger.Event) {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last])+1+longestEvent > stageBytes {
		s.blocks = append(s.blocks, make([]byte, 0, stageBytes))
		last++
	}
	c := &s.customers[owner]
	c.mixed = c.mixed || ev.Date < c.writer.event.Date && c.bytes > 0
	block := append(s.blocks[last], 0)
	size := len(block) - 1
	block = c.writer.add(block, ev)
	n := len(block) - 1 - size
	block[size] = byte(n)
	s.blocks[last] = block
	c.bytes += n
}

// install hands the events to their customers, and makes the index of their ids
// meanwhile.
func (s *stage) install(a *account) {
	t := &a.invoices
	t.tight()
	var wg sync.WaitGroup
	wg.Go(func() { s.index(t, a.seed) })
	for i := range s.customers {
		s.customers[i].text.Grow(s.customers[i].bytes)
	}
	row := 0
	for i, block := range s.blocks {
		for len(block) > 0 {
			for row++; t.owners[row] == nobody; row++ {
			}
			n := 1 + int(block[0])
			s.customers[t.owners[row]].text.Write(block[1:n])
			block = block[n:]
		}
		s.blocks[i] = nil
	}
	var scratch sheet
	for i := range s.customers {
		c := &s.customers[i]
		h := history{text: c.text.String(), extras: tight(c.writer.extras)}
		if c.mixed {
			h = scratch.sorted(&h)
		}
		a.customers[i].history = h
	}
	wg.Wait()
}

// index enters all invoices into the empty index.
func (s *stage) index(t *invoices, seed maphash.Seed) {
	t.index.reserve(t.len())
	for row, owner := range t.owners {
		if owner != nobody {
			t.index.insert(keyHash(seed, s.customers[owner].source, t.id(uint32(row))), uint32(row))
		}
	}
}
