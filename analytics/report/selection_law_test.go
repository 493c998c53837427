package report

import (
	"math/rand/v2"
	"testing"
)

// What is remembered by place is what the customer alone says, of any country.
func TestLaw_SelectionBySubject(t *testing.T) {
	t.Parallel()
	countries := []string{"", "us", "de", "no", "usa", "x1", "europe"}
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for _, c := range s.Customers {
			if c != nil {
				c.Country = countries[rng.IntN(len(countries))]
			}
		}
		for _, name := range allBreakdowns {
			d, _ := parseDimension(name)
			if d.ofState() || d.kind == subtypeDimension {
				continue
			}
			word := []string{"us", "usa~~de", "eu", "~", "~x1", "*", "other", "ca", "src_a", "c1", "dach", "active", "~6-12"}[rng.IntN(13)]
			q := mustQuery(t, s, map[string][]string{name: {word}, "breakdown": {name}})
			sel, sp := newSelection(s, q), newSplit(s, q, 1)
			err := s.each(func(x *subject) error {
				alone, own := newSelection(s, q), newSplit(s, q, 1)
				if got, want := sel.keeps(x), alone.customer(x.customer); got != want {
					t.Errorf("%s=%s keeps a customer of %q: %t, of itself %t", name, word, x.customer.Country, got, want)
				}
				v, err := sp.ofSubject(x)
				if err != nil {
					return err
				}
				w, err := own.ofCustomer(x.customer)
				if got, want := sp.keys[v], own.keys[w]; got != want {
					t.Errorf("%s of a customer of %q is %q, of itself %q", name, x.customer.Country, got, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
