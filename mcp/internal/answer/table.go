package answer

import (
	"bytes"
	"slices"
	"strconv"

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
	key    []byte // the same as UTF-8, for the structured form
	schema *openapi.Schema
	unit   openapi.Unit
	inner  bool // its values have a table of their own
}

func (c column) name() []byte { return c.raw[1 : len(c.raw)-1] }

func (t *table) mark()     { t.markRows, t.markN = len(t.rows), t.n }
func (t *table) rollback() { t.rows, t.n = t.rows[:t.markRows], t.markN }

// tableAt returns the table of rows under name in the rows of owner, or in the
// data if owner is nil, made when it is first met.
func (sh *shaper) tableAt(owner *table, name []byte, schema *openapi.Schema) *table {
	for _, t := range sh.tables {
		if t.owner == owner && t.name == string(name) {
			return t
		}
	}
	t := &table{name: string(name), owner: owner, schema: schema, cols: make([]column, 0, 16)}
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
	c := column{raw: key, key: valid(key), schema: t.schema.Child(key[1 : len(key)-1])}
	c.unit = sh.unit(c.schema, c.name())
	t.cols = append(t.cols, c)
	sh.used += len(key) + len("\t (own currency)")
	return len(t.cols) - 1
}

// rowAt says what the leading columns of a row hold.
type rowAt struct {
	owner span   // the first cell of the owner's row
	key   []byte // the name of the row, raw
	index int    // its number
}

// element reads a value as a row of t and copies it to out; kind is the token
// that began it.
func (sh *shaper) element(around *scope, t *table, at rowAt, kind jsonscan.Kind, out *[]byte) error {
	cells, spans := len(sh.cells), len(sh.spans)
	var err error
	if kind == jsonscan.ObjectStart {
		err = sh.fields(&scope{around: around.known()}, t, spans, out)
	} else {
		err = sh.cell(around, t, sh.column(t, valueKey), spans, kind, out)
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
		if spans+col < len(sh.spans) {
			cell := sh.spans[spans+col]
			t.rows = append(t.rows, sh.cells[cell.from:cell.to]...)
		}
	}
	t.rows = append(t.rows, '\n')
	t.n++
	sh.wrote(len(t.rows) - before)
	sh.cells, sh.spans = sh.cells[:cells], sh.spans[:spans]
	return nil
}

// appendLeading appends the cells in front of a row's fields.
func (sh *shaper) appendLeading(dst []byte, t *table, at rowAt) []byte {
	if t.owner != nil {
		dst = append(append(dst, sh.cells[at.owner.from:at.owner.to]...), '\t')
	}
	if t.keyed {
		dst = append(appendKeyCell(dst, at.key), '\t')
	}
	if t.items {
		dst = append(strconv.AppendInt(dst, int64(at.index), 10), '\t')
	}
	return dst
}

// fields reads the members of an object as the cells of a row of t, whose
// spans begin at first.
func (sh *shaper) fields(sc *scope, t *table, first int, out *[]byte) error {
	*out = append(*out, '{')
	next := 0 // the column expected to come: rows mostly repeat their keys
	for begun := false; ; begun = true {
		col := next
		if next >= len(t.cols) || !sh.scan.MatchKey(t.cols[next].raw) {
			switch sh.scan.Next() {
			case jsonscan.ObjectEnd:
				*out = append(*out, '}')
				return nil
			case jsonscan.Key:
				col = sh.column(t, sh.scan.Raw())
			default:
				return sh.unexpected()
			}
		}
		next = col + 1
		if begun {
			*out = append(*out, ',')
		}
		*out = append(append(*out, t.cols[col].key...), ':')
		var err error
		if sh.holdsRows() {
			err = sh.innerRows(sc, t, col, first, out)
		} else {
			err = sh.cell(sc, t, col, first, sh.scan.Next(), out)
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

// cell reads one field of a row.
func (sh *shaper) cell(sc *scope, t *table, col, first int, kind jsonscan.Kind, out *[]byte) error {
	for len(sh.spans) <= first+col {
		sh.spans = append(sh.spans, span{})
	}
	from := len(sh.cells)
	c := &t.cols[col]
	if kind == jsonscan.String && string(c.raw) == string(currencyKey) {
		sc.own = unquoted(sh.scan.Raw())
	}
	err := sh.value(sc, kind, c, out)
	sh.spans[first+col] = span{from: from, to: len(sh.cells)}
	return err
}

// innerRows reads the rows that stand in one field of a row.
func (sh *shaper) innerRows(sc *scope, t *table, col, first int, out *[]byte) error {
	if t.n == 0 {
		t.cols[col].inner = true
	}
	sh.currency(sc)
	owner := sh.rowID(t, first)
	c := t.cols[col]
	if sh.scan.Next() == jsonscan.ArrayStart {
		inner := sh.tableAt(t, c.name(), c.schema)
		inner.items = true
		return sh.items(sc, inner, owner, out)
	}
	inner := sh.tableAt(t, c.name(), c.schema.Child(nil))
	inner.keyed = true
	return sh.members(sc, inner, owner, out)
}

// rowID returns the cell that tells the row being read from the others of t.
func (sh *shaper) rowID(t *table, first int) span {
	for i := range t.cols {
		if first+i < len(sh.spans) && (t.id == nil && place(t.cols[i].name()) == 0 || bytes.Equal(t.cols[i].raw, t.id)) {
			t.id = t.cols[i].raw
			return sh.spans[first+i]
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
			return span{from, len(sh.cells)}
		}
	}
	return span{}
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

// items reads an array as rows of t; owner is the first cell of the row around
// it.
func (sh *shaper) items(sc *scope, t *table, owner span, out *[]byte) error {
	*out = append(*out, '[')
	written := false
	for index := 0; ; index++ {
		kind := sh.scan.Next()
		if kind == jsonscan.ArrayEnd {
			*out = append(*out, ']')
			return nil
		}
		if kind <= jsonscan.End {
			return sh.unexpected()
		}
		if err := sh.inner(sc, t, rowAt{owner: owner, index: index}, kind, &written, out); err != nil {
			return err
		}
	}
}

// members reads an object of objects as rows of t.
func (sh *shaper) members(sc *scope, t *table, owner span, out *[]byte) error {
	*out = append(*out, '{')
	written := false
	for {
		switch sh.scan.Next() {
		case jsonscan.ObjectEnd:
			*out = append(*out, '}')
			return nil
		case jsonscan.Key:
		default:
			return sh.unexpected()
		}
		at := rowAt{owner: owner, key: sh.scan.Raw()}
		if err := sh.inner(sc, t, at, sh.scan.Next(), &written, out); err != nil {
			return err
		}
	}
}

// inner reads one row inside another, or inside the data, if it fits; written
// tells whether the container already has one in out.
func (sh *shaper) inner(sc *scope, t *table, at rowAt, kind jsonscan.Kind, written *bool, out *[]byte) error {
	t.seen++
	if t.limit > 0 && t.n >= t.limit {
		return sh.skip(kind)
	}
	if sh.full() {
		sh.cut = true
		return sh.skip(kind)
	}
	if *written {
		*out = append(*out, ',')
	}
	*written = true
	if at.key != nil {
		*out = appendKey(*out, at.key)
	}
	return sh.element(sc, t, at, kind, out)
}
