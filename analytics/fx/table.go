package fx

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Table is an immutable set of rates. A nil Table is empty.
type Table struct {
	pairs       map[pair]series
	hubs        []money.Currency // bases of published rates, the most quoted first
	first, last calendar.Day     // that have a rate; last is before first when none has
	courses     sync.Map         // *Course by pair, of the first that were asked for
	kept        atomic.Int64     // how many
}

type pair struct{ base, quote money.Currency }

// series is the rates of one pair by day.
type series struct {
	days   []calendar.Day
	values []*big.Rat
}

// NewTable returns a table of the rates, given in any order. Of several rates
// for one day and pair the last one counts.
func NewTable(rates []Rate) (*Table, error) {
	t := &Table{pairs: map[pair]series{}, first: calendar.Never, last: calendar.NoDay}
	for i := range rates {
		if err := t.add(&rates[i]); err != nil {
			return nil, fmt.Errorf("rate %d: %w", i+1, err)
		}
	}
	quotes := map[money.Currency]int{}
	for p, s := range t.pairs {
		t.pairs[p] = s.sorted()
		quotes[p.base]++
	}
	for base := range quotes {
		t.hubs = append(t.hubs, base)
	}
	slices.SortFunc(t.hubs, func(a, b money.Currency) int {
		return cmp.Or(cmp.Compare(quotes[b], quotes[a]), cmp.Compare(a.Code(), b.Code()))
	})
	return t, nil
}

func (t *Table) add(r *Rate) error {
	base, err := money.Parse(r.Base)
	if err != nil {
		return fmt.Errorf("base: %w", err)
	}
	quote, err := money.Parse(r.Quote)
	if err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	if base == quote {
		return fmt.Errorf("base and quote are both %s", base)
	}
	if !r.Day.Valid() {
		return fmt.Errorf("%s to %s has no day", base, quote)
	}
	value, err := parseValue(r.Value)
	if err != nil {
		return fmt.Errorf("rate: %w", err)
	}
	s := t.pairs[pair{base, quote}]
	s.days, s.values = append(s.days, r.Day), append(s.values, value)
	t.first, t.last = min(t.first, r.Day), max(t.last, r.Day)
	t.pairs[pair{base, quote}] = s
	return nil
}

// sorted returns the series by day; of equal days the last one given stays.
func (s series) sorted() series {
	order := make([]int, len(s.days))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.days[a], s.days[b]) })
	var out series
	for _, i := range order {
		if n := len(out.days); n > 0 && out.days[n-1] == s.days[i] {
			out.values[n-1] = s.values[i]
			continue
		}
		out.days, out.values = append(out.days, s.days[i]), append(out.values, s.values[i])
	}
	return out
}

// on returns the rate of the day: its own or the nearest earlier one within
// MaxAge days, nil if there is none.
func (s series) on(day calendar.Day) *big.Rat {
	i, found := slices.BinarySearch(s.days, day)
	if !found {
		i--
	}
	if i < 0 || s.days[i]+MaxAge < day {
		return nil
	}
	return s.values[i]
}

// Converter returns the conversion from one currency to another at the rates of
// a day: the published rate, else the inverse of the opposite one, else a cross
// rate through a currency that is the base of published rates. The error is a
// *MissingRateError.
func (t *Table) Converter(from, to money.Currency, day calendar.Day) (Converter, error) {
	if from == to {
		return newFraction(1, 1), nil
	}
	rate := t.direct(from, to, day)
	if rate == nil {
		rate = t.cross(from, to, day)
	}
	if rate == nil {
		return Converter{}, &MissingRateError{From: from, To: to, Day: day}
	}
	return newConverter(rate, to.Exponent()-from.Exponent()), nil
}

// Convert is Converter for a single amount, in minor units on both sides.
func (t *Table) Convert(amount int64, from, to money.Currency, day calendar.Day) (int64, error) {
	c, err := t.Converter(from, to, day)
	if err != nil {
		return 0, err
	}
	return c.Convert(amount), nil
}

func (t *Table) direct(from, to money.Currency, day calendar.Day) *big.Rat {
	if t == nil {
		return nil
	}
	if r := t.pairs[pair{from, to}].on(day); r != nil {
		return r
	}
	if r := t.pairs[pair{to, from}].on(day); r != nil {
		return new(big.Rat).Inv(r)
	}
	return nil
}

func (t *Table) cross(from, to money.Currency, day calendar.Day) *big.Rat {
	if t == nil {
		return nil
	}
	for _, hub := range t.hubs {
		if hub == from || hub == to {
			continue
		}
		a := t.direct(from, hub, day)
		if a == nil {
			continue
		}
		if b := t.direct(hub, to, day); b != nil {
			return new(big.Rat).Mul(a, b)
		}
	}
	return nil
}

// Converter multiplies amounts by one exact rate. Copies are cheap; the zero
// Converter is not usable.
type Converter struct {
	num, den int64
	inverse  uint64   // of den in 64 bits after the point, rounded down
	exact    *big.Rat // instead of num/den when those do not fit
}

func newFraction(num, den int64) Converter {
	return Converter{num: num, den: den, inverse: math.MaxUint64 / uint64(den)}
}

func newConverter(rate *big.Rat, exponents int) Converter {
	scaled := rate
	switch {
	case exponents > 0:
		scaled = new(big.Rat).Mul(rate, new(big.Rat).SetInt(pow10(exponents)))
	case exponents < 0:
		scaled = new(big.Rat).Quo(rate, new(big.Rat).SetInt(pow10(-exponents)))
	}
	if scaled.Num().IsInt64() && scaled.Denom().IsInt64() {
		return newFraction(scaled.Num().Int64(), scaled.Denom().Int64())
	}
	return Converter{exact: scaled}
}

// Valid reports whether c came from a Table rather than being the zero value.
func (c *Converter) Valid() bool { return c.den != 0 || c.exact != nil }

// Convert returns the amount in minor units of the target currency, rounded
// once, half away from zero.
func (c *Converter) Convert(amount int64) int64 {
	if c.exact != nil {
		return c.big(amount)
	}
	den := uint64(c.den)
	high, low := bits.Mul64(uint64(amount), uint64(c.num))
	sum, carry := bits.Add64(low, den/2, 0) // so that what is cut off rounds it
	if amount < 0 || high|carry != 0 {
		return money.MulDiv(amount, c.num, c.den)
	}
	// The quotient by the inverse is right or one too small. Multiplying takes a
	// fraction of the time that dividing does.
	q, _ := bits.Mul64(sum, c.inverse)
	if sum-q*den >= den {
		q++
	}
	return int64(min(q, math.MaxInt64))
}

func (c *Converter) big(amount int64) int64 {
	n := new(big.Int).Mul(big.NewInt(amount), c.exact.Num())
	negative := n.Sign() < 0
	n.Abs(n)
	half := new(big.Int).Rsh(c.exact.Denom(), 1)
	if c.exact.Denom().Bit(0) == 1 {
		half.Add(half, big.NewInt(1)) // the remainder must be at least half, rounded up
	}
	q, r := new(big.Int).QuoRem(n, c.exact.Denom(), new(big.Int))
	if r.Cmp(half) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	const limit = 1<<63 - 1
	out := int64(limit)
	if q.IsInt64() {
		out = q.Int64()
	}
	if negative {
		return -out
	}
	return out
}
