package reporttest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// The functions of this file give reports the shape of the contract's answers.

func ratio(r report.Ratio) any {
	if r.Null {
		return nil
	}
	return r.Value
}

func word(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func moment(s calendar.Stamp) any { return word(s.String()) }

func envelope(q *report.Query, result any) map[string]any {
	body := map[string]any{"currency": q.Base.Code(), "result": result}
	if name := q.Breakdown.Name(); name != "" {
		body["breakdown"] = name
	}
	return body
}

func paged(p report.Page, list []any) map[string]any {
	return map[string]any{"count": p.Count, "limit": p.Limit, "offset": p.Offset, "has_more": p.HasMore, "list": list}
}

func wireSummary(q *report.Query, r *report.SummaryReport) map[string]any {
	if r == nil {
		return nil
	}
	summary := map[string]any{
		"mrr_current": r.Now.MRR, "arr_current": r.Now.ARR, "subscribers_current": r.Now.Subscribers, "arpa_current": r.Now.ARPA,
	}
	for i, days := range report.SummaryDays {
		past := &r.Past[i]
		for name, value := range map[string]any{
			"mrr_%d": past.MRR, "arr_%d": past.ARR, "subscribers_%d": past.Subscribers, "arpa_%d": past.ARPA,
			"mrr_percentage_change_%d": ratio(past.MRRChange), "arr_percentage_change_%d": ratio(past.ARRChange),
			"subscribers_percentage_change_%d": ratio(past.SubscribersChange), "arpa_percentage_change_%d": ratio(past.ARPAChange),
		} {
			summary[fmt.Sprintf(name, days)] = value
		}
	}
	return map[string]any{"currency": q.Base.Code(), "summary": summary}
}

func wireMRR(q *report.Query, r *report.MRRReport) map[string]any {
	if r == nil {
		return nil
	}
	rows := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := metrics(&r.Rows[i].MRRMetrics)
		row["date"], row["end_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Period.To.String()
		if r.Values != nil {
			parts := map[string]any{}
			for v := range r.Values {
				part := metrics(&r.Rows[i].Breakdown[v])
				part["label"] = r.Values[v].Label
				parts[r.Values[v].Key] = part
			}
			row["breakdown"] = parts
		}
		rows = append(rows, row)
	}
	return envelope(q, rows)
}

func metrics(m *report.MRRMetrics) map[string]any {
	return map[string]any{
		"new": m.New, "expansion": m.Expansion, "contraction": m.Contraction, "churn": m.Churn, "reactivation": m.Reactivation,
		"new_customers": m.NewCustomers, "expansion_customers": m.ExpansionCustomers, "contraction_customers": m.ContractionCustomers,
		"churn_customers": m.ChurnCustomers, "reactivation_customers": m.ReactivationCustomers,
		"fx_adjustment": m.FXAdjustment, "mrr_diff": m.MRRDiff, "net_mrr_diff": m.NetMRRDiff, "customers_diff": m.CustomersDiff,
		"total_mrr": m.TotalMRR, "total_arr": m.TotalARR, "total_customers": m.TotalCustomers, "arpa": m.ARPA, "asp": m.ASP,
		"quick_ratio": ratio(m.QuickRatio), "quantity": m.Quantity,
	}
}

func wireTable(q *report.Query, r *report.MovementTableReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		m := &r.Rows[i]
		row := map[string]any{
			"date": m.Date.String(), "period": m.Period.String(), "type": m.Type.String(), "subtype": m.Subtype.String(),
			"customer_id": m.Customer.ID, "customer_name": word(m.Customer.Name), "customer_email": word(m.Customer.Email),
			"description": m.Description, "currency": m.Currency.Code(), "mrr_change": m.Change, "mrr_change_base_currency": m.ChangeBase,
			"old_mrr": m.Old, "new_mrr": m.New, "customer_count_change": m.Customers, "quantity_change": m.Quantity,
			"plan_id": word(m.PlanID), "plan_name": word(m.PlanName), "data_source": m.Source.ID,
		}
		if q.Breakdown.Name() != "" {
			row["breakdown_value"] = m.BreakdownValue
		}
		if m.Requested.Valid() {
			row["cancel_requested_date"] = m.Requested.String()
		}
		if m.Lines != nil {
			var lines []any
			for _, l := range m.Lines {
				lines = append(lines, map[string]any{"description": l.Description, "mrr": l.MRR, "quantity": l.Quantity})
			}
			row["lines"] = lines
		}
		list = append(list, row)
	}
	return envelope(q, paged(r.Page, list))
}

func wireRetention(q *report.Query, r *report.RetentionReport) map[string]any {
	if r == nil {
		return nil
	}
	rows := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := retention(&r.Rows[i].RetentionMetrics)
		row["date"], row["baseline_date"] = r.Rows[i].Period.From.String(), r.Rows[i].Baseline.String()
		if r.Values != nil {
			parts := map[string]any{}
			for v := range r.Values {
				part := retention(&r.Rows[i].Breakdown[v])
				part["label"] = r.Values[v].Label
				parts[r.Values[v].Key] = part
			}
			row["breakdown"] = parts
		}
		rows = append(rows, row)
	}
	body := envelope(q, rows)
	body["trailing_months"] = r.TrailingMonths
	return body
}

func retention(m *report.RetentionMetrics) map[string]any {
	var ltv any
	if m.LTV != nil {
		ltv = *m.LTV
	}
	return map[string]any{
		"baseline_mrr": m.BaselineMRR, "target_mrr": m.TargetMRR, "grr_mrr": m.GRRMRR, "cohort_customers": m.CohortCustomers,
		"retained_customers": m.RetainedCustomers, "churned_customers": m.ChurnedCustomers,
		"expansion": m.Expansion, "expansion_customers": m.ExpansionCustomers, "contraction": m.Contraction,
		"contraction_customers": m.ContractionCustomers, "churn": m.Churn, "churn_customers": m.ChurnCustomers,
		"reactivation": m.Reactivation, "reactivation_customers": m.ReactivationCustomers, "fx_adjustment": m.FXAdjustment,
		"nrr": ratio(m.NRR), "grr": ratio(m.GRR), "customer_retention_rate": ratio(m.CustomerRetentionRate),
		"customer_churn_rate": ratio(m.CustomerChurnRate), "mrr_churn_rate": ratio(m.MRRChurnRate), "net_mrr_churn_rate": ratio(m.NetMRRChurnRate),
		"nrr_avg": ratio(m.NRRAvg), "grr_avg": ratio(m.GRRAvg), "customer_retention_avg": ratio(m.CustomerRetentionAvg),
		"customer_churn_avg": ratio(m.CustomerChurnAvg), "mrr_churn_avg": ratio(m.MRRChurnAvg), "net_mrr_churn_avg": ratio(m.NetMRRChurnAvg),
		"arpa": m.ARPA, "ltv": ltv, "customer_lifetime": ratio(m.CustomerLifetime),
	}
}

func wireCohort(q *report.Query, r *report.CohortReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.List))
	for i := range r.List {
		c := &r.List[i]
		periods := make([]any, 0, len(c.Periods))
		for k := range c.Periods {
			p := &c.Periods[k]
			periods = append(periods, map[string]any{
				"mrr_retained": p.MRRRetained, "customers_retained": p.CustomersRetained, "mrr_retention": ratio(p.MRRRetention),
				"customer_retention": ratio(p.CustomerRetention), "nrr": ratio(p.NRR), "mrr_churn": ratio(p.MRRChurn), "customer_churn": ratio(p.CustomerChurn),
			})
		}
		list = append(list, map[string]any{
			"cohort_group": c.Group, "label": c.Label, "initial_mrr": c.InitialMRR, "initial_customers": c.InitialCustomers, "periods": periods,
		})
	}
	limits := map[string]any{}
	for name, e := range map[string]report.Extremes{"retention": r.Retention, "nrr": r.NRR, "churn": r.Churn, "netChurn": r.NetChurn} {
		limits[name] = map[string]any{"min": ratio(e.Min), "max": ratio(e.Max)}
	}
	return envelope(q, map[string]any{"list": list, "limits": limits})
}

func wireConcentration(q *report.Query, r *report.ConcentrationReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.List))
	for i := range r.List {
		c := &r.List[i]
		list = append(list, map[string]any{
			"rank": c.Rank, "id": c.Customer.ID, "name": word(c.Customer.Name), "email": word(c.Customer.Email), "mrr": c.MRR, "percentage": ratio(c.Percent),
		})
	}
	pareto := make([]any, 0, len(r.Pareto))
	for i := range r.Pareto {
		c := &r.Pareto[i]
		pareto = append(pareto, map[string]any{
			"rank": c.Rank, "id": c.Customer.ID, "name": word(c.Customer.Name), "mrr": c.MRR,
			"cumulative_mrr": c.CumulativeMRR, "cumulative_pct": ratio(c.CumulativePct),
		})
	}
	tops := map[string]any{}
	for i, n := range report.ConcentrationTops {
		tops[fmt.Sprint("top_", n)] = map[string]any{"mrr": r.Tops[i].MRR, "pct": ratio(r.Tops[i].Percent), "count": r.Tops[i].Count}
	}
	result := paged(r.Page, list)
	result["concentration"], result["pareto"] = tops, pareto
	result["summary"] = map[string]any{"total_mrr": r.TotalMRR, "customers": r.Customers}
	return envelope(q, result)
}

func wireCustomers(q *report.Query, r *report.CustomerListReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.List))
	for i := range r.List {
		row := customer(&r.List[i])
		row["currency"] = word(r.List[i].Currency.Code())
		row["mrr"], row["current_mrr"] = r.List[i].MRR, r.List[i].MRR
		list = append(list, row)
	}
	return envelope(q, paged(r.Page, list))
}

func customer(c *report.CustomerState) map[string]any {
	return map[string]any{
		"id": c.ID, "name": word(c.Name), "email": word(c.Email), "status": c.Status.String(), "country": word(c.Country), "state": word(c.State),
		"created_date": moment(c.CreatedDate), "trial_started": moment(c.TrialStart), "trial_end_date": moment(c.TrialEnd),
		"paid_started": moment(c.PaidStarted), "cancel_date": moment(c.CancelDate), "overdue_date": moment(c.OverdueDate),
		"data_source": c.SourceID, "payments": c.Payments, "current_mrr_base_currency": c.MRR, "current_mrr_customer_currency": c.MRRCustomer,
		"total_paid_base_currency": c.TotalPaid, "total_paid_customer_currency": c.TotalPaidCustomer,
	}
}

func wireDetail(q *report.Query, r *report.CustomerDetailReport) map[string]any {
	if r == nil {
		return nil
	}
	body := customer(&r.CustomerState)
	body["currency"], body["base_currency"] = r.Currency.Code(), q.Base.Code()
	subscriptions := make([]any, 0, len(r.Subscriptions))
	for i := range r.Subscriptions {
		s := &r.Subscriptions[i]
		subscriptions = append(subscriptions, map[string]any{
			"subscription_id": word(s.ID), "plan_id": word(s.PlanID), "plan_name": word(s.PlanName), "status": s.Status,
			"currency": s.Currency.Code(), "mrr": s.MRR, "quantity": s.Quantity, "start_date": moment(s.Start),
			"current_period_end": moment(s.PeriodEnd), "next_billing_date": moment(s.NextBilling),
		})
	}
	body["current_subscriptions"] = subscriptions
	return body
}

func wirePlans(r *report.PlanListReport) map[string]any {
	if r == nil {
		return nil
	}
	list := make([]any, 0, len(r.List))
	for i := range r.List {
		p := &r.List[i]
		groups := make([]any, 0, len(p.InGroups))
		for _, g := range p.InGroups {
			groups = append(groups, map[string]any{"id": g.ID, "name": g.Name})
		}
		list = append(list, map[string]any{
			"id": p.ID, "name": p.Name, "billing_freq": p.Frequency.String(), "interval": p.Interval.Unit.String(),
			"interval_count": p.Interval.Count, "currency": p.Currency.Code(), "customer_count": p.Customers, "groups": groups,
		})
	}
	return map[string]any{"result": paged(r.Page, list)}
}
