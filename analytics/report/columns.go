package report

import (
	"slices"
	"sync"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// traits are all that filters, breakdowns and the kind of cash depend on in a row.
// What a snapshot knows, such as the interval of the plan, is not in it: other
// snapshots, which know otherwise, have the same rows.
type traits struct {
	plan       ledger.PlanRef
	method     ledger.Symbol
	currency   money.Currency
	pricing    ledger.Pricing // as stated
	discounted bool           // the invoice
	part       cashPart
	listed     bool // it stands for the invoice in lists of invoices
	bill       bool // it stands for an invoice that asks for money
}

// traitsOf returns what the rows of an invoice have in common.
func traitsOf(l *ledger.Ledger, inv *ledger.Invoice) traits {
	return traits{plan: inv.Plan, method: inv.Method, currency: inv.Currency, pricing: inv.Pricing, discounted: discountOf(l, inv) != 0}
}

// catalog numbers the traits of an account's rows. It is shared by its snapshots
// and only grows.
type catalog struct {
	mu      sync.Mutex
	list    []traits
	numbers map[traits]uint32
}

func newCatalog() *catalog { return &catalog{numbers: map[traits]uint32{}} }

// number returns the number of traits.
func (c *catalog) number(t traits) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.numbers[t]
	if !ok {
		n = uint32(len(c.list))
		c.list = append(c.list, t)
		c.numbers[t] = n
	}
	return n
}

// all returns the traits by number. The result must not be changed.
func (c *catalog) all() []traits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clip(c.list)
}

// columns are the invoices of a block as rows: what cash reports ask of each,
// side by side. The first row of an invoice has its day. If it is paid on that
// day the row is also the first part of its cash; other parts follow as rows of
// the day of payment. An invoice with lines of several plans has more rows, each
// of which may stand for it where filters do not take those before.
type columns struct {
	once     sync.Once
	days     []calendar.Day
	words    []uint32 // numbers of traits, with firstRow in the first row of an invoice
	amounts  []int64  // minor units; of a row without cash the invoice's
	failures []failure
	ends     []reach // of the subjects
}

// firstRow marks the first row of an invoice.
const firstRow = 1 << 31

// reach is where the rows of a subject end.
type reach struct {
	rows, failures int32
}

// failure is an invoice that failed to be collected at least once.
type failure struct {
	amount   int64
	day      calendar.Day // of the first failure
	due      calendar.Day // since when it is overdue: as stated, else the same
	row      int32        // its first, among those of the customer
	invoice  int32        // index into Ledger.Invoices
	attempts int32        // to collect it, as stated
	outcome  ledger.Outcome
	open     bool // it is neither paid nor given up
}

// billing is the rows of one customer, or of several that need not be told apart.
type billing struct {
	days     []calendar.Day
	words    []uint32 // as in columns
	amounts  []int64
	failures []failure // of one customer
}

// together reports whether two rows are of one invoice. There may be no earlier
// one: -1.
func (b *billing) together(earlier, row int32) bool {
	for ; row > earlier; row-- {
		if b.words[row]&firstRow != 0 {
			return false
		}
	}
	return true
}

// invoice returns the index of a row's invoice.
func (b *billing) invoice(row int32) int {
	index := -1
	for _, word := range b.words[:row+1] {
		index += int(word / firstRow)
	}
	return index
}

// billing returns the rows of the subjects from one up to before another.
func (c *columns) billing(from, to int) billing {
	first, end := reach{}, c.ends[to-1]
	if from > 0 {
		first = c.ends[from-1]
	}
	return billing{
		days: c.days[first.rows:end.rows], words: c.words[first.rows:end.rows], amounts: c.amounts[first.rows:end.rows],
		failures: c.failures[first.failures:end.failures],
	}
}

// fill makes the rows. The zone is the one that the ledgers were made in.
func (c *columns) fill(subjects []subject, known *catalog, zone *time.Location) {
	invoices := 0
	for i := range subjects {
		invoices += len(subjects[i].ledger.Invoices)
	}
	f := filler{known: known, parts: parts{zone: zone}, rows: make([]row, 0, invoices+invoices/4)}
	c.ends = make([]reach, len(subjects))
	for i := range subjects {
		f.add(subjects[i].ledger)
		c.ends[i] = reach{int32(len(f.rows)), int32(len(f.failures))}
	}
	c.failures = slices.Clone(f.failures)
	c.days, c.words, c.amounts = make([]calendar.Day, len(f.rows)), make([]uint32, len(f.rows)), make([]int64, len(f.rows))
	for i := range f.rows {
		c.days[i], c.words[i], c.amounts[i] = f.rows[i].day, f.rows[i].word, f.rows[i].amount
	}
}

// filler makes the rows of a block.
type filler struct {
	parts
	known    *catalog
	rows     []row
	failures []failure
	last     traits // whose number was asked for last
	number   uint32
	firsts   []int32 // rows of the invoices of one customer
	plans    []ledger.PlanRef
}

// row is one row of columns.
type row struct {
	amount int64
	day    calendar.Day
	word   uint32
}

// add makes the rows of one customer.
func (f *filler) add(l *ledger.Ledger) {
	from := len(f.rows)
	f.firsts = f.firsts[:0]
	for i := range l.Invoices {
		f.firsts = append(f.firsts, int32(len(f.rows)-from))
		f.invoice(l, &l.Invoices[i])
	}
	for i := range l.Failures {
		at := &l.Failures[i]
		inv := &l.Invoices[at.Invoice]
		fail := failure{
			amount: inv.Amount, day: at.Day, due: at.Day, row: f.firsts[at.Invoice], invoice: at.Invoice, outcome: at.Outcome,
			open: inv.Status == ledger.Open || inv.Status == ledger.Failed,
		}
		if _, x := l.Rare(inv); x != nil {
			fail.attempts = x.Attempts
			if !x.DueDate.IsZero() {
				fail.due = x.DueDate.Day(f.zone)
			}
		}
		f.failures = append(f.failures, fail)
	}
}

// invoice makes the rows of one invoice.
func (f *filler) invoice(l *ledger.Ledger, inv *ledger.Invoice) {
	day, paid := inv.Day, []entry(nil)
	if inv.Status == ledger.Paid {
		day, paid = f.paidOn(l, inv), f.of(l, inv)
	}
	t := traitsOf(l, inv)
	t.listed, t.bill = isListed(inv), isBill(inv)
	mark := uint32(firstRow)
	for _, t.plan = range f.plansOf(l, inv) {
		t.part = noPart
		if mark != 0 && day == inv.Day && len(paid) > 0 && paid[0].plan == t.plan && paid[0].leads() {
			t.part = paid[0].part
			f.lay(day, t, mark, paid[0].amount)
			paid = paid[1:]
		} else {
			f.lay(inv.Day, t, mark, inv.Amount)
		}
		mark = 0
	}
	t.listed, t.bill = false, false
	for i := range paid {
		t.plan, t.part = paid[i].plan, paid[i].part
		f.lay(day, t, 0, paid[i].amount)
	}
}

// plansOf returns the plans that an invoice may be found by as a whole: its own,
// then those of its lines. The result is overwritten by the next call.
func (f *filler) plansOf(l *ledger.Ledger, inv *ledger.Invoice) []ledger.PlanRef {
	f.plans = append(f.plans[:0], inv.Plan)
	if !isListed(inv) {
		return f.plans
	}
	if _, x := l.Rare(inv); x != nil {
		for i := range x.Lines {
			if plan := x.Lines[i].Plan; plan != 0 && !slices.Contains(f.plans, plan) {
				f.plans = append(f.plans, plan)
			}
		}
	}
	if len(f.plans) > 1 && f.plans[0] == 0 {
		return f.plans[1:]
	}
	return f.plans
}

// lay adds a row.
func (f *filler) lay(day calendar.Day, t traits, mark uint32, amount int64) {
	if t != f.last || len(f.rows) == 0 {
		f.last, f.number = t, f.known.number(t)
	}
	f.rows = append(f.rows, row{amount, day, f.number | mark})
}
