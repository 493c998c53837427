package report

import "slices"

// front collects the first items of many in an order that tells all of them
// apart: those of a page and before it, without keeping the others.
type front[T any] struct {
	compare func(a, b *T) int
	most    int
	count   int // of all items
	items   []T // the first so far, and since the last cut some that are unsorted
	full    bool
}

// add takes an item.
func (f *front[T]) add(item *T) {
	f.count++
	if f.full && f.compare(item, &f.items[f.most-1]) > 0 {
		return
	}
	if f.items = append(f.items, *item); len(f.items) >= 2*f.most+1000 {
		f.cut()
	}
}

// cut sorts the items and drops those that are not among the first.
func (f *front[T]) cut() {
	slices.SortFunc(f.items, func(a, b T) int { return f.compare(&a, &b) })
	f.items = f.items[:min(f.most, len(f.items))]
	f.full = len(f.items) == f.most
}
