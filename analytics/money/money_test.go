package money

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"usd", "USD", "Eur"} {
		if _, err := Parse(code); err != nil {
			t.Errorf("Parse(%q) = %v, want no error", code, err)
		}
	}
	for _, code := range []string{"", "us", "usdx", "xyz", "---", "u d", "\x15SD"} {
		if c, err := Parse(code); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", code, c)
		}
	}
}

func TestCurrency_RoundTrip(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Code()] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c.Code()] = true
		if back, err := Parse(c.Code()); err != nil || back != c {
			t.Errorf("Parse(%s) = %v, %v", c, back, err)
		}
	}
	for code, want := range map[string]int{"usd": 2, "jpy": 0, "kwd": 3, "huf": 0, "tnd": 3, "eur": 2} {
		c, err := Parse(code)
		if err != nil || c.Exponent() != want {
			t.Errorf("exponent of %s = %d, want %d", code, c.Exponent(), want)
		}
	}
}

func TestMulDiv(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ a, num, den, want int64 }{
		{10000, 1, 12, 833},
		{5, 1, 2, 3},
		{-5, 1, 2, -3},
		{1, 1, 3, 0},
		{2, 1, 3, 1},
		{0, 5, 7, 0},
		{math.MaxInt64, 2, 1, math.MaxInt64},
		{math.MinInt64, 2, 1, -math.MaxInt64},
		{math.MaxInt64, 3, 3, math.MaxInt64},
	} {
		if got := MulDiv(tt.a, tt.num, tt.den); got != tt.want {
			t.Errorf("MulDiv(%d, %d, %d) = %d, want %d", tt.a, tt.num, tt.den, got, tt.want)
		}
	}
}

// exact is MulDiv in arbitrary precision: round half away from zero, saturate.
func exact(a, num, den int64) int64 {
	p := new(big.Int).Mul(big.NewInt(a), big.NewInt(num))
	d := big.NewInt(den)
	q, r := new(big.Int).QuoRem(p, d, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(d) >= 0 {
		q.Add(q, big.NewInt(int64(p.Sign())))
	}
	if !q.IsInt64() || q.Int64() == math.MinInt64 {
		return int64(q.Sign()) * math.MaxInt64
	}
	return q.Int64()
}

func FuzzMulDiv(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		f.Add(int64(rng.Uint64())>>rng.IntN(64), int64(rng.Uint64()>>1)>>rng.IntN(63), int64(rng.Uint64()>>1)>>rng.IntN(63))
	}
	f.Fuzz(func(t *testing.T, a, num, den int64) {
		if num < 0 || den <= 0 {
			return
		}
		if got, want := MulDiv(a, num, den), exact(a, num, den); got != want {
			t.Errorf("MulDiv(%d, %d, %d) = %d, want %d", a, num, den, got, want)
		}
	})
}
