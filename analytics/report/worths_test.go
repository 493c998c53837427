package report

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// What an amount is worth is what its day's rates say, whichever amounts and
// points were asked for before: there are more of them than places.
func TestWorths_AreThoseOfTheRates(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 9))
	s := &Snapshot{Today: date("2025-01-10"), Rates: companyRates()[0]}
	var ends []calendar.Day
	for day := date("2023-01-01"); day < s.Today+5; day++ {
		ends = append(ends, day)
	}
	w := newWorths(&points{ends: ends, rateDays: slices.Clone(ends)}, newRates(s, currency("usd"), calendar.NoDay))
	for range 5000 {
		amount, in := rng.Int64N(1000), currency([]string{"usd", "eur", "jpy"}[rng.IntN(3)])
		from := rng.IntN(len(ends))
		to := from + rng.IntN(min(30, len(ends)-from))
		at, err := w.between(amount, in, from, to)
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i <= to; i++ {
			want, err := s.Rates.Convert(amount, in, currency("usd"), min(ends[i], s.Today))
			if err != nil {
				t.Fatal(err)
			}
			if at[i] != want {
				t.Fatalf("%d %s on %s: %d, want %d", amount, in, ends[i], at[i], want)
			}
		}
	}
	if _, err := w.between(1, currency("gbp"), 3, 3); err == nil {
		t.Error("a currency without rates has a worth")
	}
}
