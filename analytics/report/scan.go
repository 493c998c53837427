package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// scan walks the customers that a query selects and finds each one's movements
// and balances within the query's view, in the query's currency.
type scan struct {
	s       *Snapshot
	q       *Query
	sel     selection
	match   func(*ledger.State) bool // the filters on streams, nil for none
	rates   *rates                   // to the query's currency
	classes *rates                   // to the account's base, which decides types
	horizon calendar.Day             // movements after it do not count

	view   ledger.View // of the movements that were found last
	mover  ledger.Mover
	moves  []ledger.Movement
	latest []int32
	held   []holding // after the changes in latest

	slots []*ledger.State           // of the customer described last
	today map[money.Currency]*rates // of today, to currencies of customers
}

// newScan prepares a scan of what the query selects until today.
func newScan(s *Snapshot, q *Query) *scan {
	fixed := q.fixedDay()
	sc := &scan{s: s, q: q, sel: newSelection(s, q), horizon: s.Today}
	sc.match = sc.sel.match()
	sc.rates = newRates(s, q.Base, fixed)
	sc.classes = sc.rates
	if q.FixFX || q.Base != s.Settings.Base {
		sc.classes = newRates(s, s.Settings.Base, calendar.NoDay)
	}
	sc.view = ledger.View{Base: s.Settings.Base, Convert: sc.classes.convert}
	return sc
}

// customers calls visit for every selected customer that ever had value.
func (sc *scan) customers(visit func(*subject) error) error {
	return sc.s.each(func(x *subject) error {
		if !x.last.Valid() || !sc.sel.keeps(x) {
			return nil
		}
		return visit(x)
	})
}

// movements returns the customer's movements within a view; nil matches all.
// The result is overwritten by the next call. foreign says that amounts must be
// converted.
func (sc *scan) movements(x *subject, match func(*ledger.State) bool) (moves []ledger.Movement, foreign bool, err error) {
	if match == nil && !x.needsRates {
		return x.moves, x.movesIn != sc.q.Base, nil
	}
	if !x.varied {
		switch in := x.matching(match); {
		case in == 0:
			return nil, false, nil
		case in == x.all() && !x.needsRates:
			return x.moves, x.movesIn != sc.q.Base, nil
		case x.single:
			sc.moves = x.appendWithin(sc.moves[:0], in)
			return sc.moves, sc.foreign(sc.moves), nil
		}
	}
	sc.view.Match = match
	moves, err = sc.mover.Move(sc.moves[:0], x.ledger, &sc.view)
	if err != nil {
		return nil, false, err
	}
	sc.moves = moves
	return moves, x.needsRates || sc.foreign(moves), nil
}

// foreign reports whether some movement is not in the query's currency.
func (sc *scan) foreign(moves []ledger.Movement) bool {
	for i := range moves {
		if moves[i].Currency != sc.q.Base {
			return true
		}
	}
	return false
}

// delta is what a movement is worth in the query's currency. Balances are
// converted, never differences: each slot's state before and after on its own,
// at the movement's rates (metric definitions, section 3).
func (sc *scan) delta(x *subject, m *ledger.Movement, match func(*ledger.State) bool) (int64, error) {
	if x.single {
		return sc.rates.difference(m.Before, m.After, m.Currency, m.Day)
	}
	l := x.ledger
	view := ledger.View{Match: match}
	sum := int64(0)
	for i := m.First; i < m.Last; i++ {
		c := &l.Changes[i]
		now, err := sc.rates.convert(view.Value(&c.After), c.After.Currency, m.Day)
		if err != nil {
			return 0, err
		}
		sum += now
		if c.Prev < 0 {
			continue
		}
		prev := &l.Changes[c.Prev].After
		was, err := sc.rates.convert(view.Value(prev), prev.Currency, m.Day)
		if err != nil {
			return 0, err
		}
		sum -= was
	}
	return sum, nil
}

// typed is the type under which a report counts a movement of a given worth. A
// movement that leaves the total as it was at its own day's rates may be worth
// something at others; its sign then decides, so that nothing is lost.
func typed(t ledger.Type, delta int64) ledger.Type {
	switch {
	case t != ledger.None || delta == 0:
		return t
	case delta > 0:
		return ledger.Expansion
	default:
		return ledger.Contraction
	}
}

// points are days at whose ends balances are wanted, in rising order, each with
// the day whose rates it is converted at.
type points struct {
	ends, rateDays []calendar.Day
	only           []bool              // if set, the points that are looked at
	known          [256][]fx.Converter // by currency, then point
}

// at returns the conversions of a currency at all points, not valid where no
// rate is known.
func (p *points) at(r *rates, from money.Currency) []fx.Converter {
	known := p.known[from]
	if known == nil {
		known = make([]fx.Converter, len(p.ends))
		for i, day := range p.rateDays {
			if c, err := r.on(from, day); err == nil {
				known[i] = *c
			}
		}
		p.known[from] = known
	}
	return known
}

// worth is a value of a currency at point i.
func (p *points) worth(r *rates, i int, value int64, from money.Currency) (int64, error) {
	if from == r.to {
		return value, nil
	}
	if c := &p.at(r, from)[i]; c.Valid() {
		return c.Convert(value), nil
	}
	c, err := r.on(from, p.rateDays[i])
	if err != nil {
		return 0, err
	}
	return c.Convert(value), nil
}

// balanceAt is a customer's balance at one point.
type balanceAt struct {
	level int64 // in the query's currency
	live  bool  // some slot has value
}

// advance moves the latest change of every slot forward to the end of a day,
// beginning with change next, and returns the next change after it. Changes
// after the horizon do not count.
func (sc *scan) advance(l *ledger.Ledger, next int, end calendar.Day) int {
	if next == 0 {
		sc.latest = sc.latest[:0]
		for range l.Slots {
			sc.latest = append(sc.latest, -1)
		}
	}
	end = min(end, sc.horizon)
	for ; next < len(l.Changes) && l.Changes[next].Day <= end; next++ {
		sc.latest[l.Changes[next].Slot] = int32(next)
	}
	return next
}

// levels sets the customer's balance within a view at every point.
func (sc *scan) levels(x *subject, match func(*ledger.State) bool, p *points, to []balanceAt) error {
	if x.single {
		moves, _, err := sc.movements(x, match)
		if err != nil {
			return err
		}
		return sc.levelsOfOne(moves, p, to)
	}
	l := x.ledger
	next := 0
	sc.held = sc.held[:0]
	for i, end := range p.ends {
		if was := next; next < len(l.Changes) && l.Changes[next].Day <= end {
			if next = sc.advance(l, next, end); next > was {
				sc.hold(l, match)
			}
		}
		b := balanceAt{live: len(sc.held) > 0}
		if p.only != nil && !p.only[i] {
			b.live = false
		}
		if b.live {
			for _, h := range sc.held {
				worth, err := p.worth(sc.rates, i, h.value, h.currency)
				if err != nil {
					return err
				}
				b.level += worth
			}
		}
		to[i] = b
	}
	return nil
}

// levelsOfOne is levels for the movements of a single slot.
func (sc *scan) levelsOfOne(moves []ledger.Movement, p *points, to []balanceAt) error {
	next := 0
	var now holding
	var rates []fx.Converter // of its currency, by point
	for i, end := range p.ends {
		for end = min(end, sc.horizon); next < len(moves) && moves[next].Day <= end; next++ {
			if m := &moves[next]; rates == nil || m.Currency != now.currency {
				rates = p.at(sc.rates, m.Currency)
			}
			now = holding{moves[next].After, moves[next].Currency}
		}
		to[i] = balanceAt{}
		switch {
		case now.value == 0 || p.only != nil && !p.only[i]:
		case rates[i].Valid():
			to[i] = balanceAt{rates[i].Convert(now.value), true}
		default:
			worth, err := p.worth(sc.rates, i, now.value, now.currency)
			if err != nil {
				return err
			}
			to[i] = balanceAt{worth, true}
		}
	}
	return nil
}

// holding is what a slot is worth.
type holding struct {
	value    int64 // minor units of the currency
	currency money.Currency
}

// hold notes what the slots are worth after their latest changes.
func (sc *scan) hold(l *ledger.Ledger, match func(*ledger.State) bool) {
	view := ledger.View{Match: match}
	sc.held = sc.held[:0]
	for _, at := range sc.latest {
		if at < 0 {
			continue
		}
		if st := &l.Changes[at].After; view.Value(st) != 0 {
			sc.held = append(sc.held, holding{st.MRR, st.Currency})
		}
	}
}

// balances is levels for any customer: without foreign currencies the movements
// already know the totals. moves and foreign are those of the view.
func (sc *scan) balances(x *subject, match func(*ledger.State) bool, moves []ledger.Movement, foreign bool, p *points, to []balanceAt) error {
	if foreign {
		return sc.levels(x, match, p, to)
	}
	next, level := 0, int64(0)
	for i, end := range p.ends {
		for ; next < len(moves) && moves[next].Day <= min(end, sc.horizon); next++ {
			level = moves[next].After
		}
		to[i] = balanceAt{level, level > 0}
	}
	return nil
}

// rows finds the row of a day among contiguous periods: 0 for a day before the
// first, 1 for the first, and so on.
type rows struct {
	periods []calendar.Range
	from    calendar.Day
	byDay   []int32
}

func newRows(periods []calendar.Range) rows {
	r := rows{periods: periods}
	if len(periods) == 0 {
		return r
	}
	r.from = periods[0].From
	last := periods[len(periods)-1].To
	r.byDay = make([]int32, int(last-r.from)+1)
	for i, p := range periods {
		for d := p.From; d <= p.To; d++ {
			r.byDay[d-r.from] = int32(i + 1)
		}
	}
	return r
}

// of returns the row of a day, and one past the last row for a later day.
func (r *rows) of(d calendar.Day) int {
	if d < r.from {
		return 0
	}
	if i := int(d - r.from); i < len(r.byDay) {
		return int(r.byDay[i])
	}
	return len(r.periods) + 1
}

// ends returns the opening day and the last day of every period: the points in
// time whose states the rows compare.
func (r *rows) ends() []calendar.Day {
	out := make([]calendar.Day, 0, len(r.periods)+1)
	if len(r.periods) == 0 {
		return out
	}
	out = append(out, r.from-1)
	for _, p := range r.periods {
		out = append(out, p.To)
	}
	return out
}
