package mcp

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

func exportCSV() tool {
	props := args.Set{
		{
			Name: "type", Required: true, Enum: []string{"customers", "mrr-movements", "mrr-growth"},
			Words: map[string]string{"movements": "mrr-movements", "growth": "mrr-growth"}, Description: "What to export, e.g. customers",
		},
		{Name: "date", Convert: args.Date, Description: "e.g. 2026-Q1, last-12-months; customers: when they signed up"},
		{Name: "category", Type: args.List, Description: "mrr-growth: movement types, e.g. new~~churn"},
	}
	props = append(props, filters()...)
	props = append(
		props, baseCurrencyProperty(),
		args.Property{Name: "offset", Type: args.Integer, Description: "Rows to skip: `next` of the part before, e.g. 100"},
		maxTokens(),
	)
	query := slices.DeleteFunc(reportQuery(props), func(name string) bool { return name == "type" })
	return tool{
		name:  "export_csv",
		title: "Export CSV",
		description: "Exports customers, movements or growth to a CSV file for a spreadsheet. " +
			"Answers with the first rows and a link to the whole file; go on at offset where the link cannot be opened. " +
			"Amounts in the file are in minor units as the API sends them.",
		props:   props,
		actions: []action{{method: http.MethodGet, path: "exports/{type}.csv", query: query}},
		output: []byte(`{"type":"object","properties":{"returned":{"type":"integer"},"total":{"type":"integer"},"complete":{"type":"boolean"},` +
			`"next":{"type":"integer"},"csv":{"type":"string"}},"required":["complete"]}`),
		route: func(c *toolCall) error {
			c.query.Set("limit", strconv.Itoa(answer.Records(c.values.Int("max_tokens", 0))))
			return nil
		},
	}
}

// file shows the first rows of a file, and links to the whole of an export.
func (s *Server) file(ctx context.Context, c *toolCall, response *apiclient.Response) *mcpgo.CallToolResult {
	offset, _ := strconv.Atoi(c.query.Get("offset"))
	total, _ := strconv.Atoi(response.Header.Get(countHeader)) // older servers do not say
	shown := result(answer.CSV(answer.File{
		Title: c.title(), Notes: append([]string{exportNote}, doubts(c.echo)...), Body: response.Body, Offset: offset, Total: total,
	}, c.values.Int("max_tokens", 0)))
	if c.tool.name == "export_csv" && knowsLinks(ctx) {
		shown.Content = append(shown.Content, exportLink(c))
	}
	return shown
}

// exportNote tells amounts of a file from those of every other answer.
const exportNote = "Amounts are in minor units, unlike those of other tools: 9900 is 99.00 in usd or eur, 9900 in jpy."

// countHeader tells how many rows an export has in all.
const countHeader = "X-GrowPanel-Count"

// linksSince is the version of the protocol that brought resource links.
const linksSince = "2025-06-18"

// knowsLinks reports whether the client's version of the protocol has resource
// links; an older client would refuse the whole answer.
func knowsLinks(ctx context.Context) bool {
	session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithProtocolVersion)
	return ok && session.ProtocolVersion() >= linksSince
}

// exportLink links to the whole file of an export.
func exportLink(c *toolCall) mcpgo.ResourceLink {
	query := url.Values{}
	for name, values := range c.query {
		if !slices.Contains([]string{"limit", "offset"}, name) {
			query[name] = values
		}
	}
	file := c.values.Get("type") + ".csv"
	uri := exportScheme + file
	if len(query) > 0 {
		uri += "?" + query.Encode()
	}
	return mcpgo.NewResourceLink(uri, file, "The whole file", "text/csv")
}
