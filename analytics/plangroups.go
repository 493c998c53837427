package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// maxPlanGroups bounds the plan groups of an account.
const maxPlanGroups = 1000

// PlanGroupPatch is what to make of a plan group; fields that are nil stay.
type PlanGroupPatch struct {
	Name         *string
	Plans        *[]string // external ids; each means the plans of every data source that have it
	Type         *string   // GroupManual or GroupAuto; by default what the other fields are of
	SelectorType *string   // SelectName, SelectID or SelectProduct
	Selector     *string   // a text that is contained, or a pattern with * and ?
}

// The types of plan groups, and what automatic ones select plans by.
const (
	GroupManual   = "manual"
	GroupAuto     = "auto"
	SelectName    = "name"
	SelectID      = "id"
	SelectProduct = "product_name"
)

// planGroup is a stored plan group. It is immutable: a change makes a new one.
type planGroup struct {
	seq    int64
	id     string
	name   string
	rule   *report.PlanRule
	plans  []customerKey // of a manual group
	pushed bool          // made by plans that name it, and gone with the last of them
}

// planGroupDoc is the stored form.
type planGroupDoc struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Rule     *report.PlanRule `json:"rule,omitempty"`
	Plans    []memberDoc      `json:"plans,omitempty"`
	IsPushed bool             `json:"pushed,omitempty"`
}

// memberDoc is a plan of a group: its data source by id, and its own.
type memberDoc struct {
	Source string `json:"data_source"`
	ID     string `json:"id"`
}

// CreatePlanGroup adds a plan group and returns its id. The error is an
// *InvalidError when a field cannot be accepted.
func (e *Engine) CreatePlanGroup(ctx context.Context, account string, patch PlanGroupPatch) (id string, err error) {
	_, err = e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		g, err := ed.patched(planGroup{}, patch)
		if err != nil {
			return nil, err
		}
		g.seq = ed.takeSeq(TablePlanGroup)
		g.id = deriveID("pg_", account, strconv.FormatInt(g.seq, 10), g.name, e.now().String())
		id = g.id
		return nil, ed.insertGroup(g)
	})
	return id, err
}

// UpdatePlanGroup changes a plan group. The error is an *InvalidError when a
// field cannot be accepted, and ErrNotFound when there is no such group.
func (e *Engine) UpdatePlanGroup(ctx context.Context, account, id string, patch PlanGroupPatch) error {
	return e.change(ctx, account, func(ed *edit) error {
		i := ed.plansView().group(id)
		if i < 0 {
			return fmt.Errorf("plan group %q: %w", id, ErrNotFound)
		}
		g, err := ed.patched(ed.plansView().defs[i], patch)
		if err != nil {
			return err
		}
		return ed.changeGroup(i, g)
	})
}

// DeletePlanGroups deletes plan groups and returns the ids of those that were
// there. Their plans stay.
func (e *Engine) DeletePlanGroups(ctx context.Context, account string, ids ...string) (deleted []string, err error) {
	err = e.change(ctx, account, func(ed *edit) error {
		deleted = nil
		for _, id := range ids {
			if i := ed.plansView().group(id); i >= 0 {
				deleted = append(deleted, id)
				ed.removeGroup(i)
			}
		}
		return nil
	})
	return deleted, err
}

// MergePlanGroups moves the plans of the sources, as they are now, to a manual
// group and deletes the sources. Errors are those of UpdatePlanGroup.
func (e *Engine) MergePlanGroups(ctx context.Context, account, target string, sources ...string) error {
	return e.change(ctx, account, func(ed *edit) error {
		view := ed.plansView()
		into := view.group(target)
		if into < 0 {
			return fmt.Errorf("plan group %q: %w", target, ErrNotFound)
		}
		g := view.defs[into]
		if g.rule != nil {
			return invalid("target", "is an automatic group, which chooses its plans itself; name a manual one")
		}
		g.plans, g.pushed = slices.Clone(g.plans), false
		for _, id := range sources {
			i := view.group(id)
			switch {
			case id == target:
				return invalid("source", "is the target itself")
			case i < 0:
				return fmt.Errorf("plan group %q: %w", id, ErrNotFound)
			}
			for _, ref := range view.members(&view.defs[i]) {
				if key := view.key(ref); !slices.Contains(g.plans, key) {
					g.plans = append(g.plans, key)
				}
			}
		}
		if err := ed.changeGroup(into, g); err != nil {
			return err
		}
		for _, id := range sources {
			if i := ed.plansView().group(id); i >= 0 {
				ed.removeGroup(i)
			}
		}
		return nil
	})
}

func invalid(field, message string) error {
	return &InvalidError{Fields: []FieldError{{Field: field, Message: message}}}
}

// patched returns a group with a patch in it, or what is wrong with that.
func (e *edit) patched(g planGroup, patch PlanGroupPatch) (planGroup, error) {
	view := e.plansView()
	isNew := g.id == ""
	g.pushed = false
	if isNew && len(view.defs) >= maxPlanGroups {
		return g, invalid("name", fmt.Sprintf("the account has %d plan groups; delete one first", maxPlanGroups))
	}
	if isNew || patch.Name != nil {
		name, err := view.freeName(patch.Name, g.id)
		if err != nil {
			return g, err
		}
		g.name = name
	}
	auto, err := patch.auto(g.rule != nil)
	switch {
	case err != nil:
		return g, err
	case auto:
		g.rule, err = patch.rule(g.rule)
		g.plans = nil
		return g, err
	case isNew && (patch.Plans == nil || len(*patch.Plans) == 0):
		return g, invalid("plans", "is required: the ids of the plans, or type auto with selector_type and selector")
	}
	if g.rule != nil && patch.Plans == nil { // an automatic group that becomes manual keeps its plans
		for _, ref := range view.members(&g) {
			g.plans = append(g.plans, view.key(ref))
		}
	}
	g.rule = nil
	if patch.Plans != nil {
		g.plans, err = view.keysOf(*patch.Plans)
	}
	return g, err
}

// auto reports whether the patch makes a group automatic.
func (p *PlanGroupPatch) auto(is bool) (bool, error) {
	switch {
	case p.Type == nil && (p.Selector != nil || p.SelectorType != nil):
		is = true
	case p.Type == nil && p.Plans != nil:
		is = false
	case p.Type == nil:
	case *p.Type != GroupManual && *p.Type != GroupAuto:
		return false, invalid("type", "must be manual or auto")
	default:
		is = *p.Type == GroupAuto
	}
	switch {
	case is && p.Plans != nil && len(*p.Plans) > 0:
		return false, invalid("plans", "is for manual groups; an automatic one has selector_type and selector")
	case !is && (p.Selector != nil || p.SelectorType != nil):
		return false, invalid("selector", "is for automatic groups; a manual one has plans")
	}
	return is, nil
}

// rule returns how an automatic group chooses its plans.
func (p *PlanGroupPatch) rule(old *report.PlanRule) (*report.PlanRule, error) {
	r := report.PlanRule{}
	if old != nil {
		r = *old
	}
	set(&r.By, p.SelectorType)
	set(&r.Pattern, p.Selector)
	r.By, r.Pattern = strings.Clone(r.By), strings.Clone(strings.TrimSpace(r.Pattern))
	if r.By != SelectName && r.By != SelectID && r.By != SelectProduct {
		return nil, invalid("selector_type", "must be name, id or product_name")
	}
	if r.Pattern == "" || len(r.Pattern) > maxNameBytes {
		return nil, invalid("selector", "is required, at most 255 bytes: a text that is contained, or a pattern with * and ?")
	}
	return &r, nil
}

// freeName checks a group's name, which no other group may have.
func (t *planTable) freeName(name *string, id string) (string, error) {
	if name == nil || strings.TrimSpace(*name) == "" || len(*name) > maxNameBytes {
		return "", invalid("name", "is required, at most 255 bytes")
	}
	trimmed := strings.Clone(strings.TrimSpace(*name))
	for i := range t.defs {
		if t.defs[i].id != id && strings.EqualFold(t.defs[i].name, trimmed) {
			return "", invalid("name", fmt.Sprintf("%q is the name of another plan group", t.defs[i].name))
		}
	}
	return trimmed, nil
}

// keysOf finds plans by external id in all data sources.
func (t *planTable) keysOf(ids []string) ([]customerKey, error) {
	byID := map[string][]customerKey{}
	for key := range t.byID {
		byID[key.id] = append(byID[key.id], key)
	}
	var keys []customerKey
	for _, id := range ids {
		found := byID[id]
		if found == nil {
			return nil, invalid("plans", fmt.Sprintf("must be ids of plans; no plan has the id %q", id))
		}
		byID[id] = []customerKey{} // named again it adds nothing
		keys = append(keys, found...)
	}
	slices.SortFunc(keys, compareKeys)
	return keys, nil
}

func compareKeys(a, b customerKey) int {
	if a.source != b.source {
		return int(a.source) - int(b.source)
	}
	return strings.Compare(a.id, b.id)
}

// group returns the place of a group by id, -1 if there is none.
func (t *planTable) group(id string) int {
	return slices.IndexFunc(t.defs, func(g planGroup) bool { return g.id == id })
}

// key returns what a plan is known by.
func (t *planTable) key(ref ledger.PlanRef) customerKey {
	return customerKey{t.list[ref].Source, t.list[ref].ID}
}

// members returns the plans that a group has now, in order of reference.
func (t *planTable) members(g *planGroup) []ledger.PlanRef {
	var refs []ledger.PlanRef
	if g.rule == nil {
		for _, key := range g.plans {
			if ref, ok := t.byID[key]; ok {
				refs = append(refs, ref)
			}
		}
		slices.Sort(refs)
		return refs
	}
	for ref := 1; ref < len(t.list); ref++ {
		if p := &t.list[ref]; !p.Missing && g.rule.Takes(p) {
			refs = append(refs, ledger.PlanRef(ref))
		}
	}
	return refs
}

// regroup tells plans and snapshot which plan is in which groups.
func (t *planTable) regroup() {
	for ref := range t.list {
		t.list[ref].Groups = nil
	}
	t.groups = make([]report.PlanGroup, 0, len(t.defs))
	for i := range t.defs {
		g := &t.defs[i]
		t.groups = append(t.groups, report.PlanGroup{ID: g.id, Name: g.name, Rule: g.rule, Plans: t.members(g)})
	}
	slices.SortFunc(t.groups, func(a, b report.PlanGroup) int { return strings.Compare(a.Name, b.Name) })
	for i := range t.groups {
		for _, ref := range t.groups[i].Plans {
			t.list[ref].Groups = append(t.list[ref].Groups, t.groups[i].Name)
		}
	}
}

// ownPlans gives the edit plans and groups of its own.
func (e *edit) ownPlans() *planTable {
	if e.plans == nil {
		e.plans = e.a.plans.clone()
	}
	return e.plans
}

func (e *edit) insertGroup(g planGroup) error {
	row, err := e.groupRow(&g)
	if err != nil {
		return err
	}
	t := e.ownPlans()
	t.defs = append(t.defs, g)
	e.log[TablePlanGroup].inserted(row)
	return nil
}

func (e *edit) changeGroup(i int, g planGroup) error {
	row, err := e.groupRow(&g)
	if err != nil {
		return err
	}
	e.ownPlans().defs[i] = g
	e.log[TablePlanGroup].updated(row)
	return nil
}

func (e *edit) removeGroup(i int) {
	t := e.ownPlans()
	e.log[TablePlanGroup].removed(TablePlanGroup, t.defs[i].seq)
	t.defs = slices.Delete(t.defs, i, i+1)
}

// groupRow is the stored form of a group.
func (e *edit) groupRow(g *planGroup) (Row, error) {
	out := planGroupDoc{ID: g.id, Name: g.name, Rule: g.rule, IsPushed: g.pushed}
	for _, key := range g.plans {
		out.Plans = append(out.Plans, memberDoc{Source: e.sourcesView()[key.source].ID, ID: key.id})
	}
	doc, err := json.Marshal(out)
	if err != nil {
		return Row{}, fmt.Errorf("encode plan group: %w", err)
	}
	return Row{Table: TablePlanGroup, Seq: g.seq, ID: g.id, Doc: doc}, nil
}

// planGroup reads a stored group.
func (l *loader) planGroup(r *LoadedRow) error {
	var doc planGroupDoc
	if err := json.Unmarshal([]byte(r.Doc), &doc); err != nil {
		return fmt.Errorf("decode plan group: %w", err)
	}
	g := planGroup{seq: r.Seq, id: doc.ID, name: doc.Name, rule: doc.Rule, pushed: doc.IsPushed}
	for _, m := range doc.Plans {
		if source, err := sourceIndex(l.a.sources, m.Source); err == nil {
			g.plans = append(g.plans, customerKey{source, m.ID})
		}
	}
	l.a.plans.defs = append(l.a.plans.defs, g)
	return nil
}

// regroupPlan moves a plan whose row names another group than before; "" is
// none. What was arranged otherwise since then stays as long as the row does
// not change its mind.
func (e *edit) regroupPlan(key customerKey, before, after string) error {
	if before == after {
		return nil
	}
	if before != "" {
		if i := e.namedGroup(before); i >= 0 {
			if err := e.leaveGroup(i, key); err != nil {
				return err
			}
		}
	}
	if after == "" {
		return nil
	}
	i := e.namedGroup(after)
	if i < 0 {
		g := planGroup{seq: e.takeSeq(TablePlanGroup), id: deriveID("pg_", e.a.id, after), name: strings.Clone(after), pushed: true, plans: []customerKey{key}}
		return e.insertGroup(g)
	}
	g := e.plansView().defs[i]
	if g.rule != nil || slices.Contains(g.plans, key) {
		return nil
	}
	g.plans = append(slices.Clip(g.plans), key)
	slices.SortFunc(g.plans, compareKeys)
	return e.changeGroup(i, g)
}

// namedGroup finds the group that plan rows call by a name: the one of that
// name, else the one that had it when rows made it.
func (e *edit) namedGroup(name string) int {
	defs := e.plansView().defs
	if i := slices.IndexFunc(defs, func(g planGroup) bool { return g.name == name }); i >= 0 {
		return i
	}
	return e.plansView().group(deriveID("pg_", e.a.id, name))
}

// leaveGroup takes a plan out of a group. A group that plans made ends with its
// last plan.
func (e *edit) leaveGroup(i int, key customerKey) error {
	g := e.plansView().defs[i]
	at := slices.Index(g.plans, key)
	if at < 0 {
		return nil
	}
	g.plans = slices.Delete(slices.Clone(g.plans), at, at+1)
	if len(g.plans) == 0 && g.pushed {
		e.removeGroup(i)
		return nil
	}
	return e.changeGroup(i, g)
}

// leavePushedGroups takes the plans of a data source that is emptied out of the
// groups that pushes made. Groups that somebody arranged have them again when
// they are imported again.
func (e *edit) leavePushedGroups(source uint32) error {
	for i, g := range slices.Backward(e.plansView().defs) {
		others := slices.DeleteFunc(slices.Clone(g.plans), func(key customerKey) bool { return key.source == source })
		switch {
		case !g.pushed || len(others) == len(g.plans):
			continue
		case len(others) == 0:
			e.removeGroup(i)
			continue
		}
		g.plans = others
		if err := e.changeGroup(i, g); err != nil {
			return err
		}
	}
	return nil
}

// leaveGroups takes a plan that is deleted out of all groups.
func (e *edit) leaveGroups(key customerKey) error {
	for i := range slices.Backward(e.plansView().defs) {
		if err := e.leaveGroup(i, key); err != nil {
			return err
		}
	}
	return nil
}
