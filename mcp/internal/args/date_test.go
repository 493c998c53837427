package args

import (
	"regexp"
	"testing"
)

func TestDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026":                     "20260101-20261231",
		"2026-Q1":                  "20260101-20260331",
		"q4 2025":                  "20251001-20251231",
		"Q2-2026":                  "20260401-20260630",
		"2026q3":                   "20260701-20260930",
		"H1 2026":                  "20260101-20260630",
		"2026-h2":                  "20260701-20261231",
		"2024-02":                  "20240201-20240229",
		"202602":                   "20260201-20260228",
		"2026-2":                   "20260201-20260228",
		"March 2026":               "20260301-20260331",
		"mar 2026":                 "20260301-20260331",
		"2026 March":               "20260301-20260331",
		"2026-03-15":               "20260315-20260315",
		"20260315":                 "20260315-20260315",
		"20260101-20260331":        "20260101-20260331",
		"2026-01-01..2026-03-31":   "20260101-20260331",
		"2026-01-01:2026-03-31":    "20260101-20260331",
		"2026-01-01/2026-03-31":    "20260101-20260331",
		"2026-01-01-2026-03-31":    "20260101-20260331",
		"2026-01-01 to 2026-03-31": "20260101-20260331",
		"2026-01 .. 2026-03":       "20260101-20260331",
		"2025-Q3..2026-Q1":         "20250701-20260331",
		"2024-2025":                "20240101-20251231",
		"2025-11-2026-02":          "20251101-20260228",
		"last-12-months":           "last-12-months",
		"last 12 months":           "last-12-months",
		"Last 30 days":             "last-30-days",
		"past 1 year":              "last-1-years",
		"the last 6 weeks":         "last-6-weeks",
		"trailing_4_quarters":      "last-4-quarters",
		"last quarter":             "last-quarter",
		"previous-month":           "last-month",
		"this_year":                "this-year",
		"current week":             "this-week",
		"last day":                 "yesterday",
		"this day":                 "today",
		"YTD":                      "ytd",
		"year to date":             "ytd",
		"month-to-date":            "mtd",
		"quarter to date":          "qtd",
		"today":                    "today",
		"yesterday":                "yesterday",
		"all":                      "all",
		"all time":                 "all",
	} {
		if got, err := Date(text); err != nil || got != want {
			t.Errorf("Date(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "soon", "2026-13", "2026-02-30", "q5 2026", "2026-03-31..2026-01-01", "2026-01-01..", "..2026", "Q1", "march",
		"last-0x-days", "2026-01-01 to today", "20260230", "99999",
	} {
		if got, err := Date(text); err == nil {
			t.Errorf("Date(%q) = %q, want an error", text, got)
		}
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-03-15": "2026-03-15", "20260315": "2026-03-15", "2026-03": "2026-03-01", "2026-Q2": "2026-04-01", "2026": "2026-01-01", "March 2026": "2026-03-01",
	} {
		if got, err := Day(text); err != nil || got != want {
			t.Errorf("Day(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	if got, err := Day("yesterday"); err == nil {
		t.Errorf("Day(yesterday) = %q, want an error", got)
	}
}

func FuzzDate(f *testing.F) {
	for _, text := range []string{"2026-Q1", "last 12 months", "2026-01-01..2026-03-31", "jan 2026", "ytd"} {
		f.Add(text)
	}
	form := regexp.MustCompile(`^(\d{8}-\d{8}|last-\d{1,5}-(day|week|month|quarter|year)s|(last|this)-(week|month|quarter|year)|today|yesterday|[mqy]td|all)$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Date(text)
		if err != nil {
			return
		}
		if !form.MatchString(got) {
			t.Fatalf("Date(%q) = %q, which the API does not know", text, got)
		}
		if again, err := Date(got); err != nil || again != got {
			t.Fatalf("Date(%q) = %q, but Date of that is %q, %v", text, got, again, err)
		}
	})
}
