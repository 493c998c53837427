package mcp

import "github.com/growpanel/growpanel-mcp/openapi"

// knownUnit returns the unit of a field of the API that the contract of this
// version does not describe: the reports of servers that have more of them.
// The list is of fields whose meaning is documented; any other field has no
// unit, and its number is shown as it came.
func knownUnit(field []byte) openapi.Unit {
	switch string(field) {
	case "cumulative_mrr", "cumulative_mrr_compare", "new", "expansion", "contraction", "churn", "reactivation",
		"fx_adjustment", "mrr_diff", "net_mrr_diff", "total_mrr", "total_arr", "arpa", "asp", "ltv",
		"month_sub", "quarter_sub", "year_sub", "week_sub", "day_sub", "metered", "one_time",
		"net_amount",
		"mtd", "prev_mtd", "qtd", "prev_qtd", "ytd", "prev_ytd",
		"cmrr_current", "cmrr_30", "cmrr_60", "cmrr_180", "cmrr_365",
		"churn_current", "churn_30", "churn_60", "churn_180", "churn_365", "mrr_at_risk",
		"failed_amount", "recovered", "still_unpaid", "churned", "refund_amount",
		"mtd_still_unpaid", "prev_mtd_still_unpaid", "qtd_still_unpaid", "prev_qtd_still_unpaid", "ytd_still_unpaid", "prev_ytd_still_unpaid",
		"today_still_unpaid", "d30_still_unpaid", "d60_still_unpaid", "d180_still_unpaid", "d365_still_unpaid",
		"current_mrr", "mrr_change_base_currency", "amount_base_currency", "total_base_currency",
		"current_mrr_base_currency", "total_paid_base_currency",
		"expansion_alert_threshold", "contraction_alert_threshold":
		return openapi.MoneyBase
	case "discount", "refund", "fee", "tax", "fx_loss", // the report's currency in reports, the invoice's in invoices
		"amount", "original_amount", "mrr", "mrr_change", "mrr_change_customer_currency", "old_mrr", "new_mrr", "total",
		"current_mrr_customer_currency", "total_paid_customer_currency":
		return openapi.MoneyRow
	case "percent", "percentage", "pct", "cumulative_pct", "failed_pct", "failure_rate", "recovery_rate",
		"conversion_rate", "lead_conversion_rate", "trial_conversion_rate", "payment_failure_rate", "customer_churn_rate", "net_mrr_churn",
		"lead_to_trial_rate", "trial_to_paid_rate", "lead_to_paid_rate",
		"leads_percent_change", "trials_percent_change", "lead_to_trial_rate_percent_change",
		"trial_to_paid_rate_percent_change", "lead_to_paid_rate_percent_change",
		"mrr_percent", "subscribers_percent", "leads_percent", "trials_percent",
		"leads_percentage_change_30", "leads_percentage_change_60", "leads_percentage_change_180", "leads_percentage_change_365",
		"trials_percentage_change_30", "trials_percentage_change_60", "trials_percentage_change_180", "trials_percentage_change_365",
		"net_amount_change_pct", "mtd_change_pct", "qtd_change_pct", "ytd_change_pct",
		"mtd_recovery_rate", "prev_mtd_recovery_rate", "ytd_recovery_rate", "prev_ytd_recovery_rate",
		"mtd_failed_pct", "prev_mtd_failed_pct", "ytd_failed_pct", "prev_ytd_failed_pct",
		"mtd_still_unpaid_change_pct", "ytd_still_unpaid_change_pct", "mtd_recovery_rate_change", "ytd_recovery_rate_change",
		"mtd_failed_pct_change", "ytd_failed_pct_change",
		"mtd_failure_rate", "prev_mtd_failure_rate", "ytd_failure_rate", "prev_ytd_failure_rate",
		"mtd_failure_rate_change", "ytd_failure_rate_change":
		return openapi.Percent
	case "count", "customers", "subscribers", "leads", "leads_converted", "new_leads", "trials", "new_trials", "trials_converted", "conversions",
		"total_customers", "churn_customers", "contraction_customers", "refund_count", "customers_refunded",
		"failed_invoices", "recovered_customers", "still_unpaid_customers", "churned_customers", "affected_customers", "total_retry_attempts",
		"total_invoices", "recovered_invoices", "mtd_failed_count", "ytd_failed_count", "prev_mtd_failed_count", "prev_ytd_failed_count",
		"mtd_failed_invoices", "ytd_failed_invoices", "prev_mtd_failed_invoices", "prev_ytd_failed_invoices",
		"leads_30", "leads_60", "leads_180", "leads_365", "trials_30", "trials_60", "trials_180", "trials_365",
		"customer_count", "customer_count_change", "attempt_count", "transaction_count", "comment_count", "cancellations",
		"enqueuedCount", "processedCount", "failedCount":
		return openapi.Count
	case "quantity", "quantity_change":
		return openapi.Quantity
	case "lead_to_paid_days", "trial_to_paid_days", "avg_days_to_cancel", "days_before_end", "days_from", "days_to", "days":
		return openapi.Days
	case "day", "rank":
		return openapi.Rank
	case "date":
		return openapi.Index
	default:
		return openapi.None
	}
}
