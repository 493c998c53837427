package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// MRRMetrics are the figures of one period. Money is minor units of the query's
// currency; churn and contraction are 0 or negative.
type MRRMetrics struct {
	New, Expansion, Contraction, Churn, Reactivation int64

	FXAdjustment int64 // change caused by exchange rates alone
	MRRDiff      int64 // closing less opening
	NetMRRDiff   int64 // the sum of the five movements

	// Distinct customers with at least one such movement in the period.
	NewCustomers, ExpansionCustomers, ContractionCustomers, ChurnCustomers, ReactivationCustomers int64

	CustomersDiff  int64
	TotalMRR       int64
	TotalARR       int64
	TotalCustomers int64
	ARPA           int64 // 0 without customers
	ASP            int64 // new MRR per new customer, 0 without any
	QuickRatio     Ratio // null when nothing was lost
	Quantity       int64 // seats or units at the end
}

// MRRRow is one period.
type MRRRow struct {
	Period calendar.Range
	MRRMetrics
	// Breakdown has one entry per value of MRRReport.Values; nil without a breakdown.
	Breakdown []MRRMetrics
	Compare   *MRRRow // the period that the query compares this one with; nil if none
}

// MRRReport is MRR by period, oldest first.
type MRRReport struct {
	Values []Value // of the breakdown, in order of key with "not set" last
	Rows   []MRRRow
}

// Value is one value of a breakdown.
type Value struct {
	Key   string // Unset for what has no value
	Label string
}

// MRR computes the report mrr. Its errors are *ParamError and
// *fx.MissingRateError.
func MRR(s *Snapshot, q *Query) (*MRRReport, error) {
	periods, err := q.periods(s)
	if err != nil {
		return nil, err
	}
	w := newWaterfall(s, q, periods)
	if err := w.sc.customers(w.add); err != nil {
		return nil, err
	}
	r := w.report()
	return r, compareRows(q, periods, r.Rows, func(q *Query) ([]MRRRow, error) {
		r, err := MRR(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *MRRRow) (calendar.Day, **MRRRow) { return row.Period.From, &row.Compare })
}

// waterfall collects the movements and balances of all rows.
type waterfall struct {
	sc     *scan
	rows   rows
	points points   // point 0 is the opening, the others close the rows
	split  *split   // nil without a breakdown
	total  []cell   // by row; row 0 holds what came before the first period
	parts  [][]cell // by value, then row
	closes []balanceAt

	subtypes *bySubtype // of a breakdown by subtype, else nil
}

// cell is what one row of one value adds up.
type cell struct {
	amount [len(ledger.Types) + 1]int64 // by movement type
	people [len(ledger.Types) + 1]int64
	step   int64 // change of the balance of customers who need no conversion
	level  int64 // closing balance of the others
	payers int64 // change of the number of paying customers
	seats  int64 // change of the quantity
}

func newWaterfall(s *Snapshot, q *Query, periods []calendar.Range) *waterfall {
	w := &waterfall{rows: newRows(periods)}
	ends := w.rows.ends()
	w.points = points{ends: ends, rateDays: ends}
	w.total, w.closes = make([]cell, len(periods)+1), make([]balanceAt, len(ends))
	w.sc = newScan(s, q)
	if q.Committed && len(ends) > 0 {
		w.sc.horizon = max(s.Today, ends[len(ends)-1])
	}
	if q.Breakdown != (Dimension{}) {
		w.split = newSplit(s, q, len(periods))
	}
	if q.Breakdown.kind == subtypeDimension {
		w.subtypes = &bySubtype{}
	}
	return w
}

// add counts one customer.
func (w *waterfall) add(x *subject) error {
	switch {
	case w.split == nil:
		return w.count(x, w.total, nil)
	case w.subtypes != nil:
		w.subtypes.visits++
		return w.count(x, w.total, nil)
	case w.split.d.ofState():
		return w.countStates(x)
	default:
		value, err := w.split.ofSubject(x)
		if err != nil {
			return err
		}
		return w.count(x, w.total, w.part(value))
	}
}

// part returns the cells of a breakdown value.
func (w *waterfall) part(value int32) []cell {
	for int(value) >= len(w.parts) {
		w.parts = append(w.parts, make([]cell, len(w.total)))
	}
	return w.parts[value]
}

// count adds a customer's movements and balances to the total and, when a
// second sink is given, in the same way to that.
func (w *waterfall) count(x *subject, total, second []cell) error {
	foreign, err := w.movements(x, w.sc.match, false, total, second)
	if err != nil || !foreign {
		return err
	}
	if err := w.sc.levels(x, w.sc.match, &w.points, w.closes); err != nil {
		return err
	}
	for row := range w.closes {
		total[row].level += w.closes[row].level
		if second != nil {
			second[row].level += w.closes[row].level
		}
	}
	return nil
}

// countStates counts a customer in total, and within each value that any of its
// states has. Where all have the same value both are the same.
func (w *waterfall) countStates(x *subject) error {
	values, err := w.split.ofStates(x, w.sc.match)
	if err != nil || len(values) == 0 {
		return err
	}
	if len(values) == 1 {
		return w.count(x, w.total, w.part(values[0]))
	}
	foreign, err := w.movements(x, w.sc.match, false, w.total, nil)
	if err != nil {
		return err
	}
	for _, value := range values {
		if _, err := w.movements(x, w.split.within(value, w.sc.match), foreign, w.part(value), nil); err != nil {
			return err
		}
	}
	if !foreign {
		return nil
	}
	if x.marks != nil {
		return w.levelTerms(x)
	}
	return w.levelStates(x.ledger)
}

// levelTerms is levelStates for a customer with a single slot.
func (w *waterfall) levelTerms(x *subject) error {
	in := x.matching(w.sc.match)
	next := 0
	for row, end := range w.points.ends {
		for end = min(end, w.sc.horizon); next < len(x.moves) && x.moves[next].Day <= end; next++ {
		}
		if next == 0 {
			continue
		}
		now, term := &x.moves[next-1], x.marks[next-1].term
		if now.After == 0 || !in.has(term) {
			continue
		}
		worth, err := w.points.worth(w.sc.rates, row, now.After, now.Currency)
		if err != nil {
			return err
		}
		w.addLevel(row, worth, &x.terms[term])
	}
	return nil
}

// addLevel adds a slot's closing balance.
func (w *waterfall) addLevel(row int, worth int64, st *ledger.State) {
	w.total[row].level += worth
	for _, v := range w.split.byState[w.split.keyOf(st)] {
		w.parts[v][row].level += worth
	}
}

// levelStates adds each slot's closing balances to the total and to its values,
// of customers who need conversion.
func (w *waterfall) levelStates(l *ledger.Ledger) error {
	view := ledger.View{Match: w.sc.match}
	next := 0
	for row, end := range w.points.ends {
		next = w.sc.advance(l, next, end)
		for _, at := range w.sc.latest {
			if at < 0 {
				continue
			}
			st := &l.Changes[at].After
			value := view.Value(st)
			if value == 0 {
				continue
			}
			worth, err := w.points.worth(w.sc.rates, row, value, st.Currency)
			if err != nil {
				return err
			}
			w.addLevel(row, worth, st)
		}
	}
	return nil
}

// movements adds the customer's movements within a view to one or two sinks.
// It answers whether the closing balances are still to be added, because they
// must be converted at each row's rates; so it is if levels says so already.
func (w *waterfall) movements(x *subject, match func(*ledger.State) bool, levels bool, sink, second []cell) (foreign bool, err error) {
	moves, foreign, err := w.sc.movements(x, match)
	if err != nil {
		return false, err
	}
	foreign = foreign || levels
	var seen [len(ledger.Types) + 1]int // the row in which a type was last seen
	for i := range moves {
		m := &moves[i]
		if m.Day > w.sc.horizon {
			break
		}
		row := w.rows.of(m.Day)
		if row >= len(w.total) {
			break
		}
		delta, step := m.After-m.Before, int64(0)
		switch {
		case !foreign:
			step = delta
		case row > 0:
			if delta, err = w.sc.delta(x, m, match); err != nil {
				return false, err
			}
		}
		t := m.Type
		if foreign {
			t = typed(t, delta)
		}
		first := seen[t] != row
		sink[row].add(m, t, delta, step, row > 0, first)
		if second != nil {
			second[row].add(m, t, delta, step, row > 0, first)
		}
		seen[t] = row
		if w.subtypes != nil && row > 0 && t != ledger.None {
			if err := w.addSubtype(m.Subtype, t, delta, row); err != nil {
				return false, err
			}
		}
	}
	return foreign, nil
}

// add counts one movement; the rows before the first only carry balances.
func (c *cell) add(m *ledger.Movement, t ledger.Type, delta, step int64, shown, first bool) {
	c.step += step
	c.payers += int64(m.Customers)
	c.seats += int64(m.Quantity)
	if !shown || t == ledger.None {
		return
	}
	c.amount[t] += delta
	if first {
		c.people[t]++
	}
}

// bySubtype are the parts of a breakdown by subtype. Balances have no subtype.
type bySubtype struct {
	parts  [32][]cell                         // by subtype, nil where none was seen
	seen   [len(ledger.Types) + 1][32]instant // where a type of the subtype was seen last
	visits uint32                             // of customers
}

// instant is a row of a customer's.
type instant struct{ visit, row uint32 }

// addSubtype counts a movement that is worth so much under its subtype.
func (w *waterfall) addSubtype(s ledger.Subtype, t ledger.Type, delta int64, row int) error {
	by := w.subtypes
	if by.parts[s] == nil {
		value, err := w.split.ofSubtype(s)
		if err != nil {
			return err
		}
		by.parts[s] = w.part(value)
	}
	c := &by.parts[s][row]
	c.amount[t] += delta
	if now := (instant{by.visits, uint32(row)}); by.seen[t][s] != now {
		by.seen[t][s] = now
		c.people[t]++
	}
	return nil
}

// report turns the sums into rows.
func (w *waterfall) report() *MRRReport {
	r := &MRRReport{Rows: make([]MRRRow, len(w.rows.periods))}
	for i := range r.Rows {
		r.Rows[i].Period = w.rows.periods[i]
	}
	closeRows(w.total, true, func(row int) *MRRMetrics { return &r.Rows[row].MRRMetrics })
	if w.split == nil {
		return r
	}
	order := w.split.sorted()
	r.Values = w.split.values(order)
	if len(order) == 0 {
		return r
	}
	for i := range r.Rows {
		r.Rows[i].Breakdown = make([]MRRMetrics, len(order))
	}
	for v, value := range order {
		closeRows(w.part(value), w.subtypes == nil, func(row int) *MRRMetrics { return &r.Rows[row].Breakdown[v] })
	}
	return r
}

// values returns the values of the split in an order.
func (sp *split) values(order []int32) []Value {
	out := make([]Value, len(order))
	for i, v := range order {
		out[i] = Value{Key: sp.keys[v], Label: sp.labels[v]}
	}
	return out
}

// closeRows fills in the metrics of the rows 1 and up. Without balances the
// totals stay 0 and the difference is that of the movements.
func closeRows(cells []cell, balances bool, metrics func(row int) *MRRMetrics) {
	settled := cells[0].step // balance of the customers who need no conversion
	payers, seats := cells[0].payers, cells[0].seats
	opening := settled + cells[0].level
	for i := range cells[1:] {
		c := &cells[i+1]
		m := metrics(i)
		m.New, m.NewCustomers = c.amount[ledger.New], c.people[ledger.New]
		m.Expansion, m.ExpansionCustomers = c.amount[ledger.Expansion], c.people[ledger.Expansion]
		m.Contraction, m.ContractionCustomers = c.amount[ledger.Contraction], c.people[ledger.Contraction]
		m.Churn, m.ChurnCustomers = c.amount[ledger.Churn], c.people[ledger.Churn]
		m.Reactivation, m.ReactivationCustomers = c.amount[ledger.Reactivation], c.people[ledger.Reactivation]
		m.NetMRRDiff = m.New + m.Expansion + m.Contraction + m.Churn + m.Reactivation
		m.MRRDiff = m.NetMRRDiff
		if balances {
			settled += c.step
			payers += c.payers
			seats += c.seats
			closing := settled + c.level
			m.TotalMRR, m.TotalARR, m.TotalCustomers, m.Quantity = closing, 12*closing, payers, seats
			m.MRRDiff = closing - opening
			m.CustomersDiff = c.payers
			m.FXAdjustment = m.MRRDiff - m.NetMRRDiff
			opening = closing
		}
		m.ARPA = perCustomer(m.TotalMRR, m.TotalCustomers)
		m.ASP = perCustomer(m.New, m.NewCustomers)
		m.QuickRatio = quotient(m.New+m.Expansion, -(m.Churn + m.Contraction))
	}
}
