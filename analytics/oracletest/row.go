// Package oracletest recomputes the metric definitions a second time, slowly
// and plainly: one customer's MRR for every single day, straight from the words
// of docs/metrics, sharing no code with the ledger or the reports. Tests compare
// the two over random companies.
package oracletest

import (
	"math/big"
	"strings"
	"time"
)

// Plan is a plan as it is pushed.
type Plan struct {
	ID       string
	Unit     string // day, week, month, quarter or year
	Count    int
	Currency string
	Metered  bool // pricing model
}

// Invoice is an invoice as it is pushed. A zero time is "not stated"; a time at
// exactly 00:00:00Z is a calendar day in the account's zone.
type Invoice struct {
	ID           string
	Type         string // subscription, one-time, refund or cancellation
	Status       string // paid, open, failed, void or uncollectible
	Plan         string
	Subscription string
	Currency     string
	Date         time.Time
	Start, End   time.Time
	Amount       int64
	Tax          int64
	Discount     int64
	DiscountOnce bool
	Quantity     int
	Proration    string // "", differential or full
	RefundOf     string
	Lines        []Line

	// What only cash and reasons are about.
	Method      string // of payment
	Metered     bool   // pricing model
	Fee, FXLoss int64
	Paid, Due   time.Time // payment_date and due_date
	FirstFailed time.Time
	Attempts    int
	Reason      string // of a cancellation, lower case
	Comment     string
}

// Line is one item of an invoice.
type Line struct {
	Plan         string
	Amount       int64
	Tax          int64
	Discount     int64
	DiscountOnce bool
	Start, End   time.Time
	Quantity     int
	OneTime      bool
	Proration    string
}

// Settings are the account settings that the numbers depend on.
type Settings struct {
	Zone                     *time.Location
	Immediate                bool // churn_recognition immediate
	GraceDays                int
	NonRenewalChurn          bool
	AutoChurnDays            int // -1 is off
	RefundsIgnored           bool
	SubtractOneTimeDiscounts bool
	TrialDays                int
}

// Day counts days from 1970-01-01.
type Day int

// Date returns the day of a civil date.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time returns the midnight UTC of d.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String returns YYYY-MM-DD.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// isDay reports whether a time stands for a calendar day.
func isDay(t time.Time) bool { return t.Unix()%86400 == 0 && t.Nanosecond() == 0 }

// day returns the day that a time falls on in the zone.
func day(t time.Time, zone *time.Location) Day {
	if isDay(t) {
		return Date(t.UTC().Date())
	}
	return Date(t.In(zone).Date())
}

// instant returns the moment at which a time begins.
func instant(t time.Time, zone *time.Location) time.Time {
	if !isDay(t) {
		return t
	}
	year, month, d := t.UTC().Date()
	at := time.Date(year, month, d, 0, 0, 0, 0, zone)
	for Date(at.Date()) < Date(year, month, d) { // clocks are put forward at midnight
		at = at.Add(time.Minute)
	}
	return at
}

// endDay is the day of a period_end: one in the last minute of a day, or later,
// is the next midnight.
func endDay(t time.Time, zone *time.Location) Day {
	d := day(t, zone)
	if local := t.In(zone); !isDay(t) && local.Hour() == 23 && local.Minute() == 59 {
		d++
	}
	return d
}

// addMonths moves a day by whole months, clamped to the month's end.
func addMonths(d Day, months int) Day {
	year, month, dom := d.Time().Date()
	first := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date(first.Year(), first.Month(), min(dom, last))
}

// isMonthEnd reports whether d is the last day of its month.
func isMonthEnd(d Day) bool { return (d + 1).Time().Day() == 1 }

// add moves a day by one interval of the plan.
func (p Plan) add(d Day) Day {
	switch p.Unit {
	case "day":
		return d + Day(p.Count)
	case "week":
		return d + Day(7*p.Count)
	case "month":
		return addMonths(d, p.Count)
	case "quarter":
		return addMonths(d, 3*p.Count)
	default:
		return addMonths(d, 12*p.Count)
	}
}

// months is the plan interval's length in months.
func (p Plan) months() *big.Rat {
	n := int64(p.Count)
	switch p.Unit {
	case "day":
		return big.NewRat(12*n, 365)
	case "week":
		return big.NewRat(12*n, 52)
	case "month":
		return big.NewRat(n, 1)
	case "quarter":
		return big.NewRat(3*n, 1)
	default:
		return big.NewRat(12*n, 1)
	}
}

// round rounds half away from zero.
func round(r *big.Rat) int64 {
	half := big.NewRat(1, 2)
	abs := new(big.Rat).Abs(r)
	abs.Add(abs, half)
	whole := new(big.Int).Quo(abs.Num(), abs.Denom())
	return whole.Int64() * int64(r.Sign())
}

// wholeMonths returns k when to is k calendar months after from; the end of a
// month to the end of another counts.
func wholeMonths(from, to Day) int {
	for k := 1; addMonths(from, k) <= to || k <= 2; k++ {
		both := isMonthEnd(from) && isMonthEnd(to)
		target := addMonths(from, k).Time()
		sameMonth := target.Year() == to.Time().Year() && target.Month() == to.Time().Month()
		if addMonths(from, k) == to || both && sameMonth {
			return k
		}
	}
	return 0
}

// length is how long a stated period is for the plan: the plan's own interval
// unless the period differs too much from it.
func (p Plan) length(start, end Day) *big.Rat {
	plan, stated := p.add(start)-start, end-start
	tolerance := big.NewRat(3, 1)
	if p.Unit == "day" || p.Unit == "week" {
		tolerance = big.NewRat(1, 1)
	}
	if tenth := big.NewRat(int64(plan), 10); tenth.Cmp(tolerance) > 0 {
		tolerance = tenth
	}
	differs := big.NewRat(int64(max(plan-stated, stated-plan)), 1).Cmp(tolerance) > 0
	switch k := wholeMonths(start, end); {
	case !differs:
		return p.months()
	case k > 0:
		return big.NewRat(int64(k), 1)
	default:
		return big.NewRat(int64(stated)*12, 365)
	}
}

// String shows an invoice for a failing test.
func (i Invoice) String() string {
	var b strings.Builder
	write := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + "=" + value)
		}
	}
	stamp := func(t time.Time) string {
		switch {
		case t.IsZero():
			return ""
		case isDay(t):
			return t.UTC().Format(time.DateOnly)
		default:
			return t.UTC().Format(time.RFC3339)
		}
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return big.NewInt(n).String()
	}
	b.WriteString(i.ID + " " + i.Type + " " + stamp(i.Date) + " " + big.NewInt(i.Amount).String() + " " + i.Currency)
	write("status", i.Status)
	write("plan", i.Plan)
	write("sub", i.Subscription)
	write("start", stamp(i.Start))
	write("end", stamp(i.End))
	write("tax", number(i.Tax))
	write("discount", number(i.Discount))
	if i.DiscountOnce {
		write("discount_once", "true")
	}
	write("proration", i.Proration)
	write("refund_of", i.RefundOf)
	for _, l := range i.Lines {
		b.WriteString("\n    line " + big.NewInt(l.Amount).String())
		write("plan", l.Plan)
		write("tax", number(l.Tax))
		write("start", stamp(l.Start))
		write("end", stamp(l.End))
		write("proration", l.Proration)
		if l.DiscountOnce {
			write("discount_once", number(l.Discount))
		}
		if l.OneTime {
			write("type", "one-time")
		}
	}
	return b.String()
}
