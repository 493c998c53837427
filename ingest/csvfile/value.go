package csvfile

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// The ways to write a day with slashes, or with hyphens and the year last.
const (
	DayFirst   = "dmy" // 31/01/2026
	MonthFirst = "mdy" // 01/31/2026
)

// The decimal marks of amounts; the other one separates thousands.
const (
	Point = "point" // 1,234.50
	Comma = "comma" // 1.234,50
)

// dateText returns a date or time as the API takes it.
func dateText(text, order string) (string, error) {
	if _, err := calendar.ParseStamp(text); err == nil {
		return text, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && (len(text) == 9 || len(text) == 10) {
		return time.Unix(seconds, 0).UTC().Format(time.RFC3339), nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006/01/02", "2006/01/02 15:04", "2006/01/02 15:04:05", "2.1.2006", "2.1.2006 15:04", "2.1.2006 15:04:05", time.RFC1123Z} {
		if at, err := time.Parse(layout, text); err == nil {
			return stampText(at, layout), nil
		}
	}
	slashed := text
	if yearLast.MatchString(text) {
		slashed = strings.Replace(text, "-", "/", 2)
	}
	slashes := map[string][]string{
		DayFirst: {"2/1/2006", "2/1/2006 15:04", "2/1/2006 15:04:05"}, MonthFirst: {"1/2/2006", "1/2/2006 15:04", "1/2/2006 15:04:05", "1/2/2006 3:04 PM", "1/2/2006 3:04:05 PM"},
	}
	for _, layout := range slashes[order] {
		if at, err := time.Parse(layout, slashed); err == nil {
			return stampText(at, layout), nil
		}
	}
	if strings.Count(slashed, "/") == 2 && order == "" {
		return "", errors.New("does not tell day from month: say with --dates whether it is dmy (31/01/2026) or mdy (01/31/2026)")
	}
	return "", errors.New("must be a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z")
}

var yearLast = regexp.MustCompile(`^\d{1,2}-\d{1,2}-\d{4}`)

// stampText writes a day as a day.
func stampText(at time.Time, layout string) string {
	if !strings.Contains(layout, ":") {
		return at.Format(time.DateOnly)
	}
	return at.UTC().Format(time.RFC3339)
}

const maxDigits = 15 // of an amount in minor units

// majorUnits reads an amount such as 1,234.50 or 1.234,50 in the currency's main
// unit and returns minor units. It is exact: more decimals than the currency has
// are an error unless they are zeros. mark is Point, Comma, or "" to tell by the
// amount itself; one that could be either is an error.
func majorUnits(text string, currency money.Currency, mark string) (int64, error) {
	digits, negative := strings.CutPrefix(text, "-")
	if inner, ok := strings.CutPrefix(text, "("); ok { // as accountants write -5
		digits, negative = strings.TrimSuffix(inner, ")"), true
	}
	exponent := currency.Exponent()
	whole, fraction, err := splitDecimals(digits, mark, exponent)
	if err != nil {
		return 0, err
	}
	for len(fraction) < exponent {
		fraction += "0"
	}
	if strings.Trim(fraction[exponent:], "0") != "" {
		return 0, fmt.Errorf("has more decimals than %s has", strings.ToUpper(currency.Code()))
	}
	all := strings.TrimLeft(whole+fraction[:exponent], "0")
	if len(all) > maxDigits {
		return 0, errors.New("is too large")
	}
	if all == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return 0, errNoAmount
	}
	if negative {
		n = -n
	}
	return n, nil
}

var (
	errNoAmount  = errors.New("must be an amount such as 1234.50")
	errAmbiguous = errors.New("does not tell decimals from thousands: say with --decimals whether it is point (1,234.50) or comma (1.234,50)")
)

// splitDecimals takes a number apart at its decimal mark, without the
// separators of thousands.
func splitDecimals(text, mark string, exponent int) (whole, fraction string, err error) {
	text = strings.NewReplacer("\u00a0", "", "\u202f", "", " ", "", "'", "", "’", "").Replace(text)
	whole = text
	if at := strings.LastIndexAny(text, ".,"); at >= 0 {
		decimal, err := isDecimal(text, at, mark, exponent)
		if err != nil {
			return "", "", err
		}
		if decimal {
			whole, fraction = text[:at], text[at+1:]
		}
	}
	if !grouped(whole) || strings.ContainsAny(whole, ".,") && len(fraction) > 3 {
		return "", "", errNoAmount
	}
	whole = strings.NewReplacer(".", "", ",", "").Replace(whole)
	if !isDigits(whole) || !isDigits(fraction) || whole+fraction == "" {
		return "", "", errNoAmount
	}
	return whole, fraction, nil
}

// isDecimal reports whether the last separator of a number, at at, is its
// decimal mark. 1,234 and 1.234 are either, but for a currency of three
// decimals, whose amounts look like the second.
func isDecimal(text string, at int, mark string, exponent int) (bool, error) {
	separator, before := text[at:at+1], text[:at]
	switch repeated := strings.Contains(before, separator); {
	case mark != "" && (mark == Point) != (separator == "."):
		return false, nil
	case mark != "" && repeated:
		return false, errNoAmount
	case mark != "" || repeated:
		return !repeated, nil
	}
	likeThousands := len(text)-at == 4 && 1 <= at && at <= 3 && before[0] != '0' && isDigits(before)
	if likeThousands && (separator == "," || exponent != 3) {
		return false, errAmbiguous
	}
	return true, nil
}

// grouped reports whether separators, if there are any, are all of one kind and
// stand before every third digit.
func grouped(whole string) bool {
	first := strings.IndexAny(whole, ".,")
	if first < 0 {
		return true
	}
	parts := strings.Split(whole, string(whole[first]))
	for _, part := range parts[1:] {
		if len(part) != 3 {
			return false
		}
	}
	return len(parts[0]) <= 3 && parts[0] != "" && parts[0][0] != '0'
}

func isDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// minorUnits reads an integer.
func minorUnits(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errors.New("must be an integer number of minor units (9900 for 99.00); for main units use --amounts major")
	}
	return n, nil
}

func boolean(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "y", "1":
		return true, nil
	case "false", "no", "n", "0":
		return false, nil
	default:
		return false, errors.New("must be true or false")
	}
}
