package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// payment is one row of a list before it is cut to a page.
type payment struct {
	customer *Customer
	invoice  *ledger.Invoice
	amount   int64
	base     int64
	day      calendar.Day
	plan     ledger.PlanRef
	line     int32
	place    int32 // among the parts of the invoice
	value    int32 // of the breakdown
	kind     CashType
	outcome  ledger.Outcome
}

// paymentList collects payments, sorts them and cuts them to a page.
type paymentList struct {
	cs    *cashScan
	parts parts
	days  calendar.Range

	count int // rows in all
	skip  int // that come before all of rows
	last  int // of those not skipped: the page ends before this one, later ones are not kept
	rows  []payment
	full  bool // rows[last-1] is the last row that may still be shown

	edge    int64    // what that row is sorted by, as rank has it
	subject *subject // who is looked at
	name    int      // how the customer's name compares with that row's
}

// listed is the kind of rows that a list may have.
type listed struct {
	rows  func(*subject, *billing, calendar.Range) []int32 // those of some days that the query keeps
	shown func(b *billing, row int32) (int64, CashType)    // amount and kind, as the list shows them
	full  func(x *subject, b *billing, row int32) payment
}

func newPaymentList(s *Snapshot, q *Query, of wanted) (*paymentList, error) {
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	l := &paymentList{parts: parts{zone: s.Settings.Zone}, days: daysOf(s, q), last: last}
	l.days.To = min(l.days.To, s.Today)
	l.cs = newCashScan(s, q, of, 1)
	return l, nil
}

// collect lists rows of all customers.
func (pl *paymentList) collect(of *listed) error {
	if pl.cs.q.Sort == ByDate {
		return pl.collectByDay(of)
	}
	return pl.cs.customers(func(x *subject, b *billing) error {
		pl.subject = x
		pl.compareNames()
		for _, row := range of.rows(x, b, pl.days) {
			amount, kind := of.shown(b, row)
			beyond, err := pl.beyond(b.days[row], amount, kind, b.words[row])
			if err != nil {
				return err
			}
			if beyond {
				continue
			}
			p := of.full(x, b, row)
			if err := pl.put(&p, b.words[row]); err != nil {
				return err
			}
		}
		return nil
	})
}

// collectByDay counts the rows of each day first: only the days that the page
// touches are looked at again.
func (pl *paymentList) collectByDay(of *listed) error {
	var counts []int // by days before today
	err := pl.cs.walk(func(x *subject, b *billing) error {
		pl.subject = x
		for _, row := range of.rows(x, b, pl.days) {
			age := int(pl.cs.s.Today - b.days[row])
			for age >= len(counts) {
				counts = append(counts, make([]int, age+1)...)
			}
			n, err := pl.wantedOf(b.words[row])
			if err != nil {
				return err
			}
			counts[age] += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	days, total, err := pl.narrow(counts)
	if err != nil {
		return err
	}
	err = pl.cs.customers(func(x *subject, b *billing) error {
		pl.subject = x
		for _, row := range of.rows(x, b, days) {
			p := of.full(x, b, row)
			if err := pl.put(&p, b.words[row]); err != nil {
				return err
			}
		}
		return nil
	})
	pl.count = total
	return err
}

// narrow returns the days that the page is about, of as many rows by days before
// today, and how many rows there are. It skips those of the days before.
func (pl *paymentList) narrow(counts []int) (days calendar.Range, total int, err error) {
	for _, n := range counts {
		total += n
	}
	_, from, to, err := pl.cs.q.page(total, maxLimit, maxLimit)
	if err != nil {
		return days, 0, err
	}
	days = calendar.Range{From: calendar.Never, To: calendar.NoDay}
	pl.skip = from
	before := 0
	for i := range counts {
		age := i
		if pl.cs.q.Ascending {
			age = len(counts) - 1 - i
		}
		if before < to && from < before+counts[age] {
			day := pl.cs.s.Today - calendar.Day(age)
			days = calendar.Range{From: min(days.From, day), To: max(days.To, day)}
			pl.skip = min(pl.skip, before)
		}
		before += counts[age]
	}
	pl.last -= pl.skip
	return days, total, nil
}

// wantedOf is how many rows of the list a row is: one per breakdown value that
// the query wants.
func (pl *paymentList) wantedOf(word uint32) (int, error) {
	if pl.cs.split == nil {
		return 1, nil
	}
	values, err := pl.cs.valuesOf(pl.subject, word)
	n := 0
	for _, value := range values {
		if pl.wants(value) {
			n++
		}
	}
	return n, err
}

// put lists a payment of a row, once per breakdown value that the query wants.
// Only a list that is sorted by the converted amounts converts all of them; the
// others convert those of the page.
func (pl *paymentList) put(p *payment, word uint32) error {
	if pl.cs.q.Sort == ByAmountBase {
		if err := pl.convert(p); err != nil {
			return err
		}
	}
	values, err := pl.valuesOf(word)
	for _, value := range values {
		if pl.wants(value) {
			p.value = value
			pl.keep(p)
		}
	}
	return err
}

// beyond counts a row if the page ends before it, going by what it is sorted by
// alone: so it is with nearly all. It reports whether it did; the others are to be
// put.
func (pl *paymentList) beyond(day calendar.Day, amount int64, kind CashType, word uint32) (bool, error) {
	if !pl.full {
		return false, nil
	}
	base := int64(0)
	if pl.cs.q.Sort == ByAmountBase {
		var err error
		if base, err = pl.cs.worth(amount, pl.cs.verdict(word).currency, day); err != nil {
			return false, err
		}
	}
	rank := pl.rank(day, amount, base, pl.name, kind)
	if rank < pl.edge || rank == pl.edge && day >= pl.rows[pl.last-1].day {
		return false, nil
	}
	n, err := pl.wantedOf(word)
	pl.count += n
	return true, err
}

// rank is what a row is sorted by first; lower ranks come earlier.
func (pl *paymentList) rank(day calendar.Day, amount, base int64, name int, kind CashType) int64 {
	rank := int64(day)
	switch pl.cs.q.Sort {
	case ByAmount:
		rank = amount
	case ByAmountBase:
		rank = base
	case ByCustomerName:
		rank = int64(name)
	case ByType:
		rank = int64(kind)
	case ByDate:
	}
	if !pl.cs.q.Ascending {
		return -rank
	}
	return rank
}

// compareNames compares the name of the customer with that of the row before
// which the page ends.
func (pl *paymentList) compareNames() {
	if pl.full && pl.cs.q.Sort == ByCustomerName {
		pl.name = compareFold(pl.subject.customer.Name, pl.rows[pl.last-1].customer.Name)
	}
}

// valuesOf numbers the breakdown values of a row, any one without a breakdown.
func (pl *paymentList) valuesOf(word uint32) ([]int32, error) {
	if pl.cs.split == nil {
		return pl.cs.value[:], nil
	}
	return pl.cs.valuesOf(pl.subject, word)
}

// wants reports whether the list is about a breakdown value.
func (pl *paymentList) wants(value int32) bool {
	want := pl.cs.q.BreakdownValue
	return want == nil || pl.cs.split == nil || pl.cs.split.keys[value] == *want
}

// convert works out the amount in the query's currency at the rates of the day.
func (pl *paymentList) convert(p *payment) (err error) {
	p.base, err = pl.cs.worth(p.amount, p.invoice.Currency, p.day)
	return err
}

// keep counts a payment and keeps it unless the page ends before it.
func (pl *paymentList) keep(p *payment) {
	pl.count++
	if pl.full && pl.compare(p, &pl.rows[pl.last-1]) > 0 {
		return
	}
	pl.rows = append(pl.rows, *p)
	if len(pl.rows) >= 2*pl.last+1000 {
		pl.cut()
	}
}

// cut sorts the payments and drops those after the page.
func (pl *paymentList) cut() {
	slices.SortFunc(pl.rows, func(a, b payment) int { return pl.compare(&a, &b) })
	pl.rows = pl.rows[:min(pl.last, len(pl.rows))]
	if pl.full = len(pl.rows) == pl.last; pl.full {
		last := &pl.rows[pl.last-1]
		pl.edge = pl.rank(last.day, last.amount, last.base, 0, last.kind)
		pl.compareNames()
	}
}

// compare orders payments as asked; what is equal goes by day, the latest first,
// then customer, then invoice.
func (pl *paymentList) compare(a, b *payment) int {
	order := pl.key(a, b)
	if !pl.cs.q.Ascending {
		order = -order
	}
	if order == 0 {
		order = -cmp.Compare(a.day, b.day)
	}
	if order != 0 {
		return order
	}
	if order := strings.Compare(a.customer.ID, b.customer.ID); order != 0 {
		return order
	}
	s := pl.cs.s
	return cmp.Or(cmp.Compare(a.customer.Source, b.customer.Source), strings.Compare(s.invoiceID(a.invoice), s.invoiceID(b.invoice)),
		cmp.Compare(a.place, b.place), cmp.Compare(a.value, b.value))
}

func (pl *paymentList) key(a, b *payment) int {
	switch pl.cs.q.Sort {
	case ByAmount:
		return cmp.Compare(a.amount, b.amount)
	case ByAmountBase:
		return cmp.Compare(a.base, b.base)
	case ByCustomerName:
		return compareFold(a.customer.Name, b.customer.Name)
	case ByType:
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.outcome, b.outcome))
	default:
		return cmp.Compare(a.day, b.day)
	}
}

// page returns the payments of the page that was asked for.
func (pl *paymentList) page() (Page, []payment, error) {
	page, from, to, err := pl.cs.q.page(pl.count, maxLimit, maxLimit)
	if err != nil {
		return Page{}, nil, err
	}
	pl.cut()
	found := pl.rows[from-pl.skip : to-pl.skip]
	for i := range found {
		if err := pl.convert(&found[i]); err != nil {
			return Page{}, nil, err
		}
	}
	return page, found, nil
}
