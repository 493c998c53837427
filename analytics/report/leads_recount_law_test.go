package report

import (
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// The leads of any days, filters and breakdown are the customers who came then,
// each under what it first paid for, as their rows and ledgers say one by one.
func TestLaw_LeadsAreTheCustomers(t *testing.T) {
	t.Parallel()
	listed, unpaid := 0, 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		s.Today -= calendar.Day(rng.IntN(300)) // the ledgers know what comes later
		for _, c := range s.Customers {
			if c == nil {
				continue
			}
			if rng.IntN(3) == 0 {
				c.Created = calendar.DayStamp(date("2024-01-01") + calendar.Day(rng.IntN(300)))
			}
			if rng.IntN(3) == 0 {
				c.Received = calendar.DayStamp(date("2024-01-01")+calendar.Day(rng.IntN(300))) + 4*3600
			}
			if rng.IntN(3) == 0 {
				l := *c.Ledger
				l.TrialStart = date("2024-01-01") + calendar.Day(rng.IntN(300))
				c.Ledger = &l
			}
		}
		params := randomParams(rng, allBreakdowns)
		q := mustQuery(t, s, params)
		table, err := LeadsTable(s, q)
		if err != nil {
			t.Fatalf("LeadsTable(%v): %v", params, err)
		}
		got := map[*Customer]*LeadTableRow{}
		for i := range table.Rows {
			got[table.Rows[i].Customer] = &table.Rows[i]
		}
		q = q.untilToday()
		ls := newLeadScan(s, q, 1)
		for _, c := range s.Customers {
			if c == nil {
				continue
			}
			row, created := got[c], createdOn(s, c)
			in := ls.sel.customer(c) && (ls.match == nil || ls.firstState(c.Ledger) != nil) && created <= s.Today && table.Days.Contains(created)
			if (row != nil) != in {
				t.Fatalf("LeadsTable(%v) lists customer %s of %s: %t, want %t", params, c.ID, created, row != nil, in)
			}
			if !in {
				continue
			}
			listed++
			if row.CreatedDate.Day(s.Settings.Zone) != created {
				t.Fatalf("LeadsTable(%v) customer %s came on %s, want %s", params, c.ID, row.CreatedDate, created)
			}
			if !q.Breakdown.ofState() {
				continue
			}
			want, sp := Unset, newSplit(s, q, 1)
			if st := ls.firstState(c.Ledger); st != nil {
				values, err := sp.ofState(st)
				if err != nil {
					t.Fatal(err)
				}
				want = sp.keys[values[0]]
			} else {
				unpaid++
			}
			if row.BreakdownValue != want {
				t.Fatalf("LeadsTable(%v) customer %s is %q, want %q", params, c.ID, row.BreakdownValue, want)
			}
		}
	})
	if listed == 0 || listed > 100 && unpaid == 0 { // a few companies may have none
		t.Errorf("%d leads, %d who never paid", listed, unpaid)
	}
}

// createdOn is the day from which a customer is known: as stated, else the first
// of which anything is known.
func createdOn(s *Snapshot, c *Customer) calendar.Day {
	if !c.Created.IsZero() {
		return c.Created.Day(s.Settings.Zone)
	}
	first := calendar.Never
	for _, day := range []calendar.Day{c.Ledger.TrialStart, c.Ledger.FirstInvoice, c.Received.Day(s.Settings.Zone)} {
		if day.Valid() {
			first = min(first, day)
		}
	}
	return first
}
