package httpapi

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// csvRows writes rows of CSV (RFC 4180, lines end in LF).
type csvRows struct {
	w   *csv.Writer
	row []string
	// raw leaves text as it is that a spreadsheet would take for a formula.
	raw bool
}

func newCSVRows(w io.Writer, raw bool) *csvRows { return &csvRows{w: csv.NewWriter(w), raw: raw} }

// text adds a cell. Names come from customers of the account: one that begins
// like a formula gets an apostrophe, which spreadsheets show as text.
func (c *csvRows) text(cells ...string) {
	for _, cell := range cells {
		if !c.raw && cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 {
			cell = "'" + cell
		}
		c.row = append(c.row, cell)
	}
}

// number adds cells that are numbers.
func (c *csvRows) number(cells ...int64) {
	for _, cell := range cells {
		c.row = append(c.row, strconv.FormatInt(cell, 10))
	}
}

// end ends the row.
func (c *csvRows) end() error {
	err := c.w.Write(c.row)
	c.row = c.row[:0]
	return err
}

// flush passes on what is held back.
func (c *csvRows) flush() error {
	c.w.Flush()
	return c.w.Error()
}
