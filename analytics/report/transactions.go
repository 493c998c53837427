package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// TransactionMetrics are the cash of one period by kind.
type TransactionMetrics struct {
	Amount [CashTypes]int64 // minor units of the query's currency; discount, refund, fee and fx loss 0 or negative
	Count  [CashTypes]int64 // entries of the kind; of Net the invoices and refunds
	// NetChange is the change of Net against the period before, in percent; null
	// when that was 0.
	NetChange Ratio
}

// TransactionRow is one period.
type TransactionRow struct {
	Period calendar.Range
	TransactionMetrics
	Breakdown []TransactionMetrics // per value of TransactionReport.Values; nil without a breakdown
	Compare   *TransactionRow      // the period that the query compares this one with; nil if none
}

// TransactionReport is the cash received by period, oldest first.
type TransactionReport struct {
	Values []Value
	Rows   []TransactionRow
}

// Transactions computes the report transactions: the paid invoices by the day of
// payment. Its errors are *ParamError and *fx.MissingRateError.
func Transactions(s *Snapshot, q *Query) (*TransactionReport, error) {
	shown, err := q.periods(s)
	if err != nil {
		return nil, err
	}
	if len(shown) == 0 {
		return &TransactionReport{}, nil
	}
	// The first row is compared with the period before it.
	periods := append([]calendar.Range{calendar.Shift(shown[0], q.Unit, -1)}, shown...)
	t := &transactions{rows: newRows(periods), sheet: newSheet[TransactionMetrics](len(periods) + 1)}
	t.cs = newCashScan(s, q, periods[0].From, len(periods))
	t.last = min(s.Today, periods[len(periods)-1].To)
	if err := t.cs.customers(t.add); err != nil {
		return nil, err
	}
	r := t.report()
	return r, compareRows(q, shown, r.Rows, func(q *Query) ([]TransactionRow, error) {
		r, err := Transactions(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *TransactionRow) (calendar.Day, **TransactionRow) { return row.Period.From, &row.Compare })
}

type transactions struct {
	cs    *cashScan
	rows  rows
	last  calendar.Day
	sheet sheet[TransactionMetrics]
}

// add counts one customer.
func (t *transactions) add(x *subject) error {
	c, l := x.customer, x.ledger
	all := t.cs.match == nil && t.cs.split == nil
	for i := range l.Invoices {
		inv := &l.Invoices[i]
		if inv.Status != ledger.Paid {
			continue
		}
		day := inv.Day
		if inv.Extra&ledger.InFull != 0 {
			day = t.cs.paidOn(l, inv)
		}
		if day < t.rows.from || day > t.last {
			continue
		}
		row := t.rows.of(day)
		var err error
		switch {
		case all && inv.Extra&ledger.InFull == 0 && !isRefund(inv):
			err = t.sale(&t.sheet.total[row], l, inv, day)
		case whole(inv):
			err = t.simple(c, inv, row, day)
		default:
			err = t.invoice(c, inv, row, day)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sale counts an invoice without other rare fields than tax and discount, when
// nothing is filtered or split.
func (t *transactions) sale(m *TransactionMetrics, l *ledger.Ledger, inv *ledger.Invoice, day calendar.Day) error {
	gross, kind := inv.Amount, t.cs.charge(inv, inv.Plan, inv.Kind != ledger.Subscription)
	if inv.Extra == 0 && inv.Currency == t.cs.q.Base {
		if gross != 0 {
			m.add(kind, gross)
			m.Count[NetCash]++
		}
		return nil
	}
	rare := ledger.Taxed{}
	if inv.Extra != 0 {
		rare = l.Taxed[inv.Extra-1]
		rare.Discount = magnitude(rare.Discount)
		gross += rare.Discount - rare.Tax
	}
	for _, e := range [...]entry{{kind: kind, amount: gross}, {kind: DiscountCash, amount: -rare.Discount}, {kind: TaxCash, amount: rare.Tax}} {
		if e.amount == 0 {
			continue
		}
		worth, err := t.cs.worth(e.amount, inv.Currency, day)
		if err != nil {
			return err
		}
		m.add(e.kind, worth)
	}
	if gross != 0 || rare.Discount != 0 {
		m.Count[NetCash]++
	}
	return nil
}

// simple counts an invoice of one part, as nearly all are.
func (t *transactions) simple(c *Customer, inv *ledger.Invoice, row int, day calendar.Day) error {
	cs := t.cs
	if inv.Amount == 0 || cs.match != nil && !cs.match(cs.stateOf(c.Ledger, inv, inv.Plan)) {
		return nil
	}
	worth, err := cs.worth(inv.Amount, inv.Currency, day)
	if err != nil {
		return err
	}
	kind := cs.charge(inv, inv.Plan, inv.Kind != ledger.Subscription)
	m := &t.sheet.total[row]
	m.add(kind, worth)
	m.Count[NetCash]++
	if cs.split == nil {
		return nil
	}
	values, err := cs.valuesOf(c, inv, inv.Plan)
	for _, v := range values {
		m := &t.sheet.part(v)[row]
		m.add(kind, worth)
		m.Count[NetCash]++
	}
	return err
}

// invoice counts an invoice part by part.
func (t *transactions) invoice(c *Customer, inv *ledger.Invoice, row int, day calendar.Day) error {
	var counted [8]int32 // values that the invoice was counted for; more are rare
	met := counted[:0]
	cash := false
	for _, e := range t.cs.entriesOf(c.Ledger, inv) {
		if !t.cs.passes(c.Ledger, inv, e.plan) {
			continue
		}
		worth, err := t.cs.worth(e.amount, inv.Currency, day)
		if err != nil {
			return err
		}
		t.sheet.total[row].add(e.kind, worth)
		cash = cash || e.kind != TaxCash
		values, err := t.cs.valuesOf(c, inv, e.plan)
		if err != nil {
			return err
		}
		for _, v := range values {
			m := &t.sheet.part(v)[row]
			m.add(e.kind, worth)
			if e.kind != TaxCash && !slices.Contains(met, v) {
				met = append(met, v)
				m.Count[NetCash]++
			}
		}
	}
	if cash {
		t.sheet.total[row].Count[NetCash]++
	}
	return nil
}

// add counts one entry.
func (m *TransactionMetrics) add(kind CashType, worth int64) {
	m.Amount[kind] += worth
	m.Count[kind]++
}

// close adds up the net amount, which tax is not part of.
func (m *TransactionMetrics) close() {
	for kind := range NetCash {
		if kind != TaxCash {
			m.Amount[NetCash] += m.Amount[kind]
		}
	}
}

func (t *transactions) report() *TransactionReport {
	finish(t.sheet.total)
	for _, part := range t.sheet.parts {
		finish(part)
	}
	order, values := t.cs.valueList()
	r := &TransactionReport{Values: values, Rows: make([]TransactionRow, len(t.rows.periods)-1)}
	for i := range r.Rows {
		r.Rows[i] = TransactionRow{Period: t.rows.periods[i+1], TransactionMetrics: t.sheet.total[i+2]}
		for _, v := range order {
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, t.sheet.part(v)[i+2])
		}
	}
	return r
}

// finish closes the rows and compares each with the one before.
func finish(cells []TransactionMetrics) {
	for i := range cells {
		cells[i].close()
		if i > 0 {
			cells[i].NetChange = change(cells[i-1].Amount[NetCash], cells[i].Amount[NetCash])
		}
	}
}

// TransactionTableRow is one kind of cash in one period.
type TransactionTableRow struct {
	Date   calendar.Day // first of the period
	Type   CashType
	Amount int64
	Count  int64
	Value  *Value // of the breakdown; nil without one

	Compare *TransactionTableRow // the figure that the query compares this one with; nil if none
}

// TransactionTable computes the report transactions-table: the figures of
// Transactions one by one, with a breakdown those of its values that have any.
func TransactionTable(s *Snapshot, q *Query) ([]TransactionTableRow, error) {
	r, err := Transactions(s, q.alone())
	if err != nil {
		return nil, err
	}
	var out []TransactionTableRow
	for i := range r.Rows {
		row := &r.Rows[i]
		if r.Values == nil {
			out = row.list(out, &row.TransactionMetrics, nil)
		}
		for v := range row.Breakdown {
			out = row.list(out, &row.Breakdown[v], &r.Values[v])
		}
	}
	return out, compareFigures(s, q, out, TransactionTable, func(row *TransactionTableRow) (figure, **TransactionTableRow) {
		return figure{row.Date, row.Type.String(), row.Value.key()}, &row.Compare
	})
}

func (row *TransactionRow) list(out []TransactionTableRow, m *TransactionMetrics, value *Value) []TransactionTableRow {
	for t := range CashTypes {
		if value != nil && m.Count[t] == 0 {
			continue
		}
		out = append(out, TransactionTableRow{Date: row.Period.From, Type: CashType(t), Amount: m.Amount[t], Count: m.Count[t], Value: value})
	}
	return out
}

// ToDate is a figure of a running period and of as many days of the one before.
type ToDate struct {
	Now, Before int64
	Change      Ratio // percent; null when Before is 0
}

func toDate(before, now int64) ToDate {
	return ToDate{Now: now, Before: before, Change: change(before, now)}
}

// TransactionSummaryReport is the net cash of the running periods.
type TransactionSummaryReport struct {
	Month, Quarter, Year ToDate
}

// TransactionSummary computes the report transactions-summary at the end of the
// range, but not after today. Its errors are *ParamError and
// *fx.MissingRateError.
func TransactionSummary(s *Snapshot, q *Query) (*TransactionSummaryReport, error) {
	w := newWindows(s, min(q.Range.To, s.Today))
	cs := newCashScan(s, q, w.days.From, 1)
	var sums [windowSpans]int64
	err := cs.customers(func(x *subject) error {
		l := x.ledger
		for i := range l.Invoices {
			inv := &l.Invoices[i]
			if inv.Status != ledger.Paid {
				continue
			}
			day := cs.paidOn(l, inv)
			spans := w.of(day)
			if spans == nil {
				continue
			}
			net, err := cs.net(l, inv, day)
			if err != nil {
				return err
			}
			for _, span := range spans {
				sums[span] += net
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &TransactionSummaryReport{
		Month:   toDate(sums[monthToDate+1], sums[monthToDate]),
		Quarter: toDate(sums[quarterToDate+1], sums[quarterToDate]),
		Year:    toDate(sums[yearToDate+1], sums[yearToDate]),
	}, nil
}

// net is what the parts of a paid invoice that pass the filters come to.
func (cs *cashScan) net(l *ledger.Ledger, inv *ledger.Invoice, day calendar.Day) (int64, error) {
	sum := int64(0)
	if whole(inv) {
		if !cs.passes(l, inv, inv.Plan) {
			return 0, nil
		}
		return cs.worth(inv.Amount, inv.Currency, day)
	}
	for _, e := range cs.entriesOf(l, inv) {
		if e.kind == TaxCash || !cs.passes(l, inv, e.plan) {
			continue
		}
		worth, err := cs.worth(e.amount, inv.Currency, day)
		if err != nil {
			return 0, err
		}
		sum += worth
	}
	return sum, nil
}
