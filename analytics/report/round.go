package report

import (
	"math"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Ratio is a figure that a report rounds, or null when it has no value.
type Ratio struct {
	Value float64
	Null  bool
}

// null is the figure without a value.
func null() Ratio { return Ratio{Null: true} }

// percent returns part/whole in percent to two decimals, half away from zero,
// and null when whole is 0.
func percent(part, whole int64) Ratio {
	if whole == 0 {
		return null()
	}
	return Ratio{Value: hundredths(part, 100, whole)}
}

// quotient returns a/b to two decimals, and null when b is 0.
func quotient(a, b int64) Ratio {
	if b == 0 {
		return null()
	}
	return Ratio{Value: hundredths(a, 1, b)}
}

// change returns by how many percent now differs from then; null when then is 0.
func change(then, now int64) Ratio { return percent(now-then, then) }

// hundredths returns a*factor/b rounded exactly to two decimals.
func hundredths(a, factor, b int64) float64 {
	if b < 0 {
		a, b = -a, -b
	}
	return float64(money.MulDiv(a, 100*factor, b)) / 100
}

// rounded returns x rounded half away from zero to a number of decimals. A
// value within a billionth of the middle counts as the middle, which sums of
// fractions such as thirds miss by the last bits of a float.
func rounded(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	scaled := x * scale
	return math.Round(scaled+math.Copysign(1e-9, scaled)) / scale
}

// perCustomer returns amount/customers rounded, 0 without customers.
func perCustomer(amount, customers int64) int64 {
	if customers == 0 {
		return 0
	}
	return money.MulDiv(amount, 1, customers)
}
