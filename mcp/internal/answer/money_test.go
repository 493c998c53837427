package answer

import (
	"math/big"
	"strings"
	"testing"
)

func TestExponent(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"usd": 2, "EUR": 2, "jpy": 0, "JPY": 0, "huf": 0, "kwd": 3, "Tnd": 3, "xxx": 2} {
		if got, ok := Exponent([]byte(code)); got != want || !ok {
			t.Errorf("Exponent(%s) = %d, %v, want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "us", "usdx", "u d", "12a", "\x15\x13\x04"} {
		if _, ok := Exponent([]byte(code)); ok {
			t.Errorf("Exponent(%q) is taken for a currency", code)
		}
	}
}

func TestExponent_Lists(t *testing.T) {
	t.Parallel()
	lists := map[int]string{
		0: "bif clp djf gnf huf isk jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf",
		3: "bhd iqd jod kwd lyd omr tnd",
	}
	for want, codes := range lists {
		for code := range strings.FieldsSeq(codes) {
			if got, _ := Exponent([]byte(code)); got != want {
				t.Errorf("Exponent(%s) = %d, want %d", code, got, want)
			}
		}
	}
}

func TestAppendShifted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		raw      string
		exponent int
		want     string
	}{
		{"0", 2, "0.00"},
		{"5", 2, "0.05"},
		{"-5", 2, "-0.05"},
		{"12", 2, "0.12"},
		{"123", 2, "1.23"},
		{"-123456", 2, "-1234.56"},
		{"5", 3, "0.005"},
		{"12345", 3, "12.345"},
		{"9007199254740993", 2, "90071992547409.93"},
		{"123456789012345678901234567890", 2, "1234567890123456789012345678.90"},
		{"12.5", 2, "0.125"},
		{"-1234.5", 2, "-12.345"},
		{"1e3", 2, "1e1"},
		{"1.5E+10", 3, "1.5e7"},
		{"1e99999999999999999999", 2, "1e99999999999999999999"},
	}
	for _, tt := range tests {
		if got := string(appendShifted(nil, []byte(tt.raw), tt.exponent)); got != tt.want {
			t.Errorf("%s by %d = %s, want %s", tt.raw, tt.exponent, got, tt.want)
		}
	}
}

func FuzzAppendShifted(f *testing.F) {
	f.Add(int64(-123456), uint8(2), "")
	f.Add(int64(7), uint8(3), ".25")
	f.Fuzz(func(t *testing.T, n int64, exponent uint8, fraction string) {
		exponent = 1 + exponent%3
		raw := big.NewInt(n).String()
		if strings.Trim(fraction, "0123456789") == "." && strings.HasPrefix(fraction, ".") && len(fraction) > 1 && len(fraction) < 20 {
			raw += fraction
		}
		want, _ := new(big.Rat).SetString(raw)
		want.Quo(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)))
		shifted := string(appendShifted(nil, []byte(raw), int(exponent)))
		got, ok := new(big.Rat).SetString(shifted)
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s by %d = %s, want %s", raw, exponent, shifted, want.FloatString(30))
		}
	})
}
