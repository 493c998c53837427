package calendar

import (
	"fmt"
	"time"
)

// Stamp is a moment as a client sent it: either a calendar day or an instant.
// A date without a time, and a timestamp at exactly 00:00:00Z, is a calendar
// day in the account's zone, whatever the zone; any other timestamp is an
// instant. The zero Stamp means "not stated".
//
// The value packs Unix seconds and the kind into one word: seconds<<2 | kind.
type Stamp int64

const (
	stampDay     = 1
	stampInstant = 2
)

// DayStamp returns the stamp of a calendar day.
func DayStamp(d Day) Stamp { return Stamp(int64(d)*86400<<2 | stampDay) }

// InstantStamp returns the stamp of an instant; one at midnight UTC is a day.
func InstantStamp(t time.Time) Stamp {
	sec := t.Unix()
	if sec%86400 == 0 && t.Nanosecond() == 0 {
		return Stamp(sec<<2 | stampDay)
	}
	return Stamp(sec<<2 | stampInstant)
}

// Moment returns the stamp of an instant that no client sent: one at midnight
// UTC is an instant as any other.
func Moment(t time.Time) Stamp { return Stamp(t.Unix()<<2 | stampInstant) }

// ParseStamp reads YYYY-MM-DD, YYYYMMDD or RFC 3339 with optional fraction; a
// timestamp without a zone is read as UTC. Years 1900 to 9999 are accepted.
func ParseStamp(s string) (Stamp, error) {
	if st, ok := fastStamp(s); ok {
		return st, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly, "20060102"} {
		t, err := time.Parse(layout, s)
		if err == nil && t.Year() >= 1900 {
			return InstantStamp(t), nil
		}
	}
	return 0, fmt.Errorf("%q is not a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z", s)
}

// fastStamp reads the two forms that nearly every row uses, YYYY-MM-DD and
// YYYY-MM-DDTHH:MM:SSZ, without allocating.
func fastStamp(s string) (Stamp, bool) {
	if len(s) != 10 && (len(s) != 20 || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z') {
		return 0, false
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || s[4] != '-' || s[7] != '-' || y < 1900 || m < 1 || m > 12 || d < 1 || d > daysIn(y, time.Month(m)) {
		return 0, false
	}
	day := civil(y, time.Month(m), d)
	if len(s) == 10 {
		return DayStamp(day), true
	}
	hh, ok1 := digits(s[11:13])
	mm, ok2 := digits(s[14:16])
	ss, ok3 := digits(s[17:19])
	if !ok1 || !ok2 || !ok3 || hh > 23 || mm > 59 || ss > 59 {
		return 0, false
	}
	sec := int64(hh)*3600 + int64(mm)*60 + int64(ss)
	if sec == 0 {
		return DayStamp(day), true
	}
	return Stamp((int64(day)*86400+sec)<<2 | stampInstant), true
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

// IsZero reports whether the stamp is not stated.
func (s Stamp) IsZero() bool { return s == 0 }

// IsDay reports whether the stamp is a calendar day rather than an instant.
func (s Stamp) IsDay() bool { return s&3 == stampDay }

// Day returns the calendar day of the stamp in the account's zone.
func (s Stamp) Day(zone *time.Location) Day {
	if s == 0 {
		return NoDay
	}
	sec := int64(s) >> 2
	if s.IsDay() || zone == time.UTC {
		return floorDay(sec)
	}
	_, offset := time.Unix(sec, 0).In(zone).Zone()
	return floorDay(sec + int64(offset))
}

// SecondOfDay returns the local wall-clock second of an instant, and 0 for a day.
func (s Stamp) SecondOfDay(zone *time.Location) int {
	if s == 0 || s.IsDay() {
		return 0
	}
	sec := int64(s) >> 2
	if zone != time.UTC {
		_, offset := time.Unix(sec, 0).In(zone).Zone()
		sec += int64(offset)
	}
	return int(sec - int64(floorDay(sec))*86400)
}

// Instant returns the Unix second at which the stamp begins in the account's
// zone: an instant's own second, or the day's first, which is its local midnight
// unless clocks are put forward then.
func (s Stamp) Instant(zone *time.Location) int64 {
	sec := int64(s) >> 2
	if !s.IsDay() || zone == time.UTC {
		return sec
	}
	y, m, d := floorDay(sec).YMD()
	begin := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if _, offset := begin.Zone(); begin.Unix()+int64(offset) < sec { // midnight is skipped, this is before
		_, begin = begin.ZoneBounds()
	}
	return begin.Unix()
}

// String returns the stamp as RFC 3339 in UTC; a day is its midnight. Empty
// when not stated.
func (s Stamp) String() string { return string(s.Append(make([]byte, 0, len(time.RFC3339)))) }

// Append appends String to b.
func (s Stamp) Append(b []byte) []byte {
	if s == 0 {
		return b
	}
	return time.Unix(int64(s)>>2, 0).UTC().AppendFormat(b, time.RFC3339)
}

func floorDay(sec int64) Day {
	d := sec / 86400
	if sec%86400 < 0 {
		d--
	}
	return Day(d)
}
