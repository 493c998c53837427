package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// slip is an invoice that failed, found by hand.
type slip struct {
	coin
	bill     calendar.Day // of the invoice
	due      calendar.Day
	outcome  string
	status   ledger.Status
	attempts int32
}

// slips lists the invoices that failed up to today, and all that could have.
func (b *books) slips(t *testing.T) (failed, bills []slip) {
	t.Helper()
	left := b.lastChurns(t)
	for i, events := range b.events {
		for j := range events {
			ev := &events[j]
			day := ev.Date.Day(b.Settings.Zone)
			if ev.Kind != ledger.Subscription && ev.Kind != ledger.OneTime || ev.Amount <= 0 || ev.Status == ledger.Void || day > b.Today {
				continue
			}
			x := ledger.Extra{}
			if ev.Extra != nil {
				x = *ev.Extra
			}
			c := coin{customer: b.Customers[i], id: ev.ID, day: day, amount: ev.Amount, currency: ev.Currency, plan: ev.Plan, method: b.Symbols[ev.Method], metered: ev.Pricing == ledger.Metered, discount: x.Discount > 0}
			for _, l := range x.Lines {
				c.discount = c.discount || l.Discount > 0
			}
			sl := slip{coin: c, bill: day, due: day, status: ev.Status, attempts: x.Attempts}
			bills = append(bills, sl)
			switch {
			case !x.FirstFailed.IsZero():
				sl.day = x.FirstFailed.Day(b.Settings.Zone)
			case ev.Status == ledger.Failed:
			case ev.Status != ledger.Paid && x.Attempts > 0:
			default:
				continue
			}
			if sl.day > b.Today {
				continue
			}
			if sl.due = sl.day; !x.DueDate.IsZero() {
				sl.due = x.DueDate.Day(b.Settings.Zone)
			}
			gone, churned := left[sl.customer]
			switch {
			case ev.Status == ledger.Paid:
				sl.outcome = "recovered"
			case churned && gone >= min(day, sl.day):
				sl.outcome = "churned"
			default:
				sl.outcome = "still_unpaid"
			}
			failed = append(failed, sl)
		}
	}
	return failed, bills
}

// lastChurns returns the day on which customers left who have not come back,
// as the movement table tells it.
func (b *books) lastChurns(t *testing.T) map[*Customer]calendar.Day {
	t.Helper()
	r, err := MovementTable(b.Snapshot, mustQuery(t, b.Snapshot, map[string][]string{"date": {"20200101-20300101"}, "order": {"asc"}}))
	if err != nil {
		t.Fatal(err)
	}
	left := map[*Customer]calendar.Day{}
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Type == ledger.Churn {
			left[row.Customer] = row.Date
		} else {
			delete(left, row.Customer)
		}
	}
	return left
}

// figures are those of one row by name.
type figures map[string]int64

// TestLaw_FailuresAreTheRowsCountedAgain recounts failed payments, their
// details, their summary and what is outstanding.
func TestLaw_FailuresAreTheRowsCountedAgain(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		b := newBooks(rng, s)
		withoutLines(b)
		failed, bills := b.slips(t)
		for _, ask := range cashAsks() {
			q := mustQuery(t, s, ask.params)
			r, err := Failures(s, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				want, got := map[string]figures{}, map[string]figures{}
				b.countFailures(t, q, &ask, row.Period, failed, bills, want)
				note(got, "", &row.FailureMetrics)
				for v := range row.Breakdown {
					note(got, r.Values[v].Key, &row.Breakdown[v])
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%v, %v (-counted +report):\n%s", ask.params, row.Period, diff)
				}
			}
			b.checkFailureDetail(t, q, &ask, failed)
		}
		b.checkOutstanding(t, failed)
		b.checkFailureSummary(t, failed, bills)
	})
}

// withoutLines replays the company without the lines of its invoices: an
// invoice of several plans counts under one of them, which is for its own test.
func withoutLines(b *books) {
	r := ledger.NewReplayer(b.Settings, b.Plans)
	for i, events := range b.events {
		for j := range events {
			if x := events[j].Extra; x != nil {
				x.Lines = nil
			}
		}
		if b.Customers[i] != nil {
			b.Customers[i].Ledger = r.Replay(events, 0, b.Today)
		}
	}
}

func (b *books) countFailures(t *testing.T, q *Query, ask *cashAsk, period calendar.Range, failed, bills []slip, to map[string]figures) {
	t.Helper()
	people := map[string]bool{}
	inside := func(d calendar.Day) bool { return period.From <= d && d <= period.To }
	add := func(value, name string, n int64) {
		if to[value] == nil {
			to[value] = figures{}
		}
		to[value][name] += n
	}
	for i := range bills {
		if sl := &bills[i]; inside(sl.bill) && ask.keep(b, &sl.coin) {
			for _, v := range append([]string{""}, ask.value(b, &sl.coin)...) {
				add(v, "bills", 1)
			}
		}
	}
	for i := range failed {
		sl := &failed[i]
		if !inside(sl.day) || !ask.keep(b, &sl.coin) {
			continue
		}
		worth := b.inBase(t, q, sl.amount, sl.currency, sl.day)
		for _, v := range append([]string{""}, ask.value(b, &sl.coin)...) {
			add(v, sl.outcome, worth)
			add(v, sl.outcome+" invoices", 1)
			add(v, "attempts", int64(sl.attempts))
			for _, kind := range []string{sl.outcome + " customers", "affected"} {
				if key := fmt.Sprint(v, kind, sl.customer.Source, sl.customer.ID); !people[key] {
					people[key] = true
					add(v, kind, 1)
				}
			}
		}
	}
	for _, f := range to {
		for name, n := range f {
			if n == 0 {
				delete(f, name)
			}
		}
	}
}

func note(to map[string]figures, value string, m *FailureMetrics) {
	f := figures{}
	add := func(name string, n int64) {
		if n != 0 {
			f[name] = n
		}
	}
	for i := range outcomes {
		name := ledger.Outcome(i).String()
		add(name, m.Amounts[i])
		add(name+" invoices", m.Invoices[i])
		add(name+" customers", m.Customers[i])
	}
	add("attempts", m.Attempts)
	add("affected", m.Affected)
	add("bills", m.Bills)
	if len(f) > 0 {
		to[value] = f
	}
}

func (b *books) checkFailureDetail(t *testing.T, q *Query, ask *cashAsk, failed []slip) {
	t.Helper()
	r, err := FailureDetail(b.Snapshot, q)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range failed {
		sl := &failed[i]
		if sl.day < r.Days.From || sl.day > r.Days.To || !ask.keep(b, &sl.coin) {
			continue
		}
		values := ask.value(b, &sl.coin)
		if q.Breakdown == (Dimension{}) {
			values = []string{""}
		}
		for _, v := range values {
			want = append(want, fmt.Sprintln(sl.day, sl.id, sl.amount, b.inBase(t, q, sl.amount, sl.currency, sl.day), sl.outcome, sl.attempts, v))
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		got = append(got, fmt.Sprintln(row.Date, row.Ref, row.Amount, row.AmountBase, row.Outcome, row.Attempts, row.BreakdownValue))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%v (-counted +detail):\n%s", ask.params, diff)
	}
}

func (b *books) checkOutstanding(t *testing.T, failed []slip) {
	t.Helper()
	q := mustQuery(t, b.Snapshot, map[string][]string{"baseCurrency": {"eur"}})
	r, err := Outstanding(b.Snapshot, q)
	if err != nil {
		t.Fatal(err)
	}
	var want OutstandingReport
	for i := range failed {
		sl := &failed[i]
		if sl.status != ledger.Open && sl.status != ledger.Failed {
			continue
		}
		days := int(b.Today - sl.due)
		class := 0
		switch {
		case days >= 365:
			class = 4
		case days >= 180:
			class = 3
		case days >= 60:
			class = 2
		case days >= 30:
			class = 1
		}
		want.Unpaid[class] += b.inBase(t, q, sl.amount, sl.currency, b.Today)
	}
	if diff := cmp.Diff(&want, r); diff != "" {
		t.Fatalf("outstanding (-counted +report):\n%s", diff)
	}
}

func (b *books) checkFailureSummary(t *testing.T, failed, bills []slip) {
	t.Helper()
	q := mustQuery(t, b.Snapshot, nil)
	r, err := FailureSummary(b.Snapshot, q)
	if err != nil {
		t.Fatal(err)
	}
	y, m, _ := b.Today.YMD()
	everything := cashAsks()[0]
	for _, span := range []struct {
		name        string
		start       calendar.Day
		months      int
		now, before *FailureMetrics
	}{
		{"month", calendar.Date(y, m, 1), 1, &r.Month.Now, &r.Month.Before},
		{"quarter", calendar.Date(y, (m-1)/3*3+1, 1), 3, &r.Quarter.Now, &r.Quarter.Before},
		{"year", calendar.Date(y, 1, 1), 12, &r.Year.Now, &r.Year.Before},
	} {
		from := span.start.AddMonths(-span.months)
		for got, days := range map[*FailureMetrics]calendar.Range{
			span.now: {From: span.start, To: b.Today}, span.before: {From: from, To: min(span.start-1, from+b.Today-span.start)},
		} {
			counted, reported := map[string]figures{}, map[string]figures{}
			b.countFailures(t, q, &everything, days, failed, bills, counted)
			note(reported, "", got)
			if diff := cmp.Diff(counted, reported); diff != "" {
				t.Fatalf("%s, %v (-counted +report):\n%s", span.name, days, diff)
			}
		}
	}
}

// TestLaw_RefundsAreTheRowsCountedAgain recounts refunds and their details.
func TestLaw_RefundsAreTheRowsCountedAgain(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		b := newBooks(rng, s)
		var given []coin
		for _, c := range b.coins() {
			if c.kind == "refund" {
				given = append(given, c)
			}
		}
		for _, ask := range cashAsks() {
			q := mustQuery(t, s, ask.params)
			r, err := Refunds(s, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				want, got := map[string]figures{}, map[string]figures{}
				people := map[string]bool{}
				for j := range given {
					c := &given[j]
					if c.day < row.Period.From || c.day > row.Period.To || !ask.keep(b, c) {
						continue
					}
					for _, v := range append([]string{""}, ask.value(b, c)...) {
						if want[v] == nil {
							want[v] = figures{}
						}
						want[v]["amount"] -= b.inBase(t, q, c.amount, c.currency, c.day)
						want[v]["count"]++
						if key := fmt.Sprint(v, c.customer.Source, c.customer.ID); !people[key] {
							people[key] = true
							want[v]["customers"]++
						}
					}
				}
				put := func(value string, m *RefundMetrics) {
					if m.Count > 0 {
						got[value] = figures{"amount": m.Amount, "count": m.Count, "customers": m.Customers}
					}
				}
				put("", &row.RefundMetrics)
				for v := range row.Breakdown {
					put(r.Values[v].Key, &row.Breakdown[v])
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%v, %v (-counted +report):\n%s", ask.params, row.Period, diff)
				}
			}
			b.checkRefundDetail(t, q, &ask, given)
		}
	})
}

func (b *books) checkRefundDetail(t *testing.T, q *Query, ask *cashAsk, given []coin) {
	t.Helper()
	r, err := RefundDetail(b.Snapshot, q)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range given {
		c := &given[i]
		if c.day < r.Days.From || c.day > r.Days.To || !ask.keep(b, c) {
			continue
		}
		values := ask.value(b, c)
		if q.Breakdown == (Dimension{}) {
			values = []string{""}
		}
		for _, v := range values {
			want = append(want, fmt.Sprintln(c.day, c.id, -c.amount, -b.inBase(t, q, c.amount, c.currency, c.day), v))
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		got = append(got, fmt.Sprintln(row.Date, row.Ref, row.Amount, row.AmountBase, row.BreakdownValue))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%v (-counted +detail):\n%s", ask.params, diff)
	}
}
