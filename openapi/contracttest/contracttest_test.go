package contracttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/growpanel/growpanel-mcp/openapi"
)

var jsonHeader = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

const verification = `{"success":true,"valid":true,"account_id":"a","account_name":"A","role":"admin"}`

func TestContract_Check(t *testing.T) {
	t.Parallel()
	c := New(t)
	limited := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"3"}}
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		limited.Set(name, "1")
	}
	tests := []struct {
		name   string
		path   string
		status int
		header http.Header
		body   string
		fault  string // part of the error, empty for none
	}{
		{"as documented", "/v1/integrations/verify", 200, jsonHeader, verification, ""},
		{"field missing", "/integrations/verify", 200, jsonHeader, `{"success":true}`, "missing properties"},
		{"field of another type", "/integrations/verify", 200, jsonHeader, strings.Replace(verification, `"A"`, `1`, 1), "got number, want string"},
		{"value outside the enum", "/integrations/verify", 200, jsonHeader, strings.Replace(verification, "admin", "king", 1), "/role"},
		{"field that is not documented", "/integrations/verify", 200, jsonHeader, strings.Replace(verification, "{", `{"extra":1,`, 1), "extra"},
		{"not JSON", "/integrations/verify", 200, jsonHeader, `hello`, "not JSON"},
		{"empty", "/integrations/verify", 200, jsonHeader, ``, "not JSON"},
		{"two documents", "/integrations/verify", 200, jsonHeader, verification + verification, "not JSON"},
		{"another content type", "/integrations/verify", 200, http.Header{"Content-Type": {"text/plain"}}, verification, "Content-Type"},
		{"status that is not documented", "/integrations/verify", 202, jsonHeader, verification, "not declared"},
		{"path that is not documented", "/nothing", 200, jsonHeader, `{}`, "not in the contract"},
		{"error", "/integrations/verify", 401, jsonHeader, `{"error":"no","message":"no","code":"unauthorized"}`, ""},
		{"error without a code", "/integrations/verify", 401, jsonHeader, `{"error":"no","message":"no"}`, "code"},
		{"rate limit", "/integrations/verify", 429, limited, `{"error":"no","message":"no","code":"rate_limited"}`, ""},
		{"rate limit without headers", "/integrations/verify", 429, jsonHeader, `{"error":"no","message":"no","code":"rate_limited"}`, "Retry-After"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := c.Check("GET", tt.path, tt.status, tt.header, []byte(tt.body))
			if tt.fault == "" && err != nil {
				t.Errorf("Check: %v", err)
			}
			if tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("Check: error %v, want one that mentions %q", err, tt.fault)
			}
		})
	}
}

// Fields that come from several schemas, below free keys and in arrays are
// judged as strictly as those of a plain object.
func TestContract_Check_ComposedBodies(t *testing.T) {
	t.Parallel()
	c := New(t)
	source := `{"id":"a","name":null,"type":"api","status":"connected","created_at":"2026-01-01T00:00:00Z","updated_at":null,"import_status":null,"import_started":null}`
	created := strings.Replace(source, "{", `{"access_token":"x",`, 1)
	if err := c.Check("POST", "/data/data-sources", 201, jsonHeader, []byte(created)); err != nil {
		t.Errorf("a created data source: %v", err)
	}
	if err := c.Check("GET", "/data/data-sources", 200, jsonHeader, []byte(`{"result":[`+source+`]}`)); err != nil {
		t.Errorf("a list of data sources: %v", err)
	}
	for name, fault := range map[string]struct{ method, body string }{
		"token in a list":   {"GET", `{"result":[` + created + `]}`},
		"day for a time":    {"GET", `{"result":[` + strings.Replace(source, "T00:00:00Z", "", 1) + `]}`},
		"unknown in a part": {"POST", strings.Replace(created, "{", `{"more":1,`, 1)},
	} {
		status := map[string]int{"GET": 200, "POST": 201}[fault.method]
		if err := c.Check(fault.method, "/data/data-sources", status, jsonHeader, []byte(fault.body)); err == nil {
			t.Errorf("%s passes: %s", name, fault.body)
		}
	}
}

func TestContract_Unanswered_ForgetsWhatSucceeded(t *testing.T) {
	t.Parallel()
	c := New(t)
	if got, want := len(c.Unanswered()), len(openapi.Operations()); got != want {
		t.Errorf("%d operations are unanswered at the start, want %d", got, want)
	}
	unauthorized := []byte(`{"error":"no","message":"no","code":"unauthorized"}`)
	if err := c.Check("GET", "/integrations/verify", 401, jsonHeader, unauthorized); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(c.Unanswered()), "GetIntegrationsVerify") {
		t.Error("an error counts as an answer")
	}
	if err := c.Check("GET", "/integrations/verify", 200, jsonHeader, []byte(verification)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(c.Unanswered()), "GetIntegrationsVerify") {
		t.Error("a success does not count as an answer")
	}
}

func TestContract_CheckError(t *testing.T) {
	t.Parallel()
	c := New(t)
	if err := c.CheckError(405, jsonHeader, []byte(`{"error":"no","message":"no","code":"method_not_allowed"}`)); err != nil {
		t.Error(err)
	}
	if err := c.CheckError(404, http.Header{"Content-Type": {"text/plain"}}, []byte("404 page not found\n")); err == nil {
		t.Error("a page of text passes as an error")
	}
	if err := c.CheckError(200, jsonHeader, []byte(`{"error":"no","message":"no","code":"x"}`)); err == nil {
		t.Error("a success passes as an error")
	}
}

// Every answer of the contract can be judged: its schema compiles, and an
// answer of another shape fails it.
func TestContract_EverySchemaIsUsable(t *testing.T) {
	t.Parallel()
	c := New(t)
	for _, op := range openapi.Operations() {
		_, responses, err := c.resolve([]string{"paths", op.Path, strings.ToLower(op.Method), "responses"})
		if err != nil {
			t.Fatal(err)
		}
		for status := range responses {
			pointer, response, err := c.resolve([]string{"paths", op.Path, strings.ToLower(op.Method), "responses", status})
			if err != nil {
				t.Fatal(err)
			}
			if mediaOf(response) != jsonType {
				continue
			}
			err = c.validate(append(pointer, "content", "application/json", "schema"), []byte("[]"))
			if _, ok := errors.AsType[*jsonschema.ValidationError](err); !ok {
				t.Errorf("%s status %s judges an array with: %v", op.ID, status, err)
			}
		}
	}
}

// Every example in the contract fits the schema beside it, and every request
// body has one.
func TestContract_ExamplesFitTheirSchemas(t *testing.T) {
	t.Parallel()
	c := New(t)
	checked := 0
	check := func(pointer []string, example any) {
		body, err := json.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.validate(pointer, body); err != nil {
			t.Errorf("the example at %s: %v", strings.Join(pointer, " > "), err)
		}
		checked++
	}
	components, _ := c.document["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for name := range schemas {
		_, schema, err := c.resolve([]string{"components", "schemas", name})
		if err != nil {
			t.Fatal(err)
		}
		if example := schema["example"]; example != nil {
			check([]string{"components", "schemas", name}, example)
		}
	}
	responses, _ := components["responses"].(map[string]any)
	for name := range responses {
		_, response, err := c.resolve([]string{"components", "responses", name})
		if err != nil {
			t.Fatal(err)
		}
		pointer := []string{"components", "responses", name, "content", mediaOf(response)}
		_, media, err := c.resolve(pointer)
		if err != nil {
			t.Fatal(err)
		}
		if example := media["example"]; example != nil {
			check(append(pointer, "schema"), example)
		}
	}
	for _, op := range openapi.Operations() {
		if body := c.Example(t, op); body != nil {
			pointer := []string{"paths", op.Path, strings.ToLower(op.Method), "requestBody"}
			pointer, _, err := c.resolve(pointer)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.validate(append(pointer, "content", "application/json", "schema"), body); err != nil {
				t.Errorf("the example of %s: %v", op.ID, err)
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("only %d examples were found", checked)
	}
}
