package fx

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// A course says of every day what the table says, within its rates and beyond,
// to everybody who asks at the same time.
func TestCourse_IsTheTable(t *testing.T) {
	t.Parallel()
	rates := table(t, published)
	empty, err := NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, from := range []string{"usd", "eur", "jpy", "aud"} {
		for _, table := range []*Table{rates, empty, nil} {
			all.Go(func() {
				c := table.Course(currency(t, from), currency(t, "usd"))
				for day := calendar.NoDay; day < calendar.Never-2e6; day += 1e6 {
					checkCourse(t, c, day)
				}
				for day := rates.first - 100; day < rates.last+100; day++ {
					checkCourse(t, c, day)
				}
			})
		}
	}
	all.Wait()
}

func checkCourse(t *testing.T, c *Course, day calendar.Day) {
	t.Helper()
	want, wrong := c.table.Converter(c.from, c.to, day)
	got, err := c.On(day)
	if diff := cmp.Diff(wrong, err); diff != "" {
		t.Errorf("%s to %s on %s (-table +course):\n%s", c.from, c.to, day, diff)
	}
	if err == nil && got.Convert(1e9+7) != want.Convert(1e9+7) {
		t.Errorf("%s to %s on %s: %d, table %d", c.from, c.to, day, got.Convert(1e9+7), want.Convert(1e9+7))
	}
}
