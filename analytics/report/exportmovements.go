package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// exportWindow is about how many movements an export holds at a time.
const exportWindow = 1 << 16

// MovementExport reads the movements of the movement table without holding
// them all: the oldest day first, within a day by customer.
type MovementExport struct {
	// Count is how many movements there are.
	Count int

	// Days are those that the movements are of; To is before From when none can be.
	Days calendar.Range

	t      *table
	perDay []int // movements by day, from the first of Days on
}

// NewMovementExport counts the movements that MovementTable lists for a query.
// Whatever can fail, fails here: its errors are *ParamError and
// *fx.MissingRateError.
func NewMovementExport(s *Snapshot, q *Query) (*MovementExport, error) {
	asked := *q
	asked.Breakdown, asked.BreakdownValue = Dimension{}, nil
	asked.Sort, asked.Ascending = ByDate, true
	t := newTable(s, &asked, 1<<31-1)
	t.lines = false
	var err error
	if t.kind, t.all, err = selected(&asked, ledger.Types[:]); err != nil {
		return nil, err
	}
	e := &MovementExport{t: t, Days: t.days}
	if t.days.From > t.days.To {
		return e, nil
	}
	e.perDay = make([]int, t.days.To-t.days.From+1)
	t.found = t.found[:0]
	t.counts = func(f *found) { e.perDay[f.move.Day-e.Days.From]++ }
	if err := t.sc.customers(t.add); err != nil {
		return nil, err
	}
	e.Count, t.counts = t.count, nil
	return e, nil
}

// Each calls yield for the movements from one position up to another, until
// yield returns an error. The row is overwritten by the next one.
func (e *MovementExport) Each(from, to int, yield func(*MovementRow) error) error {
	before := 0
	for day := 0; day < len(e.perDay) && before < to; {
		window := calendar.Range{From: e.Days.From + calendar.Day(day)}
		count := 0
		for day < len(e.perDay) && (count == 0 || count+e.perDay[day] <= exportWindow) {
			count += e.perDay[day]
			day++
		}
		window.To = e.Days.From + calendar.Day(day) - 1
		if before+count > from {
			if err := e.window(window, max(from-before, 0), min(to-before, count), yield); err != nil {
				return err
			}
		}
		before += count
	}
	return nil
}

// window yields some of the movements of a range of days.
func (e *MovementExport) window(days calendar.Range, from, to int, yield func(*MovementRow) error) error {
	t := e.t
	t.days, t.count, t.found = days, 0, t.found[:0]
	if err := t.sc.customers(t.add); err != nil {
		return err
	}
	t.cut()
	for i := from; i < to; i++ {
		row, err := t.row(&t.found[i])
		if err != nil {
			return err
		}
		if err := yield(&row); err != nil {
			return err
		}
	}
	return nil
}
