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
	cs   *cashScan
	days calendar.Range

	count int // rows in all
	last  int // the page ends before this row: later ones are not kept
	rows  []payment
	full  bool // rows[last-1] is the last row that may still be shown
}

func newPaymentList(s *Snapshot, q *Query) (*paymentList, error) {
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	l := &paymentList{days: daysOf(s, q), last: last}
	l.days.To = min(l.days.To, s.Today)
	l.cs = newCashScan(s, q, l.days.From, 1)
	return l, nil
}

// has reports whether a day is one of those that the list is about.
func (pl *paymentList) has(day calendar.Day) bool { return pl.days.From <= day && day <= pl.days.To }

// put lists a payment once per breakdown value that the query wants. Only a list
// that is sorted by the converted amounts converts all of them; the others
// convert those of the page.
func (pl *paymentList) put(p *payment) error {
	cs := pl.cs
	if !cs.passes(p.customer.Ledger, p.invoice, p.plan) {
		return nil
	}
	if cs.q.Sort == ByAmountBase {
		if err := pl.convert(p); err != nil {
			return err
		}
	}
	if cs.split == nil {
		pl.keep(p)
		return nil
	}
	values, err := cs.valuesOf(p.customer, p.invoice, p.plan)
	if err != nil {
		return err
	}
	for _, v := range values {
		if want := cs.q.BreakdownValue; want == nil || cs.split.keys[v] == *want {
			p.value = v
			pl.keep(p)
		}
	}
	return nil
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

// beyond reports whether the page ends before an invoice that is one row, by its
// day alone: so it is with nearly all when the latest come first.
func (pl *paymentList) beyond(inv *ledger.Invoice, day calendar.Day) bool {
	q := pl.cs.q
	return pl.full && q.Sort == ByDate && !q.Ascending && pl.cs.split == nil && day < pl.rows[pl.last-1].day && whole(inv)
}

// tally counts an invoice that is beyond the page.
func (pl *paymentList) tally(l *ledger.Ledger, inv *ledger.Invoice) {
	if pl.cs.passes(l, inv, inv.Plan) {
		pl.count++
	}
}

// cut sorts the payments and drops those after the page.
func (pl *paymentList) cut() {
	slices.SortFunc(pl.rows, func(a, b payment) int { return pl.compare(&a, &b) })
	pl.rows = pl.rows[:min(pl.last, len(pl.rows))]
	pl.full = len(pl.rows) == pl.last
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
	list, err := newPaymentList(s, q)
	if err != nil {
		return nil, err
	}
	err = list.cs.customers(func(x *subject) error {
		c, l := x.customer, x.ledger
		for i := range l.Invoices {
			inv := &l.Invoices[i]
			if inv.Status != ledger.Paid {
				continue
			}
			day := list.cs.paidOn(l, inv)
			if !list.has(day) {
				continue
			}
			if all && list.beyond(inv, day) {
				if inv.Amount != 0 {
					list.tally(l, inv)
				}
				continue
			}
			for place, e := range list.cs.entriesOf(l, inv) {
				if all && e.kind == TaxCash || !all && e.kind != kind {
					continue
				}
				err := list.put(&payment{
					customer: c, invoice: inv, amount: e.amount, day: day, plan: e.plan, line: e.line, place: int32(place), kind: e.kind,
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list.report()
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
	list, err := newPaymentList(s, &plain)
	if err != nil {
		return nil, err
	}
	err = list.cs.customers(func(x *subject) error {
		c, l := x.customer, x.ledger
		for i := range l.Invoices {
			inv := &l.Invoices[i]
			if !list.has(inv.Day) || isRefund(inv) || inv.Kind == ledger.Cancellation && inv.Amount == 0 {
				continue
			}
			if list.beyond(inv, inv.Day) {
				list.tally(l, inv)
				continue
			}
			err := list.put(&payment{customer: c, invoice: inv, amount: inv.Amount, day: inv.Day, plan: list.cs.planOf(l, inv), line: -1})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
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

func (pl *paymentList) invoice(p *payment) InvoiceRow {
	s, l, inv := pl.cs.s, p.customer.Ledger, p.invoice
	row := InvoiceRow{
		Date: p.day, Customer: p.customer, Source: s.source(p.customer.Source), Ref: s.invoiceID(inv), Status: inv.Status, PaidOn: calendar.NoDay,
		Description: s.billed(l, inv, p.plan, -1), Currency: inv.Currency, Total: p.amount, TotalBase: p.base,
	}
	if inv.Status == ledger.Paid {
		if row.PaidOn = pl.cs.paidOn(l, inv); row.PaidOn <= s.Today {
			row.Transactions = pl.transactions(l, inv)
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
		row.Lines = append(row.Lines, InvoiceLine{
			Description: s.billed(l, inv, line.Plan, int32(i)), Amount: line.Amount, Quantity: int64(line.Quantity),
			Start: line.Start.Day(zone), End: line.End.Day(zone),
		})
	}
	return row
}

// transactions counts the entries of a paid invoice that TransactionDetail lists
// under the same filters.
func (pl *paymentList) transactions(l *ledger.Ledger, inv *ledger.Invoice) int {
	n := 0
	for _, e := range pl.cs.entriesOf(l, inv) {
		if e.kind != TaxCash && pl.cs.passes(l, inv, e.plan) {
			n++
		}
	}
	return n
}
