package report

import "slices"

// front collects the first items of many in an order that tells all of them
// apart: those of a page and before it, without keeping the others.
type front[T any] struct {
	compare func(a, b *T) int
	most    int
	count   int // of all items
	items   []T // the first so far, and since the last cut some that are unsorted
	spare   []T
	full    bool // items[most-1] is the last that may still be among the first
	next    T
}

// add takes an item.
func (f *front[T]) add(item T) {
	f.count++
	f.next = item
	if f.full && f.compare(&f.next, &f.items[f.most-1]) > 0 {
		return
	}
	if f.items = append(f.items, item); len(f.items) >= 2*f.most+1000 {
		f.cut()
	}
}

// cut sorts the items and drops those that are not among the first.
func (f *front[T]) cut() {
	order := make([]int32, len(f.items))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return f.compare(&f.items[a], &f.items[b]) })
	f.spare = f.spare[:0]
	for _, i := range order[:min(f.most, len(order))] {
		f.spare = append(f.spare, f.items[i])
	}
	f.items, f.spare = f.spare, f.items
	f.full = len(f.items) == f.most
}
