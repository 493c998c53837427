package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// rates converts balances to one currency at the rates of a day. Days after
// today have today's rates; with a fixed day every day has that day's.
type rates struct {
	table *fx.Table
	to    money.Currency
	today calendar.Day
	fixed calendar.Day // NoDay: none
	first calendar.Day // days from here to today are remembered
	known [256][]fx.Converter
}

// maxRemembered is how many days of rates are kept at hand at most: a query may
// ask for centuries, of which the account knows nothing.
const maxRemembered = 50 * 365

// newRates remembers the rates from the day first on, and those of the fixed day
// and of the account's whole history, where movement types may need them.
func newRates(s *Snapshot, to money.Currency, first, fixed calendar.Day) *rates {
	r := &rates{table: s.Rates, to: to, today: s.Today, first: min(first, s.Today), fixed: fixed}
	for _, day := range [...]calendar.Day{fixed, s.FirstDay} {
		if day.Valid() {
			r.first = min(r.first, day)
		}
	}
	r.first = max(r.first, s.Today-maxRemembered)
	return r
}

// on returns the conversion of a currency on a day.
func (r *rates) on(from money.Currency, day calendar.Day) (fx.Converter, error) {
	if r.fixed.Valid() {
		day = r.fixed
	}
	day = min(day, r.today)
	i := int(day - r.first)
	if i < 0 {
		return r.table.Converter(from, r.to, day)
	}
	if r.known[from] == nil {
		r.known[from] = make([]fx.Converter, int(r.today-r.first)+1)
	}
	if c := r.known[from][i]; c.Valid() {
		return c, nil
	}
	c, err := r.table.Converter(from, r.to, day)
	if err != nil {
		return fx.Converter{}, err
	}
	r.known[from][i] = c
	return c, nil
}

// convert returns an amount at the rates of a day.
func (r *rates) convert(amount int64, from money.Currency, day calendar.Day) (int64, error) {
	if amount == 0 || from == r.to {
		return amount, nil
	}
	c, err := r.on(from, day)
	if err != nil {
		return 0, err
	}
	return c.Convert(amount), nil
}
