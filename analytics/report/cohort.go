package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// CohortPeriod is what is left of a cohort at the end of the k-th period after
// its start. Shares are percent of the initial figures of the customers whose
// k-th period has come.
type CohortPeriod struct {
	MRRRetained       int64 // expansion included; minor units of the query's currency
	CustomersRetained int64
	MRRRetention      Ratio // gross: no customer counts for more than its first MRR
	CustomerRetention Ratio
	NRR               Ratio
	MRRChurn          Ratio
	CustomerChurn     Ratio
}

// CohortRow is the customers who started in one period, or with one value.
type CohortRow struct {
	Group            string // first day of the period, key of the value, or AverageGroup
	Label            string
	InitialMRR       int64
	InitialCustomers int64
	Periods          []CohortPeriod // the first is 100 percent
}

// AverageGroup is the group of the weighted average over all cohorts.
const AverageGroup = "average"

// Extremes is the range of a figure over all cohorts and periods; null without any.
type Extremes struct{ Min, Max Ratio }

// CohortReport is the cohorts, oldest first, and their average as the last.
type CohortReport struct {
	List                            []CohortRow
	Retention, NRR, Churn, NetChurn Extremes
}

// Cohort computes the report cohort (metric definitions, section 6.2).
// Errors are *ParamError and *fx.MissingRateError.
func Cohort(s *Snapshot, q *Query) (*CohortReport, error) {
	asked := *q
	asked.Committed = false
	periods, err := asked.periods(s)
	if err != nil {
		return nil, err
	}
	t, err := newCohorts(s, &asked, periods)
	if err != nil {
		return nil, err
	}
	if len(periods) > 0 {
		if err := t.sc.customers(t.add); err != nil {
			return nil, err
		}
	}
	return t.report(), nil
}

// cohorts collects what is left of each cohort.
type cohorts struct {
	sc     *scan
	fixed  bool
	rows   rows           // the periods that customers may have started in
	ends   []calendar.Day // ends of all periods from the first row to now
	to     rows           // those periods
	when   []points       // by row, with the rates of its cohort; one for all unless they are fixed
	worths worths         // at the ends, unless the rates are fixed
	levels []balanceAt    // of one customer
	split  *split
	groups []group
	all    group
	joined []*group // that one customer is in
	left   left     // of it
}

// left is what is left of a customer.
type left struct {
	mrr, gross, customers int64
	initial               int64
}

// group is one cohort while it is collected.
type group struct {
	mrr, customers int64
	periods        []remains
	long           int // periods that have come for some customer; until settle, there is one more
}

// remains is the sum over a cohort's customers whose k-th period has come; until
// settle, how much more it is than that of the period before.
type remains struct {
	mrr, gross, customers        int64
	initialMRR, initialCustomers int64
}

func newCohorts(s *Snapshot, q *Query, periods []calendar.Range) (*cohorts, error) {
	t := &cohorts{fixed: q.FixFX, rows: newRows(periods)}
	var all []calendar.Range
	if len(periods) > 0 {
		for p := periods[0]; p.From <= s.Today; p = calendar.Shift(p, q.Unit, 1) {
			if len(t.ends) == calendar.MaxPeriods {
				return nil, &ParamError{"date", "the range starts more than 1,500 periods ago; choose a longer interval or a later start"}
			}
			all, t.ends = append(all, p), append(t.ends, p.To)
		}
	}
	t.to = newRows(all)
	t.levels = make([]balanceAt, len(t.ends))
	t.when = []points{{ends: t.ends, rateDays: t.ends}}
	if t.fixed {
		t.when = t.when[:0]
		for _, p := range periods {
			t.when = append(t.when, points{ends: t.ends, rateDays: slices.Repeat([]calendar.Day{p.From}, len(t.ends))})
		}
	}
	unfixed := *q
	unfixed.FixFX = false // each cohort has rates of its own
	t.sc = newScan(s, &unfixed)
	if !t.fixed {
		t.worths = newWorths(&t.when[0], t.sc.rates)
	}
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		t.split = newSplit(s, q, 1)
		return t, nil
	}
	t.groups = make([]group, len(periods))
	return t, nil
}

// add counts a customer who started in one of the rows.
func (t *cohorts) add(x *subject) error {
	moves, foreign, err := t.sc.movements(x, t.sc.match)
	if err != nil || len(moves) == 0 || moves[0].Day > t.sc.horizon {
		return err
	}
	start := &moves[0] // a view's first movement is always new
	row := t.rows.of(start.Day)
	if row == 0 || row > len(t.rows.periods) {
		return nil
	}
	row--
	if err := t.join(x.customer, start, row); err != nil {
		return err
	}
	initial, err := t.initial(x, start, row, foreign)
	if err != nil {
		return err
	}
	t.start(initial, len(t.ends)-row)
	switch {
	case !foreign || x.single && t.fixed:
		err = t.follow(moves[1:], row, foreign)
	case x.single:
		err = t.price(moves, row)
	default:
		err = t.weigh(x, row)
	}
	t.end(len(t.ends) - row)
	return err
}

// follow counts a customer whose balances change with its movements alone: those
// after the first. If it is foreign, the rates of its cohort convert them.
func (t *cohorts) follow(moves []ledger.Movement, row int, foreign bool) error {
	for i := range moves {
		m := &moves[i]
		if m.Day > t.sc.horizon {
			break
		}
		level := m.After
		if foreign {
			var err error
			if level, err = t.sc.rates.convert(m.After, m.Currency, t.rows.periods[row].From); err != nil {
				return err
			}
		}
		t.count(t.to.of(m.Day)-1-row, level, m.After > 0)
	}
	return nil
}

// price counts a customer with one slot, whose movements are converted at the
// rates of each period.
func (t *cohorts) price(moves []ledger.Movement, row int) error {
	for i := range moves {
		m := &moves[i]
		if m.Day > t.sc.horizon {
			break
		}
		from, to := t.to.of(m.Day)-1, len(t.ends)
		if i+1 < len(moves) && moves[i+1].Day <= t.sc.horizon {
			to = t.to.of(moves[i+1].Day) - 1
		}
		if from == to {
			continue
		}
		if m.After == 0 {
			t.count(from-row, 0, false)
			continue
		}
		worth, err := t.worths.between(m.After, m.Currency, from, to-1)
		if err != nil {
			return err
		}
		if from = max(from, row+1); from < to {
			t.countEach(from-row, worth[from:to])
		}
	}
	return nil
}

// weigh counts any customer.
func (t *cohorts) weigh(x *subject, row int) error {
	when := &t.when[0]
	if t.fixed {
		when = &t.when[row]
	}
	if err := t.sc.levels(x, t.sc.match, when, t.levels); err != nil {
		return err
	}
	for at := row + 1; at < len(t.levels); at++ {
		t.count(at-row, t.levels[at].level, t.levels[at].live)
	}
	return nil
}

// start counts a customer of whom so many periods have come.
func (t *cohorts) start(initial int64, periods int) {
	for _, g := range t.joined {
		g.mrr += initial
		g.customers++
		g.long = max(g.long, periods)
		for len(g.periods) <= g.long {
			g.periods = append(g.periods, remains{})
		}
		g.periods[0].add(&remains{mrr: initial, gross: initial, customers: 1, initialMRR: initial, initialCustomers: 1})
	}
	t.left = left{mrr: initial, gross: initial, customers: 1, initial: initial}
}

// count changes what is left of the customer from the k-th period on. The start
// is 100 percent whatever happened later in its period: a churn there shows from
// k = 1 on. Of several changes in one period the last one holds.
func (t *cohorts) count(k int, level int64, live bool) {
	was, now := t.left, left{mrr: level, gross: min(level, t.left.initial), initial: t.left.initial}
	if live {
		now.customers = 1
	}
	t.left = now
	for _, g := range t.joined {
		p := &g.periods[max(k, 1)]
		p.mrr += now.mrr - was.mrr
		p.gross += now.gross - was.gross
		p.customers += now.customers - was.customers
	}
}

// countEach is count for the worth of what a customer pays from the k-th period on.
func (t *cohorts) countEach(k int, worth []int64) {
	t.count(k, worth[0], true)
	initial := t.left.initial
	for _, g := range t.joined {
		mrr, gross := t.left.mrr, t.left.gross
		periods := g.periods[k+1 : k+len(worth)]
		for i := range periods {
			level := worth[i+1]
			kept := min(level, initial)
			periods[i].mrr += level - mrr
			periods[i].gross += kept - gross
			mrr, gross = level, kept
		}
	}
	last := worth[len(worth)-1]
	t.left.mrr, t.left.gross = last, min(last, initial)
}

// end takes the customer out of the periods that have not come for it.
func (t *cohorts) end(periods int) {
	was := &t.left
	for _, g := range t.joined {
		g.periods[periods].add(&remains{mrr: -was.mrr, gross: -was.gross, customers: -was.customers, initialMRR: -was.initial, initialCustomers: -1})
	}
}

// join finds the cohorts of a customer that started with a movement in a row:
// several when its plan is in several groups. With a breakdown the one of all is
// among them; without one it is the sum of the others.
func (t *cohorts) join(c *Customer, start *ledger.Movement, row int) error {
	if t.split == nil {
		t.joined = append(t.joined[:0], &t.groups[row])
		return nil
	}
	t.joined = append(t.joined[:0], &t.all)
	values, err := t.valuesOf(c, start)
	if err != nil {
		return err
	}
	for _, value := range values {
		for int(value) >= len(t.groups) {
			t.groups = append(t.groups, group{})
		}
	}
	for _, value := range values {
		t.joined = append(t.joined, &t.groups[value])
	}
	return nil
}

// valuesOf are the customer's values on its first paid day: where subscriptions
// differ, those of the largest.
func (t *cohorts) valuesOf(c *Customer, start *ledger.Movement) ([]int32, error) {
	if !t.split.d.ofState() {
		value, err := t.split.ofCustomer(c)
		return []int32{value}, err
	}
	view := ledger.View{Match: t.sc.match}
	var largest *ledger.State
	for i := start.First; i < start.Last; i++ {
		st := &c.Ledger.Changes[i].After
		if view.Value(st) > 0 && (largest == nil || st.MRR > largest.MRR) {
			largest = st
		}
	}
	return t.split.ofState(largest)
}

// initial is the customer's first MRR.
func (t *cohorts) initial(x *subject, start *ledger.Movement, row int, foreign bool) (int64, error) {
	if !foreign {
		return start.After, nil
	}
	m := *start
	if t.fixed {
		m.Day = t.rows.periods[row].From
	}
	return t.sc.delta(x, &m, t.sc.match)
}

// settle sums up the periods.
func (g *group) settle() {
	g.periods = g.periods[:g.long]
	for k := range g.periods {
		if k > 0 {
			g.periods[k].add(&g.periods[k-1])
		}
	}
}

// add adds up two settled cohorts that have no customers in common.
func (g *group) add(o *group) {
	g.mrr += o.mrr
	g.customers += o.customers
	for k := range o.periods {
		if k == len(g.periods) {
			g.periods = append(g.periods, remains{})
		}
		g.periods[k].add(&o.periods[k])
	}
}

func (r *remains) add(o *remains) {
	r.mrr += o.mrr
	r.gross += o.gross
	r.customers += o.customers
	r.initialMRR += o.initialMRR
	r.initialCustomers += o.initialCustomers
}

func (r *remains) period() CohortPeriod {
	return CohortPeriod{
		MRRRetained: r.mrr, CustomersRetained: r.customers,
		MRRRetention: percent(r.gross, r.initialMRR), MRRChurn: percent(r.initialMRR-r.gross, r.initialMRR),
		CustomerRetention: percent(r.customers, r.initialCustomers),
		CustomerChurn:     percent(r.initialCustomers-r.customers, r.initialCustomers),
		NRR:               percent(r.mrr, r.initialMRR),
	}
}

func (g *group) cohort(name, label string) CohortRow {
	c := CohortRow{Group: name, Label: label, InitialMRR: g.mrr, InitialCustomers: g.customers, Periods: make([]CohortPeriod, len(g.periods))}
	for k := range g.periods {
		c.Periods[k] = g.periods[k].period()
	}
	return c
}

func (t *cohorts) report() *CohortReport {
	out := &CohortReport{}
	for i := range t.groups {
		t.groups[i].settle()
	}
	t.all.settle()
	if t.split != nil {
		for _, value := range t.split.sorted() {
			out.List = append(out.List, t.groups[value].cohort(t.split.keys[value], t.split.labels[value]))
		}
	} else {
		for i, p := range t.rows.periods {
			t.all.add(&t.groups[i])
			// A cohort without customers has the columns of one: nothing of nothing.
			for len(t.groups[i].periods) < len(t.ends)-i {
				t.groups[i].periods = append(t.groups[i].periods, remains{})
			}
			out.List = append(out.List, t.groups[i].cohort(p.From.String(), calendar.Label(p, t.sc.q.Unit)))
		}
	}
	out.Retention, out.NRR, out.Churn, out.NetChurn = nowhere(), nowhere(), nowhere(), nowhere()
	for i := range out.List {
		for _, p := range out.List[i].Periods {
			out.Retention.include(p.CustomerRetention)
			out.NRR.include(p.NRR)
			out.Churn.include(p.CustomerChurn)
			out.NetChurn.include(opposite(p.NRR))
		}
	}
	out.List = append(out.List, t.all.cohort(AverageGroup, "Average"))
	return out
}

func nowhere() Extremes { return Extremes{Min: null(), Max: null()} }

func (e *Extremes) include(r Ratio) {
	if r.Null {
		return
	}
	if e.Min.Null || r.Value < e.Min.Value {
		e.Min = r
	}
	if e.Max.Null || r.Value > e.Max.Value {
		e.Max = r
	}
}

// opposite is what a percentage leaves of 100.
func opposite(r Ratio) Ratio {
	if r.Null {
		return r
	}
	return Ratio{Value: rounded(100-r.Value, 2)}
}
