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
	fixed calendar.Day    // NoDay: none
	known [256]*fx.Course // by currency, nil where not asked for yet
}

func newRates(s *Snapshot, to money.Currency, fixed calendar.Day) *rates {
	return &rates{table: s.Rates, to: to, today: s.Today, fixed: fixed}
}

// on returns the conversion of a currency on a day.
func (r *rates) on(from money.Currency, day calendar.Day) (*fx.Converter, error) {
	if r.fixed.Valid() {
		day = r.fixed
	}
	course := r.known[from]
	if course == nil {
		course = r.table.Course(from, r.to)
		r.known[from] = course
	}
	return course.On(min(day, r.today))
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

// difference returns what one amount is worth more than another at the rates of
// a day.
func (r *rates) difference(was, is int64, from money.Currency, day calendar.Day) (int64, error) {
	if from == r.to {
		return is - was, nil
	}
	c, err := r.on(from, day)
	if err != nil {
		return 0, err
	}
	return c.Convert(is) - c.Convert(was), nil
}
