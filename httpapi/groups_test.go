package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A change of a segment or a plan group shows in the very next report, although
// the same question was just answered.
func TestSegmentsAndPlanGroups_ReportsFollowAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha") // One pays 199 in the US, Two 100 in Denmark
	mrr := func(query string, at ...any) float64 {
		t.Helper()
		got := a.ok(t, a.readonly, "GET", "/reports/mrr?date=20260615&"+query, "")
		return got.number(append([]any{"result", 0}, at...)...)
	}
	want := func(query string, want float64, at ...any) {
		t.Helper()
		for range 2 { // computed, then from the cache
			if got := mrr(query, at...); got != want {
				t.Fatalf("mrr?%s is %v, want %v", query, got, want)
			}
		}
	}
	segment := a.ok(t, a.admin, "POST", "/data/segments", `{"name":"North","filters":{"region":["nordics","dach"]}}`).text("id")
	want("segment="+segment, 10000, "total_mrr")
	want("segment=north&breakdown=market", 10000, "breakdown", "nordics", "total_mrr")
	a.ok(t, a.admin, "PUT", "/data/segments/"+segment, `{"filters":{"region":"us nordics"},"mode":"breakdown"}`)
	want("segment="+segment, 29900, "total_mrr")
	want("segment="+segment, 19900, "breakdown", "us", "total_mrr")
	got := a.ok(t, a.readonly, "GET", "/reports/mrr?segment="+segment, "")
	if got.text("breakdown") != "region" || got.text("query", "filters", "segment") != segment {
		t.Errorf("the answer says %v and %v", got.at("breakdown"), got.at("query"))
	}
	wantJSON(t, a.ok(t, a.readonly, "GET", "/data/segments/"+segment, ""), fmt.Sprintf(
		`{"id":%q,"name":"North","description":null,"filters":{"region":"us nordics"},"mode":"breakdown"}`, segment))
	a.ok(t, a.admin, "DELETE", "/data/segments/"+segment, "")
	if got := a.do(t, a.readonly, "GET", "/reports/mrr?date=20260615&segment="+segment, ""); got.status != 400 || got.text("details", 0, "field") != "segment" {
		t.Errorf("a deleted segment: %d %s", got.status, got.raw)
	}

	want("plan=Alpha%20Group", 19900, "total_mrr")
	a.ok(t, a.admin, "PUT", "/data/plan-groups/"+c.group, `{"plans":["Alpha-pro","Alpha-basic"]}`)
	want("plan=Alpha%20Group", 29900, "total_mrr")
	want("plan="+c.group+"&breakdown=plan", 29900, "breakdown", "Alpha Group", "total_mrr")
	a.ok(t, a.admin, "PUT", "/data/plan-groups/"+c.group, `{"name":"Years","selector_type":"id","selector":"*-basic"}`)
	want("plan=Years", 10000, "total_mrr")
	want("breakdown=plan", 19900, "breakdown", "Alpha Pro", "total_mrr")
	wantJSON(t, a.ok(t, a.readonly, "GET", "/data/plan_groups/"+c.group, ""), fmt.Sprintf(
		`{"id":%q,"name":"Years","type":"auto","plans":["Alpha-basic"],"selector_type":"id","selector":"*-basic"}`, c.group))
	manual := a.ok(t, a.admin, "POST", "/data/plan-groups", `{"name":"All","plans":["Alpha-pro"]}`).text("id")
	a.ok(t, a.admin, "POST", "/data/plan-groups/merge", fmt.Sprintf(`{"sources":[%q],"target":%q}`, c.group, manual))
	want("plan="+manual, 29900, "total_mrr")
	deleted := a.ok(t, a.admin, "POST", "/data/plan-groups/delete-multiple", fmt.Sprintf(`{"ids":[%q,%q]}`, c.group, manual))
	if deleted.number("deleted") != 1 {
		t.Errorf("deleted %s, want the one that was left", deleted.raw)
	}
	want("breakdown=plan", 10000, "breakdown", "Alpha Basic", "total_mrr")
	want("plan="+manual, 0, "total_mrr")
}

// Who begins with a plan of two groups is in the cohorts of both, and once in
// their average.
func TestPlanGroups_CohortsOfAPlanInTwo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha") // One pays 199 for Alpha-pro, which is in the group Alpha Group
	a.ok(t, a.admin, "POST", "/data/plan-groups", `{"name":"All","plans":["Alpha-pro","Alpha-basic"]}`)
	customers := map[string]float64{}
	got := a.ok(t, a.readonly, "GET", "/reports/cohort?date=all&breakdown=plan", "")
	for _, item := range got.list("result", "list") {
		row, _ := item.(map[string]any)
		customers[row["cohort_group"].(string)], _ = row["initial_customers"].(float64)
	}
	if diff := cmp.Diff(map[string]float64{"Alpha Group": 1, "All": 2, "average": 2}, customers); diff != "" {
		t.Errorf("customers of cohorts (-want +got):\n%s", diff)
	}
}

func TestSegmentsAndPlanGroups_Refused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	for _, tt := range []struct{ method, at, body, field string }{
		{"POST", "/data/segments", `{"name":"x","filters":{"plan":["a",{}]}}`, "filters"},
		{"POST", "/data/segments", `{"name":"x","filters":{"plan":""}}`, "filters"},
		{"POST", "/data/segments", `{"name":"x","filter":{"plan":"a"}}`, "filter"},
		{"POST", "/data/segments", `{"filters":{"plan":"a"}}`, "name"},
		{"POST", "/data/plan-groups", `{"name":"x","plans":["none"]}`, "plans"},
		{"POST", "/data/plan-groups", `{"name":"x"}`, "plans"},
		{"POST", "/data/plan-groups/merge", `{"target":"x"}`, "source"},
		{"POST", "/data/plan-groups/merge", `{"source":"x"}`, "target"},
		{"POST", "/data/plan-groups/delete-multiple", `{}`, "ids"},
		{"POST", "/data/plan-groups/ai-suggest", `{"plans":["none"]}`, "plans"},
	} {
		got := a.do(t, a.admin, tt.method, tt.at, tt.body)
		if got.status != 400 || got.text("details", 0, "field") != tt.field {
			t.Errorf("%s %s: %d %s, want 400 about %s", tt.at, tt.body, got.status, got.raw, tt.field)
		}
	}
	for _, at := range []string{"/data/segments/none", "/data/plan-groups/none"} {
		for method, body := range map[string]string{"GET": "", "PUT": `{"name":"x"}`} {
			if got := a.do(t, a.admin, method, at, body); got.status != 404 {
				t.Errorf("%s %s: %d %s", method, at, got.status, got.raw)
			}
		}
	}
}
