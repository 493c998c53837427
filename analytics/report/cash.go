package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// CashType is a kind of cash (metric definitions, section 6.4).
type CashType uint8

// The kinds, in the order in which reports show them. Subscription cash is that
// of licensed plans by billing interval, before discount and without tax.
// Net is the sum of the others except tax.
const (
	MonthSub CashType = iota
	QuarterSub
	YearSub
	WeekSub
	DaySub
	MeteredCash
	OneTimeCash
	DiscountCash
	RefundCash
	FeeCash
	TaxCash
	FXLossCash
	NetCash
)

// CashTypes is how many kinds there are, Net included.
const CashTypes = int(NetCash) + 1

var cashNames = [CashTypes]string{
	"month_sub", "quarter_sub", "year_sub", "week_sub", "day_sub", "metered", "one_time", "discount", "refund", "fee",
	"tax", "fx_loss", "net_amount",
}

// String returns the contract's name.
func (t CashType) String() string { return cashNames[t] }

// wanted is the rows that a report is about.
type wanted uint16

// The rows of cash are one bit per kind.
const (
	allCash     wanted = 1<<NetCash - 1
	taxlessCash wanted = allCash &^ (1 << TaxCash)
	bills       wanted = 1 << NetCash   // rows that stand for invoices that ask for money
	lists       wanted = 1 << CashTypes // rows that stand for invoices in lists
)

// cashScan walks the invoices of the customers that a query selects, row by row.
// Filters and breakdowns that tell subscriptions apart tell invoices, and the
// lines of an invoice, apart. They are asked once per combination of traits.
type cashScan struct {
	s      *Snapshot
	q      *Query
	sel    selection
	match  func(*ledger.State) bool // the filters on invoices, nil for none
	rates  *rates
	split  *split // nil without a breakdown
	wanted wanted
	unpaid bool       // failures are only those that were not recovered
	byPlan []CashType // of a subscription whose invoice states no pricing model

	in       *block  // whose customers are looked at
	rows     billing // of the customer that is looked at
	known    []traits
	verdicts []verdict // by number of traits
	sets     [][]int32 // breakdown values by verdict.set
	picked   []int32   // rows, used again for each billing
	state    ledger.State

	customer *Customer // whose breakdown value was looked up last
	value    [1]int32
}

// verdict is what a query makes of traits.
type verdict struct {
	keeps    bool // the row is wanted and passes the filters
	cash     bool // the row has cash
	kind     CashType
	currency money.Currency
	set      uint32 // place in sets of its breakdown values, 0 while not asked for
}

// newCashScan prepares a scan of rows; a breakdown has so many.
func newCashScan(s *Snapshot, q *Query, of wanted, rows int) *cashScan {
	cs := &cashScan{s: s, q: q, sel: newSelection(s, q), rates: newRates(s, q.Base, q.fixedDay()), wanted: of, sets: make([][]int32, 1)}
	cs.match = cs.sel.match()
	if q.Breakdown != (Dimension{}) && q.Breakdown.kind != subtypeDimension {
		cs.split = newSplit(s, q, rows)
	}
	cs.byPlan = make([]CashType, max(1, len(s.Plans)))
	for i := range s.Plans {
		if cs.byPlan[i] = subscriptionCash(s.Plans[i].Interval); s.Plans[i].Pricing == ledger.Metered {
			cs.byPlan[i] = MeteredCash
		}
	}
	return cs
}

func subscriptionCash(iv calendar.Interval) CashType {
	switch frequency(iv) {
	case calendar.UnitYear:
		return YearSub
	case calendar.UnitQuarter:
		return QuarterSub
	case calendar.UnitWeek:
		return WeekSub
	case calendar.UnitDay:
		return DaySub
	default:
		return MonthSub
	}
}

// customers calls visit for every selected customer that was ever billed.
func (cs *cashScan) customers(visit func(*subject, *billing) error) error {
	return cs.s.each(func(x *subject) error {
		if !x.invoices || !cs.sel.keeps(x) {
			return nil
		}
		return visit(x, cs.billing(x))
	})
}

// runs calls visit for the rows of all selected customers, those of adjacent ones in
// one. It is for reports that need not tell them apart.
func (cs *cashScan) runs(visit func(*billing) error) error {
	for _, b := range cs.s.following() {
		b.once.Do(b.fill)
		for at := 0; at < len(b.subjects); at++ {
			from := at
			for at < len(b.subjects) && cs.sel.keeps(&b.subjects[at]) {
				at++
			}
			if at == from {
				continue
			}
			cs.enter(b)
			cs.rows = b.cash.billing(from, at)
			if err := visit(&cs.rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// byCustomer reports whether the breakdown tells customers apart.
func (cs *cashScan) byCustomer() bool { return cs.split != nil && !cs.split.d.ofState() }

// walk is customers if the breakdown tells them apart, and else runs, with nil for
// the customer.
func (cs *cashScan) walk(visit func(*subject, *billing) error) error {
	if cs.byCustomer() {
		return cs.customers(visit)
	}
	return cs.runs(func(b *billing) error { return visit(nil, b) })
}

// billing returns the rows of a customer. The result is overwritten by the next
// call.
func (cs *cashScan) billing(x *subject) *billing {
	cs.enter(x.in)
	cs.rows = x.in.cash.billing(x.at, x.at+1)
	return &cs.rows
}

// kept returns the rows of some days that the query keeps. The result is
// overwritten by the next call.
func (cs *cashScan) kept(b *billing, days calendar.Range) []int32 {
	if len(cs.picked) < len(b.words) {
		cs.picked = make([]int32, 2*len(b.words))
	}
	picked, n := cs.picked, 0
	verdicts, all := cs.verdicts, b.days[:len(b.words)]
	for row, word := range b.words {
		picked[n] = int32(row)
		if day := all[row]; verdicts[word&^firstRow].keeps && days.From <= day && day <= days.To {
			n++
		}
	}
	return picked[:n]
}

// standing is kept of rows that stand for invoices, one for each invoice.
func (cs *cashScan) standing(b *billing, days calendar.Range) []int32 {
	kept := cs.kept(b, days)
	one, last := kept[:0], int32(-1)
	for _, row := range kept {
		if !b.together(last, row) {
			one, last = append(one, row), row
		}
	}
	return one
}

// count is how many rows standing returns for days, of which there are some. It
// has no branches for the processor to guess wrong.
func (cs *cashScan) count(b *billing, days calendar.Range) (n int64) {
	verdicts, all, length := cs.verdicts, b.days[:len(b.words)], uint32(days.To-days.From)
	open := uint32(0) // 1 while the invoice of the row has not been counted
	for row, word := range b.words {
		open |= word / firstRow
		counts := open & bit(verdicts[word&^firstRow].keeps) & bit(uint32(all[row]-days.From) <= length)
		open -= counts
		n += int64(counts)
	}
	return n
}

func bit(is bool) uint32 {
	if is {
		return 1
	}
	return 0
}

// enter makes sure that a block has rows, and judges the traits that it brings.
func (cs *cashScan) enter(b *block) {
	if cs.in == b {
		return
	}
	b.cash.once.Do(func() { b.cash.fill(b.subjects, b.catalog, cs.s.Settings.Zone) })
	if cs.in != nil && cs.in.catalog != b.catalog {
		cs.verdicts = nil // snapshots that follow none number traits anew for each scan
	}
	cs.in, cs.known = b, b.catalog.all()
	for i := len(cs.verdicts); i < len(cs.known); i++ {
		cs.verdicts = append(cs.verdicts, cs.judge(&cs.known[i]))
	}
}

// verdict is what the query makes of a row.
func (cs *cashScan) verdict(word uint32) *verdict { return &cs.verdicts[word&^firstRow] }

// judge is what the query makes of traits.
func (cs *cashScan) judge(t *traits) verdict {
	v := verdict{cash: t.part != noPart, currency: t.currency}
	is := wanted(0)
	if v.cash {
		v.kind = cs.kindOf(t)
		is = 1 << v.kind
	}
	if t.bill {
		is |= bills
	}
	if t.listed {
		is |= lists
	}
	v.keeps = is&cs.wanted != 0 && cs.passes(t)
	return v
}

// kindOf is the kind of cash of a row that has some.
func (cs *cashScan) kindOf(t *traits) CashType {
	switch t.part {
	case discountPart:
		return DiscountCash
	case refundPart:
		return RefundCash
	case feePart:
		return FeeCash
	case fxPart:
		return FXLossCash
	case taxPart:
		return TaxCash
	default:
		return cs.charge(t)
	}
}

// charge is the kind of cash of what was sold.
func (cs *cashScan) charge(t *traits) CashType {
	switch {
	case t.pricing == ledger.Metered:
		return MeteredCash
	case t.part == oncePart:
		return OneTimeCash
	case int(t.plan) < len(cs.byPlan):
		return cs.byPlan[t.plan]
	default:
		return MonthSub
	}
}

// stateOf gives traits the form that filters and breakdowns look at. The result
// is overwritten by the next call.
func (cs *cashScan) stateOf(t *traits) *ledger.State {
	of := cs.s.plan(t.plan)
	cs.state = ledger.State{Plan: t.plan, Method: t.method, Currency: t.currency, Interval: of.Interval, Pricing: max(t.pricing, of.Pricing)}
	if t.discounted {
		cs.state.Discount = 1
	}
	return &cs.state
}

// place is where a row with cash is among the parts of its invoice.
func (cs *cashScan) place(b *billing, row int32) int32 {
	place := int32(0)
	for i := row; b.words[i]&firstRow == 0; i-- {
		if cs.verdict(b.words[i-1]).cash {
			place++
		}
	}
	return place
}

// planOf is the plan of a row.
func (cs *cashScan) planOf(word uint32) ledger.PlanRef { return cs.known[word&^firstRow].plan }

// passes reports whether traits pass the filters.
func (cs *cashScan) passes(t *traits) bool { return cs.match == nil || cs.match(cs.stateOf(t)) }

// valuesOf numbers the breakdown values of a row that the query keeps, without a
// breakdown none. The result must not be changed, and is overwritten by the next
// call.
func (cs *cashScan) valuesOf(x *subject, word uint32) ([]int32, error) {
	v := cs.verdict(word)
	switch {
	case cs.split == nil:
		return nil, nil
	case !cs.split.d.ofState():
		return cs.valueOf(x)
	case v.set == 0:
		values, err := cs.split.ofState(cs.stateOf(&cs.known[word&^firstRow]))
		if err != nil {
			return nil, err
		}
		v.set = uint32(len(cs.sets))
		cs.sets = append(cs.sets, values)
	}
	return cs.sets[v.set], nil
}

// valueOf numbers the breakdown value of a customer, whose rows come one after
// the other.
func (cs *cashScan) valueOf(x *subject) ([]int32, error) {
	if cs.customer != x.customer {
		v, err := cs.split.ofSubject(x)
		if err != nil {
			return nil, err
		}
		cs.customer, cs.value[0] = x.customer, v
	}
	return cs.value[:], nil
}

// worth is an amount of an invoice in the query's currency at the rates of a
// day.
func (cs *cashScan) worth(amount int64, from money.Currency, day calendar.Day) (int64, error) {
	if from == cs.rates.to {
		return amount, nil
	}
	return cs.rates.convert(amount, from, day)
}

// invoiceID is the external id of an invoice.
func (s *Snapshot) invoiceID(inv *ledger.Invoice) string {
	if s.InvoiceID == nil {
		return ""
	}
	return s.InvoiceID(inv.Ref)
}

func magnitude(n int64) int64 { return max(n, -n) }

// AsCash makes the query one about cash: it has no subtypes as movements have,
// and what is scheduled is not paid yet.
func (q *Query) AsCash() {
	q.Committed = false
	if q.Breakdown.kind == subtypeDimension {
		q.Breakdown, q.BreakdownValue = Dimension{}, nil
	}
}

// sheet holds one cell per row of a report, and with a breakdown per value and
// row. Row 0 is what came before the first period.
type sheet[C any] struct {
	total []C
	parts [][]C
}

func newSheet[C any](rows int) sheet[C] { return sheet[C]{total: make([]C, rows)} }

// part returns the cells of a breakdown value.
func (sh *sheet[C]) part(value int32) []C {
	for int(value) >= len(sh.parts) {
		sh.parts = append(sh.parts, make([]C, len(sh.total)))
	}
	return sh.parts[value]
}

// cells returns a row's cells of breakdown values, nil for none.
func (sh *sheet[C]) cells(values []int32, row int) []C {
	if len(values) == 0 {
		return nil
	}
	cells := make([]C, len(values))
	for i, v := range values {
		cells[i] = sh.part(v)[row]
	}
	return cells
}

// valueList returns the values of a breakdown in order, nil without one.
func (cs *cashScan) valueList() (order []int32, values []Value) {
	if cs.split == nil {
		return nil, nil
	}
	order = cs.split.sorted()
	return order, cs.split.values(order)
}

// windows are the running month, quarter and year up to a day, and as many days
// of the ones before.
type windows struct {
	spans [windowSpans]calendar.Range // month, month before, quarter, ...
	days  calendar.Range              // from the first day of any to the last
	in    [][]uint8                   // places of the spans that each of the days lies in
}

// The places of the spans. The one before each is the next.
const (
	monthToDate   = 0
	quarterToDate = 2
	yearToDate    = 4
	windowSpans   = 6
)

func newWindows(s *Snapshot, anchor calendar.Day) *windows {
	w := &windows{days: calendar.Range{From: anchor, To: anchor}}
	for i, unit := range [...]calendar.Unit{calendar.UnitMonth, calendar.UnitQuarter, calendar.UnitYear} {
		whole := calendar.PeriodOf(anchor, unit, s.WeekStart)
		before := calendar.Shift(whole, unit, -1)
		w.spans[2*i] = calendar.Range{From: whole.From, To: anchor}
		w.spans[2*i+1] = calendar.Range{From: before.From, To: min(before.To, before.From+anchor-whole.From)}
		w.days.From = min(w.days.From, before.From)
	}
	w.in = make([][]uint8, w.days.To-w.days.From+1)
	for i, span := range w.spans {
		for d := span.From; d <= span.To; d++ {
			w.in[d-w.days.From] = append(w.in[d-w.days.From], uint8(i))
		}
	}
	return w
}

// perDay returns room for a figure of each of the days.
func (w *windows) perDay() []int64 { return make([]int64, w.days.To-w.days.From+1) }

// sums adds up the figures of the days of each span.
func (w *windows) sums(perDay []int64) (sums [windowSpans]int64) {
	for i, span := range w.spans {
		for d := span.From; d <= span.To; d++ {
			sums[i] += perDay[d-w.days.From]
		}
	}
	return sums
}

// of returns the places of the spans that a day lies in.
func (w *windows) of(day calendar.Day) []uint8 {
	if day < w.days.From || day > w.days.To {
		return nil
	}
	return w.in[day-w.days.From]
}
