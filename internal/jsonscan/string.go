package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends the value of the last String or Key to dst. Bytes that
// are not UTF-8 and halves of surrogate pairs become U+FFFD, as in
// encoding/json.
func (s *Scanner) AppendString(dst []byte) []byte {
	body := s.data[s.from+1 : s.to-1]
	if s.plain {
		return append(dst, body...)
	}
	return appendUnquoted(dst, body)
}

// String returns the value of the last String or Key; see AppendString.
func (s *Scanner) String() string {
	if s.plain {
		return string(s.data[s.from+1 : s.to-1])
	}
	return string(s.AppendString(nil))
}

// appendUnquoted appends the value of a well-formed string body.
func appendUnquoted(dst, body []byte) []byte {
	for len(body) > 0 {
		switch c := body[0]; {
		case c == '\\':
			var n int
			dst, n = appendEscape(dst, body)
			body = body[n:]
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			body = body[1:]
		default:
			r, n := utf8.DecodeRune(body)
			dst = utf8.AppendRune(dst, r)
			body = body[n:]
		}
	}
	return dst
}

// appendEscape appends the value of the escape that body begins with and
// returns its length; a surrogate pair counts as one escape.
func appendEscape(dst, body []byte) ([]byte, int) {
	switch c := body[1]; c {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
		r, _ := hex4(body)
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(dst, r), 6
		}
		if low, ok := hex4(body[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(dst, pair), 12
			}
		}
		return utf8.AppendRune(dst, utf8.RuneError), 6
	default:
		return append(dst, c), 2
	}
}

// hex4 returns the code unit of the \uXXXX that data begins with.
func hex4(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range data[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
