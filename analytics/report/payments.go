package report

import (
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
	err = list.collect(list.transactions())
	if err != nil {
		return nil, err
	}
	return list.report()
}

// transactions are the parts of paid invoices.
func (pl *paymentList) transactions() *listed {
	return &listed{
		rows: func(_ *subject, b *billing, days calendar.Range) []int32 { return pl.cs.kept(b, days) },
		shown: func(b *billing, row int32) (int64, CashType) {
			return b.amounts[row], pl.cs.verdict(b.words[row]).kind
		},
		full: func(x *subject, b *billing, row int32) payment {
			inv, place := &x.ledger.Invoices[b.invoice(row)], pl.cs.place(b, row)
			e := pl.parts.of(x.ledger, inv)[place]
			return payment{
				customer: x.customer, invoice: inv, amount: e.amount, day: b.days[row], plan: e.plan, line: e.line, place: place,
				kind: pl.cs.verdict(b.words[row]).kind,
			}
		},
	}
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
	if err := list.collect(list.invoices()); err != nil {
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

// invoices are the invoices.
func (pl *paymentList) invoices() *listed {
	return &listed{
		rows:  func(_ *subject, b *billing, days calendar.Range) []int32 { return pl.cs.standing(b, days) },
		shown: func(b *billing, row int32) (int64, CashType) { return pl.total(b, row), 0 },
		full: func(x *subject, b *billing, row int32) payment {
			inv := &x.ledger.Invoices[b.invoice(row)]
			return payment{customer: x.customer, invoice: inv, amount: inv.Amount, day: b.days[row], plan: pl.cs.planOf(b.words[row]), line: -1}
		},
	}
}

// total is the amount of the invoice that a row stands for: if the row is a part of
// it, the sum of its parts without fees and losses.
func (pl *paymentList) total(b *billing, row int32) int64 {
	sum := b.amounts[row]
	if !pl.cs.verdict(b.words[row]).cash {
		return sum
	}
	for i := int(row) + 1; i < len(b.words) && b.words[i]&firstRow == 0; i++ {
		if v := pl.cs.verdict(b.words[i]); v.cash && v.kind != FeeCash && v.kind != FXLossCash {
			sum += b.amounts[i]
		}
	}
	return sum
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
