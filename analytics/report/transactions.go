package report

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
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
	t.cs = newCashScan(s, q, allCash, len(periods))
	t.days = calendar.Range{From: t.rows.from, To: min(s.Today, periods[len(periods)-1].To)}
	if err := t.cs.walk(t.add); err != nil {
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
	days  calendar.Range
	sheet sheet[TransactionMetrics]
	met   []int32 // values that an invoice was counted for
}

// add counts rows.
func (t *transactions) add(x *subject, b *billing) error {
	cs, days := t.cs, b.days[:len(b.words)]
	counted := false // the invoice
	for at, word := range b.words {
		if word&firstRow != 0 {
			counted, t.met = false, t.met[:0]
		}
		day, v := days[at], cs.verdict(word)
		if !v.keeps || day < t.days.From || day > t.days.To {
			continue
		}
		worth, err := cs.worth(b.amounts[at], v.currency, day)
		if err != nil {
			return err
		}
		row := t.rows.of(day)
		m := &t.sheet.total[row]
		m.add(v.kind, worth)
		if v.kind != TaxCash && !counted {
			counted = true
			m.Count[NetCash]++
		}
		if cs.split == nil {
			continue
		}
		values, err := cs.valuesOf(x, word)
		if err != nil {
			return err
		}
		for _, value := range values {
			t.addPart(value, row, v.kind, worth)
		}
	}
	return nil
}

// addPart counts a row for a breakdown value, and its invoice once.
func (t *transactions) addPart(value int32, row int, kind CashType, worth int64) {
	m := &t.sheet.part(value)[row]
	m.add(kind, worth)
	if kind != TaxCash && !slices.Contains(t.met, value) {
		t.met = append(t.met, value)
		m.Count[NetCash]++
	}
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
		r.Rows[i] = TransactionRow{Period: t.rows.periods[i+1], TransactionMetrics: t.sheet.total[i+2], Breakdown: t.sheet.cells(order, i+2)}
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
	cs := newCashScan(s, q, taxlessCash, 1)
	net := w.perDay()
	err := cs.runs(func(b *billing) error {
		for _, row := range cs.kept(b, w.days) {
			day := b.days[row]
			if w.of(day) == nil {
				continue // its rate may not be known
			}
			worth, err := cs.worth(b.amounts[row], cs.verdict(b.words[row]).currency, day)
			if err != nil {
				return err
			}
			net[day-w.days.From] += worth
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sums := w.sums(net)
	return &TransactionSummaryReport{
		Month:   toDate(sums[monthToDate+1], sums[monthToDate]),
		Quarter: toDate(sums[quarterToDate+1], sums[quarterToDate]),
		Year:    toDate(sums[yearToDate+1], sums[yearToDate]),
	}, nil
}
