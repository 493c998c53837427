package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// PlanState is a plan and who pays for it at the end of today.
type PlanState struct {
	*ledger.Plan
	SourceID  string
	Frequency calendar.Unit
	Customers int // who pay for it now
	InGroups  []*PlanGroup
}

// PlanListReport is a page of plans by id.
type PlanListReport struct {
	Page
	List []PlanState
}

// PlanList lists the account's plans, of the data sources that the filter keeps.
// Its errors are *ParamError.
func PlanList(s *Snapshot, q *Query) (*PlanListReport, error) {
	refs := s.plansWhere(func(p *ledger.Plan) bool { return !p.Missing && q.keepsSource(s.source(p.Source)) })
	slices.SortFunc(refs, func(a, b ledger.PlanRef) int {
		return cmp.Or(strings.Compare(s.Plans[a].ID, s.Plans[b].ID), cmp.Compare(s.Plans[a].Source, s.Plans[b].Source))
	})
	page, from, to, err := q.page(len(refs), maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	r := &PlanListReport{Page: page, List: make([]PlanState, 0, to-from)}
	payers := s.payers()
	for _, ref := range refs[from:to] {
		plan := &s.Plans[ref]
		state := PlanState{Plan: plan, SourceID: s.source(plan.Source).ID, Frequency: frequency(plan.Interval), Customers: payers[ref]}
		for i := range s.PlanGroups {
			if slices.Contains(s.PlanGroups[i].Plans, ref) {
				state.InGroups = append(state.InGroups, &s.PlanGroups[i])
			}
		}
		r.List = append(r.List, state)
	}
	return r, nil
}

// PlanIDs returns the distinct external ids of plans, sorted.
func (s *Snapshot) PlanIDs(refs []ledger.PlanRef) []string {
	ids := make([]string, 0, len(refs))
	for _, ref := range refs {
		ids = append(ids, s.plan(ref).ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// keepsSource reports whether a data source passes the filter by data source.
func (q *Query) keepsSource(source *Source) bool {
	for i := range q.Filters {
		if f := &q.Filters[i]; f.Dimension.kind == dataSourceDimension && !f.keeps(source.ID, source.Type) {
			return false
		}
	}
	return true
}

// payers counts the customers who pay for each plan now.
func (s *Snapshot) payers() []int {
	count := make([]int, len(s.Plans))
	last := make([]*Customer, len(s.Plans)) // counts a customer once per plan
	for _, c := range s.Customers {
		if c == nil || c.Ledger == nil {
			continue
		}
		for _, st := range c.Ledger.Latest(s.Today) {
			if st != nil && st.MRR > 0 && int(st.Plan) < len(count) && last[st.Plan] != c {
				count[st.Plan]++
				last[st.Plan] = c
			}
		}
	}
	return count
}
