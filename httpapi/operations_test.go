package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// everyOperation calls test with each operation of the contract, so that the
// next one is covered the day it is written down.
func everyOperation(t *testing.T, test func(t *testing.T, op openapi.Operation)) {
	t.Helper()
	for _, op := range openapi.Operations() {
		test(t, op)
	}
}

func TestEveryOperation_IsServedUnderEveryPrefix(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	everyOperation(t, func(t *testing.T, op openapi.Operation) {
		for _, variant := range []string{"%s", "/v1%s", "/v2%s", "%s/", "/v1%s/"} {
			at := fmt.Sprintf(variant, target(op, "none"))
			got := a.do(t, a.admin, op.Method, at, "")
			if got.status == 405 || got.status >= 500 || strings.HasPrefix(got.text("error"), "there is no endpoint") || strings.HasPrefix(got.text("error"), "there is no report") {
				t.Errorf("%s %s: %d %s", op.Method, at, got.status, got.raw)
			}
		}
	})
}

func TestEveryOperation_NeedsAKeyUnlessPublic(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	everyOperation(t, func(t *testing.T, op openapi.Operation) {
		for what, key := range map[string]string{
			"no key": "", "an unknown key": strings.Repeat("0", 8) + a.admin[8:], "a session": "gps_" + a.admin, "a token that nobody signed": unsigned,
		} {
			got := a.do(t, key, op.Method, target(op, "none"), "{}")
			switch {
			case !op.Public && (got.status != 401 || got.text("code") != "unauthorized"):
				t.Errorf("%s with %s: %d %s", op.ID, what, got.status, got.raw)
			case op.Public && (op.Method == "GET" && got.status != 200 || got.text("code") == "unauthorized" || got.status >= 500):
				t.Errorf("%s with %s: %d %s", op.ID, what, got.status, got.raw)
			}
		}
	})
}

// unsigned is a JWT with the algorithm none.
const unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."

func TestEveryOperation_AReadonlyKeyChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.readonly, "GET", "/account", "") // sets the key's last_used
	before := a.state(t, c)
	everyOperation(t, func(t *testing.T, op openapi.Operation) {
		for _, id := range c.ids() {
			got := a.do(t, a.readonly, op.Method, needed(target(op, id)), "{}")
			switch {
			case op.Public: // needs no key
			case op.Method != "GET" || strings.HasPrefix(op.Path, "/account/api-keys") || strings.HasPrefix(op.Path, "/account/billing"):
				if got.status != 403 {
					t.Errorf("%s %s with a readonly key: %d %s, want 403", op.Method, op.Path, got.status, got.raw)
				}
			case got.status != 200 && got.status != 404:
				t.Errorf("GET %s with a readonly key: %d %s", op.Path, got.status, got.raw)
			}
		}
	})
	if diff := cmp.Diff(before, a.state(t, c)); diff != "" {
		t.Errorf("a readonly key changed (-before +after):\n%s", diff)
	}
}

// TestEveryOperation_KeepsAccountsApart sends every operation with the key of
// one account and all ids of another, as path, query and body.
func TestEveryOperation_KeepsAccountsApart(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	_, otherKey, _ := a.newAccount(t, "Bravo")
	own, other := a.found(t, a.admin, "Alpha"), a.found(t, otherKey, "Bravo")
	before := a.state(t, other)
	for _, text := range before {
		if strings.Contains(text, "Alpha") {
			t.Fatalf("the other account shows %s", text)
		}
	}
	query := url.Values{}
	for _, name := range []string{"data_source", "source"} {
		query.Set(name, other.source)
	}
	filter := url.Values{"customer": {other.name + "-1"}, "search": {"one"}, "breakdown": {"customer"}, "limit": {"100"}}
	body := strings.ReplaceAll(`{"id":"NAME-1","name":"mine","customer_id":"NAME-1","plan_id":"NAME-pro","type":"subscription",
		"invoice_date":"2026-06-01","amount":1,"currency":"usd","interval":"month","interval_count":1,"data_source":"SOURCE","role":"admin"}`, "NAME", other.name)
	body = strings.ReplaceAll(body, "SOURCE", other.source)
	everyOperation(t, func(t *testing.T, op openapi.Operation) {
		if op.ID == "DeleteAccount" {
			return // after it nothing else would be tried
		}
		for _, id := range other.ids() {
			for _, q := range []string{"", "?" + query.Encode(), "?" + filter.Encode()} {
				got := a.do(t, own.key, op.Method, needed(target(op, id)+q), body)
				// What the client itself sent may come back; names of the other account may not.
				for _, secret := range []string{"Bravo One", "Bravo Pro", "Bravo Group", "Bravo gold", "one@Bravo", `"Bravo"`} {
					if strings.Contains(string(got.raw), secret) {
						t.Errorf("%s %s%s tells %q: %s", op.Method, op.Path, q, secret, got.raw)
					}
				}
				if op.Method != "GET" && strings.Contains(op.Path, "{id}") && got.status < 400 && !deletesWhatIsThere(op) {
					t.Errorf("%s %s: %d %s", op.Method, target(op, id), got.status, got.raw)
				}
			}
		}
	})
	a.ok(t, own.key, "GET", "/customers", "") // the account was there for all of it
	a.ok(t, own.key, "DELETE", "/account", "")
	if diff := cmp.Diff(before, a.state(t, other)); diff != "" {
		t.Errorf("the other account changed (-before +after):\n%s", diff)
	}
}

// deletesWhatIsThere reports whether an operation succeeds for what is not there.
func deletesWhatIsThere(op openapi.Operation) bool {
	return op.ID == "DeleteDataPlanGroupsId" || op.ID == "DeleteDataSegmentsId"
}

// malformed are bodies that no operation can take.
var malformed = map[string]string{
	"broken off":               `{"id":"x","name":`,
	"not JSON":                 `id=x&name=y`,
	"text behind":              `{"name":"x"} {"name":"y"}`,
	"not UTF-8":                "{\"name\":\"\xff\xfe\"}",
	"a lone number":            `42`,
	"a lone text":              `"customers"`,
	"null":                     `null`,
	"a name that is a list":    `{"id":["x"],"name":["x"],"type":["x"],"timezone":["x"],"role":["x"]}`,
	"a name that is an object": `{"id":{},"name":{},"type":{},"timezone":{},"role":{}}`,
	"deeply nested":            strings.Repeat(`{"name":`, 500) + "1" + strings.Repeat("}", 500),
	"deeply nested lists":      strings.Repeat("[", 100_000),
	"a byte order mark":        "\ufeff{\"name\":\"x\"}",
}

func TestEveryOperation_RefusesMalformedBodies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	before := a.state(t, c)
	everyOperation(t, func(t *testing.T, op openapi.Operation) {
		if op.Method != "POST" && op.Method != "PUT" {
			return // takes no body
		}
		id := c.source
		if op.Method == "PUT" {
			id = a.readonly[:36]
		}
		takesNone := a.contract.Example(t, op) == nil
		for name, body := range malformed {
			if takesNone && strings.HasPrefix(body, "{") && json.Valid([]byte(body)) {
				continue // an object that is not looked at
			}
			got := a.do(t, a.admin, op.Method, needed(target(op, id)), body)
			if got.status < 400 || got.status >= 500 {
				t.Errorf("%s: %s: %d %s", op.ID, name, got.status, got.raw)
			}
		}
	})
	if diff := cmp.Diff(before, a.state(t, c)); diff != "" {
		t.Errorf("malformed bodies changed (-before +after):\n%s", diff)
	}
}

func TestEveryOperation_ReadsJSONWhateverTheContentType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, contentType := range []string{"", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", "multipart/form-data"} {
		for at, body := range map[string]string{
			"/data/data-sources": `{"name":"x","type":"api"}`,
			"/settings":          `{"churn_grace_days":9}`,
			"/account/api-keys":  `{"name":"x"}`,
		} {
			r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+a.admin)
			r.Header.Set("Content-Type", contentType)
			if got := a.send(t, r); got.status >= 300 {
				t.Errorf("POST %s as %q: %d %s", at, contentType, got.status, got.raw)
			}
		}
	}
}

func TestMalformedQueryIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for query, want := range map[string]string{
		"plan=%zz": "query", "plan=a;b": "query", "plan=a&plan=b": "plan: is given several times", "limit=ten": "limit", "offset=-1": "offset: ",
		"committed=maybe": "committed: must be true or false", "fix_fx=2": "fix_fx: must be true or false", "trailing_months=x": "trailing_months",
		"interval=fortnight": "interval: ", "date=20260132": "date: ", "date=20260601-20260501": "date: ", "baseCurrency=dollars": "baseCurrency: ", "breakdown=mood": "breakdown: ",
	} {
		got := a.do(t, a.admin, "GET", "/reports/mrr?"+query, "")
		if got.status != 400 || !strings.Contains(got.text("error"), want) {
			t.Errorf("?%s: %d %s, want 400 about %q", query, got.status, got.raw, want)
		}
	}
	if got := a.do(t, a.admin, "GET", "/customers?limit=501", ""); got.status != 400 || got.text("details", 0, "field") != "limit" {
		t.Errorf("a page above the limit: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "GET", "/reports/mrr?unknown=1&show=query", "")
}
