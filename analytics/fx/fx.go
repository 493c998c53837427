// Package fx holds daily exchange rates and converts balances with them.
//
// Rates are exact: decimal strings become fractions, cross rates and inverses
// stay fractions, and an amount is rounded once, half away from zero, to the
// minor unit of the target currency (metric definitions, section 3).
package fx

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Rate is one published rate: one unit of Base costs Value units of Quote on
// Day. Value is a decimal string such as "1.0796".
type Rate struct {
	Day         calendar.Day
	Base, Quote string // lower-case ISO 4217
	Value       string
}

// MaxAge is how many days back a day's rate may have been published: it bridges
// weekends and holidays.
const MaxAge = 7

// MissingRateError says that no rate is known for a conversion.
type MissingRateError struct {
	From, To money.Currency
	Day      calendar.Day
}

// Error names the currencies, the day and the command that helps.
func (e *MissingRateError) Error() string {
	return fmt.Sprintf("no exchange rate from %s to %s on %s or the %d days before it; import rates with: growpanel admin fx import FILE",
		e.From, e.To, e.Day, MaxAge)
}

// maxDigits bounds the length of a rate's text; published rates have 5 to 10.
const maxDigits = 40

// parseValue reads a positive decimal number without sign or exponent.
func parseValue(s string) (*big.Rat, error) {
	whole, fraction, dotted := strings.Cut(s, ".")
	digits := whole + fraction
	valid := len(digits) > 0 && len(digits) <= maxDigits && whole != "" && (!dotted || fraction != "")
	for i := 0; valid && i < len(digits); i++ {
		valid = digits[i] >= '0' && digits[i] <= '9'
	}
	if !valid {
		return nil, fmt.Errorf("%q is not a positive decimal number such as 1.0796", s)
	}
	num, _ := new(big.Int).SetString(digits, 10)
	if num.Sign() == 0 {
		return nil, fmt.Errorf("%q is not a positive decimal number such as 1.0796", s)
	}
	return new(big.Rat).SetFrac(num, pow10(len(fraction))), nil
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
