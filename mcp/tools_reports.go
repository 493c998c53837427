package mcp

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// reportNames are the reports of the API. A server that does not have one
// says so itself.
func reportNames() []string {
	return []string{
		"summary", "mrr", "movement-table", "retention", "cohort", "customer-concentration",
		"mrr-growth", "mrr-growth-table", "mrr-subtypes", "mrr-table", "mrr-table-subtypes",
		"cmrr-summary", "map", "leads", "leads-table", "leads-days", "leads-summary",
		"transactions", "transactions-table", "transactions-detail", "transactions-summary", "invoices-detail",
		"churn-scheduled", "churn-scheduled-movements", "churn-scheduled-summary",
		"cancellation-timing", "cancellation-timing-detail", "churn-reasons", "churn-reasons-summary",
		"cashflow-failed-payments", "cashflow-failed-payments-summary", "cashflow-failed-payments-detail", "cashflow-failed-payments-table",
		"cashflow-refunds", "cashflow-refunds-table", "cashflow-refunds-detail",
		"cashflow-failure-rate", "cashflow-failure-rate-summary", "cashflow-outstanding-unpaid",
		"custom-variables", "latest-activity",
	}
}

// reportArguments returns which of some arguments the contract has as parameters
// of a report, or nil for reports that it does not describe, which get everything.
func reportArguments(report string, names []string) []string {
	op := openapi.Find(http.MethodGet, "/reports/"+report)
	if op == nil {
		return nil
	}
	params, taken := op.Query(), []string{}
	for _, name := range names {
		if slices.Contains(params, wireName(name)) {
			taken = append(taken, name)
		}
	}
	return taken
}

// splitBySubtype are the reports whose rows are made of movements.
func splitBySubtype() []string {
	return []string{"mrr", "mrr-table", "movement-table", "churn-scheduled", "churn-scheduled-movements"}
}

// reportPage is how many rows of a report that the API cuts into pages are
// fetched at a time unless the call says so.
func reportPage(report string) int {
	if report == "customer-concentration" {
		return 20
	}
	return 100
}

// paged reports whether a report is one of those whose rows the API itself
// cuts into pages.
func paged(report string) bool {
	switch report {
	case "movement-table", "customer-concentration", "transactions-detail", "invoices-detail",
		"cashflow-refunds-detail", "cashflow-failed-payments-detail", "churn-scheduled-movements", "leads-table",
		"cancellation-timing-detail", "latest-activity", "custom-variables":
		return true
	}
	return false
}

func comparisons() map[string]string {
	return map[string]string{"previous-period": "last-period", "previous-year": "last-year", "year-over-year": "last-year", "yoy": "last-year"}
}

func movementTypes() []string {
	return []string{"new", "expansion", "contraction", "churn", "reactivation"}
}

// kind returns the API's word for a type of movement, lead or transaction, as
// far as people have others for it.
func kind(text string) (string, error) {
	word := strings.ToLower(text)
	switch word {
	case "churned", "cancellation", "cancellations":
		return "churn", nil
	case "expanded", "upgrade", "upgrades":
		return "expansion", nil
	case "contracted", "downgrade", "downgrades":
		return "contraction", nil
	case "reactivated", "reactivations":
		return "reactivation", nil
	}
	return word, nil
}

func baseCurrencyProperty() args.Property {
	return args.Property{Name: "base_currency", Description: "Report in, e.g. eur"}
}

func search() args.Property {
	return args.Property{Name: "search", Description: "Text in id, name or email, e.g. acme"}
}

func getReport() tool {
	props := args.Set{
		{Name: "name", Required: true, Enum: reportNames(), Open: true, Words: reportWords(), Description: "Report, e.g. mrr"},
		{Name: "date", Convert: args.Date, Description: "e.g. 2026-Q1, last-12-months, ytd, 2026-01-01..2026-03-31"},
		{Name: "interval", Enum: []string{"day", "week", "month", "quarter", "year"}, Words: frequencies(), Description: "Default month"},
		{Name: "breakdown", Convert: dimension, Description: "e.g. plan, custom_<key>"},
		{Name: "breakdown_value", Description: "e.g. Pro"},
		baseCurrencyProperty(),
		{Name: "fix_fx", Type: args.Boolean, Description: "Constant rates"},
		{Name: "committed", Type: args.Boolean, Description: "Scheduled movements"},
	}
	props = append(props, filters()...)
	props = append(
		props,
		args.Property{Name: "selected_date", Convert: args.Day, Description: "e.g. 2026-03-01"},
		args.Property{Name: "selected_type", Convert: kind, Description: "e.g. churn"},
		args.Property{Name: "sort", Enum: []string{"date", "mrr_change", "mrr_change_base_currency", "amount", "amount_base_currency", "customer_name", "type"}, Open: true, Description: "e.g. amount"},
		args.Property{Name: "order", Enum: []string{"desc", "asc"}, Words: map[string]string{"descending": "desc", "ascending": "asc"}, Description: "Default desc"},
		args.Property{Name: "trailing_months", Type: args.Integer, Min: 1, Max: 120, Description: "e.g. 12"},
		args.Property{Name: "type", Convert: kind, Description: "e.g. churn"},
		args.Property{Name: "category", Type: args.List, Description: "e.g. new~~churn"},
		args.Property{Name: "subtype", Type: args.List, Description: "e.g. plan_change"},
		args.Property{Name: "compare", Enum: []string{"last-period", "last-year"}, Words: comparisons(), Open: true, Description: "e.g. last-year"},
		args.Property{Name: "compare_month", Description: "e.g. 2026-01"},
		args.Property{Name: "key", Description: "e.g. industry"},
		args.Property{Name: "search", Description: "e.g. soft"},
		limit(1000), offset(), maxTokens(),
	)
	narrowing := filters().Names()
	common := append(slices.Clip(narrowing), "name", "limit", "offset", "max_tokens")
	return tool{
		name:  "get_report",
		title: "Report",
		description: "Fetches a revenue report: MRR, ARR, growth, churn, retention, cohorts, biggest customers, cash, by day, month, quarter or year, split by plan or country. " +
			"summary: key figures. mrr: MRR, ARR, ARPA, customers, new, expansion, contraction, churn per period. " +
			"movement-table: who upgraded, downgraded, churned, came back. retention: churn rates, NRR, GRR, LTV. " +
			"cohort: retention by signup. customer-concentration: revenue share of the largest. churn-reasons: why. Cash: transactions, invoices-detail, cashflow-refunds, cashflow-failed-payments. leads. " +
			"Filters: a~~b either, ~a not a, ~ unset.",
		props:   props,
		actions: []action{{method: http.MethodGet, path: "reports/{name}", query: reportQuery(props)}},
		output:  outputSchema(true),
		check:   func(c *toolCall) error { return checkReport(c, common) },
		route:   routeReport,
		options: func(c *toolCall, o *answer.Options) { reportOptions(c, o, narrowing) },
	}
}

// reportWords are names that people use for reports.
func reportWords() map[string]string {
	return map[string]string{
		"arr": "mrr", "movements": "movement-table", "mrr-movements": "movement-table", "churn": "retention",
		"cohorts": "cohort", "concentration": "customer-concentration", "overview": "summary", "kpis": "summary",
		"nrr": "retention", "ltv": "retention", "refunds": "cashflow-refunds", "failed-payments": "cashflow-failed-payments",
	}
}

// reportQuery lists the arguments that are sent in the query.
func reportQuery(props args.Set) []string {
	return slices.DeleteFunc(props.Names(), func(name string) bool { return name == "name" || name == "max_tokens" })
}

// dimension returns the API's name of a breakdown.
func dimension(text string) (string, error) {
	if strings.HasPrefix(text, "custom_") {
		return text, nil
	}
	valid := []string{
		"plan", "currency", "country", "region", "state", "billing_freq", "payment_method", "pricing_model",
		"data_source", "status", "has_discount", "customer", "cancel_reason", "subtype", "age", "market", "industry", "channel", "size",
	}
	word := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(text))
	if slices.Contains(valid, word) {
		return word, nil
	}
	near := args.Nearest(word, valid)
	if near != "" {
		near = fmt.Sprintf(", did you mean %q?", near)
	}
	return "", fmt.Errorf("%q cannot be split by%s Valid: %s, custom_<key>", text, near, strings.Join(valid, ", "))
}

// checkReport refuses arguments that the report does not look at; common are
// those of every report.
func checkReport(c *toolCall, common []string) error {
	name := c.values.Get("name")
	own := slices.DeleteFunc(c.tool.props.Names(), func(name string) bool { return slices.Contains(common, name) })
	if known := reportArguments(name, own); known != nil {
		for _, argument := range own {
			if c.values.Has(argument) && !slices.Contains(known, argument) {
				return fmt.Errorf("the report %s does not use %q; beside filters, limit and offset it takes: %s", name, argument, strings.Join(known, ", "))
			}
		}
	}
	if c.values.Get("breakdown") == "subtype" && !slices.Contains(splitBySubtype(), name) {
		return fmt.Errorf("the report %s has no movements to split by subtype; these have: %s", name, strings.Join(splitBySubtype(), ", "))
	}
	if value := c.values.Get("selected_type"); value != "" && name == "movement-table" && !slices.Contains(movementTypes(), value) {
		return fmt.Errorf("selected_type: %q is not valid; use one of: %s", value, strings.Join(movementTypes(), ", "))
	}
	return nil
}

// routeReport leaves the paging of reports that the API does not cut to the
// shaper, and asks for no more of the others than an answer can hold.
func routeReport(c *toolCall) error {
	name := c.values.Get("name")
	if paged(name) {
		if !c.values.Has("limit") {
			c.query.Set("limit", strconv.Itoa(reportPage(name)))
		}
		return nil
	}
	c.query.Del("limit")
	c.query.Del("offset")
	return nil
}

// viewNote says of a report on movements or retention that a filter selects
// subscriptions rather than customers, so that a move between them counts as
// one out of or into what is reported. It is empty where that makes no odds.
func viewNote(report string, filters []answer.Pair) string {
	switch report {
	case "mrr", "mrr-growth", "mrr-growth-table", "mrr-subtypes", "mrr-table", "mrr-table-subtypes",
		"movement-table", "retention", "cohort", "latest-activity":
	default:
		return ""
	}
	var names []string
	for _, p := range filters {
		switch p.Name {
		case "plan", "currency", "billing_freq", "payment_method", "pricing_model", "has_discount":
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Filtered by subscription (" + strings.Join(names, ", ") + "): who moves to one outside the filter counts as lost here, who moves into it as new or reactivated."
}

func reportOptions(c *toolCall, o *answer.Options, filters []string) {
	name := c.values.Get("name")
	o.Title = name
	o.Offset, o.Limit, o.Paged = c.values.Int("offset", 0), c.values.Int("limit", 0), paged(name)
	o.SectionRows = c.values.Int("limit", 20)
	for _, p := range c.echo {
		if slices.Contains(filters, p.Name) || strings.HasPrefix(p.Name, "custom_") {
			o.Filters = append(o.Filters, p)
		}
	}
	if note := viewNote(name, o.Filters); note != "" {
		o.Notes = append(o.Notes, note)
	}
	o.Narrow = "To get less: a shorter date, a longer interval, more filters, limit. To get more at once: max_tokens up to 20000."
	o.Hidden = []string{"cohort_date", "customers", "retention_rate"}
	if name != "cohort" {
		o.Hidden = nil
	}
}
