package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

const (
	// exportWindow is how many movements an export holds at a time at most, 26 MB
	// of text. Fewer would cost more visits to each customer, which are most of the
	// time that an export takes.
	exportWindow = 1 << 17
	// lineBytes is about how long a line is.
	lineBytes = 200
)

// MovementExport reads the movements of the movement table without holding
// them all: the oldest day first, within a day by customer.
type MovementExport struct {
	// Count is how many movements there are.
	Count int
	// Days are those that the movements are of; To is before From when none can be.
	Days calendar.Range

	t         *table
	customers []*subject // with movements, by id
	perDay    []int      // movements by day, from the first of Days on
	window    int        // how many movements are held at a time at most
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
	e := &MovementExport{t: t, Days: t.days, window: exportWindow}
	if t.days.From > t.days.To {
		return e, nil
	}
	e.perDay = make([]int, t.days.To-t.days.From+1)
	t.take = func(f *found) error {
		e.perDay[f.move.Day-e.Days.From]++
		return nil
	}
	if err := t.sc.customers(e.count); err != nil {
		return nil, err
	}
	slices.SortFunc(e.customers, func(a, b *subject) int { return byID(a.customer, b.customer) })
	e.Count = t.count
	return e, nil
}

func (e *MovementExport) count(x *subject) error {
	before := e.t.count
	if err := e.t.add(x); err != nil {
		return err
	}
	if e.t.count > before {
		e.customers = append(e.customers, x)
	}
	return nil
}

// Lines passes on the movements from one position up to another as lines of
// text, in order, until write returns an error. Each line is made by appendRow
// from a row, which has nothing that only the movement table shows (Period,
// Requested, Lines), and its description, which is not in the row. Rows come in
// another order than their lines; row, description and lines are overwritten by
// the next.
func (e *MovementExport) Lines(from, to int, appendRow func(b []byte, row *MovementRow, description []byte) []byte, write func(line []byte) error) error {
	held := max(min(to-from, e.Count, e.window), 0)
	r := &movementReader{
		MovementExport: e, next: make([]calendar.Day, len(e.customers)), text: make([]byte, 0, held*lineBytes), lines: make([][2]int, held),
		appendRow: appendRow, write: write,
	}
	for i := range r.next {
		r.next[i] = e.Days.From
	}
	before := 0
	for day := 0; day < len(e.perDay) && before < to; {
		first, count := day, 0
		for day < len(e.perDay) && (day == first || count+e.perDay[day] <= e.window) {
			count += e.perDay[day]
			day++
		}
		if count > 0 && before+count > from {
			if err := r.days(first, day, max(from-before, 0), min(to-before, count)); err != nil {
				return err
			}
		}
		before += count
	}
	return nil
}

// movementReader reads the movements of one range of days after another. Memory
// is slow to answer, and customers lie all over it, so that it goes to each of
// them once per range.
type movementReader struct {
	*MovementExport

	next      []calendar.Day // by customer, no later than its next movement
	at        []int          // by day of the range, the position of its next movement
	text      []byte         // the lines of the range, by customer
	lines     [][2]int       // from where to where in the text, in order
	row       MovementRow
	appendRow func([]byte, *MovementRow, []byte) []byte
	write     func([]byte) error
}

// days writes some of the movements of a range of days, given by their positions
// in perDay.
func (r *movementReader) days(first, end, from, to int) error {
	r.t.days = calendar.Range{From: r.Days.From + calendar.Day(first), To: r.Days.From + calendar.Day(end) - 1}
	// Customers come in order, so a day alone is in order as it comes, and of
	// several each movement goes behind the ones of its day.
	if end-first == 1 {
		return r.day(from, to)
	}
	r.at = r.at[:0]
	position := 0
	for _, n := range r.perDay[first:end] {
		r.at = append(r.at, position)
		position += n
	}
	r.text = r.text[:0]
	err := r.read(func(f *found) error {
		next := &r.at[f.move.Day-r.t.days.From]
		at := *next
		*next++
		if at >= from && at < to {
			start := len(r.text)
			r.text = r.append(r.text, f)
			r.lines[at-from] = [2]int{start, len(r.text)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, line := range r.lines[:to-from] {
		if err := r.write(r.text[line[0]:line[1]]); err != nil {
			return err
		}
	}
	return nil
}

// day writes some of the movements of the table's only day.
func (r *movementReader) day(from, to int) error {
	position := 0
	return r.read(func(f *found) error {
		position++
		if position <= from || position > to {
			return nil
		}
		r.text = r.append(r.text[:0], f)
		return r.write(r.text)
	})
}

// read finds the movements of the table's days, customer by customer.
func (r *movementReader) read(take func(*found) error) error {
	r.t.take = take
	for i, x := range r.customers {
		if r.next[i] > r.t.days.To {
			continue
		}
		if err := r.t.add(x); err != nil {
			return err
		}
		r.next[i] = r.t.later
	}
	return nil
}

func (r *movementReader) append(b []byte, f *found) []byte {
	r.row = r.t.plainRow(f)
	return r.appendRow(b, &r.row, r.t.description(f.kind, r.t.parts))
}
