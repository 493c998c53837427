package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// selection is a query's filters, ready to be asked.
type selection struct {
	customers []customerFilter
	states    []func(*ledger.State) bool
}

// customerFilter is a condition on whole customers. The answers of one on the
// country are remembered by place.
type customerFilter struct {
	keeps func(*Customer) bool
	known []answer // nil when the condition is on something else
}

// answer is what is known of a condition.
type answer uint8

const (
	unknown answer = iota
	yes
	no
)

// of asks the condition about a subject.
func (f *customerFilter) of(x *subject) bool {
	if f.known == nil || x.place == otherPlace {
		return f.keeps(x.customer)
	}
	known := &f.known[x.place]
	if *known == unknown {
		*known = answerOf(f.keeps(x.customer))
	}
	return *known == yes
}

func answerOf(keeps bool) answer {
	if keeps {
		return yes
	}
	return no
}

func newSelection(s *Snapshot, q *Query) selection {
	var sel selection
	for i := range q.Filters {
		f := &q.Filters[i]
		if f.Dimension.ofState() {
			sel.states = append(sel.states, s.stateFilter(f))
		} else {
			on := customerFilter{keeps: s.customerFilter(f, q.AgeDay)}
			if f.Dimension.ofPlace() {
				on.known = make([]answer, places)
			}
			sel.customers = append(sel.customers, on)
		}
	}
	return sel
}

// customer reports whether the customer passes.
func (sel *selection) customer(c *Customer) bool {
	if c == nil || c.Ledger == nil {
		return false
	}
	for i := range sel.customers {
		if !sel.customers[i].keeps(c) {
			return false
		}
	}
	return true
}

// keeps is customer for a subject. It looks at the customer only if it must.
func (sel *selection) keeps(x *subject) bool {
	for i := range sel.customers {
		if !sel.customers[i].of(x) {
			return false
		}
	}
	return true
}

// match returns the condition on states, nil when there is none.
func (sel *selection) match() func(*ledger.State) bool {
	switch len(sel.states) {
	case 0:
		return nil
	case 1:
		return sel.states[0]
	default:
		states := sel.states
		return func(st *ledger.State) bool {
			for _, keeps := range states {
				if !keeps(st) {
					return false
				}
			}
			return true
		}
	}
}

// customerFilter returns the condition of a filter on whole customers.
func (s *Snapshot) customerFilter(f *Filter, ageDay calendar.Day) func(*Customer) bool {
	switch f.Dimension.kind {
	case dataSourceDimension:
		return func(c *Customer) bool {
			src := s.source(c.Source)
			return f.keeps(src.ID, src.Type)
		}
	case regionDimension:
		return s.regionFilter(f)
	case ageDimension:
		ages := newAges(slices.Concat(f.in, f.out))
		return func(c *Customer) bool { return f.keeps(ages.of(s.ageOn(c, ageDay))...) }
	default:
		value := s.attribute(f.Dimension, ageDay)
		return func(c *Customer) bool { return f.keeps(f.Dimension.normal(value(c))) }
	}
}

// regionFilter returns the condition of a filter on countries and named regions.
// It asks once per country.
func (s *Snapshot) regionFilter(f *Filter) func(*Customer) bool {
	countries := *f
	countries.in, countries.out = withCountries(f.in), withCountries(f.out)
	known := map[string]bool{}
	return func(c *Customer) bool {
		keeps, ok := known[c.Country]
		if !ok {
			keeps = countries.keeps(c.Country)
			known[c.Country] = keeps
		}
		return keeps
	}
}

// attribute returns what tells a customer's value in a dimension, "" for none.
// Ages are those of a day.
func (s *Snapshot) attribute(d Dimension, ageDay calendar.Day) func(*Customer) string {
	switch d.kind {
	case regionDimension, countryDimension:
		return func(c *Customer) string { return c.Country }
	case stateDimension:
		return func(c *Customer) string { return c.State }
	case dataSourceDimension:
		return func(c *Customer) string { return s.source(c.Source).ID }
	case statusDimension:
		return func(c *Customer) string { return c.Status().String() }
	case customerDimension:
		return func(c *Customer) string { return c.ID }
	case cancelReasonDimension:
		return s.cancelReason
	case customDimension:
		return func(c *Customer) string { return c.Custom.Get(d.key) }
	case marketDimension:
		found := markets{}
		return func(c *Customer) string { return found.of(c.Country) }
	case ageDimension:
		buckets := newAges(ageBuckets[:])
		return func(c *Customer) string {
			if in := buckets.of(s.ageOn(c, ageDay)); len(in) > 0 {
				return in[0]
			}
			return ""
		}
	default:
		return func(*Customer) string { return "" }
	}
}

// stateFilter returns the condition of a filter on single subscriptions. What
// can be decided once per query is, because the condition runs once per state.
func (s *Snapshot) stateFilter(f *Filter) func(*ledger.State) bool {
	switch f.Dimension.kind {
	case planDimension:
		keeps := s.plansKept(f)
		return func(st *ledger.State) bool { return int(st.Plan) < len(keeps) && keeps[st.Plan] }
	case currencyDimension:
		var keeps [256]bool
		for _, c := range money.All() {
			keeps[c] = f.keeps(c.Code())
		}
		return func(st *ledger.State) bool { return keeps[st.Currency] }
	case paymentMethodDimension:
		keeps := lazily(len(s.Symbols), func(i int) bool { return f.keeps(strings.ToLower(s.Symbols[i])) })
		return func(st *ledger.State) bool { return keeps(int(st.Method)) }
	case billingFreqDimension:
		return func(st *ledger.State) bool { return f.keeps(frequency(st.Interval).String()) }
	case pricingModelDimension:
		licensed, metered := f.keeps(ledger.Licensed.String()), f.keeps(ledger.Metered.String())
		return func(st *ledger.State) bool {
			if st.Pricing == ledger.Metered {
				return metered
			}
			return licensed
		}
	default:
		with, without := f.keeps(strconv.FormatBool(true)), f.keeps(strconv.FormatBool(false))
		return func(st *ledger.State) bool {
			if st.Discount != 0 {
				return with
			}
			return without
		}
	}
}

// lazily remembers the answers of a condition on small numbers.
func lazily(n int, ask func(int) bool) func(int) bool {
	known := make([]answer, n)
	return func(i int) bool {
		if i >= n {
			return false
		}
		if known[i] == unknown {
			known[i] = answerOf(ask(i))
		}
		return known[i] == yes
	}
}

// plansKept resolves a plan filter: each of its words is the id or name of a
// plan group, else the id of plans, else their name.
func (s *Snapshot) plansKept(f *Filter) []bool {
	if name, excluded := strings.CutPrefix(f.raw, "~"); excluded && s.plansNamed(name) != nil {
		f = &Filter{Dimension: f.Dimension, out: []string{name}} // one name, which may hold spaces
	}
	resolved := Filter{Dimension: f.Dimension, set: f.set, unset: f.unset, notSet: f.notSet}
	resolve := func(words []string) []string {
		var refs []string
		for _, word := range words {
			for _, ref := range s.plansNamed(word) {
				refs = append(refs, strconv.Itoa(int(ref)))
			}
		}
		return refs
	}
	resolved.out = resolve(f.out)
	if resolved.in = resolve(f.in); len(f.in) > 0 && len(resolved.in) == 0 {
		resolved.in = []string{"?"} // words that name nothing match nothing
	}
	keeps := make([]bool, len(s.Plans))
	for ref := range s.Plans {
		value := ""
		if ref > 0 {
			value = strconv.Itoa(ref)
		}
		keeps[ref] = resolved.keeps(value)
	}
	return keeps
}

// plansNamed returns the plans that a word of the plan filter means.
func (s *Snapshot) plansNamed(word string) []ledger.PlanRef {
	for i := range s.PlanGroups {
		if g := &s.PlanGroups[i]; g.ID == word || strings.EqualFold(g.Name, word) {
			return g.Plans
		}
	}
	byID := s.plansWhere(func(p *ledger.Plan) bool { return p.ID == word })
	if byID != nil {
		return byID
	}
	return s.plansWhere(func(p *ledger.Plan) bool { return strings.EqualFold(p.Name, word) })
}

func (s *Snapshot) plansWhere(is func(*ledger.Plan) bool) []ledger.PlanRef {
	var refs []ledger.PlanRef
	for ref := 1; ref < len(s.Plans); ref++ {
		if is(&s.Plans[ref]) {
			refs = append(refs, ledger.PlanRef(ref))
		}
	}
	return refs
}
