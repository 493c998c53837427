package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// ActivitySource is where an activity comes from.
type ActivitySource uint8

// The sources.
const (
	MovementActivity ActivitySource = iota
	FailedPaymentActivity
	ScheduledActivity
)

var activitySourceNames = [...]string{"movement", "failed_payment", "scheduled"}

// String returns the contract's name.
func (a ActivitySource) String() string { return activitySourceNames[a] }

// Activity is one thing that happened, or is known to happen.
type Activity struct {
	Source    ActivitySource
	Type      string // of a movement, or failed_payment
	Subtype   string // of a movement, or what has become of a failed payment
	Date      calendar.Day
	Effective calendar.Day // when MRR changes; Date of a failed payment
	Overdue   calendar.Day // of a failed payment when it was due, else its Date; NoDay of others
	Customer  *Customer
	Amount    int64 // minor units of the query's currency: change of MRR, or what is unpaid
}

// ActivityReport is a page of activities.
type ActivityReport struct {
	Page
	Days calendar.Range
	Rows []Activity
}

const (
	usualActivities = 30
	mostActivities  = 100
	usualDays       = 30
	mostDays        = 365
)

// LatestActivity computes the report latest-activity: the movements of the last
// 30 days or those that the query says, the failed payments that are still unpaid, and what is scheduled, the
// latest first. What is scheduled is dated when somebody asked for it, and today
// when nobody did. Its errors are *ParamError and *fx.MissingRateError.
func LatestActivity(s *Snapshot, q *Query) (*ActivityReport, error) {
	days, err := q.Own.number("days", q.Own.Days, 1, mostDays, usualDays)
	if err != nil {
		return nil, err
	}
	failed, err := q.Own.flag("include_failed", q.Own.IncludeFailed, true)
	if err != nil {
		return nil, err
	}
	scheduled, err := q.Own.flag("include_scheduled", q.Own.IncludeScheduled, q.Committed)
	if err != nil {
		return nil, err
	}
	_, _, last, err := q.page(1<<31-1, usualActivities, mostActivities)
	if err != nil {
		return nil, err
	}
	plain := *q
	plain.Breakdown, plain.BreakdownValue, plain.SelectedDate = Dimension{}, nil, calendar.NoDay
	plain.Committed, plain.DateGiven, plain.UnitGiven = false, true, false
	plain.Sort, plain.Ascending = ByDate, false
	if q.Own.Days != "" || !q.DateGiven {
		plain.Range = calendar.Range{From: s.Today - calendar.Day(days) + 1, To: s.Today}
	}
	plain.Range.To = min(plain.Range.To, s.Today)
	f := feed{s: s, q: &plain, last: last}
	if err := f.movements(); err != nil {
		return nil, err
	}
	if failed {
		if err := f.failures(); err != nil {
			return nil, err
		}
	}
	if scheduled {
		if err := f.scheduled(); err != nil {
			return nil, err
		}
	}
	f.cut()
	page, from, to, err := q.page(f.count, usualActivities, mostActivities)
	if err != nil {
		return nil, err
	}
	return &ActivityReport{Page: page, Days: plain.Range, Rows: f.rows[from:to]}, nil
}

// feed collects activities.
type feed struct {
	s     *Snapshot
	q     *Query
	last  int // the page ends before this row
	count int // activities in all
	rows  []Activity
	full  bool // rows[last-1] is the last that may still be shown
}

// add keeps an activity unless the page ends before it.
func (f *feed) add(a *Activity) {
	if f.full && a.compare(&f.rows[f.last-1]) >= 0 {
		return
	}
	if f.rows = append(f.rows, *a); len(f.rows) >= 2*f.last+1000 {
		f.cut()
	}
}

// cut sorts the activities, equal ones as they came, and drops those after the
// page.
func (f *feed) cut() {
	slices.SortStableFunc(f.rows, func(a, b Activity) int { return a.compare(&b) })
	f.rows = f.rows[:min(f.last, len(f.rows))]
	f.full = len(f.rows) == f.last
}

// compare orders activities, the latest first.
func (a *Activity) compare(b *Activity) int {
	if a.Date != b.Date {
		return cmp.Compare(b.Date, a.Date)
	}
	return cmp.Or(strings.Compare(a.Customer.ID, b.Customer.ID), cmp.Compare(a.Customer.Source, b.Customer.Source), cmp.Compare(a.Source, b.Source))
}

// movements adds the movements, no more than the page may need.
func (f *feed) movements() error {
	t := newTable(f.s, f.q, f.last)
	t.all = true
	if err := t.sc.customers(t.add); err != nil {
		return err
	}
	t.cut()
	f.count += t.count
	for i := range t.found {
		f.put(&t.found[i], MovementActivity, t.found[i].move.Day)
	}
	return nil
}

func (f *feed) put(m *found, source ActivitySource, day calendar.Day) {
	f.add(&Activity{
		Source: source, Type: m.kind.String(), Subtype: m.move.Subtype.String(), Date: day, Effective: m.move.Day, Overdue: calendar.NoDay,
		Customer: m.customer, Amount: m.base,
	})
}

// failures adds the failed payments that are still unpaid.
func (f *feed) failures() error {
	cs := newCashScan(f.s, f.q, bills, 1)
	cs.unpaid = true
	return cs.failing(func(x *subject, b *billing) error {
		return cs.failures(b, f.q.Range, func(failed *failure, word uint32) error {
			worth, err := cs.worth(failed.amount, cs.verdict(word).currency, failed.day)
			f.count++
			f.add(&Activity{
				Source: FailedPaymentActivity, Type: FailedPaymentActivity.String(), Subtype: failed.outcome.String(), Date: failed.day, Effective: failed.day,
				Overdue: failed.due, Customer: x.customer, Amount: worth,
			})
			return err
		})
	})
}

// scheduled adds the movements after today that were asked for in the days. With
// fixed rates they have those of the other activities.
func (f *feed) scheduled() error {
	ahead := *f.q
	ahead.Committed = true
	ahead.RateDay = &f.q.Range.From
	ahead.Range = calendar.Range{From: f.s.Today + 1, To: calendar.Never - 1}
	t := newTable(f.s, &ahead, 1<<31-1)
	t.all = true
	if err := t.sc.customers(t.add); err != nil {
		return err
	}
	for i := range t.found {
		m := &t.found[i]
		asked := requested(m.customer.Ledger, m.move.Day)
		if !asked.Valid() {
			asked = f.s.Today
		}
		if f.q.Range.Contains(asked) {
			f.count++
			f.put(m, ScheduledActivity, asked)
		}
	}
	return nil
}

// number reads a parameter of a single report.
func (*OwnParams) number(name, text string, least, most, missing int) (int, error) {
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &ParamError{name, fmt.Sprintf("%q is not a whole number from %d to %d", text, least, most)}
	}
	return n, nil
}

// flag reads a yes or no of a single report.
func (*OwnParams) flag(name, text string, missing bool) (bool, error) {
	switch strings.ToLower(text) {
	case "":
		return missing, nil
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	default:
		return false, &ParamError{name, fmt.Sprintf("%q is not 1 or 0", text)}
	}
}
