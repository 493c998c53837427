package report

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// half rounds half away from zero.
func half(x *big.Rat) *big.Int {
	twice := new(big.Int).Mul(x.Num(), big.NewInt(2))
	twice.Abs(twice).Add(twice, x.Denom())
	twice.Quo(twice, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
	if x.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

// decimal is x/scale as the nearest float.
func decimal(x *big.Int, scale int64) float64 {
	f, _ := new(big.Rat).SetFrac(x, big.NewInt(scale)).Float64()
	return f
}

// checkAverage holds an average of part/whole to fractions of any size.
func checkAverage(t *testing.T, parts, wholes []int64, factor, num, den int64) {
	t.Helper()
	sum, n := new(big.Rat), int64(0)
	fractions := make([]fraction, len(parts))
	for i := range parts {
		fractions[i] = fractionOf(parts[i], wholes[i])
		if wholes[i] != 0 {
			sum.Add(sum, big.NewRat(parts[i], wholes[i]))
			n++
		}
	}
	a := averageOf(fractions)
	mean, left := a.percents()
	if n == 0 {
		if !mean.Null || !left.Null || !a.zero() {
			t.Fatalf("the average of nothing is %v and leaves %v", mean, left)
		}
		return
	}
	sum.Quo(sum, big.NewRat(n, 1))
	scaled := new(big.Rat).Mul(sum, big.NewRat(10000, 1))
	if want := (Ratio{Value: decimal(half(scaled), 100)}); mean != want {
		t.Fatalf("the average of %v of %v is %v, want %v", parts, wholes, mean, want)
	}
	scaled.Sub(big.NewRat(10000, 1), scaled)
	if want := (Ratio{Value: decimal(half(scaled), 100)}); left != want || math.Signbit(left.Value) != math.Signbit(want.Value) {
		t.Fatalf("the average of %v of %v leaves %v, want %v", parts, wholes, left, want)
	}
	if a.zero() != (sum.Sign() == 0) {
		t.Fatalf("the average of %v of %v is zero: %v", parts, wholes, a.zero())
	}
	if sum.Sign() == 0 {
		return
	}
	x := new(big.Rat).Mul(big.NewRat(num, den), big.NewRat(factor, 1))
	want := half(x.Quo(x, sum))
	if !want.IsInt64() {
		want.SetInt64(math.MaxInt64)
	}
	if got := a.dividing(factor, num, den); got != want.Int64() {
		t.Fatalf("%d*%d/%d divided by the average of %v of %v is %d, want %d", factor, num, den, parts, wholes, got, want)
	}
}

// Averages are those of fractions of any size, from customers of small companies,
// whose averages often end in a half, to amounts that no company has.
func TestAverage_IsExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		var parts, wholes []int64
		size := int64(1) << (1 + rng.IntN(62))
		for range 1 + rng.IntN(6) {
			whole := rng.Int64N(size)
			if rng.IntN(3) == 0 {
				whole = int64(1) << rng.IntN(40) // halves
			}
			part := rng.Int64N(max(1, whole))
			switch rng.IntN(8) {
			case 0:
				part = whole
			case 1:
				part = rng.Int64N(size) // more than the whole, or 0 of nothing
			case 2:
				part = 0
			}
			parts, wholes = append(parts, part), append(wholes, whole)
		}
		months := [][2]int64{{1, 1}, {3, 1}, {12, 1}, {12, 365}, {84, 365}, {1200, 1}}[rng.IntN(6)]
		checkAverage(t, parts, wholes, rng.Int64N(size), months[0], months[1])
	}
}

// Where the quick way answers at all, it answers most of what companies ask.
func TestAverage_IsQuick(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	const tries = 10_000
	quick := 0
	for range tries {
		var fractions []fraction
		for range 6 {
			cohort := 900 + rng.Int64N(200)
			fractions = append(fractions, fractionOf(1+rng.Int64N(60), cohort))
		}
		a := averageOf(fractions)
		if _, ok := a.quickly(4900+rng.Int64N(1000), 1, 1); ok && a.hundredths(a.below()) == a.hundredths(a.above()) {
			quick++
		}
	}
	if quick < tries*99/100 {
		t.Errorf("%d of %d averages were quick", quick, tries)
	}
}

func FuzzAverage(f *testing.F) {
	f.Add(int64(1), int64(32), int64(1), int64(3), int64(2), int64(3), int64(4900))
	f.Add(int64(0), int64(0), int64(7), int64(1), int64(1), int64(1<<62), int64(1))
	f.Add(int64(20001), int64(20000), int64(1), int64(1), int64(0), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, factor int64) {
		positive := func(x int64) int64 { return x & math.MaxInt64 }
		checkAverage(t, []int64{positive(a), positive(c), positive(e)}, []int64{positive(b), positive(d), positive(g)}, positive(factor), 84, 365)
		checkAverage(t, []int64{positive(a), positive(a), positive(c)}, []int64{positive(b), positive(b), positive(d)}, positive(factor), 12, 1)
	})
}
