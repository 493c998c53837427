package wire

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Answer is the body of a report.
type Answer interface {
	// AppendJSON appends what json.Marshal would write, byte for byte. It panics
	// on NaN and infinities, which JSON has no words for.
	AppendJSON(dst []byte) []byte
}

// answerOf says that a pointer to T is an Answer.
type answerOf[T any] interface {
	*T
	Answer
}

// closeObject ends the object whose members, each with a comma before it, were
// appended at start.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{'
	return append(dst, '}')
}

func appendPointer[T any, A answerOf[T]](dst []byte, v *T) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return A(v).AppendJSON(dst)
}

func appendStringPointer(dst []byte, v *string) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return appendString(dst, *v)
}

func appendIntPointer(dst []byte, v *int64) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, *v, 10)
}

func appendFloatPointer(dst []byte, v *float64) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return appendFloat(dst, *v)
}

func appendList[T any, A answerOf[T]](dst []byte, list []T) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = A(&list[i]).AppendJSON(dst)
	}
	return append(dst, ']')
}

func appendMap[T any, A answerOf[T]](dst []byte, m map[string]T) []byte {
	if m == nil {
		return append(dst, "null"...)
	}
	start := len(dst)
	var value T
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value = m[key]
		dst = append(appendString(append(dst, ','), key), ':')
		dst = A(&value).AppendJSON(dst)
	}
	return closeObject(dst, start)
}

func appendStringMap(dst []byte, m map[string]string) []byte {
	if m == nil {
		return append(dst, "null"...)
	}
	start := len(dst)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		dst = append(appendString(append(dst, ','), key), ':')
		dst = appendString(dst, m[key])
	}
	return closeObject(dst, start)
}

// appendString leaves what must be escaped to package json.
func appendString(dst []byte, s string) []byte {
	if !isPlain(s) {
		quoted, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return append(dst, quoted...)
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// isPlain reports whether package json would write all of s as it is.
func isPlain(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			if mustEscape[s[i]] {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += size
	}
	return true
}

// mustEscape tells which ASCII characters package json does not write as they are.
var mustEscape = func() (escaped [utf8.RuneSelf]bool) {
	for c := range escaped {
		escaped[c] = c < ' ' || strings.IndexByte(`"\<>&`, byte(c)) >= 0
	}
	return escaped
}()

// appendFloat writes a number with at most two decimals, as percentages and
// ratios are, as an integer with a point in it. Of the decimal numbers with up to
// 15 digits only one is f, so that is the shortest, which package json writes.
// Numbers with an exponent are left to package json.
func appendFloat(dst []byte, f float64) []byte {
	hundredths, size := math.Round(f*100), math.Abs(f)
	switch {
	case size >= 0.01 && size < 1e12 && hundredths/100 == f:
		return appendHundredths(dst, int64(hundredths))
	case size == 0 || size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	number, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return append(dst, number...)
}

// appendHundredths writes n/100 without zeros at its end.
func appendHundredths(dst []byte, n int64) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendInt(dst, n/100, 10)
	tenths, rest := byte(n/10%10), byte(n%10)
	switch {
	case rest != 0:
		return append(dst, '.', '0'+tenths, '0'+rest)
	case tenths != 0:
		return append(dst, '.', '0'+tenths)
	default:
		return dst
	}
}
