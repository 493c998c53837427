package answer

import (
	"bytes"
	"encoding/json"
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

// value copies the value that kind began to out, with its money converted, and
// appends its text to the cells.
func (sh *shaper) value(sc *scope, kind jsonscan.Kind, c *column, out *[]byte) error {
	switch kind {
	case jsonscan.Number:
		return sh.number(sc, c, out)
	case jsonscan.String:
		*out = sh.appendString(*out)
		sh.cells = sh.appendStringCell(sh.cells)
		return nil
	case jsonscan.True, jsonscan.False:
		*out = append(*out, sh.scan.Raw()...)
		sh.cells = append(sh.cells, sh.scan.Raw()...)
		return nil
	case jsonscan.Null:
		*out = append(*out, sh.scan.Raw()...)
		return nil
	case jsonscan.ObjectStart, jsonscan.ArrayStart:
		return sh.nested(sc, kind, *c, out)
	default:
		return sh.unexpected()
	}
}

// nested copies a container that gets no table: its text is its JSON.
func (sh *shaper) nested(sc *scope, kind jsonscan.Kind, c column, out *[]byte) error {
	sh.currency(sc)
	from := len(*out)
	if err := sh.copyContainer(sc, kind, c, from, out); err != nil {
		return err
	}
	if text := (*out)[from:]; len(text) > len("[]") {
		sh.cells = sh.appendEscaped(sh.cells, text)
	}
	return nil
}

// copyContainer copies an object or array to out with its money converted, and
// leaves out what goes far beyond maxText from from on.
func (sh *shaper) copyContainer(around *scope, kind jsonscan.Kind, c column, from int, out *[]byte) error {
	sc := around
	if kind == jsonscan.ObjectStart {
		sc = &scope{around: around.known()}
	}
	*out = append(*out, sh.scan.Raw()...)
	for begun := false; ; {
		next, member := sh.scan.Next(), c
		if next == jsonscan.ObjectEnd || next == jsonscan.ArrayEnd {
			*out = append(*out, sh.scan.Raw()...)
			return nil
		}
		if next == jsonscan.Key {
			member = column{raw: sh.scan.Raw()}
			member.schema = c.schema.Child(member.name())
			member.unit = sh.unit(member.schema, member.name())
			next = sh.scan.Next()
		}
		if len(*out)-from > maxText {
			sh.clipped = true
			if err := sh.skip(next); err != nil {
				return err
			}
			continue
		}
		if begun {
			*out = append(*out, ',')
		}
		begun = true
		if kind == jsonscan.ObjectStart {
			*out = appendKey(*out, member.raw)
		}
		if err := sh.copyValue(sc, next, member, from, out); err != nil {
			return err
		}
	}
}

// copyValue is value for the inside of a container that gets no table.
func (sh *shaper) copyValue(sc *scope, kind jsonscan.Kind, c column, from int, out *[]byte) error {
	if kind == jsonscan.ObjectStart || kind == jsonscan.ArrayStart {
		return sh.copyContainer(sc, kind, c, from, out)
	}
	if kind == jsonscan.String && string(c.raw) == string(currencyKey) {
		sc.own = unquoted(sh.scan.Raw())
	}
	cells := len(sh.cells)
	err := sh.value(sc, kind, &c, out)
	sh.cells = sh.cells[:cells]
	return err
}

// number writes the number just read by its unit.
func (sh *shaper) number(sc *scope, c *column, out *[]byte) error {
	raw := sh.scan.Raw()
	from := len(*out)
	switch c.unit {
	case openapi.MoneyBase:
		sh.baseMissing = sh.baseMissing || !sh.baseKnown && string(raw) != "0"
		*out = sh.appendMoney(*out, raw, sh.baseExponent, sh.baseKnown, c)
	case openapi.MoneyRow, openapi.MoneyCustomer:
		exponent, known := sh.baseExponent, sh.baseKnown
		if currency := sh.currency(sc); currency != nil {
			exponent, known = Exponent(currency)
		}
		*out = sh.appendMoney(*out, raw, exponent, known, c)
	case openapi.None:
		sh.leave(c)
		*out = append(*out, raw...)
	default:
		*out = append(*out, raw...)
	}
	sh.cells = append(sh.cells, (*out)[from:]...)
	return nil
}

// appendMoney appends an amount of minor units in display units. An amount in
// a currency that nobody named is left as it is, and the answer says so.
func (sh *shaper) appendMoney(dst, raw []byte, exponent int, known bool, c *column) []byte {
	if !known && string(raw) != "0" {
		sh.leave(c)
	}
	if exponent == 0 {
		return append(dst, raw...)
	}
	return appendShifted(dst, raw, exponent)
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

// appendString appends the string just read as JSON, as it stands if that is
// valid UTF-8 of a bearable length.
func (sh *shaper) appendString(dst []byte) []byte {
	raw := sh.scan.Raw()
	if len(raw) <= maxText && (sh.scan.Plain() || utf8.Valid(raw)) {
		return append(dst, raw...)
	}
	text := sh.clip(sh.scan.AppendString(nil))
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}

// appendStringCell appends the string just read as the text of a cell.
func (sh *shaper) appendStringCell(dst []byte) []byte {
	if raw := sh.scan.Raw(); sh.scan.Plain() && len(raw) <= maxText {
		return append(dst, raw[1:len(raw)-1]...)
	}
	return sh.appendEscaped(dst, sh.scan.AppendString(nil))
}

// appendEscaped appends text with nothing in it that could end a cell.
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
	case ' ' <= r && r < unicode.MaxASCII: // nearly all of it
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
