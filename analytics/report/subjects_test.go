package report

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// with returns a snapshot of the account with other customers.
func (s *Snapshot) with(customers []*Customer) *Snapshot {
	return &Snapshot{
		Account: s.Account, Version: s.Version + 1, Today: s.Today, Settings: s.Settings, WeekStart: s.WeekStart, Customers: customers,
		Plans: s.Plans, Sources: s.Sources, Symbols: s.Symbols, Rates: s.Rates, FirstDay: s.FirstDay,
	}
}

// TestSnapshot_Follow changes, deletes and adds customers between two snapshots:
// what the later one takes over must not be seen in its reports.
func TestSnapshot_Follow(t *testing.T) {
	t.Parallel()
	before := largeAccount(3*blockSize-5, "usd", "eur")
	query := func(s *Snapshot) *Query { return mustQuery(t, s, map[string][]string{"date": {"20230101-20251220"}}) }
	answer := func(s *Snapshot) *MRRReport {
		r, err := MRR(s, query(s))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before.Follow(nil)
	then := answer(before)

	customers := slices.Clone(before.Customers)
	changed := *customers[blockSize]
	changed.Ledger = ledger.NewReplayer(before.Settings, before.Plans).Replay(nil, 0, before.Today)
	customers[blockSize], customers[2*blockSize] = &changed, nil
	customers = append(customers, customers[3])
	after := before.with(customers)
	after.Follow(before)

	if diff := cmp.Diff(answer(before.with(customers)), answer(after)); diff != "" {
		t.Errorf("MRR after a change (-computed anew +following):\n%s", diff)
	}
	if diff := cmp.Diff(then, answer(before)); diff != "" {
		t.Errorf("MRR of the earlier snapshot changed:\n%s", diff)
	}
	for i, want := range []bool{true, false, false} {
		if got := after.blocks[i] == before.blocks[i]; got != want {
			t.Errorf("block %d is shared: %t, want %t", i, got, want)
		}
	}
}
