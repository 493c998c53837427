package analytics

import (
	"math"
	"slices"
)

// nobody is the owner of a deleted row.
const nobody = math.MaxUint32

// invoices finds the invoices of an account by id, and recognizes them when they
// come again. Row numbers are the Seq of the stored rows; row 0 is not used.
type invoices struct {
	docs   []uint64 // by row: hash of the document
	owners []uint32 // by row: index of the customer, or nobody
	names  []uint32 // by row: position of the id in ids; it stays when the row is deleted
	ids    arena
	index  index
}

func newInvoices() invoices {
	return invoices{docs: make([]uint64, 1), owners: []uint32{nobody}, names: make([]uint32, 1)}
}

// len is one more than the highest row number.
func (t *invoices) len() int { return len(t.docs) }

func (t *invoices) id(row uint32) string { return t.ids.at(t.names[row]) }

// add appends a row. The rows before it that are not there count as deleted.
func (t *invoices) add(row uint32, id string, doc uint64, owner uint32) {
	for t.len() < int(row) {
		t.push(0, nobody, 0)
	}
	t.push(doc, owner, t.ids.add(id))
}

func (t *invoices) push(doc uint64, owner, name uint32) {
	t.docs, t.owners, t.names = appendTight(t.docs, doc), appendTight(t.owners, owner), appendTight(t.names, name)
}

// double makes room for as many rows again, where growing by little at a time
// would take long. tight gives back what is not needed.
func (t *invoices) double() {
	n := t.len()
	t.docs, t.owners, t.names = slices.Grow(t.docs, n), slices.Grow(t.owners, n), slices.Grow(t.names, n)
}

func (t *invoices) tight() {
	t.docs, t.owners, t.names = tight(t.docs), tight(t.owners), tight(t.names)
}

// truncate drops the rows from n on.
func (t *invoices) truncate(n int) {
	t.docs, t.owners, t.names = t.docs[:n], t.owners[:n], t.names[:n]
}

// view returns id for the rows that are there now. It may be used while rows are
// added, changed and deleted.
func (t *invoices) view() func(row uint32) string {
	names, at := t.names, t.ids.view()
	return func(row uint32) string {
		if int(row) >= len(names) {
			return ""
		}
		return at(names[row])
	}
}

// appendTight appends and grows by an eighth: doubling would waste a third of
// the memory of an account.
func appendTight[T any](all []T, v T) []T {
	if n := len(all); n == cap(all) {
		grown := make([]T, n, n+n/8+2)
		copy(grown, all)
		all = grown
	}
	return append(all, v)
}

// tight returns a list without room for more.
func tight[T any](all []T) []T {
	if len(all) == cap(all) {
		return all
	}
	return append(make([]T, 0, len(all)), all...)
}
