package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// ScheduledChurn is what is going to be lost in one period. Amounts are minor
// units of the query's currency at today's rates, 0 or negative.
type ScheduledChurn struct {
	Churn, Contraction                   int64
	ChurnCustomers, ContractionCustomers int64 // distinct
	TotalMRR                             int64 // both
	TotalCustomers                       int64 // distinct
}

// ScheduledChurnRow is one period.
type ScheduledChurnRow struct {
	Period calendar.Range
	ScheduledChurn
	Breakdown []ScheduledChurn // per value of ScheduledChurnReport.Values; nil without a breakdown
}

// ScheduledChurnReport is the scheduled losses by period, oldest first.
type ScheduledChurnReport struct {
	Days   calendar.Range // that the rows are about
	Values []Value
	Rows   []ScheduledChurnRow
}

// ChurnScheduled computes the report churn-scheduled: the losses after today in
// the whole periods that the range touches, by default those of the coming 12
// months. Its errors are *ParamError and *fx.MissingRateError.
func ChurnScheduled(s *Snapshot, q *Query) (*ScheduledChurnReport, error) {
	q = q.ahead(s)
	q.Subtypes = nil
	r := &ScheduledChurnReport{Days: q.Range}
	periods, err := calendar.Periods(calendar.Range{From: max(q.Range.From, s.Today), To: q.Range.To}, q.Unit, s.WeekStart)
	switch {
	case errors.Is(err, calendar.ErrTooManyPeriods):
		return nil, &ParamError{"date", err.Error()}
	case err != nil:
		return nil, err
	case len(periods) == 0:
		return r, nil
	}
	r.Days = calendar.Range{From: periods[0].From, To: periods[len(periods)-1].To}
	whole := *q
	whole.Breakdown, whole.BreakdownValue = Dimension{}, nil
	t, err := losses(s, &whole, r.Days)
	if err != nil {
		return nil, err
	}
	at := newRows(periods)
	for i, sum := range sumLosses(t, &at, 1)[0] {
		r.Rows = append(r.Rows, ScheduledChurnRow{Period: periods[i], ScheduledChurn: sum})
	}
	if q.Breakdown == (Dimension{}) {
		return r, nil
	}
	if t, err = losses(s, q, r.Days); err != nil {
		return nil, err
	}
	order := t.split.sorted()
	r.Values = t.split.values(order)
	parts := sumLosses(t, &at, len(order))
	for i := range r.Rows {
		for _, v := range order {
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, parts[v][i])
		}
	}
	return r, nil
}

// ahead is the query with the default range of reports about the future.
func (q *Query) ahead(s *Snapshot) *Query {
	future := *q
	future.Committed = true
	if !q.DateGiven {
		future.Range = calendar.Range{From: s.Today, To: s.Today.AddMonths(12)}
	}
	return &future
}

// losses collects the churn and contraction after today in some days.
func losses(s *Snapshot, q *Query, days calendar.Range) (*table, error) {
	t := newTable(s, q, 1<<31-1)
	t.all = true
	t.days = calendar.Range{From: max(days.From, s.Today+1), To: days.To}
	t.sc.horizon = t.days.To
	if err := t.sc.customers(t.add); err != nil {
		return nil, err
	}
	t.found = slices.DeleteFunc(t.found, func(f found) bool { return f.kind != ledger.Churn && f.kind != ledger.Contraction })
	return t, nil
}

// sumLosses adds up the movements by value, then row.
func sumLosses(t *table, at *rows, values int) [][]ScheduledChurn {
	type seen struct {
		customer *Customer
		value    int32
		row      int
		kind     ledger.Type // None for any
	}
	met := map[seen]bool{}
	first := func(f *found, row int, kind ledger.Type) int64 {
		key := seen{f.customer, f.value, row, kind}
		if met[key] {
			return 0
		}
		met[key] = true
		return 1
	}
	sums := make([][]ScheduledChurn, values)
	for v := range sums {
		sums[v] = make([]ScheduledChurn, len(at.periods))
	}
	for i := range t.found {
		f := &t.found[i]
		row := at.of(f.move.Day) - 1
		c := &sums[f.value][row]
		if f.kind == ledger.Churn {
			c.Churn += f.base
			c.ChurnCustomers += first(f, row, f.kind)
		} else {
			c.Contraction += f.base
			c.ContractionCustomers += first(f, row, f.kind)
		}
		c.TotalMRR += f.base
		c.TotalCustomers += first(f, row, ledger.None)
	}
	return sums
}

// ChurnScheduledMovements computes the report churn-scheduled-movements: the
// movements behind ChurnScheduled. With SelectedDate they are those of the
// period around it; with a date and no interval those of the range itself. Its
// errors are *ParamError and *fx.MissingRateError.
func ChurnScheduledMovements(s *Snapshot, q *Query) (*MovementTableReport, error) {
	q = q.ahead(s)
	keeps, err := q.lossesKept()
	if err != nil {
		return nil, err
	}
	dated := *q
	dated.DateGiven = true
	dated.UnitGiven = q.UnitGiven || !q.DateGiven // without a date the periods are whole
	t, err := losses(s, q, daysOf(s, &dated))
	if err != nil {
		return nil, err
	}
	t.found = slices.DeleteFunc(t.found, func(f found) bool { return !keeps(t, &f) })
	t.cut()
	page, from, to, err := q.page(len(t.found), maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
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

// lossesKept reads what of the scheduled losses is asked for: churn, contraction,
// or the churn of one billing interval such as month_churn.
func (q *Query) lossesKept() (func(*table, *found) bool, error) {
	switch q.Selected {
	case "":
		return func(*table, *found) bool { return true }, nil
	case ledger.Churn.String():
		return func(_ *table, f *found) bool { return f.kind == ledger.Churn }, nil
	case ledger.Contraction.String():
		return func(_ *table, f *found) bool { return f.kind == ledger.Contraction }, nil
	}
	word, churn := strings.CutSuffix(q.Selected, "_churn")
	unit, err := calendar.ParseUnit(word)
	if !churn || err != nil {
		return nil, &ParamError{"selected-type", fmt.Sprintf(
			"%q is not one of churn, contraction, day_churn, week_churn, month_churn, quarter_churn, year_churn", q.Selected)}
	}
	return func(t *table, f *found) bool {
		view := ledger.View{Match: t.matchOf(f)}
		plan := t.sc.s.plan(mainPlan(f.kind, t.partsOf(f.customer.Ledger, &f.move, &view)))
		return f.kind == ledger.Churn && frequency(plan.Interval) == unit
	}, nil
}

// requested is the day on which somebody asked for the end of a stream that is
// scheduled for a day, the latest if there are several; NoDay if nobody did.
func requested(l *ledger.Ledger, day calendar.Day) calendar.Day {
	latest := calendar.NoDay
	if day <= l.Today {
		return latest
	}
	for i := range l.Streams {
		if st := &l.Streams[i]; st.End == day {
			latest = max(latest, st.Requested)
		}
	}
	return latest
}
