package httpapi_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// with returns a query with more in it, as name and value by turns.
func with(base url.Values, more ...string) url.Values {
	q := url.Values{}
	maps.Copy(q, base)
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

// figures are what a report says, without how it understood the question.
func (r *rich) figures(report string, q url.Values) string {
	r.t.Helper()
	got := r.ok(r.t, r.readonly, "GET", "/reports/"+report+"?"+q.Encode(), "")
	body, ok := got.body.(map[string]any)
	if !ok {
		r.t.Fatalf("%s: %s", report, got.raw)
	}
	for _, name := range []string{"query", "currency", "breakdown", "compare"} {
		delete(body, name)
	}
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// reportsOfContract are the reports with their parameters.
func reportsOfContract() map[string][]string {
	all := map[string][]string{}
	for _, op := range openapi.Operations() {
		if name, ok := strings.CutPrefix(op.Path, "/reports/"); ok && op.Method == http.MethodGet {
			all[name] = op.Query()
		}
	}
	return all
}

// trial asks one report twice or more: its answers must all differ.
type trial struct {
	name  string
	asked []url.Values
}

// among asks with each value of a parameter.
func among(base url.Values, name string, values ...string) trial {
	tr := trial{name: name + "=" + strings.Join(values, "|")}
	for _, value := range values {
		tr.asked = append(tr.asked, with(base, name, value))
	}
	return tr
}

// against asks without a parameter and with each of its values by itself.
func against(base url.Values, name string, values ...string) []trial {
	var all []trial
	for _, value := range values {
		all = append(all, trial{name: name + "=" + value, asked: []url.Values{base, with(base, name, value)}})
	}
	return all
}

// richPeriod is a year in which everything happens.
const richPeriod = "2025-07-01:2026-06-15"

// baseOf is what a report has to be asked with, and a range with something in it.
func baseOf(report string, params []string) url.Values {
	base := url.Values{}
	if slices.Contains(params, "date") && !strings.HasSuffix(report, "-summary") && !strings.HasPrefix(report, "mrr-growth") {
		base.Set("date", richPeriod)
	}
	switch report {
	case "churn-scheduled", "churn-scheduled-movements":
		base.Set("date", "2026-06-15:2027-06-14")
	case "mrr-subtypes":
		base.Set("type", "contraction")
	case "custom-variables":
		base.Set("key", "tier")
	}
	return base
}

// dimensions are the words of breakdown, and filters values of each that some
// have and others have not.
func (r *rich) filters() map[string]string {
	return map[string]string{
		"currency": "eur", "plan": "month", "billing_freq": "month", "region": "eu", "country": "us", "state": "ny", "data_source": r.sources[0],
		"status": "past_due", "has_discount": "true", "payment_method": "visa", "pricing_model": "metered", "customer": "c0",
		"cancel_reason": "too_expensive", "segment": r.segment, "age": "3-6", "market": "dach", "industry": "software", "channel": "ads",
		"size": "large", "custom_tier": "gold", "subtype": "voluntary",
	}
}

var dimensions = []string{
	"plan", "currency", "country", "region", "state", "billing_freq", "payment_method", "pricing_model", "data_source", "status",
	"has_discount", "customer", "cancel_reason", "subtype", "age", "market", "industry", "channel", "size", "custom_tier",
}

// trials are the questions that show whether a report uses a parameter.
func (r *rich) trials(report, param string, base url.Values) []trial {
	if param == "segment" { // one that does not exist is refused
		return against(base, param, r.segment)
	}
	if value, ok := r.filters()[param]; ok {
		return against(base, param, value, "matches-nothing")
	}
	switch param {
	case "date":
		switch report {
		case "cmrr-summary":
			base = with(base, "fix_fx", "true")
		case "custom-variables", "cashflow-outstanding-unpaid":
			base = with(base, "age", "0-6")
		}
		if strings.HasPrefix(report, "churn-scheduled") {
			return []trial{among(with(base, "fix_fx", "true"), param, "2026-06-15:2026-07-02", "2026-05-01:2026-12-31")}
		}
		return []trial{among(base, param, "2025-01-01:2025-06-30", "2024-03-01:2025-02-28")}
	case "interval":
		date := "2025-11-12:2025-11-19"
		switch {
		case report == "map":
			date = richPeriod
		case strings.HasPrefix(report, "churn-scheduled"):
			date = "2026-06-20:2026-06-26"
		}
		return []trial{among(with(base, "date", date), param, "day", "week", "month", "quarter", "year")}
	case "baseCurrency":
		return against(base, param, "eur")
	case "fix_fx":
		if strings.HasPrefix(report, "churn-scheduled") {
			base = with(base, "date", "2026-03-01:2027-03-01")
		}
		return against(base, param, "true")
	case "committed":
		return against(with(base, "date", "2026-06-01:2027-06-01"), param, "true")
	case "breakdown":
		return against(base, param, dimensions...)
	case "compare":
		base = with(base, "date", "2026-01-01:2026-05-31")
		return []trial{{name: param, asked: []url.Values{base, with(base, param, "last-period"), with(base, param, "last-year")}}}
	case "breakdown-value":
		return against(with(base, "breakdown", "country"), param, "us", "~")
	case "selected-date":
		return against(base, param, "2026-02-10")
	case "selected-type":
		return against(base, param, selectedTypes[report]...)
	case "sort":
		return against(base, param, sortKeys[report]...)
	case "order":
		return against(base, param, "asc")
	case "limit", "offset":
		return against(base, param, "1")
	case "types", "category":
		return against(base, param, "new", "churn")
	case "type":
		return []trial{among(base, param, "expansion", "contraction", "churn")}
	case "compareMonth":
		return against(base, param, "2025-12")
	case "key":
		return []trial{among(base, param, "tier", "industry", "no such key")}
	case "search":
		return against(base, param, "gol")
	case "q":
		return against(base, param, "Name 11")
	case "days":
		return against(url.Values{"limit": {"100"}}, param, "3")
	case "include_failed":
		return against(url.Values{"limit": {"100"}}, param, "0")
	case "include_scheduled":
		return against(url.Values{}, param, "1")
	case "trailing_months":
		return against(base, param, "6")
	}
	return nil
}

var (
	movementSorts = []string{"mrr_change", "mrr_change_base_currency", "customer_name", "type"}
	cashSorts     = []string{"amount", "amount_base_currency", "customer_name"}

	sortKeys = map[string][]string{
		"movement-table": movementSorts, "churn-scheduled-movements": movementSorts,
		"transactions-detail": {"amount", "amount_base_currency", "customer_name", "type"}, "invoices-detail": cashSorts,
		"cashflow-refunds-detail": cashSorts, "cashflow-failed-payments-detail": {"amount", "amount_base_currency", "customer_name", "type"},
		"cancellation-timing-detail": cashSorts, "leads-table": {"customer_name"},
	}
	selectedTypes = map[string][]string{
		"movement-table":            {"new", "expansion", "contraction", "churn", "reactivation"},
		"churn-scheduled-movements": {"churn", "contraction", "month_churn"},
		"transactions-detail": {
			"month_sub", "quarter_sub", "year_sub", "week_sub", "day_sub", "metered", "one_time", "discount", "refund", "fee", "fx_loss", "tax",
		},
		"cashflow-failed-payments-detail": {"recovered", "still_unpaid", "churned"},
		"cancellation-timing-detail":      {"1-3", "4-7", "8-14", "15-30"},
		"leads-table":                     {"trial", "converted"},
	}
)

// withoutEffect are the parameters that a report takes and has no use for. What
// the contract says of the report or of the parameter tells so.
func withoutEffect(report, trial string) (says string) {
	name, value, _ := strings.Cut(trial, "=")
	switch {
	case name == "regenerate":
		return "Accepted for compatibility"
	case name == "baseCurrency" && slices.Contains([]string{
		"leads", "leads-summary", "leads-days", "leads-table", "custom-variables", "churn-reasons-summary", "cashflow-failure-rate-summary",
	}, report):
		return "`baseCurrency` names the currency, and there are no amounts"
	case name == "breakdown" && value == "subtype" && !slices.Contains([]string{
		"mrr", "mrr-table", "movement-table", "churn-scheduled", "churn-scheduled-movements",
	}, report):
		return "`subtype` splits movements: reports that list none ignore it."
	}
	return ""
}

// textsOfContract are what the contract says of each report and its parameters.
func textsOfContract(t *testing.T) map[string]string {
	t.Helper()
	type parameter struct {
		Ref         string `json:"$ref"`
		Description string
	}
	var document struct {
		Paths map[string]struct {
			Get struct {
				Description string
				Parameters  []parameter
			}
		}
		Components struct{ Parameters map[string]parameter }
	}
	if err := json.Unmarshal(openapi.JSON(), &document); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for path, item := range document.Paths {
		name := strings.TrimPrefix(path, "/reports/")
		texts[name] = item.Get.Description
		for _, p := range item.Get.Parameters {
			texts[name] += " " + document.Components.Parameters[p.Ref[strings.LastIndex(p.Ref, "/")+1:]].Description
		}
	}
	return texts
}

// Every parameter of the contract changes what the report says, or the contract
// says that it does not.
func TestParameters_EachHasTheEffectThatTheContractSays(t *testing.T) {
	t.Parallel()
	r, texts := newRich(t), textsOfContract(t)
	for report, params := range reportsOfContract() {
		base := baseOf(report, params)
		for _, param := range append(params, "industry", "channel", "size", "custom_tier") {
			trials := r.trials(report, param, base)
			if trials == nil && withoutEffect(report, param) == "" {
				t.Errorf("%s: nobody knows how to try %s", report, param)
			}
			for _, tr := range append(trials, trial{name: param}) {
				if says := withoutEffect(report, tr.name); !strings.Contains(texts[report], says) {
					t.Errorf("%s: %s has no effect, and the contract does not say %q", report, tr.name, says)
				}
			}
			for _, tr := range trials {
				seen := map[string]url.Values{}
				for _, q := range tr.asked {
					got := r.figures(report, q)
					if before, twice := seen[got]; twice && withoutEffect(report, tr.name) == "" {
						t.Errorf("%s: %s: the same with %s as with %s", report, tr.name, q.Encode(), before.Encode())
					}
					seen[got] = q
				}
			}
		}
	}
}

// otherValues are values that reports which take a parameter heed.
var otherValues = map[string]string{
	"date": "2024-01-01:2024-02-01", "interval": "week", "baseCurrency": "eur", "breakdown": "plan", "compare": "last-year", "limit": "3",
	"offset": "2", "order": "asc", "sort": "amount", "trailing_months": "5", "days": "3", "compareMonth": "2025-12", "selected-date": "2026-01-10",
	"selected-type": "churn", "type": "churn", "types": "new", "category": "new", "key": "size", "subtype": "voluntary", "search": "x", "q": "x",
	"include_failed": "0", "include_scheduled": "1",
}

// Parameters that a report does not take are ignored as a whole: the answer is
// the same to the byte, what it says of the question included.
func TestParameters_OthersAreIgnoredAsAWhole(t *testing.T) {
	t.Parallel()
	r := newRich(t)
	all := reportsOfContract()
	others := map[string]bool{}
	for _, params := range all {
		for _, param := range params {
			others[param] = true
		}
	}
	for report, params := range all {
		base := baseOf(report, params)
		want := r.ok(t, r.readonly, "GET", "/reports/"+report+"?"+base.Encode(), "").raw
		if slices.Contains(params, "breakdown") && withoutEffect(report, "breakdown=subtype") != "" {
			if got := r.ok(t, r.readonly, "GET", "/reports/"+report+"?"+with(base, "breakdown", "subtype").Encode(), "").raw; string(got) != string(want) {
				t.Errorf("%s cannot be split by subtype, and the answer says otherwise: %.300s", report, got)
			}
		}
		for param := range others {
			if slices.Contains(params, param) || param == "search" && slices.Contains(params, "q") || param == "q" && slices.Contains(params, "search") {
				continue
			}
			asked := with(base, param, cmp.Or(otherValues[param], "true"))
			if param == "breakdown-value" {
				asked.Set("breakdown", "country")
				if slices.Contains(params, "breakdown") {
					continue // it splits what the value would single out
				}
			}
			if got := r.ok(t, r.readonly, "GET", "/reports/"+report+"?"+asked.Encode(), "").raw; string(got) != string(want) {
				t.Errorf("%s: %s is no parameter of it and changes the answer:\n%.300s\n%.300s", report, asked.Encode(), want, got)
			}
		}
	}
}
