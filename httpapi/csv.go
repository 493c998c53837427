package httpapi

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// csvPart is about how many bytes are written at a time.
const csvPart = 64 << 10

// csvRows writes rows of CSV (RFC 4180, lines end in LF), byte for byte as
// encoding/csv does, but appends its cells to one buffer.
type csvRows struct {
	w    io.Writer
	out  []byte // rows that are not written yet
	row  []byte // the cells of a row, each with a comma behind it
	cell []byte // scratch
	// raw leaves text as it is that a spreadsheet would take for a formula.
	raw bool
}

func newCSVRows(w io.Writer, raw bool) *csvRows {
	return &csvRows{w: w, raw: raw, out: make([]byte, 0, csvPart+4<<10)}
}

// text adds cells. Names come from customers of the account: one that begins
// like a formula gets an apostrophe, which spreadsheets show as text.
func (c *csvRows) text(cells ...string) {
	for _, cell := range cells {
		start := len(c.row)
		c.row = append(c.row, cell...)
		c.endText(start)
	}
}

// bytes is text for one cell.
func (c *csvRows) bytes(cell []byte) {
	start := len(c.row)
	c.row = append(c.row, cell...)
	c.endText(start)
}

// endText ends the cell whose text begins at start.
func (c *csvRows) endText(start int) {
	cell := c.row[start:]
	guard := !c.raw && len(cell) > 0 && strings.IndexByte("=+-@\t\r", cell[0]) >= 0
	quote := needsQuotes(cell, guard)
	if guard || quote {
		c.cell = append(c.cell[:0], cell...)
		c.row = appendMarked(c.row[:start], c.cell, guard, quote)
	}
	c.row = append(c.row, ',')
}

// needsQuotes follows encoding/csv: a cell has quotes around it if it has a
// comma, a quote or a line end in it, begins with a space, or is `\.`, which
// ends data in PostgreSQL. A guarded cell begins with its apostrophe.
func needsQuotes(cell []byte, guarded bool) bool {
	for _, b := range cell {
		if b <= ',' && (b == ',' || b == '"' || b == '\n' || b == '\r') {
			return true
		}
	}
	if guarded || len(cell) == 0 {
		return false
	}
	first, _ := utf8.DecodeRune(cell)
	return unicode.IsSpace(first) || string(cell) == `\.`
}

// appendMarked appends a cell with what it needs around and in it.
func appendMarked(to, cell []byte, guard, quote bool) []byte {
	if quote {
		to = append(to, '"')
	}
	if guard {
		to = append(to, '\'')
	}
	for _, b := range cell {
		if b == '"' {
			to = append(to, '"')
		}
		to = append(to, b)
	}
	if quote {
		to = append(to, '"')
	}
	return to
}

// number adds cells that are numbers.
func (c *csvRows) number(cells ...int64) {
	for _, cell := range cells {
		c.row = append(strconv.AppendInt(c.row, cell, 10), ',')
	}
}

// day adds a day as YYYY-MM-DD.
func (c *csvRows) day(d calendar.Day) { c.row = append(d.Append(c.row), ',') }

// stamps adds points in time, empty for none.
func (c *csvRows) stamps(cells ...calendar.Stamp) {
	for _, cell := range cells {
		c.row = append(cell.Append(c.row), ',')
	}
}

// line ends the row, which has at least one cell, and returns it.
func (c *csvRows) line() []byte {
	c.row[len(c.row)-1] = '\n'
	return c.row
}

// end ends the row and writes it.
func (c *csvRows) end() error {
	err := c.write(c.line())
	c.row = c.row[:0]
	return err
}

// write adds a whole row.
func (c *csvRows) write(row []byte) error {
	c.out = append(c.out, row...)
	if len(c.out) < csvPart {
		return nil
	}
	return c.flush()
}

// flush passes on what is held back.
func (c *csvRows) flush() error {
	_, err := c.w.Write(c.out)
	c.out = c.out[:0]
	return err
}
