package args

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// DateForms tells a reader what Date accepts.
const DateForms = "2026, 2026-Q1, 2026-03, 2026-03-15, 2026-01-01..2026-03-31, last-12-months, last-quarter, this-year, ytd, yesterday, all"

// Date turns the ways in which people write a range of days into those of the
// API. Ranges that depend on today stay words, because the API knows the day in
// the account's time zone; the others become YYYYMMDD-YYYYMMDD.
func Date(text string) (string, error) {
	s := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if s != "" && !isDigit(s[0]) {
		if word, ok := relative(s); ok {
			return word, nil
		}
	}
	for _, separator := range [...]string{"..", " to ", " until ", ":", "/", " - ", "–"} {
		if from, to, ok := strings.Cut(s, separator); ok {
			return between(text, strings.TrimSpace(from), strings.TrimSpace(to))
		}
	}
	if from, to, ok := cutHyphen(s); ok {
		return between(text, from, to)
	}
	from, to, ok := period(s)
	if !ok {
		return "", fmt.Errorf("%q is not a date range; use for example %s", text, DateForms)
	}
	return compact(from, to), nil
}

// Day turns a day, or the first day of a month, quarter or year, into
// YYYY-MM-DD.
func Day(text string) (string, error) {
	from, _, ok := period(strings.ToLower(strings.TrimSpace(text)))
	if !ok {
		return "", fmt.Errorf("%q is not a day; use for example 2026-03-01", text)
	}
	return from.Format(time.DateOnly), nil
}

func between(text, first, last string) (string, error) {
	from, _, ok := period(first)
	_, to, ok2 := period(last)
	switch {
	case !ok || !ok2:
		return "", fmt.Errorf("%q is not a date range; give both ends, for example 2026-01-01..2026-03-31", text)
	case to.Before(from):
		return "", fmt.Errorf("%q ends before it starts", text)
	}
	return compact(from, to), nil
}

func compact(from, to time.Time) string {
	return from.Format("20060102") + "-" + to.Format("20060102")
}

// cutHyphen separates two days of the same form that a hyphen joins.
func cutHyphen(s string) (from, to string, ok bool) {
	for _, width := range [...]int{8, 10, 4, 7} {
		if len(s) == 2*width+1 && s[width] == '-' {
			_, _, first := period(s[:width])
			_, _, last := period(s[width+1:])
			if first && last {
				return s[:width], s[width+1:], true
			}
		}
	}
	return "", "", false
}

// The words for ranges that end today or lie relative to it.
var (
	lastN  = regexp.MustCompile(`^(?:last|past|previous|trailing)[- ]?(\d{1,5})[- ]?(day|week|month|quarter|year)s?$`)
	word   = regexp.MustCompile(`^(last|past|previous|this|current)[- ](day|week|month|quarter|year)$`)
	toDate = regexp.MustCompile(`^(month|quarter|year)[- ]to[- ]date$`)
)

// relative returns the API's word for a range that depends on today.
func relative(s string) (string, bool) {
	s = strings.TrimPrefix(s, "the ")
	s = strings.ReplaceAll(s, "_", "-")
	switch s {
	case "today", "yesterday", "mtd", "qtd", "ytd", "all":
		return s, true
	case "all time", "all-time", "alltime", "ever", "everything":
		return "all", true
	}
	if m := lastN.FindStringSubmatch(s); m != nil {
		return "last-" + m[1] + "-" + m[2] + "s", true
	}
	if m := toDate.FindStringSubmatch(s); m != nil {
		return m[1][:1] + "td", true
	}
	m := word.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	which := "last-"
	if m[1] == "this" || m[1] == "current" {
		which = "this-"
	}
	if m[2] == "day" {
		return map[string]string{"last-": "yesterday", "this-": "today"}[which], true
	}
	return which + m[2], true
}

// Absolute periods: a quarter, a half year.
var (
	quarter = regexp.MustCompile(`^(?:(\d{4})[- ]?q([1-4])|q([1-4])[- ]?(\d{4}))$`)
	half    = regexp.MustCompile(`^(?:(\d{4})[- ]?h([12])|h([12])[- ]?(\d{4}))$`)
)

// period returns the first and last day of a day, month, quarter, half year or
// year that names itself.
func period(s string) (from, to time.Time, ok bool) {
	if strings.ContainsFunc(s, unicode.IsLetter) {
		return namedPeriod(s)
	}
	switch len(s) {
	case 4:
		from, ok = parse(s, "2006")
		return from, from.AddDate(1, 0, -1), ok
	case 6, 7:
		from, ok = parse(s, "2006-01", "200601", "2006-1")
		return from, from.AddDate(0, 1, -1), ok
	case 8, 9, 10:
		from, ok = parse(s, "2006-01-02", "20060102", "2006-1-2")
		return from, from, ok
	}
	return from, to, false
}

// namedPeriod is period for a month with its name, a quarter or a half year.
func namedPeriod(s string) (from, to time.Time, ok bool) {
	if m := quarter.FindStringSubmatch(s); m != nil {
		return months(m[1]+m[4], m[2]+m[3], 3)
	}
	if m := half.FindStringSubmatch(s); m != nil {
		return months(m[1]+m[4], m[2]+m[3], 6)
	}
	from, ok = parse(s, "January 2006", "Jan 2006", "2006 January", "2006 Jan", "January-2006", "Jan-2006")
	return from, from.AddDate(0, 1, -1), ok
}

// parse reads a time in the first of the layouts that fits.
func parse(s string, layouts ...string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// months returns the nth block of so many months in a year.
func months(year, nth string, count int) (from, to time.Time, ok bool) {
	y, err := strconv.Atoi(year)
	n, err2 := strconv.Atoi(nth)
	if err != nil || err2 != nil {
		return time.Time{}, time.Time{}, false
	}
	from = time.Date(y, time.Month((n-1)*count+1), 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, count, -1), true
}
