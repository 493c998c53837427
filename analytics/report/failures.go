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

// failures calls visit with every invoice that failed first within the days, and
// that is still unpaid if that is what the scan is for.
func (cs *cashScan) failures(x *subject, days calendar.Range, visit func(inv *ledger.Invoice, f *ledger.Failure, plan ledger.PlanRef) error) error {
	if !x.failures {
		return nil
	}
	l := x.ledger
	for i := range l.Failures {
		f := &l.Failures[i]
		if f.Day < days.From || f.Day > days.To || cs.unpaid && f.Outcome == ledger.Recovered {
			continue
		}
		inv := &l.Invoices[f.Invoice]
		plan := cs.planOf(l, inv)
		if !cs.passes(l, inv, plan) {
			continue
		}
		if err := visit(inv, f, plan); err != nil {
			return err
		}
	}
	return nil
}

// attempts is how often an invoice was tried to be collected, as stated.
func attempts(l *ledger.Ledger, inv *ledger.Invoice) int32 {
	if _, x := l.Rare(inv); x != nil {
		return x.Attempts
	}
	return 0
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
		cs: newCashScan(s, q, periods[0].From, len(periods)), rows: newRows(periods), sheet: newSheet[FailureMetrics](len(periods) + 1),
	}
	t.days = calendar.Range{From: t.rows.from, To: min(s.Today, periods[len(periods)-1].To)}
	if err := t.cs.customers(t.add); err != nil {
		return nil, err
	}
	order, values := t.cs.valueList()
	r := &FailureReport{Values: values, Rows: make([]FailureRow, len(periods))}
	for i := range r.Rows {
		r.Rows[i] = FailureRow{Period: periods[i], FailureMetrics: t.sheet.total[i+1]}
		r.Rows[i].close()
		for _, v := range order {
			m := t.sheet.part(v)[i+1]
			m.close()
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, m)
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

func (t *failureTally) add(x *subject) error {
	c := x.customer
	if err := t.bills(x); err != nil {
		return err
	}
	return t.cs.failures(x, t.days, func(inv *ledger.Invoice, f *ledger.Failure, plan ledger.PlanRef) error {
		worth, err := t.cs.worth(inv.Amount, inv.Currency, f.Day)
		if err != nil {
			return err
		}
		row, tries := t.rows.of(f.Day), attempts(x.ledger, inv)
		t.sheet.total[row].add(c, f.Outcome, worth, tries)
		values, err := t.cs.valuesOf(c, inv, plan)
		for _, v := range values {
			t.sheet.part(v)[row].add(c, f.Outcome, worth, tries)
		}
		return err
	})
}

// bills counts the customer's invoices.
func (t *failureTally) bills(x *subject) error {
	c, l := x.customer, x.ledger
	plain := t.cs.match == nil && t.cs.split == nil
	for i := range l.Invoices {
		inv := &l.Invoices[i]
		if inv.Day < t.days.From || inv.Day > t.days.To || !isBill(inv) {
			continue
		}
		row := t.rows.of(inv.Day)
		if plain {
			t.sheet.total[row].Bills++
			continue
		}
		plan := t.cs.planOf(l, inv)
		if !t.cs.passes(l, inv, plan) {
			continue
		}
		t.sheet.total[row].Bills++
		values, err := t.cs.valuesOf(c, inv, plan)
		if err != nil {
			return err
		}
		for _, v := range values {
			t.sheet.part(v)[row].Bills++
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
	list, err := newPaymentList(s, q)
	if err != nil {
		return nil, err
	}
	err = list.cs.customers(func(x *subject) error {
		return list.cs.failures(x, list.days, func(inv *ledger.Invoice, f *ledger.Failure, plan ledger.PlanRef) error {
			if !all && f.Outcome != outcome {
				return nil
			}
			return list.put(&payment{customer: x.customer, invoice: inv, amount: inv.Amount, day: f.Day, plan: plan, line: -1, outcome: f.Outcome})
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
	cs := newCashScan(s, &plain, w.days.From, 1)
	var sums [windowSpans]FailureMetrics
	err := cs.customers(func(x *subject) error {
		c, l := x.customer, x.ledger
		for i := range l.Invoices {
			inv := &l.Invoices[i]
			spans := w.of(inv.Day)
			if spans == nil || !isBill(inv) || cs.match != nil && !cs.passes(l, inv, cs.planOf(l, inv)) {
				continue
			}
			for _, span := range spans {
				sums[span].Bills++
			}
		}
		return cs.failures(x, w.days, func(inv *ledger.Invoice, f *ledger.Failure, _ ledger.PlanRef) error {
			worth, err := cs.worth(inv.Amount, inv.Currency, f.Day)
			for _, span := range w.of(f.Day) {
				sums[span].add(c, f.Outcome, worth, attempts(l, inv))
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
	cs := newCashScan(s, &now, s.Today, 1)
	r := &OutstandingReport{}
	cs.unpaid = true
	err := cs.customers(func(x *subject) error {
		l := x.ledger
		return cs.failures(x, calendar.Range{From: calendar.NoDay, To: s.Today}, func(inv *ledger.Invoice, f *ledger.Failure, _ ledger.PlanRef) error {
			if inv.Status != ledger.Open && inv.Status != ledger.Failed {
				return nil
			}
			worth, err := cs.worth(inv.Amount, inv.Currency, s.Today)
			r.Unpaid[ageClass(int(s.Today-cs.overdue(l, inv, f)))] += worth
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// overdue is the day since which a failed invoice is: as stated, else that of its
// first failure.
func (cs *cashScan) overdue(l *ledger.Ledger, inv *ledger.Invoice, f *ledger.Failure) calendar.Day {
	if _, x := l.Rare(inv); x != nil && !x.DueDate.IsZero() {
		return x.DueDate.Day(cs.s.Settings.Zone)
	}
	return f.Day
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
