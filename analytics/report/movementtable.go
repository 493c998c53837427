package report

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// MovementRow is one change of a customer's MRR on one day.
type MovementRow struct {
	Date     calendar.Day
	Period   calendar.Day // first day of the period that Date falls into
	Customer *Customer
	Source   *Source
	Type     ledger.Type
	Subtype  ledger.Subtype

	Description string
	Currency    money.Currency // of Change, Old and New
	Change      int64          // minor units of Currency; negative for contraction and churn
	ChangeBase  int64          // the same in the query's currency
	Old, New    int64          // the customer's MRR before and after, within the filters' view

	Customers int   // +1, 0 or -1
	Quantity  int64 // change of seats or units

	PlanID, PlanName string       // after the movement; of churn the plan left
	BreakdownValue   string       // key; "" without a breakdown
	Requested        calendar.Day // of a scheduled movement: when a cancellation asked for it, else NoDay
	Lines            []MovementLine
}

// MovementLine is one part of a movement.
type MovementLine struct {
	Description string
	MRR         int64 // minor units of the movement's currency
	Quantity    int64
}

// MovementTableReport is a page of movements.
type MovementTableReport struct {
	Page
	Days calendar.Range // that the table is about; empty when To is before From
	Rows []MovementRow
}

// MovementTable computes the report movement-table (seed 002): the movements of
// the days that were asked for. With an interval, or without a date, they are
// those of the whole periods that intersect the range, which the MRR report has
// rows for; with SelectedDate those of the period around it. With Committed it
// lists scheduled movements alone, by default those of the coming 365 days. Rows carry lines when the query filters by customer. Errors are
// *ParamError and *fx.MissingRateError.
func MovementTable(s *Snapshot, q *Query) (*MovementTableReport, error) {
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	t := newTable(s, q, last)
	if t.kind, t.all, err = selected(q, ledger.Types[:]); err != nil {
		return nil, err
	}
	if err := t.sc.customers(t.add); err != nil {
		return nil, err
	}
	page, from, to, err := q.page(t.count, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	t.cut()
	r := &MovementTableReport{Page: page, Days: t.days, Rows: make([]MovementRow, 0, to-from)}
	for i := from; i < to; i++ {
		row, err := t.row(&t.found[i])
		if err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// table collects movements before they are sorted and cut to a page.
type table struct {
	sc    *scan
	days  calendar.Range
	split *split // nil without a breakdown
	lines bool
	kind  ledger.Type // the only type that is kept, unless all are
	all   bool

	count int     // movements in all
	last  int     // the page ends before this row: later ones are not kept
	found []found // the first rows, and since the last cut some that are unsorted
	spare []found
	full  bool // found[last-1] is the last row that may still be shown

	take  func(*found) error // takes the movements instead, if set; they are overwritten by the next
	next  found
	later calendar.Day // the first after days on which the customer looked at last has a movement, or Never

	// Of the movement looked at last.
	parts    []part
	old, now []string // names of plans
	text     []byte
}

// found is one movement of the table.
type found struct {
	customer *Customer
	move     ledger.Movement
	kind     ledger.Type
	base     int64
	value    int32 // of the breakdown
}

func newTable(s *Snapshot, q *Query, last int) *table {
	t := &table{days: daysOf(s, q), last: last}
	if q.Committed {
		t.days.From = max(t.days.From, s.Today+1)
	} else {
		t.days.To = min(t.days.To, s.Today)
	}
	t.sc = newScan(s, q)
	t.sc.horizon = t.days.To
	if q.Breakdown != (Dimension{}) {
		t.split = newSplit(s, q, 1)
	}
	for i := range q.Filters {
		t.lines = t.lines || q.Filters[i].Dimension.kind == customerDimension
	}
	return t
}

// daysOf returns the days that a query asks the table for.
func daysOf(s *Snapshot, q *Query) calendar.Range {
	switch {
	case q.SelectedDate.Valid():
		return calendar.PeriodOf(q.SelectedDate, q.Unit, s.WeekStart)
	case q.Committed && !q.DateGiven:
		return calendar.Range{From: s.Today + 1, To: s.Today + 365}
	case q.DateGiven && !q.UnitGiven:
		return q.Range
	default:
		return calendar.Range{
			From: calendar.PeriodOf(q.Range.From, q.Unit, s.WeekStart).From,
			To:   calendar.PeriodOf(q.Range.To, q.Unit, s.WeekStart).To,
		}
	}
}

func (t *table) add(x *subject) error {
	if t.split == nil || t.split.d.kind == subtypeDimension {
		return t.collect(x, t.sc.match, 0)
	}
	if !t.split.d.ofState() {
		value, err := t.split.ofSubject(x)
		if err != nil {
			return err
		}
		return t.collect(x, t.sc.match, value)
	}
	values, err := t.split.ofStates(x, t.sc.match)
	if err != nil {
		return err
	}
	for _, value := range values {
		if err := t.collect(x, t.split.within(value, t.sc.match), value); err != nil {
			return err
		}
	}
	return nil
}

// collect keeps the customer's movements within a view that the query asks for.
func (t *table) collect(x *subject, match func(*ledger.State) bool, value int32) error {
	q := t.sc.q
	if q.BreakdownValue != nil && t.split.d.kind != subtypeDimension && t.split.keys[value] != *q.BreakdownValue {
		return nil
	}
	t.later = calendar.Never
	if x.last < t.days.From {
		return nil
	}
	moves, foreign, err := t.sc.movements(x, match)
	if err != nil {
		return err
	}
	for i := firstFrom(moves, t.days.From); i < len(moves); i++ {
		m := &moves[i]
		if m.Day > t.days.To {
			t.later = m.Day
			break
		}
		base := m.After - m.Before
		if foreign {
			if base, err = t.sc.delta(x, m, match); err != nil {
				return err
			}
		}
		kind := typed(m.Type, base)
		if kind == ledger.None || !t.all && kind != t.kind {
			continue
		}
		if t.split != nil && t.split.d.kind == subtypeDimension {
			if value, err = t.split.ofSubtype(m.Subtype); err != nil {
				return err
			}
			if q.BreakdownValue != nil && t.split.keys[value] != *q.BreakdownValue {
				continue
			}
		}
		if q.Subtypes != nil && !q.Subtypes.keeps(m.Subtype.String()) {
			continue
		}
		t.count++
		if t.full && t.pastPage(m.Day) {
			continue
		}
		t.next = found{customer: x.customer, move: *m, kind: kind, base: base, value: value}
		if err := t.keep(&t.next); err != nil {
			return err
		}
	}
	return nil
}

// firstFrom returns the place of the first movement on a day or later.
func firstFrom(moves []ledger.Movement, day calendar.Day) int {
	if len(moves) == 0 || moves[0].Day >= day {
		return 0
	}
	first, _ := slices.BinarySearchFunc(moves, day, func(m ledger.Movement, day calendar.Day) int { return cmp.Compare(m.Day, day) })
	return first
}

// pastPage reports whether the page ends before the movements of a day, which
// goes for nearly all of them and is known without a look at the customer.
func (t *table) pastPage(day calendar.Day) bool {
	end := t.found[t.last-1].move.Day
	switch {
	case t.sc.q.Sort != ByDate:
		return false
	case t.sc.q.Ascending:
		return day > end
	default:
		return day < end
	}
}

// keep keeps a movement unless the page ends before it.
func (t *table) keep(f *found) error {
	if t.take != nil {
		return t.take(f)
	}
	if t.full && t.compare(f, &t.found[t.last-1]) > 0 {
		return nil
	}
	t.found = append(t.found, *f)
	if len(t.found) >= 2*t.last+1000 {
		t.cut()
	}
	return nil
}

// cut sorts the movements and drops those after the page.
func (t *table) cut() {
	order := make([]int32, len(t.found))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return t.compare(&t.found[a], &t.found[b]) })
	order = order[:min(t.last, len(order))]
	t.spare = t.spare[:0]
	for _, i := range order {
		t.spare = append(t.spare, t.found[i])
	}
	t.found, t.spare = t.spare, t.found
	t.full = len(t.found) == t.last
}

// compare orders movements as asked; what is equal goes by day, the latest
// first, then customer.
func (t *table) compare(a, b *found) int {
	order := t.key(a, b)
	if !t.sc.q.Ascending {
		order = -order
	}
	if order == 0 {
		order = -cmp.Compare(a.move.Day, b.move.Day)
	}
	if order != 0 { // nearly always, so that the customers are not looked at
		return order
	}
	return cmp.Or(strings.Compare(a.customer.ID, b.customer.ID), cmp.Compare(a.customer.Source, b.customer.Source), cmp.Compare(a.value, b.value))
}

func (t *table) key(a, b *found) int {
	switch t.sc.q.Sort {
	case ByAmount:
		return cmp.Compare(a.move.After-a.move.Before, b.move.After-b.move.Before)
	case ByAmountBase:
		return cmp.Compare(a.base, b.base)
	case ByCustomerName:
		return compareFold(a.customer.Name, b.customer.Name)
	case ByType:
		return cmp.Compare(a.kind, b.kind)
	default:
		return cmp.Compare(a.move.Day, b.move.Day)
	}
}

// compareFold compares two texts in lower case, without making copies of them.
func compareFold(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if order := cmp.Compare(unicode.ToLower(x), unicode.ToLower(y)); order != 0 {
			return order
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

// row fills in what only the rows of the page need.
func (t *table) row(f *found) (MovementRow, error) {
	s, m := t.sc.s, &f.move
	row := t.plainRow(f)
	row.Description = string(t.description(f.kind, t.parts))
	row.Period = calendar.PeriodOf(m.Day, t.sc.q.Unit, s.WeekStart).From
	row.Requested = requested(f.customer.Ledger, m.Day)
	if t.split != nil {
		row.BreakdownValue = t.split.keys[f.value]
	}
	if !t.lines {
		return row, nil
	}
	var err error
	row.Lines, err = t.linesOf(m, t.parts)
	return row, err
}

// plainRow is the row of a movement as far as it takes no memory, and leaves the
// movement's parts in t.parts.
func (t *table) plainRow(f *found) MovementRow {
	s, m := t.sc.s, &f.move
	view := ledger.View{Match: t.matchOf(f)}
	plan := s.plan(mainPlan(f.kind, t.partsOf(f.customer.Ledger, m, &view)))
	return MovementRow{
		Date: m.Day, Customer: f.customer, Source: s.source(f.customer.Source), Type: f.kind, Subtype: m.Subtype,
		Currency: m.Currency, Change: m.After - m.Before, ChangeBase: f.base, Old: m.Before, New: m.After,
		Customers: int(m.Customers), Quantity: int64(m.Quantity),
		PlanID: plan.ID, PlanName: plan.Name,
	}
}

// matchOf returns the view that a movement was found in.
func (t *table) matchOf(f *found) func(*ledger.State) bool {
	if t.split == nil || !t.split.d.ofState() {
		return t.sc.match
	}
	return t.split.within(f.value, t.sc.match)
}
