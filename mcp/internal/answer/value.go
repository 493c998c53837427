package answer

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// The keys that mean something here, in their raw form. They are read only.
var (
	currencyKey     = []byte(`"currency"`)
	baseCurrencyKey = []byte(`"base_currency"`)
	valueKey        = []byte(`"value"`)
	// idKeys tell rows apart, in the order to try them.
	idKeys = [][]byte{[]byte(`"cohort_group"`), []byte(`"date"`), []byte(`"id"`)}
)

// place says how far in front a field stands in the text: what tells rows
// apart is at 0.
func place(name []byte) int {
	switch string(name) {
	case "cohort_group", "date", "id":
		return 0
	case "rank", "label", "end_date", "customer_id", "key":
		return 1
	case "name", "customer_name":
		return 2
	case "email", "customer_email", "type", "status":
		return 3
	case "description", "total_mrr", "mrr", "mrr_change", "mrr_change_base_currency", "customer_count", "currency":
		return 4
	default:
		return 5
	}
}

// scope is an object on the way down to a value: the currency of its amounts.
type scope struct {
	own      []byte // named in the object
	around   []byte // of the objects around it
	searched bool
}

// known returns the currency as far as it was looked for.
func (sc *scope) known() []byte {
	if sc.own != nil {
		return sc.own
	}
	return sc.around
}

// currency returns the currency of amounts in sc, looking ahead in the object
// that the scanner is in if it has not been met yet.
func (sh *shaper) currency(sc *scope) []byte {
	if sc.own == nil && !sc.searched {
		sc.searched = true
		sc.own = unquoted(sh.scan.Ahead(currencyKey))
	}
	return sc.known()
}

// unquoted returns the inside of a raw string, nil for any other value.
func unquoted(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1]
}

// value reads the value that kind began, converts its money and returns its
// text.
func (sh *shaper) value(sc *scope, kind jsonscan.Kind, c *column, w *jsonCopy) (cell, error) {
	switch kind {
	case jsonscan.Number:
		return sh.number(sc, c, w), nil
	case jsonscan.String:
		return sh.str(w), nil
	case jsonscan.True, jsonscan.False:
		return cell{from: sh.scan.Start(), to: sh.scan.Offset()}, nil
	case jsonscan.Null:
		return cell{}, nil
	case jsonscan.ObjectStart, jsonscan.ArrayStart:
		return sh.nested(sc, kind, c, w)
	default:
		return cell{}, sh.unexpected()
	}
}

// str reads the string just begun. It is copied as it stands if that is valid
// UTF-8 of a bearable length.
func (sh *shaper) str(w *jsonCopy) cell {
	raw, start, end := sh.scan.Raw(), sh.scan.Start(), sh.scan.Offset()
	short := len(raw) <= maxText
	if short && sh.scan.Plain() {
		return cell{from: start + 1, to: end - 1}
	}
	text := sh.scan.AppendString(nil)
	if !short || !utf8.Valid(raw) {
		text = sh.clip(text)
		w.replace(sh.body, start, end, appendJSONString(nil, string(text)))
	}
	from := len(sh.cells)
	sh.cells = appendPrintable(sh.cells, text)
	return sh.ownCell(from)
}

// nested copies a container that gets no table: its text is its JSON.
func (sh *shaper) nested(sc *scope, kind jsonscan.Kind, c *column, w *jsonCopy) (cell, error) {
	sh.currency(sc)
	w.keep(sh.body, sh.scan.Start())
	start := len(w.out)
	if err := sh.copyContainer(sc, kind, *c, sh.scan.Start(), w); err != nil {
		return cell{}, err
	}
	w.keep(sh.body, sh.scan.Offset())
	from := len(sh.cells)
	if text := w.out[start:]; len(text) > len("[]") {
		sh.cells = appendPrintable(sh.cells, sh.clip(text))
	}
	return sh.ownCell(from), nil
}

// copyContainer reads an object or array that gets no table, converts its
// money, and leaves out what goes far beyond maxText from start on.
func (sh *shaper) copyContainer(around *scope, kind jsonscan.Kind, c column, start int, w *jsonCopy) error {
	sc := around
	if kind == jsonscan.ObjectStart {
		sc = &scope{around: around.known()}
	}
	kept, left := sh.scan.Offset(), false
	for {
		next, member, key := sh.scan.Next(), c, 0
		if next == jsonscan.ObjectEnd || next == jsonscan.ArrayEnd {
			return sh.closeInner(left, w)
		}
		if next == jsonscan.Key {
			member = column{raw: sh.scan.Raw()}
			member.schema = c.schema.Child(member.name())
			member.unit = sh.unit(member.schema, member.name())
			key = sh.scan.Start()
			next = sh.scan.Next()
		}
		if next <= jsonscan.End {
			return sh.unexpected()
		}
		if left = left || sh.scan.Offset()-start > maxText; left {
			sh.clipped = true
			if w.at < kept {
				w.keep(sh.body, kept)
			}
			if err := sh.skip(next); err != nil {
				return err
			}
			continue
		}
		if kind == jsonscan.ObjectStart && !utf8.Valid(member.raw) {
			w.replace(sh.body, key, key+len(member.raw), valid(member.raw))
		}
		if err := sh.copyValue(sc, next, member, start, w); err != nil {
			return err
		}
		kept = sh.scan.Offset()
	}
}

// copyValue is value for the inside of a container that gets no table.
func (sh *shaper) copyValue(sc *scope, kind jsonscan.Kind, c column, start int, w *jsonCopy) error {
	if kind == jsonscan.ObjectStart || kind == jsonscan.ArrayStart {
		return sh.copyContainer(sc, kind, c, start, w)
	}
	if kind == jsonscan.String && string(c.raw) == string(currencyKey) {
		sc.own = unquoted(sh.scan.Raw())
	}
	cells := len(sh.cells)
	_, err := sh.value(sc, kind, &c, w)
	sh.cells = sh.cells[:cells]
	return err
}

// number reads the number just scanned by its unit: money moves its decimal
// point, everything else stays.
func (sh *shaper) number(sc *scope, c *column, w *jsonCopy) cell {
	start, end := sh.scan.Start(), sh.scan.Offset()
	if c.unit.IsMoney() || c.unit == openapi.Count {
		sh.figures++
		if string(sh.scan.Raw()) == "0" {
			sh.zeros++
		}
	}
	exponent := sh.exponent(sc, c)
	if exponent == 0 {
		return cell{from: start, to: end}
	}
	raw := sh.scan.Raw()
	digits := len(raw)
	if raw[0] == '-' {
		digits--
	}
	if sh.scan.Whole() && digits > exponent {
		point := end - exponent
		w.keep(sh.body, point)
		w.out = append(w.out, '.')
		return cell{from: start, to: end, point: point}
	}
	from := len(sh.cells)
	sh.cells = appendShifted(sh.cells, raw, exponent)
	w.replace(sh.body, start, end, sh.cells[from:])
	return sh.ownCell(from)
}

// exponent returns by how many digits the point of the number just scanned
// moves. An amount in a currency that nobody named stays as it is, and the
// answer says so.
func (sh *shaper) exponent(sc *scope, c *column) int {
	switch c.unit {
	case openapi.MoneyBase:
		if !sh.baseKnown && string(sh.scan.Raw()) != "0" {
			sh.baseMissing = true
			sh.leave(c)
		}
		return sh.baseExponent
	case openapi.MoneyRow, openapi.MoneyCustomer:
		exponent, known := sh.baseExponent, sh.baseKnown
		if currency := sh.currency(sc); currency != nil {
			exponent, known = Exponent(currency)
		}
		if !known && string(sh.scan.Raw()) != "0" {
			sh.leave(c)
		}
		return exponent
	case openapi.None:
		sh.leave(c)
		return 0
	default:
		return 0
	}
}

// leave remembers that the numbers of a field stay as the API sent them.
func (sh *shaper) leave(c *column) {
	for _, known := range sh.unscaled {
		if bytes.Equal(known, c.raw) {
			return
		}
	}
	if len(sh.unscaled) < maxUnscaled {
		sh.unscaled = append(sh.unscaled, c.raw)
	}
}

// appendKey appends a raw key and its colon.
func appendKey(dst, key []byte) []byte {
	return append(append(dst, valid(key)...), ':')
}

// valid returns text as UTF-8; bytes that are not become U+FFFD.
func valid(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	return bytes.ToValidUTF8(text, []byte("\ufffd"))
}

// appendEscaped appends text, shortened if it is too long, with nothing in it
// that could end a cell.
func (sh *shaper) appendEscaped(dst, text []byte) []byte {
	return appendPrintable(dst, sh.clip(text))
}

// Printable returns text with nothing in it that could end a line or hide what
// follows: control and format characters are escaped.
func Printable(text string) string { return string(appendPrintable(nil, []byte(text))) }

// appendPrintable appends text with nothing in it that could end a cell.
func appendPrintable(dst, text []byte) []byte {
	for _, r := range string(text) {
		dst = appendRune(dst, r)
	}
	return dst
}

// clip shortens text that is too long and says by how much.
func (sh *shaper) clip(text []byte) []byte {
	if len(text) <= maxText {
		return text
	}
	sh.clipped = true
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	left := strconv.Itoa(len(text) - end)
	return append(text[:end:end], "... (+"+left+" bytes)"...)
}

// appendRune appends r, escaped if it would break the table or hide text:
// control and format characters, line and paragraph separators.
func appendRune(dst []byte, r rune) []byte {
	switch {
	case r >= ' ' && r < 0x7f:
		return append(dst, byte(r))
	case r == '\t':
		return append(dst, `\t`...)
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r < ' ' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		quoted := strconv.QuoteRuneToASCII(r)
		return append(dst, quoted[1:len(quoted)-1]...)
	default:
		return utf8.AppendRune(dst, r)
	}
}

// appendKeyCell appends a raw key as the text of a cell.
func appendKeyCell(dst, key []byte) []byte {
	s := jsonscan.NewScanner(key)
	if s.Next() != jsonscan.String {
		return dst
	}
	return appendPrintable(dst, s.AppendString(nil))
}
