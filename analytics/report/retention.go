package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
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
	months  int  // from baseline to target; 0 for days and weeks
	rows    rows // by target
	before  rows // by baseline: from that of the row before to its own
	targets []calendar.Day
	bases   []calendar.Day
	known   int // rows whose baseline has come: nobody knows who pays at the others
	split   *split
	total   []window
	parts   [][]window

	// Of customers who need conversion.
	days             points    // all bases and targets
	baseAt, targetAt []int     // where those of a row are among the days
	worths           worths    // on those days
	weighed          int       // the first row whose money is asked for; of those before, only the customers
	rated            [256]int8 // by currency: 1 if it has rates on all those days, -1 if not, 0 if nobody looked yet

	// Of those whose subscriptions must be converted one by one.
	levels  []balanceAt
	moved   []bool // whether anything changed between a row's baseline and target
	rebase  points // targets at the rates of their baselines
	rebased []balanceAt

	shares  shares             // of one value
	figures []RetentionMetrics // of one value, by row that is shown
}

func newRetention(s *Snapshot, q *Query, periods []calendar.Range) *retention {
	r := &retention{unit: q.Unit, months: trailingMonths(q)}
	var all []calendar.Range
	if len(periods) > 0 {
		for n := -averaged; n < len(periods); n++ {
			p := calendar.Shift(periods[0], q.Unit, n)
			all = append(all, p)
			r.targets = append(r.targets, p.To)
			r.bases = append(r.bases, r.baseline(p.To))
		}
	}
	r.rows, r.before = newRows(all), newRows(between(r.bases))
	r.sc = newScan(s, q)
	for r.known < len(r.bases) && r.bases[r.known] <= r.sc.horizon {
		r.known++
	}
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
	r.worths = newWorths(&r.days, r.sc.rates)
	r.moved, r.rebased = make([]bool, n), make([]balanceAt, n)
	r.rebase = points{ends: r.targets, rateDays: r.bases, only: make([]bool, n)}
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		r.split = newSplit(s, q, n)
	}
	return r
}

// between returns the ranges that end on days, each beginning after the one before.
func between(days []calendar.Day) []calendar.Range {
	var out []calendar.Range
	for i, day := range days {
		from := day
		if i > 0 {
			from = days[i-1] + 1
		}
		out = append(out, calendar.Range{From: from, To: day})
	}
	return out
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
		return r.count(x, r.sc.match, r.total)
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
	if err := r.count(x, r.sc.match, r.total); err != nil {
		return err
	}
	for _, value := range values {
		if err := r.count(x, r.split.within(value, r.sc.match), r.part(value)); err != nil {
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
