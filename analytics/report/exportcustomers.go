package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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
	sc := newScan(s, q, s.Today)
	e := &CustomerExport{sc: sc}
	e.found, e.Count = sc.listed(len(s.Customers))
	keys := map[string]bool{}
	for _, c := range e.found {
		for key := range c.Custom {
			keys[key] = true
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

// listed returns the customers that the filters and the search keep, with a date
// only those created on its days, by id: so many of them at most, and how many
// there are.
func (sc *scan) listed(most int) (found []*Customer, count int) {
	full := false // found[most-1] is the last that may still be listed
	cut := func() {
		slices.SortFunc(found, byID)
		found = found[:min(most, len(found))]
		full = len(found) == most
	}
	for _, c := range sc.s.Customers {
		if !sc.sel.customer(c) || !sc.paysFor(c) || !sc.createdThen(c) || sc.q.Search != "" && !c.Contains(sc.q.Search) {
			continue
		}
		count++
		if full && byID(c, found[most-1]) > 0 {
			continue
		}
		if found = append(found, c); len(found) >= 2*most+1000 {
			cut()
		}
	}
	cut()
	return found, count
}

// createdThen reports whether a customer was created on a day that was asked for.
func (sc *scan) createdThen(c *Customer) bool {
	if !sc.q.DateGiven {
		return true
	}
	created := sc.s.created(c)
	return !created.IsZero() && sc.q.Range.Contains(created.Day(sc.s.Settings.Zone))
}

// byID orders customers by id, those of the same id by source.
func byID(a, b *Customer) int {
	if order := strings.Compare(a.ID, b.ID); order != 0 {
		return order
	}
	return cmp.Compare(a.Source, b.Source)
}
