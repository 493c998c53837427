package answer

import (
	"slices"
	"strconv"

	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// document reads the whole body.
func (sh *shaper) document() error {
	var err error
	switch kind := sh.scan.Next(); kind {
	case jsonscan.ObjectStart:
		sc := &scope{}
		sh.findCurrency(sc)
		err = sh.envelope(sc, sh.opt.Schema, false)
	case jsonscan.ArrayStart:
		err = sh.list(&scope{}, sh.opt.Schema, false)
	case jsonscan.Invalid, jsonscan.End:
		return sh.unexpected()
	default:
		err = sh.section(&scope{}, sh.opt.Schema, valueKey, kind)
	}
	if err != nil {
		return err
	}
	if sh.scan.Next() != jsonscan.End {
		return sh.unexpected()
	}
	return nil
}

// findCurrency reads the reporting currency at the top of the body before
// anything else: amounts may stand in front of it.
func (sh *shaper) findCurrency(sc *scope) {
	key := currencyKey
	if owner := sh.opt.Schema.Child(unquoted(currencyKey)).Unit(); owner == openapi.CurrencyRow || owner == openapi.CurrencyCustomer {
		sh.currency(sc)
		key = baseCurrencyKey
	}
	sc.searched = true
	if base := unquoted(sh.scan.Ahead(key)); base != nil {
		sh.setBase(base)
	}
}

// envelope reads the members of the body's outer object, or of its "result".
func (sh *shaper) envelope(sc *scope, schema *openapi.Schema, inResult bool) error {
	for {
		switch sh.scan.Next() {
		case jsonscan.ObjectEnd:
			return nil
		case jsonscan.Key:
		default:
			return sh.unexpected()
		}
		key := sh.scan.Raw()
		if err := sh.member(sc, schema.Child(key[1:len(key)-1]), key, inResult); err != nil {
			return err
		}
	}
}

// member reads the value of one member of the envelope.
func (sh *shaper) member(sc *scope, schema *openapi.Schema, key []byte, inResult bool) error {
	kind := sh.scan.Next()
	name := string(key[1 : len(key)-1])
	if inResult {
		switch {
		case name == "list" && kind == jsonscan.ArrayStart:
			return sh.list(sc, schema, false)
		case name == "list" && kind == jsonscan.ObjectStart:
			return sh.list(sc, schema.Child(nil), true)
		case sh.readPage(name, kind):
			return nil
		}
		return sh.section(sc, schema, key, kind)
	}
	switch {
	case sh.opt.Paged && sh.readPage(name, kind):
		return nil
	case name == "result" && kind == jsonscan.ObjectStart:
		return sh.envelope(sc, schema, true)
	case kind == jsonscan.ArrayStart && (name == "result" || name == "webhooks" || name == "values" || name == "deliveries"):
		return sh.list(sc, schema, false)
	case name == "query" && kind == jsonscan.ObjectStart && schema != nil:
		return sh.readQuery()
	case (name == "breakdown" || name == comparedKey) && kind == jsonscan.String && schema != nil:
		sh.setQuery([]byte(name), sh.scan.String())
		return nil
	case name == "currency" && kind == jsonscan.String && sc.own == nil:
		return nil // findCurrency has read it, the head says it
	}
	return sh.section(sc, schema, key, kind)
}

// readPage reads what an answer says about its page, which the head says again.
func (sh *shaper) readPage(name string, kind jsonscan.Kind) bool {
	switch {
	case kind != jsonscan.Number && kind != jsonscan.True && kind != jsonscan.False:
		return false
	case name == "count":
		if n, err := strconv.Atoi(string(sh.scan.Raw())); err == nil {
			sh.count = n
		}
		return true
	default:
		return name == "limit" || name == "offset" || name == "has_more"
	}
}

// readQuery reads how the API understood the request.
func (sh *shaper) readQuery() error {
	for {
		switch sh.scan.Next() {
		case jsonscan.ObjectEnd:
			return nil
		case jsonscan.Key:
		default:
			return sh.unexpected()
		}
		raw := sh.scan.Raw()
		name := raw[1 : len(raw)-1]
		kind := sh.scan.Next()
		switch {
		case kind == jsonscan.ObjectStart && string(name) == "filters":
			if err := sh.readQuery(); err != nil {
				return err
			}
			continue
		case kind == jsonscan.String:
			sh.setQuery(name, sh.scan.String())
		case kind == jsonscan.True:
			sh.setQuery(name, "true")
		}
		if err := sh.skip(kind); err != nil {
			return err
		}
	}
}

func (sh *shaper) setQuery(name []byte, value string) {
	switch string(name) {
	case "from":
		sh.from = value
	case "to":
		sh.to = value
	case "timezone":
		sh.zone = value
	default:
		sh.addQuery(Pair{string(name), value})
	}
}

// addQuery adds an argument unless it is known already.
func (sh *shaper) addQuery(p Pair) {
	if !slices.ContainsFunc(sh.query, func(q Pair) bool { return q.Name == p.Name }) {
		sh.query = append(sh.query, p)
	}
}

// list reads the rows of the answer: an array, or an object of rows by key.
func (sh *shaper) list(sc *scope, schema *openapi.Schema, keyed bool) error {
	main := sh.newTable()
	main.schema, main.keyed = schema, keyed
	sh.listed = true
	sh.tables = slices.Insert(sh.tables, 0, main)
	sh.rows.out = make([]byte, headRoom, min(len(sh.body)+len(sh.body)/8+256, sh.jsonLimit)+2*headRoom)
	sh.rows.out = append(sh.rows.out, `,"rows":[`...)
	start := len(sh.rows.out)
	for {
		kind := sh.scan.Next()
		if kind == jsonscan.ArrayEnd || kind == jsonscan.ObjectEnd {
			sh.rows.out = append(sh.rows.out, ']')
			return nil
		}
		var at rowAt
		if kind == jsonscan.Key {
			at.key = sh.scan.Raw()
			kind = sh.scan.Next()
		}
		if kind <= jsonscan.End {
			return sh.unexpected()
		}
		if err := sh.listElement(sc, main, at, kind, start); err != nil {
			return err
		}
	}
}

// listElement reads one row of the answer and keeps it if it is wanted and
// fits. The JSON of the first row stands at start.
func (sh *shaper) listElement(sc *scope, main *table, at rowAt, kind jsonscan.Kind, start int) error {
	index := sh.seen
	sh.seen++
	if !sh.wanted(index) {
		return sh.skip(kind)
	}
	if sh.cut || sh.shown > 0 && sh.full(0) {
		sh.cut = true
		return sh.skip(kind)
	}
	m := sh.mark()
	if m.rows > start {
		sh.rows.out = append(sh.rows.out, ',')
	}
	sh.beginRow(at, kind)
	if err := sh.element(sc, main, at, kind, &sh.rows); err != nil {
		return err
	}
	sh.rows.keep(sh.body, sh.scan.Offset())
	// A row whose inner tables did not fit waits for the next page, unless it
	// is the first one and would never fit.
	if sh.over() || sh.cut && sh.shown > 0 {
		sh.rollback(m)
		return nil
	}
	sh.shown++
	sh.widestJSON = max(sh.widestJSON, len(sh.rows.out)-m.rows)
	return nil
}

// beginRow begins to copy a row whose first token was read. The name of a row,
// if it has one, becomes its first member.
func (sh *shaper) beginRow(at rowAt, kind jsonscan.Kind) {
	sh.rows.at = sh.scan.Start()
	if at.key == nil || kind != jsonscan.ObjectStart {
		return
	}
	sh.rows.out = append(append(sh.rows.out, `{"key":`...), valid(at.key)...)
	if sh.scan.Peek() != '}' {
		sh.rows.out = append(sh.rows.out, ',')
	}
	sh.rows.at = sh.scan.Offset()
}

// wanted reports whether the row at index is inside Offset and Limit.
func (sh *shaper) wanted(index int) bool {
	if sh.opt.Paged {
		return true
	}
	return index >= sh.opt.Offset && (sh.opt.Limit <= 0 || index < sh.opt.Offset+sh.opt.Limit)
}

// section reads one member of the answer's data, which is not a row.
func (sh *shaper) section(sc *scope, schema *openapi.Schema, key []byte, kind jsonscan.Kind) error {
	name := string(key[1 : len(key)-1])
	at := nodeAt{raw: key, line: name, prefix: name + ".", schema: schema}
	if name == "summary" {
		at.prefix = ""
	}
	m := sh.mark()
	if m.data > 0 {
		sh.data.out = append(sh.data.out, ',')
	}
	sh.data.out = appendKey(sh.data.out, key)
	if err := sh.node(sc, at, kind); err != nil {
		return err
	}
	if sh.over() {
		sh.rollback(m)
	}
	return nil
}

// nodeAt says where in the data a value stands.
type nodeAt struct {
	raw    []byte          // its key
	line   string          // how its line in the text begins
	prefix string          // how the lines of its members begin
	schema *openapi.Schema // what the contract knows about it
}

// node reads a value of the data: scalars become lines, lists of objects
// tables.
func (sh *shaper) node(sc *scope, at nodeAt, kind jsonscan.Kind) error {
	switch {
	case kind == jsonscan.ObjectStart:
		return sh.object(sc, at)
	case kind == jsonscan.ArrayStart && sh.scan.Peek() == '{':
		t := sh.tableAt(nil, at.raw[1:len(at.raw)-1], at.schema)
		t.limit = sh.opt.SectionRows
		sh.data.at = sh.scan.Start()
		err := sh.items(sc, t, cell{}, &sh.data)
		sh.data.keep(sh.body, sh.scan.Offset())
		return err
	default:
		return sh.line(sc, at, kind)
	}
}

// line writes a value of the data as one line of text.
func (sh *shaper) line(sc *scope, at nodeAt, kind jsonscan.Kind) error {
	before := len(sh.lines)
	c := &column{raw: at.raw, schema: at.schema, unit: sh.unit(at.schema, at.raw[1:len(at.raw)-1])}
	sh.facts.cols = append(sh.facts.cols, *c)
	sh.lines = append(appendHeading(sh.lines, []byte(at.line), c.unit), '\t')
	sh.data.at = sh.scan.Start()
	text, err := sh.value(sc, kind, c, &sh.data)
	if err != nil {
		return err
	}
	sh.data.keep(sh.body, sh.scan.Offset())
	sh.lines = append(sh.appendCell(sh.lines, text), '\n')
	sh.cells = sh.cells[:0]
	sh.wrote(len(sh.lines) - before)
	return nil
}

// object reads the members of an object of the data. Members that are objects
// themselves become rows of a table named like the object.
func (sh *shaper) object(around *scope, at nodeAt) error {
	sc := &scope{around: sh.currency(around)}
	sh.data.out = append(sh.data.out, '{')
	first := true
	for {
		switch sh.scan.Next() {
		case jsonscan.ObjectEnd:
			sh.data.out = append(sh.data.out, '}')
			return nil
		case jsonscan.Key:
		default:
			return sh.unexpected()
		}
		key := sh.scan.Raw()
		kind := sh.scan.Next()
		container := kind == jsonscan.ObjectStart || kind == jsonscan.ArrayStart
		if sh.over() || container && sh.full(0) {
			sh.cut = true
			if err := sh.skip(kind); err != nil {
				return err
			}
			continue
		}
		if !first {
			sh.data.out = append(sh.data.out, ',')
		}
		first = false
		sh.data.out = appendKey(sh.data.out, key)
		if err := sh.objectMember(sc, at, key, kind); err != nil {
			return err
		}
	}
}

func (sh *shaper) objectMember(sc *scope, at nodeAt, key []byte, kind jsonscan.Kind) error {
	name := string(key[1 : len(key)-1])
	schema := at.schema.Child(key[1 : len(key)-1])
	if kind == jsonscan.ObjectStart {
		t := sh.tableAt(nil, at.raw[1:len(at.raw)-1], schema)
		t.keyed = true
		sh.data.at = sh.scan.Start()
		err := sh.element(sc, t, rowAt{key: key}, kind, &sh.data)
		sh.data.keep(sh.body, sh.scan.Offset())
		return err
	}
	return sh.node(sc, nodeAt{raw: key, line: at.prefix + name, prefix: at.prefix + name + ".", schema: schema}, kind)
}

// skip reads over the value that kind began.
func (sh *shaper) skip(kind jsonscan.Kind) error {
	if !sh.scan.Skip(kind) {
		return sh.unexpected()
	}
	return nil
}
