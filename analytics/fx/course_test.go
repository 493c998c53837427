package fx

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
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

// Of all courses that there may be a table remembers some, and says the same of
// the others.
func TestCourse_FewAreKept(t *testing.T) {
	t.Parallel()
	rates := table(t, published)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, from := range money.All() {
				for _, to := range money.All()[:20] {
					checkCourse(t, rates.Course(from, to), rates.last)
				}
			}
		})
	}
	all.Wait()
	kept := 0
	rates.courses.Range(func(any, any) bool { kept++; return true })
	if kept == 0 || kept > coursesKept {
		t.Errorf("%d courses are kept, want 1 to %d", kept, coursesKept)
	}
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
