package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustDay(t testing.TB, s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseRange(t *testing.T) {
	t.Parallel()
	c := RangeContext{Today: mustDay(t, "2026-05-20"), First: mustDay(t, "2023-02-03"), WeekStart: time.Monday} // a Wednesday
	for in, want := range map[string]string{
		"":                      "20250521-20260520",
		"20260101-20261231":     "20260101-20261231",
		"20260101:20261231":     "20260101-20261231",
		"2026-01-01:2026-12-31": "20260101-20261231",
		"2026-01-01-2026-12-31": "20260101-20261231",
		" 20260131 ":            "20260131-20260131",
		"2026-01-31":            "20260131-20260131",
		"today":                 "20260520-20260520",
		"Yesterday":             "20260519-20260519",
		"last-1-day":            "20260520-20260520",
		"last-30-days":          "20260421-20260520",
		"last-2-weeks":          "20260511-20260520",
		"last-12-months":        "20250601-20260520",
		"last-1-months":         "20260501-20260520",
		"last-4-quarters":       "20250701-20260520",
		"last-2-years":          "20250101-20260520",
		"last-week":             "20260511-20260517",
		"last-month":            "20260401-20260430",
		"last-quarter":          "20260101-20260331",
		"last-year":             "20250101-20251231",
		"this-week":             "20260518-20260524",
		"this-month":            "20260501-20260531",
		"this-quarter":          "20260401-20260630",
		"this-year":             "20260101-20261231",
		"mtd":                   "20260501-20260520",
		"qtd":                   "20260401-20260520",
		"ytd":                   "20260101-20260520",
		"all":                   "20230203-20260520",
	} {
		got, err := ParseRange(in, c)
		if err != nil {
			t.Errorf("ParseRange(%q): %v", in, err)
			continue
		}
		if got.String() != want {
			t.Errorf("ParseRange(%q) = %s, want %s", in, got, want)
		}
	}
	c.First = NoDay
	if got, _ := ParseRange("all", c); got.String() != "20260520-20260520" {
		t.Errorf("all of an empty account = %s, want today", got)
	}
}

func TestParseRange_Errors(t *testing.T) {
	t.Parallel()
	c := RangeContext{Today: mustDay(t, "2026-05-20"), WeekStart: time.Monday}
	for in, want := range map[string]string{
		"20261231-20260101":      "after its end",
		"2026-13-01":             "accepted are",
		"20260101-2026-12-31":    "accepted are",
		"last-0-days":            "accepted are",
		"last--1-days":           "accepted are",
		"last-+1-days":           "accepted are",
		"last-99999-days":        "accepted are",
		"last-month-days":        "accepted are",
		"last-3-fortnights":      "accepted are",
		"this-day":               "accepted are",
		"next-month":             "accepted are",
		"20260101-":              "accepted are",
		"last-1000-years":        "before 1900-01-01",
		"20260101,20260201":      "accepted are",
		"2026-01-01:":            "accepted are",
		"18991231-20260101":      "before 1900-01-01",
		"last-12-months/../../x": "accepted are",
	} {
		_, err := ParseRange(in, c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRange(%q): error %v, want one with %q", in, err, want)
		}
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	r, err := ParseRange("2025-01-15:2025-02-02", RangeContext{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		unit   Unit
		start  time.Weekday
		want   []string
		labels []string
	}{
		{UnitWeek, time.Monday, []string{"20250113-20250119", "20250120-20250126", "20250127-20250202"}, []string{"2025-W03", "2025-W04", "2025-W05"}},
		{UnitWeek, time.Sunday, []string{"20250112-20250118", "20250119-20250125", "20250126-20250201", "20250202-20250208"}, []string{"2025-W03", "2025-W04", "2025-W05", "2025-W06"}},
		{UnitMonth, time.Monday, []string{"20250101-20250131", "20250201-20250228"}, []string{"Jan 2025", "Feb 2025"}},
		{UnitQuarter, time.Monday, []string{"20250101-20250331"}, []string{"Q1 2025"}},
		{UnitYear, time.Monday, []string{"20250101-20251231"}, []string{"2025"}},
	} {
		periods, err := Periods(r, tt.unit, tt.start)
		if err != nil {
			t.Fatal(err)
		}
		var got, labels []string
		for _, p := range periods {
			got, labels = append(got, p.String()), append(labels, Label(p, tt.unit))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("periods by %s (-want +got):\n%s", tt.unit, diff)
		}
		if diff := cmp.Diff(tt.labels, labels); diff != "" {
			t.Errorf("labels by %s (-want +got):\n%s", tt.unit, diff)
		}
	}
	if days, err := Periods(Range{0, MaxPeriods - 1}, UnitDay, time.Monday); err != nil || len(days) != MaxPeriods {
		t.Errorf("1,500 days: %d periods, error %v", len(days), err)
	}
	if _, err := Periods(Range{0, MaxPeriods}, UnitDay, time.Monday); !errors.Is(err, ErrTooManyPeriods) {
		t.Errorf("1,501 days: error %v, want ErrTooManyPeriods", err)
	}
}

// Periods of one unit tile the calendar: each day lies in exactly one, and
// shifting forth and back returns.
func TestPeriodOf_Tiles(t *testing.T) {
	t.Parallel()
	for unit := UnitDay; unit <= UnitYear; unit++ {
		for week := time.Sunday; week <= time.Saturday; week++ {
			next := PeriodOf(mustDay(t, "1999-12-20"), unit, week)
			for d := next.From; d < mustDay(t, "2005-03-01"); d++ {
				p := PeriodOf(d, unit, week)
				if d > next.To {
					next = Shift(next, unit, 1)
				}
				if p != next || !p.Contains(d) {
					t.Fatalf("%s by %s with weeks from %s lies in %s, want %s", d, unit, week, p, next)
				}
				if back := Shift(Shift(p, unit, -5), unit, 5); back != p {
					t.Fatalf("%s moved back and forth by %s is %s", p, unit, back)
				}
			}
		}
	}
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"", "20260101-20261231", "last-12-months", "2026-01-01-2026-12-31", "all", "ytd", "last--days", "this-", "20260101:"} {
		f.Add(s, int64(20593), uint8(1))
	}
	f.Add("last-month", int64(19782), uint8(0)) // a leap day
	f.Add("this-week", int64(-20000), uint8(6))
	f.Fuzz(func(t *testing.T, s string, today int64, week uint8) {
		c := RangeContext{Today: Day(today % 2_000_000), First: mustDay(t, "2020-01-01"), WeekStart: time.Weekday(week % 7)}
		r, err := ParseRange(s, c)
		if err != nil {
			if text := err.Error(); !strings.Contains(text, "accepted are") && !strings.Contains(text, "the range starts") {
				t.Fatalf("ParseRange(%q) does not say what would be right: %v", s, err)
			}
			return
		}
		if r.From > r.To || r.From < earliest {
			t.Fatalf("ParseRange(%q) = %v", s, r)
		}
		again, err := ParseRange(r.String(), c)
		if err != nil || again != r {
			t.Fatalf("ParseRange(%q) = %s, which reads back as %v, %v", s, r, again, err)
		}
	})
}
