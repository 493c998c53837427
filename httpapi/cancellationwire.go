package httpapi

import (
	"strconv"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// noComments says why there is no summary of reasons.
const noComments = "no_comments"

func churnReasonsToWire(r *report.ChurnReasonReport) []wire.ChurnReasonsRow {
	rows := make([]wire.ChurnReasonsRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		out := wire.ChurnReasonsRow{
			Reason: row.Reason, Label: row.Label,
			Cancellations: row.Cancellations, Customers: row.Customers, Mrr: row.MRR, Percent: row.Percent.Value,
		}
		if row.Breakdown != nil {
			out.Breakdown = make(map[string]wire.ChurnReasonsBreakdown, len(r.Values))
		}
		for v := range row.Breakdown {
			m := &row.Breakdown[v]
			out.Breakdown[r.Values[v].Key] = wire.ChurnReasonsBreakdown{
				Label: r.Values[v].Label, Cancellations: m.Cancellations, Customers: m.Customers, Mrr: m.MRR, Percent: m.Percent.Value,
			}
		}
		rows = append(rows, out)
	}
	return rows
}

func churnCommentsToWire(s *report.Snapshot, q *report.Query, r *report.ChurnComments) *wire.ChurnReasonsSummaryReport {
	out := &wire.ChurnReasonsSummaryReport{
		Summary: textOrNull(r.Summary), CommentCount: int64(r.Comments), TotalCancellations: strconv.FormatInt(r.Cancellations, 10),
		GeneratedAt: dayToWire(s.Today), Currency: q.Base.Code(), Query: queryToWire(s, q),
	}
	if r.Comments == 0 {
		reason := noComments
		out.Reason = &reason
	}
	return out
}

func timingToWire(r *report.TimingReport) []wire.CancellationTimingRow {
	rows := make([]wire.CancellationTimingRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		out := wire.CancellationTimingRow{
			Bucket: row.Bucket.String(), Label: row.Bucket.Label(), DaysFrom: int64(row.Bucket.From),
			Cancellations: row.Cancellations, Customers: row.Customers, Mrr: row.MRR, Percent: row.Percent.Value,
		}
		if row.Bucket.To != report.NoTiming {
			to := int64(row.Bucket.To)
			out.DaysTo = &to
		}
		if row.Breakdown != nil {
			out.Breakdown = make(map[string]wire.CancellationTimingBreakdown, len(r.Values))
		}
		for v := range row.Breakdown {
			m := &row.Breakdown[v]
			out.Breakdown[r.Values[v].Key] = wire.CancellationTimingBreakdown{
				Label: r.Values[v].Label, Cancellations: m.Cancellations, Customers: m.Customers, Mrr: m.MRR, Percent: m.Percent.Value,
			}
		}
		rows = append(rows, out)
	}
	return rows
}

func cancellationsToWire(q *report.Query, r *report.CancellationReport) wire.CancellationPage {
	page := wire.CancellationPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Cancellation, 0, len(r.Rows)),
	}
	split := breakdownName(q) != nil
	for i := range r.Rows {
		row := &r.Rows[i]
		out := wire.Cancellation{
			CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
			CancelDate: row.Requested.String(), EffectiveDate: row.Effective.String(), DaysBeforeEnd: int64(row.DaysBeforeEnd),
			Currency: row.Currency.Code(), Mrr: row.MRR, MrrBaseCurrency: row.MRRBase, PlanName: textOrNull(row.PlanName),
			CancelReason: textOrNull(row.Reason), CancelComment: textOrNull(row.Comment),
		}
		if split {
			out.BreakdownValue = &row.BreakdownValue
		}
		page.List = append(page.List, out)
	}
	return page
}
