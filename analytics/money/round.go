package money

import "math/bits"

// MulDiv returns a*num/den rounded half away from zero. num must not be
// negative and den must be positive. The product is taken in 128 bits; a
// quotient that does not fit saturates at the int64 range.
func MulDiv(a, num, den int64) int64 {
	if den == 1 && num == 1 {
		return a
	}
	neg := a < 0
	u := uint64(a)
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(num))
	d := uint64(den)
	if hi == 0 {
		q := lo / d
		if r := lo - q*d; r >= d-r {
			q++
		}
		return signed(q, neg)
	}
	if hi >= d {
		return signed(1<<63, neg)
	}
	q, r := bits.Div64(hi, lo, d)
	if r >= d-r {
		q++
	}
	return signed(q, neg)
}

func signed(u uint64, neg bool) int64 {
	const limit = 1<<63 - 1
	if u > limit {
		u = limit
	}
	if neg {
		return -int64(u)
	}
	return int64(u)
}
