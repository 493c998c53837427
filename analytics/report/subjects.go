package report

import (
	"slices"
	"sync"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// subject is what most reports ask of a customer. Those of several and their
// movements lie side by side, unlike ledgers: walking them costs a tenth.
type subject struct {
	customer   *Customer
	ledger     *ledger.Ledger
	moves      []ledger.Movement // those of the ledger, nil when it needs rates
	marks      []mark            // of the moves if single and not varied
	terms      []ledger.State    // of the ledger, none if varied
	arrival    arrival
	last       calendar.Day   // on which the customer's value changes, NoDay if it never does
	pending    calendar.Day   // see pendingUntil
	place      place          // of the customer's country
	movesIn    money.Currency // as in the ledger
	needsRates bool           // as in the ledger
	single     bool           // the moves are those of the only slot, which says all about it
	varied     bool           // there are more terms than are numbered
	invoices   bool           // whether the ledger has any; so with the others
	refunds    bool
	failures   bool
	in         *block // nil outside of blocks
	at         int    // in the block
}

// subjectOf describes a customer with a ledger.
func subjectOf(c *Customer) subject {
	x := describe(c)
	x.moves = c.Ledger.Movements()
	x.terms = appendTerms(nil, x.ledger)
	x.mark(nil)
	return x
}

// describe is subjectOf without the movements.
func describe(c *Customer) subject {
	l := c.Ledger
	x := subject{
		customer: c, ledger: l, last: calendar.NoDay, place: placeOf(c.Country), arrival: arrivalOf(c), pending: pendingUntil(l),
		movesIn: l.MovesIn, needsRates: l.NeedsRates, single: len(l.Slots) == 1 && !l.NeedsRates,
		invoices: len(l.Invoices) > 0, refunds: len(l.Refunds) > 0, failures: len(l.Failures) > 0,
	}
	if n := len(l.Changes); n > 0 {
		x.last = l.Changes[n-1].Day
	}
	return x
}

// blockSize is how many customers a block has.
const blockSize = 64

// block is some customers, who are looked at when the first report asks for
// them. It is shared by the snapshots that have the same customers there.
type block struct {
	customers []*Customer // a copy, so that an old block keeps no other customers alive
	once      sync.Once
	subjects  []subject // of those with a ledger
	ended     endings
	catalog   *catalog // of the account's invoices
	cash      columns  // of the subjects, from the first report about invoices on
}

func (b *block) fill() {
	var mover ledger.Mover
	var moves []ledger.Movement
	var terms []ledger.State
	var ends [][2]int
	for _, c := range b.customers {
		if c == nil || c.Ledger == nil {
			continue
		}
		x := describe(c)
		x.in, x.at = b, len(b.subjects)
		b.subjects = append(b.subjects, x)
		if found, err := mover.Move(moves, c.Ledger, &ledger.View{}); err == nil {
			moves = found // it fails for a ledger that needs rates
		}
		terms = appendTerms(terms, c.Ledger)
		ends = append(ends, [2]int{len(moves), len(terms)})
	}
	moves, terms = slices.Clone(moves), slices.Clone(terms)
	marks := make([]mark, 0, len(moves))
	from := [2]int{}
	for i, to := range ends {
		x := &b.subjects[i]
		x.moves, x.terms = moves[from[0]:to[0]:to[0]], terms[from[1]:to[1]:to[1]]
		marks = x.mark(marks)
		from = to
	}
}

// mark adds the marks of the subject, if it has any, to those of others.
func (x *subject) mark(marks []mark) []mark {
	if x.varied = len(x.terms) > maxTerms; x.varied {
		x.terms = nil
	}
	if !x.single || x.varied {
		return marks
	}
	first := len(marks)
	marks = appendMarks(marks, x.ledger, x.moves, x.terms)
	x.marks = marks[first:len(marks):len(marks)]
	return marks
}

// Follow takes over what reports of an earlier snapshot of the account, nil for
// none, found out about customers who are the same in both. It is for snapshots
// that no report has seen yet; without it, each report looks for itself.
func (s *Snapshot) Follow(earlier *Snapshot) {
	var blocks []*block
	if earlier != nil {
		blocks = earlier.blocks
	}
	s.blocks = blocksOf(s.Customers, blocks)
}

// blocksOf divides customers into blocks, among them earlier ones that have the
// same customers in the same place.
func blocksOf(customers []*Customer, earlier []*block) []*block {
	var blocks []*block
	known := newCatalog()
	if len(earlier) > 0 {
		known = earlier[0].catalog
	}
	for part := range slices.Chunk(customers, blockSize) {
		if i := len(blocks); i < len(earlier) && slices.Equal(earlier[i].customers, part) {
			blocks = append(blocks, earlier[i])
			continue
		}
		blocks = append(blocks, &block{customers: slices.Clone(part), catalog: known})
	}
	return blocks
}

// following returns the blocks of the customers, in order.
func (s *Snapshot) following() []*block {
	if s.blocks == nil {
		return blocksOf(s.Customers, nil)
	}
	return s.blocks
}

// each calls visit for every customer with a ledger, in order.
func (s *Snapshot) each(visit func(*subject) error) error {
	for _, b := range s.following() {
		b.once.Do(b.fill)
		for i := range b.subjects {
			if err := visit(&b.subjects[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
