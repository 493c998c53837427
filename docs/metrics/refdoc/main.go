// Command refdoc writes the reference of all reports to the file named by its
// argument: their definitions, and from the contract the unit of every field.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/docs/metrics"
	"github.com/growpanel/growpanel-mcp/openapi"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "refdoc:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	if len(files) != 1 {
		return fmt.Errorf("want the file to write, got %d arguments", len(files))
	}
	var contract document
	if err := json.Unmarshal(openapi.JSON(), &contract); err != nil {
		return fmt.Errorf("read the contract: %w", err)
	}
	var page bytes.Buffer
	page.WriteString(head)
	for _, d := range metrics.Definitions() {
		body, err := contract.answer("/reports/" + d.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		page.WriteString("\n#" + d.Text + "\n**Fields.** " + strings.Join(contract.fields(body, ""), ", ") + ".\n")
	}
	return os.WriteFile(files[0], page.Bytes(), 0o644) //nolint:gosec // a page of the public documentation
}

const head = `# The reports

Generated from docs/metrics/definitions and the contract by ` + "`make generate`" + `; edit those instead.

The scripts are executed by the tests: what they say is what the reports answer. How invoices become MRR is in
[ledger.md](ledger.md), what all reports have in common in [reports.md](reports.md). The fields are listed with their
units: *money* is an integer of minor units of the reporting currency, *row money* of the row's own; *percent* is from 0
to 100.
`

// document is the part of the contract that is needed.
type document struct {
	Paths map[string]struct {
		Get struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema schema }
			}
		}
	}
	Components struct{ Schemas map[string]schema }
}

// schema is a JSON schema; members keep their order.
type schema struct {
	Ref        string `json:"$ref"`
	Unit       string `json:"x-unit"`
	Items      *schema
	AllOf      []schema `json:"allOf"`
	Properties members
}

// members are the properties of a schema in order.
type members []member

type member struct {
	name   string
	schema schema
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *members) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var s schema
		if err := decoder.Decode(&s); err != nil {
			return err
		}
		*m = append(*m, member{fmt.Sprint(name), s})
	}
	return nil
}

// answer returns the schema of what a report answers.
func (d *document) answer(path string) (schema, error) {
	body, ok := d.Paths[path].Get.Responses["200"].Content["application/json"]
	if !ok {
		return schema{}, errors.New("the contract has no such report")
	}
	return body.Schema, nil
}

func (d *document) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[path.Base(s.Ref)]
	}
	return s
}

// common are members of every answer, which reports.md explains.
var common = []string{"query", "breakdown", "compare", "count", "limit", "offset", "has_more"}

// fields lists the fields below a schema with their units.
func (d *document) fields(s schema, prefix string) []string {
	s = d.resolve(s)
	var list []string
	for _, part := range s.AllOf {
		list = append(list, d.fields(part, prefix)...)
	}
	for _, m := range s.Properties {
		if slices.Contains(common, m.name) && (prefix == "" || strings.HasPrefix(m.name, "b") || m.name == "compare" || prefix == "result/") {
			continue
		}
		inner := d.resolve(m.schema)
		if inner.Items != nil {
			inner = d.resolve(*inner.Items)
		}
		if len(inner.Properties)+len(inner.AllOf) > 0 {
			list = append(list, d.fields(inner, prefix+m.name+"/")...)
			continue
		}
		list = append(list, "`"+prefix+m.name+"`"+unitWord(inner.Unit))
	}
	return list
}

func unitWord(unit string) string {
	switch unit {
	case "":
		return ""
	case "money-base":
		return " (money)"
	case "money-row", "money-customer":
		return " (row money)"
	default:
		return " (" + unit + ")"
	}
}
