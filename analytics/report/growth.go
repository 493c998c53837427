package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// GrowthDay is what moved on one day of a month. Amounts are minor units of the
// query's currency; types that do not count are 0.
type GrowthDay struct {
	Date       calendar.Day
	Amount     [len(ledger.Types) + 1]int64 // by ledger.Type
	Net        int64                        // the sum of them
	Cumulative int64                        // the sum of Net since the start of the month
}

// GrowthReport is the movements of each day of a month and of one to compare it
// with. Days after today are left out.
type GrowthReport struct {
	Days    []GrowthDay
	Compare []GrowthDay
}

// GrowthRow is the growth until one day of the month.
type GrowthRow struct {
	Day        int // of the month; 0 is the start
	Cumulative int64
	Compare    int64 // on the same day of the other month, or its last value
}

// Rows lays the two months beside each other, from day 0 on.
func (r *GrowthReport) Rows() []GrowthRow {
	rows := make([]GrowthRow, 1, len(r.Days)+1)
	for i := range r.Days {
		row := GrowthRow{Day: i + 1, Cumulative: r.Days[i].Cumulative}
		if n := len(r.Compare); n > 0 {
			row.Compare = r.Compare[min(i, n-1)].Cumulative
		}
		rows = append(rows, row)
	}
	return rows
}

// MRRGrowth computes the reports mrr-growth and mrr-growth-table for the month
// that the range ends in, but none after today's. Its errors are *ParamError and
// *fx.MissingRateError.
func MRRGrowth(s *Snapshot, q *Query) (*GrowthReport, error) {
	counts, err := q.growthTypes()
	if err != nil {
		return nil, err
	}
	month := calendar.PeriodOf(min(q.Range.To, s.Today), calendar.UnitMonth, s.WeekStart)
	other, err := q.compareMonth(s, month)
	if err != nil {
		return nil, err
	}
	r := &GrowthReport{Days: newGrowth(s, month), Compare: newGrowth(s, other)}
	sc := newScan(s, q)
	if err := sc.customers(func(x *subject) error { return sc.grow(x, r, &counts) }); err != nil {
		return nil, err
	}
	accumulate(r.Days)
	accumulate(r.Compare)
	return r, nil
}

// newGrowth returns the days of a month up to today.
func newGrowth(s *Snapshot, month calendar.Range) []GrowthDay {
	var days []GrowthDay
	for d := month.From; d <= min(month.To, s.Today); d++ {
		days = append(days, GrowthDay{Date: d})
	}
	return days
}

// grow adds one customer's movements to the days on which they happened.
func (sc *scan) grow(x *subject, r *GrowthReport, counts *[len(ledger.Types) + 1]bool) error {
	moves, foreign, err := sc.movements(x, sc.match)
	if err != nil {
		return err
	}
	for i := range moves {
		m := &moves[i]
		if m.Day > sc.horizon {
			break
		}
		day, compared := growthDay(r.Days, m.Day), growthDay(r.Compare, m.Day)
		if day == nil && compared == nil {
			continue
		}
		delta := m.After - m.Before
		if foreign {
			if delta, err = sc.delta(x, m, sc.match); err != nil {
				return err
			}
		}
		t := typed(m.Type, delta)
		if !counts[t] {
			continue
		}
		for _, d := range [...]*GrowthDay{day, compared} {
			if d != nil {
				d.Amount[t] += delta
				d.Net += delta
			}
		}
	}
	return nil
}

func growthDay(days []GrowthDay, d calendar.Day) *GrowthDay {
	if len(days) == 0 || d < days[0].Date || d > days[len(days)-1].Date {
		return nil
	}
	return &days[d-days[0].Date]
}

func accumulate(days []GrowthDay) {
	sum := int64(0)
	for i := range days {
		sum += days[i].Net
		days[i].Cumulative = sum
	}
}

// growthTypes reads which movement types count; None never does.
func (q *Query) growthTypes() (counts [len(ledger.Types) + 1]bool, err error) {
	words := strings.FieldsFunc(q.Own.Types, func(r rune) bool { return isSeparator(r) || r == '~' })
	for _, t := range ledger.Types {
		counts[t] = len(words) == 0
	}
	for _, word := range words {
		i := slices.IndexFunc(ledger.Types[:], func(t ledger.Type) bool { return t.String() == word })
		if i < 0 {
			return counts, &ParamError{"types", fmt.Sprintf("%q is not one of new, expansion, contraction, churn, reactivation", word)}
		}
		counts[ledger.Types[i]] = true
	}
	return counts, nil
}

// compareMonth reads the month to compare with, by default the one before.
func (q *Query) compareMonth(s *Snapshot, month calendar.Range) (calendar.Range, error) {
	if q.Own.CompareMonth == "" {
		return calendar.Shift(month, calendar.UnitMonth, -1), nil
	}
	first, err := calendar.ParseDay(q.Own.CompareMonth + "-01")
	if err != nil {
		return calendar.Range{}, &ParamError{"compareMonth", fmt.Sprintf("%q is not a month such as 2026-01", q.Own.CompareMonth)}
	}
	return calendar.PeriodOf(first, calendar.UnitMonth, s.WeekStart), nil
}
