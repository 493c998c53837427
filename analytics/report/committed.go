package report

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// CMRRReport is MRR at the end of today with scheduled movements, in minor units
// of the query's currency at today's rates.
type CMRRReport struct {
	MRR     int64                   // without any
	Current int64                   // with all of them
	Ahead   [len(SummaryDays)]int64 // with those of so many coming days, in order of SummaryDays
}

// CMRRSummary computes the report cmrr-summary. It looks ahead from today,
// whatever the range is. Errors are *ParamError and *fx.MissingRateError.
func CMRRSummary(s *Snapshot, q *Query) (*CMRRReport, error) {
	days := [len(SummaryDays) + 2]calendar.Day{s.Today}
	for i, n := range SummaryDays {
		days[i+1] = s.Today + calendar.Day(n)
	}
	days[len(days)-1] = calendar.Never - 1

	var sums [len(days)]int64
	var at [len(days)]balanceAt
	when := points{ends: days[:], rateDays: days[:]}
	sc := newScan(s, q)
	sc.horizon = days[len(days)-1]
	err := sc.customers(func(x *subject) error {
		moves, foreign, err := sc.movements(x, sc.match)
		if err != nil {
			return err
		}
		if err := sc.balances(x, sc.match, moves, foreign, &when, at[:]); err != nil {
			return err
		}
		for i := range at {
			sums[i] += at[i].level
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := &CMRRReport{MRR: sums[0], Current: sums[len(sums)-1]}
	copy(r.Ahead[:], sums[1:])
	return r, nil
}
