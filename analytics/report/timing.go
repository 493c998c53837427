package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// TimingBucket is a class of days between the request for a cancellation and
// the end of the paid period.
type TimingBucket struct {
	From int
	To   int // the last day; NoTiming for the open class
}

// NoTiming marks the class without a last day.
const NoTiming = -1

// TimingBuckets are the classes (metric definitions, section 6.5).
var TimingBuckets = [...]TimingBucket{{0, 0}, {1, 3}, {4, 7}, {8, 14}, {15, 30}, {31, 90}, {91, NoTiming}}

// String returns the contract's name: 0, 4-7, 91+.
func (b TimingBucket) String() string {
	switch b.To {
	case NoTiming:
		return strconv.Itoa(b.From) + "+"
	case b.From:
		return strconv.Itoa(b.From)
	default:
		return fmt.Sprintf("%d-%d", b.From, b.To)
	}
}

// Label is what people read.
func (b TimingBucket) Label() string {
	switch b.To {
	case 0:
		return "On the last day or later"
	default:
		return b.String() + " days before"
	}
}

func bucketOf(days int) TimingBucket {
	for _, b := range TimingBuckets {
		if b.To == NoTiming || days <= b.To {
			return b
		}
	}
	return TimingBuckets[0]
}

// daysBeforeEnd is how long before the end of the paid period a cancellation was
// asked for, 0 when it was asked for after it.
func daysBeforeEnd(e *ledger.Ending) int { return int(max(0, e.PaidThrough-e.Request)) }

// TimingRow is the cancellations of one class.
type TimingRow struct {
	Bucket TimingBucket
	EndingMetrics
	Breakdown []EndingMetrics // per value of TimingReport.Values; nil without a breakdown
}

// TimingReport is the classes, the shortest time first, all of them.
type TimingReport struct {
	Values []Value
	Rows   []TimingRow
}

// CancellationTiming computes the report cancellation-timing: the cancellations
// asked for in the range, by how long before the end of the paid period that
// was. Ends that nobody asked for are left out. Its errors are *ParamError and
// *fx.MissingRateError.
func CancellationTiming(s *Snapshot, q *Query) (*TimingReport, error) {
	es := newEndingScan(s, q, len(TimingBuckets), false)
	sheet := newEndingSheet(es)
	err := es.each(func(x *lost) error { return sheet.count(bucketOf(daysBeforeEnd(x.ending)).String(), x) })
	if err != nil {
		return nil, err
	}
	order, values := sheet.valueList()
	r := &TimingReport{Values: values}
	for _, b := range TimingBuckets {
		row := TimingRow{Bucket: b}
		row.EndingMetrics, row.Breakdown = sheet.row(b.String(), order)
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// CancellationRow is one cancellation of one subscription.
type CancellationRow struct {
	Customer      *Customer
	Requested     calendar.Day
	Effective     calendar.Day
	DaysBeforeEnd int
	Currency      money.Currency // of MRR
	MRR           int64          // minor units of Currency
	MRRBase       int64          // the same in the query's currency
	PlanName      string
	Reason        string // "" for none
	Comment       string

	BreakdownValue string // key; "" without a breakdown
}

// CancellationReport is a page of cancellations.
type CancellationReport struct {
	Page
	Days calendar.Range // of the requests
	Rows []CancellationRow
}

// CancellationTimingDetail computes the report cancellation-timing-detail: the
// cancellations behind CancellationTiming, those asked for last first. With a
// breakdown there is one row per value that a subscription has. Its errors are
// *ParamError and *fx.MissingRateError.
func CancellationTimingDetail(s *Snapshot, q *Query) (*CancellationReport, error) {
	wanted, all, err := selectedBucket(q)
	if err != nil {
		return nil, err
	}
	es := newEndingScan(s, q, 1, false)
	r := &CancellationReport{Days: es.days}
	err = es.each(func(x *lost) error {
		if !all && bucketOf(daysBeforeEnd(x.ending)) != wanted {
			return nil
		}
		values, err := es.valuesOf(x)
		if err != nil {
			return err
		}
		if values == nil {
			return r.add(es, x, x.states, "")
		}
		for _, v := range values {
			if key := es.split.keys[v]; q.BreakdownValue == nil || *q.BreakdownValue == key {
				if err := r.add(es, x, es.within(x, v), key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(r.Rows, func(a, b CancellationRow) int { return a.compare(&b, q) })
	page, from, to, err := q.page(len(r.Rows), maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	r.Page, r.Rows = page, r.Rows[from:to]
	return r, nil
}

// selectedBucket reads the class that is asked for. "+" in a query is a space,
// so that "91+" may come as "91".
func selectedBucket(q *Query) (bucket TimingBucket, all bool, err error) {
	if q.Selected == "" {
		return bucket, true, nil
	}
	names := make([]string, len(TimingBuckets))
	for i, b := range TimingBuckets {
		if names[i] = b.String(); names[i] == q.Selected || strings.TrimSuffix(names[i], "+") == q.Selected {
			return b, false, nil
		}
	}
	return bucket, false, &ParamError{"selected-type", fmt.Sprintf("%q is not one of %s", q.Selected, strings.Join(names, ", "))}
}

// add appends a row for some of the states of a subscription.
func (r *CancellationReport) add(es *endingScan, x *lost, states []*ledger.State, value string) error {
	e := x.ending
	row := CancellationRow{
		Customer: x.customer, Requested: e.Request, Effective: e.End, DaysBeforeEnd: daysBeforeEnd(e), Reason: x.reason, BreakdownValue: value,
	}
	_, row.Comment = x.customer.Ledger.Stated(e)
	var err error
	if row.MRRBase, err = es.worth(states, e.End); err != nil {
		return err
	}
	if row.MRR, row.Currency, err = es.own(states, e.End); err != nil {
		return err
	}
	largest := slices.MaxFunc(states, func(a, b *ledger.State) int { return cmp.Compare(a.MRR, b.MRR) })
	row.PlanName = es.s.planName(largest.Plan)
	r.Rows = append(r.Rows, row)
	return nil
}

// compare orders cancellations as asked; what is equal goes by request, the
// latest first, then customer.
func (c *CancellationRow) compare(o *CancellationRow, q *Query) int {
	order := cmp.Compare(c.Requested, o.Requested)
	switch q.Sort {
	case ByAmount:
		order = cmp.Compare(c.MRR, o.MRR)
	case ByAmountBase:
		order = cmp.Compare(c.MRRBase, o.MRRBase)
	case ByCustomerName:
		order = compareFold(c.Customer.Name, o.Customer.Name)
	case ByDate, ByType:
	}
	if !q.Ascending {
		order = -order
	}
	return cmp.Or(order, cmp.Compare(o.Requested, c.Requested), strings.Compare(c.Customer.ID, o.Customer.ID),
		cmp.Compare(c.Customer.Source, o.Customer.Source), strings.Compare(c.PlanName, o.PlanName), cmp.Compare(o.MRRBase, c.MRRBase))
}
