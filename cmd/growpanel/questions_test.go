package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/demo"
)

var update = flag.Bool("update", false, "write testdata/answers.txt instead of comparing with it")

// asked is the day on which the questions are asked.
var asked = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// toolAnswer is the result of a tool call.
type toolAnswer struct {
	Content []struct{ Text string }
	IsError bool
	// Structured keeps its numbers as they were written.
	Structured map[string]any `json:"structuredContent"`
}

// ask calls a tool of a running demo.
func (r running) ask(t *testing.T, tool, arguments string) toolAnswer {
	t.Helper()
	status, body := r.post(t, demoKey, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments))
	var message struct{ Result toolAnswer }
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&message); err != nil || status != http.StatusOK || len(message.Result.Content) != 1 {
		t.Fatalf("%s %s is answered with %d %s", tool, arguments, status, body)
	}
	return message.Result
}

// unstable are the parts of an answer that differ from run to run.
var unstable = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`\.[0-9a-f]{64}`), ".<secret>"},
	{regexp.MustCompile(`\bgpi_[A-Za-z0-9_-]{43}`), "gpi_<secret>"},
	{regexp.MustCompile(`\b127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uuid>"},
	{regexp.MustCompile(`\b(ds|pg|seg)_[0-9a-f]{16}\b`), "${1}_<id>"},
	{regexp.MustCompile(`\bwh_[A-Z2-7]{26}\b`), "wh_<id>"},
	{regexp.MustCompile(`\bwhsec_[A-Za-z0-9+/]{32}`), "whsec_<secret>"},
	{regexp.MustCompile(`\t[0-9a-f]{8}\t`), "\t<prefix>\t"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:(\d\d\.\d+|[1-9]\d|0[1-9])Z`), "<now>"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:[0-5][1-9]:00Z`), "<now>"},
}

// notYet is how the API refuses what it does not have.
var notYet = regexp.MustCompile(`^API error (404: there is no endpoint|405: [A-Z]+ is not possible here)`)

// shownLines is how much of an answer the file of answers shows.
const shownLines = 9

// TestDemo_Questions asks the demo every question of the table and compares
// the beginnings of the answers with those that were checked before.
func TestDemo_Questions(t *testing.T) {
	t.Parallel()
	demo := startDemo(t)
	data, err := os.ReadFile("../../mcp/testdata/questions.json")
	if err != nil {
		t.Fatal(err)
	}
	var questions []struct {
		Question, Tool string
		Arguments      json.RawMessage
	}
	if err := json.Unmarshal(data, &questions); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, q := range questions {
		a := demo.ask(t, q.Tool, demo.withIDs(t, string(q.Arguments)))
		text := a.Content[0].Text
		if a.IsError && !notYet.MatchString(text) {
			t.Errorf("%q: %s %s fails: %s", q.Question, q.Tool, q.Arguments, text)
		}
		lines := strings.Split(text, "\n")
		if len(lines) > shownLines {
			lines = append(lines[:shownLines], fmt.Sprintf("... %d more lines", len(lines)-shownLines))
		}
		shown := strings.Join(lines, "\n")
		for _, u := range unstable {
			shown = u.pattern.ReplaceAllString(shown, u.mask)
		}
		fmt.Fprintf(&got, "Q: %s\nA: %s %s\n%s\n\n", q.Question, q.Tool, q.Arguments, shown)
	}
	const file = "testdata/answers.txt"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("answers changed (-file +now); check them and run the test with -update:\n%s", diff)
	}
}

// named stands for the id of a row, such as "@plan-groups Inbox": ids that the
// server makes differ from run to run.
var named = regexp.MustCompile(`"@([a-z-]+) ([^"]+)"`)

// withIDs puts ids in the place of the names in some arguments.
func (r running) withIDs(t *testing.T, arguments string) string {
	t.Helper()
	return named.ReplaceAllStringFunc(arguments, func(found string) string {
		m := named.FindStringSubmatch(found)
		list := r.ask(t, "manage_data", fmt.Sprintf(`{"action":"list","resource":%q}`, m[1]))
		for _, row := range list.rows(t) {
			if row["name"] == m[2] {
				return fmt.Sprintf("%q", row["id"])
			}
		}
		t.Fatalf("no row of %s is called %s", m[1], m[2])
		return ""
	})
}

func startDemo(t *testing.T) running {
	t.Helper()
	cfg := demoConfig(t)
	cfg.Now, cfg.RateLimits = asked, config.RateLimits{}
	return start(t, config.ServeAll, cfg)
}

// rows returns the rows of an answer.
func (a toolAnswer) rows(t *testing.T) []map[string]any {
	t.Helper()
	list, _ := a.Structured["rows"].([]any)
	rows := make([]map[string]any, len(list))
	for i, row := range list {
		fields, ok := row.(map[string]any)
		if !ok {
			t.Fatalf("row %d is %v", i, row)
		}
		rows[i] = fields
	}
	return rows
}

// amount returns a number of an answer as an exact value.
func amount(t *testing.T, v any) *big.Rat {
	t.Helper()
	number, _ := v.(json.Number)
	r, ok := new(big.Rat).SetString(number.String())
	if !ok {
		t.Fatalf("%v is not a number", v)
	}
	return r
}

// sum adds up a field of rows.
func sum(t *testing.T, rows []map[string]any, fields ...string) *big.Rat {
	t.Helper()
	total := new(big.Rat)
	for _, row := range rows {
		for _, field := range fields {
			total.Add(total, amount(t, row[field]))
		}
	}
	return total
}

func same(t *testing.T, what string, got, want *big.Rat) {
	t.Helper()
	if got.Cmp(want) != 0 {
		t.Errorf("%s is %s, want %s", what, got.FloatString(2), want.FloatString(2))
	}
}

// TestDemo_AnswersAgree checks answers of the tools against each other and
// against a recount of what the demo company pushed.
func TestDemo_AnswersAgree(t *testing.T) {
	t.Parallel()
	server := startDemo(t)
	company := demo.New(demo.FirstMonth(asked), asked)
	count := func(n int) *big.Rat { return new(big.Rat).SetInt64(int64(n)) }

	summaryAnswer := server.ask(t, "get_report", `{"name":"summary"}`)
	data, _ := summaryAnswer.Structured["data"].(map[string]any)
	summary, _ := data["summary"].(map[string]any)
	history := server.ask(t, "get_report", `{"name":"mrr","date":"all","max_tokens":20000}`).rows(t)
	last := history[len(history)-1]

	movements := []string{"new", "expansion", "contraction", "churn", "reactivation", "fx_adjustment"}
	same(t, "the sum of all movements", sum(t, history, movements...), amount(t, last["total_mrr"]))
	opening := new(big.Rat)
	for _, row := range history {
		opening.Add(opening, sum(t, []map[string]any{row}, movements...))
		same(t, fmt.Sprint("opening and movements of ", row["date"]), opening, amount(t, row["total_mrr"]))
	}
	same(t, "the summary's MRR", amount(t, summary["mrr_current"]), amount(t, last["total_mrr"]))
	same(t, "the summary's ARR", amount(t, summary["arr_current"]), new(big.Rat).Mul(count(12), amount(t, last["total_mrr"])))

	byPlan := server.ask(t, "get_report", `{"name":"mrr","date":"mtd","breakdown":"country"}`).rows(t)
	parts, _ := byPlan[0]["breakdown"].(map[string]any)
	var countries []map[string]any
	for _, part := range parts {
		fields, _ := part.(map[string]any)
		countries = append(countries, fields)
	}
	same(t, "the MRR of all countries", sum(t, countries, "total_mrr"), amount(t, last["total_mrr"]))

	biggest := server.ask(t, "get_report", `{"name":"customer-concentration","limit":1000,"max_tokens":20000}`)
	data, _ = biggest.Structured["data"].(map[string]any)
	whole, _ := data["summary"].(map[string]any)
	same(t, "the MRR of all customers", amount(t, whole["total_mrr"]), amount(t, last["total_mrr"]))
	same(t, "the number of customers with MRR", amount(t, biggest.Structured["total"]), amount(t, summary["subscribers_current"]))

	for _, movement := range []string{"new", "churn", "reactivation", "expansion", "contraction"} {
		list := server.ask(t, "get_report", fmt.Sprintf(`{"name":"movement-table","date":"2026-10","selected_type":%q,"limit":1000,"max_tokens":20000}`, movement))
		october := history[len(history)-2]
		if list.Structured["complete"] != true {
			t.Errorf("the %s movements of a month do not fit into one answer: %s", movement, list.Content[0].Text[:200])
		}
		same(t, "the sum of the "+movement+" movements", sum(t, list.rows(t), "mrr_change_base_currency"), amount(t, october[movement]))
	}

	customers := server.ask(t, "list_customers", `{"limit":1}`)
	same(t, "the number of customers", amount(t, customers.Structured["total"]), count(len(company.Customers)))
	plans := server.ask(t, "list_plans", `{"limit":1}`)
	same(t, "the number of plans", amount(t, plans.Structured["total"]), count(len(company.Plans)))
	german := 0
	for _, c := range company.Customers {
		if strings.EqualFold(c.Country, "de") {
			german++
		}
	}
	same(t, "the number of German customers", amount(t, server.ask(t, "list_customers", `{"country":"de","limit":1}`).Structured["total"]), count(german))

	paying := map[string]bool{}
	for _, invoice := range company.Invoices {
		if invoice.Type == "subscription" && invoice.Amount > 0 && invoice.Status != "failed" {
			paying[invoice.CustomerID] = true
		}
	}
	cohorts := server.ask(t, "get_report", `{"name":"cohort","interval":"year","date":"all"}`).rows(t)
	same(t, "the customers of all cohorts", sum(t, cohorts[:len(cohorts)-1], "initial_customers"), amount(t, cohorts[len(cohorts)-1]["initial_customers"]))
	same(t, "the customers who ever began to pay", sum(t, history, "new_customers"), sum(t, cohorts[:len(cohorts)-1], "initial_customers"))
	if ever := len(paying); amount(t, cohorts[len(cohorts)-1]["initial_customers"]).Cmp(count(ever)) > 0 {
		t.Errorf("more customers in cohorts than the %d who were ever invoiced", ever)
	}

	retention := server.ask(t, "get_report", `{"name":"retention","date":"2026-10"}`).rows(t)[0]
	before := history[len(history)-3]
	same(t, "the cohort of the retention report", amount(t, retention["cohort_customers"]), amount(t, before["total_customers"]))
	same(t, "its MRR", amount(t, retention["baseline_mrr"]), amount(t, before["total_mrr"]))
}
