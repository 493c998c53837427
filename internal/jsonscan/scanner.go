// Package jsonscan reads JSON text token by token without building values, for
// the places where encoding/json costs more than the work on the data itself.
//
// It accepts and rejects exactly the texts that encoding/json does (RFC 8259,
// nesting up to 10,000 levels) and yields the same values: a fuzz test holds
// it to that.
package jsonscan

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens. Invalid ends a text that is not JSON, End one that is.
const (
	Invalid Kind = iota
	End
	ObjectStart
	ObjectEnd
	ArrayStart
	ArrayEnd
	Key
	String
	Number
	True
	False
	Null
)

// MaxDepth is the deepest nesting that is accepted, the limit of encoding/json.
const MaxDepth = 10000

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	// Offset is the number of bytes before the fault.
	Offset int
	// Problem says what is wrong there.
	Problem string
}

// Error returns the problem and its place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Problem)
}

// state says what the grammar allows next.
type state uint8

const (
	wantValue      state = iota // a value
	wantFirstValue              // a value or the end of the array just opened
	wantFirstKey                // a key or the end of the object just opened
	afterValue                  // a comma, the end of the container, or of the text
	failed                      // nothing: the text is not JSON
)

// Scanner yields the tokens of one JSON text. The zero Scanner reads an empty
// text; Reset gives it another and keeps its memory. Tokens alias the text,
// which must not change while they are in use.
type Scanner struct {
	data []byte
	pos  int
	// from and to bound the token, strings and keys with their quotes. Offsets,
	// because every slice that is stored costs a write barrier while the garbage
	// collector runs.
	from, to int
	state    state
	plain    bool   // the string token holds printable ASCII without escapes
	whole    bool   // the number token has neither fraction nor exponent
	open     []byte // the containers around pos, '{' or '['
	err      *SyntaxError
}

// NewScanner returns a Scanner of data.
func NewScanner(data []byte) *Scanner {
	s := &Scanner{}
	s.Reset(data)
	return s
}

// Reset makes s read data from its start.
func (s *Scanner) Reset(data []byte) {
	*s = Scanner{data: data, open: s.open[:0]}
}

// Err returns why Next returned Invalid, a *SyntaxError, or nil.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Raw returns the bytes of the last token as they stand in the text; strings
// and keys keep their quotes and escapes.
func (s *Scanner) Raw() []byte { return s.data[s.from:s.to] }

// Plain reports whether the last String or Key holds printable ASCII alone and
// no escapes, so that its value is Raw without the quotes.
func (s *Scanner) Plain() bool { return s.plain }

// Whole reports whether the last Number has neither a fraction nor an exponent.
func (s *Scanner) Whole() bool { return s.whole }

// Depth returns the number of containers open after the last token.
func (s *Scanner) Depth() int { return len(s.open) }

// Start returns the offset of the last token in the text.
func (s *Scanner) Start() int { return s.from }

// Offset returns the number of bytes read.
func (s *Scanner) Offset() int { return s.pos }

// Next reads a token and returns its kind: End after the whole text, Invalid
// (see Err) where it is not JSON, and the same again when called after those.
func (s *Scanner) Next() Kind {
	switch s.state {
	case wantValue:
		return s.value(s.space())
	case wantFirstValue:
		if c := s.space(); c != ']' {
			return s.value(c)
		}
		return s.closeContainer(ArrayEnd)
	case wantFirstKey:
		if c := s.space(); c != '}' {
			return s.key(c)
		}
		return s.closeContainer(ObjectEnd)
	case afterValue:
		return s.next()
	default:
		return Invalid
	}
}

// MatchKey reads the next token if it is the key whose raw form, quotes
// included, is raw and reports whether it was. Otherwise it reads nothing. It
// saves the work of scanning keys that come in a known order.
func (s *Scanner) MatchKey(raw []byte) bool {
	pos := s.pos
	switch {
	case s.state == wantFirstKey:
	case s.state == afterValue && len(s.open) > 0 && s.open[len(s.open)-1] == '{':
		pos = skipSpace(s.data, pos)
		if pos >= len(s.data) || s.data[pos] != ',' {
			return false
		}
		pos++
	default:
		return false
	}
	pos = skipSpace(s.data, pos)
	end := pos + len(raw)
	if end > len(s.data) || string(s.data[pos:end]) != string(raw) {
		return false
	}
	colon := skipSpace(s.data, end)
	if colon >= len(s.data) || s.data[colon] != ':' {
		return false
	}
	s.from, s.to, s.pos, s.state = pos, end, colon+1, wantValue
	return true
}

// Peek returns the first byte of the next token that is not a separator,
// without reading it: '{', '[', '}', ']', a quote, or the first byte of a
// literal; 0 at the end of the text.
func (s *Scanner) Peek() byte {
	pos := skipSpace(s.data, s.pos)
	if pos < len(s.data) && s.state == afterValue && s.data[pos] == ',' {
		pos = skipSpace(s.data, pos+1)
	}
	if pos >= len(s.data) {
		return 0
	}
	return s.data[pos]
}

// Skip reads the rest of the value that the last token began: nothing more for
// a scalar, everything to its end for a container, the value for a key. It
// returns false where the text is not JSON.
func (s *Scanner) Skip(last Kind) bool {
	switch last {
	case Invalid:
		return false
	case Key:
		return s.Skip(s.Next())
	case ObjectStart, ArrayStart:
		for outer := len(s.open) - 1; len(s.open) > outer; {
			if s.Next() == Invalid {
				return false
			}
		}
		return true
	default:
		return true
	}
}

// next reads what may follow a value.
func (s *Scanner) next() Kind {
	c := s.space()
	if len(s.open) == 0 {
		if s.pos < len(s.data) {
			return s.fail("text after the value")
		}
		s.from, s.to = s.pos, s.pos
		return End
	}
	inObject := s.open[len(s.open)-1] == '{'
	switch {
	case c == ',' && inObject:
		s.pos++
		return s.key(s.space())
	case c == ',':
		s.pos++
		return s.value(s.space())
	case c == '}' && inObject:
		return s.closeContainer(ObjectEnd)
	case c == ']' && !inObject:
		return s.closeContainer(ArrayEnd)
	case inObject:
		return s.fail("want a comma or the end of the object")
	default:
		return s.fail("want a comma or the end of the array")
	}
}

// value reads the token that begins with c, the byte at pos.
func (s *Scanner) value(c byte) Kind {
	switch c {
	case '{':
		return s.openContainer(c, wantFirstKey, ObjectStart)
	case '[':
		return s.openContainer(c, wantFirstValue, ArrayStart)
	case '"':
		if !s.scanString() {
			return Invalid
		}
		s.state = afterValue
		return String
	case 't':
		return s.literal("true", True)
	case 'f':
		return s.literal("false", False)
	case 'n':
		return s.literal("null", Null)
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return s.number()
		}
		return s.fail("want a value")
	}
}

// key reads a key and the colon behind it; c is the byte at pos.
func (s *Scanner) key(c byte) Kind {
	if c != '"' {
		return s.fail("want a key in quotes")
	}
	if !s.scanString() {
		return Invalid
	}
	if s.space() != ':' {
		return s.fail("want a colon after the key")
	}
	s.pos++
	s.state = wantValue
	return Key
}

func (s *Scanner) openContainer(c byte, next state, kind Kind) Kind {
	if len(s.open) >= MaxDepth {
		return s.fail("nested too deep")
	}
	s.open = append(s.open, c)
	s.from, s.to = s.pos, s.pos+1
	s.pos++
	s.state = next
	return kind
}

func (s *Scanner) closeContainer(kind Kind) Kind {
	s.open = s.open[:len(s.open)-1]
	s.from, s.to = s.pos, s.pos+1
	s.pos++
	s.state = afterValue
	return kind
}

func (s *Scanner) literal(word string, kind Kind) Kind {
	end := s.pos + len(word)
	if end > len(s.data) || string(s.data[s.pos:end]) != word {
		return s.fail("want a value")
	}
	s.from, s.to = s.pos, end
	s.pos = end
	s.state = afterValue
	return kind
}

// number reads a number by the grammar of RFC 8259 section 6.
func (s *Scanner) number() Kind {
	data, pos := s.data, s.pos
	if data[pos] == '-' {
		pos++
	}
	digits := skipDigits(data, pos)
	if digits == pos || data[pos] == '0' && digits > pos+1 {
		return s.failAt(pos, "malformed number")
	}
	pos = digits
	s.whole = true
	if pos < len(data) && data[pos] == '.' {
		s.whole = false
		digits = skipDigits(data, pos+1)
		if digits == pos+1 {
			return s.failAt(digits, "malformed number")
		}
		pos = digits
	}
	if pos < len(data) && (data[pos] == 'e' || data[pos] == 'E') {
		s.whole = false
		pos++
		if pos < len(data) && (data[pos] == '+' || data[pos] == '-') {
			pos++
		}
		digits = skipDigits(data, pos)
		if digits == pos {
			return s.failAt(pos, "malformed number")
		}
		pos = digits
	}
	s.from, s.to = s.pos, pos
	s.pos = pos
	s.state = afterValue
	return Number
}

// scanString reads the string whose opening quote is at pos.
func (s *Scanner) scanString() bool {
	data := s.data
	s.plain = true
	for i := s.pos + 1; ; {
		if i = skipPlain(data, i); i >= len(data) {
			s.failAt(len(data), "string without an end")
			return false
		}
		switch c := data[i]; {
		case c == '"':
			s.from, s.to = s.pos, i+1
			s.pos = i + 1
			return true
		case c < ' ':
			s.failAt(i, "control character in a string")
			return false
		case c == '\\':
			n := escapeLen(data[i:])
			if n == 0 {
				s.failAt(i, "malformed escape in a string")
				return false
			}
			s.plain = false
			i += n
		default: // not ASCII, or DEL; more of it mostly follows
			s.plain = false
			for i++; i < len(data) && data[i] >= 0x80; i++ {
			}
		}
	}
}

// The same byte eight times.
const (
	eachByte  = 0x0101010101010101
	highBits  = 0x80 * eachByte
	spaces    = ' ' * eachByte
	quotes    = '"' * eachByte
	backslash = '\\' * eachByte
)

// skipPlain returns the place of the next byte that is not plain inside a string:
// a quote, a backslash, or not printable ASCII. It looks at eight bytes at once:
// (x - 1) &^ x has the high bit of the lowest byte that is zero in x, and
// no other below it.
func skipPlain(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quote, escape := w^quotes, w^backslash
		found := (quote-eachByte)&^quote | (escape-eachByte)&^escape | (w-spaces)&^w | (w + eachByte) | w
		if found &= highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(data) && ' ' <= data[i] && data[i] < 0x7f && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// escapeLen returns the length of the escape that data begins with, 0 if it is
// malformed.
func escapeLen(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(data); ok {
			return 6
		}
	}
	return 0
}

func (s *Scanner) fail(problem string) Kind { return s.failAt(s.pos, problem) }

func (s *Scanner) failAt(offset int, problem string) Kind {
	if offset >= len(s.data) {
		offset, problem = len(s.data), "unexpected end: "+problem
	}
	s.err = &SyntaxError{Offset: offset, Problem: problem}
	s.state = failed
	s.from, s.to = s.pos, s.pos
	return Invalid
}

// space moves over white space and returns the byte behind it, 0 at the end.
func (s *Scanner) space() byte {
	s.pos = skipSpace(s.data, s.pos)
	if s.pos >= len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func skipSpace(data []byte, pos int) int {
	for pos < len(data) && data[pos] <= ' ' {
		switch data[pos] {
		case ' ', '\n', '\t', '\r':
			pos++
		default:
			return pos
		}
	}
	return pos
}

func skipDigits(data []byte, pos int) int {
	for pos < len(data) && '0' <= data[pos] && data[pos] <= '9' {
		pos++
	}
	return pos
}

// Ahead looks for key, given in its raw form with quotes, in the rest of the
// object that the scanner is in, and returns the raw bytes of its value if
// that is a scalar. It reads nothing; nil means that the key does not follow.
func (s *Scanner) Ahead(key []byte) []byte {
	// The copy shares the stack of open containers, but never closes the
	// object it starts in and so writes only behind the stack of s.
	probe := *s
	if probe.state == wantValue && !probe.Skip(probe.Next()) {
		return nil
	}
	depth := len(probe.open)
	for {
		if len(probe.open) == depth && probe.Peek() == '}' {
			return nil
		}
		if probe.MatchKey(key) {
			switch probe.Next() {
			case String, Number, True, False, Null:
				return probe.Raw()
			default:
				return nil
			}
		}
		if kind := probe.Next(); kind != Key || !probe.Skip(Key) {
			return nil
		}
	}
}
