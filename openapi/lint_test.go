package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These tests are the house rules of the contract. They read the published
// document, so that they judge what clients see.

// node is one object of the document with its place, for messages.
type node struct {
	at   string
	body map[string]any
}

func (n node) text(key string) string { s, _ := n.body[key].(string); return s }

func (n node) child(key string) (node, bool) {
	body, ok := n.body[key].(map[string]any)
	return node{n.at + " > " + key, body}, ok
}

// children are the members of an object member, ordered by key.
func (n node) children(key string) []node {
	parent, _ := n.child(key)
	var all []node
	for _, name := range slices.Sorted(maps.Keys(parent.body)) {
		if child, ok := parent.child(name); ok {
			all = append(all, child)
		}
	}
	return all
}

// items are the objects of an array member.
func (n node) items(key string) []node {
	array, _ := n.body[key].([]any)
	var all []node
	for i, value := range array {
		if body, ok := value.(map[string]any); ok {
			all = append(all, node{fmt.Sprintf("%s > %s[%d]", n.at, key, i), body})
		}
	}
	return all
}

func (n node) words(key string) []string {
	array, _ := n.body[key].([]any)
	var all []string
	for _, value := range array {
		if word, ok := value.(string); ok {
			all = append(all, word)
		}
	}
	return all
}

// types are the JSON types that a schema allows.
func (n node) types() []string {
	if one := n.text("type"); one != "" {
		return []string{one}
	}
	return n.words("type")
}

func readDocument(t *testing.T) node {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(JSON(), &body); err != nil {
		t.Fatal(err)
	}
	return node{"contract", body}
}

// walk visits every object of the document.
func walk(n node, visit func(node)) {
	visit(n)
	for _, key := range slices.Sorted(maps.Keys(n.body)) {
		if child, ok := n.child(key); ok {
			walk(child, visit)
		}
		for _, item := range n.items(key) {
			walk(item, visit)
		}
	}
}

// resolve follows a reference.
func resolve(t *testing.T, document, n node) node {
	t.Helper()
	ref := n.text("$ref")
	if ref == "" {
		return n
	}
	target := document
	for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		next, ok := target.child(key)
		if !ok {
			t.Fatalf("%s: %s refers to nothing", n.at, ref)
		}
		target = next
	}
	return target
}

// schemas visits every schema of the document, those inside others included.
func schemas(document node, visit func(node)) {
	components, _ := document.child("components")
	for _, schema := range components.children("schemas") {
		schemaTree(schema, visit)
	}
	walk(document, func(n node) {
		if strings.Contains(n.at, "components > schemas") {
			return
		}
		if schema, ok := n.child("schema"); ok {
			schemaTree(schema, visit)
		}
	})
}

func schemaTree(schema node, visit func(node)) {
	visit(schema)
	for _, property := range schema.children("properties") {
		schemaTree(property, visit)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema.child(key); ok {
			schemaTree(inner, visit)
		}
	}
	for _, key := range []string{"allOf", "oneOf"} {
		for _, part := range schema.items(key) {
			schemaTree(part, visit)
		}
	}
}

func TestContract_OperationsAreDocumented(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	var tags []string
	for _, tag := range document.items("tags") {
		tags = append(tags, tag.text("name"))
	}
	for _, op := range Operations() {
		n := operationNode(t, document, op)
		if got := operationID(op.Method, op.Path); op.ID != got || n.text("operationId") != got {
			t.Errorf("%s: the operationId is %q, want %q", n.at, op.ID, got)
		}
		for _, key := range []string{"summary", "description"} {
			if n.text(key) == "" {
				t.Errorf("%s has no %s", n.at, key)
			}
		}
		if own := n.words("tags"); len(own) != 1 || !slices.Contains(tags, own[0]) {
			t.Errorf("%s has the tags %q, want one that is declared", n.at, own)
		}
		required := []string{"500", "503"}
		if !op.Public {
			required = append(required, "401", "403", "429")
		}
		// Deleting a group or a segment that is gone succeeds, as clients of the
		// hosted API expect.
		idempotent := op.ID == "DeleteDataPlanGroupsId" || op.ID == "DeleteDataSegmentsId"
		if strings.Contains(op.Path, "{") && !idempotent {
			required = append(required, "404")
		}
		if op.Method != http.MethodGet && op.Method != http.MethodDelete {
			required = append(required, "400")
		}
		for _, status := range required {
			if _, ok := mustChild(t, n, "responses").child(status); !ok {
				t.Errorf("%s does not declare status %s", n.at, status)
			}
		}
	}
}

func operationNode(t *testing.T, document node, op Operation) node {
	t.Helper()
	n := document
	for _, key := range []string{"paths", op.Path, strings.ToLower(op.Method)} {
		n = mustChild(t, n, key)
	}
	return n
}

func mustChild(t *testing.T, n node, key string) node {
	t.Helper()
	child, ok := n.child(key)
	if !ok {
		t.Fatalf("%s has no %s", n.at, key)
	}
	return child
}

// operationID joins method and path in camel case: GET /data/plans/{id} is
// GetDataPlansId.
func operationID(method, path string) string {
	var id strings.Builder
	words := strings.FieldsFunc(strings.ToLower(method)+path, func(r rune) bool { return strings.ContainsRune("/-{}.", r) })
	for _, word := range words {
		id.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return id.String()
}

func TestContract_ParametersAreDescribed(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, op := range Operations() {
		n := operationNode(t, document, op)
		seen := map[string]bool{}
		for _, ref := range n.items("parameters") {
			if ref.text("$ref") == "" {
				t.Errorf("%s is written in place; make it a component", ref.at)
			}
			parameter := resolve(t, document, ref)
			name := parameter.text("name")
			if seen[name] {
				t.Errorf("%s takes %s twice", n.at, name)
			}
			seen[name] = true
			if parameter.text("description") == "" {
				t.Errorf("%s has no description", parameter.at)
			}
			if _, ok := parameter.child("schema"); !ok {
				t.Errorf("%s has no schema", parameter.at)
			}
			if parameter.text("in") == "path" && !strings.Contains(op.Path, "{"+name+"}") {
				t.Errorf("%s takes %s, which its path does not have", n.at, name)
			}
		}
		if strings.Contains(op.Path, "{id}") != seen["id"] {
			t.Errorf("%s: the path and the parameters disagree about id", n.at)
		}
	}
}

func TestContract_NumbersHaveUnitAndFormat(t *testing.T) {
	t.Parallel()
	units := map[string]Unit{}
	for u := MoneyBase; u < CurrencyBase; u++ {
		units[u.String()] = u
	}
	schemas(readDocument(t), func(n node) {
		word := n.text("x-unit")
		unit, known := units[word]
		if word != "" && !known {
			t.Errorf("%s has the unit %q, which is not one", n.at, word)
		}
		types := n.types()
		integer, number := slices.Contains(types, "integer"), slices.Contains(types, "number")
		switch {
		case integer && n.text("format") != "int64":
			t.Errorf("%s is an integer without format int64", n.at)
		case number && n.text("format") != "double":
			t.Errorf("%s is a number without format double", n.at)
		case (integer || number) && word == "":
			t.Errorf("%s is a number without x-unit", n.at)
		case word != "" && !integer && !number && len(types) > 0:
			t.Errorf("%s has a unit but is no number", n.at)
		case unit.IsMoney() && number:
			t.Errorf("%s is money but no integer", n.at)
		}
		if word := n.text("x-currency"); word != "" && !slices.Contains([]string{"base", "row", "customer"}, word) {
			t.Errorf("%s names the currency of %q, which is nothing", n.at, word)
		}
	})
}

// A client must be able to tell in which currency an amount is.
func TestContract_AmountsHaveACurrencyInReach(t *testing.T) {
	t.Parallel()
	for _, op := range Operations() {
		checkCurrencies(t, op.ID, op.Body(), map[Unit]bool{})
	}
}

func checkCurrencies(t *testing.T, at string, s *Schema, reach map[Unit]bool) {
	t.Helper()
	reach = maps.Clone(reach)
	for i := range s.fields {
		if s.fields[i].unit.IsCurrency() {
			reach[s.fields[i].unit] = true
		}
	}
	namedBy := map[Unit]Unit{MoneyBase: CurrencyBase, MoneyRow: CurrencyRow, MoneyCustomer: CurrencyCustomer}
	if s.unit.IsMoney() && !reach[namedBy[s.unit]] {
		t.Errorf("%s is %v, but no field around it names that currency", at, s.unit)
	}
	for i := range s.fields {
		checkCurrencies(t, at+" > "+s.fields[i].name, &s.fields[i], reach)
	}
	if s.rest != nil {
		checkCurrencies(t, at+" > *", s.rest, reach)
	}
}

func TestContract_SchemasAreDescribed(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	components, _ := document.child("components")
	for _, schema := range components.children("schemas") {
		if schema.text("description") == "" {
			t.Errorf("%s has no description", schema.at)
		}
	}
	schemas(document, func(n node) {
		for _, property := range n.children("properties") {
			if property.text("$ref") == "" && property.text("description") == "" {
				t.Errorf("%s has no description", property.at)
			}
		}
		for _, name := range n.words("required") {
			properties, _ := n.child("properties")
			if _, ok := properties.child(name); !ok {
				t.Errorf("%s requires %s, which it does not have", n.at, name)
			}
		}
	})
}

// The generated Go code would leave an optional null out instead of sending it.
func TestContract_NullableFieldsOfAnswersAreRequired(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	seen := map[string]bool{}
	var judge func(n node)
	judge = func(n node) {
		n = resolve(t, document, n)
		if seen[n.at] {
			return
		}
		seen[n.at] = true
		required := n.words("required")
		for _, property := range n.children("properties") {
			name := property.at[strings.LastIndex(property.at, " ")+1:]
			if slices.Contains(property.types(), "null") && !slices.Contains(required, name) {
				t.Errorf("%s can be null and is not required", property.at)
			}
			judge(property)
		}
		for _, key := range []string{"items", "additionalProperties"} {
			if inner, ok := n.child(key); ok {
				judge(inner)
			}
		}
		for _, part := range n.items("allOf") {
			judge(part)
		}
	}
	for _, op := range Operations() {
		for _, response := range operationNode(t, document, op).children("responses") {
			content := mustChild(t, resolve(t, document, response), "content")
			if _, isFile := content.child("text/csv"); !isFile {
				judge(mustChild(t, mustChild(t, content, "application/json"), "schema"))
			}
		}
	}
}

func TestContract_EveryComponentIsUsed(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	used := map[string]bool{}
	walk(document, func(n node) {
		if ref := n.text("$ref"); ref != "" {
			resolve(t, document, n)
			used[ref] = true
		}
	})
	components, _ := document.child("components")
	for _, kind := range slices.Sorted(maps.Keys(components.body)) {
		if kind == "securitySchemes" {
			continue
		}
		for _, component := range components.children(kind) {
			name := component.at[strings.LastIndex(component.at, " ")+1:]
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				t.Errorf("%s is used nowhere", ref)
			}
		}
	}
}

// Field names are what clients of the API already know: lower case with
// underscores. The exceptions are older than this contract.
func TestContract_NamesOfFields(t *testing.T) {
	t.Parallel()
	lower := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	older := []string{"netChurn", "enqueuedCount", "processedCount", "failedCount", "startedAt", "lastActivityAt", "retryAt"}
	schemas(readDocument(t), func(n node) {
		for _, property := range n.children("properties") {
			name := property.at[strings.LastIndex(property.at, " ")+1:]
			if !lower.MatchString(name) && !slices.Contains(older, name) {
				t.Errorf("%s is not lower case with underscores", property.at)
			}
		}
	})
}
