package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toolbox calls the tools of a running server and notes which actions it has
// used.
type toolbox struct {
	url, key string
	used     map[string]bool
}

// call calls a tool that must succeed and returns its structured result: data,
// or rows and what goes with them.
func (b *toolbox) call(t *testing.T, tool string, arguments map[string]any) map[string]any {
	t.Helper()
	result, text := b.try(t, tool, arguments)
	if result["isError"] == true {
		t.Fatalf("%s %v: %s", tool, arguments, text)
	}
	structured, _ := result["structuredContent"].(map[string]any)
	if data, ok := structured["data"].(map[string]any); ok && (structured["rows"] == nil || data["id"] != nil) {
		return data
	}
	return structured
}

// refused calls a tool that must say why it does nothing.
func (b *toolbox) refused(t *testing.T, want, tool string, arguments map[string]any) {
	t.Helper()
	if result, text := b.try(t, tool, arguments); result["isError"] != true || !strings.Contains(text, want) {
		t.Errorf("%s %v: %s, want a refusal with %q", tool, arguments, text, want)
	}
}

func (b *toolbox) try(t *testing.T, tool string, arguments map[string]any) (result map[string]any, text string) {
	t.Helper()
	if arguments == nil {
		arguments = map[string]any{}
	}
	b.used[strings.TrimSpace(tool+" "+fmt.Sprint(orEmpty(arguments["action"])))] = true
	encoded, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": arguments},
	})
	if err != nil {
		t.Fatal(err)
	}
	status, _, body := post(t, b.url, b.key, string(encoded))
	var message struct {
		Result map[string]any `json:"result"`
	}
	decode(t, body, &message)
	if status != http.StatusOK || message.Result == nil {
		t.Fatalf("%s %v: %d %s", tool, arguments, status, body)
	}
	if content, _ := message.Result["content"].([]any); len(content) > 0 {
		text, _ = content[0].(map[string]any)["text"].(string)
	}
	return message.Result, text
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

type args = map[string]any

// rows returns the list of an answer.
func rows(t *testing.T, answer map[string]any) []map[string]any {
	t.Helper()
	list, ok := answer["rows"].([]any)
	if !ok {
		t.Fatalf("there is no list in %v", answer)
	}
	var found []map[string]any
	for _, row := range list {
		fields, _ := row.(map[string]any)
		found = append(found, fields)
	}
	return found
}

// state is what can be read of the account, without times of use.
func (b *toolbox) state(t *testing.T) map[string]string {
	t.Helper()
	state := map[string]string{}
	read := func(tool string, arguments args) {
		_, text := b.try(t, tool, arguments)
		state[tool+fmt.Sprint(arguments)] = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(text, "TIME")
	}
	for _, resource := range []string{"customers", "plans", "invoices", "plan-groups", "segments", "data-sources"} {
		read("manage_data", args{"action": "list", "resource": resource})
	}
	read("manage_settings", args{"action": "get"})
	for _, integration := range []string{"notifications", "stripe", "webhook", "slack", "teams"} {
		read("manage_settings", args{"action": "get", "integration": integration})
	}
	read("manage_account", args{"action": "get"})
	read("manage_team", args{"action": "list"})
	read("manage_api_keys", args{"action": "list"})
	read("manage_webhooks", args{"action": "list"})
	read("get_report", args{"name": "mrr", "date": "2026"})
	return state
}

// startEmpty starts a server with an account that has nothing but a key.
func startEmpty(t *testing.T) *toolbox {
	t.Helper()
	data := t.TempDir()
	key, err := exec.Command(program("growpanel"), "admin", "create-key", "--account", "Acme", "--data", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	log := start(t, cleanEnv("GROWPANEL_FX_FEED=off"), regexp.MustCompile(`endpoint="MCP endpoint"`), program("growpanel"), "serve", "--data", data, "--now", demoDay,
		"--api-listen", "127.0.0.1:0", "--mcp-listen", "127.0.0.1:0", "--rate-limits", "off", "--allow-private-networks", "127.0.0.0/8")
	match := regexp.MustCompile(`endpoint="MCP endpoint" url=(http://\S+)`).FindStringSubmatch(log)
	if match == nil {
		t.Fatalf("the server says %s", log)
	}
	return &toolbox{url: match[1] + "/mcp", key: strings.TrimSpace(string(key)), used: map[string]bool{}}
}

// Every action of every tool works against the real server, and what they did
// can be undone with them.
func TestTools_EveryAction(t *testing.T) {
	b := startEmpty(t)
	before := b.state(t)
	t.Run("rows", func(t *testing.T) { testRows(t, b) })
	t.Run("groups and segments", func(t *testing.T) { testGroups(t, b) })
	t.Run("reports", func(t *testing.T) { testReading(t, b) })
	t.Run("sources", func(t *testing.T) { testSources(t, b) })
	t.Run("webhooks", func(t *testing.T) { testWebhooks(t, b) })
	t.Run("settings", func(t *testing.T) { testSettings(t, b) })
	t.Run("account", func(t *testing.T) { testAccount(t, b) })
	t.Run("undone", func(t *testing.T) {
		b.call(t, "manage_data", args{"action": "delete", "resource": "data-sources", "id": onlySource(t, b), "confirm": true})
		for _, group := range rows(t, b.call(t, "manage_data", args{"action": "list", "resource": "plan-groups"})) {
			b.call(t, "manage_data", args{"action": "delete", "resource": "plan-groups", "id": group["id"], "confirm": true})
		}
		if diff := cmp.Diff(before, b.state(t)); diff != "" {
			t.Errorf("something is left (-before +after):\n%s", diff)
		}
	})
	for _, action := range documentedActions(t) {
		if !b.used[action] {
			t.Errorf("%s was not tried", action)
		}
	}
}

// documentedActions reads the actions of all tools from their reference.
func documentedActions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/tools.md")
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		tool, rest, _ := strings.Cut(section, "\n")
		for _, match := range regexp.MustCompile("(?m)^\\| ([a-z_-]*) \\| `(GET|POST|PUT|DELETE) ").FindAllStringSubmatch(rest, -1) {
			actions = append(actions, strings.TrimSpace(tool+" "+match[1]))
		}
	}
	if len(actions) < 50 {
		t.Fatalf("found %v", actions)
	}
	return actions
}

func onlySource(t *testing.T, b *toolbox) string {
	t.Helper()
	list := rows(t, b.call(t, "manage_data", args{"action": "list", "resource": "data-sources"}))
	if len(list) != 1 {
		t.Fatalf("the data sources are %v", list)
	}
	return fmt.Sprint(list[0]["id"])
}

func testRows(t *testing.T, b *toolbox) {
	created := b.call(t, "manage_data", args{"action": "create", "resource": "data-sources", "body": args{"name": "Billing", "type": "api"}})
	source := created["id"]
	b.call(t, "manage_data", args{"action": "create", "resource": "plans", "body": []args{
		{"id": "pro_monthly", "name": "Pro monthly", "interval": "month", "interval_count": 1, "currency": "USD"},
		{"id": "pro_yearly", "name": "Pro yearly", "interval": "year", "interval_count": 1, "currency": "USD"},
		{"id": "basic", "name": "Basic", "interval": "month", "interval_count": 1, "currency": "USD"},
	}})
	b.call(t, "manage_data", args{"action": "create", "resource": "customers", "data_source": source, "body": []args{{"id": "cus_1", "name": "Ann", "country": "US"}, {"id": "cus_2", "name": "Ben"}}})
	b.call(t, "manage_data", args{"action": "create", "resource": "invoices", "body": []args{
		{"id": "inv_1", "customer_id": "cus_1", "type": "subscription", "plan_id": "pro_monthly", "invoice_date": "2026-06-01", "amount": 9900, "currency": "USD"},
		{"id": "inv_2", "customer_id": "cus_2", "type": "subscription", "plan_id": "basic", "invoice_date": "2026-06-02", "amount": 1900, "currency": "USD"},
	}})
	for resource, id := range map[string]string{"customers": "cus_1", "plans": "pro_monthly", "invoices": "inv_1"} {
		if got := b.call(t, "manage_data", args{"action": "get", "resource": resource, "id": id}); got["id"] != id {
			t.Errorf("%s %s is %v", resource, id, got)
		}
	}
	mrr := func() any {
		summary, _ := b.call(t, "get_report", args{"name": "summary"})["summary"].(map[string]any)
		return summary["mrr_current"]
	}
	first := mrr()
	b.call(t, "manage_data", args{"action": "update", "resource": "invoices", "id": "inv_1", "body": args{"amount": 19900}})
	if raised := mrr(); raised == first {
		t.Errorf("MRR is still %v after a change of an invoice", raised)
	}
	b.call(t, "manage_data", args{"action": "update", "resource": "invoices", "id": "inv_1", "body": args{"amount": 9900}})
	b.refused(t, "confirm", "manage_data", args{"action": "delete", "resource": "invoices", "id": "inv_2"})
	b.call(t, "manage_data", args{"action": "delete", "resource": "invoices", "id": "inv_2", "confirm": true})
	b.call(t, "manage_data", args{"action": "delete", "resource": "customers", "id": "cus_2", "confirm": true})
	b.refused(t, "404", "manage_data", args{"action": "get", "resource": "customers", "id": "cus_2"})
	b.call(t, "resync_customer", args{"id": "cus_1"})
}

func testGroups(t *testing.T, b *toolbox) {
	create := func(name string, plans ...string) string {
		return fmt.Sprint(b.call(t, "manage_data", args{"action": "create", "resource": "plan-groups", "body": args{"name": name, "plans": plans}})["id"])
	}
	pro, basic, more, most := create("Pro", "pro_monthly"), create("Basic", "basic"), create("More", "basic"), create("Most", "basic")
	b.call(t, "manage_data", args{"action": "ai-suggest", "resource": "plan-groups", "body": args{"plans": []string{"pro_monthly", "pro_yearly"}}})
	b.call(t, "manage_data", args{"action": "update", "resource": "plan-groups", "id": pro, "body": args{"plans": []string{"pro_monthly", "pro_yearly"}}})
	b.call(t, "manage_data", args{"action": "merge", "resource": "plan-groups", "body": args{"source": basic, "target": pro}, "confirm": true})
	b.call(t, "manage_data", args{"action": "delete-multiple", "resource": "plan-groups", "body": args{"ids": []string{more, most}}, "confirm": true})
	if left := rows(t, b.call(t, "manage_data", args{"action": "list", "resource": "plan-groups"})); len(left) != 1 || left[0]["id"] != pro {
		t.Errorf("the plan groups are %v", left)
	}
	segment := b.call(t, "manage_data", args{"action": "create", "resource": "segments", "body": args{"name": "America", "filters": args{"country": "us"}}})
	b.call(t, "manage_data", args{"action": "get", "resource": "segments", "id": segment["id"]})
	b.call(t, "manage_data", args{"action": "update", "resource": "segments", "id": segment["id"], "body": args{"name": "The Americas"}})
	b.call(t, "manage_data", args{"action": "delete", "resource": "segments", "id": segment["id"], "confirm": true})
}

func testReading(t *testing.T, b *toolbox) {
	b.call(t, "get_report", args{"name": "mrr", "date": "2026-06"})
	if list := rows(t, b.call(t, "list_customers", args{"search": "ann"})); len(list) != 1 || list[0]["id"] != "cus_1" {
		t.Errorf("found %v", list)
	}
	b.call(t, "get_customer", args{"id": "cus_1"})
	b.call(t, "list_plans", nil)
	for _, kind := range []string{"customers", "mrr-movements", "mrr-growth"} {
		if file := b.call(t, "export_csv", args{"type": kind, "date": "2026"}); file["csv"] == "" {
			t.Errorf("the file %s is %v", kind, file)
		}
	}
	for _, method := range []string{"GET", "POST", "PUT"} {
		call := args{"method": method, "path": "/data/customers/cus_1"}
		switch method {
		case "POST":
			call = args{"method": method, "path": "/data/customers", "body": args{"id": "cus_1", "name": "Ann", "country": "US"}}
		case "PUT":
			call["body"] = args{"name": "Ann"}
		}
		b.call(t, "api_request", call)
	}
	b.refused(t, "404", "api_request", args{"method": "DELETE", "path": "/data/customers/nobody", "confirm": true})
	b.refused(t, "", "api_request", args{"method": "POST", "path": "/auth/sign-in", "body": args{}})
}

func testSources(t *testing.T, b *toolbox) {
	source := onlySource(t, b)
	billing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		page := `{"data":[],"has_more":false}`
		if strings.HasSuffix(r.URL.Path, "/customers") {
			page = `{"data":[{"id":"cus_9","name":"Pulled"}],"has_more":false}`
		}
		_, _ = io.WriteString(w, page)
	}))
	defer billing.Close()
	b.call(t, "manage_data", args{"action": "get", "resource": "data-sources", "id": source})
	b.call(t, "manage_data", args{"action": "update", "resource": "data-sources", "id": source, "body": args{"name": "Our billing"}})
	b.call(t, "manage_data", args{"action": "connect", "resource": "data-sources", "id": source, "body": args{
		"endpoint_url": billing.URL, "auth": args{"type": "bearer", "token": "secret"}, "schedule": "off",
	}})
	b.call(t, "manage_data", args{"action": "full-import", "resource": "data-sources", "id": source})
	for waited := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		progress, text := b.try(t, "manage_data", args{"action": "progress", "resource": "data-sources", "id": source})
		if progress["isError"] == true || time.Since(waited) > patience {
			t.Fatalf("the import does not end: %s", text)
		}
		if _, customer := b.try(t, "manage_data", args{"action": "get", "resource": "customers", "id": "cus_9"}); strings.Contains(customer, "Pulled") {
			break
		}
	}
	b.try(t, "manage_data", args{"action": "abort", "resource": "data-sources", "id": source}) // it has ended, or ends now
	b.call(t, "manage_data", args{"action": "reset", "resource": "data-sources", "id": source, "confirm": true})
	if left := rows(t, b.call(t, "manage_data", args{"action": "list", "resource": "customers"})); len(left) > 0 {
		t.Errorf("after a reset there are %v", left)
	}
}

func testWebhooks(t *testing.T, b *toolbox) {
	heard := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- r.Header.Get("Webhook-Signature") + " " + string(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	hook := b.call(t, "manage_webhooks", args{"action": "create", "body": args{"url": receiver.URL, "event_type": "movement.new"}})
	id := hook["id"]
	if id == nil {
		t.Fatalf("a new webhook is %v", hook)
	}
	b.call(t, "manage_webhooks", args{"action": "get", "id": id})
	b.call(t, "manage_webhooks", args{"action": "verify"})
	b.call(t, "manage_webhooks", args{"action": "sample", "event": "movement.churn"})
	b.call(t, "manage_webhooks", args{"action": "rotate_secret", "id": id})
	b.call(t, "manage_webhooks", args{"action": "resume", "id": id})
	b.call(t, "manage_webhooks", args{"action": "test", "id": id})
	select {
	case message := <-heard:
		if !strings.HasPrefix(message, "v1,") || !strings.Contains(message, "movement.new") {
			t.Errorf("heard %s", message)
		}
	case <-time.After(patience):
		t.Fatal("the test was not delivered")
	}
	push := func(resource string, body args) {
		b.call(t, "manage_data", args{"action": "create", "resource": resource, "body": body})
	}
	push("plans", args{"id": "pro", "name": "Pro", "interval": "month", "interval_count": 1, "currency": "USD"})
	push("customers", args{"id": "cus_5", "name": "Eve"})
	push("invoices", args{"id": "inv_5", "customer_id": "cus_5", "type": "subscription", "plan_id": "pro", "invoice_date": demoDay, "amount": 9900, "currency": "USD"})
	select {
	case <-heard:
	case <-time.After(patience):
		t.Fatal("the event was not delivered")
	}
	deliveries := rows(t, b.call(t, "manage_webhooks", args{"action": "deliveries", "id": id}))
	if len(deliveries) == 0 {
		t.Fatal("there are no deliveries")
	}
	b.call(t, "manage_webhooks", args{"action": "resend", "id": id, "delivery": deliveries[0]["id"]})
	b.call(t, "manage_webhooks", args{"action": "delete", "id": id, "confirm": true})
	b.call(t, "manage_data", args{"action": "delete", "resource": "customers", "id": "cus_5", "confirm": true})
}

func testSettings(t *testing.T, b *toolbox) {
	was := b.call(t, "manage_settings", args{"action": "get"})["churn_grace_days"]
	b.call(t, "manage_settings", args{"action": "update", "body": args{"churn_grace_days": 9}})
	b.call(t, "manage_settings", args{"action": "update", "body": args{"churn_grace_days": was}})
	for _, integration := range []string{"hubspot", "looker-studio"} {
		b.refused(t, "is not available on this server", "manage_settings", args{"action": "update", "integration": integration, "body": args{"enabled": true}})
	}
	b.call(t, "manage_settings", args{"action": "get", "integration": "slack"})
	b.refused(t, "", "manage_settings", args{"action": "update", "integration": "slack", "body": args{"webhook_url": "https://attacker.example/hook"}})
}

func testAccount(t *testing.T, b *toolbox) {
	b.call(t, "manage_account", args{"action": "update", "body": args{"name": "Acme Inc"}})
	b.call(t, "manage_account", args{"action": "update", "body": args{"name": "Acme"}})
	key := b.call(t, "manage_api_keys", args{"action": "create", "body": args{"name": "Reporting", "role": "readonly"}})
	id, _, _ := strings.Cut(fmt.Sprint(firstOf(key["id"], key["key"])), ".")
	b.call(t, "manage_api_keys", args{"action": "update", "id": id, "body": args{"name": "Reports"}})
	b.call(t, "manage_api_keys", args{"action": "delete", "id": id, "confirm": true})

	b.call(t, "manage_team", args{"action": "invite", "body": args{"email": "ann@example.com", "role": "readonly"}})
	b.call(t, "manage_team", args{"action": "resend_invite", "email": "ann@example.com"})
	b.call(t, "manage_team", args{"action": "revoke_invite", "email": "ann@example.com"})
	team := rows(t, b.call(t, "manage_team", args{"action": "list"}))
	if len(team) != 1 {
		t.Fatalf("the team is %v", team)
	}
	b.refused(t, "at least one owner", "manage_team", args{"action": "edit", "user_id": team[0]["id"], "body": args{"role": "readonly"}})
	b.refused(t, "at least one owner", "manage_team", args{"action": "remove", "user_id": team[0]["id"], "confirm": true})

	b.call(t, "manage_billing", args{"action": "details"})
	b.call(t, "manage_billing", args{"action": "invoices"})
	b.call(t, "manage_billing", args{"action": "check_vat", "vat_number": "IE6388047V"})
	b.call(t, "manage_billing", args{"action": "preview_change", "body": args{"plan": "growth", "period": "yearly"}})
	b.try(t, "manage_billing", args{"action": "subscribe", "body": args{"plan": "growth", "period": "yearly"}, "confirm": true})
	b.try(t, "manage_billing", args{"action": "change_plan", "body": args{"plan": "growth", "period": "monthly"}, "confirm": true})
	b.try(t, "manage_billing", args{"action": "undo_cancellation"})
	b.call(t, "manage_billing", args{"action": "address", "body": args{"line1": "1 Harbor Street", "city": "Dublin", "postal_code": "D01 X2X2", "country": "ie"}})
	for _, action := range []string{"portal", "setup"} {
		b.refused(t, "no payment provider", "manage_billing", args{"action": action})
	}
	b.refused(t, "no payment provider", "manage_billing", args{"action": "delete_card", "card_id": "card_1", "confirm": true})

	b.refused(t, "confirm", "manage_account", args{"action": "delete"})
	b.call(t, "manage_account", args{"action": "delete", "confirm": true})
	b.refused(t, "", "list_customers", nil)
	b.call(t, "manage_account", args{"action": "undo_deletion"})
	b.call(t, "list_customers", nil)
}

func firstOf(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
