// Package answer turns the JSON of the REST API into what an AI client reads:
// a compact text table and structured data, with money in display units, a
// head that says what the figures cover, and a bound on the size.
//
// It reads the body once, copies numbers digit by digit and never through
// floating point.
package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// Limits of an answer.
const (
	// DefaultTokens is the size of the text unless the caller asks otherwise.
	DefaultTokens = 4000
	// MaxTokens is the most a caller may ask for.
	MaxTokens = 20000
	// tokenBytes over tokenParts is how many bytes of a table of figures make a
	// token, measured with o200k: digits go in groups of three, points and tabs
	// alone. Words take fewer tokens.
	tokenBytes, tokenParts = 7, 4
	// structuredPerText is how much larger the structured form may be: its keys
	// repeat in every row.
	structuredPerText = 4
	// maxStructured bounds the structured form, in bytes.
	maxStructured = 100_000
	// MinTokens is the least that holds a head and a few rows.
	MinTokens = 1000
	// textRoom is kept for the head and the notes of the text, headRoom for the
	// head of the structured form, in bytes.
	textRoom = 450
	headRoom = 700
	// ownerRoom is kept for a row, and its head, while the rows inside it are
	// read, in bytes.
	ownerRoom = 700
	// lateFacts of them are for single values that come after a long list.
	lateFacts = 200
	// maxText is the longest text value in bytes; more is cut with a mark.
	maxText = 1000
	// maxSpare is how many tables are kept for the next answer.
	maxSpare = 4
	// maxUnscaled is how many fields the note on unknown units names, and
	// maxUnscaledText in how many bytes.
	maxUnscaled, maxUnscaledText = 20, 200
)

// Options describe the request that was answered.
type Options struct {
	// Title begins the text, for example the name of the report.
	Title string
	// Query holds the arguments of the request, in the order to show them. What
	// the API says about them in its answer comes first.
	Query []Pair
	// Currency is the reporting currency for bodies that do not name it.
	Currency string
	// Schema says what the numbers of the body are; nil for a body that the
	// contract does not describe.
	Schema *openapi.Schema
	// Fallback returns the unit of a field, by its name, where Schema knows
	// nothing. Numbers without a unit stay as they are and the answer says so.
	Fallback func(field []byte) openapi.Unit
	// Offset rows are left out in front and, if Limit is positive, at most
	// Limit shown. With Paged the API has already done so.
	Offset, Limit int
	Paged         bool
	// Tokens bounds the text; 0 means DefaultTokens.
	Tokens int
	// SectionRows bounds the lists that stand beside the rows; 0 does not.
	SectionRows int
	// Filters are those of Query that narrow what is counted. An answer in which
	// every figure is 0 points at them.
	Filters []Pair
	// Notes are lines on the request; the text has them after its own notes.
	Notes []string
	// Hidden names fields of rows that the text leaves out because they repeat
	// another. The structured form has them.
	Hidden []string
	// Narrow says how to ask for less, for answers that are cut.
	Narrow string
}

// Pair is an argument and its value.
type Pair struct{ Name, Value string }

// Answer is what the client gets.
type Answer struct {
	// Text is complete on its own: head, notes, tables.
	Text string
	// Structured is a JSON object with the same rows.
	Structured json.RawMessage
	// NeedsCurrency says that amounts stayed as they came because neither the
	// body nor the options name the reporting currency.
	NeedsCurrency bool
}

// Shaper makes answers and keeps its memory from one to the next. The zero
// Shaper is ready for use, by several goroutines at a time.
type Shaper struct{ free sync.Pool }

// Shape turns the body of a successful API answer into an Answer. It fails
// only if body is not JSON.
func (s *Shaper) Shape(body []byte, opt Options) (Answer, error) {
	sh, ok := s.free.Get().(*shaper)
	if !ok {
		sh = &shaper{}
	}
	defer s.free.Put(sh)
	defer sh.release()
	sh.begin(body, opt)
	if err := sh.document(); err != nil {
		return Answer{}, fmt.Errorf("read the API's answer: %w", err)
	}
	return Answer{Text: sh.text(), Structured: sh.structured(), NeedsCurrency: sh.baseMissing}, nil
}

// errUnexpected stands in where the scanner itself has nothing to say.
var errUnexpected = errors.New("unexpected token")

// shaper holds one answer in the making.
type shaper struct {
	opt            Options
	scan           jsonscan.Scanner
	base           []byte   // reporting currency, as in the body
	tables         []*table // the list of the answer first, if there is one
	body           []byte
	rows           jsonCopy // room for the head, then "rows" and its elements
	data           jsonCopy // members of "data"
	lines          []byte   // text: what is not a table
	facts          table    // the fields behind lines; has no rows
	head           []byte   // scratch for the head of the structured form
	spare          []*table // tables of earlier answers, to use again
	row            []cell   // the cells of the rows being read
	cells          []byte   // text of those that are not as in the body
	query          []Pair   // what the API says about the request
	from           string   // first day of the range
	to             string   // last day of the range
	zone           string   // time zone of the range
	listed         bool     // the answer has a list
	figures, zeros int      // amounts and counts, and those of them that are 0
	count          int      // total that the API states, -1 if it does not
	seen           int      // rows of the list, shown or not
	shown          int

	baseExponent int  // decimals of base
	baseKnown    bool // base is a currency
	baseMissing  bool // an amount needed it and it was not known

	textLimit, jsonLimit int
	used                 int      // bytes of lines and tables
	widest               int      // longest line so far
	widestJSON           int      // longest row of the list so far
	cut                  bool     // something was left out for size
	clipped              bool     // a text value was shortened
	unscaled             [][]byte // keys of numbers left as they came
}

// textSize returns how many bytes of text so many tokens are; 0 stands for the
// default.
func textSize(tokens int) int {
	if tokens <= 0 {
		tokens = DefaultTokens
	}
	return min(max(tokens, MinTokens), MaxTokens) * tokenBytes / tokenParts
}

// begin prepares sh for a body.
func (sh *shaper) begin(body []byte, opt Options) {
	size := textSize(opt.Tokens)
	sh.opt, sh.body, sh.count = opt, body, -1
	sh.textLimit = size - textRoom
	for _, note := range opt.Notes {
		sh.textLimit -= len(note) + 1
	}
	sh.jsonLimit = min(size*structuredPerText, maxStructured) - headRoom
	sh.scan.Reset(body)
	sh.setBase([]byte(opt.Currency))
}

// release forgets the answer and keeps the memory that the next one can use.
// What became part of the Answer is not among it.
func (sh *shaper) release() {
	for _, t := range sh.tables {
		sh.spare = append(sh.spare, t.recycled())
	}
	sh.scan.Reset(nil)
	*sh = shaper{
		scan:  sh.scan,
		spare: sh.spare[:min(len(sh.spare), maxSpare)],
		// These hold no pointers into the body.
		row: sh.row[:0], cells: sh.cells[:0], lines: sh.lines[:0], data: jsonCopy{out: sh.data.out[:0]}, head: sh.head[:0],
		tables: cleared(sh.tables), query: cleared(sh.query), unscaled: cleared(sh.unscaled), facts: *sh.facts.recycled(),
	}
}

// cleared returns s without elements.
func cleared[T any](s []T) []T {
	clear(s)
	return s[:0]
}

// setBase sets the reporting currency.
func (sh *shaper) setBase(code []byte) {
	sh.base = code
	sh.baseExponent, sh.baseKnown = Exponent(code)
}

// full reports whether another line like those before would pass the limits.
// pending is what was read for the structured form but not yet copied.
func (sh *shaper) full(pending int) bool {
	return sh.used+sh.widest > sh.textLimit || sh.jsonSize()+pending+sh.widestJSON > sh.jsonLimit
}

// over reports whether what is written passes the limits even with the room
// that is kept for late facts.
func (sh *shaper) over() bool {
	return sh.used > sh.textLimit+lateFacts || sh.jsonSize() > sh.jsonLimit+lateFacts
}

// jsonSize is the size of the structured form so far, without its head.
func (sh *shaper) jsonSize() int { return max(len(sh.rows.out)-headRoom, 0) + len(sh.data.out) }

// mark is a point to return to when what follows does not fit.
type mark struct{ rows, data, lines, facts, used, widest int }

func (sh *shaper) mark() mark {
	for _, t := range sh.tables {
		t.mark()
	}
	return mark{len(sh.rows.out), len(sh.data.out), len(sh.lines), len(sh.facts.cols), sh.used, sh.widest}
}

// rollback takes back everything since m and remembers that something is
// missing.
func (sh *shaper) rollback(m mark) {
	sh.cut = true
	sh.rows.out, sh.data.out, sh.lines = sh.rows.out[:m.rows], sh.data.out[:m.data], sh.lines[:m.lines]
	sh.facts.cols, sh.used, sh.widest = sh.facts.cols[:m.facts], m.used, m.widest
	for _, t := range sh.tables {
		t.rollback()
	}
}

// unit returns what the numbers of a field are.
func (sh *shaper) unit(schema *openapi.Schema, name []byte) openapi.Unit {
	if schema == nil && sh.opt.Fallback != nil {
		return sh.opt.Fallback(name)
	}
	return schema.Unit()
}

// wrote counts n more bytes of text as one line.
func (sh *shaper) wrote(n int) {
	sh.used += n
	sh.widest = max(sh.widest, n)
}

// unexpected is the error of a token that cannot stand where it does.
func (sh *shaper) unexpected() error {
	if err := sh.scan.Err(); err != nil {
		return err
	}
	return errUnexpected
}
