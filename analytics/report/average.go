package report

import (
	"math/big"
	"math/bits"
	"strconv"
)

// fraction is part/whole, of integers that are 0 or more; without a whole it is none.
type fraction struct {
	part, whole int64
	units, rest uint64 // its integer, and what is left of it in units of 2^-64, rounded down
	short       uint64 // 1 where that rounded anything off
}

func fractionOf(part, whole int64) fraction {
	f := fraction{part: part, whole: whole}
	if part < 0 || whole <= 0 {
		return f
	}
	f.units = uint64(part) / uint64(whole)
	var off uint64
	if f.rest, off = bits.Div64(uint64(part)%uint64(whole), 0, uint64(whole)); off > 0 {
		f.short = 1
	}
	return f
}

// average is the arithmetic mean of a few fractions, those that are none left
// out. Their sum is known to 2^-64 each: where both ends of that round alike, so
// does the mean. Where they do not, and where 128 bits are too few, it is computed
// with integers of any size.
type average struct {
	fractions   []fraction
	n           uint64 // fractions that are not none
	units, rest uint64 // their sum, as in a fraction
	short       uint64 // the sum is less than so many units of 2^-64 more
	vast        bool   // the sum is negative or too large to be rounded here
}

// vastUnits is where hundredths of a percent cease to be exact floats.
const vastUnits = 1 << 39

func averageOf(fractions []fraction) average {
	a := average{fractions: fractions}
	for i := range fractions {
		f := &fractions[i]
		if f.whole == 0 {
			continue
		}
		a.n++
		a.vast = a.vast || f.part < 0 || f.whole < 0 || f.units >= vastUnits
		var carry uint64
		a.rest, carry = bits.Add64(a.rest, f.rest, 0)
		a.units += f.units + carry
		a.short += f.short
	}
	return a
}

// percents returns the mean in percent, and what it leaves of 100 percent.
func (a *average) percents() (mean, left Ratio) {
	if a.n == 0 {
		return null(), null()
	}
	if a.vast || a.units >= vastUnits {
		return a.exactPercents()
	}
	// From just below the mean, so that a half, which both figures round away
	// from zero, is left to exactPercents.
	low, high := a.hundredths(a.below()), a.hundredths(a.above())
	if low != high {
		return a.exactPercents()
	}
	return Ratio{Value: float64(high) / 100}, Ratio{Value: float64(10000-high) / 100}
}

// below is less than the sum of fractions, unless that is 0.
func (a *average) below() (units, rest uint64) {
	if a.units|a.rest == 0 {
		return 0, 0
	}
	rest, borrow := bits.Sub64(a.rest, 1, 0)
	return a.units - borrow, rest
}

// above is at least the sum of fractions.
func (a *average) above() (units, rest uint64) {
	rest, carry := bits.Add64(a.rest, a.short, 0)
	return a.units + carry, rest
}

// hundredths divides a sum by the number of fractions; the result is in
// hundredths of a percent.
func (a *average) hundredths(units, rest uint64) int64 {
	const all = 10000
	high, low := bits.Mul64(rest, all)
	_, carry := bits.Add64(low, a.n<<63, 0) // half of n
	return int64((units*all + high + a.n>>1 + carry) / a.n)
}

func (a *average) exactPercents() (mean, left Ratio) {
	hundred := big.NewRat(100, 1)
	p := a.exact()
	p.Mul(p, hundred)
	return Ratio{Value: toDecimals(p, 2)}, Ratio{Value: toDecimals(new(big.Rat).Sub(hundred, p), 2)}
}

// exact is the mean of at least one fraction.
func (a *average) exact() *big.Rat {
	sum := new(big.Rat)
	for i := range a.fractions {
		if f := &a.fractions[i]; f.whole != 0 {
			sum.Add(sum, big.NewRat(f.part, f.whole))
		}
	}
	return sum.Quo(sum, new(big.Rat).SetUint64(a.n))
}

// zero reports whether the mean is 0 or there is none.
func (a *average) zero() bool { return a.n == 0 || !a.vast && a.units|a.rest|a.short == 0 }

// dividing returns factor*num/den divided by the mean, which is not 0, rounded
// half away from zero. num and den are small: a length in months.
func (a *average) dividing(factor, num, den int64) int64 {
	if out, ok := a.quickly(factor, num, den); ok {
		return out
	}
	x := big.NewRat(num, den)
	x.Mul(x, new(big.Rat).SetInt64(factor))
	return roundRat(x.Quo(x, a.exact()))
}

// quickly is dividing, where both ends of the sum of fractions give the same.
func (a *average) quickly(factor, num, den int64) (out int64, ok bool) {
	high, dividend := bits.Mul64(uint64(factor), uint64(num)*a.n)
	if a.vast || factor < 0 || high != 0 || a.units >= vastUnits {
		return 0, false
	}
	// The sum is cut to 54 bits, so that it can be multiplied by den.
	units, rest := a.above()
	shift := max(0, bits.Len64(rest)-54)
	if units > 0 {
		shift = 64 + bits.Len64(units) - 54
	}
	above := units<<(64-shift) | rest>>shift + 1
	below := a.units<<(64-shift) | a.rest>>shift
	least, fit := shiftedQuotient(dividend, 64-shift, above*uint64(den))
	most, fits := shiftedQuotient(dividend, 64-shift, below*uint64(den))
	return int64(most), fit && fits && least == most
}

// shiftedQuotient is x*2^shift/den, rounded, if it fits an int64. shift is 1 to 64.
func shiftedQuotient(x uint64, shift int, den uint64) (rounded uint64, fits bool) {
	high, low := x>>(64-shift), x<<shift
	if high >= den>>1 {
		return 0, false
	}
	q, r := bits.Div64(high, low, den)
	if r >= den-r {
		q++
	}
	return q, q < 1<<63
}

// toDecimals rounds half away from zero.
func toDecimals(x *big.Rat, decimals int) float64 {
	f, err := strconv.ParseFloat(x.FloatString(decimals), 64)
	if err != nil || f == 0 {
		return 0 // rather than -0; FloatString writes plain decimals, so that there is no error
	}
	return f
}

// roundRat rounds to an integer, half away from zero.
func roundRat(x *big.Rat) int64 {
	n, ok := new(big.Int).SetString(x.FloatString(0), 10)
	if !ok || !n.IsInt64() {
		return 1<<63 - 1
	}
	return n.Int64()
}
