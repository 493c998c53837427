package reporttest

import (
	"fmt"
	"strconv"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// endings answers the reports about cancellations; ok is false for any other
// report.
func endings(s *report.Snapshot, q *report.Query, name string) (body map[string]any, ok bool, err error) {
	switch name {
	case "churn-scheduled-summary":
		r, err := report.ChurnScheduledSummary(s, q)
		if err != nil {
			return nil, true, err
		}
		return map[string]any{"currency": q.Base.Code(), "summary": scheduledSummary(r)}, true, nil
	case "churn-reasons":
		r, err := report.ChurnReasons(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, churnReasons(r)), true, nil
	case "churn-reasons-summary":
		r, err := report.ChurnReasonsSummary(s, q)
		if err != nil {
			return nil, true, err
		}
		body := map[string]any{
			"summary": word(r.Summary), "comment_count": r.Comments, "total_cancellations": strconv.FormatInt(r.Cancellations, 10),
			"generated_at": calendar.DayStamp(s.Today).String(),
		}
		if r.Comments == 0 {
			body["reason"] = "no_comments"
		}
		return body, true, nil
	case "cancellation-timing":
		r, err := report.CancellationTiming(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, timing(r)), true, nil
	case "cancellation-timing-detail":
		r, err := report.CancellationTimingDetail(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, paged(r.Page, cancellations(q, r))), true, nil
	default:
		return nil, false, nil
	}
}

func scheduledSummary(r *report.ScheduledSummaryReport) map[string]any {
	out := map[string]any{
		"churn_current": r.Current, "mrr_at_risk": r.MRRAtRisk, "subscriptions": r.Subscriptions, "avg_days_to_cancel": ratio(r.DaysToCancel),
	}
	for i, days := range report.SummaryDays {
		out[fmt.Sprintf("churn_%d", days)] = r.Ago[i]
	}
	return out
}

func endingMetrics(m *report.EndingMetrics) map[string]any {
	return map[string]any{"cancellations": m.Cancellations, "customers": m.Customers, "mrr": m.MRR, "percent": ratio(m.Percent)}
}

func endingParts(parts []report.EndingMetrics, values []report.Value) map[string]any {
	out := map[string]any{}
	for v := range parts {
		part := endingMetrics(&parts[v])
		part["label"] = values[v].Label
		out[values[v].Key] = part
	}
	return out
}

func churnReasons(r *report.ChurnReasonReport) []any {
	out := []any{}
	for i := range r.Rows {
		row := endingMetrics(&r.Rows[i].EndingMetrics)
		row["reason"], row["label"] = r.Rows[i].Reason, r.Rows[i].Label
		row["breakdown"] = endingParts(r.Rows[i].Breakdown, r.Values)
		out = append(out, row)
	}
	return out
}

func timing(r *report.TimingReport) []any {
	out := []any{}
	for i := range r.Rows {
		bucket := r.Rows[i].Bucket
		row := endingMetrics(&r.Rows[i].EndingMetrics)
		row["bucket"], row["label"], row["days_from"] = bucket.String(), bucket.Label(), bucket.From
		if bucket.To != report.NoTiming {
			row["days_to"] = bucket.To
		}
		row["breakdown"] = endingParts(r.Rows[i].Breakdown, r.Values)
		out = append(out, row)
	}
	return out
}

func cancellations(q *report.Query, r *report.CancellationReport) []any {
	list := []any{}
	for i := range r.Rows {
		c := &r.Rows[i]
		row := map[string]any{
			"customer_id": c.Customer.ID, "customer_name": word(c.Customer.Name), "customer_email": word(c.Customer.Email),
			"cancel_date": c.Requested.String(), "effective_date": c.Effective.String(), "days_before_end": c.DaysBeforeEnd,
			"currency": c.Currency.Code(), "mrr": c.MRR, "mrr_base_currency": c.MRRBase, "plan_name": word(c.PlanName),
			"cancel_reason": word(c.Reason), "cancel_comment": word(c.Comment),
		}
		if q.Breakdown.Name() != "" {
			row["breakdown_value"] = c.BreakdownValue
		}
		list = append(list, row)
	}
	return list
}
