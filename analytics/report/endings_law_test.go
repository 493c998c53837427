package report

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// The values of a breakdown add up to the reasons, the reasons that somebody
// asked for to the timing, and the single cancellations to each class of it.
func TestLaw_Cancellations(t *testing.T) {
	t.Parallel()
	seen := int64(0)
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for range 4 {
			params := randomParams(rng, allBreakdowns)
			q := mustQuery(t, s, params)
			q.AsCash()
			reasons, err := ChurnReasons(s, q)
			if err != nil {
				t.Fatalf("ChurnReasons(%v): %v", params, err)
			}
			var all EndingMetrics
			for i := range reasons.Rows {
				row := &reasons.Rows[i]
				all.Cancellations += row.Cancellations
				all.MRR += row.MRR
				addsUp(t, q, "ChurnReasons "+row.Reason, &row.EndingMetrics, row.Breakdown)
				if row.Cancellations == 0 || row.Customers == 0 || row.MRR < 0 || row.Customers > row.Cancellations {
					t.Fatalf("ChurnReasons(%v): %+v", params, row)
				}
			}
			comments, err := ChurnReasonsSummary(s, q)
			if err != nil || comments.Cancellations != all.Cancellations {
				t.Fatalf("ChurnReasonsSummary(%v): %+v, %v; the reasons are of %d", params, comments, err, all.Cancellations)
			}
			seen += all.Cancellations
			timingLaw(t, s, q, reasons)
		}
	})
	if seen == 0 {
		t.Error("nobody gave anything up")
	}
}

// timingLaw compares the times of cancellations with the single ones and with
// the reasons.
func timingLaw(t *testing.T, s *Snapshot, q *Query, reasons *ChurnReasonReport) {
	t.Helper()
	plain := *q
	plain.Breakdown, plain.Groups = Dimension{}, nil
	timing, err := CancellationTiming(s, q)
	if err != nil {
		t.Fatal(err)
	}
	var asked, derived int64
	for i := range timing.Rows {
		row := &timing.Rows[i]
		asked += row.Cancellations
		addsUp(t, q, "CancellationTiming "+row.Bucket.String(), &row.EndingMetrics, row.Breakdown)
		plain.Selected = row.Bucket.String()
		detail, err := CancellationTimingDetail(s, &plain)
		if err != nil {
			t.Fatal(err)
		}
		var mrr int64
		for _, c := range detail.Rows {
			mrr += c.MRRBase
			if TimingBuckets[bucketOf(c.DaysBeforeEnd)] != row.Bucket || !q.Range.Contains(c.Requested) {
				t.Fatalf("CancellationTimingDetail %v: %+v", row.Bucket, c)
			}
		}
		if int64(detail.Count) != row.Cancellations || mrr != row.MRR {
			t.Fatalf("CancellationTiming %v: %d of %d, the list has %d of %d", row.Bucket, row.Cancellations, row.MRR, detail.Count, mrr)
		}
	}
	all := int64(0)
	for i := range reasons.Rows {
		all += reasons.Rows[i].Cancellations
		if r := reasons.Rows[i].Reason; r == reasonExpired || r == reasonPaymentFailed {
			derived += reasons.Rows[i].Cancellations
		}
	}
	if asked+derived != all {
		t.Fatalf("%d asked for and %d that nobody asked for of %d", asked, derived, all)
	}
}

// addsUp checks that the values of a breakdown are all of a row, where each
// subscription has one.
func addsUp(t *testing.T, q *Query, what string, whole *EndingMetrics, parts []EndingMetrics) {
	t.Helper()
	if parts == nil || q.Breakdown.ofState() {
		return
	}
	var sum EndingMetrics
	for i := range parts {
		sum.Cancellations += parts[i].Cancellations
		sum.MRR += parts[i].MRR
	}
	if sum.Cancellations != whole.Cancellations || sum.MRR != whole.MRR {
		t.Fatalf("%s by %s: %+v, the values are %d of %d", what, q.Breakdown.Name(), whole, sum.Cancellations, sum.MRR)
	}
}

// Of a customer with one subscription, what the cancellations took away is its
// churn of their days, to the cent, and all that nobody asked for is among them.
func TestLaw_CancellationsAreTheChurn(t *testing.T) {
	t.Parallel()
	lost := 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for _, c := range s.Customers {
			if c == nil || slices.ContainsFunc(c.Ledger.Slots, func(slot ledger.Slot) bool { return slot.Stream != c.Ledger.Slots[0].Stream }) {
				continue
			}
			q := mustQuery(t, s, map[string][]string{
				"customer": {c.ID}, "date": {"2023-01-01:2026-12-31"}, "baseCurrency": {[]string{"usd", "eur"}[rng.IntN(2)]},
			})
			reasons, err := ChurnReasons(s, q)
			if err != nil {
				t.Fatal(err)
			}
			moves := movementsUntil(t, s, q)
			var want, got int64
			for i := range reasons.Rows {
				got += reasons.Rows[i].MRR
			}
			for i := range moves {
				m := &moves[i]
				of := func(e ledger.Ending) bool { return e.End == m.Date && !e.Voided.Valid() }
				ended := slices.ContainsFunc(c.Ledger.Endings, of) || m.Subtype == ledger.SubExpired || m.Subtype == ledger.SubInvoluntary
				if m.Type == ledger.Churn && m.Customer == c && ended && !unasked(c.Ledger, m.Date) {
					want -= m.ChangeBase
					lost++
				}
			}
			// The same id in another data source is another customer.
			if slices.ContainsFunc(s.Customers, func(o *Customer) bool { return o != nil && o != c && o.ID == c.ID }) {
				continue
			}
			if got != want {
				t.Fatalf("customer %s gave up %d, its churn is %d", c.ID, got, want)
			}
		}
	})
	if lost == 0 {
		t.Error("nobody churned")
	}
}

// movementsUntil lists the movements of the range, and those that are scheduled.
func movementsUntil(t *testing.T, s *Snapshot, q *Query) []MovementRow {
	t.Helper()
	var all []MovementRow
	for _, committed := range []bool{false, true} {
		table := *q
		table.Committed = committed
		r, err := MovementTable(s, &table)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Rows...)
	}
	return all
}

// unasked reports whether a churn is the end of a request that is still to be
// made: it counts once it is.
func unasked(l *ledger.Ledger, day calendar.Day) bool {
	return slices.ContainsFunc(l.Endings, func(e ledger.Ending) bool { return e.End == day && e.Request > l.Today })
}

// What is scheduled in all is what churn-scheduled has for the years to come, and
// what is at risk is pending.
func TestLaw_ScheduledSummary(t *testing.T) {
	t.Parallel()
	pending := int64(0)
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		delete(params, "fix_fx") // the two ranges begin on different days
		params["interval"], params["date"] = []string{"year"}, []string{"2024-01-01:2060-12-31"}
		q := mustQuery(t, s, params)
		summary, err := ChurnScheduledSummary(s, q)
		if err != nil {
			t.Fatalf("ChurnScheduledSummary(%v): %v", params, err)
		}
		q.Breakdown, q.Groups = Dimension{}, nil
		years, err := ChurnScheduled(s, q)
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for i := range years.Rows {
			sum += years.Rows[i].TotalMRR
		}
		if sum != summary.Current {
			t.Fatalf("ChurnScheduledSummary(%v): %d, the years have %d", params, summary.Current, sum)
		}
		if summary.MRRAtRisk < 0 || (summary.Subscriptions == 0) != summary.DaysToCancel.Null || (summary.MRRAtRisk > 0) != (summary.Subscriptions > 0) {
			t.Fatalf("ChurnScheduledSummary(%v): %+v", params, summary)
		}
		pending += summary.Subscriptions
		if want := pendingThen(t, s, q); summary.Ago != want {
			t.Fatalf("ChurnScheduledSummary(%v): %v some time ago, the ledgers say %v", params, summary.Ago, want)
		}
	})
	if pending == 0 && companies(t) > 50 { // a few companies may have none
		t.Error("no company had a pending cancellation")
	}
}

// pendingThen is what the ledgers say was asked to end, and had not ended, so many
// days ago.
func pendingThen(t *testing.T, s *Snapshot, q *Query) (ago [len(SummaryDays)]int64) {
	t.Helper()
	sc := newScan(s, q)
	for _, c := range s.Customers {
		if !sc.sel.customer(c) {
			continue
		}
		for n, back := range SummaryDays {
			day := s.Today - calendar.Day(back)
			latest := c.Ledger.Latest(day)
			for _, e := range c.Ledger.Endings {
				if e.Cause != ledger.ByCancellation || e.Request > day || e.End <= day || e.Voided.Valid() && e.Voided <= day {
					continue
				}
				for slot, st := range latest {
					if st == nil || c.Ledger.Slots[slot].Stream != e.Stream || sc.match != nil && !sc.match(st) {
						continue
					}
					worth, err := sc.rates.convert(st.MRR, st.Currency, day)
					if err != nil {
						t.Fatal(err)
					}
					ago[n] -= worth
				}
			}
		}
	}
	return ago
}
