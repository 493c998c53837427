package reporttest

import (
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// activity answers the reports about what happened last, about countries and
// about custom variables; ok is false for any other report.
func activity(s *report.Snapshot, q *report.Query, name string) (body map[string]any, ok bool, err error) {
	switch name {
	case "latest-activity":
		r, err := report.LatestActivity(s, q)
		if err != nil {
			return nil, true, err
		}
		body := envelope(q, activities(q, r))
		body["count"], body["has_more"] = r.Count, r.HasMore
		return body, true, nil
	case "map":
		r, err := report.Map(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, map[string]any{"list": countries(r)}), true, nil
	case "custom-variables":
		r, err := report.CustomVariables(s, q)
		if err != nil {
			return nil, true, err
		}
		list := []any{}
		for _, v := range r.Values {
			list = append(list, map[string]any{"value": v.Value, "count": v.Count, "variable_name": r.Key, "customer_count": v.Count})
		}
		return map[string]any{"values": list, "count": r.Count, "has_more": r.HasMore}, true, nil
	default:
		return nil, false, nil
	}
}

func activities(q *report.Query, r *report.ActivityReport) []any {
	day := func(d calendar.Day) any {
		if !d.Valid() {
			return nil
		}
		return calendar.DayStamp(d).String()
	}
	list := []any{}
	for i := range r.Rows {
		a := &r.Rows[i]
		list = append(list, map[string]any{
			"source": a.Source.String(), "type": a.Type, "subtype": word(a.Subtype), "date": day(a.Date), "effective_date": day(a.Effective),
			"overdue_date": day(a.Overdue), "customer_id": a.Customer.ID, "customer_name": word(a.Customer.Name),
			"customer_email": word(a.Customer.Email), "amount": a.Amount, "currency": q.Base.Code(),
		})
	}
	return list
}

func countries(r *report.MapReport) map[string]any {
	list := map[string]any{}
	for i := range r.Rows {
		c := &r.Rows[i]
		row := map[string]any{
			"current_mrr": c.MRR, "subscribers": c.Subscribers, "arpa": c.ARPA, "asp": c.ASP,
			"customer_churn_rate": ratio(c.CustomerChurn), "net_mrr_churn": ratio(c.NetMRRChurn),
			"leads": c.Leads, "leads_converted": c.Converted, "lead_conversion_rate": ratio(c.LeadConversion),
			"new_trials": c.Trials, "trials_converted": c.TrialsConverted, "trial_conversion_rate": ratio(c.TrialConversion),
			"payment_failure_rate": ratio(c.PaymentFailure), "mrr_percent": ratio(c.MRRShare),
			"subscribers_percent": ratio(c.SubscribersShare), "leads_percent": ratio(c.LeadsShare), "trials_percent": ratio(c.TrialsShare),
		}
		if c.LTV != nil {
			row["ltv"] = *c.LTV
		}
		list[c.Country] = row
	}
	return list
}
