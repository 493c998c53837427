package answer

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// maxEcho is the longest value that the head of the text repeats, in bytes.
const maxEcho = 60

// text assembles the text form.
func (sh *shaper) text() string {
	size := len(sh.lines) + textRoom
	for _, t := range sh.tables {
		size += len(t.rows) + 400
	}
	var b strings.Builder
	b.Grow(size)
	sh.writeHead(&b)
	sh.writeNotes(&b)
	b.Write(sh.lines)
	for _, t := range sh.tables {
		sh.writeTable(&b, t)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// writeHead writes what was asked and what the figures cover.
func (sh *shaper) writeHead(b *strings.Builder) {
	b.WriteString(sh.opt.Title)
	if sh.from != "" {
		part(b, sh.from, "..", sh.to)
	}
	if sh.zone != "" {
		part(b, "time zone ", sh.zone)
	}
	if len(sh.base) > 0 {
		part(b, "amounts in ", strings.ToUpper(string(sh.base)))
	}
	for _, p := range sh.echo() {
		part(b, p.Name, "=", short(p.Value))
	}
	b.WriteByte('\n')
}

// echo returns what the API and the caller say about the request, each
// argument once.
func (sh *shaper) echo() []Pair {
	for _, p := range sh.opt.Query {
		if p.Name != "date" || sh.from == "" {
			sh.addQuery(p)
		}
	}
	return sh.query
}

// part writes one part of the head.
func part(b *strings.Builder, pieces ...string) {
	if b.Len() > 0 {
		b.WriteString(" | ")
	}
	for _, piece := range pieces {
		b.WriteString(piece)
	}
}

// writeNotes says how much of the whole the answer is.
func (sh *shaper) writeNotes(b *strings.Builder) {
	if sh.listed {
		sh.writeExtent(b)
	}
	for _, t := range sh.tables {
		if t.seen > t.n && t.limit > 0 && t.n == t.limit {
			b.WriteString(Printable(t.name) + ": the first " + strconv.Itoa(t.n) + " of " + strconv.Itoa(t.seen) + ".\n")
		}
	}
	if sh.cut {
		b.WriteString("Cut to the size limit. ")
		if sh.opt.Narrow != "" {
			b.WriteString(sh.opt.Narrow)
		}
		b.WriteByte('\n')
	}
	if sh.clipped {
		b.WriteString("Long values are shortened where marked \"...\".\n")
	}
	sh.writeDoubt(b)
	sh.writeUnscaled(b)
	for _, note := range sh.opt.Notes {
		b.WriteString(Printable(note) + "\n")
	}
}

// writeDoubt says of figures that are all 0 which filters may match nothing: a
// value with a slip looks like a business without revenue.
func (sh *shaper) writeDoubt(b *strings.Builder) {
	if sh.figures == 0 || sh.zeros < sh.figures || len(sh.opt.Filters) == 0 {
		return
	}
	b.WriteString("Every figure here is 0. Check that these filters match anything: ")
	for i, p := range sh.opt.Filters {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name + "=" + short(p.Value))
	}
	b.WriteString(".\n")
}

// short is a value as the head and the notes repeat it.
func short(value string) string {
	if len(value) > maxEcho {
		value = strings.ToValidUTF8(value[:maxEcho], "") + "..."
	}
	return Printable(value)
}

// writeUnscaled names the fields whose numbers stay as the API sent them, as
// far as there is room.
func (sh *shaper) writeUnscaled(b *strings.Builder) {
	if len(sh.unscaled) == 0 {
		return
	}
	var names []byte
	for i, key := range sh.unscaled {
		from := len(names)
		if i > 0 {
			names = append(names, ", "...)
		}
		if names = appendKeyCell(names, key); len(names) > maxUnscaledText {
			names = append(names[:from], " ..."...)
			break
		}
	}
	b.WriteString("As the API sent them, unit or currency not known (money would be minor units): ")
	b.Write(append(names, '\n'))
}

func (sh *shaper) writeExtent(b *strings.Builder) {
	total := sh.total()
	switch {
	case total == 0:
		b.WriteString("0 rows: nothing matches.\n")
		return
	case sh.complete():
		b.WriteString(strconv.Itoa(total) + " of " + strconv.Itoa(total) + " rows, complete.")
	case sh.shown == 0:
		b.WriteString("0 of " + strconv.Itoa(total) + " rows.")
	default:
		b.WriteString("Rows " + strconv.Itoa(sh.opt.Offset+1) + "-" + strconv.Itoa(sh.opt.Offset+sh.shown) +
			" of " + strconv.Itoa(total) + ".")
	}
	if next := sh.next(); next > 0 {
		b.WriteString(" Next: offset=" + strconv.Itoa(next) + ".")
	}
	b.WriteByte('\n')
}

// writeTable writes a table with its column heads.
func (sh *shaper) writeTable(b *strings.Builder, t *table) {
	if t.n == 0 {
		return
	}
	if t.name != "" {
		b.WriteString("\n" + Printable(t.name) + ":\n")
	}
	head := make([]byte, 0, 400)
	if t.owner != nil {
		if len(t.owner.id) > 0 {
			head = appendPrintable(head, unquoted(t.owner.id))
		}
		head = append(head, '\t')
	}
	if t.keyed {
		head = append(head, "key\t"...)
	}
	if t.items {
		head = append(head, "#\t"...)
	}
	for i, col := range t.order {
		c := t.cols[col]
		if i > 0 {
			head = append(head, '\t')
		}
		head = appendHeading(head, c.name(), c.unit)
	}
	b.Write(append(head, '\n'))
	b.Write(t.rows)
}

// appendHeading appends the head of a field.
func appendHeading(dst, name []byte, unit openapi.Unit) []byte {
	dst = appendPrintable(dst, name)
	switch unit {
	case openapi.Percent:
		return append(dst, " (%)"...)
	case openapi.MoneyRow, openapi.MoneyCustomer:
		return append(dst, " (own currency)"...)
	default:
		return dst
	}
}

// total is the number of rows that match, here or elsewhere.
func (sh *shaper) total() int {
	total := sh.seen
	if sh.opt.Paged {
		total += sh.opt.Offset
	}
	return max(total, sh.count)
}

// complete reports whether the answer holds every row there is, and all of it.
func (sh *shaper) complete() bool {
	return !sh.cut && (!sh.listed || sh.shown == sh.total())
}

// next is the offset of the first row behind this answer, 0 if there is none.
func (sh *shaper) next() int {
	next := sh.opt.Offset + sh.shown
	if sh.shown == 0 || next >= sh.total() {
		return 0
	}
	return next
}

// structured assembles the structured form.
func (sh *shaper) structured() json.RawMessage {
	head := append(sh.head[:0], '{')
	head = sh.appendQuery(head)
	if sh.listed {
		head = appendInt(head, `"returned":`, sh.shown)
		head = appendInt(head, `,"total":`, sh.total())
		head = append(head, ',')
	}
	head = append(head, `"complete":`...)
	head = strconv.AppendBool(head, sh.complete())
	if next := sh.next(); next > 0 {
		head = appendInt(head, `,"next":`, next)
	}
	head = sh.appendUnits(head)
	sh.head = head
	out := sh.rows.out
	if sh.listed {
		out = joinHead(head, out)
	} else {
		out = append(make([]byte, 0, len(head)+len(sh.data.out)+len(`,"data":{}}`)), head...)
	}
	if len(sh.data.out) > 0 {
		out = append(append(append(out, `,"data":{`...), sh.data.out...), '}')
	}
	return append(out, '}')
}

// joinHead puts head in front of rows, into the room that was left there if it
// is large enough.
func joinHead(head, rows []byte) []byte {
	from := headRoom - len(head)
	if from < 0 {
		return slices.Concat(head, rows[headRoom:])
	}
	copy(rows[from:], head)
	return rows[from:]
}

// appendQuery appends what was asked and what the figures cover.
func (sh *shaper) appendQuery(dst []byte) []byte {
	if sh.from != "" {
		dst = append(appendJSONString(append(dst, `"range":`...), sh.from+"/"+sh.to), ',')
	}
	if sh.zone != "" {
		dst = append(appendJSONString(append(dst, `"timezone":`...), sh.zone), ',')
	}
	if len(sh.base) > 0 {
		dst = append(appendJSONString(append(dst, `"currency":`...), string(sh.base)), ',')
	}
	query := sh.echo()
	if len(query) == 0 {
		return dst
	}
	dst = append(dst, `"query":{`...)
	for i, p := range query {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONString(dst, p.Name), ':')
		dst = appendJSONString(dst, p.Value)
	}
	return append(dst, `},`...)
}

// appendUnits names the fields that hold amounts or percentages.
func (sh *shaper) appendUnits(dst []byte) []byte {
	dst = append(dst, `,"units":{`...)
	from := len(dst)
	tables := append(sh.tables, &sh.facts)
	for i, t := range tables {
		for _, c := range t.cols {
			word := unitWord(c.unit)
			if word == "" || named(tables[:i], c.raw) {
				continue
			}
			if len(dst) > from {
				dst = append(dst, ',')
			}
			dst = append(appendKey(dst, c.raw), word...)
		}
	}
	return append(dst, '}')
}

// named reports whether one of tables has a column for the key raw.
func named(tables []*table, raw []byte) bool {
	for _, t := range tables {
		for _, c := range t.cols {
			if bytes.Equal(c.raw, raw) {
				return true
			}
		}
	}
	return false
}

// unitWord returns the unit as the structured form writes it, empty for plain
// numbers.
func unitWord(unit openapi.Unit) string {
	switch unit {
	case openapi.Percent:
		return `"percent"`
	case openapi.MoneyBase:
		return `"money"`
	case openapi.MoneyRow, openapi.MoneyCustomer:
		return `"money in the row's currency"`
	default:
		return ""
	}
}

func appendInt(dst []byte, key string, n int) []byte {
	return strconv.AppendInt(append(dst, key...), int64(n), 10)
}

// appendJSONString appends s as a JSON string.
func appendJSONString(dst []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}
