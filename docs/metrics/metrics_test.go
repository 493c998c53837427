package metrics_test

import (
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/docs/metrics"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// Every report of the contract has a page whose example asks for it, and no
// page is about anything else.
func TestDefinitions_OfEveryReport(t *testing.T) {
	t.Parallel()
	pages := map[string]bool{}
	for _, d := range metrics.Definitions() {
		pages[d.Name] = true
		if !strings.Contains(d.Example, "report "+d.Name) {
			t.Errorf("%s: the example is about another report", d.Name)
		}
		if strings.Contains(d.Summary, "\n") || !strings.HasSuffix(d.Summary, ".") {
			t.Errorf("%s: the summary is %q", d.Name, d.Summary)
		}
	}
	for _, op := range openapi.Operations() {
		name, ok := strings.CutPrefix(op.Path, "/reports/")
		if ok && !pages[name] {
			t.Errorf("%s has no definition", name)
		}
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("there is a definition of %s, which is no report", name)
	}
}
