package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// maxValues bounds the values of a breakdown, and maxCells their rows together:
// an answer of more figures than that serves nobody.
const (
	maxValues = 5000
	maxCells  = 50000
)

// split numbers the values of a breakdown in the order in which they appear.
type split struct {
	s      *Snapshot
	d      Dimension
	of     func(*Customer) string // value of a customer
	groups []valueGroup           // if any, they are the values
	rows   int                    // rows per value
	keys   []string
	labels []string
	index  map[string]int32

	byState  [][]int32 // values by keyOf, nil where not seen yet
	byPlace  []int32   // values and 1 by place, 0 where not seen yet; nil when they depend on more
	distinct []int32

	wanted    int32 // what condition asks for
	match     func(*ledger.State) bool
	condition func(*ledger.State) bool
}

func newSplit(s *Snapshot, q *Query, rows int) *split {
	d := q.Breakdown
	keys := 256 // of a currency, an interval, a pricing model, a discount
	switch d.kind {
	case planDimension:
		keys = len(s.Plans)
	case paymentMethodDimension:
		keys = len(s.Symbols)
	default:
	}
	sp := &split{s: s, d: d, rows: rows, index: map[string]int32{}, byState: make([][]int32, keys), of: s.attribute(d, q.AgeDay)}
	sp.group(q)
	if d.ofPlace() {
		sp.byPlace = make([]int32, places)
	}
	return sp
}

// value numbers a key; "" is the key of what has no value.
func (sp *split) value(key, label string) (int32, error) {
	if key == "" {
		key, label = Unset, unsetLabel
	}
	if i, ok := sp.index[key]; ok {
		return i, nil
	}
	i := len(sp.keys)
	if i >= maxValues || (i+1)*sp.rows > maxCells {
		return 0, &ParamError{"breakdown", fmt.Sprintf("%s has more than %d values over %d rows; narrow it with a filter, a shorter range or a longer interval", sp.d.Name(), i, sp.rows)}
	}
	sp.index[key] = int32(i)
	sp.keys, sp.labels = append(sp.keys, key), append(sp.labels, label)
	return int32(i), nil
}

// ofCustomer numbers the customer's value.
func (sp *split) ofCustomer(c *Customer) (int32, error) {
	key := sp.of(c)
	if i, ok := sp.index[key]; ok {
		return i, nil
	}
	return sp.value(key, sp.label(key, c))
}

// ofSubject is ofCustomer. It looks at the customer only if it must.
func (sp *split) ofSubject(x *subject) (int32, error) {
	if sp.byPlace == nil || x.place == otherPlace {
		return sp.ofCustomer(x.customer)
	}
	if known := sp.byPlace[x.place]; known != 0 {
		return known - 1, nil
	}
	value, err := sp.ofCustomer(x.customer)
	if err == nil {
		sp.byPlace[x.place] = value + 1
	}
	return value, err
}

// label is what people read for a customer's value.
func (sp *split) label(key string, c *Customer) string {
	name := ""
	if sp.groups != nil {
		return key
	}
	switch sp.d.kind {
	case customerDimension:
		name = c.Name
	case dataSourceDimension:
		name = sp.s.source(c.Source).Name
	case regionDimension, countryDimension, stateDimension:
		name = strings.ToUpper(key)
	default:
	}
	if name == "" {
		return key
	}
	return name
}

// ofSubtype numbers a subtype.
func (sp *split) ofSubtype(t ledger.Subtype) (int32, error) {
	return sp.value(t.String(), t.String())
}

// ofState numbers the values of a state: several when its plan is in several
// groups. The result is shared and must not be changed.
func (sp *split) ofState(st *ledger.State) ([]int32, error) {
	key := sp.keyOf(st)
	if values := sp.byState[key]; values != nil {
		return values, nil
	}
	var values []int32
	for _, name := range sp.names(st) {
		label := name
		if sp.d.kind == currencyDimension && sp.groups == nil {
			label = strings.ToUpper(name)
		}
		v, err := sp.value(name, label)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	sp.byState[key] = values
	return values, nil
}

// keyOf is the part of a state that the dimension depends on.
func (sp *split) keyOf(st *ledger.State) int {
	switch sp.d.kind {
	case planDimension:
		return int(st.Plan)
	case currencyDimension:
		return int(st.Currency)
	case billingFreqDimension:
		return int(frequency(st.Interval))
	case pricingModelDimension:
		return int(st.Pricing)
	case paymentMethodDimension:
		return int(st.Method)
	default:
		if st.Discount != 0 {
			return 1
		}
		return 0
	}
}

// names returns the keys of a state: of a plan the groups it is in, else its
// own name.
func (sp *split) names(st *ledger.State) []string {
	if sp.groups != nil {
		return []string{sp.groupOf(st)}
	}
	switch sp.d.kind {
	case planDimension:
		p := sp.s.plan(st.Plan)
		switch {
		case len(p.Groups) > 0:
			return p.Groups
		case p.Name != "":
			return []string{p.Name}
		default:
			return []string{p.ID}
		}
	case currencyDimension:
		return []string{st.Currency.Code()}
	case billingFreqDimension:
		return []string{frequency(st.Interval).String()}
	case pricingModelDimension:
		return []string{st.Pricing.String()}
	case paymentMethodDimension:
		return []string{sp.s.symbol(st.Method)}
	default:
		return []string{strconv.FormatBool(st.Discount != 0)}
	}
}

// ofStates returns the values of all of a customer's states that match, each
// once, in order of appearance. The result is overwritten by the next call.
func (sp *split) ofStates(x *subject, match func(*ledger.State) bool) ([]int32, error) {
	sp.distinct = sp.distinct[:0]
	for st := range x.states() {
		if match != nil && !match(st) {
			continue
		}
		values, err := sp.ofState(st)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if !slices.Contains(sp.distinct, v) {
				sp.distinct = append(sp.distinct, v)
			}
		}
	}
	return sp.distinct, nil
}

// within returns the condition that a state matches and has a value. Every
// state must have been seen by ofStates. The condition holds until the next
// call: it is one function for all values, because a report asks for one per
// customer and value.
func (sp *split) within(value int32, match func(*ledger.State) bool) func(*ledger.State) bool {
	sp.wanted, sp.match = value, match
	if sp.condition == nil {
		sp.condition = func(st *ledger.State) bool {
			return (sp.match == nil || sp.match(st)) && slices.Contains(sp.byState[sp.keyOf(st)], sp.wanted)
		}
	}
	return sp.condition
}

// sorted returns the numbers of the values by label, what is not set last.
func (sp *split) sorted() []int32 {
	order := make([]int32, len(sp.keys))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if (sp.keys[a] == Unset) != (sp.keys[b] == Unset) {
			if sp.keys[a] == Unset {
				return 1
			}
			return -1
		}
		return strings.Compare(sp.keys[a], sp.keys[b])
	})
	return order
}
