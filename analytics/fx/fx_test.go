package fx

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

func day(t testing.TB, s string) calendar.Day {
	d, err := calendar.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func currency(t testing.TB, code string) money.Currency {
	c, err := money.Parse(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func table(t testing.TB, csv string) *Table {
	rates, err := ReadCSV(strings.NewReader(strings.ReplaceAll(strings.TrimSpace(csv), "\t", "")))
	if err != nil {
		t.Fatal(err)
	}
	out, err := NewTable(rates)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const published = `
	date,base,quote,rate
	2024-01-05,eur,usd,1.0796
	2024-01-12,eur,usd,1.1
	2024-01-05,EUR,JPY,157.5
	2024-01-05,eur,kwd,0.336
	2024-01-05,usd,brl,4.9
`

func TestTable_Convert(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		amount   int64
		from, to string
		day      string
		want     int64
	}{
		{"the sample of seed 002", 4900, "eur", "usd", "2024-01-05", 5290},
		{"a negative amount rounds away from zero too", -4900, "eur", "usd", "2024-01-05", -5290},
		{"the same currency", 1234, "usd", "usd", "1990-01-01", 1234},
		{"a weekend takes Friday's rate", 10000, "eur", "usd", "2024-01-07", 10796},
		{"a week back still counts", 10000, "eur", "jpy", "2024-01-12", 15750},
		{"the nearest earlier day wins", 10000, "eur", "usd", "2024-01-13", 11000},
		{"the inverse", 10796, "usd", "eur", "2024-01-05", 10000},
		{"to a currency without decimals", 10000, "eur", "jpy", "2024-01-05", 15750},
		{"from a currency without decimals", 15750, "jpy", "eur", "2024-01-05", 10000},
		{"to a currency of three decimals", 10000, "eur", "kwd", "2024-01-05", 33600},
		{"a cross rate through the feed's base", 10796, "usd", "jpy", "2024-01-05", 15750},
		{"a cross rate of a direct and an inverse leg", 10000, "eur", "brl", "2024-01-05", 52900},
	}
	rates := table(t, published)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := rates.Convert(tt.amount, currency(t, tt.from), currency(t, tt.to), day(t, tt.day))
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%d %s in %s on %s = %d, want %d", tt.amount, tt.from, tt.to, tt.day, got, tt.want)
			}
		})
	}
}

func TestTable_Convert_Missing(t *testing.T) {
	t.Parallel()
	var none *Table
	for _, tt := range []struct {
		name     string
		rates    *Table
		from, to string
		day      string
	}{
		{"before the first rate", table(t, published), "eur", "usd", "2024-01-04"},
		{"eight days after the last", table(t, published), "eur", "usd", "2024-01-20"},
		{"a currency that nobody publishes", table(t, published), "chf", "usd", "2024-01-05"},
		{"no rates at all", none, "eur", "usd", "2024-01-05"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.rates.Convert(1, currency(t, tt.from), currency(t, tt.to), day(t, tt.day))
			var missing *MissingRateError
			if !errors.As(err, &missing) {
				t.Fatalf("error %v, want a *MissingRateError", err)
			}
			want := &MissingRateError{From: currency(t, tt.from), To: currency(t, tt.to), Day: day(t, tt.day)}
			if diff := cmp.Diff(want, missing); diff != "" {
				t.Errorf("error mismatch (-want +got):\n%s", diff)
			}
			for _, part := range []string{tt.from, tt.day, "growpanel admin fx import FILE"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not mention %s", err, part)
				}
			}
		})
	}
}

func TestNewTable_Invalid(t *testing.T) {
	t.Parallel()
	good := Rate{Day: 1, Base: "eur", Quote: "usd", Value: "1"}
	for name, spoil := range map[string]func(*Rate){
		"base":      func(r *Rate) { r.Base = "euro" },
		"quote":     func(r *Rate) { r.Quote = "" },
		"same":      func(r *Rate) { r.Quote = "EUR" },
		"zero":      func(r *Rate) { r.Value = "0.000" },
		"negative":  func(r *Rate) { r.Value = "-1" },
		"exponent":  func(r *Rate) { r.Value = "1e3" },
		"no digits": func(r *Rate) { r.Value = "." },
		"dangling":  func(r *Rate) { r.Value = "1." },
		"no day":    func(r *Rate) { r.Day = calendar.NoDay },
	} {
		bad := good
		spoil(&bad)
		if _, err := NewTable([]Rate{bad}); err == nil {
			t.Errorf("%s: NewTable(%+v) accepted it", name, bad)
		}
	}
	later := good
	later.Value = "2"
	both, err := NewTable([]Rate{good, later})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := both.Convert(100, currency(t, "eur"), currency(t, "usd"), 1); got != 200 {
		t.Errorf("of two rates of one day the last counts: 100 converts to %d, want 200", got)
	}
}

// The fast path and the exact one agree, and both are what big.Rat says.
func TestConverter_Exact(t *testing.T) {
	t.Parallel()
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, seed))
	for range 20000 {
		rate := big.NewRat(rng.Int64N(1_000_000)+1, rng.Int64N(1_000_000)+1)
		amount := rng.Int64N(2_000_000_001) - 1_000_000_000
		c := newConverter(rate, 0)
		slow := Converter{exact: rate}
		want := new(big.Rat).Mul(rate, new(big.Rat).SetInt64(amount)).FloatString(0) // rounds half away from zero
		if want == "-0" {
			want = "0"
		}
		if got := big.NewInt(c.Convert(amount)).String(); got != want {
			t.Fatalf("seed %d: %d * %s = %s, want %s", seed, amount, rate, got, want)
		}
		if got := big.NewInt(slow.Convert(amount)).String(); got != want {
			t.Fatalf("seed %d: exactly %d * %s = %s, want %s", seed, amount, rate, got, want)
		}
	}
	long := table(t, "2024-01-01,eur,usd,1.07960000000000000000000000000000001")
	if got, _ := long.Convert(4900, currency(t, "eur"), currency(t, "usd"), day(t, "2024-01-01")); got != 5290 {
		t.Errorf("a rate of 36 digits: %d, want 5290", got)
	}
}

// Amounts and rates of any size convert as dividing in full would: what is
// beyond the fast path, and what lies at its edge.
func TestConverter_AnySize(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 9))
	any64 := func() int64 {
		if rng.IntN(8) == 0 {
			return math.MaxInt64 - rng.Int64N(3)
		}
		return rng.Int64() >> rng.IntN(63)
	}
	for range 200000 {
		amount, num, den := any64(), any64()+1, any64()+1
		if num <= 0 || den <= 0 {
			continue
		}
		if rng.IntN(4) == 0 && amount < math.MaxInt64/num {
			den = max(2*amount*num/(2*rng.Int64N(9)+1), 1) // about a half is left
		}
		c := newFraction(num, den)
		for _, amount := range [...]int64{amount, -amount} {
			if got, want := c.Convert(amount), money.MulDiv(amount, num, den); got != want {
				t.Fatalf("%d * %d / %d = %d, want %d", amount, num, den, got, want)
			}
		}
	}
}

func TestReadCSV_Errors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, want string }{
		{"an empty file", "", "line 1: the file holds no rates"},
		{"a header alone", "date,base,quote,rate\n", "line 1: the file holds no rates"},
		{"a bad date", "2024-01-01,eur,usd,1\n2024-13-01,eur,usd,1\n", `line 2: date: "2024-13-01" is not a date`},
		{"a bad currency", "date,base,quote,rate\n2024-01-01,eur,dollar,1\n", `line 2: quote: "dollar" is not an ISO 4217`},
		{"a comma for a point", "2024-01-01,eur,usd,1,08\n", "line 1: 5 fields instead of date,base,quote,rate"},
		{"a negative rate", "2024-01-01,eur,usd,-1\n", `line 1: rate: "-1" is not a positive decimal number`},
		{"an open quote", "2024-01-01,eur,usd,\"1\n", "line 1:"},
		{"one currency twice", "2024-01-01,eur,EUR,1\n", "line 1: base and quote are both eur"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadCSV(strings.NewReader(tt.file))
			var at *LineError
			if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %q, want a *LineError that begins with %q", err, tt.want)
			}
		})
	}
}

func FuzzRates(f *testing.F) {
	for _, s := range []string{published, "2024-01-01,eur,usd,1\n", "date,base,quote,rate\r\n2024-01-01, eur, usd, 0.5\r\n", "\ufeffdate,base,quote,rate\n", "\"", ",,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		rates, err := ReadCSV(strings.NewReader(file))
		if err != nil {
			if rates != nil {
				t.Fatalf("rates %v beside the error %v", rates, err)
			}
			return
		}
		made, err := NewTable(rates)
		if err != nil {
			t.Fatalf("ReadCSV accepted what NewTable refuses: %v", err)
		}
		last := rates[len(rates)-1]
		if _, err := made.Convert(100, currency(t, last.Base), currency(t, last.Quote), last.Day); err != nil {
			t.Fatalf("the rate %+v cannot be used: %v", last, err)
		}
	})
}

func BenchmarkConverter_Convert(b *testing.B) {
	c, err := table(b, published).Converter(currency(b, "usd"), currency(b, "jpy"), day(b, "2024-01-05"))
	if err != nil {
		b.Fatal(err)
	}
	amount := int64(123456)
	for b.Loop() {
		amount ^= c.Convert(amount) & 1
	}
}
