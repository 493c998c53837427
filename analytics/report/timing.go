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

// bucketOf numbers the class of a number of days.
func bucketOf(days int) int {
	return slices.IndexFunc(TimingBuckets[:], func(b TimingBucket) bool { return b.To == NoTiming || days <= b.To })
}

// daysBeforeEnd is how long before the end of the paid period a cancellation was
// asked for, 0 when it was asked for after it.
func (e *ended) daysBeforeEnd() int { return int(max(0, e.paid-e.request)) }

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
	sheet := endingSheet{es: es}
	err := es.each(func(x *lost) error { return sheet.count(bucketOf(x.daysBeforeEnd()), x) })
	if err != nil {
		return nil, err
	}
	order, values := sheet.valueList()
	r := &TimingReport{Values: values}
	for i, b := range TimingBuckets {
		row := TimingRow{Bucket: b}
		row.EndingMetrics, row.Breakdown = sheet.row(i, order)
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
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	es := newEndingScan(s, q, 1, false)
	list := front[cancellation]{compare: es.compare, most: last}
	err = es.each(func(x *lost) error {
		if !all && TimingBuckets[bucketOf(x.daysBeforeEnd())] != wanted {
			return nil
		}
		values, err := es.valuesOf(x)
		if err != nil {
			return err
		}
		if values == nil {
			c, err := es.cancellation(x, x.states, 0)
			list.add(c)
			return err
		}
		for _, v := range values {
			if q.BreakdownValue != nil && *q.BreakdownValue != es.split.keys[v] {
				continue
			}
			c, err := es.cancellation(x, es.within(x, v), v)
			if err != nil {
				return err
			}
			list.add(c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	page, from, to, err := q.page(list.count, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	list.cut()
	r := &CancellationReport{Page: page, Days: es.days}
	for i := from; i < to; i++ {
		r.Rows = append(r.Rows, es.row(&list.items[i]))
	}
	return r, nil
}

// cancellation is a row as far as sorting needs it.
type cancellation struct {
	lost
	mrr, base int64 // in the currency, and in the query's
	currency  money.Currency
	largest   *ledger.State
	value     int32 // of the breakdown
}

// cancellation describes some of the states of a subscription that was given up.
func (es *endingScan) cancellation(x *lost, states []*ledger.State, value int32) (cancellation, error) {
	c := cancellation{lost: *x, value: value}
	var err error
	if c.base, err = es.worth(x, states); err != nil {
		return c, err
	}
	c.largest = slices.MaxFunc(states, func(a, b *ledger.State) int { return cmp.Compare(a.MRR, b.MRR) })
	c.mrr, c.currency, err = es.own(x, states)
	return c, err
}

// row fills in what only the rows of the page need.
func (es *endingScan) row(c *cancellation) CancellationRow {
	row := CancellationRow{
		Customer: c.customer(), Requested: c.request, Effective: c.end, DaysBeforeEnd: c.daysBeforeEnd(),
		Currency: c.currency, MRR: c.mrr, MRRBase: c.base, PlanName: es.s.planName(c.largest.Plan),
		Reason: es.reasons[c.reason].name, Comment: c.comment(),
	}
	if es.split != nil {
		row.BreakdownValue = es.split.keys[c.value]
	}
	return row
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

// compare orders cancellations as asked; what is equal goes by request, the
// latest first, then customer.
func (es *endingScan) compare(a, b *cancellation) int {
	order := cmp.Compare(a.request, b.request)
	switch es.q.Sort {
	case ByAmount:
		order = cmp.Compare(a.mrr, b.mrr)
	case ByAmountBase:
		order = cmp.Compare(a.base, b.base)
	case ByCustomerName:
		order = compareFold(a.customer().Name, b.customer().Name)
	case ByDate, ByType:
	}
	if !es.q.Ascending {
		order = -order
	}
	if order = cmp.Or(order, cmp.Compare(b.request, a.request)); order != 0 { // nearly always
		return order
	}
	x, y := a.customer(), b.customer()
	return cmp.Or(strings.Compare(x.ID, y.ID), cmp.Compare(x.Source, y.Source),
		strings.Compare(es.s.planName(a.largest.Plan), es.s.planName(b.largest.Plan)), cmp.Compare(b.base, a.base),
		cmp.Compare(a.index, b.index), cmp.Compare(a.value, b.value))
}
