package mcp

import (
	"net/http"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

// resources are what manage_data works on.
func resources() []string {
	return []string{"customers", "plans", "plan-groups", "data-sources", "invoices", "segments"}
}

func manageData() tool {
	sources, groups := []string{"data-sources"}, []string{"plan-groups"}
	return tool{
		name:  "manage_data",
		title: "Manage data",
		description: "Reads, pushes, changes or deletes the raw rows: customers, plans, plan-groups, data-sources (connected billing systems), invoices, segments (saved filters). " +
			"create adds or replaces rows by id; body is one object or a list, amounts in minor units (9900 is 99.00). " +
			"reset, connect, full-import, progress, abort are for data-sources; merge, ai-suggest, delete-multiple for plan-groups.",
		props: args.Set{
			{Name: "resource", Required: true, Enum: resources(), Words: resourceWords(), Description: "Kind of rows, e.g. invoices"},
			{Name: "id", Description: "Id of the row, e.g. inv_456"},
			body(`Row or rows, e.g. {"id":"cus_1","name":"Acme"}; merge: {"source":"pg1","target":"pg2"}`),
			{Name: "data_source", Description: "Data source id that holds the rows, e.g. ds_1"},
			limit(1000), offset(), confirmation(), maxTokens(),
		},
		actions: []action{
			{name: "list", method: http.MethodGet, path: "data/{resource}", query: []string{"data_source", "limit", "offset"}},
			{name: "get", method: http.MethodGet, path: "data/{resource}/{id}", query: []string{"data_source"}},
			{name: "create", method: http.MethodPost, path: "data/{resource}", query: []string{"data_source"}, body: mustBody},
			{name: "update", method: http.MethodPut, path: "data/{resource}/{id}", query: []string{"data_source"}, body: mustBody},
			{name: "delete", method: http.MethodDelete, path: "data/{resource}/{id}", query: []string{"data_source"}, irreversible: "Delete {id} from {resource}?"},
			{name: "reset", method: http.MethodPost, path: "data/{resource}/{id}/reset", only: sources, irreversible: "Remove all rows of the data source {id}?"},
			{name: "connect", method: http.MethodPost, path: "data/{resource}/{id}/connect", only: sources, body: mayBody},
			{name: "full-import", method: http.MethodPost, path: "data/{resource}/{id}/full-import", only: sources},
			{name: "progress", method: http.MethodGet, path: "data/{resource}/{id}/progress", only: sources},
			{name: "abort", method: http.MethodPost, path: "data/{resource}/{id}/abort", only: sources},
			{name: "delete-multiple", method: http.MethodPost, path: "data/{resource}/delete-multiple", only: groups, body: mustBody, irreversible: "Delete these {resource}?"},
			{name: "ai-suggest", method: http.MethodPost, path: "data/{resource}/ai-suggest", only: groups, body: mayBody},
			{name: "merge", method: http.MethodPost, path: "data/{resource}/merge", only: groups, body: mustBody, irreversible: "Merge these {resource} into one?"},
		},
		output: outputSchema(true),
		options: func(c *toolCall, o *answer.Options) {
			o.Offset, o.Paged = c.values.Int("offset", 0), c.values.Has("offset")
		},
	}
}

func resourceWords() map[string]string {
	return map[string]string{
		"customer": "customers", "plan": "plans", "plan-group": "plan-groups", "segment": "segments", "filters": "segments", "data-source": "data-sources",
		"sources": "data-sources", "invoice": "invoices", "subscribers": "customers",
	}
}
