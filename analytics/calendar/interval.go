package calendar

import "fmt"

// Unit is the unit of a billing interval or of a report's periods.
type Unit uint8

// The units, shortest first. The zero value is "not stated".
const (
	NoUnit Unit = iota
	UnitDay
	UnitWeek
	UnitMonth
	UnitQuarter
	UnitYear
)

var unitNames = [...]string{"", "day", "week", "month", "quarter", "year"}

// ParseUnit reads day, week, month, quarter or year, and the adjectives daily,
// weekly, monthly, quarterly, yearly, annual and annually.
func ParseUnit(s string) (Unit, error) {
	switch s {
	case "day", "daily":
		return UnitDay, nil
	case "week", "weekly":
		return UnitWeek, nil
	case "month", "monthly":
		return UnitMonth, nil
	case "quarter", "quarterly":
		return UnitQuarter, nil
	case "year", "yearly", "annual", "annually":
		return UnitYear, nil
	default:
		return NoUnit, fmt.Errorf("%q is not one of day, week, month, quarter, year", s)
	}
}

// String returns the unit's name in the singular.
func (u Unit) String() string {
	if int(u) >= len(unitNames) {
		return ""
	}
	return unitNames[u]
}

// Interval is a billing interval: Count units.
type Interval struct {
	Unit  Unit
	Count int32
}

// End returns the first day after one interval that starts on d, clamped to
// the end of a shorter month.
func (iv Interval) End(d Day) Day {
	n := int(iv.Count)
	switch iv.Unit {
	case UnitDay:
		return d + Day(n)
	case UnitWeek:
		return d + Day(7*n)
	case UnitQuarter:
		return d.AddMonths(3 * n)
	case UnitYear:
		return d.AddMonths(12 * n)
	default:
		return d.AddMonths(n)
	}
}

// Months returns the interval's length as an exact fraction of months: a week
// is 12/52 and a day 12/365 of a month (seed 000: annual divided by 12).
func (iv Interval) Months() (num, den int64) {
	n := int64(iv.Count)
	switch iv.Unit {
	case UnitDay:
		return 12 * n, 365
	case UnitWeek:
		return 12 * n, 52
	case UnitQuarter:
		return 3 * n, 1
	case UnitYear:
		return 12 * n, 1
	default:
		return n, 1
	}
}

// WholeMonths returns k when to is exactly k calendar months after from, with
// month end to month end counting as whole months, and 0 when it is not.
func WholeMonths(from, to Day) int {
	y1, m1, _ := from.YMD()
	y2, m2, _ := to.YMD()
	k := (y2-y1)*12 + int(m2) - int(m1)
	if k <= 0 {
		return 0
	}
	if from.AddMonths(k) == to || from.IsMonthEnd() && to.IsMonthEnd() {
		return k
	}
	return 0
}
