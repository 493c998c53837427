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
	reasons []Filter
	match   func(*ledger.State) bool
	rates   *rates
	split   *split // nil without a breakdown
	days    calendar.Range
	derived bool // whether endings that nobody asked for count

	states []*ledger.State
	values []int32
}

// newEndingScan prepares a scan of what was asked for, or ended without that, in
// the days of the query up to today. A breakdown has so many rows.
func newEndingScan(s *Snapshot, q *Query, rows int, derived bool) *endingScan {
	es := &endingScan{s: s, q: q, derived: derived, days: calendar.Range{From: q.Range.From, To: min(q.Range.To, s.Today)}}
	others := *q
	others.Filters = nil
	for i := range q.Filters {
		if q.Filters[i].Dimension.kind == cancelReasonDimension {
			es.reasons = append(es.reasons, q.Filters[i])
		} else {
			others.Filters = append(others.Filters, q.Filters[i])
		}
	}
	es.sel = newSelection(s, &others)
	es.match = es.sel.match()
	fixed := calendar.NoDay
	if q.FixFX {
		fixed = q.Range.From
	}
	es.rates = newRates(s, q.Base, es.days.From, fixed)
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		es.split = newSplit(s, q, rows)
	}
	return es
}

// lost is a subscription that was given up.
type lost struct {
	customer *Customer
	ending   *ledger.Ending
	reason   string          // "" for none
	states   []*ledger.State // of its slots in the view on the day before the end; overwritten by the next
}

// each calls visit for every ending that counts.
func (es *endingScan) each(visit func(*lost) error) error {
	return es.s.each(func(at *subject) error {
		if !at.endings || !es.sel.keeps(at) {
			return nil
		}
		l := at.ledger
		for i := range l.Endings {
			e := &l.Endings[i]
			if e.Voided.Valid() || !es.days.Contains(e.Request) || !es.derived && e.Invoice < 0 {
				continue
			}
			x := lost{customer: at.customer, ending: e, reason: es.s.endReason(l, e)}
			if !es.keepsReason(x.reason) {
				continue
			}
			if x.states = es.given(l, e); len(x.states) == 0 {
				continue
			}
			if err := visit(&x); err != nil {
				return err
			}
		}
		return nil
	})
}

func (es *endingScan) keepsReason(reason string) bool {
	for i := range es.reasons {
		if !es.reasons[i].keeps(reason) {
			return false
		}
	}
	return true
}

// endReason is why a subscription ended in lower case: as stated, or derived
// when invoices just stopped or were not paid; "" when there is none.
func (s *Snapshot) endReason(l *ledger.Ledger, e *ledger.Ending) string {
	switch e.Cause {
	case ledger.ByInvoluntary:
		return reasonPaymentFailed
	case ledger.ByExpiry:
		return reasonExpired
	default:
		reason, _ := l.Stated(e)
		return strings.ToLower(s.symbol(reason))
	}
}

// given returns what an ending took away within the view, nothing when the
// stream has value at the end of that day all the same.
func (es *endingScan) given(l *ledger.Ledger, e *ledger.Ending) []*ledger.State {
	es.states = es.states[:0]
	for slot := range l.Slots {
		if l.Slots[slot].Stream != e.Stream {
			continue
		}
		before, after := around(l, int32(slot), e.End)
		if after != nil && after.MRR > 0 {
			return nil
		}
		if before != nil && before.MRR > 0 && (es.match == nil || es.match(before)) {
			es.states = append(es.states, before)
		}
	}
	return es.states
}

// around returns the states of a slot at the end of the day before a day and at
// the end of the day itself, nil while it had none.
func around(l *ledger.Ledger, slot int32, day calendar.Day) (before, after *ledger.State) {
	for i := range l.Changes {
		c := &l.Changes[i]
		if c.Day > day {
			break
		}
		if c.Slot != slot {
			continue
		}
		if after = &c.After; c.Day < day {
			before = after
		}
	}
	return before, after
}

// worth is what some states are worth in the query's currency at the rates of
// the day on which they end.
func (es *endingScan) worth(states []*ledger.State, end calendar.Day) (int64, error) {
	return es.rates.sum(states, end)
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

// own is what some states are worth in their currency, or if they have several
// in the account's base at the rates of the day on which they end.
func (es *endingScan) own(states []*ledger.State, end calendar.Day) (int64, money.Currency, error) {
	sum, mixed := int64(0), false
	for _, st := range states {
		sum += st.MRR
		mixed = mixed || st.Currency != states[0].Currency
	}
	if !mixed {
		return sum, states[0].Currency, nil
	}
	base := es.s.Settings.Base
	sum, err := newRates(es.s, base, end, calendar.NoDay).sum(states, end)
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
		reason := es.split.grouped(x.reason)
		v, err := es.split.value(reason, reasonLabel(reason))
		es.values = append(es.values, v)
		return es.values, err
	case !es.split.d.ofState():
		v, err := es.split.ofCustomer(x.customer)
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

// endingSheet has the figures of every group of endings, in all and by value of
// the breakdown.
type endingSheet struct {
	es    *endingScan
	total map[string]*EndingMetrics
	parts map[string]map[int32]*EndingMetrics
	all   EndingMetrics
	each  map[int32]*EndingMetrics // by value, over all groups
}

func newEndingSheet(es *endingScan) *endingSheet {
	return &endingSheet{
		es: es, total: map[string]*EndingMetrics{}, parts: map[string]map[int32]*EndingMetrics{}, each: map[int32]*EndingMetrics{},
	}
}

// count adds an ending to a group.
func (sh *endingSheet) count(group string, x *lost) error {
	worth, err := sh.es.worth(x.states, x.ending.End)
	if err != nil {
		return err
	}
	sh.all.add(x.customer, worth)
	metricsFor(sh.total, group).add(x.customer, worth)
	values, err := sh.es.valuesOf(x)
	if err != nil || values == nil {
		return err
	}
	if sh.parts[group] == nil {
		sh.parts[group] = map[int32]*EndingMetrics{}
	}
	for _, v := range values {
		worth, err := sh.es.worth(sh.es.within(x, v), x.ending.End)
		if err != nil {
			return err
		}
		metricsFor(sh.parts[group], v).add(x.customer, worth)
		metricsFor(sh.each, v).add(x.customer, worth)
	}
	return nil
}

// metricsFor returns the figures of a key, which begin with nothing.
func metricsFor[K comparable](m map[K]*EndingMetrics, key K) *EndingMetrics {
	if m[key] == nil {
		m[key] = &EndingMetrics{}
	}
	return m[key]
}

// row closes the figures of a group: in all, and by value in an order.
func (sh *endingSheet) row(group string, order []int32) (total EndingMetrics, parts []EndingMetrics) {
	closed := func(m *EndingMetrics, all int64) EndingMetrics {
		c := *m
		c.Percent = share(m.Cancellations, all)
		return c
	}
	total = closed(metricsFor(sh.total, group), sh.all.Cancellations)
	for _, v := range order {
		m := sh.parts[group][v]
		if m == nil {
			m = &EndingMetrics{}
		}
		parts = append(parts, closed(m, metricsFor(sh.each, v).Cancellations))
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
