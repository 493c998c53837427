package report

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// lineOf writes out all that the export and the movement table have in common.
func lineOf(b []byte, m *MovementRow, description []byte) []byte {
	return fmt.Appendf(b, "%s %s/%s %s %s %q %s %+d %+d %d>%d %+d %+d %s %q", m.Date, m.Source.ID, m.Customer.ID, m.Type, m.Subtype, description,
		m.Currency, m.Change, m.ChangeBase, m.Old, m.New, m.Customers, m.Quantity, m.PlanID, m.PlanName)
}

// linesOf collects the lines of an export.
func linesOf(t *testing.T, e *MovementExport, from, to int) []string {
	t.Helper()
	var lines []string
	err := e.Lines(from, to, lineOf, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// The export has the rows of the movement table, the oldest day first and within
// a day by customer, however few it holds at a time and whatever part is asked for.
func TestLaw_MovementExport(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for range 3 {
			params := randomParams(rng, allBreakdowns)
			q := mustQuery(t, s, params)
			e, err := NewMovementExport(s, q)
			if err != nil {
				t.Fatal(err)
			}
			q.Breakdown = Dimension{} // an export has none
			table, err := MovementTable(s, q)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(table.Rows, func(a, b MovementRow) int {
				return cmp.Or(cmp.Compare(a.Date, b.Date), strings.Compare(a.Customer.ID, b.Customer.ID), cmp.Compare(a.Customer.Source, b.Customer.Source))
			})
			var want []string
			for i := range table.Rows {
				want = append(want, string(lineOf(nil, &table.Rows[i], []byte(table.Rows[i].Description))))
			}
			if e.Count != len(want) {
				t.Fatalf("export of %v counts %d rows, the table has %d", params, e.Count, len(want))
			}
			for _, e.window = range []int{exportWindow, 1 + rng.IntN(8), 1} {
				from := rng.IntN(len(want) + 1)
				to := from + rng.IntN(len(want)+2-from)
				for _, part := range [][2]int{{0, e.Count}, {from, to}} {
					expected := want[part[0]:min(part[1], len(want))]
					if got := linesOf(t, e, part[0], part[1]); !slices.Equal(got, expected) {
						t.Fatalf("rows %d of %v, %d at a time:\n%s\nthe table has:\n%s", part, params, e.window, strings.Join(got, "\n"), strings.Join(expected, "\n"))
					}
				}
			}
		}
	})
}

// movingCompany has customers whose price changes so many times within 1000 days.
func movingCompany(customers, changes int) *Snapshot {
	month := calendar.Interval{Unit: calendar.UnitMonth, Count: 1}
	s := &Snapshot{
		Account: "moving", Settings: ledger.DefaultSettings(), Today: date("2024-06-01"), FirstDay: date("2021-01-01"),
		Plans:   []ledger.Plan{{}, {ID: "p1", Name: "One", Interval: month}, {ID: "p2", Name: "Two", Interval: month}},
		Sources: []Source{{ID: "src"}}, Symbols: []string{""},
	}
	r := ledger.NewReplayer(s.Settings, s.Plans)
	for i := range customers {
		var events []ledger.Event
		for n := range changes {
			events = append(events, ledger.Event{
				ID: fmt.Sprintf("i%04d", n), Date: calendar.DayStamp(date("2021-01-01") + calendar.Day(n*1000/changes+i%7)), Kind: ledger.Subscription,
				Amount: int64(1000 + n%2), Plan: ledger.PlanRef(1 + n/2%2), Currency: s.Settings.Base, Quantity: int32(1 + n%3),
				Extra: &ledger.Extra{Discount: int64(n % 5)},
			})
		}
		s.Customers = append(s.Customers, &Customer{ID: fmt.Sprintf("c%03d", i), Name: "N", Ledger: r.Replay(events, 0, s.Today)})
	}
	return s
}

// An export takes the same memory however many movements there are.
func TestMovementExport_TakesConstantMemory(t *testing.T) { //nolint:paralleltest // counts what is allocated meanwhile
	export := func(s *Snapshot) (rows int, allocs, bytes uint64) {
		q := mustQuery(t, s, map[string][]string{"date": {"20210101-20231231"}})
		s.Follow(nil) // whose movements the first report finds, whatever it is about
		if _, err := MRR(s, q); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, err := NewMovementExport(s, q)
		if err != nil {
			t.Fatal(err)
		}
		e.window = 200
		err = e.Lines(0, e.Count, func(b []byte, m *MovementRow, description []byte) []byte {
			return append(m.Date.Append(b), description...)
		}, func([]byte) error { rows++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return rows, after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
	}
	few, many := movingCompany(40, 50), movingCompany(40, 500)
	fewRows, fewAllocs, fewBytes := export(few)
	manyRows, manyAllocs, manyBytes := export(many)
	if fewRows < 1000 || manyRows < 9*fewRows {
		t.Fatalf("%d and %d movements", fewRows, manyRows)
	}
	if manyAllocs > fewAllocs+100 || manyBytes > fewBytes+16<<10 {
		t.Errorf("%d movements take %d allocations of %d bytes, %d take %d of %d", fewRows, fewAllocs, fewBytes, manyRows, manyAllocs, manyBytes)
	}
}

func TestMovementExport_StopsAtAFailure(t *testing.T) {
	t.Parallel()
	s := movingCompany(3, 40)
	q := mustQuery(t, s, map[string][]string{"date": {"20210101-20231231"}})
	e, err := NewMovementExport(s, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, e.window = range []int{1, 10, exportWindow} {
		full := errors.New("no space")
		written := 0
		err := e.Lines(0, e.Count, lineOf, func([]byte) error {
			if written++; written == 5 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || written != 5 {
			t.Errorf("%d at a time: %v after %d rows, want %v after 5", e.window, err, written, full)
		}
	}
}
