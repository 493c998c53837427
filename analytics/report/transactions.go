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
	return t.report(), nil
}

type transactions struct {
	cs    *cashScan
	rows  rows
	last  calendar.Day
	sheet sheet[TransactionMetrics]
}

// add counts one customer.
func (t *transactions) add(c *Customer) error {
	l := c.Ledger
	plain := t.cs.match == nil && t.cs.split == nil
	for i := range l.Invoices {
		inv := &l.Invoices[i]
		if inv.Status != ledger.Paid {
			continue
		}
		day := inv.Day
		if inv.Extra != 0 {
			day = t.cs.paidOn(l, inv)
		}
		if day < t.rows.from || day > t.last {
			continue
		}
		row := t.rows.of(day)
		if !plain || inv.Extra != 0 || isRefund(inv) {
			if err := t.invoice(c, inv, row, day); err != nil {
				return err
			}
			continue
		}
		if inv.Amount == 0 {
			continue
		}
		worth, err := t.cs.worth(inv.Amount, inv.Currency, day)
		if err != nil {
			return err
		}
		m := &t.sheet.total[row]
		m.add(t.cs.charge(inv, inv.Plan, inv.Kind != ledger.Subscription), worth)
		m.Count[NetCash]++
	}
	return nil
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
	if kind != TaxCash {
		m.Amount[NetCash] += worth
	}
}

func (t *transactions) report() *TransactionReport {
	changes(t.sheet.total)
	for _, part := range t.sheet.parts {
		changes(part)
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

// changes compares every row with the one before.
func changes(cells []TransactionMetrics) {
	for i := 1; i < len(cells); i++ {
		cells[i].NetChange = change(cells[i-1].Amount[NetCash], cells[i].Amount[NetCash])
	}
}

// TransactionTableRow is one kind of cash in one period.
type TransactionTableRow struct {
	Date   calendar.Day // first of the period
	Type   CashType
	Amount int64
	Count  int64
	Value  *Value // of the breakdown; nil without one
}

// TransactionTable computes the report transactions-table: the figures of
// Transactions one by one, with a breakdown those of its values that have any.
func TransactionTable(s *Snapshot, q *Query) ([]TransactionTableRow, error) {
	r, err := Transactions(s, q)
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
	return out, nil
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
	cs := newCashScan(s, q, w.first, 1)
	var sums [len(w.spans)]int64
	err := cs.customers(func(c *Customer) error {
		for i := range c.Ledger.Invoices {
			inv := &c.Ledger.Invoices[i]
			if inv.Status != ledger.Paid {
				continue
			}
			day := cs.paidOn(c.Ledger, inv)
			if day < w.first || day > w.last {
				continue
			}
			net, err := cs.net(c.Ledger, inv, day)
			if err != nil {
				return err
			}
			w.each(day, func(span int) { sums[span] += net })
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
