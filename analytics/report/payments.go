package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// PaymentRow is one row of a detail report about cash.
type PaymentRow struct {
	Date     calendar.Day
	Period   calendar.Day // first day of the period that Date falls into
	Customer *Customer
	Source   *Source
	Ref      string // the invoice's external id
	Type     CashType
	Status   ledger.Status
	Outcome  ledger.Outcome // of a failed payment
	Attempts int            // to collect it, as stated

	Description      string
	Method           string
	PlanID, PlanName string
	Currency         money.Currency
	Amount           int64  // minor units of Currency
	AmountBase       int64  // the same in the query's currency
	BreakdownValue   string // key; "" without a breakdown
}

// PaymentReport is a page of a detail report about cash.
type PaymentReport struct {
	Page
	Days calendar.Range // that the report is about; empty when To is before From
	Rows []PaymentRow
}

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
	last  int // the page ends before this row: later ones are not kept
	rows  []payment
	full  bool // rows[last-1] is the last row that may still be shown

	edge    int64    // what that row is sorted by, as rank has it
	subject *subject // who is looked at
	name    int      // how the customer's name compares with that row's
}

func newPaymentList(s *Snapshot, q *Query, of wanted) (*paymentList, error) {
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	l := &paymentList{parts: parts{zone: s.Settings.Zone}, days: daysOf(s, q), last: last}
	l.days.To = min(l.days.To, s.Today)
	l.cs = newCashScan(s, q, of, l.days.From, 1)
	return l, nil
}

// customers calls visit for every customer that the list may be about.
func (pl *paymentList) customers(visit func(*subject, *billing) error) error {
	return pl.cs.customers(func(x *subject, b *billing) error {
		pl.subject = x
		pl.compareNames()
		return visit(x, b)
	})
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
	values, err := pl.valuesOf(word)
	for _, value := range values {
		if pl.wants(value) {
			pl.count++
		}
	}
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
	s := pl.cs.s
	return cmp.Or(strings.Compare(a.customer.ID, b.customer.ID), cmp.Compare(a.customer.Source, b.customer.Source),
		strings.Compare(s.invoiceID(a.invoice), s.invoiceID(b.invoice)), cmp.Compare(a.place, b.place), cmp.Compare(a.value, b.value))
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
	found := pl.rows[from:to]
	for i := range found {
		if err := pl.convert(&found[i]); err != nil {
			return Page{}, nil, err
		}
	}
	return page, found, nil
}

// report fills in what only the rows of the page need.
func (pl *paymentList) report() (*PaymentReport, error) {
	page, found, err := pl.page()
	if err != nil {
		return nil, err
	}
	r := &PaymentReport{Page: page, Days: pl.days, Rows: make([]PaymentRow, 0, len(found))}
	for i := range found {
		r.Rows = append(r.Rows, pl.row(&found[i]))
	}
	return r, nil
}

func (pl *paymentList) row(p *payment) PaymentRow {
	s := pl.cs.s
	plan := s.plan(p.plan)
	row := PaymentRow{
		Date: p.day, Period: calendar.PeriodOf(p.day, pl.cs.q.Unit, s.WeekStart).From,
		Customer: p.customer, Source: s.source(p.customer.Source), Ref: s.invoiceID(p.invoice),
		Type: p.kind, Status: p.invoice.Status, Outcome: p.outcome,
		Description: s.billed(p.customer.Ledger, p.invoice, p.plan, p.line), Method: s.symbol(p.invoice.Method),
		PlanID: plan.ID, PlanName: plan.Name, Currency: p.invoice.Currency, Amount: p.amount, AmountBase: p.base,
	}
	if _, x := p.customer.Ledger.Rare(p.invoice); x != nil {
		row.Attempts = int(x.Attempts)
	}
	if pl.cs.split != nil {
		row.BreakdownValue = pl.cs.split.keys[p.value]
	}
	return row
}

// billed says what a part of an invoice is for: as its line or the invoice
// states, else the plan's name.
func (s *Snapshot) billed(l *ledger.Ledger, inv *ledger.Invoice, plan ledger.PlanRef, line int32) string {
	if _, x := l.Rare(inv); x != nil {
		if line >= 0 && x.Lines[line].Description != "" {
			return x.Lines[line].Description
		}
		if x.Description != "" {
			return x.Description
		}
	}
	return s.planName(plan)
}

// cashKinds are the kinds that transactions can be selected by: those of single
// entries.
func cashKinds() []CashType {
	kinds := make([]CashType, NetCash)
	for i := range kinds {
		kinds[i] = CashType(i)
	}
	return kinds
}

// TransactionDetail computes the report transactions-detail: the entries of
// Transactions one by one. Tax is listed only when it is asked for, so that the
// rows add up to the net amount. Its errors are *ParamError and
// *fx.MissingRateError.
func TransactionDetail(s *Snapshot, q *Query) (*PaymentReport, error) {
	kind, all, err := selected(q, cashKinds())
	if err != nil {
		return nil, err
	}
	of := taxlessCash
	if !all {
		of = 1 << kind
	}
	list, err := newPaymentList(s, q, of)
	if err != nil {
		return nil, err
	}
	err = list.customers(list.transactions)
	if err != nil {
		return nil, err
	}
	return list.report()
}

// transactions lists the cash of one customer.
func (pl *paymentList) transactions(x *subject, b *billing) error {
	for _, row := range pl.cs.kept(b, pl.days) {
		word := b.words[row]
		kind := pl.cs.verdict(word).kind
		if beyond, err := pl.beyond(b.days[row], b.amounts[row], kind, word); beyond || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		inv, place := &x.ledger.Invoices[b.invoice(row)], pl.cs.place(b, row)
		e := pl.parts.of(x.ledger, inv)[place]
		err := pl.put(&payment{
			customer: x.customer, invoice: inv, amount: e.amount, day: b.days[row], plan: e.plan, line: e.line, place: int32(place), kind: kind,
		}, word)
		if err != nil {
			return err
		}
	}
	return nil
}

// InvoiceRow is one invoice.
type InvoiceRow struct {
	Date     calendar.Day
	Customer *Customer
	Source   *Source
	Ref      string // external id
	Number   string
	Status   ledger.Status
	PaidOn   calendar.Day // NoDay unless paid

	Description  string
	Currency     money.Currency
	Total        int64 // minor units of Currency, tax included
	TotalBase    int64 // the same in the query's currency
	Transactions int   // entries in TransactionDetail
	Lines        []InvoiceLine
}

// InvoiceLine is one line of an invoice as stated.
type InvoiceLine struct {
	Description string
	Amount      int64 // minor units of the invoice's currency
	Quantity    int64
	Start, End  calendar.Day // NoDay when not stated
}

// InvoiceReport is a page of invoices.
type InvoiceReport struct {
	Page
	Days calendar.Range
	Rows []InvoiceRow
}

// InvoiceDetail computes the report invoices-detail: subscription and one-time
// invoices, and cancellations that cost something, by the day of the invoice and
// whatever their status. Its errors are *ParamError and *fx.MissingRateError.
func InvoiceDetail(s *Snapshot, q *Query) (*InvoiceReport, error) {
	plain := *q
	plain.Breakdown, plain.BreakdownValue = Dimension{}, nil
	list, err := newPaymentList(s, &plain, lists)
	if err != nil {
		return nil, err
	}
	if err := list.customers(list.invoices); err != nil {
		return nil, err
	}
	page, found, err := list.page()
	if err != nil {
		return nil, err
	}
	r := &InvoiceReport{Page: page, Days: list.days, Rows: make([]InvoiceRow, 0, len(found))}
	for i := range found {
		r.Rows = append(r.Rows, list.invoice(&found[i]))
	}
	return r, nil
}

// invoices lists the invoices of one customer.
func (pl *paymentList) invoices(x *subject, b *billing) error {
	for _, row := range pl.cs.standing(b, pl.days) {
		amount, day, word := pl.total(x, b, row), b.days[row], b.words[row]
		if beyond, err := pl.beyond(day, amount, 0, word); beyond || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		inv := &x.ledger.Invoices[b.invoice(row)]
		err := pl.put(&payment{customer: x.customer, invoice: inv, amount: inv.Amount, day: day, plan: pl.cs.planOf(word), line: -1}, word)
		if err != nil {
			return err
		}
	}
	return nil
}

// total is the amount of an invoice if the list is sorted by it.
func (pl *paymentList) total(x *subject, b *billing, row int) int64 {
	byAmount := pl.cs.q.Sort == ByAmount || pl.cs.q.Sort == ByAmountBase
	if byAmount && row+1 < len(b.words) && b.together(row, row+1) {
		return x.ledger.Invoices[b.invoice(row)].Amount // the row is a part of it
	}
	return b.amounts[row]
}

func (pl *paymentList) invoice(p *payment) InvoiceRow {
	s, l, inv := pl.cs.s, p.customer.Ledger, p.invoice
	row := InvoiceRow{
		Date: p.day, Customer: p.customer, Source: s.source(p.customer.Source), Ref: s.invoiceID(inv), Status: inv.Status, PaidOn: calendar.NoDay,
		Description: s.billed(l, inv, p.plan, -1), Currency: inv.Currency, Total: p.amount, TotalBase: p.base,
	}
	if inv.Status == ledger.Paid {
		if row.PaidOn = pl.parts.paidOn(l, inv); row.PaidOn <= s.Today {
			row.Transactions = pl.entries(l, inv)
		}
	}
	_, x := l.Rare(inv)
	if x == nil {
		return row
	}
	row.Number = x.Number
	zone := s.Settings.Zone
	for i := range x.Lines {
		line := &x.Lines[i]
		start, end := ledger.Period(line.Start, line.End, zone)
		row.Lines = append(row.Lines, InvoiceLine{
			Description: s.billed(l, inv, line.Plan, int32(i)), Amount: line.Amount, Quantity: int64(line.Quantity), Start: start, End: end,
		})
	}
	return row
}

// entries counts the parts of a paid invoice that TransactionDetail lists under
// the same filters.
func (pl *paymentList) entries(l *ledger.Ledger, inv *ledger.Invoice) int {
	n, t := 0, traitsOf(l, inv)
	for _, e := range pl.parts.of(l, inv) {
		if t.plan = e.plan; e.part != taxPart && pl.cs.passes(&t) {
			n++
		}
	}
	return n
}
