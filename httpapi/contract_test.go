package httpapi_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// TestContract_EveryOperationSucceeds sends each operation as the contract's own
// examples show it, in an order that leaves something to delete for last.
func TestContract_EveryOperationSucceeds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "DELETE", "/data/invoices/Alpha-i3", "") // frees the plan Alpha-basic
	key := a.ok(t, a.admin, "POST", "/account/api-keys", `{"name":"spare"}`).text("id")
	a.ok(t, a.admin, "POST", "/account/billing/subscribe", `{"plan":"small"}`)
	hook, delivery := a.newWebhook(t, "movement.churn"), "evt_1.wh_1"
	a.deliver(t, hook, delivery)
	others := strings.NewReplacer("{event}", "movement.churn", "{delivery}", delivery, "{integration}", "slack")
	endpoint := newEndpoint(t)
	endpoint.hang()
	fetched := func() string { return a.newConnected(t, endpoint.URL) }
	aborted, imported := fetched(), fetched()
	a.ok(t, a.admin, "POST", "/data/data-sources/"+aborted+"/full-import", "")
	ids := map[string]string{
		"/integrations/webhooks/{id}": hook, "/integrations/webhooks/{id}/deliveries": hook, "/integrations/webhooks/{id}/test": hook,
		"/integrations/webhooks/{id}/rotate-secret": hook, "/integrations/webhooks/{id}/resume": hook,
		"/integrations/webhooks/{id}/deliveries/{delivery}/resend": hook,
		"/data-sources/{id}/sync":                                  fetched(), "/data/data-sources/{id}/abort": aborted, "/data/data-sources/{id}/connect": imported,
		"/data/data-sources/{id}/imported":    a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Files","type":"csv"}`).text("id"),
		"/data/data-sources/{id}/full-import": imported, "/data/data-sources/{id}/reset": fetched(), "/data/data-sources/{id}": fetched(),
		"/customers/{id}": "Alpha-1", "/customers/{id}/resync": "Alpha-1", "/account/api-keys/{id}": key, "/account/api-keys/{id}/created": key,
		"/account/team/{id}":   a.newUser(t, a.account, "member@example.com", identity.Admin).ID,
		"/data/customers/{id}": "Alpha-2", "/data/plans/{id}": "Alpha-basic", "/data/invoices/{id}": "Alpha-i1",
		"/data/plan-groups/{id}": c.group, "/data/segments/{id}": c.segment,
	}
	spare := a.ok(t, a.admin, "POST", "/data/plan-groups", `{"name":"Spare","plans":["Alpha-basic"]}`).text("id")
	bodies := map[string]string{ // that name what the account has
		"PostDataPlanGroups": `{"name":"Small","plans":["Alpha-pro"]}`, "PostDataPlanGroupsAiSuggest": `{"plans":["Alpha-pro"]}`,
		"PostDataPlanGroupsMerge": `{"source":"` + spare + `","target":"` + c.group + `"}`, "PutDataPlanGroupsId": `{"plans":["Alpha-pro"]}`,
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		for _, op := range openapi.Operations() {
			if op.Method != method || op.Public && method == "POST" || op.ID == "DeleteAccount" {
				continue // sign-in takes secrets that no example has; a deletion is for last
			}
			id, ok := ids[op.Path]
			if !ok {
				id = c.source // the other paths with an id are pushes
			}
			at := others.Replace(target(op, id))
			if strings.HasPrefix(op.Path, "/data/") && method == "POST" {
				at += "?data_source=" + c.source
			}
			body := string(a.contract.Example(t, op))
			if strings.HasSuffix(op.Path, "/invoices") && method == "POST" {
				body = `{"id":"new","customer_id":"Alpha-1","type":"one-time","invoice_date":"2026-06-01","amount":500,"currency":"usd"}`
			}
			if own, ok := bodies[op.ID]; ok {
				body = own
			}
			if got := a.do(t, a.admin, method, needed(at), body); got.status != op.Status {
				t.Fatalf("%s %s: %d %s", method, at, got.status, got.raw)
			}
		}
	}
	a.signInOperations(t)
	a.ok(t, a.admin, "DELETE", "/account", "")
	if left := a.contract.Unanswered(); len(left) > 0 {
		t.Errorf("never answered with success: %v", left)
	}
}

// needed adds what a report cannot do without to a target.
func needed(at string) string {
	path, query, _ := strings.Cut(at, "?")
	if path == "/account/billing/check-vat" {
		return path + "?vat_number=DE136695976&" + query
	}
	switch path {
	case "/reports/mrr-subtypes":
		return path + "?type=churn&" + query
	case "/reports/custom-variables":
		return path + "?key=tier&" + query
	}
	return at
}

// TestContract_EveryShapeOfAReport asks each report in many ways; the contract
// judges every answer.
func TestContract_EveryShapeOfAReport(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/invoices", `[
		{"id":"soon","customer_id":"Alpha-3","type":"subscription","invoice_date":"2026-07-20","amount":100,"currency":"usd","plan_id":"Alpha-pro","quantity":3},
		{"id":"over","customer_id":"Alpha-1","type":"cancellation","invoice_date":"2026-06-10","amount":0,"cancel_reason":"too_expensive"}]`)
	selections := map[string]string{
		"/reports/movement-table": "selected-type=new", "/reports/transactions-detail": "selected-type=refund",
		"/reports/cashflow-failed-payments-detail": "selected-type=churned", "/reports/cancellation-timing-detail": "selected-type=4-7",
		"/reports/latest-activity": "include_scheduled=1&days=365",
	}
	for _, op := range openapi.Operations() {
		if op.Method != "GET" || !strings.HasPrefix(op.Path, "/reports/") && op.Path != "/customers" {
			continue
		}
		for _, query := range []string{
			"", selections[op.Path], "interval=day&date=last-7-days", "interval=week&date=ytd", "interval=quarter&date=all", "interval=year",
			"date=20300101-20301231", "date=20260615", "committed=true&date=20260101-20261231", "fix_fx=true",
			"breakdown=plan", "breakdown=customer&interval=quarter", "breakdown=subtype", "breakdown=custom_tier", "breakdown=country",
			"compare=last-year&interval=quarter", "compare=last-period&breakdown=market&region=eu~~us", "age=0-6&breakdown=age&subtype=new",
			"customer=Alpha-1", "plan=Alpha-pro&region=us", "country=~us", "custom_tier=~", "limit=1&offset=1", "q=two&search=two",
			"sort=customer_name&order=asc", "selected-date=2026-05-10", "trailing_months=12",
		} {
			got := a.ok(t, a.readonly, "GET", needed(op.Path+"?"+query), "")
			if got.header.Get("X-GrowPanel-Timezone") != "UTC" || len(got.header.Get("X-GrowPanel-Range")) != len("2026-01-01/2026-12-31") {
				t.Errorf("%s?%s: range %q, time zone %q", op.Path, query, got.header.Get("X-GrowPanel-Range"), got.header.Get("X-GrowPanel-Timezone"))
			}
		}
	}
}

func TestReports_HeadersTellTheResolvedRange(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok(t, a.admin, "POST", "/settings", `{"timezone":"Pacific/Auckland"}`)
	got := a.ok(t, a.admin, "GET", "/reports/mrr?date=today", "")
	// In Auckland 2026-06-15 12:00 UTC is already the 16th.
	if got.header.Get("X-GrowPanel-Range") != "2026-06-16/2026-06-16" {
		t.Errorf("range %q", got.header.Get("X-GrowPanel-Range"))
	}
	if got.header.Get("X-GrowPanel-Timezone") != "Pacific/Auckland" || got.text("query", "timezone") != "Pacific/Auckland" {
		t.Errorf("time zone %q, in the body %q", got.header.Get("X-GrowPanel-Timezone"), got.text("query", "timezone"))
	}
}

func TestReports_TheMovementTableTellsTheDaysItIsAbout(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for query, want := range map[string]string{
		"":                                      "2025-06-01/2026-06-15",
		"committed=true":                        "2026-06-16/2027-06-15",
		"selected-date=2026-02-10":              "2026-02-01/2026-02-28",
		"committed=true&date=20260101-20260615": "2026-01-01/2026-06-15",
	} {
		got := a.ok(t, a.admin, "GET", "/reports/movement-table?"+query, "")
		if dates := got.header.Get("X-GrowPanel-Range"); dates != want || got.text("query", "from")+"/"+got.text("query", "to") != want {
			t.Errorf("?%s: range %q and %v, want %q", query, dates, got.at("query"), want)
		}
	}
}

func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, at := range []string{"/openapi.json", "/v1/openapi.json/"} {
		got := a.ok(t, "", "GET", at, "")
		var want any
		if err := json.Unmarshal(openapi.JSON(), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.body); diff != "" {
			t.Errorf("GET %s (-want +got):\n%s", at, diff)
		}
	}
}

func TestMovementTable(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	at := "/reports/movement-table?" + url.Values{"customer": {"Alpha-1"}, "sort": {"date"}, "order": {"asc"}}.Encode()
	got := a.ok(t, a.admin, "GET", at, "")
	if got.number("result", "count") != 2 {
		t.Fatalf("%s", got.raw)
	}
	for i, want := range []struct {
		kind, description string
		change            float64
	}{{"new", "Alpha Pro", 9900}, {"expansion", "Alpha Pro", 10000}} {
		kind, text := got.text("result", "list", i, "type"), got.text("result", "list", i, "description")
		if kind != want.kind || !strings.HasPrefix(text, want.description) || got.number("result", "list", i, "mrr_change") != want.change {
			t.Errorf("movement %d: %v, want %v", i, got.at("result", "list", i), want)
		}
		if len(got.list("result", "list", i, "lines")) == 0 {
			t.Errorf("movement %d has no lines although a customer was asked for", i)
		}
	}
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	list := a.ok(t, a.admin, "GET", "/customers?limit=2", "")
	if list.number("result", "count") != 3 || len(list.list("result", "list")) != 2 || list.at("result", "has_more") != true {
		t.Errorf("a page of 2: %s", list.raw)
	}
	if of := a.ok(t, a.admin, "GET", "/customers?date=19990101-19991231", ""); of.number("result", "count") != 0 {
		t.Errorf("created in 1999: %s", of.raw)
	}
	one := a.ok(t, a.admin, "GET", "/customers/Alpha-1", "")
	if one.text("name") != "Alpha One" || one.number("current_mrr_base_currency") != 19900 || one.text("custom_variables", "tier") != "Alpha gold" {
		t.Errorf("customer: %s", one.raw)
	}
	if one.text("current_subscriptions", 0, "plan_id") != "Alpha-pro" || one.text("status") != "active" {
		t.Errorf("subscriptions: %s", one.raw)
	}
	second := a.newSource(t, "Second")
	a.ok(t, a.admin, "POST", "/data-sources/"+second+"/customers", `{"id":"Alpha-1","name":"Double"}`)
	if got := a.do(t, a.admin, "GET", "/customers/Alpha-1", ""); got.status != 400 || got.text("code") != "ambiguous_id" {
		t.Errorf("an id in two sources: %d %s", got.status, got.raw)
	}
	if got := a.ok(t, a.admin, "GET", "/customers/Alpha-1?data_source="+c.source, ""); got.text("name") != "Alpha One" {
		t.Errorf("with its source: %s", got.raw)
	}
	if got := a.do(t, a.admin, "GET", "/customers/undefined", ""); got.status != 404 {
		t.Errorf("unknown: %d %s", got.status, got.raw)
	}
}

func TestCustomers_AnswersOfAwkwardIDsStayApart(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Billing")
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers", `[{"id":"a","name":"Plain"},{"id":"a?baseCurrency=usd","name":"Awkward"}]`)
	for range 2 {
		if got := a.ok(t, a.admin, "GET", "/customers/a?baseCurrency=usd", "").text("name"); got != "Plain" {
			t.Errorf("the plain id found %q", got)
		}
		if got := a.ok(t, a.admin, "GET", "/customers/a%3FbaseCurrency=usd", "").text("name"); got != "Awkward" {
			t.Errorf("the awkward id found %q", got)
		}
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	got := a.ok(t, a.admin, "GET", "/plans", "")
	if got.number("result", "count") != 2 {
		t.Fatalf("%s", got.raw)
	}
	pro := got.at("result", "list", 1)
	want := map[string]any{
		"id": "Alpha-pro", "external_id": "Alpha-pro", "name": "Alpha Pro", "product_name": nil, "billing_freq": "month", "interval": "month", "interval_count": 1.0,
		"currency": "usd", "amount": nil, "customer_count": 1.0, "data_source": c.source,
		"groups": []any{map[string]any{"id": got.text("result", "list", 1, "groups", 0, "id"), "name": "Alpha Group"}},
	}
	if diff := cmp.Diff(any(want), pro); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if basic := got.number("result", "list", 0, "amount"); basic != 120000 {
		t.Errorf("the list price of a plan is %v, want what was pushed", basic)
	}
	for query, want := range map[string]float64{"data_source=" + c.source: 2, "data_source=api": 2, "data_source=~api": 0, "data_source=ds_none": 0, "limit=1": 2} {
		if got := a.ok(t, a.admin, "GET", "/plans?"+query, ""); got.number("result", "count") != want {
			t.Errorf("?%s: %s, want %v plans", query, got.raw, want)
		}
	}
}
