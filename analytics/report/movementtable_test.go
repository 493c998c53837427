package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of more movements than are kept at a time, each page is what it is among all
// of them, in every order: of many customers, and of one customer's doubles, so
// that only their ids tell the movements of a day apart.
func TestMovementTable_Pages(t *testing.T) {
	t.Parallel()
	many, doubles := largeAccount(300, "usd", "eur"), largeAccount(1, "eur")
	one := *doubles.Customers[0]
	for i := range 1500 {
		double := one
		double.ID = fmt.Sprint("c", 9999-i)
		doubles.Customers = append(doubles.Customers, &double)
	}
	doubles.Follow(nil)
	for _, s := range []*Snapshot{many, doubles} {
		for _, sort := range []string{"", "mrr_change", "amount_base_currency", "customer_name", "type"} {
			for _, order := range []string{"asc", "desc"} {
				checkMovementPages(t, s, map[string][]string{"date": {"20230101-20251220"}, "sort": {sort}, "order": {order}, "breakdown": {"plan"}})
			}
		}
	}
}

func checkMovementPages(t *testing.T, s *Snapshot, params map[string][]string) {
	t.Helper()
	whole := newTable(s, mustQuery(t, s, params), 1<<30)
	whole.all = true
	if err := whole.sc.customers(whole.add); err != nil {
		t.Fatal(err)
	}
	if whole.full || len(whole.found) < 3000 {
		t.Fatalf("%d movements, cut %t", len(whole.found), whole.full)
	}
	whole.cut()
	same := cmp.Comparer(func(a, b *Customer) bool { return a == b })
	for _, offset := range []int{0, 7, 333} {
		params["limit"], params["offset"] = []string{"10"}, []string{fmt.Sprint(offset)}
		r, err := MovementTable(s, mustQuery(t, s, params))
		if err != nil {
			t.Fatal(err)
		}
		if r.Count != len(whole.found) || len(r.Rows) != 10 {
			t.Errorf("MovementTable(%v): %d of %d movements, want 10 of %d", params, len(r.Rows), r.Count, len(whole.found))
		}
		for i := range r.Rows {
			want, err := whole.row(&whole.found[offset+i])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, r.Rows[i], same); diff != "" {
				t.Fatalf("MovementTable(%v): row %d (-all at once +page):\n%s", params, offset+i, diff)
			}
		}
	}
}
