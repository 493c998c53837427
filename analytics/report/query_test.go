package report

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

func emptyAccount() *Snapshot {
	return &Snapshot{
		Account: "empty", Today: date("2026-05-20"), Settings: ledger.DefaultSettings(), WeekStart: time.Monday,
		Plans: []ledger.Plan{{}}, Symbols: []string{""}, FirstDay: calendar.NoDay,
	}
}

func TestParseQuery_Defaults(t *testing.T) {
	t.Parallel()
	s := emptyAccount()
	q := mustQuery(t, s, nil)
	want := &Query{
		Range: calendar.Range{From: date("2025-05-21"), To: date("2026-05-20")}, Unit: calendar.UnitMonth, Base: currency("usd"),
		SelectedDate: calendar.NoDay, AgeDay: date("2026-05-20"),
	}
	if diff := cmp.Diff(want, q, cmp.AllowUnexported(Dimension{}, Filter{})); diff != "" {
		t.Errorf("query mismatch (-want +got):\n%s", diff)
	}
}

func TestParseQuery_All(t *testing.T) {
	t.Parallel()
	values, err := url.ParseQuery("date=2026-Q1&date=last-month&interval=Weekly&baseCurrency=EUR&fix_fx=1&committed=TRUE&breakdown=custom_tier" +
		"&breakdown-value=gold&trailing_months=12&selected-date=20260103&selected-type=Churn&sort=mrr_change&order=ASC&search=+Acme+&limit=20&offset=40" +
		"&region=us+de&currency=~eur&plan=pro%7E%7Eent&custom_tier=gold&age=1-2&unheard=of")
	if err != nil {
		t.Fatal(err)
	}
	q := mustQuery(t, emptyAccount(), values)
	if got := q.Range.String(); got != "20260401-20260430" {
		t.Errorf("range %s: the last value of a parameter counts", got)
	}
	if q.Unit != calendar.UnitWeek || q.Base != currency("eur") || !q.FixFX || !q.Committed || q.Breakdown.Name() != "custom_tier" || *q.BreakdownValue != "gold" {
		t.Errorf("query %+v", q)
	}
	if q.TrailingMonths != 12 || q.SelectedDate != date("2026-01-03") || q.Selected != "churn" || q.Sort != ByAmount || !q.Ascending {
		t.Errorf("query %+v", q)
	}
	if q.Search != "acme" || q.Limit != 20 || q.Offset != 40 || !q.SelectsStreams() {
		t.Errorf("query %+v", q)
	}
	want := map[string]string{"region": "us de", "currency": "~eur", "plan": "pro~~ent", "custom_tier": "gold", "age": "1-2"}
	if diff := cmp.Diff(want, q.FilterValues()); diff != "" {
		t.Errorf("filters mismatch (-want +got):\n%s", diff)
	}
}

func TestParseQuery_Errors(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"date=soon":               `date: "soon" is not a date range; accepted are 20260101-20261231`,
		"interval=hour":           `interval: "hour" is not one of day, week, month, quarter, year`,
		"baseCurrency=us":         `baseCurrency: "us" is not an ISO 4217 currency code such as usd`,
		"fix_fx=yes":              `fix_fx: "yes" is not true or false`,
		"committed=2":             `committed: "2" is not true or false`,
		"breakdown=color":         `breakdown: "color" is not one of currency, plan`,
		"breakdown=custom_":       `breakdown: "custom_" is not one of`,
		"breakdown-value=x":       `breakdown-value: needs breakdown`,
		"trailing_months=1.5":     `trailing_months: "1.5" is not a whole number from 1 to 120`,
		"selected-date=yesterday": `selected-date: "yesterday" is not a date such as 2026-01-31`,
		"sort=size":               `sort: "size" is not one of date, mrr_change`,
		"order=down":              `order: "down" is not asc or desc`,
		"limit=0":                 `limit: "0" is not a whole number from 1 to 10000`,
		"limit=10001":             `limit: "10001" is not a whole number from 1 to 10000`,
		"offset=-1":               `offset: "-1" is not a whole number from 0`,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseQuery(values, emptyAccount())
		var param *ParamError
		if !errors.As(err, &param) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %q, want a *ParamError that begins with %q", query, err, want)
		}
	}
}

func TestFilter_Keeps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, dimension, value string
		keeps, drops           []string
	}{
		{"one value", "country", "US", []string{"us"}, []string{"de", ""}},
		{"a list by spaces", "country", "us de", []string{"us", "de"}, []string{"fr", ""}},
		{"a list by commas", "country", "us,de", []string{"us", "de"}, []string{"fr"}},
		{"a list by tildes", "country", "us~~de", []string{"us", "de"}, []string{"fr"}},
		{"a list by tildes with a negation", "country", "us~~~de", []string{"us"}, []string{"de", "fr"}},
		{"not one value", "country", "~us", []string{"de", ""}, []string{"us"}},
		{"not two values", "country", "~us ~de", []string{"fr", ""}, []string{"us", "de"}},
		{"set", "country", "*", []string{"us"}, []string{""}},
		{"not set", "country", "~", []string{""}, []string{"us"}},
		{"not set or one value", "country", "~ us", []string{"", "us"}, []string{"de"}},
		{"set but not one value", "country", "* ~us", []string{"de"}, []string{"us", ""}},
		{"not any value", "country", "~*", []string{""}, []string{"us"}},
		{"a custom value with spaces", "custom_tier", "very gold", []string{"very gold"}, []string{"very", "gold"}},
		{"custom values keep their case", "custom_tier", "Gold~~silver", []string{"Gold", "silver"}, []string{"gold"}},
		{"an id with spaces", "customer", "cus 1", []string{"cus 1", "cus"}, []string{"2"}},
		{"adjectives of frequency", "billing_freq", "monthly annual", []string{"month", "year"}, []string{"week"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, ok := parseDimension(tt.dimension)
			if !ok {
				t.Fatalf("no dimension %s", tt.dimension)
			}
			f, ok := parseFilter(d, []string{tt.value})
			if !ok {
				t.Fatalf("%q is no filter", tt.value)
			}
			for _, v := range tt.keeps {
				if !f.keeps(v) {
					t.Errorf("%q drops %q", tt.value, v)
				}
			}
			for _, v := range tt.drops {
				if f.keeps(v) {
					t.Errorf("%q keeps %q", tt.value, v)
				}
			}
		})
	}
	country, _ := parseDimension("country")
	for _, empty := range []string{"", " ", ",", "~~", "~~ ~~"} {
		if _, ok := parseFilter(country, []string{empty}); ok {
			t.Errorf("%q is a filter", empty)
		}
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		got  Ratio
		want Ratio
	}{
		{"a third", percent(1, 3), Ratio{Value: 33.33}},
		{"half a hundredth goes away from zero", quotient(1, 200), Ratio{Value: 0.01}},
		{"and so below zero", quotient(-1, 200), Ratio{Value: -0.01}},
		{"a negative whole", percent(1, -3), Ratio{Value: -33.33}},
		{"of nothing", percent(1, 0), Ratio{Null: true}},
		{"a change to the half", change(200, 100), Ratio{Value: -50}},
		{"the ratio of a published example", quotient(45, 40), Ratio{Value: 1.13}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestCompareFold(t *testing.T) {
	t.Parallel()
	names := []string{"", "a", "A", "Ab", "aC", "ä", "Ä", "b", "Z", "z "}
	for _, a := range names {
		for _, b := range names {
			if got, want := compareFold(a, b), strings.Compare(strings.ToLower(a), strings.ToLower(b)); got != want {
				t.Errorf("compareFold(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// Reports of an account without rows have their rows and nulls, not errors.
func TestReports_EmptyAccount(t *testing.T) {
	t.Parallel()
	s := emptyAccount()
	q := mustQuery(t, s, map[string][]string{"breakdown": {"plan"}})
	mrr, err := MRR(s, q)
	if err != nil || len(mrr.Rows) != 13 || mrr.Rows[0].TotalMRR != 0 || !mrr.Rows[0].QuickRatio.Null {
		t.Errorf("MRR: %d rows, error %v", len(mrr.Rows), err)
	}
	kept, err := Retention(s, q)
	if err != nil || len(kept.Rows) != 13 || !kept.Rows[0].NRR.Null || kept.Rows[0].LTV != nil {
		t.Errorf("Retention: %v", err)
	}
	cohorts, err := Cohort(s, mustQuery(t, s, nil))
	if err != nil || len(cohorts.List) != 14 || !cohorts.NRR.Max.Null {
		t.Errorf("Cohort: %v", err)
	}
	if r, err := Summary(s, q); err != nil || !r.Past[0].MRRChange.Null {
		t.Errorf("Summary: %v", err)
	}
	if r, err := CustomerConcentration(s, q); err != nil || len(r.List) != 0 || !r.Tops[0].Percent.Null {
		t.Errorf("CustomerConcentration: %v", err)
	}
	if r, err := MovementTable(s, q); err != nil || r.Count != 0 {
		t.Errorf("MovementTable: %v", err)
	}
	if r, err := CustomerList(s, q); err != nil || r.Count != 0 {
		t.Errorf("CustomerList: %v", err)
	}
	if r, err := PlanList(s, q); err != nil || r.Count != 0 {
		t.Errorf("PlanList: %v", err)
	}
	future := mustQuery(t, s, map[string][]string{"date": {"2027-01-01:2027-12-31"}})
	if r, err := MRR(s, future); err != nil || len(r.Rows) != 0 {
		t.Errorf("MRR of the future: %v", err)
	}
	if r, err := Retention(s, future); err != nil || len(r.Rows) != 0 {
		t.Errorf("Retention of the future: %v", err)
	}
	if r, err := Cohort(s, future); err != nil || len(r.List) != 1 {
		t.Errorf("Cohort of the future: %v", err)
	}
}
