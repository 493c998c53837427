package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Range is a span of days; both ends belong to it.
type Range struct {
	From, To Day
}

// Contains reports whether d lies in the range.
func (r Range) Contains(d Day) bool { return r.From <= d && d <= r.To }

// String is the contract's form YYYYMMDD-YYYYMMDD.
func (r Range) String() string {
	return strings.ReplaceAll(r.From.String(), "-", "") + "-" + strings.ReplaceAll(r.To.String(), "-", "")
}

// RangeContext is what the words of the range grammar depend on.
type RangeContext struct {
	Today     Day
	First     Day // first day with data, for the word all; NoDay if there is none
	WeekStart time.Weekday
}

// RangeForms tells a reader what ParseRange accepts.
const RangeForms = "20260101-20261231, 2026-01-01:2026-12-31, one day such as 20260131 or 2026-01-31, today, yesterday, " +
	"last-N-days (or weeks, months, quarters, years), last-week (or month, quarter, year), this-week (or month, quarter, year), " +
	"mtd, qtd, ytd, all"

// DefaultRange is the last 365 days, today included.
func DefaultRange(today Day) Range { return Range{today - 364, today} }

// earliest bounds how far back a range may reach.
const earliest = Day(-25567) // 1900-01-01

// ParseRange reads the range grammar of the contract (section 1.8); the empty
// string is the last 365 days. "last-N-months" is the running month and the N-1
// before it, up to today, and so for the other units; "last-month" is the last
// complete one; "this-month" is the whole running one.
func ParseRange(s string, c RangeContext) (Range, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return DefaultRange(c.Today), nil
	}
	r, ok := c.word(s)
	if !ok {
		r, ok = explicit(s)
	}
	switch {
	case !ok:
		return Range{}, fmt.Errorf("%q is not a date range; accepted are %s", s, RangeForms)
	case r.From > r.To:
		return Range{}, fmt.Errorf("the range starts on %s, after its end on %s", r.From, r.To)
	case r.From < earliest:
		return Range{}, fmt.Errorf("the range starts before %s", earliest)
	}
	return r, nil
}

// explicit reads one day, or two days with a hyphen or colon between them.
func explicit(s string) (Range, bool) {
	from, to, two := cutDays(s)
	first, err := ParseDay(from)
	if err != nil {
		return Range{}, false
	}
	if !two {
		return Range{first, first}, true
	}
	last, err := ParseDay(to)
	return Range{first, last}, err == nil
}

// cutDays separates two days of the same form; days with hyphens have 10 bytes.
func cutDays(s string) (from, to string, two bool) {
	if from, to, two := strings.Cut(s, ":"); two {
		return from, to, true
	}
	for _, width := range [...]int{8, 10} {
		if len(s) == 2*width+1 && s[width] == '-' {
			return s[:width], s[width+1:], true
		}
	}
	return s, "", false
}

func (c RangeContext) word(s string) (Range, bool) {
	today := c.Today
	switch s {
	case "today":
		return Range{today, today}, true
	case "yesterday":
		return Range{today - 1, today - 1}, true
	case "mtd":
		return Range{c.period(UnitMonth).From, today}, true
	case "qtd":
		return Range{c.period(UnitQuarter).From, today}, true
	case "ytd":
		return Range{c.period(UnitYear).From, today}, true
	case "all":
		if !c.First.Valid() || c.First > today {
			return Range{today, today}, true
		}
		return Range{c.First, today}, true
	}
	if name, ok := strings.CutPrefix(s, "this-"); ok {
		unit, ok := wordUnit(name)
		return c.period(unit), ok
	}
	name, ok := strings.CutPrefix(s, "last-")
	if !ok {
		return Range{}, false
	}
	if unit, ok := wordUnit(name); ok {
		return Shift(c.period(unit), unit, -1), true
	}
	return c.lastN(name)
}

// maxCount bounds N in last-N-days: a little over a century.
const maxCount = 40000

// lastN reads what follows "last-" in last-12-months.
func (c RangeContext) lastN(s string) (Range, bool) {
	count, name, ok := strings.Cut(s, "-")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 || n > maxCount || count[0] == '+' {
		return Range{}, false
	}
	name = strings.TrimSuffix(name, "s")
	unit := UnitDay
	if name != "day" {
		if unit, ok = wordUnit(name); !ok {
			return Range{}, false
		}
	}
	first := Shift(c.period(unit), unit, 1-n)
	return Range{first.From, c.Today}, true
}

func (c RangeContext) period(unit Unit) Range { return PeriodOf(c.Today, unit, c.WeekStart) }

func wordUnit(name string) (Unit, bool) {
	switch name {
	case "week":
		return UnitWeek, true
	case "month":
		return UnitMonth, true
	case "quarter":
		return UnitQuarter, true
	case "year":
		return UnitYear, true
	default:
		return NoUnit, false
	}
}

// MaxPeriods is the most rows that a report may have.
const MaxPeriods = 1500

// ErrTooManyPeriods says that a range has more than MaxPeriods periods.
var ErrTooManyPeriods = errors.New("the range has more than 1,500 periods; choose a longer interval or a shorter range")
