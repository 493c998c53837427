package calendar

import (
	"fmt"
	"time"
)

// PeriodOf returns the whole day, week, month, quarter or year that d lies in.
// Weeks begin on weekStart.
func PeriodOf(d Day, unit Unit, weekStart time.Weekday) Range {
	y, m, _ := d.YMD()
	switch unit {
	case UnitWeek:
		from := d - Day((d.Weekday()-weekStart+7)%7)
		return Range{from, from + 6}
	case UnitMonth:
		return span(civil(y, m, 1), 1)
	case UnitQuarter:
		return span(civil(y, (m-1)/3*3+1, 1), 3)
	case UnitYear:
		return span(civil(y, 1, 1), 12)
	default:
		return Range{d, d}
	}
}

// span is the range of whole months that begins on the first day of one.
func span(from Day, months int) Range { return Range{from, from.AddMonths(months) - 1} }

// Shift returns the period n periods after p, or before it when n is negative.
func Shift(p Range, unit Unit, n int) Range {
	switch unit {
	case UnitWeek:
		return Range{p.From + Day(7*n), p.To + Day(7*n)}
	case UnitMonth:
		return span(p.From.AddMonths(n), 1)
	case UnitQuarter:
		return span(p.From.AddMonths(3*n), 3)
	case UnitYear:
		return span(p.From.AddMonths(12*n), 12)
	default:
		return Range{p.From + Day(n), p.To + Day(n)}
	}
}

// Periods returns the whole periods that intersect r, oldest first, or
// ErrTooManyPeriods.
func Periods(r Range, unit Unit, weekStart time.Weekday) ([]Range, error) {
	var out []Range
	for p := PeriodOf(r.From, unit, weekStart); p.From <= r.To; p = Shift(p, unit, 1) {
		if len(out) == MaxPeriods {
			return nil, ErrTooManyPeriods
		}
		out = append(out, p)
	}
	return out, nil
}

// Label names a period for people: "2025-01-31", "2025-W03", "Jan 2025",
// "Q1 2025", "2025". A week bears the ISO number of the week that its Thursday
// lies in, whatever day it begins on.
func Label(p Range, unit Unit) string {
	y, m, _ := p.From.YMD()
	switch unit {
	case UnitWeek:
		thursday := p.From + Day((time.Thursday-p.From.Weekday()+7)%7)
		year, week := thursday.Time().ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case UnitMonth:
		return fmt.Sprintf("%s %04d", m.String()[:3], y)
	case UnitQuarter:
		return fmt.Sprintf("Q%d %04d", (m-1)/3+1, y)
	case UnitYear:
		return fmt.Sprintf("%04d", y)
	default:
		return p.From.String()
	}
}

// MonthsLong returns a unit's length in months as a fraction: of a report's
// periods, where a day is 12/365 and a week 84/365 of a month.
func (u Unit) MonthsLong() (num, den int64) {
	if u == UnitWeek {
		return 84, 365
	}
	return Interval{Unit: u, Count: 1}.Months()
}
