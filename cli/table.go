package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table is an answer as rows of named cells, its keys in the order they came.
type table struct {
	keys []string
	rows []map[string]cell
}

// add appends a row whose cells have these keys.
func (t *table) add(row map[string]cell, keys ...string) {
	for _, key := range keys {
		if !slices.Contains(t.keys, key) {
			t.keys = append(t.keys, key)
		}
	}
	t.rows = append(t.rows, row)
}

// cell is one value, formatted.
type cell struct {
	text     string
	currency string // of an amount
	number   bool
	percent  bool
}

// csv writes every key as a column, amounts as plain decimals.
func (t table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.keys); err != nil {
		return err
	}
	record := make([]string, len(t.keys))
	for _, row := range t.rows {
		for i, key := range t.keys {
			record[i] = row[key].text
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// text writes an aligned table of the columns that people read first.
func (t table) text(w io.Writer, chosen []string) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, "No data")
		return err
	}
	keys := t.pick(chosen)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heads := make([]string, len(keys))
	for i, key := range keys {
		heads[i] = strings.ToUpper(strings.ReplaceAll(key, "_", " "))
	}
	_, _ = fmt.Fprintln(out, strings.Join(heads, "\t"))
	for _, row := range t.rows {
		cells := make([]string, len(keys))
		for i, key := range keys {
			cells[i] = row[key].forPeople()
		}
		_, _ = fmt.Fprintln(out, strings.Join(cells, "\t")) // Flush reports
	}
	return out.Flush()
}

// forPeople is a cell as a table on a terminal has it.
func (c cell) forPeople() string {
	switch {
	case c.currency != "":
		return grouped(c.text) + " " + strings.ToUpper(c.currency)
	case c.percent:
		return c.text + "%"
	default:
		return Printable(c.text)
	}
}

// pick returns those of the chosen keys that the table has, with what a
// breakdown or a comparison adds: its value, and the earlier day and figure.
func (t table) pick(chosen []string) []string {
	var keys []string
	for _, key := range chosen {
		if slices.Contains(t.keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return t.keys
	}
	for _, key := range keys[:min(2, len(keys))] {
		if earlier := "compare_" + key; slices.Contains(t.keys, earlier) {
			keys = append(keys, earlier)
		}
	}
	if slices.Contains(t.keys, "breakdown") {
		keys = slices.Insert(keys, 1, "breakdown")
	}
	return keys
}

// Printable keeps text that came from customers from driving the terminal and
// from turning around what stands beside it.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

// grouped puts a comma between thousands.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, fraction, dot := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if dot {
		whole += "." + fraction
	}
	return sign + whole
}
