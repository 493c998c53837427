package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// parameters are what a report takes beside the filters that the contract cannot
// list. What it does not take is ignored as a whole: it changes nothing of the
// answer, what that says of the question included. Values that no report could
// take are refused by all of them.
type parameters []string

// parseQuery reads the query of a report, or of a list that is none.
func parseQuery(name string, values url.Values, s *report.Snapshot) (report.Query, error) {
	q, err := report.ParseQuery(values, s)
	op := openapi.Find(http.MethodGet, "/reports/"+name)
	if err != nil || op == nil {
		return q, err
	}
	p := parameters(op.Query())
	if heeded := p.heed(values); len(heeded) < len(values) {
		q, err = report.ParseQuery(heeded, s)
	}
	// A segment may ask for a breakdown as well.
	if err == nil && (!p.takes("breakdown") || q.Breakdown.Name() == "subtype" && !splitsMovements(name)) {
		q.Whole()
	}
	return q, err
}

// splitsMovements reports whether a report can be split by their subtypes.
func splitsMovements(name string) bool {
	switch name {
	case "mrr", "mrr-table", "movement-table", "churn-scheduled", "churn-scheduled-movements":
		return true
	}
	return false
}

// heed returns the part of a query that the report takes.
func (p parameters) heed(values url.Values) url.Values {
	heeded := make(url.Values, len(values))
	for name, v := range values {
		if p.takes(name) {
			heeded[name] = v
		}
	}
	return heeded
}

func (p parameters) takes(name string) bool {
	switch name {
	case "industry", "channel", "size":
		return true
	}
	return strings.HasPrefix(name, "custom_") || slices.Contains(p, name) || slices.Contains(p, otherName(name))
}

// otherName returns a parameter's second spelling, "" when it has none.
func otherName(name string) string {
	switch name {
	case "base_currency":
		return "baseCurrency"
	case "selected_date":
		return "selected-date"
	case "selected_type":
		return "selected-type"
	case "breakdown_value":
		return "breakdown-value"
	case "compare_month":
		return "compareMonth"
	case "search":
		return "q"
	default:
		return ""
	}
}
