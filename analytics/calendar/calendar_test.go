package calendar

import (
	"testing"
	"time"
)

func day(t *testing.T, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDay_AgreesWithTimePackage(t *testing.T) {
	t.Parallel()
	for d := Date(1899, time.December, 1); d < Date(2401, time.January, 1); d += 3 {
		y, m, dd := d.YMD()
		want := d.Time()
		if y != want.Year() || m != want.Month() || dd != want.Day() || d.Weekday() != want.Weekday() || d.String() != want.Format(time.DateOnly) {
			t.Fatalf("day %d = %d-%d-%d %v, want %v", d, y, m, dd, d.Weekday(), want)
		}
		if civil(y, m, dd) != d || DayOf(want) != d {
			t.Fatalf("%v does not survive the round trip", want)
		}
	}
}

func TestDay_AddMonths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2024-01-31", 1, "2024-02-29"},
		{"2023-01-31", 1, "2023-02-28"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2024-03-31", -1, "2024-02-29"},
		{"2024-12-15", 1, "2025-01-15"},
		{"2024-01-15", -13, "2022-12-15"},
		{"2000-01-31", 1201, "2100-02-28"},
	} {
		if got := day(t, tt.from).AddMonths(tt.n).String(); got != tt.want {
			t.Errorf("%s plus %d months = %s, want %s", tt.from, tt.n, got, tt.want)
		}
	}
}

func TestWholeMonths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		want     int
	}{
		{"2024-01-01", "2024-02-01", 1},
		{"2024-01-31", "2024-02-29", 1},
		{"2024-02-29", "2024-03-31", 1},
		{"2024-01-15", "2025-01-15", 12},
		{"2024-01-15", "2024-02-14", 0},
		{"2024-01-15", "2024-01-15", 0},
		{"2024-03-01", "2024-01-01", 0},
	} {
		if got := WholeMonths(day(t, tt.from), day(t, tt.to)); got != tt.want {
			t.Errorf("whole months from %s to %s = %d, want %d", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ in, utc, local string }{
		{"2024-03-01", "2024-03-01", "2024-03-01"},
		{"20240301", "2024-03-01", "2024-03-01"},
		{"2024-03-01T00:00:00Z", "2024-03-01", "2024-03-01"}, // midnight UTC is a calendar day
		{"2024-03-01T00:00:00.000Z", "2024-03-01", "2024-03-01"},
		{"2024-03-01T00:00:01Z", "2024-03-01", "2024-02-29"},
		{"2024-03-01T03:00:00+05:00", "2024-02-29", "2024-02-29"},
		{"2024-03-10T06:59:59Z", "2024-03-10", "2024-03-10"}, // before and after the clocks change
		{"2024-03-10T03:30:00Z", "2024-03-10", "2024-03-09"},
	} {
		s, err := ParseStamp(tt.in)
		if err != nil {
			t.Errorf("ParseStamp(%q): %v", tt.in, err)
			continue
		}
		if got := s.Day(time.UTC).String(); got != tt.utc {
			t.Errorf("%s in UTC = %s, want %s", tt.in, got, tt.utc)
		}
		if got := s.Day(zone).String(); got != tt.local {
			t.Errorf("%s in New York = %s, want %s", tt.in, got, tt.local)
		}
	}
}

func FuzzParseStamp(f *testing.F) {
	for _, s := range []string{"2024-02-29", "20240229", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.5+01:00", "2023-02-29", "2024-2-9", "", "9999-12-31"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st, err := ParseStamp(s)
		if err != nil {
			return
		}
		if st.IsZero() {
			t.Fatalf("%q reads as not stated", s)
		}
		again, err := ParseStamp(st.String())
		if err != nil || again != st {
			t.Errorf("%q reads as %s, which reads as %s (%v)", s, st, again, err)
		}
		if fast, ok := fastStamp(s); ok {
			slow, err := time.Parse(time.RFC3339, s)
			if len(s) == 10 {
				slow, err = time.Parse(time.DateOnly, s)
			}
			if err != nil || InstantStamp(slow) != fast {
				t.Errorf("fast path reads %q as %s, the time package as %v (%v)", s, fast, slow, err)
			}
		}
	})
}
