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
	return w.report(), nil
}

// waterfall collects the movements and balances of all rows.
type waterfall struct {
	sc    *scan
	rows  rows
	ends  []calendar.Day // row 0 is the opening
	split *split         // nil without a breakdown
	total []cell         // by row; row 0 holds what came before the first period
	parts [][]cell       // by value, then row
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
	w.ends = w.rows.ends()
	w.total = make([]cell, len(periods)+1)
	first := s.Today
	if len(periods) > 0 {
		first = w.ends[0]
	}
	w.sc = newScan(s, q, first)
	if q.Committed && len(periods) > 0 {
		w.sc.horizon = max(s.Today, w.ends[len(periods)])
	}
	if q.Breakdown != (Dimension{}) {
		w.split = newSplit(s, q.Breakdown, len(periods))
	}
	return w
}

// add counts one customer.
func (w *waterfall) add(c *Customer) error {
	if w.split == nil {
		return w.count(c.Ledger, w.sc.match, w.total)
	}
	switch {
	case w.split.d.kind == subtypeDimension:
		return w.countSubtypes(c.Ledger)
	case !w.split.d.ofState():
		value, err := w.split.ofCustomer(c)
		if err != nil {
			return err
		}
		return w.count(c.Ledger, w.sc.match, w.total, w.part(value))
	default:
		return w.countStates(c.Ledger)
	}
}

// countStates counts a customer in total, and within each value that any of its
// states has. Nearly every customer has one value: then both are the same.
func (w *waterfall) countStates(l *ledger.Ledger) error {
	values, err := w.split.ofLedger(l, w.sc.match)
	if err != nil {
		return err
	}
	if len(values) == 1 {
		return w.count(l, w.sc.match, w.total, w.part(values[0]))
	}
	if err := w.count(l, w.sc.match, w.total); err != nil {
		return err
	}
	for _, value := range values {
		if err := w.count(l, w.split.within(value, w.sc.match), w.part(value)); err != nil {
			return err
		}
	}
	return nil
}

// part returns the cells of a breakdown value.
func (w *waterfall) part(value int32) []cell {
	for int(value) >= len(w.parts) {
		w.parts = append(w.parts, make([]cell, len(w.total)))
	}
	return w.parts[value]
}

// count adds a customer's movements and balances within a view to the sinks.
func (w *waterfall) count(l *ledger.Ledger, match func(*ledger.State) bool, sinks ...[]cell) error {
	moves, foreign, err := w.sc.movements(l, match)
	if err != nil || len(moves) == 0 {
		return err
	}
	if foreign {
		return w.countForeign(l, match, moves, sinks)
	}
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
		delta := m.After - m.Before
		for _, sink := range sinks {
			c := &sink[row]
			c.step += delta
			c.payers += int64(m.Customers)
			c.seats += int64(m.Quantity)
			if row == 0 || m.Type == ledger.None {
				continue
			}
			c.amount[m.Type] += delta
			if seen[m.Type] != row {
				c.people[m.Type]++
			}
		}
		seen[m.Type] = row
	}
	return nil
}

// countForeign is count for a customer whose balances must be converted.
func (w *waterfall) countForeign(l *ledger.Ledger, match func(*ledger.State) bool, moves []ledger.Movement, sinks [][]cell) error {
	var seen [len(ledger.Types) + 1]int
	for i := range moves {
		m := &moves[i]
		if m.Day > w.sc.horizon {
			break
		}
		row := w.rows.of(m.Day)
		if row >= len(w.total) {
			break
		}
		delta, t := int64(0), ledger.None
		if row > 0 {
			var err error
			if delta, err = w.sc.delta(l, m, match); err != nil {
				return err
			}
			t = typed(m.Type, delta)
		}
		for _, sink := range sinks {
			c := &sink[row]
			c.payers += int64(m.Customers)
			c.seats += int64(m.Quantity)
			if t == ledger.None {
				continue
			}
			c.amount[t] += delta
			if seen[t] != row {
				c.people[t]++
			}
		}
		seen[t] = row
	}
	return w.sc.levels(l, match, w.ends, w.ends, func(row int, level int64, _ bool) {
		for _, sink := range sinks {
			sink[row].level += level
		}
	})
}

// countSubtypes counts a customer in total, and each movement under its
// subtype. Balances have no subtype.
func (w *waterfall) countSubtypes(l *ledger.Ledger) error {
	if err := w.count(l, w.sc.match, w.total); err != nil {
		return err
	}
	moves, foreign, err := w.sc.movements(l, w.sc.match)
	if err != nil {
		return err
	}
	var seen [len(ledger.Types) + 1][32]int
	for i := range moves {
		m := &moves[i]
		row := w.rows.of(m.Day)
		if m.Day > w.sc.horizon || row >= len(w.total) {
			break
		}
		if row == 0 {
			continue
		}
		delta := m.After - m.Before
		if foreign {
			if delta, err = w.sc.delta(l, m, w.sc.match); err != nil {
				return err
			}
		}
		t := typed(m.Type, delta)
		if t == ledger.None {
			continue
		}
		value, err := w.split.ofSubtype(m.Subtype)
		if err != nil {
			return err
		}
		c := &w.part(value)[row]
		c.amount[t] += delta
		if seen[t][m.Subtype] != row {
			c.people[t]++
		}
		seen[t][m.Subtype] = row
	}
	return nil
}

// report turns the sums into rows.
func (w *waterfall) report() *MRRReport {
	r := &MRRReport{Rows: make([]MRRRow, len(w.rows.periods))}
	for i, metrics := range metricsOf(w.total, true) {
		r.Rows[i] = MRRRow{Period: w.rows.periods[i], MRRMetrics: metrics}
	}
	if w.split == nil {
		return r
	}
	order := w.split.sorted()
	r.Values = w.split.values(order)
	balances := w.split.d.kind != subtypeDimension
	for _, value := range order {
		for i, metrics := range metricsOf(w.part(value), balances) {
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, metrics)
		}
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

// metricsOf closes the rows 1 and up. Without balances the totals stay 0 and
// the difference is that of the movements.
func metricsOf(cells []cell, balances bool) []MRRMetrics {
	out := make([]MRRMetrics, len(cells)-1)
	settled := cells[0].step // balance of the customers who need no conversion
	payers, seats := cells[0].payers, cells[0].seats
	opening := settled + cells[0].level
	for i := range out {
		c := &cells[i+1]
		m := &out[i]
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
	return out
}
