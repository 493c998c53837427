package ingest

import (
	"bytes"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// decoder reads rows from one body. Strings are cut from one copy of the body,
// so that a row of plain fields costs no allocation.
type decoder struct {
	s    jsonscan.Scanner
	body []byte
	all  string // the body as a string
	errs []analytics.FieldError
	deep bool // the body is nested deeper than maxDepth

	// The row being decoded.
	index   int
	id      string
	source  string
	start   int // where its object begins
	rowErrs int
	prefix  string // where in the row the decoder is, such as "lines[2]."
	seen    uint64 // bit per field
	present bool   // the last value was neither absent nor null

	lineKinds []ledger.Kind // of the row's lines, 0 where not stated
}

func newDecoder(body []byte) *decoder {
	d := &decoder{}
	d.reset(body, string(body))
	return d
}

// reset gives d another body, once with the last one all went well.
func (d *decoder) reset(body []byte, all string) {
	d.body, d.all = body, all
	d.s.Reset(body)
}

// rewind starts over behind the body's opening brace.
func (d *decoder) rewind() {
	d.s.Reset(d.body)
	d.s.Next()
}

// begin prepares for the row whose first token was just read.
func (d *decoder) begin(index int) {
	d.index, d.id, d.source, d.rowErrs, d.seen = index, "", "", 0, 0
	d.start = d.s.Start()
}

// doc returns the bytes of the row, whose last token was just read.
func (d *decoder) doc() []byte {
	end := d.s.Offset()
	return d.body[d.start:end:end]
}

// bodyError says why the scanner stopped.
func (d *decoder) bodyError() error {
	if d.deep {
		return badBody("the body is nested deeper than %d levels", maxDepth)
	}
	if err := d.s.Err(); err != nil {
		return &BodyError{Message: err.Error()}
	}
	return badBody("the body is not valid JSON")
}

// key reads the next key of an object; it reports false at the object's end and
// where the text is not JSON.
func (d *decoder) key() (string, bool) {
	if d.s.Next() != jsonscan.Key {
		return "", false
	}
	return d.text(), true
}

// once notes that a field was read and reports whether it is the first time.
func (d *decoder) once(bit uint, field string) bool {
	if d.seen&(1<<bit) != 0 {
		d.fail(field, "is given twice")
		d.skip(jsonscan.Key)
		return false
	}
	d.seen |= 1 << bit
	return true
}

func (d *decoder) has(bit uint) bool { return d.seen&(1<<bit) != 0 }

// skip reads the rest of the value that a token of the given kind began.
func (d *decoder) skip(kind jsonscan.Kind) bool {
	if kind == jsonscan.Key {
		kind = d.s.Next()
	}
	if kind != jsonscan.ObjectStart && kind != jsonscan.ArrayStart {
		return kind != jsonscan.Invalid
	}
	for outer := d.s.Depth() - 1; d.s.Depth() > outer; {
		if d.s.Depth() > maxDepth {
			d.deep = true
			return false
		}
		if d.s.Next() == jsonscan.Invalid {
			return false
		}
	}
	return true
}

// text returns the value of the String or Key just read. The body is valid
// UTF-8, so a text without escapes is its own value.
func (d *decoder) text() string {
	raw := d.s.Raw()
	if len(raw) < 2 {
		return ""
	}
	if d.s.Plain() || bytes.IndexByte(raw, '\\') < 0 {
		start := d.s.Start()
		return d.all[start+1 : start+len(raw)-1]
	}
	return string(d.s.AppendString(nil))
}

// value reads the value of a field of the wanted kind. Null counts as absent;
// anything else is an error that says what is wanted.
func (d *decoder) value(want jsonscan.Kind, field, wanted string) bool {
	kind := d.s.Next()
	d.present = kind != jsonscan.Null
	if kind == want {
		return true
	}
	if d.present && d.skip(kind) {
		d.fail(field, wanted)
	}
	return false
}

// str reads a text.
func (d *decoder) str(field string) string {
	if !d.value(jsonscan.String, field, "must be a string") {
		return ""
	}
	s := d.text()
	if len(s) > maxTextBytes {
		d.fail(field, "must be at most 4096 bytes long")
	}
	return s
}

// word reads one of a set of words, in any case.
func (d *decoder) word(field string) string {
	s := d.str(field)
	for i := range len(s) {
		if c := s[i]; c < 'a' || c > 'z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// ident reads an id or a reference to one.
func (d *decoder) ident(field string) string {
	if !d.value(jsonscan.String, field, "must be a string") {
		return ""
	}
	s := d.text()
	if len(s) > MaxIDBytes {
		d.fail(field, "must be at most 255 bytes long")
		return ""
	}
	if !d.s.Plain() && strings.ContainsFunc(s, unicode.IsControl) {
		d.fail(field, "must not contain control characters")
		return ""
	}
	if !d.s.Plain() && strings.ContainsRune(s, utf8.RuneError) {
		d.fail(field, "must not contain broken characters: half of a surrogate pair, or U+FFFD") // two such ids would be one
		return ""
	}
	return s
}

// rowID reads the row's own id.
func (d *decoder) rowID(field string) string {
	s := d.ident(field)
	if d.id == "" {
		d.id = s
	}
	return s
}

const wantBool = "must be true or false"

func (d *decoder) boolean(field string) bool {
	switch kind := d.s.Next(); kind {
	case jsonscan.True:
		return true
	case jsonscan.False, jsonscan.Null:
		return false
	default:
		if d.skip(kind) {
			d.fail(field, wantBool)
		}
		return false
	}
}

// The two things that can be wrong with an amount.
const (
	wantMinorUnits = "must be an integer number of minor units, without quotes or decimals (9900 for 99.00)"
	wantSmaller    = "must be between -10^15 and 10^15 minor units"
)

// amount reads an amount in minor units.
func (d *decoder) amount(field string) int64 {
	if !d.value(jsonscan.Number, field, wantMinorUnits) {
		return 0
	}
	n, ok := integer(d.s.Raw())
	switch {
	case !ok:
		d.fail(field, wantMinorUnits)
		return 0
	case n < -MaxAmount || n > MaxAmount:
		d.fail(field, wantSmaller)
		return 0
	}
	return n
}

// count reads an integer from low to high; wanted says so in words.
func (d *decoder) count(field string, low, high int64, wanted string) int32 {
	if !d.value(jsonscan.Number, field, wanted) {
		return 0
	}
	n, ok := integer(d.s.Raw())
	if !ok || n < low || n > high {
		d.fail(field, wanted)
		return 0
	}
	return int32(n)
}

// integer reads a JSON number that is written as an integer. One that is too
// long for int64 comes back as the limit, which is beyond every range here.
func integer(raw []byte) (int64, bool) {
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	var n int64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > MaxAmount {
			continue
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// The years that a date may lie in.
var (
	firstDay = calendar.Date(1900, 1, 1)
	lastDay  = calendar.Date(2200, 1, 1)
)

const (
	wantDate  = "must be a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z"
	wantYears = "must be between the years 1900 and 2200"
)

// stamp reads a date or time. An empty text counts as absent.
func (d *decoder) stamp(field string) calendar.Stamp {
	if !d.value(jsonscan.String, field, wantDate) {
		return 0
	}
	s := d.text()
	if s == "" {
		return 0
	}
	at, err := calendar.ParseStamp(s)
	if err != nil {
		d.fail(field, wantDate)
		return 0
	}
	if day := at.Day(time.UTC); day < firstDay || day >= lastDay {
		d.fail(field, wantYears)
		return 0
	}
	return at
}

// currency reads a currency code. An empty text counts as absent.
func (d *decoder) currency(field string) money.Currency {
	s := d.str(field)
	if s == "" {
		return money.None
	}
	c, err := money.Parse(s)
	if err != nil {
		d.fail(field, "must be a three-letter ISO 4217 currency code such as usd")
	}
	return c
}
