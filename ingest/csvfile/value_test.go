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
		{"1,234", "usd", 123400},
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
		if got, err := majorUnits(tt.text, currencyOf(t, tt.currency)); err != nil || got != tt.want {
			t.Errorf("%q %s = %d, %v, want %d", tt.text, tt.currency, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "-", ".", "x", "1.005", "1e3", "$5", "1,23,4", "1.2.3", "12,34.5", "1,2345.6", "--1", "99999999999999.99", "0x1"} {
		if got, err := majorUnits(text, currencyOf(t, "usd")); err == nil {
			t.Errorf("%q = %d, want an error", text, got)
		}
	}
	if got, err := majorUnits("1000.50", currencyOf(t, "jpy")); err == nil {
		t.Errorf("1000.50 yen = %d, want an error", got)
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
		if got, err := majorUnits(plain, currency); err != nil || got != n {
			t.Errorf("%s %s = %d, %v, want %d", plain, currency, got, err, n)
		}
		_, _ = majorUnits(text, currency) // must not panic
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
