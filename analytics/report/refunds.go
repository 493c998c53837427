package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
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

// refunds calls visit with every refund that counts as cash in the days, with
// its plan and its amount, positive.
func (cs *cashScan) refunds(days calendar.Range, visit func(c *Customer, inv *ledger.Invoice, day calendar.Day) error) error {
	return cs.customers(func(x *subject) error {
		if !x.refunds {
			return nil
		}
		c, l := x.customer, x.ledger
		for _, i := range l.Refunds {
			inv := &l.Invoices[i]
			if inv.Status != ledger.Paid || inv.Amount == 0 {
				continue
			}
			day := cs.paidOn(l, inv)
			if day < days.From || day > days.To || !cs.passes(l, inv, inv.Plan) {
				continue
			}
			if err := visit(c, inv, day); err != nil {
				return err
			}
		}
		return nil
	})
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
	cs := newCashScan(s, q, rows.from, len(periods))
	err = cs.refunds(days, func(c *Customer, inv *ledger.Invoice, day calendar.Day) error {
		worth, err := cs.worth(magnitude(inv.Amount), inv.Currency, day)
		if err != nil {
			return err
		}
		row := rows.of(day)
		sheet.total[row].add(c, worth)
		values, err := cs.valuesOf(c, inv, inv.Plan)
		for _, v := range values {
			sheet.part(v)[row].add(c, worth)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	order, values := cs.valueList()
	r := &RefundReport{Values: values, Rows: make([]RefundRow, len(periods))}
	for i := range r.Rows {
		r.Rows[i] = RefundRow{Period: periods[i], RefundMetrics: sheet.total[i+1]}
		for _, v := range order {
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, sheet.part(v)[i+1])
		}
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
	list, err := newPaymentList(s, q)
	if err != nil {
		return nil, err
	}
	err = list.cs.refunds(list.days, func(c *Customer, inv *ledger.Invoice, day calendar.Day) error {
		return list.put(&payment{
			customer: c, invoice: inv, amount: magnitude(inv.Amount), day: day, plan: inv.Plan, line: -1, kind: RefundCash,
		})
	})
	if err != nil {
		return nil, err
	}
	return list.report()
}
