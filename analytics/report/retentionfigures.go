package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

func (r *retention) report(periods []calendar.Range) *RetentionReport {
	out := &RetentionReport{TrailingMonths: float64(r.months), Rows: make([]RetentionRow, len(periods))}
	if r.months == 0 {
		num, den := r.unit.MonthsLong()
		out.TrailingMonths = hundredths(num, 1, den)
	}
	figures := r.metrics(r.total)
	for i, p := range periods {
		row := &out.Rows[i]
		row.Period = p
		row.Baseline = calendar.PeriodOf(r.bases[i+averaged], r.unit, r.sc.s.WeekStart).From
		row.RetentionMetrics = figures[i]
	}
	if r.split != nil {
		r.breakDown(out)
	}
	return out
}

// breakDown adds the figures of each value.
func (r *retention) breakDown(out *RetentionReport) {
	order := r.split.sorted()
	out.Values = r.split.values(order)
	if len(order) == 0 {
		return
	}
	cells := make([]RetentionMetrics, len(out.Rows)*len(order))
	for i := range out.Rows {
		out.Rows[i].Breakdown = cells[i*len(order) : (i+1)*len(order)]
	}
	for at, value := range order {
		for i, figures := range r.metrics(r.part(value)) {
			out.Rows[i].Breakdown[at] = figures
		}
	}
}

// metrics computes the rows that are shown. The result is overwritten by the
// next call.
func (r *retention) metrics(windows []window) []RetentionMetrics {
	r.settle(windows)
	r.shares.of(windows)
	r.figures = r.figures[:0]
	for i := averaged; i < len(windows); i++ {
		last := i
		if r.targets[i] > r.sc.s.Today { // the running period is left out of averages
			last--
		}
		m := windows[i].metrics()
		r.average(&m, last-averaged+1, last+1)
		r.figures = append(r.figures, m)
	}
	return r.figures
}

// metrics is what a window says without those before it.
func (w *window) metrics() RetentionMetrics {
	churned := w.cohort - w.retained
	return RetentionMetrics{
		BaselineMRR: w.base, TargetMRR: w.target, GRRMRR: w.gross,
		CohortCustomers: w.cohort, RetainedCustomers: w.retained, ChurnedCustomers: churned,
		Expansion: w.expansion, ExpansionCustomers: w.expanded,
		Contraction: w.contraction, ContractionCustomers: w.contracted,
		Churn: w.churn, ChurnCustomers: churned,
		Reactivation: w.reactivation, ReactivationCustomers: w.reactivated,
		FXAdjustment: w.target - w.rebased,
		NRR:          percent(w.rebased, w.base), GRR: percent(w.gross, w.base),
		CustomerRetentionRate: percent(w.retained, w.cohort), CustomerChurnRate: percent(churned, w.cohort),
		MRRChurnRate: percent(w.base-w.gross, w.base), NetMRRChurnRate: percent(w.base-w.rebased, w.base),
		ARPA: perCustomer(w.target, w.retained), CustomerLifetime: null(),
	}
}

// shares are the fractions of which averages are taken, by row.
type shares struct{ net, gross, churned []fraction }

func (s *shares) of(windows []window) {
	s.net, s.gross, s.churned = s.net[:0], s.gross[:0], s.churned[:0]
	for i := range windows {
		w := &windows[i]
		s.net = append(s.net, fractionOf(w.rebased, w.base))
		s.gross = append(s.gross, fractionOf(w.gross, w.base))
		s.churned = append(s.churned, fractionOf(w.cohort-w.retained, w.cohort))
	}
}

// average fills in the averages over rows, and what follows from them.
func (r *retention) average(m *RetentionMetrics, from, to int) {
	net, gross, churn := averageOf(r.shares.net[from:to]), averageOf(r.shares.gross[from:to]), averageOf(r.shares.churned[from:to])
	m.NRRAvg, m.NetMRRChurnAvg = net.percents()
	m.GRRAvg, m.MRRChurnAvg = gross.percents()
	m.CustomerChurnAvg, m.CustomerRetentionAvg = churn.percents()
	if churn.zero() {
		return
	}
	num, den := r.trailing()
	m.CustomerLifetime = Ratio{Value: float64(churn.dividing(10, num, den)) / 10}
	ltv := churn.dividing(m.ARPA, num, den)
	m.LTV = &ltv
}

// trailing is the length of the window in months.
func (r *retention) trailing() (num, den int64) {
	if r.months > 0 {
		return int64(r.months), 1
	}
	return r.unit.MonthsLong()
}
