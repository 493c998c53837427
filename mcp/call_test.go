package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// replying returns an API that answers every request with the same bytes.
func replying(status int, contentType, body string, header ...string) *stubAPI {
	return &stubAPI{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}}
}

func TestCall_RefusesWhatItWouldIgnore(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, arguments, want string }{
		{"manage_data", `{"resource":"customers","action":"delete","confirm":true}`, `manage_data delete needs "id": Id of the row`},
		{"manage_data", `{"resource":"customers","action":"list","id":"a"}`, `manage_data list does not use "id"; it is for: get, update, delete`},
		{"manage_data", `{"resource":"customers","action":"create"}`, `manage_data create needs "body"`},
		{"manage_data", `{"resource":"customers","action":"reset","id":"a"}`, `manage_data has no action "reset" for customers; it exists for: data-sources`},
		{"manage_data", `{"resource":"regions","action":"list"}`, `resource: "regions" is not valid; use one of: customers, plans`},
		{"manage_data", `{"resource":"customers","action":"destroy"}`, `action: "destroy" is not valid`},
		{"manage_data", `{"action":"list"}`, `manage_data needs "resource": one of customers, plans`},
		{"manage_billing", `{"action":"check_vat"}`, `manage_billing check_vat needs "vat_number": VAT number to check`},
		{"manage_team", `{"action":"edit","body":{"role":"admin"}}`, `manage_team edit needs "user_id"`},
		{"manage_webhooks", `{"action":"sample"}`, `manage_webhooks sample needs "event"`},
		{"get_customer", `{}`, `get_customer needs "id": Customer id`},
		{"get_customer", `{"id":null}`, `get_customer needs "id"`},
		{"get_report", `{"name":"mrrr"}`, `name: "mrrr" is not valid, did you mean "mrr"? Valid: summary, mrr, movement-table`},
		{"get_report", `{"name":"../account/api-keys"}`, `is not valid`},
		{"get_report", `{"name":"mrr","sort":"date"}`, `the report mrr does not use "sort"; beside filters, limit and offset it takes: date, interval, breakdown, base_currency, fix_fx, committed`},
		{"get_report", `{"name":"summary","interval":"month"}`, `the report summary does not use "interval"`},
		{"get_report", `{"name":"retention","breakdown":"subtype"}`, `the report retention has no movements to split by subtype; these have: mrr, mrr-table`},
		{"get_report", `{"name":"mrr","breakdown":"plans"}`, `breakdown: "plans" cannot be split by, did you mean "plan"? Valid: plan, currency`},
		{"get_report", `{"name":"movement-table","selected_type":"upgrading"}`, `selected_type: "upgrading" is not valid; use one of: new, expansion`},
		{"get_report", `{"name":"mrr","interval":"fortnight"}`, `interval: "fortnight" is not valid; use one of: day, week`},
		{"get_report", `{"name":"mrr","segmnt":"x"}`, `unknown argument "segmnt", did you mean "segment"?`},
		{"api_request", `{"method":"PATCH","path":"/account"}`, `method: "PATCH" is not valid`},
		{"api_request", `{"method":"POST","path":"/auth/sign-in","body":{"a":1}}`, "not for tools"},
		{"api_request", `{"method":"GET","path":"/v2/%61uth/methods"}`, "not for tools"},
		{"api_request", `{"method":"POST","path":"/connection-keys/revoke"}`, "not for tools"},
		{"api_request", `{"method":"GET","path":"/account","body":{"a":1}}`, `api_request does not use "body"`},
	}
	for _, tt := range tests {
		api := &stubAPI{}
		result := callTool(t, newServer(t, api, false), tt.tool, tt.arguments)
		if text := textOf(t, result); !result.IsError || !strings.Contains(text, tt.want) || len(api.asked) > 0 {
			t.Errorf("%s %s: error %v, asked %v, says %s\nwant %s", tt.tool, tt.arguments, result.IsError, api.asked, text, tt.want)
		}
	}
}

func TestCall_ErrorsNameTheArgument(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]string{"baseCurrency": "base_currency", "selected-date": "selected_date", "date": "date"} {
		api := replying(400, "application/json", `{"error":"`+wire+`: \"x\" is wrong","details":[{"field":"`+wire+`","message":"\"x\" is wrong"}]}`)
		result := callTool(t, newServer(t, api, false), "get_report", `{"name":"movement-table"}`)
		if got := textOf(t, result); got != "API error 400: "+want+`: "x" is wrong` {
			t.Errorf("%s: %s", wire, got)
		}
	}
}

func TestCall_PathsStayOnTheAPI(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"//evil.example/steal", "https://evil.example/", "http:evil.example", "evil.example/x", "reports/mrr", "", "/", `/\evil.example`, `\\evil.example`,
		"/reports/../account/api-keys", "/reports/%2e%2e/account", "/a/%2f/b", "/a%2fb", "/a%5cb", "/a//b", "/./a", "/a/./b", "/a#b", "/%zz", "///", "/a?%zz", "/a%2F..%2Fb",
	} {
		arguments, err := json.Marshal(map[string]string{"method": "GET", "path": path})
		if err != nil {
			t.Fatal(err)
		}
		api := &stubAPI{}
		result := callTool(t, newServer(t, api, false), "api_request", string(arguments))
		if !result.IsError || len(api.asked) > 0 {
			t.Errorf("path %q is taken and asks %v", path, api.asked)
		}
	}
}

// TestCall_ArgumentsStayInTheirPlace puts hostile text into every argument
// that becomes a part of a path and asks that the route stays the same.
func TestCall_ArgumentsStayInTheirPlace(t *testing.T) {
	t.Parallel()
	hostile := []string{"..", ".", "../account", "a/../../account/api-keys", "//evil.example", "https://evil.example/x", "%2e%2e", "%2f", `..\x`, "a?b=c", "a#b", "a b", "é\n", "\x00", ";a", "@evil.example", "?", "#"}
	for _, tool := range tools() {
		if tool.name == "api_request" {
			continue // TestCall_PathsStayOnTheAPI
		}
		set := tool.set()
		for i := range tool.actions {
			a := &tool.actions[i]
			for _, name := range a.placeholders() {
				if p := set.Find(name); len(p.Enum) > 0 {
					continue
				}
				for _, text := range hostile {
					checkRoute(t, tool, a, name, text)
				}
			}
		}
	}
}

func checkRoute(t *testing.T, tool tool, a *action, name, text string) {
	t.Helper()
	arguments := map[string]any{"confirm": true, "body": map[string]string{"a": "b"}, "action": a.name}
	for _, other := range append(a.placeholders(), a.needs...) {
		arguments[other] = "x"
	}
	if tool.set().Find("resource") != nil {
		arguments["resource"] = "plan-groups"
		if len(a.only) > 0 {
			arguments["resource"] = a.only[0]
		}
	}
	arguments[name] = text
	for key := range arguments {
		if tool.set().Find(key) == nil || !a.uses(key) {
			delete(arguments, key)
		}
	}
	raw, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	api := &stubAPI{}
	result := callTool(t, newServer(t, api, false), tool.name, string(raw))
	if len(api.asked) == 0 {
		if !result.IsError {
			t.Errorf("%s %s asks nothing and succeeds", tool.name, raw)
		}
		return
	}
	target := strings.Fields(api.asked[0])[1]
	u, err := url.ParseRequestURI(target)
	if err != nil || strings.Count(u.EscapedPath(), "/") != strings.Count("/"+a.path, "/") || u.RawQuery != "" {
		t.Errorf("%s %s leaves its route: %s", tool.name, raw, api.asked[0])
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, want := range strings.Split("/"+a.path, "/") {
		if !strings.HasPrefix(want, "{") && segments[i] != want {
			t.Errorf("%s %s leaves its route: %s", tool.name, raw, api.asked[0])
		}
	}
	if text == "." || text == ".." {
		t.Errorf("%s %s sends a dot segment: %s", tool.name, raw, api.asked[0])
	}
}

func TestCall_IrreversibleActionsNeedConfirmation(t *testing.T) {
	t.Parallel()
	for _, arguments := range []struct{ tool, json, question string }{
		{"manage_account", `{"action":"delete"}`, "Delete this whole GrowPanel account with all its data?"},
		{"manage_data", `{"resource":"invoices","action":"delete","id":"inv_1"}`, "Delete inv_1 from invoices?"},
		{"manage_data", `{"resource":"data-sources","action":"reset","id":"ds_1","confirm":false}`, "Remove all rows of the data source ds_1?"},
		{"manage_api_keys", `{"action":"delete","id":"k"}`, "Delete the API key k?"},
		{"manage_team", `{"action":"remove","user_id":"u"}`, "Remove the member u from the account?"},
		{"manage_webhooks", `{"action":"delete","id":"wh"}`, "Delete the webhook wh?"},
		{"manage_billing", `{"action":"delete_card","card_id":"c"}`, "Delete the card c?"},
		{"api_request", `{"method":"DELETE","path":"/account"}`, "DELETE /account?"},
		{"api_request", `{"method":"POST","path":"/v1/data/data-sources/ds_1/reset"}`, "POST /v1/data/data-sources/ds_1/reset?"},
	} {
		api := &stubAPI{}
		result := callTool(t, newServer(t, api, false), arguments.tool, arguments.json)
		text := textOf(t, result)
		if !result.IsError || len(api.asked) > 0 || !strings.Contains(text, arguments.question) || !strings.Contains(text, "confirm: true") {
			t.Errorf("%s %s: asked %v, says %s", arguments.tool, arguments.json, api.asked, text)
		}
	}
}

func TestCall_ReadOnly(t *testing.T) {
	t.Parallel()
	api := &stubAPI{}
	s := newServer(t, api, true)
	var names []string
	for _, tool := range s.catalog() {
		names = append(names, tool.Tool.Name)
		if !*tool.Tool.Annotations.ReadOnlyHint || *tool.Tool.Annotations.DestructiveHint {
			t.Errorf("%s: not marked as reading only", tool.Tool.Name)
		}
		for _, word := range []string{"delete", "create", "update", `"POST"`, `"body"`, `"confirm"`} {
			if strings.Contains(string(tool.Tool.RawInputSchema), word) {
				t.Errorf("%s: its schema speaks of %s", tool.Tool.Name, word)
			}
		}
	}
	if want := strings.ReplaceAll(toolNames, " resync_customer", ""); strings.Join(names, " ") != want {
		t.Errorf("offers %s", names)
	}
	for _, r := range routes {
		if r.tool == "resync_customer" {
			continue
		}
		before := len(api.asked)
		result := callTool(t, s, r.tool, r.arguments)
		reads := strings.HasPrefix(r.want, "GET ")
		if result.IsError == reads || reads != (len(api.asked) > before) {
			t.Errorf("%s %s: error %v, asked %v", r.tool, r.arguments, result.IsError, api.asked[before:])
		}
	}
}

func TestCall_APIErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body, want string
		status           int
		header           []string
	}{
		{"not found", `{"error":"no report is called leads","message":"no report is called leads","code":"not_found"}`, "API error 404: no report is called leads", 404, nil},
		{"older message", `{"message":"Nope."}`, "API error 400: Nope", 400, nil},
		{"details", `{"error":"2 faults","details":[{"index":3,"id":"inv_1","field":"plan_id","message":"unknown plan"},{"field":"currency","message":"dkk on 2026-03-01"}]}`, "API error 409: 2 faults\n- row 3 inv_1: plan_id: unknown plan\n- currency: dkk on 2026-03-01", 409, nil},
		{"unauthorized", `{"error":"the API key is unknown"}`, "API error 401: the API key is unknown\nThe API key is missing, unknown or revoked. The user can check it, or connect again.", 401, nil},
		{"forbidden", `{"error":"a readonly key cannot change data"}`, "API error 403: a readonly key cannot change data\nThis key may not do that; an admin key may be needed.", 403, nil},
		{"limited", `{"error":"Rate limit exceeded"}`, "API error 429: Rate limit exceeded\nThe account has used up its requests for now; it may be repeated in 42 seconds.", 429, []string{"Retry-After", "42"}},
		{"no JSON", `<html>bad gateway</html>`, "API error 502: bad gateway", 502, nil},
		{"control characters", `{"error":"no customer \u001b[31m\n\u202e x"}`, `API error 404: no customer \x1b[31m\n\u202e x`, 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			result := callTool(t, newServer(t, replying(tt.status, "application/json", tt.body, tt.header...), false), "get_report", `{"name":"mrr"}`)
			if diff := cmp.Diff(tt.want, textOf(t, result)); diff != "" || !result.IsError || result.StructuredContent != nil {
				t.Errorf("error %v, structured %v (-want +got):\n%s", result.IsError, result.StructuredContent, diff)
			}
		})
	}
}

func TestCall_AnswersThatAreNotJSON(t *testing.T) {
	t.Parallel()
	result := callTool(t, newServer(t, replying(200, "text/html", "<html>Welcome</html>"), false), "get_report", `{"name":"mrr"}`)
	if text := textOf(t, result); !result.IsError || !strings.Contains(text, "not JSON") {
		t.Errorf("error %v, says %s", result.IsError, text)
	}
}

func TestCall_LongFailuresAreCut(t *testing.T) {
	t.Parallel()
	body := `{"error":"` + strings.Repeat("é", 10_000) + `"}`
	if text := textOf(t, callTool(t, newServer(t, replying(400, "application/json", body), false), "list_plans", `{}`)); len(text) > maxFailure {
		t.Errorf("a failure of %d bytes is passed on", len(text))
	}
}

func TestCall_ResultsSatisfyTheOutputSchema(t *testing.T) {
	t.Parallel()
	for _, r := range routes {
		for _, body := range []string{
			`{"success":true,"id":"x"}`, `{"currency":"usd","result":[{"date":"2026-01-01","new":100}]}`, `{"currency":"usd","result":{"count":0,"list":[]}}`,
			`{"summary":{"mrr_current":1}}`, `[]`, `"ok"`, ``, `{"webhooks":[{"id":"a"}]}`, `{"result":"ok","deleted":"p"}`,
		} {
			result := callTool(t, newServer(t, replying(200, "application/json", body), false), r.tool, r.arguments)
			raw, ok := result.StructuredContent.(json.RawMessage)
			if result.IsError || !ok {
				t.Errorf("%s with %s: %s", r.tool, body, textOf(t, result))
				continue
			}
			checkSchema(t, r.tool, raw)
		}
	}
}

// checkSchema holds a structured result against the output schema of its tool:
// the types of the properties at the top, and what is required.
func checkSchema(t *testing.T, name string, raw json.RawMessage) {
	t.Helper()
	all := tools()
	i := slices.IndexFunc(all, func(t tool) bool { return t.name == name })
	var schema struct {
		Properties map[string]struct{ Type string }
		Required   []string
	}
	if err := json.Unmarshal(all[i].output, &schema); err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Errorf("%s: %s is not an object: %v", name, raw, err)
		return
	}
	for _, required := range schema.Required {
		if _, ok := value[required]; !ok {
			t.Errorf("%s: %s lacks %s", name, raw, required)
		}
	}
	for property, v := range value {
		got := map[bool]string{true: "integer"}[v == float64(int64(toFloat(v)))]
		switch v.(type) {
		case string:
			got = "string"
		case bool:
			got = "boolean"
		case []any:
			got = "array"
		case map[string]any:
			got = "object"
		}
		if want, ok := schema.Properties[property]; ok && want.Type != got {
			t.Errorf("%s: %s is %s, the schema says %s", name, property, got, want.Type)
		}
	}
}

func toFloat(v any) float64 {
	f, _ := v.(float64)
	return f
}

func TestResources_DefineEveryReport(t *testing.T) {
	t.Parallel()
	s := newServer(t, replying(200, "application/json", "{}"), false)
	found := map[string]bool{}
	for params := "{}"; params != ""; {
		page := post(t, s, "2025-06-18", "resources/list", params)
		list, _ := page["resources"].([]any)
		for _, r := range list {
			resource, _ := r.(map[string]any)
			uri, _ := resource["uri"].(string)
			name := strings.TrimPrefix(uri, "growpanel://metrics/")
			found[name] = true
			contents, _ := post(t, s, "2025-06-18", "resources/read", fmt.Sprintf(`{"uri":%q}`, uri))["contents"].([]any)
			if len(contents) != 1 || !strings.HasPrefix(memberOf(contents[0], "text"), "# "+name+"\n") {
				t.Errorf("%s reads %v", uri, contents)
			}
		}
		params = ""
		if next, ok := page["nextCursor"].(string); ok {
			params = fmt.Sprintf(`{"cursor":%q}`, next)
		}
	}
	for _, name := range reportNames() {
		if !found[name] {
			t.Errorf("%s has no definition", name)
		}
	}
}

func TestCall_BaseCurrencyFromTheAccount(t *testing.T) {
	t.Parallel()
	api := &stubAPI{answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := `{"id":"cus_1","currency":"jpy","current_mrr_base_currency":1234,"current_mrr_customer_currency":1800}`
		if r.URL.Path == "/account" {
			body = `{"base_currency":"usd"}`
		}
		_, _ = io.WriteString(w, body)
	}}
	text := textOf(t, callTool(t, newServer(t, api, false), "get_customer", `{"id":"cus_1"}`))
	if !strings.Contains(text, "current_mrr_base_currency\t12.34\ncurrent_mrr_customer_currency (own currency)\t1800") {
		t.Errorf("says %s", text)
	}
	if diff := cmp.Diff([]string{"GET /customers/cus_1", "GET /account"}, api.asked); diff != "" {
		t.Errorf("asks (-want +got):\n%s", diff)
	}
}

func TestCall_NoKeyAndNoNetwork(t *testing.T) {
	t.Parallel()
	broken := func(err error) *Server {
		s, failed := New(Config{
			ClientFor: func(context.Context, Caller) (*apiclient.Client, error) {
				if errors.Is(err, apiclient.ErrNoKey) {
					return nil, err
				}
				return apiclient.New(apiclient.Options{Key: apiclient.NewSecret("k.s"), MaxWait: -1, Transport: failing{err}})
			},
			Now: time.Now,
		})
		if failed != nil {
			t.Fatal(failed)
		}
		return s
	}
	for want, err := range map[string]error{
		"no API key; set GROWPANEL_API_KEY":                        apiclient.ErrNoKey,
		"the API cannot be reached":                                errors.New("connection refused"),
		"the API did not answer in time; the call may be repeated": context.DeadlineExceeded,
		"the answer is too large; narrow the request":              apiclient.ErrResponseTooLarge,
	} {
		result := callTool(t, broken(err), "manage_account", `{"action":"get"}`)
		if text := textOf(t, result); !result.IsError || !strings.Contains(text, want) || strings.Contains(text, "k.s") {
			t.Errorf("%v: says %s, want %s", err, text, want)
		}
	}
}

// failing is a transport that cannot reach anything.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
