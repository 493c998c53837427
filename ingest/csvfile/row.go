package csvfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Fault is what is wrong with one row of a file.
type Fault struct {
	File    string
	Line    int
	ID      string
	Field   string
	Message string
}

// String says it in one line.
func (f Fault) String() string {
	at := fmt.Sprintf("%s:%d", f.File, f.Line)
	if f.ID != "" {
		at += " (" + f.ID + ")"
	}
	if f.Field != "" {
		return at + ": " + f.Field + " " + f.Message
	}
	return at + ": " + f.Message
}

// converter makes the JSON of rows of one file.
type converter struct {
	kind     Kind
	columns  []column
	dates    string
	major    bool
	decimals string
	currency string // of rows that state none
}

// convert returns a record as a JSON object. A fault names the field at fault.
func (c *converter) convert(record []string) (doc []byte, fault *Fault) {
	row := object{}
	row.custom = map[string]string{}
	currency := c.currencyOf(record)
	for _, col := range c.columns {
		if col.index >= len(record) {
			continue
		}
		text := strings.TrimSpace(record[col.index])
		if text == "" {
			continue
		}
		if err := c.add(&row, col, text, currency); err != nil {
			return nil, &Fault{ID: c.idOf(record), Field: col.name, Message: quoted(text) + " " + err.Error()}
		}
	}
	if c.currency != "" && !row.has("currency") && c.kind != Customers {
		row.text("currency", c.currency)
	}
	if c.kind == Plans && row.has("interval") && !row.has("interval_count") {
		row.integer("interval_count", 1)
	}
	if !row.has("id") {
		return nil, &Fault{Field: "id", Message: "is required"}
	}
	return row.json(), nil
}

// quoted is a cell as messages repeat it.
func quoted(text string) string {
	const longest = 40 // characters
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest]) + "..."
	}
	return strconv.Quote(text)
}

func (c *converter) add(row *object, col column, text, currency string) error {
	switch col.kind {
	case customValue:
		row.custom[col.name] = text
	case dateValue:
		date, err := dateText(text, c.dates)
		if err != nil {
			return err
		}
		row.text(col.name, date)
	case amountValue:
		n, err := c.amount(text, currency)
		if err != nil {
			return err
		}
		row.integer(col.name, n)
	case integerValue:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("must be an integer")
		}
		row.integer(col.name, n)
	case boolValue:
		b, err := boolean(text)
		if err != nil {
			return err
		}
		row.raw(col.name, strconv.AppendBool(nil, b))
	default:
		row.text(col.name, text)
	}
	return nil
}

func (c *converter) amount(text, code string) (int64, error) {
	if !c.major {
		return minorUnits(text)
	}
	currency, err := money.Parse(code)
	if err != nil {
		return 0, errors.New("is in main units, and the row states no currency: name one with --currency")
	}
	return majorUnits(text, currency, c.decimals)
}

func (c *converter) currencyOf(record []string) string {
	if text := c.value(record, "currency"); text != "" {
		return text
	}
	return c.currency
}

func (c *converter) idOf(record []string) string { return c.value(record, "id") }

func (c *converter) value(record []string, name string) string {
	for _, col := range c.columns {
		if col.name == name && col.kind != customValue && col.index < len(record) {
			return strings.TrimSpace(record[col.index])
		}
	}
	return ""
}

// object is a JSON object that is written member by member. The same row gives
// the same bytes, so that importing it again changes nothing.
type object struct {
	out    []byte
	names  []string
	custom map[string]string
}

func (o *object) has(name string) bool {
	return slices.Contains(o.names, name)
}

func (o *object) raw(name string, value []byte) {
	o.names = append(o.names, name)
	if len(o.out) > 0 {
		o.out = append(o.out, ',')
	}
	o.out = append(quote(o.out, name), ':')
	o.out = append(o.out, value...)
}

func (o *object) text(name, value string) { o.raw(name, quote(nil, value)) }

func (o *object) integer(name string, n int64) { o.raw(name, strconv.AppendInt(nil, n, 10)) }

func (o *object) json() []byte {
	if len(o.custom) > 0 {
		if value, err := json.Marshal(o.custom); err == nil { // it always encodes, with sorted keys
			o.raw("custom_variables", value)
		}
	}
	doc := make([]byte, 0, len(o.out)+2)
	doc = append(doc, '{')
	doc = append(doc, o.out...)
	return append(doc, '}')
}

// quote appends a text as JSON.
func quote(dst []byte, text string) []byte {
	quoted, err := json.Marshal(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return append(dst, `""`...) // a text always encodes
	}
	return append(dst, quoted...)
}
