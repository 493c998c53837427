package report

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// SummaryDays are how many days before its anchor a summary looks back.
var SummaryDays = [...]int{30, 60, 180, 365}

// Headline is the state of the account at the end of one day.
type Headline struct {
	MRR, ARR    int64 // minor units of the query's currency
	Subscribers int64 // paying customers
	ARPA        int64 // 0 without any
}

// Past is an earlier headline with the change from it until now, in percent;
// null where the earlier value is 0.
type Past struct {
	Headline
	MRRChange, ARRChange, SubscribersChange, ARPAChange Ratio
}

// SummaryReport is the state at the anchor and so many days before it.
type SummaryReport struct {
	Anchor calendar.Day
	Now    Headline
	Past   [len(SummaryDays)]Past // in order of SummaryDays
}

// Summary computes the report summary. The range only moves the anchor: its
// last day, but not after today. Errors are *ParamError and *fx.MissingRateError.
func Summary(s *Snapshot, q *Query) (*SummaryReport, error) {
	anchor := min(q.Range.To, s.Today)
	var days [len(SummaryDays) + 1]calendar.Day // oldest first, the anchor last
	for i, n := range SummaryDays {
		days[len(SummaryDays)-1-i] = anchor - calendar.Day(n)
	}
	days[len(SummaryDays)] = anchor

	var at [len(days)]Headline
	var now [len(days)]balanceAt
	when := points{ends: days[:], rateDays: days[:]}
	sc := newScan(s, q)
	err := sc.customers(func(x *subject) error {
		moves, foreign, err := sc.movements(x, sc.match)
		if err != nil {
			return err
		}
		if err := sc.balances(x, sc.match, moves, foreign, &when, now[:]); err != nil {
			return err
		}
		for i := range now {
			at[i].MRR += now[i].level
			if now[i].live {
				at[i].Subscribers++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range at {
		at[i].ARR = 12 * at[i].MRR
		at[i].ARPA = perCustomer(at[i].MRR, at[i].Subscribers)
	}
	r := &SummaryReport{Anchor: anchor, Now: at[len(SummaryDays)]}
	for i := range SummaryDays {
		r.Past[i] = since(at[len(SummaryDays)-1-i], r.Now)
	}
	return r, nil
}

func since(then, now Headline) Past {
	return Past{
		Headline:          then,
		MRRChange:         change(then.MRR, now.MRR),
		ARRChange:         change(then.ARR, now.ARR),
		SubscribersChange: change(then.Subscribers, now.Subscribers),
		ARPAChange:        change(then.ARPA, now.ARPA),
	}
}
