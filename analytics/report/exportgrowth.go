package report

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// GrowthExportRow is the MRR that has moved since the start of a month.
type GrowthExportRow struct {
	Date       calendar.Day
	Cumulative int64 // minor units of the query's currency
}

// GrowthExport lists the growth of every day of the calendar months that the
// range reaches, up to today. A month that the range enters after its first day
// is left out, since its sum would not start at zero. Its errors are those of
// MRRGrowth.
func GrowthExport(s *Snapshot, q *Query) ([]GrowthExportRow, error) {
	counts, err := q.growthTypes()
	if err != nil {
		return nil, err
	}
	days := q.Range
	if month := calendar.PeriodOf(days.From, calendar.UnitMonth, s.WeekStart); month.From < days.From {
		days.From = month.To + 1
	}
	r := &GrowthReport{Days: newGrowth(s, days)}
	sc := newScan(s, q)
	if err := sc.customers(func(x *subject) error { return sc.grow(x, r, &counts) }); err != nil {
		return nil, err
	}
	rows := make([]GrowthExportRow, len(r.Days))
	sum := int64(0)
	for i := range r.Days {
		day := r.Days[i].Date
		if calendar.PeriodOf(day, calendar.UnitMonth, s.WeekStart).From == day {
			sum = 0
		}
		sum += r.Days[i].Net
		rows[i] = GrowthExportRow{Date: day, Cumulative: sum}
	}
	return rows, nil
}
