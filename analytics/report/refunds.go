package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// RefundMetrics are the refunds of one period.
type RefundMetrics struct {
	Amount    int64 // minor units of the query's currency, positive
	Count     int64
	Customers int64 // distinct

	last *Customer // that was counted last
}

// RefundRow is one period.
type RefundRow struct {
	Period calendar.Range
	RefundMetrics
	Breakdown []RefundMetrics // per value of RefundReport.Values; nil without a breakdown
	Compare   *RefundRow      // the period that the query compares this one with; nil if none
}

// RefundReport is the money given back by period, oldest first.
type RefundReport struct {
	Values []Value
	Rows   []RefundRow
}

// refunds returns the rows that give money back in some days. The customer may
// be nil.
func (cs *cashScan) refunds(x *subject, b *billing, days calendar.Range) []int32 {
	if x != nil && !x.refunds {
		return nil
	}
	return cs.kept(b, days)
}

// Refunds computes the report cashflow-refunds by the day of the refund. Its
// errors are *ParamError and *fx.MissingRateError.
func Refunds(s *Snapshot, q *Query) (*RefundReport, error) {
	periods, err := q.periods(s)
	if err != nil {
		return nil, err
	}
	if len(periods) == 0 {
		return &RefundReport{}, nil
	}
	rows, sheet := newRows(periods), newSheet[RefundMetrics](len(periods)+1)
	days := calendar.Range{From: rows.from, To: min(s.Today, periods[len(periods)-1].To)}
	cs := newCashScan(s, q, 1<<RefundCash, len(periods))
	err = cs.customers(func(x *subject, b *billing) error {
		for _, at := range cs.refunds(x, b, days) {
			day, word := b.days[at], b.words[at]
			worth, err := cs.worth(-b.amounts[at], cs.verdict(word).currency, day)
			if err != nil {
				return err
			}
			row := rows.of(day)
			sheet.total[row].add(x.customer, worth)
			values, err := cs.valuesOf(x, word)
			if err != nil {
				return err
			}
			for _, value := range values {
				sheet.part(value)[row].add(x.customer, worth)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	order, values := cs.valueList()
	r := &RefundReport{Values: values, Rows: make([]RefundRow, len(periods))}
	for i := range r.Rows {
		r.Rows[i] = RefundRow{Period: periods[i], RefundMetrics: sheet.total[i+1], Breakdown: sheet.cells(order, i+1)}
	}
	return r, compareRows(q, periods, r.Rows, func(q *Query) ([]RefundRow, error) {
		r, err := Refunds(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *RefundRow) (calendar.Day, **RefundRow) { return row.Period.From, &row.Compare })
}

// add counts one refund; those of one customer come one after the other.
func (m *RefundMetrics) add(c *Customer, worth int64) {
	m.Amount += worth
	m.Count++
	if m.last != c {
		m.last = c
		m.Customers++
	}
}

// RefundTableRow is one period, with a breakdown one value of it.
type RefundTableRow struct {
	Date calendar.Day
	RefundMetrics
	Value   *Value          // nil without a breakdown
	Compare *RefundTableRow // the figures that the query compares these with; nil if none
}

// RefundTable computes the report cashflow-refunds-table: the figures of
// Refunds, with a breakdown those of its values that have any.
func RefundTable(s *Snapshot, q *Query) ([]RefundTableRow, error) {
	r, err := Refunds(s, q.alone())
	if err != nil {
		return nil, err
	}
	var out []RefundTableRow
	for i := range r.Rows {
		row := &r.Rows[i]
		if r.Values == nil {
			out = append(out, RefundTableRow{Date: row.Period.From, RefundMetrics: row.RefundMetrics})
		}
		for v := range row.Breakdown {
			if m := &row.Breakdown[v]; m.Count > 0 {
				out = append(out, RefundTableRow{Date: row.Period.From, RefundMetrics: *m, Value: &r.Values[v]})
			}
		}
	}
	return out, compareFigures(s, q, out, RefundTable, func(row *RefundTableRow) (figure, **RefundTableRow) {
		return figure{period: row.Date, value: row.Value.key()}, &row.Compare
	})
}

// RefundDetail computes the report cashflow-refunds-detail: the refunds one by
// one. Its errors are *ParamError and *fx.MissingRateError.
func RefundDetail(s *Snapshot, q *Query) (*PaymentReport, error) {
	list, err := newPaymentList(s, q, 1<<RefundCash)
	if err != nil {
		return nil, err
	}
	err = list.collect(&listed{
		rows:  list.cs.refunds,
		shown: func(b *billing, row int32) (int64, CashType) { return -b.amounts[row], RefundCash },
		full: func(x *subject, b *billing, row int32) payment {
			inv := &x.ledger.Invoices[b.invoice(row)]
			return payment{customer: x.customer, invoice: inv, amount: -b.amounts[row], day: b.days[row], plan: inv.Plan, line: -1, kind: RefundCash}
		},
	})
	if err != nil {
		return nil, err
	}
	return list.report()
}
