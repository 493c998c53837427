package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// wantJSON compares an answer with JSON that is written out.
func wantJSON(t *testing.T, got reply, want string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(want), &value); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if diff := cmp.Diff(value, got.body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// company is what a test pushed into an account.
type company struct {
	key    string // admin key of the account
	source string // data source id
	user   string // id of the key's user
	name   string // occurs in every text of the account and nowhere else

	group, segment string // ids
}

// found creates a data source in the account of a key and fills it with two
// plans and three customers whose ids, names and amounts are told by name.
func (a *api) found(t *testing.T, key, name string) company {
	t.Helper()
	c := company{key: key, name: name, user: a.ok(t, key, "GET", "/profile", "").text("id")}
	c.source = a.ok(t, key, "POST", "/data/data-sources", fmt.Sprintf(`{"name":%q,"type":"api"}`, name)).text("id")
	push := func(kind, rows string) {
		t.Helper()
		got := a.ok(t, key, "POST", "/v1/data-sources/"+c.source+"/"+kind, strings.ReplaceAll(rows, "NAME", name))
		if got.number("failed") != 0 {
			t.Fatalf("push %s: %s", kind, got.raw)
		}
	}
	push("plans", `[
		{"id":"NAME-pro","name":"NAME Pro","interval":"month","interval_count":1,"currency":"USD","plan_group":"NAME Group"},
		{"id":"NAME-basic","name":"NAME Basic","interval":"year","interval_count":1,"currency":"USD","amount":120000}]`)
	push("customers", `{"customers":[
		{"id":"NAME-1","name":"NAME One","email":"one@NAME.example","created":"2026-01-01","country":"US","metadata":{"tier":"NAME gold"}},
		{"id":"NAME-2","name":"NAME Two","created":"2026-02-01","country":"DK"},
		{"id":"NAME-3","name":"NAME Three","created":"2026-03-01"}]}`)
	push("invoices", `[
		{"id":"NAME-i1","customer_id":"NAME-1","type":"subscription","invoice_date":"2026-04-20","amount":9900,"currency":"usd","plan_id":"NAME-pro"},
		{"id":"NAME-i2","customer_id":"NAME-1","type":"subscription","invoice_date":"2026-05-20","amount":19900,"currency":"usd","plan_id":"NAME-pro"},
		{"id":"NAME-i3","customer_id":"NAME-2","type":"subscription","invoice_date":"2026-05-01","amount":120000,"currency":"usd","plan_id":"NAME-basic"}]`)
	c.group = a.ok(t, key, "GET", "/data/plan-groups", "").text("result", "list", 0, "id")
	c.segment = a.ok(t, key, "POST", "/data/segments", fmt.Sprintf(`{"name":%q,"filters":{"custom_tier":"%s gold"}}`, name, name)).text("id")
	return c
}

// ids returns one id of each kind of thing in the account.
func (c company) ids() []string {
	return []string{c.name + "-1", c.name + "-pro", c.name + "-i1", c.source, c.key[:36], c.group, c.segment, c.user}
}

// target fills the id into an operation's path.
func target(op openapi.Operation, id string) string {
	return strings.NewReplacer("{id}", url.PathEscape(id), "{email}", "ann@example.com").Replace(op.Path)
}

// state is everything that the account of a key can read, by target.
func (a *api) state(t *testing.T, c company) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, op := range openapi.Operations() {
		if op.Method != "GET" || op.Public {
			continue
		}
		at := needed(target(op, c.name+"-1"))
		state[at] = string(a.do(t, c.key, "GET", at, "").raw)
	}
	return state
}
