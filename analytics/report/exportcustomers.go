package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// CustomerExportRow is a customer with its largest running subscription.
type CustomerExportRow struct {
	CustomerState
	PlanName  string        // "" when nothing runs
	Frequency calendar.Unit // of that plan; zero when nothing runs
}

// CustomerExport reads customers by id without describing them all at once.
type CustomerExport struct {
	// Count is how many customers there are.
	Count int
	// Custom lists the custom variables that any of them has, by name.
	Custom []string

	sc    *scan
	found []*Customer
}

// NewCustomerExport selects the customers that CustomerList lists for a query.
// Whatever can fail, fails here: its errors are *ParamError and
// *fx.MissingRateError.
func NewCustomerExport(s *Snapshot, q *Query) (*CustomerExport, error) {
	sc := newScan(s, q)
	e := &CustomerExport{sc: sc}
	e.found, e.Count = sc.listed(len(s.Customers))
	keys := map[string]bool{}
	for _, c := range e.found {
		for i := range c.Custom {
			keys[c.Custom[i].Name] = true
		}
		if _, err := sc.state(c); err != nil { // a rate that is missing
			return nil, err
		}
	}
	e.Custom = slices.Sorted(maps.Keys(keys))
	return e, nil
}

// Each calls yield for the customers from one position up to another, until
// yield returns an error. The row is overwritten by the next one.
func (e *CustomerExport) Each(from, to int, yield func(*CustomerExportRow) error) error {
	var row CustomerExportRow
	for _, c := range e.found[min(from, len(e.found)):min(to, len(e.found))] {
		state, err := e.sc.state(c)
		if err != nil {
			return err
		}
		row = CustomerExportRow{CustomerState: state}
		if state.main != nil {
			plan := e.sc.s.plan(state.main.Plan)
			row.PlanName, row.Frequency = cmp.Or(plan.Name, plan.ID), frequency(plan.Interval)
		}
		if err := yield(&row); err != nil {
			return err
		}
	}
	return nil
}
