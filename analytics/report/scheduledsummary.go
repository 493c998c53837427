package report

import (
	"math/big"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// ScheduledSummaryReport is what is going to be lost as it is known today and as
// it was known before. Amounts are minor units of the query's currency.
type ScheduledSummaryReport struct {
	Current int64                   // all scheduled churn and contraction, 0 or negative
	Ago     [len(SummaryDays)]int64 // cancellations that were pending so many days ago, in order of SummaryDays, 0 or negative

	MRRAtRisk     int64 // today's MRR of the subscriptions that a cancellation is pending for, positive
	Subscriptions int64 // how many they are
	DaysToCancel  Ratio // mean of the days until they end, one decimal; null without any
}

// ChurnScheduledSummary computes the report churn-scheduled-summary. It looks
// back from today, whatever the range is. Invoices for the future do not say
// since when they are known: they count in Current alone. Its errors are
// *ParamError and *fx.MissingRateError.
func ChurnScheduledSummary(s *Snapshot, q *Query) (*ScheduledSummaryReport, error) {
	plain := *q
	plain.Breakdown, plain.BreakdownValue, plain.SelectedDate = Dimension{}, nil, calendar.NoDay
	plain.Committed, plain.DateGiven, plain.UnitGiven = true, true, false
	plain.Range.To = calendar.Never - 1
	ahead, err := losses(s, &plain, calendar.Range{From: s.Today + 1, To: calendar.Never - 1})
	if err != nil {
		return nil, err
	}
	r := &ScheduledSummaryReport{}
	for i := range ahead.found {
		r.Current += ahead.found[i].base
	}
	sc := newScan(s, &plain)
	days, oldest := int64(0), s.Today-calendar.Day(SummaryDays[len(SummaryDays)-1])
	err = sc.customers(func(x *subject) error {
		if x.pending <= oldest {
			return nil
		}
		l := x.ledger
		for i := range l.Endings {
			e := &l.Endings[i]
			for n, back := range SummaryDays {
				mrr, err := sc.pending(l, e, s.Today-calendar.Day(back))
				if err != nil {
					return err
				}
				r.Ago[n] -= mrr
			}
			if e.Voided.Valid() { // if only in the future, it will not be lost
				continue
			}
			mrr, err := sc.pending(l, e, s.Today)
			if err != nil {
				return err
			}
			if mrr > 0 {
				r.MRRAtRisk += mrr
				r.Subscriptions++
				days += int64(e.End - s.Today)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.DaysToCancel = null()
	if r.Subscriptions > 0 {
		r.DaysToCancel = Ratio{Value: toDecimals(big.NewRat(days, r.Subscriptions), 1)}
	}
	return r, nil
}

// pending is what a stream is worth within the view at the end of a day on which
// its end has been asked for and is still to come, else 0.
func (sc *scan) pending(l *ledger.Ledger, e *ledger.Ending, day calendar.Day) (int64, error) {
	if e.Cause != ledger.ByCancellation || e.Request > day || e.End <= day || e.Voided.Valid() && e.Voided <= day {
		return 0, nil
	}
	sum := int64(0)
	for slot := range l.Slots {
		if l.Slots[slot].Stream != e.Stream {
			continue
		}
		_, st := around(l, int32(slot), day)
		if st == nil || sc.match != nil && !sc.match(st) {
			continue
		}
		worth, err := sc.rates.convert(st.MRR, st.Currency, day)
		if err != nil {
			return 0, err
		}
		sum += worth
	}
	return sum, nil
}

// pendingUntil is the last day before which some end that was asked for is or was
// still to come, NoDay if none ever was.
func pendingUntil(l *ledger.Ledger) calendar.Day {
	until := calendar.NoDay
	for i := range l.Endings {
		if e := &l.Endings[i]; e.Cause == ledger.ByCancellation {
			until = max(until, e.End)
		}
	}
	return until
}
