package mcp

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

func apiRequest() tool {
	uses := []string{"path", "params"}
	return tool{
		name:  "api_request",
		title: "Call the API",
		description: "Calls any route of the GrowPanel REST API directly, for what no other tool covers. " +
			"Routes are listed by GET /openapi.json. Amounts in body are in minor units; amounts in the answer are in display units.",
		props: args.Set{
			{Name: "method", Required: true, Enum: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, Description: "HTTP method, e.g. GET"},
			{Name: "path", Required: true, Description: "Path below the API's root, e.g. /reports/mrr"},
			{Name: "params", Type: args.Map, Description: `Query parameters, e.g. {"date":"20260101-20260331"}`},
			body(`JSON body, e.g. {"name":"Acme"}`),
			confirmation(), maxTokens(),
		},
		actions: []action{
			{method: http.MethodGet, path: "", local: uses},
			{method: http.MethodPost, path: "", local: append(uses, "confirm"), body: mayBody},
			{method: http.MethodPut, path: "", local: uses, body: mayBody, repeatable: true},
			{method: http.MethodDelete, path: "", local: uses, body: mayBody, irreversible: "Delete?"},
		},
		output: outputSchema(true),
		route:  routeRequest,
		options: func(c *toolCall, o *answer.Options) {
			params := c.values.Map("params")
			o.Title = c.method + " " + c.escapedPath()
			o.Paged = params["offset"] != ""
			o.Currency = params["baseCurrency"]
		},
	}
}

// routeRequest takes the path apart. Nothing in it can leave the API: it has
// to begin with one slash, and no segment may be empty, made of dots, or hold
// an escaped slash or backslash.
func routeRequest(c *toolCall) error {
	path := c.values.Get("path")
	if strings.HasPrefix(path, "//") || strings.Contains(path, "://") {
		return errors.New(`path: give a path of the API that begins with one slash, e.g. /reports/mrr, not an address`)
	}
	segments, query, err := apiclient.SplitPath(path)
	if err != nil {
		return fmt.Errorf("path: %w", err)
	}
	for _, segment := range segments {
		if strings.ContainsAny(segment, `/\`) {
			return fmt.Errorf("path: the segment %q holds an escaped slash or backslash", segment)
		}
	}
	if signsIn(segments) {
		return errors.New("path: passwords, sessions and revocation secrets do not belong in a conversation; this route is not for tools")
	}
	c.segments, c.query = segments, query
	params := c.values.Map("params")
	for _, name := range slices.Sorted(maps.Keys(params)) {
		c.query.Set(name, params[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.query)) {
		c.echo = append(c.echo, answer.Pair{Name: name, Value: c.query.Get(name)})
	}
	if c.action.irreversible != "" || c.method == http.MethodPost && wipes(segments) {
		c.ask = c.method + " " + c.escapedPath() + "?"
	}
	return nil
}

// signsIn reports whether a route takes credentials of people.
func signsIn(segments []string) bool {
	if len(segments) > 1 && (segments[0] == "v1" || segments[0] == "v2") {
		segments = segments[1:]
	}
	return segments[0] == "auth" || segments[0] == "connection-keys"
}

// wipes reports whether posting to a route removes something for good.
func wipes(segments []string) bool {
	switch segments[len(segments)-1] {
	case "reset", "delete-multiple", "merge", "subscribe", "change-plan":
		return true
	}
	return false
}
