package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// exportWindow is about how many movements an export holds at a time.
const exportWindow = 1 << 15

// MovementExport reads the movements of the movement table without holding
// them all: the oldest day first, within a day by customer.
type MovementExport struct {
	// Count is how many movements there are.
	Count int
	// Days are those that the movements are of; To is before From when none can be.
	Days calendar.Range

	t         *table
	customers []*Customer // with movements, by id
	perDay    []int       // movements by day, from the first of Days on
	rows      []MovementRow
}

// NewMovementExport counts the movements that MovementTable lists for a query.
// Whatever can fail, fails here: its errors are *ParamError and
// *fx.MissingRateError.
func NewMovementExport(s *Snapshot, q *Query) (*MovementExport, error) {
	asked := *q
	asked.Breakdown, asked.BreakdownValue = Dimension{}, nil
	t := newTable(s, &asked, 0)
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
	t.take = func(f *found) { e.perDay[f.move.Day-e.Days.From]++ }
	if err := t.sc.customers(e.count); err != nil {
		return nil, err
	}
	slices.SortFunc(e.customers, func(a, b *Customer) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Source, b.Source))
	})
	e.Count = t.count
	return e, nil
}

func (e *MovementExport) count(c *Customer) error {
	before := e.t.count
	if err := e.t.add(c); err != nil {
		return err
	}
	if e.t.count > before {
		e.customers = append(e.customers, c)
	}
	return nil
}

// Each calls yield for the movements from one position up to another, until
// yield returns an error. The row is overwritten by the next one.
func (e *MovementExport) Each(from, to int, yield func(*MovementRow) error) error {
	before := 0
	for day := 0; day < len(e.perDay) && before < to; {
		first, count := day, 0
		for day < len(e.perDay) && (count == 0 || count+e.perDay[day] <= exportWindow) {
			count += e.perDay[day]
			day++
		}
		if before+count > from {
			if err := e.window(first, day, max(from-before, 0), min(to-before, count), yield); err != nil {
				return err
			}
		}
		before += count
	}
	return nil
}

// window yields some of the movements of a range of days, given by their
// positions in perDay.
func (e *MovementExport) window(first, end, from, to int, yield func(*MovementRow) error) error {
	t := e.t
	t.days = calendar.Range{From: e.Days.From + calendar.Day(first), To: e.Days.From + calendar.Day(end) - 1}
	// Customers come in order, so putting each movement behind the ones of its day
	// sorts them.
	next := make([]int, end-first)
	count := 0
	for i := range next {
		next[i] = count
		count += e.perDay[first+i]
	}
	rows := slices.Grow(e.rows[:0], count)[:count]
	e.rows = rows
	var failed error
	t.take = func(f *found) {
		at := &next[f.move.Day-t.days.From]
		if *at >= from && *at < to && failed == nil {
			rows[*at], failed = t.row(f)
		}
		*at++
	}
	for _, c := range e.customers {
		if err := t.add(c); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	for i := from; i < to; i++ {
		if err := yield(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}
