package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// The pages of a long list are parts of one order, which sorting a page's worth
// at a time keeps.
func TestCustomerList_PagesAreInOneOrder(t *testing.T) {
	t.Parallel()
	s := &Snapshot{Account: "many", Settings: ledger.DefaultSettings(), Today: date("2024-06-01"), Sources: []Source{{ID: "a"}, {ID: "b"}}, Symbols: []string{""}}
	nothing := ledger.NewReplayer(s.Settings, []ledger.Plan{{}}).Replay(nil, 0, s.Today)
	const customers = 4000
	var want []string
	for i := range customers {
		c := &Customer{Source: uint32(i % 2), ID: fmt.Sprint("c", i/2), Ledger: nothing}
		s.Customers = append(s.Customers, c)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(s.Customers), func(i, j int) { s.Customers[i], s.Customers[j] = s.Customers[j], s.Customers[i] })
	for _, c := range slices.SortedFunc(slices.Values(s.Customers), func(a, b *Customer) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Source, b.Source))
	}) {
		want = append(want, c.ID+s.Sources[c.Source].ID)
	}
	s.Customers = append(s.Customers, nil)
	for _, page := range [][2]int{{0, 1}, {0, 50}, {7, 500}, {1990, 20}, {customers - 3, 10}, {customers + 5, 10}} {
		offset, limit := page[0], page[1]
		r, err := CustomerList(s, mustQuery(t, s, map[string][]string{"offset": {fmt.Sprint(offset)}, "limit": {fmt.Sprint(limit)}}))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range r.List {
			got = append(got, c.ID+c.SourceID)
		}
		expected := want[min(offset, customers):min(offset+limit, customers)]
		if r.Count != customers || !slices.Equal(got, expected) {
			t.Errorf("%d from %d of %d: %v, want %v", limit, offset, r.Count, got, expected)
		}
	}
}
