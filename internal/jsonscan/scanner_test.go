package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decode builds the value that encoding/json would decode into an any, with
// numbers as json.Number, from the tokens of data.
func decode(data []byte) (any, error) {
	s := NewScanner(data)
	v, err := decodeValue(s, s.Next())
	if err != nil {
		return nil, err
	}
	if s.Next() != End {
		return nil, s.Err()
	}
	return v, nil
}

func decodeValue(s *Scanner, kind Kind) (any, error) {
	switch kind {
	case ObjectStart:
		object := map[string]any{}
		for kind = s.Next(); kind == Key; kind = s.Next() {
			key := string(s.AppendString(nil))
			v, err := decodeValue(s, s.Next())
			if err != nil {
				return nil, err
			}
			object[key] = v
		}
		return object, s.Err()
	case ArrayStart:
		array := []any{}
		for kind = s.Next(); kind != ArrayEnd; kind = s.Next() {
			v, err := decodeValue(s, kind)
			if err != nil {
				return nil, err
			}
			array = append(array, v)
		}
		return array, nil
	case String:
		return string(s.AppendString(nil)), nil
	case Number:
		if s.Whole() == bytes.ContainsAny(s.Raw(), ".eE") {
			return nil, fmt.Errorf("Whole is %v of %s", s.Whole(), s.Raw())
		}
		return json.Number(s.Raw()), nil
	case True:
		return true, nil
	case False:
		return false, nil
	case Null:
		return nil, nil
	default:
		return nil, s.Err()
	}
}

// checkSame fails unless the scanner and encoding/json agree about data.
func checkSame(t *testing.T, data []byte) {
	t.Helper()
	got, err := decode(data)
	if valid := json.Valid(data); (err == nil) != valid {
		t.Fatalf("scanner says %v, encoding/json says valid=%v, of %q", err, valid, data)
	}
	if err != nil {
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(data) {
			t.Fatalf("error %v is not a SyntaxError inside %q", err, data)
		}
		return
	}
	var want any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatalf("encoding/json cannot decode %q: %v", data, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("values of %q differ (-encoding/json +scanner):\n%s", data, diff)
	}
	if s := NewScanner(data); !s.Skip(s.Next()) || s.Next() != End {
		t.Fatalf("Skip does not reach the end of %q: %v", data, s.Err())
	}
}

// texts are the seeds of the fuzz test and its plain form.
var texts = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `nulll`, `truefalse`, `t`,
	`0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e+10`, `1e`, `1E-2`, `-12.5E3`, `1.5.2`, `+1`, `0x10`, `NaN`, `1e5e`,
	`""`, `"a`, `"\"`, `"\q"`, `"\u12"`, `"\u00e9\n\t\b\f\r\/\\\""`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`,
	`"\ud83d\u0041"`, `"\ude00\ud83d"`, `"\uD83D\uDE00 \u0000"`, "\"\x01\"", "\"\x7f\"", "\"\xff\xc3\xa9\"", "\"a\xed\xa0\x80b\"", `"é😀"`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `{"a":[{"b":null}]}`, `{"a"`, `{`, `}`, `{,}`, `{"\u0061":1}`,
	`[]`, `[ ]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[[[]]]`, `[`, `]`, `[}`, `{]`, `[1,2`, "[1,\n\t\r 2]", "[1,\v2]", "\ufeff[]",
	`1 2`, `{} {}`, `"a" "b"`,
}

func TestScanner_AgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		checkSame(t, []byte(text))
	}
}

func TestScanner_DepthLimitIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{MaxDepth, MaxDepth + 1} {
		text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		if got, want := NewScanner([]byte(text)), json.Valid([]byte(text)); got.Skip(got.Next()) != want {
			t.Errorf("at depth %d accepted = %v, want %v", depth, !want, want)
		}
	}
}

func TestScanner_InvalidIsFinal(t *testing.T) {
	t.Parallel()
	s := NewScanner([]byte(`{"a":x,"b":1}`))
	for s.Next() != Invalid {
	}
	first := s.Err()
	if s.Next() != Invalid || !errors.Is(s.Err(), first) {
		t.Errorf("after an error Next goes on; error %v", s.Err())
	}
	if got, want := first.Error(), "invalid JSON at byte 5: want a value"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestScanner_MatchKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, key string
		read            int // tokens read first
		want            bool
	}{
		{"first key", `{ "a" : 1}`, `"a"`, 1, true},
		{"second key", `{"a":1 , "b":2}`, `"b"`, 3, true},
		{"another key", `{"a":1}`, `"b"`, 1, false},
		{"longer key", `{"ab":1}`, `"a"`, 1, false},
		{"end of the object", `{"a":1}`, `"b"`, 3, false},
		{"string in an array", `["a"]`, `"a"`, 1, false},
		{"value position", `{"a":"b"}`, `"b"`, 2, false},
		{"key without a colon", `{"a" 1}`, `"a"`, 1, false},
		{"text ends behind the key", `{"a"`, `"a"`, 1, false},
		{"empty text", ``, `"a"`, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := NewScanner([]byte(tt.text))
			for range tt.read {
				s.Next()
			}
			before := s.Offset()
			if got := s.MatchKey([]byte(tt.key)); got != tt.want {
				t.Fatalf("MatchKey = %v, want %v", got, tt.want)
			}
			if !tt.want && s.Offset() != before {
				t.Errorf("a key that does not match moved the scanner from %d to %d", before, s.Offset())
			}
			if tt.want && s.Next() != Number {
				t.Errorf("after the key comes %q, want its number", s.Raw())
			}
		})
	}
}

func TestScanner_Start(t *testing.T) {
	t.Parallel()
	text := append(make([]byte, 0, 100), ` { "a" : [ 12 , "b" ] } `...)
	s := NewScanner(text[1:])
	for kind := s.Next(); kind != End; kind = s.Next() {
		if got := text[1:][s.Start():][:len(s.Raw())]; string(got) != string(s.Raw()) {
			t.Errorf("at %d stands %q, want %q", s.Start(), got, s.Raw())
		}
	}
}

func TestScanner_Peek(t *testing.T) {
	t.Parallel()
	s := NewScanner([]byte(` { "a" : [ 1 , {} ] } `))
	var got strings.Builder
	for kind := s.Next(); kind != End; kind = s.Next() {
		fmt.Fprintf(&got, "%c", max(s.Peek(), ' '))
	}
	if want := `"[1{}]} `; got.String() != want {
		t.Errorf("peeked %q, want %q", got.String(), want)
	}
}

func TestScanner_Ahead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		read       int // tokens read first
		want       string
	}{
		{"before the first key", `{"x":1,"currency":"jpy"}`, 1, `"jpy"`},
		{"after a key", `{"x":{"currency":"usd"},"currency":"jpy"}`, 2, `"jpy"`},
		{"after a value", `{"x":1,"y":[1,2],"currency":"jpy"}`, 3, `"jpy"`},
		{"only before", `{"currency":"jpy","x":1}`, 3, ``},
		{"only deeper", `{"x":{"currency":"jpy"}}`, 1, ``},
		{"only outside", `{"a":{"x":1},"currency":"jpy"}`, 4, ``},
		{"not a scalar", `{"x":1,"currency":{}}`, 3, ``},
		{"text breaks off", `{"x":1,"y":`, 3, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := NewScanner([]byte(tt.text))
			for range tt.read {
				s.Next()
			}
			plain := NewScanner([]byte(tt.text))
			for range tt.read {
				plain.Next()
			}
			if got := string(s.Ahead([]byte(`"currency"`))); got != tt.want {
				t.Errorf("Ahead = %q, want %q", got, tt.want)
			}
			for kind := plain.Next(); kind > End; kind = plain.Next() {
				if got := s.Next(); got != kind || string(s.Raw()) != string(plain.Raw()) {
					t.Fatalf("after Ahead the scanner reads %q, want %q", s.Raw(), plain.Raw())
				}
			}
		})
	}
}

func TestScanner_DoesNotAllocate(t *testing.T) {
	data := []byte(`{"a":[1,2.5,{"b":"text"},null,true]}`)
	s := NewScanner(data)
	if n := testing.AllocsPerRun(100, func() {
		s.Reset(data)
		for s.Next() > End {
		}
	}); n > 0 {
		t.Errorf("%v allocations per text, want none", n)
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkSame(t, data) })
}

func BenchmarkScanner(b *testing.B) {
	row := `{"date":"2026-01-01","new":123400,"expansion":56700,"contraction":-2300,"churn":-45600,"label":"Pro plan"}`
	data := []byte("[" + strings.Repeat(row+",", 199) + row + "]")
	b.SetBytes(int64(len(data)))
	s := NewScanner(nil)
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(data)
		for s.Next() > End {
		}
	}
}
