package csvfile

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

func currencyOf(t testing.TB, code string) money.Currency {
	t.Helper()
	c, err := money.Parse(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMajorUnits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, currency string
		want           int64
	}{
		{"99", "usd", 9900},
		{"99.5", "usd", 9950},
		{"99.00", "usd", 9900},
		{"-99.01", "usd", -9901},
		{"(5)", "usd", -500},
		{"1,234.50", "usd", 123450},
		{"1.234,50", "eur", 123450},
		{"1'234.50", "chf", 123450},
		{"1 234,50", "eur", 123450},
		{"1\u00a0234,50", "eur", 123450},
		{"1,234,567", "usd", 123456700},
		{"1.234.567,89", "eur", 123456789},
		{"99,5", "eur", 9950},
		{"1000", "jpy", 1000},
		{"1000.00", "jpy", 1000},
		{"1.234", "kwd", 1234},
		{"0.1", "kwd", 100},
		{".5", "usd", 50},
		{"0", "usd", 0},
		{"-0.00", "usd", 0},
		{"9999999999999.99", "usd", 999999999999999},
	} {
		if got, err := majorUnits(tt.text, currencyOf(t, tt.currency), ""); err != nil || got != tt.want {
			t.Errorf("%q %s = %d, %v, want %d", tt.text, tt.currency, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "-", ".", "x", "1.005", "1e3", "$5", "1,23,4", "1.2.3", "12,34.5", "1,2345.6", "--1", "99999999999999.99", "0x1"} {
		if got, err := majorUnits(text, currencyOf(t, "usd"), ""); err == nil {
			t.Errorf("%q = %d, want an error", text, got)
		}
	}
	if got, err := majorUnits("1000.50", currencyOf(t, "jpy"), ""); err == nil {
		t.Errorf("1000.50 yen = %d, want an error", got)
	}
}

// One separator before three digits is a decimal mark in some files and stands
// between thousands in others: a thousandfold difference that must not be guessed.
func TestMajorUnits_DecimalsOrThousands(t *testing.T) {
	t.Parallel()
	const refused = -1
	for _, tt := range []struct {
		text, currency      string
		guess, point, comma int64
	}{
		{"1,234", "usd", refused, 123400, refused},
		{"1.234", "eur", refused, refused, 123400},
		{"1.500", "eur", refused, 150, 150000},
		{"9,900", "eur", refused, 990000, 990},
		{"1.000", "jpy", refused, 1, 1000},
		{"1.234", "kwd", 1234, 1234, 1234000},
		{"1,234", "kwd", refused, 1234000, 1234},
		{"0,500", "eur", 50, refused, 50},
		{"0.500", "eur", 50, 50, refused},
		{"1234,500", "eur", 123450, refused, 123450},
		{"1,234.50", "usd", 123450, 123450, refused},
		{"1.234,50", "eur", 123450, refused, 123450},
		{"1,234,567", "usd", 123456700, 123456700, refused},
		{"1.234.567", "eur", 123456700, refused, 123456700},
		{"99.5", "usd", 9950, 9950, refused},
		{"99,5", "eur", 9950, refused, 9950},
		{"99", "eur", 9900, 9900, 9900},
	} {
		for mark, want := range map[string]int64{"": tt.guess, Point: tt.point, Comma: tt.comma} {
			got, err := majorUnits(tt.text, currencyOf(t, tt.currency), mark)
			if (err != nil) != (want == refused) || err == nil && got != want {
				t.Errorf("%s %s with mark %q = %d, %v, want %d", tt.text, tt.currency, mark, got, err, want)
			}
		}
	}
}

func TestDateText_DayAndMonth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, unsaid, dayFirst, monthFirst string }{
		{"03/02/2026", "", "2026-02-03", "2026-03-02"},
		{"03-02-2026", "", "2026-02-03", "2026-03-02"},
		{"3-2-2026 14:30", "", "2026-02-03T14:30:00Z", "2026-03-02T14:30:00Z"},
		{"31/12/2025", "", "2025-12-31", ""},
		{"12-31-2025", "", "", "2025-12-31"},
		{"2026-02-03", "2026-02-03", "2026-02-03", "2026-02-03"},
		{"3.2.2026", "2026-02-03", "2026-02-03", "2026-02-03"},
	} {
		for order, want := range map[string]string{"": tt.unsaid, DayFirst: tt.dayFirst, MonthFirst: tt.monthFirst} {
			if got, err := dateText(tt.text, order); got != want || (err != nil) != (want == "") {
				t.Errorf("%s as %q = %q, %v, want %q", tt.text, order, got, err, want)
			}
		}
	}
	if _, err := dateText("03-02-2026", ""); err == nil || !strings.Contains(err.Error(), "--dates") {
		t.Errorf("a day that could be two: %v", err)
	}
}

// FuzzMajorUnits compares plain decimals with exact arithmetic.
func FuzzMajorUnits(f *testing.F) {
	f.Add(int64(123450), uint8(2), "1,234.50")
	f.Add(int64(-5), uint8(0), "(1.234,5)")
	f.Fuzz(func(t *testing.T, n int64, exponent uint8, text string) {
		currency := currencyOf(t, []string{"jpy", "usd", "kwd"}[exponent%3])
		n %= 1_000_000_000_000_000
		scale := int64(1)
		for range currency.Exponent() {
			scale *= 10
		}
		plain := new(big.Rat).SetFrac64(n, scale).FloatString(currency.Exponent())
		if got, err := majorUnits(plain, currency, ""); err != nil || got != n {
			t.Errorf("%s %s = %d, %v, want %d", plain, currency, got, err, n)
		}
		for _, mark := range []string{"", Point, Comma} {
			_, _ = majorUnits(text, currency, mark) // must not panic
		}
	})
}

func TestDateText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, order, want string }{
		{"2026-01-31", "", "2026-01-31"},
		{"2026-01-31T10:00:00Z", "", "2026-01-31T10:00:00Z"},
		{"2026-01-31 10:20", "", "2026-01-31T10:20:00Z"},
		{"2026-01-31 00:00", "", "2026-01-31T00:00:00Z"},
		{"2026/01/31", "", "2026-01-31"},
		{"31.1.2026", "", "2026-01-31"},
		{"02/01/2026", DayFirst, "2026-01-02"},
		{"02/01/2026", MonthFirst, "2026-02-01"},
		{"2/1/2026 3:04 PM", MonthFirst, "2026-02-01T15:04:00Z"},
		{"1767225600", "", "2026-01-01T00:00:00Z"},
	} {
		if got, err := dateText(tt.text, tt.order); err != nil || got != tt.want {
			t.Errorf("%q %q = %q, %v, want %q", tt.text, tt.order, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "soon", "02/01/2026", "2026-13-01", "31.13.2026", "12"} {
		if got, err := dateText(text, ""); err == nil {
			t.Errorf("%q = %q, want an error", text, got)
		}
	}
	if _, err := dateText("31/01/2026", MonthFirst); err == nil || strings.Contains(fmt.Sprint(err), "--dates") {
		t.Errorf("a day that is no month: %v", err)
	}
}
