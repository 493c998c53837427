package mcp

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
	"github.com/growpanel/growpanel-mcp/openapi"
)

var update = flag.Bool("update", false, "write the files in testdata instead of comparing with them")

// What the catalog may cost every client that loads it.
const (
	maxCatalogBytes     = 22_000
	maxToolBytes        = 3_600
	maxDescriptionBytes = 600
	maxSentenceBytes    = 200
	maxInstructionBytes = 2_000
)

// toolNames are a promise to existing clients.
const toolNames = "api_request export_csv get_customer get_report list_customers list_plans manage_account manage_api_keys " +
	"manage_billing manage_data manage_settings manage_team manage_webhooks resync_customer"

// wire returns a tool as tools/list sends it.
func wire(t *testing.T, tool mcpgo.Tool) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tool); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// schemaOf returns the input schema of a tool as a client reads it.
func schemaOf(t *testing.T, tool mcpgo.Tool) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal(tool.RawInputSchema, &schema); err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	return schema
}

func properties(t *testing.T, tool mcpgo.Tool) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	list, _ := schemaOf(t, tool)["properties"].(map[string]any)
	for name, p := range list {
		property, ok := p.(map[string]any)
		if !ok {
			t.Fatalf("%s: property %s is %T", tool.Name, name, p)
		}
		all[name] = property
	}
	return all
}

func TestTools_Names(t *testing.T) {
	t.Parallel()
	var names []string
	for _, tool := range newServer(t, &stubAPI{}, false).catalog() {
		names = append(names, tool.Tool.Name)
	}
	if got := strings.Join(names, " "); got != toolNames {
		t.Errorf("the catalog is %s", got)
	}
}

func TestTools_Size(t *testing.T) {
	t.Parallel()
	total := 0
	for _, tool := range tools() {
		size := len(wire(t, tool.definition()))
		total += size
		if size > maxToolBytes {
			t.Errorf("%s takes %d bytes, more than %d", tool.name, size, maxToolBytes)
		}
	}
	if total > maxCatalogBytes {
		t.Errorf("the catalog takes %d bytes, more than %d", total, maxCatalogBytes)
	}
	if len(instructions) > maxInstructionBytes {
		t.Errorf("the instructions take %d bytes, more than %d", len(instructions), maxInstructionBytes)
	}
}

// banned are phrases that command the model instead of describing the tool,
// which directories reject.
var banned = regexp.MustCompile(`(?i)\b(ignore|always|never|must|do not|don't|important|please|you should|instead of other|other tools|https?://)`)

func TestTools_Descriptions(t *testing.T) {
	t.Parallel()
	for _, tool := range tools() {
		d := tool.description
		if len(d) > maxDescriptionBytes {
			t.Errorf("%s: description of %d bytes", tool.name, len(d))
		}
		sentence, _, _ := strings.Cut(d, ". ")
		if len(sentence) > maxSentenceBytes || !regexp.MustCompile(`^[A-Z][a-z]+s\b`).MatchString(sentence) {
			t.Errorf("%s: first sentence %q (%d bytes) does not say in brief what the tool does", tool.name, sentence, len(sentence))
		}
		if !strings.HasSuffix(d, ".") {
			t.Errorf("%s: description does not end", tool.name)
		}
		if found := banned.FindString(d); found != "" {
			t.Errorf("%s: description says %q", tool.name, found)
		}
		if tool.title == "" || len(tool.title) > 40 {
			t.Errorf("%s: title %q", tool.name, tool.title)
		}
	}
}

// TestTools_ProseNamesWhatExists finds words in descriptions that look like
// arguments or tools and asks that they are.
func TestTools_ProseNamesWhatExists(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"past_due": true, "trial_ended": true, "failed_payment": true, "event_type": true, "inv_456": true, "too_expensive": true}
	for _, tool := range tools() {
		known[tool.name] = true
	}
	word := regexp.MustCompile(`\b[a-z]+(_[a-z0-9]+)+\b`)
	for _, tool := range tools() {
		own := maps.Clone(known)
		texts := []string{tool.description}
		for _, p := range tool.set() {
			own[p.Name] = true
			texts = append(texts, p.Description)
		}
		for _, a := range tool.actions {
			own[a.name] = true
		}
		for _, text := range texts {
			text = regexp.MustCompile(`\{.*\}|e\.g\. \S+|default \S+`).ReplaceAllString(text, "")
			for _, w := range word.FindAllString(text, -1) {
				if !own[w] {
					t.Errorf("%s mentions %q, which it does not have", tool.name, w)
				}
			}
		}
	}
}

func TestTools_Schemas(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	for _, tool := range tools() {
		d := tool.definition()
		schema := schemaOf(t, d)
		if schema["type"] != "object" || schema["additionalProperties"] != false {
			t.Errorf("%s: the schema is not a strict object", d.Name)
		}
		for _, word := range []string{"anyOf", "oneOf", "allOf", "$ref", "not", "if"} {
			if bytes.Contains(d.RawInputSchema, []byte(`"`+word+`":`)) || bytes.Contains(d.RawOutputSchema, []byte(`"`+word+`":`)) {
				t.Errorf("%s: a schema uses %s", d.Name, word)
			}
		}
		if !name.MatchString(d.Name) {
			t.Errorf("%s is not a tool name", d.Name)
		}
		for prop, p := range properties(t, d) {
			text, _ := p["description"].(string)
			if !name.MatchString(prop) || p["type"] == nil || text == "" {
				t.Errorf("%s.%s: type %v, description %q", d.Name, prop, p["type"], text)
			}
			if p["enum"] == nil && p["type"] != "boolean" && !strings.Contains(text, "e.g.") && !strings.Contains(text, "{") && !strings.Contains(text, "default") && !strings.Contains(text, "Key id") {
				t.Errorf("%s.%s: description %q has no example", d.Name, prop, text)
			}
		}
		var output map[string]any
		if err := json.Unmarshal(d.RawOutputSchema, &output); err != nil || output["type"] != "object" {
			t.Errorf("%s: output schema %s, %v", d.Name, d.RawOutputSchema, err)
		}
	}
}

func TestTools_Hints(t *testing.T) {
	t.Parallel()
	reads := []string{"get_report", "list_customers", "get_customer", "list_plans", "export_csv"}
	destroys := []string{"manage_data", "manage_webhooks", "manage_account", "manage_billing", "manage_team", "manage_api_keys", "api_request"}
	for _, tool := range tools() {
		a := tool.definition().Annotations
		if a.Title == "" || a.ReadOnlyHint == nil || a.DestructiveHint == nil || a.IdempotentHint == nil || a.OpenWorldHint == nil {
			t.Fatalf("%s: a hint is missing: %+v", tool.name, a)
		}
		if *a.ReadOnlyHint != slices.Contains(reads, tool.name) || *a.DestructiveHint != slices.Contains(destroys, tool.name) || *a.OpenWorldHint {
			t.Errorf("%s: read-only %v, destructive %v, open world %v", tool.name, *a.ReadOnlyHint, *a.DestructiveHint, *a.OpenWorldHint)
		}
		if *a.ReadOnlyHint && (*a.DestructiveHint || !*a.IdempotentHint) {
			t.Errorf("%s: the hints contradict each other", tool.name)
		}
	}
}

func TestTools_EveryArgumentIsUsed(t *testing.T) {
	t.Parallel()
	for _, tool := range tools() {
		for _, p := range tool.set() {
			if !slices.ContainsFunc(tool.actions, func(a action) bool { return a.uses(p.Name) }) {
				t.Errorf("%s: no action uses %s", tool.name, p.Name)
			}
		}
		for _, a := range tool.actions {
			for _, name := range slices.Concat(a.placeholders(), a.query, a.local, a.needs) {
				if tool.set().Find(name) == nil {
					t.Errorf("%s %s uses %s, which is not an argument", tool.name, a.name, name)
				}
			}
			if a.irreversible != "" && tool.set().Find("confirm") == nil {
				t.Errorf("%s %s cannot be confirmed", tool.name, a.name)
			}
		}
	}
}

// misspellings returns ways to write a name wrongly: a letter dropped, doubled,
// changed, or swapped with the next.
func misspellings(name string) []string {
	middle := len(name) / 2
	return []string{
		name[:middle] + name[middle+1:],
		name[:middle] + name[middle:middle+1] + name[middle:],
		name[:middle] + "x" + name[middle+1:],
		name[:middle-1] + name[middle:middle+1] + name[middle-1:middle] + name[middle+1:],
	}
}

func TestTools_MisspelledArgumentsAreNamed(t *testing.T) {
	t.Parallel()
	for _, tool := range tools() {
		set := tool.set()
		for _, p := range set {
			for _, wrong := range misspellings(p.Name) {
				if set.Find(wrong) != nil || wrong == p.Name {
					continue
				}
				_, err := tool.prepare(set, json.RawMessage(fmt.Sprintf(`{%q:"x"}`, wrong)))
				want := fmt.Sprintf("unknown argument %q, did you mean %q? Corrected call: %s {%q:", wrong, p.Name, tool.name, p.Name)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s with %q: %v, want %s", tool.name, wrong, err, want)
				}
			}
		}
	}
}

// TestTools_ExamplesAreValid takes the examples of the descriptions at their
// word.
func TestTools_ExamplesAreValid(t *testing.T) {
	t.Parallel()
	example := regexp.MustCompile(`e\.g\. (.*?)(; |$)`)
	for _, tool := range tools() {
		for _, p := range tool.set() {
			m := example.FindStringSubmatch(p.Description)
			if m == nil {
				continue
			}
			values := []string{m[1]}
			if p.Type != args.Object && p.Type != args.Map {
				values = strings.Split(m[1], ", ")
			}
			for _, value := range values {
				raw, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				one := args.Set{p}
				one[0].Required = false
				if _, err := one.Parse(tool.name, json.RawMessage(fmt.Sprintf(`{%q:%s}`, p.Name, raw))); err != nil {
					t.Errorf("%s.%s: the example %q is refused: %v", tool.name, p.Name, value, err)
				}
			}
		}
	}
}

func TestTools_Snapshot(t *testing.T) {
	t.Parallel()
	for mode, readOnly := range map[string]bool{"tools": false, "tools-read-only": true} {
		files := map[string][]byte{}
		for _, tool := range offered(readOnly) {
			var sorted any
			if err := json.Unmarshal(wire(t, tool.definition()), &sorted); err != nil {
				t.Fatal(err)
			}
			files[tool.name+".json"] = indented(t, sorted)
		}
		files["instructions.txt"] = []byte(instructions + "\n")
		compareFiles(t, filepath.Join("testdata", mode), files)
	}
}

// indented returns v as JSON with sorted keys.
func indented(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compareFiles compares a folder with what it should hold; a file that is
// missing or too many is a difference.
func compareFiles(t *testing.T, dir string, want map[string][]byte) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, data := range want {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	for _, entry := range entries {
		if _, ok := want[entry.Name()]; !ok {
			t.Errorf("%s holds %s, which nothing makes any more; run the test with -update", dir, entry.Name())
		}
	}
	for name, data := range want {
		have, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%v; run the test with -update", err)
			continue
		}
		if diff := cmp.Diff(string(have), string(data)); diff != "" {
			t.Errorf("%s/%s changed (-file +now); run the test with -update if that is meant:\n%s", dir, name, diff)
		}
	}
}

// contractParameters returns the query parameters of the GET operations of the
// contract by their paths.
func contractParameters(t *testing.T) map[string][]string {
	t.Helper()
	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Ref string `json:"$ref"`
				}
			}
		}
		Components struct {
			Parameters map[string]struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(openapi.JSON(), &document); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for path, item := range document.Paths {
		all[path] = nil
		for _, p := range item.Get.Parameters {
			param := document.Components.Parameters[p.Ref[strings.LastIndex(p.Ref, "/")+1:]]
			if param.In == "query" {
				all[path] = append(all[path], param.Name)
			}
		}
	}
	return all
}

// TestReports_MatchTheContract compares the arguments of get_report with the
// parameters that the contract gives each report.
func TestReports_MatchTheContract(t *testing.T) {
	t.Parallel()
	for path, params := range contractParameters(t) {
		report, ok := strings.CutPrefix(path, "/reports/")
		if !ok {
			continue
		}
		if !slices.Contains(reportNames(), report) {
			t.Errorf("get_report does not know %s", report)
		}
		names := slices.DeleteFunc(reportArguments(report, getReport().props.Names()), func(name string) bool {
			return (name == "limit" || name == "offset") && !paged(report)
		})
		compareParameters(t, "get_report "+report, names, params)
	}
}

func TestLists_MatchTheContract(t *testing.T) {
	t.Parallel()
	params := contractParameters(t)
	for _, tool := range []tool{listCustomers(), listPlans(), getCustomer()} {
		compareParameters(t, tool.name, tool.actions[0].query, params["/"+tool.actions[0].path])
	}
}

// compareParameters compares the arguments of a tool with the parameters of
// the API. Custom variables are parameters without a name of their own.
func compareParameters(t *testing.T, what string, names, params []string) {
	t.Helper()
	// Other names of search, category, committed and date, and what changes nothing that
	// the reader of an answer could not leave out.
	aliases := []string{"q", "types", "include_scheduled", "days", "include_failed", "regenerate"}
	for _, name := range names {
		if name != "custom" && !slices.Contains(params, wireName(name)) {
			t.Errorf("%s: the API does not take %s", what, name)
		}
	}
	for _, param := range params {
		if !slices.Contains(aliases, param) && !slices.ContainsFunc(names, func(name string) bool { return wireName(name) == param }) {
			t.Errorf("%s lacks %s", what, param)
		}
	}
}
