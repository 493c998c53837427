package report

import (
	"iter"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// maxTerms is how many terms a customer's are numbered up to: those of a view
// fit into a word.
const maxTerms = 64

// mark is what a movement of a customer with a single slot says beyond its
// amounts, so that its views are found without a look at the ledger.
type mark struct {
	term uint8          // of the slot after it; of no meaning when that has no value
	left ledger.Subtype // of the movement in a view that the slot leaves by it
}

// termOf is what filters and breakdowns look at in a state with value, and
// nothing else.
func termOf(st *ledger.State) ledger.State {
	t := ledger.State{MRR: 1, Plan: st.Plan, Method: st.Method, Interval: st.Interval, Currency: st.Currency, Pricing: st.Pricing}
	if st.Discount != 0 {
		t.Discount = 1
	}
	return t
}

// appendTerms appends the terms of a ledger, each once, in the order in which
// they appear. It stops at one more than are numbered.
func appendTerms(terms []ledger.State, l *ledger.Ledger) []ledger.State {
	first := len(terms)
	for i := range l.Changes {
		if st := &l.Changes[i].After; st.MRR != 0 {
			if t := termOf(st); !slices.Contains(terms[first:], t) {
				terms = append(terms, t)
			}
		}
		if len(terms)-first > maxTerms {
			break
		}
	}
	return terms
}

// appendMarks appends the marks of the movements of a ledger with a single slot.
func appendMarks(marks []mark, l *ledger.Ledger, moves []ledger.Movement, terms []ledger.State) []mark {
	for i := range moves {
		at := int(moves[i].First)
		term := slices.Index(terms, termOf(&l.Changes[at].After))
		marks = append(marks, mark{term: uint8(max(term, 0)), left: l.Leaving(at)})
	}
	return marks
}

// terms is a set of the terms of a customer, by number.
type terms uint64

// has reports whether the set has a term.
func (t terms) has(number uint8) bool { return t>>number&1 != 0 }

// all returns the set of all terms.
func (x *subject) all() terms { return 1<<len(x.terms) - 1 }

// matching returns the terms that match; nil matches all.
func (x *subject) matching(match func(*ledger.State) bool) terms {
	if match == nil {
		return x.all()
	}
	var in terms
	for i := range x.terms {
		if match(&x.terms[i]) {
			in |= 1 << i
		}
	}
	return in
}

// appendWithin appends the movements within a view of a customer with a single
// slot: those in which the slot stays in the view as they are, and one for each
// time that it comes or goes.
func (x *subject) appendWithin(dst []ledger.Movement, in terms) []ledger.Movement {
	was, ever := false, false // in the view before, at any time
	quantity := int32(0)
	for i := range x.moves {
		m := &x.moves[i]
		before := quantity
		quantity += m.Quantity
		is := m.After != 0 && in.has(x.marks[i].term)
		if !was && !is {
			continue
		}
		dst = append(dst, *m)
		switch own := &dst[len(dst)-1]; {
		case !was:
			own.Type, own.Subtype = ledger.New, ledger.SubNew
			if ever {
				own.Type, own.Subtype = ledger.Reactivation, ledger.SubReactivation
			}
			own.Before, own.Customers, own.Quantity = 0, 1, quantity
		case !is:
			own.Type, own.Subtype = ledger.Churn, x.marks[i].left
			own.After, own.Customers, own.Quantity = 0, -1, -before
		}
		was, ever = is, ever || is
	}
	return dst
}

// states passes every state of a customer that a filter or breakdown can tell
// from the others, once or more often.
func (x *subject) states() iter.Seq[*ledger.State] {
	return func(yield func(*ledger.State) bool) {
		for i := range x.terms {
			if !yield(&x.terms[i]) {
				return
			}
		}
		if !x.varied {
			return
		}
		for i := range x.ledger.Changes {
			if st := &x.ledger.Changes[i].After; st.MRR != 0 && !yield(st) {
				return
			}
		}
	}
}
