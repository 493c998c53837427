package answer

import (
	"bytes"
	"strconv"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// Exponent returns the number of decimals that amounts in a currency are shown
// with, and false if code does not look like a currency.
func Exponent(code []byte) (int, bool) {
	if len(code) != 3 {
		return 0, false
	}
	var lower [3]byte
	for i, c := range code {
		lower[i] = c | 0x20
		if lower[i] < 'a' || lower[i] > 'z' {
			return 0, false
		}
	}
	return openapi.CurrencyExponent(string(lower[:])), true
}

// appendShifted appends the JSON number raw divided by 10 to the power of
// exponent, exactly: only the decimal point moves.
func appendShifted(dst, raw []byte, exponent int) []byte {
	if raw[0] == '-' {
		dst = append(dst, '-')
		raw = raw[1:]
	}
	whole := 0
	for whole < len(raw) && raw[whole] != '.' && raw[whole] != 'e' && raw[whole] != 'E' {
		whole++
	}
	if e := bytes.IndexAny(raw[whole:], "eE"); e >= 0 {
		return appendScientific(dst, raw[:whole+e], raw[whole+e+1:], exponent)
	}
	if whole > exponent {
		dst = append(append(dst, raw[:whole-exponent]...), '.')
		dst = append(dst, raw[whole-exponent:whole]...)
	} else {
		dst = append(append(dst, "0.000"[:2+exponent-whole]...), raw[:whole]...)
	}
	if whole < len(raw) {
		dst = append(dst, raw[whole+1:]...)
	}
	return dst
}

// appendScientific appends mantissa times 10 to the power, less exponent. A
// power too large for an int is far from any money and stays as it is.
func appendScientific(dst, mantissa, power []byte, exponent int) []byte {
	dst = append(append(dst, mantissa...), 'e')
	n, err := strconv.Atoi(string(power))
	if err != nil || n < -1<<30 {
		return append(dst, power...)
	}
	return strconv.AppendInt(dst, int64(n-exponent), 10)
}
