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
	when   []points       // by row, with the rates of its cohort; one for all unless they are fixed
	levels []balanceAt    // of one customer
	split  *split
	groups []group
	all    group
	joined []*group // that one customer is in
}

// group is one cohort while it is collected.
type group struct {
	mrr, customers int64
	periods        []remains
}

// remains is the sum over a cohort's customers whose k-th period has come.
type remains struct {
	mrr, gross, customers        int64
	initialMRR, initialCustomers int64
}

func newCohorts(s *Snapshot, q *Query, periods []calendar.Range) (*cohorts, error) {
	t := &cohorts{fixed: q.FixFX, rows: newRows(periods)}
	if len(periods) > 0 {
		for p := periods[0]; p.From <= s.Today; p = calendar.Shift(p, q.Unit, 1) {
			if len(t.ends) == calendar.MaxPeriods {
				return nil, &ParamError{"date", "the range starts more than 1,500 periods ago; choose a longer interval or a later start"}
			}
			t.ends = append(t.ends, p.To)
		}
	}
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
	when := &t.when[0]
	if t.fixed {
		when = &t.when[row]
	}
	if err := t.sc.balances(x, t.sc.match, moves, foreign, when, t.levels); err != nil {
		return err
	}
	for _, g := range t.joined {
		g.mrr += initial
		g.customers++
		for i := row; i < len(t.levels); i++ {
			g.count(i-row, initial, t.levels[i].level, t.levels[i].live)
		}
	}
	return nil
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

// count adds one customer to the k-th period. The start is 100 percent whatever
// happened later in its period: a churn there shows from k = 1 on.
func (g *group) count(k int, initial, level int64, live bool) {
	for k >= len(g.periods) {
		g.periods = append(g.periods, remains{})
	}
	r := &g.periods[k]
	r.initialMRR += initial
	r.initialCustomers++
	if k == 0 {
		level, live = initial, true
	}
	r.mrr += level
	r.gross += min(level, initial)
	if live {
		r.customers++
	}
}

// add adds up two cohorts that have no customers in common.
func (g *group) add(o *group) {
	g.mrr += o.mrr
	g.customers += o.customers
	for k := range o.periods {
		if k == len(g.periods) {
			g.periods = append(g.periods, remains{})
		}
		to, from := &g.periods[k], &o.periods[k]
		to.mrr += from.mrr
		to.gross += from.gross
		to.customers += from.customers
		to.initialMRR += from.initialMRR
		to.initialCustomers += from.initialCustomers
	}
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
