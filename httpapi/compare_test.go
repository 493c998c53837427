package httpapi_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// comparedAs are the periods of a comparison of the first five months of 2026.
var comparedAs = map[string]string{"last-period": "2025-08-01:2025-12-31", "last-year": "2025-01-01:2025-05-31"}

// What a row is compared with is the row that the report gives for the earlier
// period itself, and null where it gives none.
func TestCompare_IsWhatTheEarlierPeriodSays(t *testing.T) {
	t.Parallel()
	r := newRich(t)
	for report, params := range reportsOfContract() {
		if !slices.Contains(params, "compare") {
			continue
		}
		bases := []url.Values{baseOf(report, params)}
		if slices.Contains(params, "breakdown") {
			bases = append(bases, with(bases[0], "breakdown", "plan"), with(bases[0], "breakdown", "country"))
		}
		if report == "mrr-subtypes" { // some of which occur in one of the periods alone
			for _, customer := range []string{"c1~~c2~~c3~~c4~~c5~~c6", "c7~~c8~~c9~~c10~~c11~~c12"} {
				bases = append(bases, with(bases[0], "type", "expansion", "customer", customer), with(bases[0], "type", "churn", "customer", customer))
			}
		}
		for _, base := range bases {
			for comparison := range comparedAs {
				r.checkCompared(report, base, comparison)
			}
		}
	}
}

func (r *rich) checkCompared(report string, base url.Values, comparison string) {
	r.t.Helper()
	alone := with(base, "date", comparedAs[comparison])
	if !strings.HasSuffix(report, "-table") { // rows of figures by value are compared as such, others as a whole
		alone.Del("breakdown")
	}
	known := map[string]map[string]any{}
	for _, row := range r.rows(report, alone) {
		known[figureName(row)] = plainRow(row)
	}
	shift, compared := monthsBack(comparison), 0
	for _, row := range r.rows(report, with(base, "date", "2026-01-01:2026-05-31", "compare", comparison)) {
		row["date"] = shift(row["date"])
		var got map[string]any
		if earlier, ok := row["compare"].(map[string]any); ok {
			got = plainRow(earlier)
			compared++
		}
		if diff := cmp.Diff(known[figureName(row)], got); diff != "" {
			r.t.Errorf("%s?%s, %s, %s (-alone +compared):\n%s", report, base.Encode(), comparison, figureName(row), diff)
		}
	}
	if compared == 0 {
		r.t.Errorf("%s?%s, %s: nothing is compared", report, base.Encode(), comparison)
	}
}

// rows are those of a report that has one per period or figure.
func (r *rich) rows(report string, q url.Values) []map[string]any {
	r.t.Helper()
	var rows []map[string]any
	for _, row := range r.ok(r.t, r.readonly, "GET", "/reports/"+report+"?"+q.Encode(), "").list("result") {
		if object, ok := row.(map[string]any); ok {
			rows = append(rows, object)
		}
	}
	return rows
}

// figureName is what makes a row the only one of its kind in a period.
func figureName(row map[string]any) string {
	return fmt.Sprint(row["date"], row["type"], row["subtype"], row["breakdown_value"])
}

// plainRow is a row without what it is compared with and split by, save the
// subtypes of movements.
func plainRow(row map[string]any) map[string]any {
	plain := maps.Clone(row)
	delete(plain, "compare")
	if _, ofSubtypes := plain["total"]; !ofSubtypes {
		delete(plain, "breakdown")
	}
	return plain
}

// monthsBack moves the first day of a month as a comparison does.
func monthsBack(comparison string) func(any) any {
	months := map[string]int{"last-period": -5, "last-year": -12}[comparison]
	return func(date any) any {
		day, err := calendar.ParseDay(fmt.Sprint(date))
		if err != nil {
			return date
		}
		return day.AddMonths(months).String()
	}
}
