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

// entry is one part of a paid invoice.
type entry struct {
	kind   CashType
	amount int64 // minor units of the invoice's currency, signed as reports show it
	plan   ledger.PlanRef
	line   int32 // index into the invoice's lines, -1 for the invoice as a whole
}

// cashScan walks the invoices of the customers that a query selects. Filters
// and breakdowns that tell subscriptions apart tell invoices, and the lines of
// an invoice, apart.
type cashScan struct {
	s      *Snapshot
	q      *Query
	sel    selection
	match  func(*ledger.State) bool // the filters on invoices, nil for none
	rates  *rates
	split  *split     // nil without a breakdown
	unpaid bool       // failures are only those that were not recovered
	byPlan []CashType // of a subscription whose invoice states no pricing model

	entries []entry
	state   ledger.State

	customer *Customer // whose breakdown value was looked up last
	value    [1]int32
}

// newCashScan prepares a scan of amounts that need rates from the day first on;
// a breakdown has so many rows.
func newCashScan(s *Snapshot, q *Query, first calendar.Day, rows int) *cashScan {
	fixed := q.fixedDay()
	cs := &cashScan{s: s, q: q, sel: newSelection(s, q), rates: newRates(s, q.Base, first, fixed)}
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
func (cs *cashScan) customers(visit func(*subject) error) error {
	return cs.s.near(func(x *subject) bool { return x.invoices && cs.sel.keeps(x) }, touchInvoices, visit)
}

// paidOn is the day on which a paid invoice counts as cash.
func (cs *cashScan) paidOn(l *ledger.Ledger, inv *ledger.Invoice) calendar.Day {
	if inv.Extra&ledger.InFull == 0 {
		return inv.Day
	}
	if _, x := l.Rare(inv); !x.PaymentDate.IsZero() {
		return x.PaymentDate.Day(cs.s.Settings.Zone)
	}
	return inv.Day
}

// isRefund reports whether the row is one that gives money back.
func isRefund(inv *ledger.Invoice) bool { return inv.Kind == ledger.Refund }

// isBill reports whether the row asks for money: failure rates are shares of
// these.
func isBill(inv *ledger.Invoice) bool {
	return inv.Amount > 0 && inv.Status != ledger.Void && (inv.Kind == ledger.Subscription || inv.Kind == ledger.OneTime)
}

// charge is the kind of cash of what was sold.
func (cs *cashScan) charge(inv *ledger.Invoice, plan ledger.PlanRef, once bool) CashType {
	switch {
	case inv.Pricing == ledger.Metered:
		return MeteredCash
	case once:
		return OneTimeCash
	case int(plan) < len(cs.byPlan):
		return cs.byPlan[plan]
	default:
		return MonthSub
	}
}

// whole reports whether all of an invoice is one entry, as of nearly all.
func whole(inv *ledger.Invoice) bool { return inv.Extra == 0 && !isRefund(inv) }

// entriesOf takes a paid invoice apart. The result is overwritten by the next
// call; parts of nothing are left out.
func (cs *cashScan) entriesOf(l *ledger.Ledger, inv *ledger.Invoice) []entry {
	cs.entries = cs.entries[:0]
	if whole(inv) {
		cs.put(entry{cs.charge(inv, inv.Plan, inv.Kind != ledger.Subscription), inv.Amount, inv.Plan, -1})
		return cs.entries
	}
	rare, x := l.Rare(inv)
	switch {
	case isRefund(inv):
		cs.put(entry{RefundCash, -magnitude(inv.Amount), inv.Plan, -1})
	case x == nil || len(x.Lines) == 0:
		cs.part(inv, inv.Plan, inv.Kind != ledger.Subscription, -1, inv.Amount, magnitude(rare.Discount), rare.Tax)
	default:
		cs.sale(inv, x)
	}
	if x != nil {
		cs.put(entry{FeeCash, -magnitude(x.Fee), inv.Plan, -1})
		cs.put(entry{FXLossCash, -magnitude(x.FXLoss), inv.Plan, -1})
	}
	return cs.entries
}

// sale takes apart an invoice with lines: the lines, and what the amounts of the whole
// invoice are more than those of its lines. Discount and tax of the invoice
// include those of its lines when they are stated.
func (cs *cashScan) sale(inv *ledger.Invoice, x *ledger.Extra) {
	discount, tax := magnitude(x.Discount), x.Tax
	var lineDiscount, lineTax, lineAmount int64
	for i := range x.Lines {
		lineDiscount += magnitude(x.Lines[i].Discount)
		lineTax += x.Lines[i].Tax
		lineAmount += x.Lines[i].Amount
	}
	if discount == 0 {
		discount = lineDiscount
	}
	if tax == 0 {
		tax = lineTax
	}
	once := inv.Kind != ledger.Subscription
	for i := range x.Lines {
		line := &x.Lines[i]
		plan := line.Plan
		if plan == 0 {
			plan = inv.Plan
		}
		cs.part(inv, plan, once || line.OneTime, int32(i), line.Amount, magnitude(line.Discount), line.Tax)
	}
	cs.part(inv, inv.Plan, once, -1, inv.Amount-lineAmount, discount-lineDiscount, tax-lineTax)
}

// part puts one line of a sale, or what lines do not explain.
func (cs *cashScan) part(inv *ledger.Invoice, plan ledger.PlanRef, once bool, line int32, amount, discount, tax int64) {
	cs.put(entry{cs.charge(inv, plan, once), amount + discount - tax, plan, line})
	cs.put(entry{DiscountCash, -discount, plan, line})
	cs.put(entry{TaxCash, tax, plan, line})
}

func (cs *cashScan) put(e entry) {
	if e.amount != 0 {
		cs.entries = append(cs.entries, e)
	}
}

// stateOf gives a part of an invoice the form that filters and breakdowns look
// at. The result is overwritten by the next call.
func (cs *cashScan) stateOf(l *ledger.Ledger, inv *ledger.Invoice, plan ledger.PlanRef) *ledger.State {
	st := &cs.state
	st.Plan, st.Method, st.Currency, st.Discount = plan, inv.Method, inv.Currency, 0
	of := cs.s.plan(plan)
	st.Interval, st.Pricing = of.Interval, max(inv.Pricing, of.Pricing)
	if inv.Extra == 0 {
		return st
	}
	rare, x := l.Rare(inv)
	st.Discount = rare.Discount
	if x == nil {
		return st
	}
	for i := range x.Lines {
		st.Discount += x.Lines[i].Discount
	}
	return st
}

// passes reports whether a part of an invoice passes the filters.
func (cs *cashScan) passes(l *ledger.Ledger, inv *ledger.Invoice, plan ledger.PlanRef) bool {
	return cs.match == nil || cs.match(cs.stateOf(l, inv, plan))
}

// planOf is the plan that an invoice as a whole goes by: the first of its own
// and its lines' that passes the filters.
func (cs *cashScan) planOf(l *ledger.Ledger, inv *ledger.Invoice) ledger.PlanRef {
	if inv.Extra&ledger.InFull == 0 {
		return inv.Plan
	}
	_, x := l.Rare(inv)
	if len(x.Lines) == 0 {
		return inv.Plan
	}
	first := inv.Plan
	for i := range x.Lines {
		plan := x.Lines[i].Plan
		if first == 0 {
			first = plan
		}
		if plan != 0 && cs.passes(l, inv, plan) && !cs.passes(l, inv, first) {
			return plan
		}
	}
	return first
}

// valuesOf numbers the breakdown values of a part of an invoice, without a
// breakdown none. The result is overwritten by the next call.
func (cs *cashScan) valuesOf(c *Customer, inv *ledger.Invoice, plan ledger.PlanRef) ([]int32, error) {
	switch {
	case cs.split == nil:
		return nil, nil
	case cs.split.d.ofState():
		return cs.split.ofState(cs.stateOf(c.Ledger, inv, plan))
	default:
		return cs.valueOf(c)
	}
}

// valueOf numbers the breakdown value of a customer, whose invoices come one
// after the other.
func (cs *cashScan) valueOf(c *Customer) ([]int32, error) {
	if cs.customer != c {
		v, err := cs.split.ofCustomer(c)
		if err != nil {
			return nil, err
		}
		cs.customer, cs.value[0] = c, v
	}
	return cs.value[:], nil
}

// worth is an amount of an invoice in the query's currency at the rates of a
// day.
func (cs *cashScan) worth(amount int64, from money.Currency, day calendar.Day) (int64, error) {
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

// of returns the places of the spans that a day lies in.
func (w *windows) of(day calendar.Day) []uint8 {
	if day < w.days.From || day > w.days.To {
		return nil
	}
	return w.in[day-w.days.From]
}
