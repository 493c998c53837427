package ledger_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// TestLaw_LedgerIsThatOfTheOracle compares the ledger, day by day, with a
// recomputation that shares no code with it, over random customers under random
// settings.
func TestLaw_LedgerIsThatOfTheOracle(t *testing.T) {
	t.Parallel()
	customers := 1500
	if s := os.Getenv("GROWPANEL_SOAK_COMPANIES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		customers = 5 * n
	}
	failures := 0
	for seed := range customers {
		rng := rand.New(rand.NewPCG(uint64(seed), 26))
		set := oracletest.RandomSettings(rng)
		invoices, today := oracletest.RandomInvoices(rng, set.Zone, "i", 1+rng.IntN(2))
		diff := oracleDiff(t, set, invoices, today)
		if diff == "" {
			continue
		}
		// Leave out whatever the difference does not need.
		for again := true; again; {
			again = false
			for k := range invoices {
				fewer := slices.Delete(slices.Clone(invoices), k, k+1)
				if d := oracleDiff(t, set, fewer, today); d != "" {
					invoices, diff, again = fewer, d, true
					break
				}
			}
		}
		t.Errorf("seed %d, the oracle (-) and the ledger (+) differ:\n%s\ntoday %v, %+v, zone %v\n%s", seed, diff, today, set, set.Zone, rows(set, invoices))
		if failures++; failures == 5 {
			return
		}
	}
}

// oracleDiff tells how the ledger of a customer differs from the oracle's.
func oracleDiff(t *testing.T, set oracletest.Settings, invoices []oracletest.Invoice, today oracletest.Day) string {
	t.Helper()
	want := oracletest.Replay(set, oracletest.Catalog(), invoices, today)
	if want.Open {
		return ""
	}
	events, plans, names := ledgerRows(t, invoices)
	got := ledger.NewReplayer(ledgerSettings(set), plans).Replay(events, 0, calendar.Day(today))
	if diff := cmp.Diff(oracleDays(want), ledgerDays(got, names)); diff != "" {
		return diff
	}
	if diff := cmp.Diff(oracleEndings(want), ledgerEndings(got, names, events)); diff != "" {
		return diff
	}
	// Which of several lines a prorated row is for, the rules leave open.
	listed := func(i oracletest.Invoice) bool { return len(i.Lines) > 0 }
	if !slices.ContainsFunc(invoices, listed) {
		if diff := planDiff(want, got, plans); diff != "" {
			return diff
		}
	}
	movements, known := want.Movements()
	if !known {
		return ""
	}
	return cmp.Diff(movements, ledgerMovements(got))
}

// planDiff tells on which day of a change the plans of a customer differ.
func planDiff(want *oracletest.Customer, got *ledger.Ledger, plans []ledger.Plan) string {
	for _, c := range got.Changes {
		byPlan, plain := want.Plans(oracletest.Day(c.Day))
		if !plain {
			continue
		}
		gotByPlan := map[string]int64{}
		for _, state := range got.Latest(c.Day) {
			if state != nil && state.MRR != 0 {
				gotByPlan[plans[state.Plan].ID] += state.MRR
			}
		}
		if diff := cmp.Diff(byPlan, gotByPlan); diff != "" {
			return fmt.Sprintf("plans on %v:\n%s", c.Day, diff)
		}
	}
	return ""
}

func rows(set oracletest.Settings, invoices []oracletest.Invoice) string {
	oracletest.Sort(set, invoices)
	var b strings.Builder
	for _, i := range invoices {
		fmt.Fprintln(&b, i)
	}
	return b.String()
}

// oracleEndings lists the ends of the streams and the requests for them.
func oracleEndings(c *oracletest.Customer) []string {
	var lines []string
	for _, e := range c.Endings {
		lines = append(lines, fmt.Sprintf("%q asked %d paid %d end %d void %d by %q failed %v",
			e.Stream, e.Request, e.Through, e.End, e.Voided, e.Invoice, e.Failed && e.Invoice == ""))
	}
	slices.Sort(lines)
	return lines
}

// ledgerEndings lists the same from a ledger.
func ledgerEndings(l *ledger.Ledger, names []string, events []ledger.Event) []string {
	var lines []string
	for _, e := range l.Endings {
		subscription, row := "", ""
		for _, slot := range l.Slots {
			if slot.Stream == e.Stream {
				subscription = names[slot.Subscription]
			}
		}
		if e.Invoice >= 0 {
			row = events[l.Invoices[e.Invoice].Ref].ID
		}
		lines = append(lines, fmt.Sprintf("%q asked %d paid %d end %d void %d by %q failed %v",
			subscription, e.Request, e.PaidThrough, e.End, e.Voided, row, e.Cause == ledger.ByInvoluntary))
	}
	slices.Sort(lines)
	return lines
}

// oracleDays lists the days on which a stream's value changes.
func oracleDays(c *oracletest.Customer) []string {
	var lines []string
	for _, s := range c.Streams {
		before := ""
		for d := c.First; d <= c.Last; d++ {
			if after := totals(s.Totals(d)); after != before {
				lines = append(lines, fmt.Sprintf("%v %q %s", d, s.Subscription, after))
				before = after
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func totals(byCurrency map[string]int64) string {
	var parts []string
	for currency, amount := range byCurrency {
		if amount != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", amount, currency))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " + ")
}

// ledgerDays lists the same from a ledger.
func ledgerDays(l *ledger.Ledger, names []string) []string {
	var lines []string
	before := map[string]string{}
	states := make([]ledger.State, len(l.Slots))
	for n := 0; n < len(l.Changes); {
		day := l.Changes[n].Day
		for ; n < len(l.Changes) && l.Changes[n].Day == day; n++ {
			states[l.Changes[n].Slot] = l.Changes[n].After
		}
		sums := map[string]map[string]int64{}
		for k, slot := range l.Slots {
			name := names[slot.Subscription]
			if sums[name] == nil {
				sums[name] = map[string]int64{}
			}
			if states[k].MRR != 0 {
				sums[name][states[k].Currency.Code()] += states[k].MRR
			}
		}
		for name, sum := range sums {
			if after := totals(sum); after != before[name] {
				lines = append(lines, fmt.Sprintf("%v %q %s", day, name, after))
				before[name] = after
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func ledgerMovements(l *ledger.Ledger) []oracletest.Movement {
	var list []oracletest.Movement
	for _, m := range l.Movements() {
		if m.Type != ledger.None {
			list = append(list, oracletest.Movement{Day: oracletest.Day(m.Day), Type: m.Type.String(), Change: m.After - m.Before})
		}
	}
	return list
}

func ledgerSettings(set oracletest.Settings) ledger.Settings {
	s := ledger.DefaultSettings()
	s.Zone, s.GraceDays, s.NonRenewalChurn, s.AutoChurnDays = set.Zone, set.GraceDays, set.NonRenewalChurn, set.AutoChurnDays
	s.RefundsReduceMRR, s.SubtractOneTimeDiscounts = !set.RefundsIgnored, set.SubtractOneTimeDiscounts
	if set.Immediate {
		s.Recognition = ledger.Immediate
	}
	return s
}

// ledgerRows turns rows into what the ledger takes; names lists the
// subscription of every symbol.
func ledgerRows(t *testing.T, invoices []oracletest.Invoice) ([]ledger.Event, []ledger.Plan, []string) {
	t.Helper()
	units := map[string]calendar.Unit{
		"day": calendar.UnitDay, "week": calendar.UnitWeek, "month": calendar.UnitMonth, "quarter": calendar.UnitQuarter, "year": calendar.UnitYear,
	}
	plans := []ledger.Plan{{}}
	refs := map[string]ledger.PlanRef{"": 0}
	catalog := oracletest.Catalog()
	for _, id := range slices.Sorted(maps.Keys(catalog)) {
		p := catalog[id]
		refs[id] = ledger.PlanRef(len(plans))
		plans = append(plans, ledger.Plan{
			ID: id, Name: id, Currency: currencyOf(t, p.Currency), Interval: calendar.Interval{Unit: units[p.Unit], Count: int32(p.Count)},
		})
	}
	names := []string{""}
	symbol := func(name string) ledger.Symbol {
		k := slices.Index(names, name)
		if k < 0 {
			k = len(names)
			names = append(names, name)
		}
		return ledger.Symbol(k)
	}
	kinds := map[string]ledger.Kind{
		"subscription": ledger.Subscription, "one-time": ledger.OneTime, "refund": ledger.Refund, "cancellation": ledger.Cancellation,
	}
	statuses := map[string]ledger.Status{
		"": ledger.Paid, "paid": ledger.Paid, "open": ledger.Open, "failed": ledger.Failed, "void": ledger.Void, "uncollectible": ledger.Uncollectible,
	}
	prorations := map[string]ledger.Proration{"": ledger.NotProrated, "differential": ledger.Differential, "full": ledger.FullProration}
	var events []ledger.Event
	for _, i := range invoices {
		ev := ledger.Event{
			ID: i.ID, Date: calendar.InstantStamp(i.Date), Amount: i.Amount, Quantity: int32(i.Quantity), Plan: refs[i.Plan],
			Subscription: symbol(i.Subscription), Currency: currencyOf(t, i.Currency), Kind: kinds[i.Type], Status: statuses[i.Status],
			Proration: prorations[i.Proration], Start: stamp(i.Start), End: stamp(i.End),
			Ref: uint32(len(events)),
		}
		extra := ledger.Extra{Tax: i.Tax, Discount: i.Discount, DiscountOnce: i.DiscountOnce, RefundOf: i.RefundOf}
		for _, l := range i.Lines {
			extra.Lines = append(extra.Lines, ledger.Line{
				Amount: l.Amount, Tax: l.Tax, Discount: l.Discount, DiscountOnce: l.DiscountOnce, Start: stamp(l.Start), End: stamp(l.End), Quantity: int32(l.Quantity),
				Plan: refs[l.Plan], OneTime: l.OneTime, Proration: prorations[l.Proration],
			})
		}
		ev.Extra = &extra
		events = append(events, ev)
	}
	return events, plans, names
}

func stamp(t time.Time) calendar.Stamp {
	if t.IsZero() {
		return 0
	}
	return calendar.InstantStamp(t)
}

func currencyOf(t *testing.T, code string) money.Currency {
	t.Helper()
	c, err := money.Parse(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
