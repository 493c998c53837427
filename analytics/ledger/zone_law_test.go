package ledger_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// TestLaw_ClocksDoNotMoveDays replays random customers whose rows say days, and
// the same rows with the local noon of these days: in every zone, and across its
// clock changes, both are the same ledger, which is that of UTC.
func TestLaw_ClocksDoNotMoveDays(t *testing.T) {
	t.Parallel()
	zones := []string{
		"America/New_York", "Europe/Copenhagen", "Asia/Kolkata", "Pacific/Auckland", "Africa/Cairo", "America/Havana", "Pacific/Kiritimati", "Asia/Beirut",
	}
	for seed := range 600 {
		rng := rand.New(rand.NewPCG(uint64(seed), 31))
		set := oracletest.RandomSettings(rng)
		set.Zone = time.UTC
		invoices, today := oracletest.RandomInvoices(rng, time.UTC, "i", 1)
		events, plans, _ := ledgerRows(t, invoices)
		name := zones[rng.IntN(len(zones))]
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		asDays := restamped(events, func(d calendar.Day) calendar.Stamp { return calendar.DayStamp(d) })
		asNoons := restamped(events, func(d calendar.Day) calendar.Stamp {
			year, month, day := d.YMD()
			return calendar.InstantStamp(time.Date(year, month, day, 12, 0, 1, 0, zone))
		})
		replay := func(rows []ledger.Event, in *time.Location) *ledger.Ledger {
			s := ledgerSettings(set)
			s.Zone = in
			return ledger.NewReplayer(s, plans).Replay(rows, 0, calendar.Day(today))
		}
		want := replay(asDays, time.UTC)
		want.Extras, want.Taxed = nil, nil
		for what, got := range map[string]*ledger.Ledger{"days": replay(asDays, zone), "noons": replay(asNoons, zone)} {
			got.Extras, got.Taxed = nil, nil // hold the stamps themselves
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(ledger.Stream{})); diff != "" {
				t.Fatalf("seed %d, %s in %s (+) are not the days of UTC (-):\n%s", seed, what, name, diff)
			}
		}
	}
}

// restamped returns events whose stamps are made again of their days.
func restamped(events []ledger.Event, stamp func(calendar.Day) calendar.Stamp) []ledger.Event {
	again := func(s calendar.Stamp) calendar.Stamp {
		if s.IsZero() {
			return s
		}
		return stamp(s.Day(time.UTC))
	}
	out := make([]ledger.Event, len(events))
	for i, ev := range events {
		ev.Date, ev.Start, ev.End = again(ev.Date), again(ev.Start), again(ev.End)
		if ev.Extra != nil {
			x := *ev.Extra
			x.Lines = nil
			for _, l := range ev.Extra.Lines {
				l.Start, l.End = again(l.Start), again(l.End)
				x.Lines = append(x.Lines, l)
			}
			ev.Extra = &x
		}
		out[i] = ev
	}
	return out
}

// TestLaw_SkippedDaysKeepTheirPlace replays rows that say days near one that the
// zone's calendar left out, which begins when the next one does: they make the
// same ledger as in UTC, where no day is left out.
func TestLaw_SkippedDaysKeepTheirPlace(t *testing.T) {
	t.Parallel()
	apia, err := time.LoadLocation("Pacific/Apia") // without 2011-12-30
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 800 {
		rng := rand.New(rand.NewPCG(uint64(seed), 32))
		set := oracletest.RandomSettings(rng)
		invoices, today := oracletest.RandomInvoices(rng, apia, "i", 1)
		events, plans, _ := ledgerRows(t, invoices)
		events = restamped(events, calendar.DayStamp)
		replay := func(in *time.Location) *ledger.Ledger {
			s := ledgerSettings(set)
			s.Zone = in
			return ledger.NewReplayer(s, plans).Replay(events, 0, calendar.Day(today))
		}
		if diff := cmp.Diff(replay(time.UTC), replay(apia), cmp.AllowUnexported(ledger.Stream{})); diff != "" {
			t.Fatalf("seed %d, the ledger in Apia (+) is not that in UTC (-):\n%s", seed, diff)
		}
	}
}
