package analytics

import (
	"cmp"
	"context"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// planTerms are what ledgers depend on of a plan.
type planTerms struct {
	interval calendar.Interval
	currency money.Currency
	pricing  ledger.Pricing
}

func termsOf(p *ledger.Plan) planTerms { return planTerms{p.Interval, p.Currency, p.Pricing} }

// sameTerms reports whether plans have kept their terms; more may have come.
func sameTerms(before, after []ledger.Plan) bool {
	for ref := range before {
		if termsOf(&before[ref]) != termsOf(&after[ref]) {
			return false
		}
	}
	return true
}

// and returns the plans of a table and those that a newer one has besides, each
// with the groups of its own table.
func (t *planTable) and(newer *planTable) *planTable {
	old := len(t.list)
	if len(newer.list) == old {
		return t
	}
	both := &planTable{list: slices.Concat(t.list, newer.list[old:]), groups: slices.Clone(t.groups)}
	for _, g := range newer.groups {
		var added []ledger.PlanRef
		for _, ref := range g.Plans {
			if int(ref) >= old {
				added = append(added, ref)
			}
		}
		switch i := slices.IndexFunc(both.groups, func(o report.PlanGroup) bool { return o.ID == g.ID }); {
		case len(added) == 0:
		case i < 0:
			g.Plans = added
			both.groups = append(both.groups, g)
		default:
			both.groups[i].Plans = slices.Concat(both.groups[i].Plans, added)
		}
	}
	slices.SortStableFunc(both.groups, func(a, b report.PlanGroup) int { return cmp.Compare(a.Name, b.Name) })
	return both
}

// shownPlans returns the plans that ledgers and reports are under.
func (a *account) shownPlans() *planTable {
	if a.held == nil {
		return a.plans
	}
	return a.held.and(a.plans)
}

// shownPlans returns the plans that the edit's ledgers are under.
func (e *edit) shownPlans() *planTable {
	if held := e.heldView(); held != nil {
		return held.and(e.plansView())
	}
	return e.plansView()
}

// heldView returns the plans that reports go on to see, nil for the newest ones.
func (e *edit) heldView() *planTable {
	if e.held != nil {
		return *e.held
	}
	return e.a.held
}

// Catalog returns the newest snapshot with the plans and plan groups that were
// written last, for lists of these: reports may not see them yet.
func (e *Engine) Catalog(ctx context.Context, account string) (*report.Snapshot, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	return v.catalog(), nil
}

func (v *view) catalog() *report.Snapshot {
	newest := *v.snapshot
	newest.Plans, newest.PlanGroups = v.plans.list, v.plans.groups
	return &newest
}

// changePlans decides how new terms of plans come into force: with the edit, or
// where they touch many customers in the background. Until then reports see all
// plans as they were before; what else changes waits as well.
func (e *edit) changePlans() {
	if e.plans == nil {
		return
	}
	if held := e.heldView(); held != nil {
		if sameTerms(held.list, e.plans.list) { // taken back
			e.held = new(*planTable)
		}
		return
	}
	changed := map[ledger.PlanRef]bool{}
	for ref := range e.a.plans.list {
		if termsOf(&e.a.plans.list[ref]) != termsOf(&e.plans.list[ref]) {
			changed[ledger.PlanRef(ref)] = true
		}
	}
	if len(changed) == 0 {
		return
	}
	var users []uint32
	for i := range e.a.customers {
		if e.historyOf(i).usesAny(changed) {
			users = append(users, uint32(i))
		}
	}
	if len(users) > e.a.engine.background {
		e.held = new(e.a.plans)
		return
	}
	for _, i := range users {
		e.touch(i).replay = true
	}
}
