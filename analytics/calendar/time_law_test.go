package calendar

import (
	"math/rand/v2"
	"testing"
	"time"
)

// zones have clock changes at night and at midnight, none, offsets of minutes,
// and a day that does not exist.
var zones = [...]string{
	"UTC", "America/New_York", "Europe/Copenhagen", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland", "America/Sao_Paulo", "Pacific/Kiritimati",
	"Africa/Cairo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "America/Asuncion",
}

func eachZone(t *testing.T, law func(t *testing.T, zone *time.Location)) {
	t.Helper()
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { law(t, zone) })
	}
}

// Every second belongs to one day, days follow each other, and a calendar day
// begins with its first second, also where clocks change at midnight.
func TestLaw_DaysOfAZone(t *testing.T) {
	t.Parallel()
	eachZone(t, func(t *testing.T, zone *time.Location) {
		t.Parallel()
		previous := mustDay(t, "1999-12-31")
		for at := time.Date(2000, 1, 1, 0, 0, 0, 0, zone); at.Year() < 2027; at = at.Add(30 * time.Minute) {
			s := Stamp(at.Unix()<<2 | stampInstant)
			d := s.Day(zone)
			year, month, dom := at.Date()
			if want := Date(year, month, dom); d != want || d < previous {
				t.Fatalf("%s is on %s, want %s, after %s", at, d, want, previous)
			}
			if hour, minute, second := at.Clock(); s.SecondOfDay(zone) != 3600*hour+60*minute+second {
				t.Fatalf("%s is second %d of its day", at, s.SecondOfDay(zone))
			}
			if begin := DayStamp(d).Instant(zone); begin > at.Unix() {
				t.Fatalf("%s begins at %s, after %s, which is on it", d, time.Unix(begin, 0).In(zone), at)
			}
			if begin := DayStamp(d + 1).Instant(zone); begin <= at.Unix() {
				t.Fatalf("%s begins at %s, but %s is on %s", d+1, time.Unix(begin, 0).In(zone), at, d)
			}
			previous = d
		}
	})
}

// A calendar day is that day in every zone.
func TestLaw_CalendarDaysHaveNoZone(t *testing.T) {
	t.Parallel()
	eachZone(t, func(t *testing.T, zone *time.Location) {
		t.Parallel()
		for d := mustDay(t, "1900-01-01"); d < mustDay(t, "2100-01-01"); d += 3 {
			if got := DayStamp(d).Day(zone); got != d {
				t.Fatalf("%s is on %s", d, got)
			}
		}
	})
}

// A billing interval ends after it began, later intervals not before earlier
// ones, on the same day of a month that has it and else on its last.
func TestLaw_Intervals(t *testing.T) {
	t.Parallel()
	for unit := UnitDay; unit <= UnitYear; unit++ {
		for _, count := range []int32{1, 2, 3, 12} {
			iv := Interval{Unit: unit, Count: count}
			before := Day(-1 << 30)
			for d := mustDay(t, "1899-12-31"); d < mustDay(t, "2105-01-01"); d += 1 + d&1 {
				end := iv.End(d)
				if end <= d || end < before {
					t.Fatalf("%d %s from %s ends on %s, one that began before on %s", count, unit, d, end, before)
				}
				before = end
				if unit < UnitMonth {
					continue
				}
				_, _, from := d.YMD()
				_, _, to := end.YMD()
				num, _ := iv.Months()
				if to != from && !(to < from && end.IsMonthEnd()) || WholeMonths(d, end) != int(num) {
					t.Fatalf("%d %s from %s ends on %s", count, unit, d, end)
				}
			}
		}
	}
	for from, want := range map[string]string{"2024-02-29": "2025-02-28", "2023-02-28": "2024-02-28", "2096-02-29": "2097-02-28", "2099-12-31": "2100-12-31"} {
		if got := (Interval{Unit: UnitYear, Count: 1}).End(mustDay(t, from)); got.String() != want {
			t.Errorf("a year from %s ends on %s, want %s", from, got, want)
		}
	}
	if got := (Interval{Unit: UnitMonth, Count: 1}).End(mustDay(t, "2100-01-31")); got.String() != "2100-02-28" {
		t.Errorf("a month from 2100-01-31 ends on %s; 2100 is no leap year", got)
	}
}

// The words for ranges agree with each other on every day and for every first
// day of the week.
func TestLaw_RangeWords(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 9))
	special := []string{"2024-02-29", "2023-12-31", "2024-01-01", "2100-02-28", "2100-03-01", "2024-12-30", "2025-03-31", "1950-06-15"}
	for n := range 3000 {
		c := RangeContext{
			Today: mustDay(t, "1920-01-01") + Day(rng.IntN(100_000)), WeekStart: time.Weekday(rng.IntN(7)), First: NoDay,
		}
		if n < len(special) {
			c.Today = mustDay(t, special[n])
		}
		read := func(word string) Range {
			r, err := ParseRange(word, c)
			if err != nil {
				t.Fatalf("%q on %s: %v", word, c.Today, err)
			}
			return r
		}
		for word, unit := range map[string]string{"mtd": "month", "qtd": "quarter", "ytd": "year"} {
			toDate, running, past := read(word), read("this-"+unit), read("last-"+unit)
			switch {
			case toDate.From != running.From || toDate.To != c.Today || !running.Contains(c.Today):
				t.Fatalf("on %s %s is %s, this-%s %s", c.Today, word, toDate, unit, running)
			case past.To != running.From-1:
				t.Fatalf("on %s last-%s is %s, this-%s %s", c.Today, unit, past, unit, running)
			case read("last-1-"+unit) != toDate || read("last-2-"+unit+"s").From != past.From:
				t.Fatalf("on %s last-1-%s is %s, last-2-%ss %s", c.Today, unit, read("last-1-"+unit), unit, read("last-2-"+unit+"s"))
			}
		}
		week := read("this-week")
		if week.From.Weekday() != c.WeekStart || week.To != week.From+6 || !week.Contains(c.Today) || read("last-week").To != week.From-1 {
			t.Fatalf("on %s this-week is %s, weeks begin on %s", c.Today, week, c.WeekStart)
		}
		if read("last-4-quarters").From != read("last-12-months").From && inLastMonthOfQuarter(c.Today) {
			t.Fatalf("on %s a year has %s or %s", c.Today, read("last-4-quarters"), read("last-12-months"))
		}
		if all := read(""); all != read("last-365-days") || all.To-all.From != 364 {
			t.Fatalf("on %s nothing is %s", c.Today, all)
		}
	}
}

func inLastMonthOfQuarter(d Day) bool {
	_, m, _ := d.YMD()
	return m%3 == 0
}
