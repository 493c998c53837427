package answer

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// table is one text table: the list of the answer, or rows found inside it.
type table struct {
	name   string          // empty for the list of the answer
	schema *openapi.Schema // of its rows
	// owner is the table in whose rows this one stands: its first column
	// repeats the first cell of the owner's row.
	owner *table
	keyed bool // the rows have names, shown in a column of their own
	items bool // the rows are numbered from 0, because their place means something
	limit int  // the most rows to keep; 0 keeps all

	cols  []column
	order []int  // the columns as the text shows them
	known int    // how many columns order has taken in
	id    []byte // raw key of the field that tells the rows apart
	rows  []byte // text of the finished rows
	n     int    // how many they are
	seen  int    // how many there were

	markRows, markN int
}

// column is a field of a table.
type column struct {
	raw    []byte // its key as it stands in the body, quotes included
	broken bool   // the key is not UTF-8
	schema *openapi.Schema
	unit   openapi.Unit
	inner  bool // its values have a table of their own
}

func (c *column) name() []byte { return c.raw[1 : len(c.raw)-1] }

func (t *table) mark()     { t.markRows, t.markN = len(t.rows), t.n }
func (t *table) rollback() { t.rows, t.n = t.rows[:t.markRows], t.markN }

// recycled returns t as a table without content, to be used again.
func (t *table) recycled() *table {
	const keep = 64 << 10 // bytes of rows worth keeping
	if cap(t.rows) > keep {
		t.rows = nil
	}
	*t = table{cols: cleared(t.cols), order: t.order[:0], rows: t.rows[:0]}
	return t
}

// newTable returns an empty table.
func (sh *shaper) newTable() *table {
	if last := len(sh.spare) - 1; last >= 0 {
		t := sh.spare[last]
		sh.spare = sh.spare[:last]
		return t
	}
	return &table{}
}

// tableAt returns the table of rows under name in the rows of owner, or in the
// data if owner is nil, made when it is first met.
func (sh *shaper) tableAt(owner *table, name []byte, schema *openapi.Schema) *table {
	for _, t := range sh.tables {
		if t.owner == owner && t.name == string(name) {
			return t
		}
	}
	t := sh.newTable()
	t.name, t.owner, t.schema = string(name), owner, schema
	sh.tables = append(sh.tables, t)
	return t
}

// column returns the place of the field whose raw key is key, adding it if it
// is new.
func (sh *shaper) column(t *table, key []byte) int {
	for i := range t.cols {
		if bytes.Equal(t.cols[i].raw, key) {
			return i
		}
	}
	c := column{raw: key, broken: !utf8.Valid(key), schema: t.schema.Child(key[1 : len(key)-1])}
	c.unit = sh.unit(c.schema, c.name())
	t.cols = append(t.cols, c)
	from := len(sh.head)
	sh.head = appendHeading(sh.head, c.name(), c.unit)
	sh.used += len(sh.head) - from + len("\t")
	sh.head = sh.head[:from]
	return len(t.cols) - 1
}

// rowAt says what the leading columns of a row hold.
type rowAt struct {
	owner cell   // the first cell of the owner's row
	key   []byte // the name of the row, raw
	index int    // its number
}

// element reads a value as a row of t; kind is the token that began it. The
// caller has w copy the value as it stands, element sees to what changes.
func (sh *shaper) element(around *scope, t *table, at rowAt, kind jsonscan.Kind, w *jsonCopy) error {
	cells, first := len(sh.cells), len(sh.row)
	var err error
	if kind == jsonscan.ObjectStart {
		err = sh.fields(&scope{around: around.known()}, t, first, w)
	} else {
		err = sh.field(around, t, sh.column(t, valueKey), first, kind, w)
	}
	if err != nil {
		return err
	}
	t.arrange(sh.opt.Hidden)
	before := len(t.rows)
	t.rows = sh.appendLeading(t.rows, t, at)
	for i, col := range t.order {
		if i > 0 {
			t.rows = append(t.rows, '\t')
		}
		if first+col < len(sh.row) {
			t.rows = sh.appendCell(t.rows, sh.row[first+col])
		}
	}
	t.rows = append(t.rows, '\n')
	t.n++
	sh.wrote(len(t.rows) - before)
	sh.cells, sh.row = sh.cells[:cells], sh.row[:first]
	return nil
}

// appendLeading appends the cells in front of a row's fields.
func (sh *shaper) appendLeading(dst []byte, t *table, at rowAt) []byte {
	if t.owner != nil {
		dst = append(sh.appendCell(dst, at.owner), '\t')
	}
	if t.keyed {
		dst = append(appendKeyCell(dst, at.key), '\t')
	}
	if t.items {
		dst = append(strconv.AppendInt(dst, int64(at.index), 10), '\t')
	}
	return dst
}

// fields reads the members of an object as the cells of a row of t, which
// begin at first.
func (sh *shaper) fields(sc *scope, t *table, first int, w *jsonCopy) error {
	next := 0 // the column expected to come: rows mostly repeat their keys
	for {
		col := next
		if next >= len(t.cols) || !sh.scan.MatchKey(t.cols[next].raw) {
			switch sh.scan.Next() {
			case jsonscan.ObjectEnd:
				return nil
			case jsonscan.Key:
				col = sh.column(t, sh.scan.Raw())
			default:
				return sh.unexpected()
			}
		}
		next = col + 1
		if t.cols[col].broken {
			start := sh.scan.Start()
			w.replace(sh.body, start, start+len(t.cols[col].raw), valid(t.cols[col].raw))
		}
		var err error
		switch {
		case string(t.cols[col].name()) == comparedKey && sh.scan.Peek() == '{':
			err = sh.innerRow(sc, t, col, first, w)
		case sh.holdsRows():
			err = sh.innerRows(sc, t, col, first, w)
		default:
			err = sh.field(sc, t, col, first, sh.scan.Next(), w)
		}
		if err != nil {
			return err
		}
	}
}

// holdsRows reports whether the next value is an array or an object of
// objects, which gets a table of its own.
func (sh *shaper) holdsRows() bool {
	if c := sh.scan.Peek(); c != '{' && c != '[' {
		return false
	}
	probe := sh.scan // opens containers only, so the shared stack stays as it is
	if probe.Next() == jsonscan.ObjectStart && probe.Next() != jsonscan.Key {
		return false
	}
	return probe.Peek() == '{'
}

// field reads one field of a row.
func (sh *shaper) field(sc *scope, t *table, col, first int, kind jsonscan.Kind, w *jsonCopy) error {
	for len(sh.row) <= first+col {
		sh.row = append(sh.row, cell{})
	}
	c := &t.cols[col]
	if kind == jsonscan.Number {
		sh.row[first+col] = sh.number(sc, c, w)
		return nil
	}
	if kind == jsonscan.String && string(c.raw) == string(currencyKey) {
		sc.own = unquoted(sh.scan.Raw())
	}
	text, err := sh.value(sc, kind, c, w)
	sh.row[first+col] = text
	return err
}

// comparedKey is the field in which a row has the earlier row that it is
// compared with.
const comparedKey = "compare"

// innerRow reads the row that stands in one field of a row.
func (sh *shaper) innerRow(sc *scope, t *table, col, first int, w *jsonCopy) error {
	if t.n == 0 {
		t.cols[col].inner = true
	}
	sh.currency(sc)
	owner := sh.rowID(t, first)
	c := &t.cols[col]
	inner := sh.tableAt(t, c.name(), c.schema)
	return sh.element(sc, inner, rowAt{owner: owner}, sh.scan.Next(), w)
}

// innerRows reads the rows that stand in one field of a row.
func (sh *shaper) innerRows(sc *scope, t *table, col, first int, w *jsonCopy) error {
	if t.n == 0 {
		t.cols[col].inner = true
	}
	sh.currency(sc)
	owner := sh.rowID(t, first)
	c := &t.cols[col]
	if sh.scan.Next() == jsonscan.ArrayStart {
		inner := sh.tableAt(t, c.name(), c.schema)
		inner.items = true
		return sh.items(sc, inner, owner, w)
	}
	inner := sh.tableAt(t, c.name(), c.schema.Child(nil))
	inner.keyed = true
	return sh.members(sc, inner, owner, w)
}

// rowID returns the cell that tells the row being read from the others of t.
func (sh *shaper) rowID(t *table, first int) cell {
	for i := range t.cols {
		if first+i < len(sh.row) && (t.id == nil && place(t.cols[i].name()) == 0 || bytes.Equal(t.cols[i].raw, t.id)) {
			t.id = t.cols[i].raw
			return sh.row[first+i]
		}
	}
	for _, key := range idKeys {
		if t.id != nil && !bytes.Equal(key, t.id) {
			continue
		}
		if raw := unquoted(sh.scan.Ahead(key)); raw != nil {
			t.id = key
			from := len(sh.cells)
			sh.cells = sh.appendEscaped(sh.cells, raw)
			return sh.ownCell(from)
		}
	}
	return cell{}
}

// arrange adds the columns that are new to the order of the text: what names a
// row comes first, the rest as the API sends it. The list leaves out hidden.
func (t *table) arrange(hidden []string) {
	if t.known == len(t.cols) {
		return
	}
	t.order = slices.Grow(t.order, len(t.cols)-t.known)
	for ; t.known < len(t.cols); t.known++ {
		t.order = append(t.order, t.known)
	}
	if t.n > 0 {
		return
	}
	slices.SortStableFunc(t.order, func(a, b int) int {
		return place(t.cols[a].name()) - place(t.cols[b].name())
	})
	t.order = slices.DeleteFunc(t.order, func(col int) bool {
		return t.cols[col].inner || t.name == "" && slices.Contains(hidden, string(t.cols[col].name()))
	})
}

// items reads an array as rows of t, as far as they fit; owner is the first
// cell of the row around it.
func (sh *shaper) items(sc *scope, t *table, owner cell, w *jsonCopy) error {
	kept, left := sh.scan.Offset(), false
	for index := 0; ; index++ {
		kind := sh.scan.Next()
		if kind == jsonscan.ArrayEnd {
			return sh.closeInner(left, w)
		}
		if kind <= jsonscan.End {
			return sh.unexpected()
		}
		if left = left || !sh.fits(t, w); left {
			sh.leaveOut(t, kept, w)
			if err := sh.skip(kind); err != nil {
				return err
			}
			continue
		}
		if err := sh.element(sc, t, rowAt{owner: owner, index: index}, kind, w); err != nil {
			return err
		}
		t.seen++
		kept = sh.scan.Offset()
	}
}

// members reads an object of objects as rows of t, as far as they fit.
func (sh *shaper) members(sc *scope, t *table, owner cell, w *jsonCopy) error {
	kept, left := sh.scan.Offset(), false
	for {
		switch sh.scan.Next() {
		case jsonscan.ObjectEnd:
			return sh.closeInner(left, w)
		case jsonscan.Key:
		default:
			return sh.unexpected()
		}
		at, start := rowAt{owner: owner, key: sh.scan.Raw()}, sh.scan.Start()
		kind := sh.scan.Next()
		if left = left || !sh.fits(t, w); left {
			sh.leaveOut(t, kept, w)
			if err := sh.skip(kind); err != nil {
				return err
			}
			continue
		}
		if !utf8.Valid(at.key) {
			w.replace(sh.body, start, start+len(at.key), valid(at.key))
		}
		if err := sh.element(sc, t, at, kind, w); err != nil {
			return err
		}
		t.seen++
		kept = sh.scan.Offset()
	}
}

// fits reports whether t may have another row, and remembers if it is the size
// that forbids it. Room is kept for the first row of the table around t.
func (sh *shaper) fits(t *table, w *jsonCopy) bool {
	if t.limit > 0 && t.n >= t.limit {
		return false
	}
	first := t.owner != nil && t.owner.n == 0
	if sh.full(sh.scan.Offset()-w.at) || first && sh.used+sh.widest+ownerRoom > sh.textLimit {
		sh.cut = true
		return false
	}
	return true
}

// leaveOut counts a row that is left out and copies what stands before the
// first of them: everything up to kept.
func (sh *shaper) leaveOut(t *table, kept int, w *jsonCopy) {
	t.seen++
	if w.at < kept {
		w.keep(sh.body, kept)
	}
}

// closeInner goes on copying at the end of a container just read, if rows in
// front of it were left out.
func (sh *shaper) closeInner(left bool, w *jsonCopy) error {
	if left {
		w.at = sh.scan.Start()
	}
	return nil
}
