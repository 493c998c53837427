package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// theTools are the tools of the product, as every client has to list them.
var theTools = []string{
	"api_request", "export_csv", "get_customer", "get_report", "list_customers", "list_plans", "manage_account",
	"manage_api_keys", "manage_billing", "manage_data", "manage_settings", "manage_team", "manage_webhooks", "resync_customer",
}

// question is what every client asks.
var question = map[string]any{"name": "mrr", "date": "2026-01..2026-03"}

// toolResult is what the tests read of a tools/call result.
type toolResult struct {
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	StructuredContent struct {
		Currency string `json:"currency"`
		Complete bool   `json:"complete"`
		Rows     []struct {
			Date     string      `json:"date"`
			TotalMRR json.Number `json:"total_mrr"`
		} `json:"rows"`
	} `json:"structuredContent"`
	IsError bool `json:"isError"`
}

// session is what the scripts in clients/ print.
type session struct {
	Server  string     `json:"server"`
	Version string     `json:"version"`
	Tools   []string   `json:"tools"`
	Result  toolResult `json:"result"`
}

// Every public client lists the tools and gets the report over both transports,
// and what it gets is what the API says.
func TestClients(t *testing.T) {
	d := startDemo(t)
	want := reported(t, d)
	stdio := map[string]any{
		"command": program("growpanel-mcp"), "args": []string{},
		"env": map[string]string{"GROWPANEL_API_KEY": d.key, "GROWPANEL_API_URL": d.apiURL},
	}
	platform := map[string]any{"command": program("growpanel"), "args": []string{"mcp"}, "env": stdio["env"]}
	remote := map[string]any{"url": d.mcpURL, "token": d.key}
	root := map[string]any{"url": strings.TrimSuffix(d.mcpURL, "/mcp"), "token": d.key}
	bridge := map[string]any{
		"command": installed(t, ".bin/mcp-remote"),
		"args":    []string{d.mcpURL, "--allow-http", "--header", "Authorization: Bearer " + d.key},
		"env":     map[string]string{"MCP_REMOTE_CONFIG_DIR": t.TempDir()},
	}
	const legacy, modern = "2025-11-25", "2026-07-28"
	for _, test := range []struct {
		name, script, mode, version string
		target                      map[string]any
	}{
		{"sdk 1 on stdio", "sdk1.mjs", "", "", stdio},
		{"sdk 1 on stdio of the platform", "sdk1.mjs", "", "", platform},
		{"sdk 1 over HTTP", "sdk1.mjs", "", legacy, remote},
		{"sdk 1 over HTTP at the root", "sdk1.mjs", "", legacy, root},
		{"sdk 1 through mcp-remote", "sdk1.mjs", "", "", bridge},
		{"client 2 auto on stdio", "sdk2.mjs", "auto", modern, stdio},
		{"client 2 legacy on stdio", "sdk2.mjs", "legacy", legacy, stdio},
		{"client 2 pinned on stdio", "sdk2.mjs", "pin", modern, stdio},
		{"client 2 auto over HTTP", "sdk2.mjs", "auto", modern, remote},
		{"client 2 legacy over HTTP", "sdk2.mjs", "legacy", legacy, remote},
		{"client 2 pinned over HTTP", "sdk2.mjs", "pin", modern, remote},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := map[string]any{"mode": test.mode, "tool": "get_report", "arguments": question}
			maps.Copy(options, test.target)
			encoded, err := json.Marshal(options)
			if err != nil {
				t.Fatal(err)
			}
			out, err := output(t, cleanEnv(), nil, "node", "clients/"+test.script, string(encoded))
			if err != nil {
				t.Fatal(err)
			}
			var got session
			decode(t, out, &got)
			if got.Server != "GrowPanel MCP Server" || test.version != "" && got.Version != test.version {
				t.Errorf("connected to %q with version %q, want version %q", got.Server, got.Version, test.version)
			}
			if diff := cmp.Diff(theTools, got.Tools); diff != "" {
				t.Errorf("tools (-want +got):\n%s", diff)
			}
			checkResult(t, got.Result, want)
		})
	}
}

func TestInspector(t *testing.T) {
	d := startDemo(t)
	want := reported(t, d)
	inspector := installed(t, ".bin/mcp-inspector")
	for name, target := range map[string][]string{
		"on stdio":  {"-e", "GROWPANEL_API_KEY=" + d.key, "-e", "GROWPANEL_API_URL=" + d.apiURL, program("growpanel-mcp")},
		"over HTTP": {d.mcpURL, "--transport", "http", "--header", "Authorization: Bearer " + d.key},
	} {
		t.Run(name, func(t *testing.T) {
			inspect := func(args ...string) string {
				out, err := output(t, cleanEnv(), nil, inspector, slices.Concat([]string{"--cli"}, target, args)...)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			var list struct {
				Tools []struct {
					Name string `json:"name"`
				} `json:"tools"`
			}
			decode(t, inspect("--method", "tools/list", "--strict"), &list)
			var names []string
			for _, tool := range list.Tools {
				names = append(names, tool.Name)
			}
			if diff := cmp.Diff(theTools, names); diff != "" {
				t.Errorf("tools (-want +got):\n%s", diff)
			}
			call := []string{"--method", "tools/call", "--tool-name", "get_report"}
			for name, value := range question {
				call = append(call, "--tool-arg", fmt.Sprintf("%s=%v", name, value))
			}
			var got toolResult
			decode(t, inspect(call...), &got)
			checkResult(t, got, want)
		})
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// month is a row of the MRR report.
type month struct {
	Date     string
	TotalMRR string // in display units
}

// reported returns what the API itself answers to the question.
func reported(t *testing.T, d demo) []month {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.apiURL+"/reports/mrr?date=20260101-20260331&interval=month", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+d.key)
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET /reports/mrr = %d, %v: %s", response.StatusCode, err, body)
	}
	var report struct {
		Result []struct {
			Date     string `json:"date"`
			TotalMRR int64  `json:"total_mrr"`
		} `json:"result"`
	}
	decode(t, string(body), &report)
	var months []month
	for _, row := range report.Result {
		months = append(months, month{row.Date, fmt.Sprintf("%d.%02d", row.TotalMRR/100, row.TotalMRR%100)})
	}
	if len(months) != 3 || months[0].TotalMRR == "0.00" {
		t.Fatalf("the demo company's MRR is %v, want three months of it", months)
	}
	return months
}

// checkResult compares an answer of get_report with the API's.
func checkResult(t *testing.T, got toolResult, want []month) {
	t.Helper()
	if got.IsError || len(got.Content) != 1 || !got.StructuredContent.Complete || got.StructuredContent.Currency == "" {
		t.Fatalf("get_report = %+v", got)
	}
	var rows []month
	for _, row := range got.StructuredContent.Rows {
		amount, err := row.TotalMRR.Float64()
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, month{row.Date, fmt.Sprintf("%.2f", amount)})
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-API +tool):\n%s", diff)
	}
	for _, row := range want {
		if !strings.Contains(got.Content[0].Text, row.Date) || !strings.Contains(got.Content[0].Text, row.TotalMRR) {
			t.Errorf("the text lacks %v:\n%s", row, got.Content[0].Text)
		}
	}
}
