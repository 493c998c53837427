package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// queryToWire says how a query was understood.
func queryToWire(s *report.Snapshot, q *report.Query) wire.ReportQuery {
	return wire.ReportQuery{
		From: q.Range.From.String(), To: q.Range.To.String(), Interval: wire.Interval(q.Unit.String()), Timezone: s.Settings.Zone.String(),
		FixFx: q.FixFX, Committed: q.Committed, Breakdown: breakdownName(q), Compare: textOrNull(q.Compare.String()), Filters: q.FilterValues(),
	}
}

// movementQueryToWire is queryToWire for lists of movements, which have subtypes.
func movementQueryToWire(s *report.Snapshot, q *report.Query) wire.ReportQuery {
	out := queryToWire(s, q)
	if name, value, ok := q.SubtypeFilter(); ok {
		out.Filters[name] = value
	}
	return out
}

func breakdownName(q *report.Query) *string {
	if q.Breakdown == (report.Dimension{}) {
		return nil
	}
	name := q.Breakdown.Name()
	return &name
}

// ratioToWire points at the figure, nil for one without a value.
func ratioToWire(r *report.Ratio) *float64 {
	if r.Null {
		return nil
	}
	return &r.Value
}

// textOrNull returns nil for "".
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	text := s // s itself would be allocated in either case
	return &text
}

// textIn is textOrNull for lists of thousands: it points at the text.
func textIn(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// dayTexts are days as they are written.
type dayTexts map[calendar.Day]string

func (t dayTexts) of(day calendar.Day) string {
	text, ok := t[day]
	if !ok {
		text = day.String()
		t[day] = text
	}
	return text
}

// tableToWire converts the rows of a table. Those of one day, of which a
// breakdown makes thousands, share its text.
func tableToWire[R, W any](rows []R, toWire func(*R, dayTexts) W) []W {
	days, out := dayTexts{}, make([]W, len(rows))
	for i := range rows {
		out[i] = toWire(&rows[i], days)
	}
	return out
}

// comparedRowToWire is comparedToWire for rows of tables.
func comparedRowToWire[R, W any](row *R, days dayTexts, toWire func(*R, dayTexts) W) *W {
	return comparedToWire(row, func(earlier *R) W { return toWire(earlier, days) })
}

// comparedToWire is the earlier row that one is compared with, nil for none.
func comparedToWire[R, W any](row *R, toWire func(*R) W) *W {
	if row == nil {
		return nil
	}
	out := toWire(row)
	return &out
}

func summaryToWire(r *report.SummaryReport) wire.Summary {
	ago30, ago60, ago180, ago365 := &r.Past[0], &r.Past[1], &r.Past[2], &r.Past[3]
	return wire.Summary{
		MrrCurrent: r.Now.MRR, Mrr30: ago30.MRR, Mrr60: ago60.MRR, Mrr180: ago180.MRR, Mrr365: ago365.MRR,
		ArrCurrent: r.Now.ARR, Arr30: ago30.ARR, Arr60: ago60.ARR, Arr180: ago180.ARR, Arr365: ago365.ARR,
		ArpaCurrent: r.Now.ARPA, Arpa30: ago30.ARPA, Arpa60: ago60.ARPA, Arpa180: ago180.ARPA, Arpa365: ago365.ARPA,

		SubscribersCurrent: r.Now.Subscribers,
		Subscribers30:      ago30.Subscribers, Subscribers60: ago60.Subscribers, Subscribers180: ago180.Subscribers, Subscribers365: ago365.Subscribers,

		MrrPercentageChange30: ratioToWire(&ago30.MRRChange), MrrPercentageChange60: ratioToWire(&ago60.MRRChange),
		MrrPercentageChange180: ratioToWire(&ago180.MRRChange), MrrPercentageChange365: ratioToWire(&ago365.MRRChange),
		ArrPercentageChange30: ratioToWire(&ago30.ARRChange), ArrPercentageChange60: ratioToWire(&ago60.ARRChange),
		ArrPercentageChange180: ratioToWire(&ago180.ARRChange), ArrPercentageChange365: ratioToWire(&ago365.ARRChange),
		ArpaPercentageChange30: ratioToWire(&ago30.ARPAChange), ArpaPercentageChange60: ratioToWire(&ago60.ARPAChange),
		ArpaPercentageChange180: ratioToWire(&ago180.ARPAChange), ArpaPercentageChange365: ratioToWire(&ago365.ARPAChange),
		SubscribersPercentageChange30: ratioToWire(&ago30.SubscribersChange), SubscribersPercentageChange60: ratioToWire(&ago60.SubscribersChange),
		SubscribersPercentageChange180: ratioToWire(&ago180.SubscribersChange), SubscribersPercentageChange365: ratioToWire(&ago365.SubscribersChange),
	}
}

func mrrToWire(r *report.MRRReport) []wire.MrrRow {
	rows := make([]wire.MrrRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, mrrRowToWire(&r.Rows[i], r.Values))
	}
	return rows
}

func mrrRowToWire(row *report.MRRRow, values []report.Value) wire.MrrRow {
	m := &row.MRRMetrics
	out := wire.MrrRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(),
		New: m.New, Expansion: m.Expansion, Contraction: m.Contraction, Churn: m.Churn, Reactivation: m.Reactivation,
		FxAdjustment: m.FXAdjustment, MrrDiff: m.MRRDiff, NetMrrDiff: m.NetMRRDiff,
		NewCustomers: m.NewCustomers, ExpansionCustomers: m.ExpansionCustomers, ContractionCustomers: m.ContractionCustomers,
		ChurnCustomers: m.ChurnCustomers, ReactivationCustomers: m.ReactivationCustomers, CustomersDiff: m.CustomersDiff,
		TotalMrr: m.TotalMRR, TotalArr: m.TotalARR, TotalCustomers: m.TotalCustomers,
		Arpa: m.ARPA, Asp: m.ASP, QuickRatio: ratioToWire(&m.QuickRatio), Quantity: m.Quantity,
	}
	if row.Compare != nil {
		earlier := mrrRowToWire(row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.MrrBreakdown, len(values))
		for i := range row.Breakdown {
			out.Breakdown[values[i].Key] = mrrPartToWire(&row.Breakdown[i], values[i].Label)
		}
	}
	return out
}

func mrrPartToWire(m *report.MRRMetrics, label string) wire.MrrBreakdown {
	return wire.MrrBreakdown{
		Label: label,
		New:   m.New, Expansion: m.Expansion, Contraction: m.Contraction, Churn: m.Churn, Reactivation: m.Reactivation,
		FxAdjustment: m.FXAdjustment, MrrDiff: m.MRRDiff, NetMrrDiff: m.NetMRRDiff,
		NewCustomers: m.NewCustomers, ExpansionCustomers: m.ExpansionCustomers, ContractionCustomers: m.ContractionCustomers,
		ChurnCustomers: m.ChurnCustomers, ReactivationCustomers: m.ReactivationCustomers, CustomersDiff: m.CustomersDiff,
		TotalMrr: m.TotalMRR, TotalArr: m.TotalARR, TotalCustomers: m.TotalCustomers,
		Arpa: m.ARPA, Asp: m.ASP, QuickRatio: ratioToWire(&m.QuickRatio), Quantity: m.Quantity,
	}
}

func movementsToWire(q *report.Query, r *report.MovementTableReport) wire.MovementPage {
	page := wire.MovementPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Movement, 0, len(r.Rows)),
	}
	split := breakdownName(q) != nil
	for i := range r.Rows {
		page.List = append(page.List, movementToWire(&r.Rows[i], split))
	}
	return page
}

func movementToWire(row *report.MovementRow, split bool) wire.Movement {
	out := wire.Movement{
		Date: row.Date.String(), Period: row.Period.String(), Type: wire.MovementType(row.Type.String()), Subtype: row.Subtype.String(),
		CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
		DataSource: row.Source.ID, Description: row.Description, Currency: row.Currency.Code(),
		MrrChange: row.Change, MrrChangeBaseCurrency: row.ChangeBase, OldMrr: row.Old, NewMrr: row.New,
		CustomerCountChange: int64(row.Customers), QuantityChange: row.Quantity,
		PlanId: textOrNull(row.PlanID), PlanName: textOrNull(row.PlanName),
	}
	if split {
		out.BreakdownValue = &row.BreakdownValue
	}
	if row.Requested.Valid() {
		day := row.Requested.String()
		out.CancelRequestedDate = &day
	}
	for _, line := range row.Lines {
		out.Lines = append(out.Lines, wire.MovementLine{Description: line.Description, Mrr: line.MRR, Quantity: line.Quantity})
	}
	return out
}
