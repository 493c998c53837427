package report

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// The map needs the rates that retention needs for its last period: those of the
// periods before, which its averages are of, as well.
func TestLaw_MapNeedsTheRatesOfRetention(t *testing.T) {
	t.Parallel()
	companies, missing := 0, 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		companies++
		s.Rates = coursesFrom(fmt.Sprintf("2024-%02d-%02d", 1+rng.IntN(12), 1+rng.IntN(28)))[0]
		month := fmt.Sprintf("2024-%02d", 3+rng.IntN(9))
		q := mustQuery(t, s, map[string][]string{"date": {month + "-01:" + month + "-28"}, "interval": {"month"}})
		q.Range = calendar.PeriodOf(q.Range.From, q.Unit, s.WeekStart)
		_, retention := Retention(s, q)
		_, world := Map(s, q)
		if rate := new(fx.MissingRateError); errors.As(retention, &rate) {
			missing++
			if !errors.As(world, &rate) {
				t.Fatalf("retention of %s says %v, the map %v", month, retention, world)
			}
		}
	})
	if companies > 100 && missing == 0 {
		t.Error("no company missed a rate")
	}
}
