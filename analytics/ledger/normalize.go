package ledger

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// item is one priced line of a subscription invoice, normalised: its period in
// days of the account's zone, its plan's interval and the amount MRR counts.
type item struct {
	plan       PlanRef
	interval   calendar.Interval
	start, end calendar.Day // NoDay when not stated
	basis      int64        // net of tax, before rounding to months
	discount   int64
	mrr        int64 // of a full item
	quantity   int32
	proration  Proration
}

// itemsOf appends the priced lines of a subscription invoice to dst: its lines,
// or the invoice itself when it states none. Lines without a known plan and
// one-time lines carry no MRR.
func (r *Replayer) itemsOf(dst []item, ev *Event) []item {
	x := ev.Extra
	if x == nil || len(x.Lines) == 0 {
		it := item{plan: ev.Plan, basis: ev.Amount, quantity: ev.Quantity, proration: ev.Proration}
		if x != nil {
			it.basis -= x.Tax
			it.discount = x.Discount
			if x.DiscountOnce && !r.set.SubtractOneTimeDiscounts {
				it.basis += x.Discount
			}
		}
		return r.appendItem(dst, it, ev.Start, ev.End)
	}
	for i := range x.Lines {
		l := &x.Lines[i]
		if l.OneTime {
			continue
		}
		it := item{
			plan: l.Plan, basis: l.Amount - l.Tax, discount: l.Discount, quantity: l.Quantity, proration: l.Proration,
		}
		if l.DiscountOnce && !r.set.SubtractOneTimeDiscounts {
			it.basis += l.Discount
		}
		if it.plan == 0 {
			it.plan = ev.Plan
		}
		start, end := l.Start, l.End
		if start.IsZero() && end.IsZero() {
			start, end = ev.Start, ev.End
		}
		dst = r.appendItem(dst, it, start, end)
	}
	return dst
}

func (r *Replayer) appendItem(dst []item, it item, start, end calendar.Stamp) []item {
	if it.plan == 0 || int(it.plan) >= len(r.plans) || r.plans[it.plan].Missing {
		return dst
	}
	it.interval = r.plans[it.plan].Interval
	if it.quantity == 0 && it.proration == NotProrated {
		it.quantity = 1 // an invoice that does not count is for one
	}
	it.start, it.end = Period(start, end, r.set.Zone)
	return append(dst, it)
}

// Period returns the days of a stated period: its first, and the one after its
// last. What is not stated is NoDay.
func Period(start, end calendar.Stamp, zone *time.Location) (from, to calendar.Day) {
	from, to = start.Day(zone), endDay(end, zone)
	if from.Valid() && to == from {
		to++ // equal days are one inclusive day
	}
	return from, to
}

// lastMinute is 23:59 local time: a period that ends then ends at midnight.
const lastMinute = 23*3600 + 59*60

func endDay(end calendar.Stamp, zone *time.Location) calendar.Day {
	d := end.Day(zone)
	if !end.IsZero() && end.SecondOfDay(zone) >= lastMinute {
		d++
	}
	return d
}

// full returns the MRR of a full item: basis divided by the months it covers,
// rounded once. That of a credit line is negative.
func (it *item) full() int64 {
	num, den := it.months()
	return money.MulDiv(it.basis, den, num)
}

// months returns the length of the item's period as a fraction of months: the
// plan's interval, unless the stated period really differs from it.
func (it *item) months() (num, den int64) {
	if !it.start.Valid() || !it.end.Valid() || it.end <= it.start {
		return it.interval.Months()
	}
	length := int64(it.end - it.start)
	if it.interval.Count == 1 && it.interval.Unit == calendar.UnitMonth && 28 <= length && length <= 31 {
		return 1, 1 // within the slack of three days whatever the month: no need to look at the calendar
	}
	nominal := int64(it.interval.End(it.start) - it.start)
	slack := int64(3)
	if it.interval.Unit == calendar.UnitDay || it.interval.Unit == calendar.UnitWeek {
		slack = 1
	}
	diff := max(length-nominal, nominal-length)
	if diff <= slack || diff*10 <= nominal {
		return it.interval.Months()
	}
	if k := calendar.WholeMonths(it.start, it.end); k > 0 {
		return int64(k), 1
	}
	return 12 * length, 365
}

// prorated returns the MRR that a prorated item stands for: its basis scaled
// from the part of the cycle it covers to the whole cycle, rounded once. ok is
// false when the item states no period.
func (it *item) prorated() (mrr int64, ok bool) {
	if !it.start.Valid() || !it.end.Valid() {
		return 0, false
	}
	days := max(1, int64(it.end-it.start))
	cycle := int64(it.interval.End(it.start) - it.start)
	num, den := it.interval.Months()
	return money.MulDiv(it.basis, cycle*den, days*num), true
}

// paidThrough returns the first day that a full item effective on day does not
// pay for.
func (it *item) paidThrough(day calendar.Day) calendar.Day {
	if it.end.Valid() && it.end > day {
		return it.end
	}
	return it.interval.End(day)
}

// grace returns the days that may pass after the paid period before a missing
// invoice means churn: the setting, but at most half the billing period, and
// at least one day unless the setting is zero.
func (it *item) grace(setting int, day calendar.Day) calendar.Day {
	if setting == 0 {
		return 0
	}
	period := it.paidThrough(day) - day
	if it.start.Valid() && it.end > it.start {
		period = it.end - it.start
	}
	return max(1, min(calendar.Day(setting), period/2))
}
