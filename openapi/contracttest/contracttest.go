// Package contracttest holds answers of the API to its contract. It is for
// tests alone: it compiles JSON schemas, which the product never does.
package contracttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// documentURL names the contract inside the schema compiler; nothing is fetched.
const documentURL = "contract.json"

// Contract checks answers. It is stricter than the published document: a field
// that no schema mentions is a fault. It is safe for concurrent use.
type Contract struct {
	document map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	answered map[string]bool // operations seen to succeed, by id
}

// New reads the contract.
func New(t testing.TB) *Contract {
	t.Helper()
	document, err := decodeObject(openapi.JSON())
	if err != nil {
		t.Fatalf("read the contract: %v", err)
	}
	c := &Contract{document: document, compiler: jsonschema.NewCompiler(), answered: map[string]bool{}}
	c.compiler.AssertFormat()
	closed, err := decodeObject(openapi.JSON())
	if err != nil {
		t.Fatalf("read the contract: %v", err)
	}
	closeDocument(closed)
	if err := c.compiler.AddResource(documentURL, closed); err != nil {
		t.Fatalf("read the contract: %v", err)
	}
	return c
}

// Check compares one answer with the contract: the path is in it, the status is
// declared, the header has what must be there, and the body fits the schema
// without a field more. The error names every fault.
//
// The path is escaped and may have a version prefix; it has no query.
func (c *Contract) Check(method, path string, status int, header http.Header, body []byte) error {
	op := openapi.Find(method, path)
	if op == nil {
		return fmt.Errorf("%s %s is not in the contract", method, path)
	}
	pointer := []string{"paths", op.Path, strings.ToLower(method), "responses", strconv.Itoa(status)}
	pointer, response, err := c.resolve(pointer)
	if err != nil {
		return fmt.Errorf("%s answered status %d, which is not declared", op.ID, status)
	}
	fault := checkDeclared(response, header)
	if media := mediaOf(response); media == jsonType {
		fault = errors.Join(fault, checkType(header, media), c.validate(append(pointer, "content", media, "schema"), body))
	} else {
		fault = errors.Join(fault, checkType(header, media))
	}
	if fault != nil {
		return fmt.Errorf("%s answered status %d with: %w\nbody: %s", op.ID, status, fault, shorten(body))
	}
	if status == op.Status {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answered[op.ID] = true
	}
	return nil
}

// CheckError holds any answer outside 2xx to the shape of errors, even where
// the contract has no operation: an unknown path, or a method it does not have.
func (c *Contract) CheckError(status int, header http.Header, body []byte) error {
	if status < 400 {
		return fmt.Errorf("status %d is not an error", status)
	}
	fault := errors.Join(checkType(header, jsonType), c.validate([]string{"components", "schemas", "Error"}, body))
	if fault != nil {
		return fmt.Errorf("status %d with: %w\nbody: %s", status, fault, shorten(body))
	}
	return nil
}

// Unanswered lists the operations that no Check has seen succeed, by id. A test
// of the whole contract ends by asking that there are none.
func (c *Contract) Unanswered() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, op := range openapi.Operations() {
		if !c.answered[op.ID] {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

// Example returns the contract's own example of a request body, or nil for an
// operation that takes none.
func (c *Contract) Example(t testing.TB, op openapi.Operation) []byte {
	t.Helper()
	pointer, _, err := c.resolve([]string{"paths", op.Path, strings.ToLower(op.Method), "requestBody"})
	if err != nil {
		return nil
	}
	_, schema, err := c.resolve(append(pointer, "content", "application/json", "schema"))
	if err != nil {
		t.Fatalf("%s: %v", op.ID, err)
	}
	for schema["example"] == nil {
		alternatives, _ := schema["oneOf"].([]any)
		if len(alternatives) == 0 {
			t.Fatalf("%s: the contract has no example of its body", op.ID)
		}
		first, _ := alternatives[0].(map[string]any)
		if schema, err = c.follow(first); err != nil {
			t.Fatalf("%s: %v", op.ID, err)
		}
	}
	body, err := json.Marshal(schema["example"])
	if err != nil {
		t.Fatalf("%s: %v", op.ID, err)
	}
	return body
}

const jsonType = "application/json"

// mediaOf is the media type that a response declares.
func mediaOf(response map[string]any) string {
	content, _ := response["content"].(map[string]any)
	for media := range content {
		return media
	}
	return jsonType
}

// checkDeclared asks for the headers that the response declares.
func checkDeclared(response map[string]any, header http.Header) error {
	var faults []error
	declared, _ := response["headers"].(map[string]any)
	for name := range declared {
		if header.Get(name) == "" {
			faults = append(faults, fmt.Errorf("the header %s is missing", name))
		}
	}
	return errors.Join(faults...)
}

func checkType(header http.Header, want string) error {
	contentType := header.Get("Content-Type")
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != want || !slices.Contains([]string{"", "utf-8"}, parameters["charset"]) {
		return fmt.Errorf("the Content-Type is %q, not %s", contentType, want)
	}
	return nil
}

// validate compares a body with the schema at a place of the contract.
func (c *Contract) validate(pointer []string, body []byte) error {
	c.mu.Lock()
	schema, err := c.compiler.Compile(documentURL + "#" + encodePointer(pointer))
	c.mu.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return schema.Validate(value)
}

// shorten keeps a failure readable.
func shorten(body []byte) []byte {
	const most = 2000
	if len(body) <= most {
		return body
	}
	return append(bytes.Clone(body[:most]), "…"...)
}
