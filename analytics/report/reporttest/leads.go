package reporttest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// funnel answers the reports about leads and about what is scheduled; ok is
// false for any other report.
func funnel(s *report.Snapshot, q *report.Query, name string) (body map[string]any, ok bool, err error) {
	switch name {
	case "churn-scheduled":
		r, err := report.ChurnScheduled(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, scheduled(r)), true, nil
	case "churn-scheduled-movements":
		r, err := report.ChurnScheduledMovements(s, q)
		return wireTable(q, r), true, err
	case "leads":
		r, err := report.Leads(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, leads(r)), true, nil
	case "leads-summary":
		r, err := report.LeadsSummary(s, q)
		return map[string]any{"currency": q.Base.Code(), "summary": leadsSummary(r)}, true, err
	case "leads-table":
		r, err := report.LeadsTable(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, paged(r.Page, leadsTable(r))), true, nil
	case "leads-days":
		rows, err := report.LeadsDays(s, q)
		list := []any{}
		for _, row := range rows {
			list = append(list, map[string]any{"days": row.Days, "percent": ratio(row.Percent), "count": row.Count})
		}
		return envelope(q, list), true, err
	default:
		return nil, false, nil
	}
}

func scheduled(r *report.ScheduledChurnReport) []any {
	metrics := func(m *report.ScheduledChurn) map[string]any {
		return map[string]any{
			"churn": m.Churn, "contraction": m.Contraction, "churn_customers": m.ChurnCustomers,
			"contraction_customers": m.ContractionCustomers, "total_mrr": m.TotalMRR, "total_customers": m.TotalCustomers,
		}
	}
	out := []any{}
	for i := range r.Rows {
		row := metrics(&r.Rows[i].ScheduledChurn)
		row["date"], row["end_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Period.To.String()
		parts := map[string]any{}
		for v := range r.Rows[i].Breakdown {
			parts[r.Values[v].Key] = metrics(&r.Rows[i].Breakdown[v])
		}
		row["breakdown"] = parts
		out = append(out, row)
	}
	return out
}

func leads(r *report.LeadReport) []any {
	out := []any{}
	for i := range r.Rows {
		row := leadMetrics(&r.Rows[i].LeadMetrics)
		row["date"], row["end_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Period.To.String()
		parts := map[string]any{}
		for v := range r.Rows[i].Breakdown {
			parts[r.Values[v].Key] = leadMetrics(&r.Rows[i].Breakdown[v])
		}
		row["breakdown"] = parts
		out = append(out, row)
	}
	return out
}

func leadMetrics(m *report.LeadMetrics) map[string]any {
	return map[string]any{
		"leads": m.Leads, "new_leads": m.Leads, "trials": m.Trials, "new_trials": m.Trials,
		"leads_converted": m.Converted, "conversions": m.Converted, "trials_converted": m.TrialsConverted,
		"lead_to_trial_rate": ratio(m.LeadToTrial), "trial_to_paid_rate": ratio(m.TrialToPaid),
		"lead_to_paid_rate": ratio(m.LeadToPaid), "conversion_rate": ratio(m.LeadToPaid),
		"leads_percent_change": ratio(m.LeadsChange), "trials_percent_change": ratio(m.TrialsChange),
		"lead_to_trial_rate_percent_change": ratio(m.LeadToTrialChange), "trial_to_paid_rate_percent_change": ratio(m.TrialToPaidChange),
		"lead_to_paid_rate_percent_change": ratio(m.PaidChange),
		"lead_to_paid_days":                ratio(m.LeadToPaidDays), "trial_to_paid_days": ratio(m.TrialToPaidDays),
	}
}

func leadsSummary(r *report.LeadSummaryReport) map[string]any {
	out := map[string]any{}
	for i, days := range report.SummaryDays {
		out[fmt.Sprintf("leads_%d", days)], out[fmt.Sprintf("trials_%d", days)] = r[i].Leads, r[i].Trials
		out[fmt.Sprintf("leads_percentage_change_%d", days)] = ratio(r[i].LeadsChange)
		out[fmt.Sprintf("trials_percentage_change_%d", days)] = ratio(r[i].TrialsChange)
	}
	return out
}

func leadsTable(r *report.LeadTableReport) []any {
	list := []any{}
	for i := range r.Rows {
		row := &r.Rows[i]
		list = append(list, map[string]any{
			"id": row.ID, "name": word(row.Name), "email": word(row.Email), "status": row.Status.String(), "plan_name": word(row.PlanName),
			"created_date": moment(row.CreatedDate), "trial_started": moment(row.TrialStart), "trial_end_date": moment(row.TrialEnd),
			"paid_started": moment(row.PaidStarted), "country": word(row.Country),
		})
	}
	return list
}
