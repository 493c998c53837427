package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// RetentionMetrics say what became of the customers who paid at a baseline.
// Money is minor units of the query's currency. Changes and ratios use the
// rates of the baseline, so that exchange rates do not move them; TargetMRR
// uses those of the target, and FXAdjustment is the difference. Rates are in
// percent and null without a cohort.
type RetentionMetrics struct {
	BaselineMRR, TargetMRR, GRRMRR                int64
	CohortCustomers, RetainedCustomers            int64
	ChurnedCustomers                              int64
	Expansion, Contraction, Churn                 int64 // contraction and churn are 0 or negative
	ExpansionCustomers, ContractionCustomers      int64
	ChurnCustomers                                int64
	Reactivation                                  int64 // MRR of returned customers outside the cohort
	ReactivationCustomers                         int64
	FXAdjustment                                  int64
	NRR, GRR                                      Ratio
	CustomerRetentionRate, CustomerChurnRate      Ratio
	MRRChurnRate, NetMRRChurnRate                 Ratio
	NRRAvg, GRRAvg, CustomerRetentionAvg          Ratio
	CustomerChurnAvg, MRRChurnAvg, NetMRRChurnAvg Ratio
	ARPA                                          int64  // target MRR per retained customer, 0 without any
	LTV                                           *int64 // nil while nobody leaves
	CustomerLifetime                              Ratio  // months, one decimal; null while nobody leaves
}

// RetentionRow is one period.
type RetentionRow struct {
	Period   calendar.Range
	Baseline calendar.Day // first day of the period that the baseline closes
	RetentionMetrics
	// Breakdown has one entry per value of RetentionReport.Values.
	Breakdown []RetentionMetrics
	Compare   *RetentionRow // the period that the query compares this one with; nil if none
}

// RetentionReport is retention by period, oldest first.
type RetentionReport struct {
	TrailingMonths float64 // from baseline to target, two decimals
	Values         []Value
	Rows           []RetentionRow
}

// averaged is how many complete periods the averages cover.
const averaged = 6

// Retention computes the report retention (metric definitions, section 6.1).
// Errors are *ParamError and *fx.MissingRateError.
func Retention(s *Snapshot, q *Query) (*RetentionReport, error) {
	asked := *q
	asked.Committed = false
	periods, err := asked.periods(s)
	if err != nil {
		return nil, err
	}
	t := newRetention(s, &asked, periods)
	if len(periods) > 0 {
		if err := t.sc.customers(t.add); err != nil {
			return nil, err
		}
	}
	r := t.report(periods)
	return r, compareRows(q, periods, r.Rows, func(q *Query) ([]RetentionRow, error) {
		r, err := Retention(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *RetentionRow) (calendar.Day, **RetentionRow) { return row.Period.From, &row.Compare })
}

// retention collects the windows of all rows; the first six serve the averages
// of the rows after them alone.
type retention struct {
	sc      *scan
	unit    calendar.Unit
	months  int // from baseline to target; 0 for days and weeks
	targets []calendar.Day
	bases   []calendar.Day
	split   *split
	total   []window
	parts   [][]window

	// Of customers who need conversion.
	days             points // all bases and targets
	baseAt, targetAt []int  // where those of a row are among the days
	levels           []balanceAt
	moved            []bool // whether anything changed between a row's baseline and target
	rebase           points // targets at the rates of their baselines
	rebased          []balanceAt

	shares  shares             // of one value
	figures []RetentionMetrics // of one value, by row that is shown
}

// window is what one row of one value adds up.
type window struct {
	base, target, rebased, gross                int64
	cohort, retained                            int64
	expansion, contraction, churn, reactivation int64
	expanded, contracted, reactivated           int64
}

func newRetention(s *Snapshot, q *Query, periods []calendar.Range) *retention {
	r := &retention{unit: q.Unit, months: trailingMonths(q)}
	if len(periods) > 0 {
		for n := -averaged; n < len(periods); n++ {
			p := calendar.Shift(periods[0], q.Unit, n)
			r.targets = append(r.targets, p.To)
			r.bases = append(r.bases, r.baseline(p.To))
		}
	}
	first := s.Today
	if len(r.bases) > 0 {
		first = r.bases[0]
	}
	r.sc = newScan(s, q, first)
	n := len(r.targets)
	r.total = make([]window, n)
	ends := slices.Concat(r.bases, r.targets)
	slices.Sort(ends)
	ends = slices.Compact(ends)
	for i := range n {
		base, _ := slices.BinarySearch(ends, r.bases[i])
		target, _ := slices.BinarySearch(ends, r.targets[i])
		r.baseAt, r.targetAt = append(r.baseAt, base), append(r.targetAt, target)
	}
	r.days, r.levels = points{ends: ends, rateDays: ends}, make([]balanceAt, len(ends))
	r.moved, r.rebased = make([]bool, n), make([]balanceAt, n)
	r.rebase = points{ends: r.targets, rateDays: r.bases, only: make([]bool, n)}
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		r.split = newSplit(s, q, n)
	}
	return r
}

// trailingMonths is the distance from baseline to target in months; days and
// weeks look back one period and have none.
func trailingMonths(q *Query) int {
	switch q.Unit {
	case calendar.UnitMonth, calendar.UnitQuarter, calendar.UnitYear:
		if q.TrailingMonths > 0 {
			return q.TrailingMonths
		}
		months, _ := q.Unit.MonthsLong()
		return int(months)
	default:
		return 0
	}
}

// baseline returns the day whose end a target is compared with.
func (r *retention) baseline(target calendar.Day) calendar.Day {
	if r.months > 0 {
		return (target + 1).AddMonths(-r.months) - 1
	}
	if r.unit == calendar.UnitWeek {
		return target - 7
	}
	return target - 1
}

func (r *retention) add(x *subject) error {
	if r.split == nil {
		return r.count(x, r.sc.match, r.total, nil)
	}
	if !r.split.d.ofState() {
		value, err := r.split.ofSubject(x)
		if err != nil {
			return err
		}
		return r.count(x, r.sc.match, r.total, r.part(value))
	}
	values, err := r.split.ofStates(x, r.sc.match)
	if err != nil {
		return err
	}
	if len(values) == 1 {
		return r.count(x, r.sc.match, r.total, r.part(values[0]))
	}
	if err := r.count(x, r.sc.match, r.total, nil); err != nil {
		return err
	}
	for _, value := range values {
		if err := r.count(x, r.split.within(value, r.sc.match), r.part(value), nil); err != nil {
			return err
		}
	}
	return nil
}

func (r *retention) part(value int32) []window {
	for int(value) >= len(r.parts) {
		r.parts = append(r.parts, make([]window, len(r.total)))
	}
	return r.parts[value]
}

// count adds a customer's windows within a view to one or two sinks.
func (r *retention) count(x *subject, match func(*ledger.State) bool, sink, second []window) error {
	moves, foreign, err := r.sc.movements(x, match)
	if err != nil {
		return err
	}
	return r.countMoves(x, match, moves, foreign, sink, second)
}

// countMoves is count for movements that are known already.
func (r *retention) countMoves(x *subject, match func(*ledger.State) bool, moves []ledger.Movement, foreign bool, sink, second []window) error {
	if len(moves) == 0 {
		return nil
	}
	if foreign {
		if err := r.convert(x, match); err != nil {
			return err
		}
	}
	firstPaid := moves[0].Day // a view's first movement is always new
	base, target := standing{moves: moves}, standing{moves: moves}
	for i := range r.total {
		if r.bases[i] > r.sc.horizon {
			break // nobody knows who pays then, nor later
		}
		var b, t, rebased balanceAt
		if foreign {
			b, t, rebased = r.levels[r.baseAt[i]], r.levels[r.targetAt[i]], r.rebased[i]
			if !r.moved[i] {
				rebased = b
			}
		} else {
			b, t = base.until(min(r.bases[i], r.sc.horizon)), target.until(min(r.targets[i], r.sc.horizon))
			rebased = t
		}
		if !b.live && !t.live {
			continue
		}
		sink[i].add(b, t, rebased, firstPaid <= r.bases[i])
		if second != nil {
			second[i].add(b, t, rebased, firstPaid <= r.bases[i])
		}
	}
	return nil
}

// standing walks the balances of a customer who needs no conversion.
type standing struct {
	moves []ledger.Movement // those that come after the day asked for last
	now   balanceAt
}

// until returns the balance at the end of a day. Days come in rising order.
func (s *standing) until(day calendar.Day) balanceAt {
	for len(s.moves) > 0 && s.moves[0].Day <= day {
		s.now = balanceAt{s.moves[0].After, s.moves[0].After > 0}
		s.moves = s.moves[1:]
	}
	return s.now
}

// convert finds the balances of a customer at all days, and those of targets at
// the rates of their baselines where anything changed in between and the
// customer is in the cohort. Only the cohort is converted at those rates: the
// baseline may lie before the account's history and its rates.
func (r *retention) convert(x *subject, match func(*ledger.State) bool) error {
	l := x.ledger
	if err := r.sc.levels(x, match, &r.days, r.levels); err != nil {
		return err
	}
	base, target := 0, 0 // changes until then
	late := false
	for i := range r.total {
		base, target = changesUntil(l, base, r.bases[i]), changesUntil(l, target, r.targets[i])
		r.moved[i] = base != target
		r.rebase.only[i] = r.moved[i] && r.levels[r.baseAt[i]].live
		late = late || r.rebase.only[i]
	}
	if !late {
		return nil
	}
	return r.sc.levels(x, match, &r.rebase, r.rebased)
}

// changesUntil counts the changes of a ledger until the end of a day, of which
// some are known.
func changesUntil(l *ledger.Ledger, known int, day calendar.Day) int {
	for known < len(l.Changes) && l.Changes[known].Day <= day {
		known++
	}
	return known
}

// add counts one customer: its balance at the baseline, at the target, and at
// the target in the rates of the baseline.
func (w *window) add(base, target, rebased balanceAt, paidBefore bool) {
	if !base.live {
		if target.live && paidBefore {
			w.reactivation += target.level
			w.reactivated++
		}
		return
	}
	w.cohort++
	w.base += base.level
	w.target += target.level
	w.rebased += rebased.level
	w.gross += min(base.level, rebased.level)
	change := rebased.level - base.level
	switch {
	case !target.live:
		w.churn += change
		return
	case change > 0:
		w.expansion += change
		w.expanded++
	case change < 0:
		w.contraction += change
		w.contracted++
	}
	w.retained++
}
