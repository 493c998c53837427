package analytics_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// groups renders the account's plan groups as name: plans.
func (w *world) groups() string {
	s := w.snapshot()
	var all []string
	for _, g := range s.PlanGroups {
		all = append(all, g.Name+": "+strings.Join(s.PlanIDs(g.Plans), " "))
	}
	return strings.Join(all, "; ")
}

func (w *world) groupID(name string) string {
	w.t.Helper()
	for _, g := range w.snapshot().PlanGroups {
		if g.Name == name {
			return g.ID
		}
	}
	w.t.Fatalf("no group %s", name)
	return ""
}

func plan(id, name, group string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"product_name":%q,"interval":"month","interval_count":1,"currency":"usd","plan_group":%q}`, id, name, "Product "+id[:1], group)
}

func TestEngine_PlanGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newMemoryStore())
	w.put("plans", plan("a1", "Pro Monthly", "Core"), plan("a2", "Pro Yearly", ""), plan("b1", "Team", ""), plan("b2", "Team x", ""))
	ctx := t.Context()
	want := func(step, groups string) {
		t.Helper()
		if got := w.groups(); got != groups {
			t.Fatalf("%s: %q, want %q", step, got, groups)
		}
		w.reopen()
		if got := w.groups(); got != groups {
			t.Fatalf("%s: %q after opening again, want %q", step, got, groups)
		}
	}
	create := func(patch analytics.PlanGroupPatch) string {
		t.Helper()
		id, err := w.engine.CreatePlanGroup(ctx, account, patch)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	update := func(name string, patch analytics.PlanGroupPatch) {
		t.Helper()
		w.remove(w.engine.UpdatePlanGroup(ctx, account, w.groupID(name), patch))
	}
	want("plans name a group", "Core: a1")
	create(analytics.PlanGroupPatch{Name: new(" Teams "), Plans: &[]string{"b2", "b1", "b2"}})
	want("a manual group", "Core: a1; Teams: b1 b2")
	create(analytics.PlanGroupPatch{Name: new("Pros"), SelectorType: new("name"), Selector: new("PRO*")})
	want("an automatic group", "Core: a1; Pros: a1 a2; Teams: b1 b2")
	w.put("plans", plan("c1", "Professional", ""))
	want("it takes new plans", "Core: a1; Pros: a1 a2 c1; Teams: b1 b2")
	update("Pros", analytics.PlanGroupPatch{Selector: new("ly")})
	want("a text that is contained", "Core: a1; Pros: a1 a2; Teams: b1 b2")
	update("Pros", analytics.PlanGroupPatch{SelectorType: new("product_name"), Selector: new("* b")})
	want("the product", "Core: a1; Pros: b1 b2; Teams: b1 b2")
	update("Pros", analytics.PlanGroupPatch{Type: new("manual"), Name: new("Was auto")})
	want("it becomes manual and keeps its plans", "Core: a1; Teams: b1 b2; Was auto: b1 b2")
	w.put("plans", plan("a2", "Pro Yearly", "Core"))
	want("a plan joins", "Core: a1 a2; Teams: b1 b2; Was auto: b1 b2")
	update("Core", analytics.PlanGroupPatch{Plans: &[]string{"a1"}})
	w.put("plans", plan("a2", "Pro, every year", "Core"))
	want("a plan that was taken out stays out while its row says the same", "Core: a1; Teams: b1 b2; Was auto: b1 b2")
	w.put("plans", plan("a1", "Pro Monthly", "New"))
	want("a plan moves; a group that was edited stays", "Core: ; New: a1; Teams: b1 b2; Was auto: b1 b2")
	w.remove(w.engine.MergePlanGroups(ctx, account, w.groupID("Core"), w.groupID("New"), w.groupID("Teams")))
	want("merged", "Core: a1 b1 b2; Was auto: b1 b2")
	w.remove(w.engine.DeletePlan(ctx, account, "", "b1"))
	want("a plan is deleted", "Core: a1 b2; Was auto: b2")
	deleted, err := w.engine.DeletePlanGroups(ctx, account, w.groupID("Core"), "pg_none")
	if err != nil || len(deleted) != 1 {
		t.Fatalf("deleted %v, %v", deleted, err)
	}
	w.put("plans", plan("a1", "Pro Monthly", "New"), plan("a2", "Pro, every year", "Core"))
	want("plans that did not change bring no group back", "Was auto: b2")
}

func TestEngine_PlanGroups_Invalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newMemoryStore())
	w.put("plans", plan("a1", "Pro", "Core"), plan("b1", "Team", ""))
	ctx, before := t.Context(), w.state()
	auto, err := w.engine.CreatePlanGroup(ctx, account, analytics.PlanGroupPatch{Name: new("Auto"), SelectorType: new("id"), Selector: new("b?")})
	if err != nil {
		t.Fatal(err)
	}
	with := w.state()
	for want, patch := range map[string]analytics.PlanGroupPatch{
		"name is required":                                   {Plans: &[]string{"a1"}},
		`name "Core" is the name of`:                         {Name: new("core"), Plans: &[]string{"a1"}},
		"plans is required":                                  {Name: new("x")},
		`plans must be ids of plans; no plan has the id "z"`: {Name: new("x"), Plans: &[]string{"a1", "z"}},
		"type must be manual or auto":                        {Name: new("x"), Type: new("smart")},
		"selector_type must be name":                         {Name: new("x"), Selector: new("x")},
		"selector is required":                               {Name: new("x"), SelectorType: new("id"), Selector: new(" ")},
		"plans is for manual groups":                         {Name: new("x"), SelectorType: new("id"), Selector: new("x"), Plans: &[]string{"a1"}},
		"selector is for automatic":                          {Name: new("x"), Type: new("manual"), Selector: new("x"), Plans: &[]string{"a1"}},
	} {
		_, err := w.engine.CreatePlanGroup(ctx, account, patch)
		var bad *analytics.InvalidError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one that begins with %s", err, want)
		}
	}
	var bad *analytics.InvalidError
	if err := w.engine.MergePlanGroups(ctx, account, auto, w.groupID("Core")); !errors.As(err, &bad) {
		t.Errorf("merge into an automatic group: %v", err)
	}
	if err := w.engine.MergePlanGroups(ctx, account, w.groupID("Core"), w.groupID("Core")); !errors.As(err, &bad) {
		t.Errorf("merge into itself: %v", err)
	}
	for _, err := range []error{
		w.engine.UpdatePlanGroup(ctx, account, "pg_none", analytics.PlanGroupPatch{}), w.engine.MergePlanGroups(ctx, account, "pg_none", auto),
		w.engine.MergePlanGroups(ctx, account, w.groupID("Core"), "pg_none"), w.engine.UpdatePlanGroup(ctx, "other", auto, analytics.PlanGroupPatch{}),
	} {
		if !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	}
	equal(t, "state", with, w.state())
	if _, err := w.engine.DeletePlanGroups(ctx, account, auto); err != nil {
		t.Fatal(err)
	}
	equal(t, "state", before, w.state())
}

func TestEngine_Segments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newMemoryStore())
	w.put("plans", planPro)
	w.put("customers", `{"id":"c1","name":"One","country":"de"}`, `{"id":"c2","name":"Two","country":"us"}`)
	w.put("invoices", bill("i1", "c1", "2024-06-15", 9900), bill("i2", "c2", "2024-06-15", 100))
	ctx := t.Context()
	mrr := func(params string) string {
		t.Helper()
		values := map[string][]string{}
		for pair := range strings.SplitSeq(params, "&") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = []string{value}
		}
		q, err := report.ParseQuery(values, w.snapshot())
		if err != nil {
			return err.Error()
		}
		r, err := report.MRR(w.snapshot(), &q)
		if err != nil {
			t.Fatal(err)
		}
		row := r.Rows[len(r.Rows)-1]
		out := fmt.Sprint(row.TotalMRR)
		for i, v := range r.Values {
			out += fmt.Sprintf(" %s:%d", v.Key, row.Breakdown[i].TotalMRR)
		}
		return out
	}
	id, err := w.engine.CreateSegment(ctx, account, analytics.SegmentPatch{Name: new("Europe"), Filters: map[string]string{"region": "eu"}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(params, want string) {
		t.Helper()
		if got := mrr(params); got != want {
			t.Errorf("mrr?%s is %s, want %s", params, got, want)
		}
	}
	check("segment="+id, "9900")
	check("segment=europe", "9900")
	check("segment=Europe&country=us", "0")
	check("segment=Europe&breakdown=country", "9900 de:9900")
	check("segment=Asia", `segment: the account has no segment "Asia"`)
	w.remove(w.engine.UpdateSegment(ctx, account, id, analytics.SegmentPatch{Filters: map[string]string{"region": "north_america~~dach~~eu"}, Mode: new("breakdown")}))
	w.reopen()
	check("segment=Europe", "10000 dach:9900 north_america:100")
	check("segment=Europe&breakdown=plan", "10000 Core:10000")
	w.remove(w.engine.DeleteSegment(ctx, account, id))
	w.remove(w.engine.DeleteSegment(ctx, account, id))
	check("segment=Europe", `segment: the account has no segment "Europe"`)
	if err := w.engine.UpdateSegment(ctx, account, id, analytics.SegmentPatch{}); !errors.Is(err, analytics.ErrNotFound) {
		t.Errorf("update of a deleted segment: %v", err)
	}
	for want, patch := range map[string]analytics.SegmentPatch{
		"name is required":    {Filters: map[string]string{"region": "eu"}},
		"filters is required": {Name: new("x")},
		"filters must be 1":   {Name: new("x"), Filters: map[string]string{}},
		`filters "mood" is`:   {Name: new("x"), Filters: map[string]string{"mood": "good"}},
		`filters "plan" has`:  {Name: new("x"), Filters: map[string]string{"plan": " "}},
		"mode must be filter": {Name: new("x"), Filters: map[string]string{"plan": "pro"}, Mode: new("split")},
		"filters must be one": {Name: new("x"), Filters: map[string]string{"plan": "pro", "region": "eu"}, Mode: new("breakdown")},
	} {
		_, err := w.engine.CreateSegment(ctx, account, patch)
		var bad *analytics.InvalidError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one that begins with %s", err, want)
		}
	}
}

// Whatever is done to groups and segments: an engine that opens the account
// again sees the same, and what a failing disk refused never happened.
func TestLaw_GroupsAndSegmentsAreDurable(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		store := newMemoryStore()
		w := newWorld(t, store)
		w.push(newCompany(r, 5))
		ids := func() (plans []string) {
			s := w.snapshot()
			for i := range s.Plans[1:] {
				plans = append(plans, s.Plans[i+1].ID)
			}
			return plans
		}()
		for range 12 {
			before := w.state()
			fails := r.IntN(4) == 0
			if fails {
				store.setFailure(t, func(analytics.Changeset) error { return errDisk })
			}
			err := w.tinker(r, ids)
			var invalid *analytics.InvalidError
			if fails {
				store.setFailure(t, nil)
			}
			if fails || errors.As(err, &invalid) {
				equal(t, "state after a refused change", before, w.state())
			} else if err != nil {
				t.Fatal(err)
			}
			if r.IntN(3) == 0 {
				before = w.state()
				w.reopen()
				equal(t, "state after opening again", before, w.state())
			}
		}
	})
}

// tinker changes a group or a segment in some way.
func (w *world) tinker(r *rand.Rand, ids []string) error {
	ctx, s := w.t.Context(), w.snapshot()
	name := fmt.Sprint("Name ", r.IntN(6))
	some := slices.Clone(ids[r.IntN(len(ids)):])
	group := func() string {
		if len(s.PlanGroups) == 0 {
			return ""
		}
		return s.PlanGroups[r.IntN(len(s.PlanGroups))].ID
	}
	var segment string
	if len(s.Segments) > 0 {
		segment = s.Segments[r.IntN(len(s.Segments))].ID
	}
	switch r.IntN(8) {
	case 0:
		_, err := w.engine.CreatePlanGroup(ctx, account, analytics.PlanGroupPatch{Name: &name, Plans: &some})
		return err
	case 1:
		_, err := w.engine.CreatePlanGroup(ctx, account, analytics.PlanGroupPatch{Name: &name, SelectorType: new("id"), Selector: new("p*1")})
		return err
	case 2:
		if id := group(); id != "" {
			return w.engine.UpdatePlanGroup(ctx, account, id, analytics.PlanGroupPatch{Name: &name, Plans: &some})
		}
	case 3:
		_, err := w.engine.DeletePlanGroups(ctx, account, group())
		return err
	case 4:
		if from, to := group(), group(); from != "" {
			return w.engine.MergePlanGroups(ctx, account, to, from)
		}
	case 5:
		return second(w.tryPut(ctx, w.source, "plans", plan(some[0], name, []string{"", "G0", "G1"}[r.IntN(3)])))
	case 6:
		_, err := w.engine.CreateSegment(ctx, account, analytics.SegmentPatch{Name: &name, Filters: map[string]string{"plan": some[0]}})
		return err
	default:
		if segment != "" && r.IntN(2) == 0 {
			return w.engine.DeleteSegment(ctx, account, segment)
		}
		if segment != "" {
			return w.engine.UpdateSegment(ctx, account, segment, analytics.SegmentPatch{Name: &name, Mode: new("breakdown")})
		}
	}
	return nil
}

func TestSuggestPlanGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newMemoryStore())
	w.put("plans",
		plan("p1", "Pro Monthly (USD)", ""), plan("p2", "Pro - yearly", ""), plan("p3", "PRO v2 €99/mo", ""), plan("t1", "Team", ""),
		plan("t2", "Team Annual 2024", "Teams"), plan("s1", "Starter plan", ""), plan("x1", "Monthly", ""), plan("x2", "Yearly 99", ""))
	got, err := w.engine.SuggestPlanGroups(t.Context(), account, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []analytics.GroupSuggestion{
		{Name: "Pro", Plans: []string{"p1", "p2", "p3"}, Reason: "the names of 3 plans are Pro apart from interval, currency, price or version"},
		{Name: "Product x", Plans: []string{"x1", "x2"}, Reason: "the names of 2 plans are Product x apart from interval, currency, price or version"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suggestions (-want +got):\n%s", diff)
	}
	got, err = w.engine.SuggestPlanGroups(t.Context(), account, []string{"t2", "t1", "p1"})
	if err != nil || len(got) != 1 || !slices.Equal(got[0].Plans, []string{"t1", "t2"}) {
		t.Errorf("suggestions for three plans: %v, %v", got, err)
	}
	var invalid *analytics.InvalidError
	if _, err := w.engine.SuggestPlanGroups(t.Context(), account, []string{"none"}); !errors.As(err, &invalid) {
		t.Errorf("suggestions for an unknown plan: %v", err)
	}
}
