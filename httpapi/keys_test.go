package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
)

func TestAuthentication(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := map[string]struct {
		header    string
		status    int
		challenge string
	}{
		"a key":                   {"Bearer " + a.admin, 200, ""},
		"scheme in lower case":    {"bearer " + a.admin, 200, ""},
		"key in upper case":       {"Bearer " + strings.ToUpper(a.admin), 200, ""},
		"no header":               {"", 401, `Bearer realm="GrowPanel"`},
		"another scheme":          {"Basic " + a.admin, 401, `Bearer realm="GrowPanel"`},
		"key without a scheme":    {a.admin, 401, `Bearer realm="GrowPanel"`},
		"key with a wrong secret": {"Bearer " + a.admin[:36] + a.readonly[36:], 401, `Bearer realm="GrowPanel", error="invalid_token"`},
		"key id alone":            {"Bearer " + a.admin[:36], 401, `Bearer realm="GrowPanel", error="invalid_token"`},
		"access token of MCP":     {"Bearer gpa_" + a.admin, 401, `Bearer realm="GrowPanel", error="invalid_token"`},
		"unknown key":             {"Bearer 00000000-0000-4000-8000-000000000000" + a.admin[36:], 401, `Bearer realm="GrowPanel", error="invalid_token"`},
		"not a key":               {"Bearer undefined", 401, `Bearer realm="GrowPanel", error="invalid_token"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/integrations/verify", nil)
			r.Header.Set("Authorization", tt.header)
			got := a.send(t, r)
			if got.status != tt.status || got.header.Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%d with challenge %q, want %d with %q", got.status, got.header.Get("WWW-Authenticate"), tt.status, tt.challenge)
			}
		})
	}
}

func TestAuthentication_KeysInTheQueryAreNoKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if got := a.do(t, "", "GET", "/account?access_token="+a.admin+"&api_key="+a.admin, ""); got.status != 401 {
		t.Errorf("a key in the query answered %d, want 401", got.status)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.ok(t, a.readonly, "GET", "/integrations/verify", "")
	wantJSON(t, got, `{"success":true,"valid":true,"account_id":"`+a.account.ID+`","account_name":"Acme","role":"readonly"}`)
}

func TestKeys_LifeOfAKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	created := a.ok(t, a.admin, "POST", "/account/api-keys", `{"name":"CI Key","role":"readonly"}`)
	key, id := created.text("api_key"), created.text("id")
	if created.status != 201 || !strings.HasPrefix(key, id+".") || created.text("key") != key || created.text("access_token") != key {
		t.Fatalf("created %d %s", created.status, created.raw)
	}
	a.ok(t, key, "GET", "/account", "")

	listed := a.ok(t, a.admin, "GET", "/account/api-keys", "")
	if strings.Contains(string(listed.raw), key[37:]) {
		t.Errorf("the list tells the secret: %s", listed.raw)
	}
	if listed.number("result", "count") != 3 || len(listed.list("result", "list")) != 3 {
		t.Errorf("listed %s, want 3 keys", listed.raw)
	}

	updated := a.ok(t, a.admin, "PUT", "/account/api-keys/"+strings.ToUpper(id), `{"access_level":"admin","name":"Writer"}`)
	if updated.text("role") != "admin" || updated.text("name") != "Writer" || updated.text("last_used") == "" {
		t.Errorf("updated to %s", updated.raw)
	}
	a.ok(t, key, "POST", "/settings", `{}`)

	wantJSON(t, a.ok(t, a.admin, "DELETE", "/account/api-keys/"+id, ""), `{"success":true,"id":"`+id+`"}`)
	if got := a.do(t, key, "GET", "/account", ""); got.status != 401 {
		t.Errorf("a deleted key answered %d on the next call, want 401", got.status)
	}
	if got := a.do(t, a.admin, "DELETE", "/account/api-keys/"+id, ""); got.status != 404 {
		t.Errorf("deleting it again answered %d, want 404", got.status)
	}
}

func TestKeys_RolesUnderTheirOlderNames(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for body, want := range map[string]string{
		`{"name":"k"}`:                                       "readonly",
		`{"name":"k","role":"viewer"}`:                       "readonly",
		`{"name":"k","access_level":"read-only"}`:            "readonly",
		`{"name":"k","permissions":"admin"}`:                 "admin",
		`{"name":"k","role":"ADMIN","access_level":"admin"}`: "admin",
	} {
		if got := a.ok(t, a.admin, "POST", "/account/api-keys", body); got.text("role") != want {
			t.Errorf("POST %s made a key of role %q, want %q", body, got.text("role"), want)
		}
	}
}

func TestKeys_BadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	own := "/account/api-keys/" + a.readonly[:36]
	before := string(a.ok(t, a.admin, "GET", "/account/api-keys", "").raw)
	for _, tt := range []struct{ method, target, body, field string }{
		{"POST", "/account/api-keys", ``, "name"},
		{"POST", "/account/api-keys", `{"role":"admin"}`, "name"},
		{"POST", "/account/api-keys", `{"name":"a\u0000b"}`, "name"},
		{"POST", "/account/api-keys", `{"name":5}`, "name"},
		{"POST", "/account/api-keys", `{"name":"k","role":"root"}`, "role"},
		{"POST", "/account/api-keys", `{"name":"k","role":"admin","permissions":"readonly"}`, "role"},
		{"PUT", own, `{"rol":"admin"}`, "name"},
		{"PUT", own, `{"role":""}`, "role"},
		{"PUT", own, `{"name":""}`, "name"},
		{"PUT", own, `{"name":"` + strings.Repeat("x", 201) + `"}`, "name"},
	} {
		got := a.do(t, a.admin, tt.method, tt.target, tt.body)
		if got.status != 400 || got.text("details", 0, "field") != tt.field {
			t.Errorf("%s %s: %d %s, want 400 about %s", tt.method, tt.body, got.status, got.raw, tt.field)
		}
	}
	if after := string(a.ok(t, a.admin, "GET", "/account/api-keys", "").raw); after != before {
		t.Errorf("refused input changed the keys from %s to %s", before, after)
	}
}

func TestKeys_NobodyHandsOutMoreThanTheyHave(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	owner := a.newKey(t, a.account, identity.Owner)
	ownerKey := "/account/api-keys/" + owner[:36]
	for _, tt := range []struct{ method, target, body string }{
		{"POST", "/account/api-keys", `{"name":"k","role":"owner"}`},
		{"PUT", "/account/api-keys/" + a.readonly[:36], `{"role":"owner"}`},
		{"PUT", ownerKey, `{"role":"readonly"}`},
		{"DELETE", ownerKey, ``},
	} {
		if got := a.do(t, a.admin, tt.method, tt.target, tt.body); got.status != 403 {
			t.Errorf("admin: %s %s %s: %d, want 403", tt.method, tt.target, tt.body, got.status)
		}
		if tt.method != "DELETE" {
			a.ok(t, owner, tt.method, tt.target, strings.Replace(tt.body, `"role":"readonly"`, `"role":"owner"`, 1))
		}
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	a := newAPIWith(t, httpapi.Config{Limits: httpapi.RateLimits{Get: 3, Report: 2, Post: 1, Put: 1, Delete: 1}})
	_, other, _ := a.newAccount(t, "Beta")
	for _, tt := range []struct {
		method, target string
		limit          int
	}{
		{"GET", "/settings", 3},
		{"GET", "/v1/reports/mrr", 2},
		{"POST", "/settings", 1},
		{"PUT", "/settings", 1},
		{"DELETE", "/data/invoices/none", 1},
	} {
		for i := range tt.limit {
			got := a.do(t, a.admin, tt.method, tt.target, "")
			if got.status == 429 || got.header.Get("X-RateLimit-Remaining") != string(rune('0'+tt.limit-i-1)) || got.header.Get("Retry-After") != "" {
				t.Errorf("%s %s number %d: %d, remaining %q", tt.method, tt.target, i+1, got.status, got.header.Get("X-RateLimit-Remaining"))
			}
		}
		got := a.do(t, a.admin, tt.method, tt.target, "")
		if got.status != 429 || got.text("error") != "Rate limit exceeded" || got.header.Get("Retry-After") != "60" {
			t.Errorf("%s %s above the limit: %d %s, Retry-After %q", tt.method, tt.target, got.status, got.raw, got.header.Get("Retry-After"))
		}
		if got := a.do(t, other, tt.method, tt.target, ""); got.status == 429 {
			t.Errorf("%s %s: the limit of one account stops another", tt.method, tt.target)
		}
	}
	if got := a.do(t, a.readonly, "GET", "/settings", ""); got.status != 429 {
		t.Errorf("another key of the account answered %d, want 429: limits are per account", got.status)
	}
	for _, free := range []string{"/healthz", "/openapi.json"} {
		a.ok(t, "", "GET", free, "")
	}
	a.pass(time.Minute)
	a.ok(t, a.admin, "GET", "/settings", "")
}

func TestRateLimits_ZeroIsOff(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for range 500 {
		got := a.ok(t, a.admin, "GET", "/settings", "")
		if got.header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("an unlimited answer has X-RateLimit-Limit %q", got.header.Get("X-RateLimit-Limit"))
		}
	}
}
