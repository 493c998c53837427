package report

import (
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// ageBuckets are the values of a breakdown by age: months since the first paid
// day, the lower bound included.
var ageBuckets = [...]string{"0-3", "3-6", "6-12", "12-24", "24-36", "36-"}

// noAge is the age of who had not begun.
const noAge = -1

// ageOn is how many whole months ago a customer first paid, else was created;
// noAge when that was later or is not known.
func (s *Snapshot) ageOn(c *Customer, day calendar.Day) int {
	start := c.Ledger.FirstPaid
	if !start.Valid() {
		created := s.created(c)
		if created.IsZero() {
			return noAge
		}
		start = created.Day(s.Settings.Zone)
	}
	if start > day {
		return noAge
	}
	return wholeMonths(start, day)
}

// wholeMonths counts the months from one day to a later one as AddMonths does:
// January 31 to February 28 is one.
func wholeMonths(from, to calendar.Day) int {
	y1, m1, _ := from.YMD()
	y2, m2, _ := to.YMD()
	n := (y2-y1)*12 + int(m2) - int(m1)
	if from.AddMonths(n) > to {
		n--
	}
	return n
}

// months is a range of ages: from included, to not.
type months struct{ from, to int }

// parseAge reads 6-12, or 12- for no end.
func parseAge(text string) (months, bool) {
	low, high, ok := strings.Cut(text, "-")
	from, err := strconv.Atoi(low)
	if !ok || err != nil || from < 0 {
		return months{}, false
	}
	if high == "" {
		return months{from, 1 << 31}, true
	}
	to, err := strconv.Atoi(high)
	return months{from, to}, err == nil && to > from
}

// ages answers for each age which of some ranges it lies in. It remembers what
// it found.
type ages struct {
	words  []string
	ranges []months // in parallel
	known  [][]string
}

func newAges(words []string) *ages {
	a := &ages{}
	for _, word := range words {
		if r, ok := parseAge(word); ok {
			a.words, a.ranges = append(a.words, word), append(a.ranges, r)
		}
	}
	return a
}

// unlisted is what stands for an age outside all ranges.
const unlisted = "?"

// of returns the ranges that an age lies in as they were written.
func (a *ages) of(age int) []string {
	if age < 0 {
		return nil
	}
	for len(a.known) <= age {
		a.known = append(a.known, nil)
	}
	if a.known[age] == nil {
		for i, r := range a.ranges {
			if r.from <= age && age < r.to {
				a.known[age] = append(a.known[age], a.words[i])
			}
		}
		if a.known[age] == nil {
			a.known[age] = []string{unlisted}
		}
	}
	return a.known[age]
}
