// Package calendar is the arithmetic of days, months and billing intervals.
// It knows no clock: "today" is always a parameter.
package calendar

import (
	"fmt"
	"time"
)

// Day is a calendar day, counted from 1970-01-01 as day 0.
type Day int32

// NoDay marks the absence of a day. It sorts before every real day.
const NoDay Day = -1 << 31

// Never is later than every real day.
const Never Day = 1<<31 - 1

// Date returns the day of a year, month and day of month; out-of-range values
// are normalised as time.Date does.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// DayOf returns the day that t falls on in its own location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Date(y, m, d)
}

// ParseDay reads YYYY-MM-DD or YYYYMMDD.
func ParseDay(s string) (Day, error) {
	layout := time.DateOnly
	if len(s) == 8 {
		layout = "20060102"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return NoDay, fmt.Errorf("%q is not a date such as 2026-01-31", s)
	}
	return DayOf(t), nil
}

// Valid reports whether d is a real day.
func (d Day) Valid() bool { return d != NoDay && d != Never }

// YMD returns the civil date of d (Howard Hinnant's days-to-civil algorithm,
// which is exact for the proleptic Gregorian calendar).
func (d Day) YMD() (year int, month time.Month, day int) {
	z := int64(d) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	m := mp + 3
	if m > 12 {
		m -= 12
	}
	year = int(yoe + era*400)
	if m <= 2 {
		year++
	}
	return year, time.Month(m), day
}

// civil is the inverse of YMD for an in-range month and day.
func civil(year int, month time.Month, day int) Day {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return Day(era*146097 + doe - 719468)
}

// Time returns midnight UTC of d.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Weekday returns the day of the week.
func (d Day) Weekday() time.Weekday {
	w := (int(d)%7 + 11) % 7 // 1970-01-01 was a Thursday
	return time.Weekday(w)
}

// String returns YYYY-MM-DD, or "" for NoDay and Never.
func (d Day) String() string {
	if !d.Valid() {
		return ""
	}
	return string(d.Append(nil))
}

// Append appends YYYY-MM-DD to b.
func (d Day) Append(b []byte) []byte {
	y, m, day := d.YMD()
	if y < 0 || y > 9999 {
		return fmt.Appendf(b, "%04d-%02d-%02d", y, int(m), day)
	}
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+int(m)/10), byte('0'+int(m)%10), '-',
		byte('0'+day/10), byte('0'+day%10))
}

// AddMonths moves d by n calendar months, clamped to the end of the target
// month: January 31 plus one month is the last day of February.
func (d Day) AddMonths(n int) Day {
	y, m, day := d.YMD()
	total := y*12 + int(m) - 1 + n
	y, m = total/12, time.Month(total%12+1)
	if total < 0 && total%12 != 0 {
		y, m = total/12-1, time.Month(total%12+13)
	}
	return civil(y, m, min(day, daysIn(y, m)))
}

// IsMonthEnd reports whether d is the last day of its month.
func (d Day) IsMonthEnd() bool {
	y, m, day := d.YMD()
	return day == daysIn(y, m)
}

func daysIn(year int, month time.Month) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}
