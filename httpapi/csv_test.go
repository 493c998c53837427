package httpapi

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// Rows are those that encoding/csv writes, apart from the apostrophe before what
// looks like a formula.
func FuzzCSVRows(f *testing.F) {
	for _, cell := range []string{"", "plain", "a,b", `a"b`, "a\nb", "a\rb", "\r\n", " a", "\u00a0a", "\u2003", "\xff,", `\.`, `\.\`, "=1", "-1,2", `@"`, "\t", "\t,", "+\n", "'", ";", "-\\."} {
		f.Add(cell, "x", int64(-1), uint16(20000), false)
		f.Add("x", cell, int64(1)<<62, uint16(1), true)
	}
	f.Fuzz(func(t *testing.T, first, second string, number int64, day uint16, raw bool) {
		stamp := calendar.DayStamp(calendar.Day(day))
		var got, want bytes.Buffer
		rows := newCSVRows(&got, raw)
		w := csv.NewWriter(&want)
		for range 2 {
			rows.text(first, second)
			rows.bytes([]byte(second))
			rows.number(number)
			rows.day(calendar.Day(day))
			rows.stamps(stamp, 0)
			if err := rows.end(); err != nil {
				t.Fatal(err)
			}
			record := []string{first, second, second}
			for i, cell := range record {
				if !raw && strings.IndexAny(cell, "=+-@\t\r") == 0 {
					record[i] = "'" + cell
				}
			}
			record = append(record, strconv.FormatInt(number, 10), calendar.Day(day).String(), stamp.String(), "")
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		if err := rows.flush(); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("wrote %q, encoding/csv writes %q", got.String(), want.String())
		}
	})
}

// parts counts what is written.
type parts struct {
	writes, largest, bytes int
	fail                   error
}

func (p *parts) Write(b []byte) (int, error) {
	p.writes++
	p.largest = max(p.largest, len(b))
	p.bytes += len(b)
	return len(b), p.fail
}

func TestCSVRows_TakeNoMemoryPerRow(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts those of all goroutines
	written := &parts{}
	rows := newCSVRows(written, false)
	const perRun = 1000
	allocs := testing.AllocsPerRun(20, func() {
		for range perRun {
			rows.text("cus_1", "Smith, \"Jo\"", "=1", "")
			rows.number(-5, 1<<40)
			rows.day(20000)
			rows.stamps(calendar.DayStamp(20000))
			if err := rows.end(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs > 0 {
		t.Errorf("%d rows take %g allocations", perRun, allocs)
	}
	if written.writes != written.bytes/written.largest || written.largest < csvPart || written.largest > csvPart+1<<10 {
		t.Errorf("%d bytes in %d writes of up to %d", written.bytes, written.writes, written.largest)
	}
}

func TestCSVRows_AFailedWriteIsAnError(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection reset")
	written := &parts{fail: gone}
	rows := newCSVRows(written, false)
	long := strings.Repeat("x", csvPart/4)
	var err error
	for n := 0; n < 10 && err == nil; n++ {
		rows.text(long)
		err = rows.end()
	}
	if !errors.Is(err, gone) || written.writes != 1 {
		t.Errorf("%v after %d writes", err, written.writes)
	}
}
