package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// Whichever places are asked for, and in whichever order, they are those of the
// whole list.
func TestRanking_RowsAreThoseOfTheWholeList(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		unordered := make(ranking, random.IntN(20))
		for i, id := range random.Perm(len(unordered)) {
			unordered[i] = payer{customer: &Customer{ID: fmt.Sprintf("c%02d", id/2), Source: uint32(id % 2)}, mrr: int64(random.IntN(4))}
		}
		slices.SortStableFunc(unordered, func(a, b payer) int { return int(b.mrr - a.mrr) })
		total := unordered.sum(len(unordered))
		whole := slices.Clone(unordered).rows(0, len(unordered), total)
		for i := 1; i < len(whole); i++ {
			a, b := whole[i-1], whole[i]
			if a.MRR < b.MRR || a.MRR == b.MRR && byID(a.Customer, b.Customer) >= 0 || b.CumulativeMRR != a.CumulativeMRR+b.MRR || b.Rank != i+1 {
				t.Fatalf("%+v before %+v", a, b)
			}
		}
		for range 10 {
			from := random.IntN(len(whole) + 1)
			to := from + random.IntN(len(whole)-from+1)
			if diff := gocmp.Diff(whole[from:to], unordered.rows(from, to, total)); diff != "" {
				t.Fatalf("places %d to %d (-want +got):\n%s", from, to, diff)
			}
		}
	}
}

// A ranking is in order of MRR, from none to more than any company has, and has
// every payer once.
func TestRanking_IsSortedByMRR(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 7))
	for range 200 {
		unsorted := make(ranking, random.IntN(50))
		most := int64(1) << random.IntN(63)
		for i := range unsorted {
			unsorted[i] = payer{customer: &Customer{ID: fmt.Sprint(i)}, mrr: random.Int64N(most)}
		}
		want := slices.Clone(unsorted)
		slices.SortStableFunc(want, func(a, b payer) int { return cmp.Compare(b.mrr, a.mrr) })
		if got := unsorted.sorted(); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// A payer whose MRR overflowed is somewhere in the ranking, once.
func TestRanking_OfWhatOverflowed(t *testing.T) {
	t.Parallel()
	all := ranking{{mrr: -2}, {mrr: 5}, {mrr: 1<<63 - 1}, {mrr: -1 << 63}}
	got := slices.Clone(all).sorted()
	for _, p := range all {
		if !slices.Contains(got, p) || len(got) != len(all) {
			t.Errorf("%v has not every payer of %v", got, all)
		}
	}
}
