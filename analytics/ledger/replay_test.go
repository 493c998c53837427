package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// book is a small account in which invoices are written as text, so that a
// case reads like the customer's billing history:
//
//	2024-02-01 sub 9900 plan=pro from=2024-02-01 to=2024-03-01
//	2024-05-01 cancel
type book struct {
	t     *testing.T
	set   Settings
	plans []Plan
	refs  map[string]PlanRef
	syms  map[string]Symbol
}

func newBook(t *testing.T) *book {
	b := &book{t: t, set: DefaultSettings(), plans: make([]Plan, 1), refs: map[string]PlanRef{}, syms: map[string]Symbol{}}
	for _, p := range []string{"pro month 1", "ent month 1", "basic month 1", "year year 1", "quarter quarter 1", "week week 1", "day day 1"} {
		f := strings.Fields(p)
		unit, err := calendar.ParseUnit(f[1])
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(f[2])
		b.refs[f[0]] = PlanRef(len(b.plans))
		b.plans = append(b.plans, Plan{ID: f[0], Name: f[0], Interval: calendar.Interval{Unit: unit, Count: int32(n)}, Currency: b.set.Base})
	}
	return b
}

func (b *book) symbol(s string) Symbol {
	if _, ok := b.syms[s]; !ok {
		b.syms[s] = Symbol(len(b.syms) + 1)
	}
	return b.syms[s]
}

func (b *book) stamp(s string) calendar.Stamp {
	st, err := calendar.ParseStamp(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return st
}

// events parses a history, one invoice per line.
func (b *book) events(history string) []Event {
	var out []Event
	for i, line := range strings.Split(strings.TrimSpace(history), "\n") {
		f := strings.Fields(line)
		ev := Event{ID: fmt.Sprintf("i%02d", i), Date: b.stamp(f[0]), Currency: b.set.Base}
		x := Extra{}
		switch f[1] {
		case "sub":
			ev.Kind, ev.Plan = Subscription, b.refs["pro"]
		case "prorated":
			ev.Kind, ev.Plan, ev.Proration = Subscription, b.refs["pro"], Differential
		case "refund":
			ev.Kind = Refund
		case "cancel":
			ev.Kind = Cancellation
		case "once":
			ev.Kind = OneTime
		default:
			b.t.Fatalf("unknown kind %q", f[1])
		}
		for _, arg := range f[2:] {
			key, value, named := strings.Cut(arg, "=")
			if !named {
				n, err := strconv.ParseInt(arg, 10, 64)
				if err != nil {
					b.t.Fatal(err)
				}
				ev.Amount = n
				continue
			}
			switch key {
			case "plan":
				ref, ok := b.refs[value]
				if !ok {
					b.t.Fatalf("no plan %q", value)
				}
				ev.Plan = ref
			case "id":
				ev.ID = value
			case "stream":
				ev.Subscription = b.symbol(value)
			case "from":
				ev.Start = b.stamp(value)
			case "to":
				ev.End = b.stamp(value)
			case "line":
				name, amount, _ := strings.Cut(value, ":")
				amount, period, prorated := strings.Cut(amount, ":")
				n, err := strconv.ParseInt(amount, 10, 64)
				if err != nil {
					b.t.Fatal(err)
				}
				l := Line{Plan: b.refs[name], Amount: n}
				if prorated {
					from, to, _ := strings.Cut(period, "..")
					l.Proration, l.Start, l.End = Differential, b.stamp(from), b.stamp(to)
				}
				x.Lines = append(x.Lines, l)
			case "seats":
				n, _ := strconv.Atoi(value)
				ev.Quantity = int32(n)
			case "status":
				ev.Status = map[string]Status{"open": Open, "failed": Failed, "void": Void, "uncollectible": Uncollectible}[value]
			case "of":
				x.RefundOf = value
			case "tax":
				x.Tax, _ = strconv.ParseInt(value, 10, 64)
			case "cur":
				c, err := money.Parse(value)
				if err != nil {
					b.t.Fatal(err)
				}
				ev.Currency = c
			case "full":
				ev.Proration = FullProration
			default:
				b.t.Fatalf("unknown field %q", key)
			}
		}
		if x.Tax != 0 || x.RefundOf != "" || x.Lines != nil {
			ev.Extra = &x
		}
		out = append(out, ev)
	}
	return out
}

func (b *book) replay(history, today string) *Ledger {
	day, err := calendar.ParseDay(today)
	if err != nil {
		b.t.Fatal(err)
	}
	return NewReplayer(b.set, b.plans).Replay(b.events(history), 0, day)
}

// steps lists the days on which the customer's total changes, as "day total";
// days after today are marked scheduled.
func steps(l *Ledger) []string {
	var out []string
	total := int64(0)
	for i := 0; i < len(l.Changes); {
		day, before := l.Changes[i].Day, total
		for ; i < len(l.Changes) && l.Changes[i].Day == day; i++ {
			c := l.Changes[i]
			total += c.After.MRR
			if c.Prev >= 0 {
				total -= l.Changes[c.Prev].After.MRR
			}
		}
		if total == before {
			continue
		}
		s := fmt.Sprintf("%s %d", day, total)
		if day > l.Today {
			s += " scheduled"
		}
		out = append(out, s)
	}
	return out
}

func TestReplay(t *testing.T) {
	t.Parallel()
	immediate := func(s *Settings) { s.Recognition = Immediate }
	noGrace := func(s *Settings) { s.GraceDays = 0 }
	forever := func(s *Settings) { s.NonRenewalChurn = false }
	tests := []struct {
		name    string
		set     func(*Settings)
		history string
		today   string
		want    []string
	}{
		{
			"the five movements of seed 000", nil, `
			2024-02-01 sub 9900
			2024-03-01 sub 29900 plan=ent
			2024-04-01 sub 4900 plan=basic
			2024-05-01 cancel
			2024-08-01 sub 9900`, "2024-10-01",
			[]string{"2024-02-01 9900", "2024-03-01 29900", "2024-04-01 4900", "2024-05-01 0", "2024-08-01 9900", "2024-09-01 0"},
		},
		{"annual is divided by twelve", nil, "2024-01-01 sub 120000 plan=year", "2024-01-01", []string{"2024-01-01 10000"}},
		{"rounded half away from zero", nil, "2024-01-01 sub 10000 plan=year", "2024-01-01", []string{"2024-01-01 833"}},
		{"weeks are 12/52 of a month", nil, "2024-01-01 sub 1200 plan=week", "2024-01-01", []string{"2024-01-01 5200"}},
		{
			"a skipped month is churn at the paid-through day and reactivation", nil, `
			2024-01-01 sub 9900
			2024-03-01 sub 9900`, "2024-03-01",
			[]string{"2024-01-01 9900", "2024-02-01 0", "2024-03-01 9900"},
		},
		{"three days late is continuous", nil, `
			2024-01-01 sub 9900
			2024-02-04 sub 9900`, "2024-02-05", []string{"2024-01-01 9900"}},
		{"the last day of the grace still renews", nil, `
			2024-01-01 sub 9900
			2024-02-08 sub 9900`, "2024-02-09", []string{"2024-01-01 9900"}},
		{"one day after the grace does not", nil, `
			2024-01-01 sub 9900
			2024-02-09 sub 9900`, "2024-02-09", []string{"2024-01-01 9900", "2024-02-01 0", "2024-02-09 9900"}},
		{"inside the grace nothing is known yet", nil, "2024-01-01 sub 9900", "2024-02-07", []string{"2024-01-01 9900"}},
		{"at the end of the grace it is churn", nil, "2024-01-01 sub 9900", "2024-02-08", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{"without grace churn shows on the day", noGrace, "2024-01-01 sub 9900", "2024-02-01", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{"without non-renewal churn a stream runs on", forever, "2024-01-01 sub 9900", "2024-12-01", []string{"2024-01-01 9900"}},
		{"half a refund halves the MRR until the next invoice", nil, `
			2024-01-01 sub 9900
			2024-01-10 refund -4950
			2024-02-01 sub 9900`, "2024-02-01", []string{"2024-01-01 9900", "2024-01-10 4950", "2024-02-01 9900"}},
		{"two refunds share the invoice", nil, `
			2024-01-01 sub 9900
			2024-01-10 refund -4950
			2024-01-11 refund -9900`, "2024-01-11", []string{"2024-01-01 9900", "2024-01-10 4950", "2024-01-11 0"}},
		{"a refund of a superseded invoice is cash only", nil, `
			2024-01-01 sub 9900 id=a
			2024-02-01 sub 9900 id=b
			2024-02-02 refund -9900 of=a`, "2024-02-02", []string{"2024-01-01 9900"}},
		{"a one-time charge has no MRR", nil, "2024-01-01 once 50000", "2024-01-01", nil},
		{"cancellation at the end of the period", nil, `
			2024-01-01 sub 9900
			2024-01-10 cancel`, "2024-01-20", []string{"2024-01-01 9900", "2024-02-01 0 scheduled"}},
		{"immediate cancellation", immediate, `
			2024-01-01 sub 9900
			2024-01-10 cancel`, "2024-01-20", []string{"2024-01-01 9900", "2024-01-10 0"}},
		{"immediate cancellation in the grace acts at the paid-through day", immediate, `
			2024-01-01 sub 9900
			2024-02-04 cancel`, "2024-02-20", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{"a later invoice voids the scheduled end", nil, `
			2024-01-01 sub 9900
			2024-01-10 cancel
			2024-02-01 sub 9900`, "2024-02-02", []string{"2024-01-01 9900"}},
		{
			"a prorated row does not void it", nil, `
			2024-01-01 sub 9900
			2024-01-10 cancel
			2024-01-12 prorated 645 from=2024-01-12 to=2024-02-01`, "2024-02-02",
			[]string{"2024-01-01 9900", "2024-01-12 10900", "2024-02-01 0"},
		},
		{"cancel all and start new at one instant keeps the new one", nil, `
			2024-01-01 sub 9900 stream=a
			2024-02-01 cancel
			2024-02-01 sub 19900 stream=b`, "2024-02-10", []string{"2024-01-01 9900", "2024-02-01 19900"}},
		{"a signup and cancellation on one day leave nothing", immediate, `
			2024-01-01 sub 9900 stream=a
			2024-01-01 cancel stream=a`, "2024-01-10", nil},
		{"streams add up and losing one is contraction", nil, `
			2024-01-01 sub 9900 stream=a
			2024-01-01 sub 4900 stream=b
			2024-02-01 sub 9900 stream=a`, "2024-02-20", []string{"2024-01-01 14800", "2024-02-01 9900"}},
		{
			"two plans of one stated period on the default stream are added", nil, `
			2024-01-01 sub 9900 plan=pro from=2024-01-01 to=2024-02-01
			2024-01-01 sub 4900 plan=basic from=2024-01-01 to=2024-02-01
			2024-02-01 sub 9900 plan=pro from=2024-02-01 to=2024-03-01`, "2024-02-02",
			[]string{"2024-01-01 14800", "2024-02-01 9900"},
		},
		{"annual then monthly on one stream ends with the month", nil, `
			2024-01-01 sub 120000 plan=year
			2024-06-01 sub 9900`, "2024-08-01", []string{"2024-01-01 10000", "2024-06-01 9900", "2024-07-01 0"}},
		{
			"an advance invoice acts when its period starts", nil, `
			2024-01-01 sub 9900
			2024-01-20 sub 19900 from=2024-02-01 to=2024-03-01`, "2024-02-02",
			[]string{"2024-01-01 9900", "2024-02-01 19900"},
		},
		{
			"an advance invoice that is still ahead is scheduled", nil, `
			2024-01-01 sub 9900
			2024-01-20 sub 19900 from=2024-02-01 to=2024-03-01`, "2024-01-21",
			[]string{"2024-01-01 9900", "2024-02-01 19900 scheduled"},
		},
		{"a back-bill is cash only", nil, `
			2024-03-01 sub 9900
			2024-03-05 sub 500 from=2024-01-01 to=2024-02-01`, "2024-03-06", []string{"2024-03-01 9900"}},
		{
			"seats for ten days of June", nil, `
			2024-06-01 sub 10000 from=2024-06-01 to=2024-07-01
			2024-06-21 prorated 667 from=2024-06-21 to=2024-07-01`, "2024-06-22",
			[]string{"2024-06-01 10000", "2024-06-21 12001"},
		},
		{
			"credit and charge of one upgrade in any order", nil, `
			2024-06-01 sub 1000 from=2024-06-01 to=2024-07-01 id=a
			2024-06-16 prorated -500 from=2024-06-16 to=2024-07-01 id=b
			2024-06-16 prorated 1000 from=2024-06-16 to=2024-07-01 id=c plan=ent`, "2024-06-17",
			[]string{"2024-06-01 1000", "2024-06-16 2000"},
		},
		{"lines add up", nil, `
			2024-01-01 sub 13900 line=pro:9900 line=basic:4000`, "2024-01-02", []string{"2024-01-01 13900"}},
		{"a credit line counts against the whole invoice", nil, `
			2024-01-01 sub 8900 line=pro:9900 line=basic:2000 line=ent:-3000`, "2024-01-02", []string{"2024-01-01 8900"}},
		{"a credit larger than the charges leaves nothing, not less", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub -100 line=pro:2900 line=ent:-3000`, "2024-02-02", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{
			"a credit beyond one plan of the set is taken from the other", nil, `
			2024-06-01 sub 9000 plan=pro from=2024-06-01 to=2024-07-01
			2024-06-01 sub 3000 plan=basic from=2024-06-01 to=2024-07-01
			2024-06-16 prorated -2000 plan=basic from=2024-06-16 to=2024-07-01`, "2024-06-17",
			[]string{"2024-06-01 12000", "2024-06-16 8000"},
		},
		{
			"a plan billed again for the period replaces all its lines", nil, `
			2024-01-01 sub 3000 from=2024-01-01 to=2024-02-01 line=pro:1000 line=pro:2000
			2024-01-01 sub 9900 from=2024-01-01 to=2024-02-01 plan=pro`, "2024-01-02",
			[]string{"2024-01-01 9900"},
		},
		{
			"a full proration sets the whole stream", nil, `
			2024-06-01 sub 9000 plan=pro from=2024-06-01 to=2024-07-01
			2024-06-01 sub 3000 plan=basic from=2024-06-01 to=2024-07-01
			2024-06-16 prorated 1000 full=yes plan=basic from=2024-06-16 to=2024-07-01`, "2024-06-17",
			[]string{"2024-06-01 12000", "2024-06-16 2000"},
		},
		{
			"a prorated row for a time that is over starts nothing and rewrites nothing", nil, `
			2024-01-01 sub 9900
			2024-02-15 prorated 1000 from=2024-01-15 to=2024-01-25`, "2024-03-01",
			[]string{"2024-01-01 9900", "2024-02-01 0"},
		},
		{
			"prorations billed along with the next period are in what that costs", nil, `
			2024-06-01 sub 1000 from=2024-06-01 to=2024-07-01
			2024-07-01 sub 2500 from=2024-07-01 to=2024-08-01 line=pro:-500:2024-06-16..2024-07-01 line=ent:1000:2024-06-16..2024-07-01 line=ent:2000`,
			"2024-07-02",
			[]string{"2024-06-01 1000", "2024-07-01 2000"},
		},
		{
			"so they are in rows of their own that come after it", nil, `
			2024-06-01 sub 1000 from=2024-06-01 to=2024-07-01
			2024-07-01 sub 2000 plan=ent from=2024-07-01 to=2024-08-01
			2024-07-01 prorated -500 from=2024-06-16 to=2024-07-01
			2024-07-01 prorated 1000 plan=ent from=2024-06-16 to=2024-07-01`,
			"2024-07-02",
			[]string{"2024-06-01 1000", "2024-07-01 2000"},
		},
		{
			"what is billed in arrears counts until the next invoice", nil, `
			2024-06-01 sub 3000 from=2024-05-01 to=2024-06-01
			2024-07-01 sub 3000 from=2024-06-01 to=2024-07-01
			2024-07-01 prorated 1000 from=2024-06-21 to=2024-07-01`,
			"2024-07-02",
			[]string{"2024-06-01 3000", "2024-07-01 6000"},
		},
		{
			"a credit beside a full charge is for what that replaces", nil, `
			2024-06-01 sub 1000 from=2024-06-01 to=2024-07-01
			2024-06-16 sub 23500 line=pro:-500:2024-06-16..2024-07-01 line=year:24000`,
			"2024-06-17",
			[]string{"2024-06-01 1000", "2024-06-16 2000"},
		},
		{
			"so it is in a row of its own that comes after the charge", nil, `
			2024-06-01 sub 1000 from=2024-06-01 to=2024-07-01
			2024-06-16 sub 24000 plan=year
			2024-06-16 prorated -500 from=2024-06-16 to=2024-07-01`,
			"2024-06-17",
			[]string{"2024-06-01 1000", "2024-06-16 2000"},
		},
		{
			"a prorated charge for another plan is for all lines of the plan that it changes", nil, `
			2024-06-01 sub 3000 from=2024-06-01 to=2024-07-01 line=pro:1000 line=pro:2000
			2024-06-16 prorated 500 plan=ent from=2024-06-16 to=2024-07-01
			2024-06-20 sub 5000 plan=ent from=2024-06-01 to=2024-07-01`,
			"2024-06-21",
			[]string{"2024-06-01 3000", "2024-06-16 4000", "2024-06-20 5000"},
		},
		{"a failed invoice after a trial holds no longer than its own grace", nil, `
			2024-01-31 sub 0
			2024-02-14 sub 9900 status=failed`, "2024-02-16", []string{"2024-02-14 9900"}},
		{"and makes no customer of one who never pays it", nil, `
			2024-01-31 sub 0
			2024-02-14 sub 9900 status=failed
			2024-03-14 sub 9900`, "2024-03-15", []string{"2024-03-14 9900"}},
		{"an open invoice on the day of the end begins anew", nil, `
			2024-01-01 sub 9900
			2024-02-01 cancel
			2024-02-01 sub 19900 status=open`, "2024-02-05", []string{"2024-01-01 9900", "2024-02-01 19900"}},
		{"an open invoice does not change the grace of what was paid", nil, `
			2024-01-01 sub 9900
			2024-02-03 sub 1200 plan=week status=open`, "2024-02-07", []string{"2024-01-01 9900", "2024-02-03 5200"}},
		{"a scheduled open invoice changes nothing before its day", nil, `
			2024-01-01 sub 9900
			2024-03-01 sub 100 plan=week status=open`, "2024-02-06", []string{"2024-01-01 9900", "2024-03-01 433 scheduled"}},
		{"a subscription that never ran takes no invoices", immediate, `
			2024-01-01 prorated 500 stream=a
			2024-01-02 sub 9900
			2024-01-10 cancel stream=a`, "2024-01-20", []string{"2024-01-02 9900"}},
		{"tax is not revenue", nil, "2024-01-01 sub 12000 tax=2000", "2024-01-01", []string{"2024-01-01 10000"}},
		{"void invoices never count", nil, "2024-01-01 sub 9900 status=void", "2024-01-01", nil},
		{"an open renewal holds for the grace", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 9900 status=open`, "2024-02-07", []string{"2024-01-01 9900"}},
		{"after the grace only paid invoices hold", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 9900 status=failed`, "2024-02-08", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{"a trial has no movement", nil, "2024-01-01 sub 0", "2024-01-05", nil},
		{"a paying customer on a zero invoice is churn", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 0`, "2024-02-02", []string{"2024-01-01 9900", "2024-02-01 0"}},
		{
			"a real period of three months on a monthly plan", nil,
			"2024-01-01 sub 30000 from=2024-01-01 to=2024-04-01", "2024-01-02",
			[]string{"2024-01-01 10000"},
		},
		{
			"month end to month end is a whole month", nil,
			"2024-01-31 sub 9900 from=2024-01-31 to=2024-02-29", "2024-02-01",
			[]string{"2024-01-31 9900"},
		},
		{"an invoice without id joins the only identified stream", nil, `
			2024-01-01 sub 9900 stream=a
			2024-02-01 sub 19900`, "2024-02-02", []string{"2024-01-01 9900", "2024-02-01 19900"}},
		{"an invoice without id beside two streams opens the default one", nil, `
			2024-01-01 sub 9900 stream=a
			2024-01-01 sub 4900 stream=b
			2024-01-15 sub 1000`, "2024-01-16", []string{"2024-01-01 14800", "2024-01-15 15800"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			if tt.set != nil {
				tt.set(&b.set)
			}
			got := steps(b.replay(tt.history, tt.today))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("steps mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplay_Facts(t *testing.T) {
	t.Parallel()
	day := func(s string) calendar.Day {
		d, err := calendar.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	b := newBook(t)
	l := b.replay("2024-01-01 sub 9900\n2024-02-01 sub 9900 status=open", "2024-02-03")
	if l.Overdue != day("2024-02-01") || !l.Streams[0].PastDue || l.Payments != 1 {
		t.Errorf("open renewal: overdue %v past due %v payments %d, want 2024-02-01 true 1", l.Overdue, l.Streams[0].PastDue, l.Payments)
	}
	if l.Wake != day("2024-02-08") {
		t.Errorf("wake = %v, want 2024-02-08, the end of the grace", l.Wake)
	}
	l = b.replay("2024-01-01 sub 9900\n2024-01-10 cancel", "2024-01-20")
	if l.CancelRequest != day("2024-01-10") || l.CancelEnd != day("2024-02-01") || l.Wake != day("2024-02-01") {
		t.Errorf("scheduled cancellation: request %v end %v wake %v", l.CancelRequest, l.CancelEnd, l.Wake)
	}
	l = b.replay("2024-01-01 sub 9900", "2024-05-01")
	if l.DerivedReason != ByExpiry || l.CancelEnd != day("2024-02-01") || l.FirstPaid != day("2024-01-01") {
		t.Errorf("expiry: reason %v end %v first paid %v", l.DerivedReason, l.CancelEnd, l.FirstPaid)
	}
	l = b.replay("2024-01-01 sub 0 to=2024-01-15 from=2024-01-01", "2024-01-10")
	if l.TrialStart != day("2024-01-01") || l.TrialEnd != day("2024-01-15") || l.Wake > day("2024-01-15") {
		t.Errorf("trial: %v to %v, wake %v", l.TrialStart, l.TrialEnd, l.Wake)
	}
	l = b.replay("2024-01-01 sub 0", "2024-01-10")
	if l.TrialStart != day("2024-01-01") || l.TrialEnd != day("2024-01-15") {
		t.Errorf("trial whose end is not stated: %v to %v, want the account's 14 days", l.TrialStart, l.TrialEnd)
	}
	utc5, err := time.LoadLocation("Etc/GMT+5")
	if err != nil {
		t.Fatal(err)
	}
	b.set.Zone = utc5
	l = b.replay("2024-01-02T03:00:00Z sub 9900\n2024-02-02 once 100", "2024-02-01")
	if l.FirstPaid != day("2024-01-01") {
		t.Errorf("an instant is a day of the account's zone: first paid %v, want 2024-01-01", l.FirstPaid)
	}
}
