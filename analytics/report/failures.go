package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// outcomes is how many outcomes a failed payment may have.
const outcomes = int(ledger.Churned) + 1

// FailureMetrics are the invoices of one period that failed to be collected at
// least once. By outcome: ledger.Recovered, StillUnpaid and Churned.
type FailureMetrics struct {
	Amounts   [outcomes]int64 // minor units of the query's currency
	Customers [outcomes]int64 // distinct; one may have several outcomes
	Invoices  [outcomes]int64

	Failed      int64 // sum of Amounts
	FailedCount int64 // sum of Invoices
	Affected    int64 // distinct customers
	Attempts    int64 // as stated
	Bills       int64 // invoices of the period, failed or not

	FailedPct    Ratio // FailedCount of Bills
	RecoveryRate Ratio // recovered of Failed

	seen [outcomes + 1]*Customer // that were counted last, by outcome and in all
}

// FailureRow is one period.
type FailureRow struct {
	Period calendar.Range
	FailureMetrics
	Breakdown []FailureMetrics // per value of FailureReport.Values; nil without a breakdown
	Compare   *FailureRow      // the period that the query compares this one with; nil if none
}

// FailureReport is failed payments by the period of their first failure, oldest
// first.
type FailureReport struct {
	Values []Value
	Rows   []FailureRow
}

// rate is a share in percent: 0 of nothing is 0, anything else of nothing null.
func rate(part, whole int64) Ratio {
	if part == 0 && whole == 0 {
		return Ratio{}
	}
	return percent(part, whole)
}

// add counts one failure.
func (m *FailureMetrics) add(c *Customer, outcome ledger.Outcome, worth int64, attempts int32) {
	m.Amounts[outcome] += worth
	m.Invoices[outcome]++
	m.Attempts += int64(attempts)
	if m.seen[outcome] != c {
		m.seen[outcome] = c
		m.Customers[outcome]++
	}
	if m.seen[outcomes] != c {
		m.seen[outcomes] = c
		m.Affected++
	}
}

// close works out what follows from the sums.
func (m *FailureMetrics) close() {
	for i := range outcomes {
		m.Failed += m.Amounts[i]
		m.FailedCount += m.Invoices[i]
	}
	m.FailedPct = rate(m.FailedCount, m.Bills)
	m.RecoveryRate = rate(m.Amounts[ledger.Recovered], m.Failed)
}

// failing calls visit for every selected customer with an invoice that failed.
func (cs *cashScan) failing(visit func(*subject, *billing) error) error {
	return cs.s.each(func(x *subject) error {
		if !x.failures || !cs.sel.keeps(x) {
			return nil
		}
		return visit(x, cs.billing(x))
	})
}

// failures calls visit with every invoice that failed first within the days, and
// that is still unpaid if that is what the scan is for. The row is the one that
// stands for the invoice.
func (cs *cashScan) failures(b *billing, days calendar.Range, visit func(f *failure, word uint32) error) error {
	for i := range b.failures {
		f := &b.failures[i]
		if f.day < days.From || f.day > days.To || cs.unpaid && f.outcome == ledger.Recovered {
			continue
		}
		for j, word := range b.words[f.row:] {
			if j > 0 && word&firstRow != 0 {
				break
			}
			if !cs.verdict(word).keeps {
				continue
			}
			if err := visit(f, word); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// Failures computes the reports cashflow-failed-payments and
// cashflow-failure-rate. Its errors are *ParamError and *fx.MissingRateError.
func Failures(s *Snapshot, q *Query) (*FailureReport, error) {
	periods, err := q.periods(s)
	if err != nil {
		return nil, err
	}
	if len(periods) == 0 {
		return &FailureReport{}, nil
	}
	t := &failureTally{
		cs: newCashScan(s, q, bills, len(periods)), rows: newRows(periods), sheet: newSheet[FailureMetrics](len(periods) + 1),
	}
	t.days = calendar.Range{From: t.rows.from, To: min(s.Today, periods[len(periods)-1].To)}
	if err := t.count(); err != nil {
		return nil, err
	}
	order, values := t.cs.valueList()
	r := &FailureReport{Values: values, Rows: make([]FailureRow, len(periods))}
	for i := range r.Rows {
		r.Rows[i] = FailureRow{Period: periods[i], FailureMetrics: t.sheet.total[i+1], Breakdown: t.sheet.cells(order, i+1)}
		r.Rows[i].close()
		for v := range r.Rows[i].Breakdown {
			r.Rows[i].Breakdown[v].close()
		}
	}
	return r, compareRows(q, periods, r.Rows, func(q *Query) ([]FailureRow, error) {
		r, err := Failures(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *FailureRow) (calendar.Day, **FailureRow) { return row.Period.From, &row.Compare })
}

// failureTally counts failures, and the invoices that they are a share of.
type failureTally struct {
	cs    *cashScan
	rows  rows
	days  calendar.Range
	sheet sheet[FailureMetrics]
}

// count counts all of them. Customers are told apart only where that matters.
func (t *failureTally) count() error {
	if t.cs.byCustomer() {
		return t.cs.customers(func(x *subject, b *billing) error {
			if err := t.bills(x, b); err != nil {
				return err
			}
			return t.failures(x, b)
		})
	}
	if err := t.cs.runs(func(b *billing) error { return t.bills(nil, b) }); err != nil {
		return err
	}
	return t.cs.failing(t.failures)
}

// failures counts the failures of a customer.
func (t *failureTally) failures(x *subject, b *billing) error {
	c := x.customer
	return t.cs.failures(b, t.days, func(f *failure, word uint32) error {
		worth, err := t.cs.worth(f.amount, t.cs.verdict(word).currency, f.day)
		if err != nil {
			return err
		}
		row := t.rows.of(f.day)
		t.sheet.total[row].add(c, f.outcome, worth, f.attempts)
		values, err := t.cs.valuesOf(x, word)
		for _, value := range values {
			t.sheet.part(value)[row].add(c, f.outcome, worth, f.attempts)
		}
		return err
	})
}

// bills counts invoices. The customer may be nil unless it has the breakdown value.
func (t *failureTally) bills(x *subject, b *billing) error {
	days, done := b.days[:len(b.words)], false // with the invoice
	for at, word := range b.words {
		if word&firstRow != 0 {
			done = false
		}
		day := days[at]
		if done || !t.cs.verdict(word).keeps || day < t.days.From || day > t.days.To {
			continue
		}
		done = true
		row := t.rows.of(day)
		t.sheet.total[row].Bills++
		if t.cs.split == nil {
			continue
		}
		values, err := t.cs.valuesOf(x, word)
		if err != nil {
			return err
		}
		for _, value := range values {
			t.sheet.part(value)[row].Bills++
		}
	}
	return nil
}

// FailureTableRow is one figure of one period.
type FailureTableRow struct {
	Date   calendar.Day
	Type   string // total_failed, recovered, still_unpaid, churned, failed_pct, recovery_rate or affected_customers
	Amount *int64 // nil for rates and counts
	Figure Ratio  // invoices for total_failed, customers for the other amounts and counts, percent for rates
	Value  *Value // of the breakdown; nil without one

	Compare *FailureTableRow // the figure that the query compares this one with; nil if none
}

// FailureTable computes the report cashflow-failed-payments-table: the figures
// of Failures one by one, with a breakdown those of its values that have any.
func FailureTable(s *Snapshot, q *Query) ([]FailureTableRow, error) {
	r, err := Failures(s, q.alone())
	if err != nil {
		return nil, err
	}
	var out []FailureTableRow
	for i := range r.Rows {
		row := &r.Rows[i]
		if r.Values == nil {
			out = row.list(out, &row.FailureMetrics, nil)
		}
		for v := range row.Breakdown {
			if m := &row.Breakdown[v]; m.FailedCount > 0 {
				out = row.list(out, m, &r.Values[v])
			}
		}
	}
	return out, compareFigures(s, q, out, FailureTable, func(row *FailureTableRow) (figure, **FailureTableRow) {
		return figure{row.Date, row.Type, row.Value.key()}, &row.Compare
	})
}

func (row *FailureRow) list(out []FailureTableRow, m *FailureMetrics, value *Value) []FailureTableRow {
	add := func(kind string, amount *int64, figure Ratio) {
		out = append(out, FailureTableRow{Date: row.Period.From, Type: kind, Amount: amount, Figure: figure, Value: value})
	}
	add("total_failed", &m.Failed, Ratio{Value: float64(m.FailedCount)})
	for i := range outcomes {
		add(ledger.Outcome(i).String(), &m.Amounts[i], Ratio{Value: float64(m.Customers[i])})
	}
	add("failed_pct", nil, m.FailedPct)
	add("recovery_rate", nil, m.RecoveryRate)
	add("affected_customers", nil, Ratio{Value: float64(m.Affected)})
	return out
}

// FailureDetail computes the report cashflow-failed-payments-detail: the
// invoices behind Failures one by one. Its errors are *ParamError and
// *fx.MissingRateError.
func FailureDetail(s *Snapshot, q *Query) (*PaymentReport, error) {
	outcome, all, err := selected(q, []ledger.Outcome{ledger.Recovered, ledger.StillUnpaid, ledger.Churned})
	if err != nil {
		return nil, err
	}
	list, err := newPaymentList(s, q, bills)
	if err != nil {
		return nil, err
	}
	err = list.cs.failing(func(x *subject, b *billing) error {
		list.subject = x
		return list.cs.failures(b, list.days, func(f *failure, word uint32) error {
			if !all && f.outcome != outcome {
				return nil
			}
			inv := &x.ledger.Invoices[f.invoice]
			return list.put(&payment{
				customer: x.customer, invoice: inv, amount: f.amount, day: f.day, plan: list.cs.planOf(word), line: -1, outcome: f.outcome,
			}, word)
		})
	})
	if err != nil {
		return nil, err
	}
	return list.report()
}

// FailureWindow is the failures of a running period and of as many days of the
// one before.
type FailureWindow struct {
	Now, Before FailureMetrics
}

// pointsBetween is by how many percentage points a rate changed; null if either is.
func pointsBetween(before, now Ratio) Ratio {
	if before.Null || now.Null {
		return null()
	}
	return Ratio{Value: rounded(now.Value-before.Value, 2)}
}

// UnpaidChange is the change of what is still unpaid, in percent.
func (w *FailureWindow) UnpaidChange() Ratio {
	return change(w.Before.Amounts[ledger.StillUnpaid], w.Now.Amounts[ledger.StillUnpaid])
}

// RecoveryChange is the change of the recovery rate in percentage points.
func (w *FailureWindow) RecoveryChange() Ratio {
	return pointsBetween(w.Before.RecoveryRate, w.Now.RecoveryRate)
}

// FailedChange is the change of the failure rate in percentage points.
func (w *FailureWindow) FailedChange() Ratio {
	return pointsBetween(w.Before.FailedPct, w.Now.FailedPct)
}

// FailureSummaryReport is the failures of the running periods.
type FailureSummaryReport struct {
	Month, Quarter, Year FailureWindow
}

// FailureSummary computes the reports cashflow-failed-payments-summary and
// cashflow-failure-rate-summary at the end of the range, but not after today.
// Its errors are *ParamError and *fx.MissingRateError.
func FailureSummary(s *Snapshot, q *Query) (*FailureSummaryReport, error) {
	w := newWindows(s, min(q.Range.To, s.Today))
	plain := *q
	plain.Breakdown = Dimension{}
	cs := newCashScan(s, &plain, bills, 1)
	var sums [windowSpans]FailureMetrics
	billed := w.perDay()
	err := cs.runs(func(b *billing) error {
		for _, row := range cs.standing(b, w.days) {
			billed[b.days[row]-w.days.From]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, n := range w.sums(billed) {
		sums[i].Bills = n
	}
	err = cs.failing(func(x *subject, b *billing) error {
		return cs.failures(b, w.days, func(f *failure, word uint32) error {
			worth, err := cs.worth(f.amount, cs.verdict(word).currency, f.day)
			for _, span := range w.of(f.day) {
				sums[span].add(x.customer, f.outcome, worth, f.attempts)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range sums {
		sums[i].close()
	}
	return &FailureSummaryReport{
		Month:   FailureWindow{Now: sums[monthToDate], Before: sums[monthToDate+1]},
		Quarter: FailureWindow{Now: sums[quarterToDate], Before: sums[quarterToDate+1]},
		Year:    FailureWindow{Now: sums[yearToDate], Before: sums[yearToDate+1]},
	}, nil
}

// AgeDays are the least days overdue of the classes of unpaid invoices.
var AgeDays = [...]int{0, 30, 60, 180, 365}

// OutstandingReport is what is unpaid by age, in the order of AgeDays, in minor
// units of the query's currency at today's rates.
type OutstandingReport struct {
	Unpaid [len(AgeDays)]int64
}

// Outstanding computes the report cashflow-outstanding-unpaid: open and failed
// invoices that were tried to be collected, by the days since they were due,
// else since they first failed. Its errors are *ParamError and
// *fx.MissingRateError.
func Outstanding(s *Snapshot, q *Query) (*OutstandingReport, error) {
	now := *q
	now.FixFX, now.Breakdown = false, Dimension{}
	cs := newCashScan(s, &now, bills, 1)
	cs.unpaid = true
	r := &OutstandingReport{}
	err := cs.failing(func(_ *subject, b *billing) error {
		return cs.failures(b, calendar.Range{From: calendar.NoDay, To: s.Today}, func(f *failure, word uint32) error {
			if !f.open {
				return nil
			}
			worth, err := cs.worth(f.amount, cs.verdict(word).currency, s.Today)
			r.Unpaid[ageClass(int(s.Today-f.due))] += worth
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ageClass is the place in AgeDays of a number of days overdue.
func ageClass(days int) int {
	class := 0
	for i, least := range AgeDays {
		if days >= least {
			class = i
		}
	}
	return class
}
