package cli

// columns are what a table shows of answers that have more keys than fit.
func columns(path string) []string {
	switch path {
	case "/reports/mrr":
		return []string{"date", "total_mrr", "total_arr", "new", "expansion", "contraction", "churn", "reactivation", "total_customers"}
	case "/reports/movement-table":
		return []string{"date", "customer_name", "type", "mrr_change", "new_mrr", "old_mrr", "plan_name"}
	case "/reports/cohort":
		return []string{"label", "initial_customers", "initial_mrr", "retention_rate"}
	case "/reports/retention":
		return []string{
			"date", "nrr", "grr", "customer_churn_rate", "mrr_churn_rate", "net_mrr_churn_rate", "arpa", "ltv", "customer_lifetime",
		}
	case "/reports/customer-concentration":
		return []string{"name", "mrr", "percentage"}
	case "/reports/churn-scheduled-movements":
		return []string{"date", "customer_name", "type", "mrr_change", "plan_name", "cancel_requested_date"}
	case "/reports/churn-reasons":
		return []string{"label", "cancellations", "customers", "mrr", "percent"}
	case "/reports/cancellation-timing":
		return []string{"label", "cancellations", "customers", "mrr", "percent"}
	case "/reports/cancellation-timing-detail":
		return []string{"cancel_date", "effective_date", "customer_name", "mrr", "plan_name", "cancel_reason"}
	case "/reports/latest-activity":
		return []string{"date", "type", "customer_name", "amount", "effective_date"}
	case "/reports/map":
		return []string{"key", "current_mrr", "subscribers", "arpa", "customer_churn_rate", "leads"}
	case "/reports/custom-variables":
		return []string{"variable_name", "value", "customer_count"}
	case "/reports/leads":
		return []string{"date", "new_leads", "new_trials", "conversions", "conversion_rate"}
	case "/reports/leads-table":
		return []string{"name", "email", "created_date", "status", "plan_name", "trial_end_date"}
	case "/reports/transactions":
		return []string{"date", "amount", "count", "type"}
	case "/reports/transactions-detail":
		return []string{"date", "customer_name", "type", "amount", "description", "transaction_id"}
	case "/reports/invoices-detail":
		return []string{"invoice_date", "invoice_ref", "customer_name", "invoice_status", "total", "payment_date"}
	case "/reports/cashflow-refunds":
		return []string{"date", "amount", "count"}
	case "/reports/cashflow-failed-payments":
		return []string{"date", "amount", "count", "recovery_rate"}
	case "/reports/cashflow-failure-rate":
		return []string{"date", "failed_invoices", "total_invoices", "failure_rate", "recovery_rate"}
	case "/reports/cashflow-refunds-detail":
		return []string{"date", "customer_name", "amount", "description", "invoice_ref"}
	case "/reports/cashflow-failed-payments-detail":
		return []string{"date", "customer_name", "amount", "recovery_status", "attempt_count", "invoice_ref"}
	case "/customers":
		return []string{"id", "name", "email", "status", "current_mrr", "created_date"}
	case "/plans":
		return []string{"id", "name", "interval", "amount", "customer_count"}
	default:
		return nil
	}
}
