package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// unpaidAccount is an account of customers whose payments fail for good, several
// on some days.
func unpaidAccount(customers int) *Snapshot {
	s := largeAccount(1, "usd", "eur")
	rng := rand.New(rand.NewPCG(11, 13))
	r := ledger.NewReplayer(s.Settings, s.Plans)
	for i := range customers {
		var events []ledger.Event
		for n := range 60 {
			events = append(events, ledger.Event{
				ID: fmt.Sprintf("%02d", n), Date: calendar.DayStamp(date("2024-01-01") + calendar.Day(rng.IntN(500))), Kind: ledger.OneTime,
				Status: ledger.Failed, Amount: int64(100 + rng.IntN(100)), Currency: s.Settings.Base,
			})
		}
		s.Customers = append(s.Customers, &Customer{ID: fmt.Sprint("u", i%7), Source: uint32(i / 7), Ledger: r.Replay(events, 0, s.Today)})
	}
	s.Follow(nil)
	return s
}

// Of more activities than are kept at a time, each page is what it is among all
// of them.
func TestLatestActivity_Pages(t *testing.T) {
	t.Parallel()
	s := unpaidAccount(60)
	params := map[string][]string{"date": {"20230101-20251220"}, "limit": {"100"}}
	var all []Activity
	for len(all) == 0 || len(all)%100 == 0 {
		params["offset"] = []string{fmt.Sprint(len(all))}
		r, err := LatestActivity(s, mustQuery(t, s, params))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Rows...)
	}
	if len(all) < 3000 || !slices.IsSortedFunc(all, func(a, b Activity) int { return a.compare(&b) }) {
		t.Fatalf("%d activities, or out of order", len(all))
	}
	q := mustQuery(t, s, params)
	q.Range.To = min(q.Range.To, s.Today)
	whole := feed{s: s, q: q, last: 1 << 30}
	if err := whole.movements(); err != nil {
		t.Fatal(err)
	}
	if err := whole.failures(); err != nil {
		t.Fatal(err)
	}
	if whole.full {
		t.Fatal("the whole was cut")
	}
	whole.cut()
	if diff := cmp.Diff(whole.rows, all, cmp.Comparer(func(a, b *Customer) bool { return a == b })); diff != "" {
		t.Errorf("activities (-all at once +page by page):\n%s", diff)
	}
}
