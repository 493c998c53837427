package report

import (
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// endingScan walks the subscriptions that customers gave up: the endings that
// hold and take value away within the query's view. One that is asked for and
// voided, that comes before anything was paid, or whose stream goes on the same
// day does not count. The filter by cancel_reason is one on the reason of the
// ending itself, not on the customer's last.
type endingScan struct {
	s       *Snapshot
	q       *Query
	sel     selection
	filters []Filter // on the reason
	match   func(*ledger.State) bool
	rates   *rates
	split   *split // nil without a breakdown
	days    calendar.Range
	derived bool // whether endings that nobody asked for count

	reasons []reason
	stated  map[ledger.Symbol]int32 // numbers of reasons
	byCause [ledger.ByCancellation]int32
	states  []*ledger.State
	values  []int32
}

// reason is why subscriptions ended, in lower case: as stated, or derived when
// invoices just stopped or were not paid; "" when there is none.
type reason struct {
	name  string
	keeps bool // whether the filters on it do
}

// newEndingScan prepares a scan of what was asked for, or ended without that, in
// the days of the query up to today. A breakdown has so many rows.
func newEndingScan(s *Snapshot, q *Query, rows int, derived bool) *endingScan {
	es := &endingScan{
		s: s, q: q, derived: derived, days: calendar.Range{From: q.Range.From, To: min(q.Range.To, s.Today)}, stated: map[ledger.Symbol]int32{},
	}
	others := *q
	others.Filters = nil
	for i := range q.Filters {
		if q.Filters[i].Dimension.kind == cancelReasonDimension {
			es.filters = append(es.filters, q.Filters[i])
		} else {
			others.Filters = append(others.Filters, q.Filters[i])
		}
	}
	es.byCause[ledger.ByInvoluntary], es.byCause[ledger.ByExpiry] = es.numberOf(reasonPaymentFailed), es.numberOf(reasonExpired)
	es.sel = newSelection(s, &others)
	es.match = es.sel.match()
	fixed := calendar.NoDay
	if q.FixFX {
		fixed = q.Range.From
	}
	es.rates = newRates(s, q.Base, fixed)
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		es.split = newSplit(s, q, rows)
	}
	return es
}

// lost is a subscription that was given up. The scan overwrites it.
type lost struct {
	*ended
	subject *subject
	reason  int32           // number
	states  []*ledger.State // in the view on the day before the end, if one its term
}

func (x *lost) customer() *Customer { return x.subject.customer }

// comment is what was said about the ending, as stated, "" for nothing.
func (x *lost) comment() string {
	l := x.subject.ledger
	_, comment := l.Stated(&l.Endings[x.index])
	return comment
}

// each calls visit for every ending that counts.
func (es *endingScan) each(visit func(*lost) error) error {
	var x lost
	for _, b := range es.s.following() {
		list, kept := b.endings(), false
		for i := range list {
			e := &list[i]
			if !es.days.Contains(e.request) || !es.derived && !e.asked {
				continue
			}
			if x.ended, x.reason = e, es.reasonOf(e); !es.reasons[x.reason].keeps {
				continue
			}
			if at := &b.subjects[e.subject]; x.subject != at {
				x.subject, kept = at, es.sel.keeps(at)
			}
			if !kept {
				continue
			}
			if es.given(&x); len(x.states) == 0 {
				continue
			}
			if err := visit(&x); err != nil {
				return err
			}
		}
	}
	return nil
}

// reasonOf numbers the reason of an ending.
func (es *endingScan) reasonOf(e *ended) int32 {
	if e.cause == ledger.ByInvoluntary || e.cause == ledger.ByExpiry {
		return es.byCause[e.cause]
	}
	n, known := es.stated[e.reason]
	if !known {
		n = es.numberOf(strings.ToLower(es.s.symbol(e.reason)))
		es.stated[e.reason] = n
	}
	return n
}

// numberOf numbers a reason: several spellings are one.
func (es *endingScan) numberOf(name string) int32 {
	if i := slices.IndexFunc(es.reasons, func(r reason) bool { return r.name == name }); i >= 0 {
		return int32(i)
	}
	keeps := true
	for i := range es.filters {
		keeps = keeps && es.filters[i].keeps(name)
	}
	es.reasons = append(es.reasons, reason{name, keeps})
	return int32(len(es.reasons) - 1)
}

// given finds what an ending took away within the view.
func (es *endingScan) given(x *lost) {
	x.states = es.states[:0]
	l := x.subject.ledger
	switch {
	case !x.one:
		x.states = appendGiven(x.states, l, &l.Endings[x.index], es.match)
	case es.match == nil || es.match(&x.subject.terms[x.term]):
		x.states = append(x.states, &x.subject.terms[x.term])
	}
	es.states = x.states
}

// worth is what some of the states of a subscription that was given up are worth
// in the query's currency at the rates of the day on which they end.
func (es *endingScan) worth(x *lost, states []*ledger.State) (int64, error) {
	if x.one {
		return es.rates.convert(x.mrr, x.currency, x.end)
	}
	return es.rates.sum(states, x.end)
}

// sum converts states one by one at the rates of a day and adds them up.
func (r *rates) sum(states []*ledger.State, day calendar.Day) (int64, error) {
	sum := int64(0)
	for _, st := range states {
		worth, err := r.convert(st.MRR, st.Currency, day)
		if err != nil {
			return 0, err
		}
		sum += worth
	}
	return sum, nil
}

// own is what some of the states are worth in their currency, or if they have
// several in the account's base at the rates of the day on which they end.
func (es *endingScan) own(x *lost, states []*ledger.State) (int64, money.Currency, error) {
	if x.one {
		return x.mrr, x.currency, nil
	}
	sum, mixed := int64(0), false
	for _, st := range states {
		sum += st.MRR
		mixed = mixed || st.Currency != states[0].Currency
	}
	if !mixed {
		return sum, states[0].Currency, nil
	}
	base := es.s.Settings.Base
	sum, err := newRates(es.s, base, calendar.NoDay).sum(states, x.end)
	return sum, base, err
}

// valuesOf numbers the breakdown values of a subscription that was given up, each
// once, and tells which of its states have which. The result is overwritten by
// the next call.
func (es *endingScan) valuesOf(x *lost) ([]int32, error) {
	es.values = es.values[:0]
	switch {
	case es.split == nil:
		return nil, nil
	case es.split.d.kind == cancelReasonDimension:
		reason := es.split.grouped(es.reasons[x.reason].name)
		v, err := es.split.value(reason, reasonLabel(reason))
		es.values = append(es.values, v)
		return es.values, err
	case !es.split.d.ofState():
		v, err := es.split.ofSubject(x.subject)
		es.values = append(es.values, v)
		return es.values, err
	}
	for _, st := range x.states {
		values, err := es.split.ofState(st)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if !slices.Contains(es.values, v) {
				es.values = append(es.values, v)
			}
		}
	}
	return es.values, nil
}

// grouped is a value if the split has no groups or one for it, else none.
func (sp *split) grouped(value string) string {
	if sp.groups != nil && !slices.ContainsFunc(sp.groups, func(g valueGroup) bool { return g.word == value }) {
		return ""
	}
	return value
}

// within returns the states of a subscription that have a breakdown value.
func (es *endingScan) within(x *lost, value int32) []*ledger.State {
	if !es.split.d.ofState() || len(x.states) == 1 {
		return x.states
	}
	has := es.split.within(value, nil)
	var states []*ledger.State
	for _, st := range x.states {
		if has(st) {
			states = append(states, st)
		}
	}
	return states
}

// reasonLabel is what people read for a reason: "too_expensive" is "Too
// expensive".
func reasonLabel(reason string) string {
	if reason == "" {
		return unsetLabel
	}
	words := strings.TrimSpace(strings.ReplaceAll(reason, "_", " "))
	if words == "" {
		return reason
	}
	first := []rune(words)[:1]
	return strings.ToUpper(string(first)) + words[len(string(first)):]
}

// EndingMetrics are subscriptions that were given up.
type EndingMetrics struct {
	Cancellations int64
	Customers     int64 // distinct
	MRR           int64 // that they were worth, minor units of the query's currency, positive
	Percent       Ratio // of the cancellations of all rows; 0 of none

	last *Customer // that was counted last
}

// add counts one; those of one customer come one after the other.
func (m *EndingMetrics) add(c *Customer, worth int64) {
	m.Cancellations++
	m.MRR += worth
	if m.last != c {
		m.last = c
		m.Customers++
	}
}

// endingSheet has the figures of groups of endings, in all and by value of the
// breakdown.
type endingSheet struct {
	es    *endingScan
	total []EndingMetrics   // by number of the group
	parts [][]EndingMetrics // by number of the group, then value
	all   EndingMetrics
	each  []EndingMetrics // by value, over all groups
}

// count adds an ending to a group.
func (sh *endingSheet) count(group int, x *lost) error {
	worth, err := sh.es.worth(x, x.states)
	if err != nil {
		return err
	}
	sh.all.add(x.customer(), worth)
	numbered(&sh.total, group).add(x.customer(), worth)
	values, err := sh.es.valuesOf(x)
	if err != nil || values == nil {
		return err
	}
	parts := numbered(&sh.parts, group)
	for _, v := range values {
		worth, err := sh.es.worth(x, sh.es.within(x, v))
		if err != nil {
			return err
		}
		numbered(parts, int(v)).add(x.customer(), worth)
		numbered(&sh.each, int(v)).add(x.customer(), worth)
	}
	return nil
}

// numbered is the item of a list with a number: the list grows as it must.
func numbered[T any](list *[]T, n int) *T {
	if n >= len(*list) {
		*list = append(*list, make([]T, n+1-len(*list))...)
	}
	return &(*list)[n]
}

// row closes the figures of a group: in all, and by value in an order.
func (sh *endingSheet) row(group int, order []int32) (total EndingMetrics, parts []EndingMetrics) {
	closed := func(m EndingMetrics, all int64) EndingMetrics {
		m.Percent = share(m.Cancellations, all)
		return m
	}
	total = closed(*numbered(&sh.total, group), sh.all.Cancellations)
	for _, v := range order {
		parts = append(parts, closed(*numbered(numbered(&sh.parts, group), int(v)), numbered(&sh.each, int(v)).Cancellations))
	}
	return total, parts
}

// valueList returns the values of the breakdown in order, nil without one.
func (sh *endingSheet) valueList() (order []int32, values []Value) {
	if sh.es.split == nil {
		return nil, nil
	}
	order = sh.es.split.sorted()
	return order, sh.es.split.values(order)
}
