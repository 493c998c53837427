package mcp

import (
	"net/http"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

// customerPage is the most customers per call, and the default.
const customerPage = 100

func listCustomers() tool {
	props := args.Set{search(), {Name: "date", Convert: args.Date, Description: "When they signed up, e.g. 2026-Q1"}}
	props = append(props, filters()...)
	props = append(
		props, baseCurrencyProperty(),
		args.Property{Name: "fix_fx", Type: args.Boolean, Description: "One exchange rate for all days"},
		limit(customerPage), offset(), maxTokens(),
	)
	query := reportQuery(props)
	return tool{
		name:  "list_customers",
		title: "List customers",
		description: "Lists or finds customers by name, email, status, country, plan or industry, with id, current revenue, total paid and custom variables. " +
			"For who is active, trialing, past due or canceled. " +
			"Filters: a~~b either, ~a not a, ~ unset.",
		props:   props,
		actions: []action{{method: http.MethodGet, path: "customers", query: query}},
		output:  outputSchema(true),
		check: func(c *toolCall) error {
			c.values.Default("limit", "100")
			return nil
		},
		options: func(c *toolCall, o *answer.Options) {
			o.Title = "customers"
			o.Offset, o.Paged = c.values.Int("offset", 0), true
			o.Hidden = []string{"current_mrr", "current_mrr_base_currency"}
		},
	}
}

func getCustomer() tool {
	return tool{
		name:  "get_customer",
		title: "Get a customer",
		description: "Shows the details of one customer by id: status, dates, what it pays and has paid in total, custom variables, running subscriptions. " +
			"list_customers with search finds the id; get_report movement-table with customer has the history.",
		props: args.Set{
			{Name: "id", Required: true, Description: "Customer id in the billing system, e.g. cus_123"},
			{Name: "data_source", Description: "Data source id, where several have this id, e.g. ds_1"},
			baseCurrencyProperty(),
		},
		actions: []action{{method: http.MethodGet, path: "customers/{id}", query: []string{"data_source", "base_currency"}}},
		output:  outputSchema(false),
		options: func(c *toolCall, o *answer.Options) { o.Title = "customer " + c.values.Get("id") },
	}
}

func resyncCustomer() tool {
	return tool{
		name:        "resync_customer",
		title:       "Resync a customer",
		description: "Refreshes one customer: fetches it again from the billing system and recomputes its movements, when it looks outdated. Needs an admin key.",
		props:       args.Set{{Name: "id", Required: true, Description: "Customer id in the billing system, e.g. cus_123"}},
		actions:     []action{{method: http.MethodPost, path: "customers/{id}/resync", repeatable: true}},
		output:      outputSchema(false),
	}
}

func listPlans() tool {
	return tool{
		name:  "list_plans",
		title: "List plans",
		description: "Lists the plans we sell with id, name, billing interval, price or cost, number of paying customers and plan groups. " +
			"Gives the ids for the plan filter of get_report.",
		props: args.Set{
			limit(1000), offset(), maxTokens(),
		},
		actions: []action{{method: http.MethodGet, path: "plans", query: []string{"limit", "offset"}}},
		output:  outputSchema(true),
		options: func(c *toolCall, o *answer.Options) {
			o.Title = "plans"
			o.Offset, o.Paged = c.values.Int("offset", 0), true
			o.Hidden = []string{"external_id", "interval"}
		},
	}
}
