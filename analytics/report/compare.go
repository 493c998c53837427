package report

import (
	"fmt"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// Comparison is which earlier period each row of a report is compared with.
type Comparison uint8

// The comparisons.
const (
	NoComparison Comparison = iota
	LastPeriod              // the rows just before, as many as there are
	LastYear                // the same period a year before; of weeks 52 weeks before
)

var comparisonNames = [...]string{"", "last-period", "last-year"}

// String returns the contract's name, "" for none.
func (c Comparison) String() string { return comparisonNames[c] }

func (p *parser) compare(q *Query) error {
	switch v := strings.ReplaceAll(strings.ToLower(p.one("compare")), "_", "-"); v {
	case "":
	case LastPeriod.String():
		q.Compare = LastPeriod
	case LastYear.String():
		q.Compare = LastYear
	default:
		return &ParamError{"compare", fmt.Sprintf("%q is not one of last-period, last-year", v)}
	}
	return nil
}

// alone is the query without a comparison.
func (q *Query) alone() *Query {
	plain := *q
	plain.Compare = NoComparison
	return &plain
}

// before returns the period that a row out of so many is compared with.
func (q *Query) before(p calendar.Range, rows int) calendar.Range {
	if q.Compare == LastPeriod {
		return calendar.Shift(p, q.Unit, -rows)
	}
	switch q.Unit {
	case calendar.UnitWeek:
		return calendar.Shift(p, q.Unit, -52)
	case calendar.UnitMonth:
		return calendar.Shift(p, q.Unit, -12)
	case calendar.UnitQuarter:
		return calendar.Shift(p, q.Unit, -4)
	case calendar.UnitYear:
		return calendar.Shift(p, q.Unit, -1)
	default:
		day := p.From.AddMonths(-12)
		return calendar.Range{From: day, To: day}
	}
}

// earlier is the query for the periods that some are compared with. With fixed
// rates they are those of the query.
func (q *Query) earlier(periods []calendar.Range) *Query {
	n, other := len(periods), *q
	other.Compare = NoComparison
	other.Range = calendar.Range{From: q.before(periods[0], n).From, To: q.before(periods[n-1], n).To}
	other.DateGiven = true
	if q.RateDay == nil {
		other.RateDay = &q.Range.From
	}
	return &other
}

// figure names a row of a table, which has it once.
type figure struct {
	period      calendar.Day // first day
	kind, value string       // "" for what the table does not have
}

// compareFigures runs a table over the periods that its own are compared with,
// and gives each row the same figure of the earlier period, if there is one. of
// returns the name of a row and the place of the earlier row in it.
func compareFigures[R any](s *Snapshot, q *Query, rows []R, run func(*Snapshot, *Query) ([]R, error), of func(*R) (figure, **R)) error {
	if q.Compare == NoComparison || len(rows) == 0 {
		return nil
	}
	periods, err := q.periods(s)
	if err != nil {
		return err
	}
	earlier, err := run(s, q.earlier(periods))
	if err != nil {
		return err
	}
	known := make(map[figure]*R, len(earlier))
	for i := range earlier {
		name, _ := of(&earlier[i])
		known[name] = &earlier[i]
	}
	before := make(map[calendar.Day]calendar.Day, len(periods))
	for _, p := range periods {
		before[p.From] = q.before(p, len(periods)).From
	}
	for i := range rows {
		name, compared := of(&rows[i])
		name.period = before[name.period]
		*compared = known[name]
	}
	return nil
}

// key is the value's key, "" for none.
func (v *Value) key() string {
	if v == nil {
		return ""
	}
	return v.Key
}

// compareRows runs a report over the periods that the ones of its rows are
// compared with, without a breakdown, and gives each row the earlier one, if
// there is one. With fixed rates they are those of the query. of returns the
// first day of a row and the place of the earlier row in it.
func compareRows[R any](q *Query, periods []calendar.Range, rows []R, run func(*Query) ([]R, error), of func(*R) (calendar.Day, **R)) error {
	if q.Compare == NoComparison || len(periods) == 0 {
		return nil
	}
	n, other := len(periods), q.earlier(periods)
	other.Whole()
	earlier, err := run(other)
	if err != nil {
		return err
	}
	byStart := make(map[calendar.Day]*R, len(earlier))
	for i := range earlier {
		start, _ := of(&earlier[i])
		byStart[start] = &earlier[i]
	}
	for i := range rows {
		_, compared := of(&rows[i])
		*compared = byStart[q.before(periods[i], n).From]
	}
	return nil
}
