package mcp

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// TestKnownUnit_AgreesWithTheContract compares the list of fields of other
// servers with what the contract says about fields of the same name.
func TestKnownUnit_AgreesWithTheContract(t *testing.T) {
	t.Parallel()
	var document struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(openapi.JSON(), &document); err != nil {
		t.Fatal(err)
	}
	units := map[string][]string{}
	collectUnits(document.Components.Schemas, units)
	if len(units) < 50 {
		t.Fatalf("found only %d fields with a unit in the contract", len(units))
	}
	for field, words := range units {
		unit := knownUnit([]byte(field))
		// The currency of a row's amounts is looked up, so that it may be the
		// report's.
		fits := slices.Contains(words, unit.String()) ||
			unit == openapi.MoneyRow && (slices.Contains(words, "money-base") || slices.Contains(words, "money-customer"))
		if unit != openapi.None && !fits {
			t.Errorf("%s is taken for %s, the contract says %v", field, unit, words)
		}
	}
}

// collectUnits gathers the x-unit of every property by its name.
func collectUnits(v any, units map[string][]string) {
	object, _ := v.(map[string]any)
	for key, member := range object {
		if properties, ok := member.(map[string]any); ok && key == "properties" {
			for name, p := range properties {
				if schema, ok := p.(map[string]any); ok {
					if word, ok := schema["x-unit"].(string); ok {
						units[name] = append(units[name], word)
					}
				}
			}
		}
		collectUnits(member, units)
		if list, ok := member.([]any); ok {
			for _, item := range list {
				collectUnits(item, units)
			}
		}
	}
}
