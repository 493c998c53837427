package wire

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// answerTypes returns the body of each operation that has an encoder, and fails
// for a report that has none.
func answerTypes(t *testing.T) map[string]reflect.Type {
	t.Helper()
	types := map[string]reflect.Type{}
	client := reflect.TypeFor[*ClientWithResponses]()
	for _, op := range openapi.Operations() {
		method, ok := client.MethodByName(op.ID + "WithResponse")
		if !ok {
			continue // takes a body, or is not JSON
		}
		field, ok := method.Type.Out(0).Elem().FieldByName("JSON200")
		switch {
		case ok && field.Type.Implements(reflect.TypeFor[Answer]()):
			types[op.ID] = field.Type.Elem()
		case strings.HasPrefix(op.Path, "/reports/"):
			t.Errorf("%s: no encoder of its answer", op.ID)
		}
	}
	return types
}

func TestAppendJSON_IsWhatMarshalWrites(t *testing.T) {
	t.Parallel()
	types := answerTypes(t)
	if len(types) < 40 {
		t.Fatalf("%d operations have encoders, want all reports", len(types))
	}
	for id, answer := range types {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, uint64(len(id))))
			for range 300 {
				v := reflect.New(answer)
				fill(t, rng, v.Elem(), 0)
				value, ok := reflect.TypeAssert[Answer](v)
				if !ok {
					t.Fatalf("%s has no encoder", answer)
				}
				want, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				got := value.AppendJSON([]byte("before"))
				if string(got) != "before"+string(want) {
					t.Fatalf("AppendJSON:\n%s\njson.Marshal:\n%s", got, want)
				}
			}
		})
	}
}

// fill sets a value and all in it to anything they can be. Values deeper than
// rows in rows have no further rows.
func fill(t *testing.T, rng *rand.Rand, v reflect.Value, depth int) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 6 && rng.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, rng, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, rng, field, depth+1)
		}
	case reflect.Slice:
		if depth < 6 && rng.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), rng.IntN(4), 4))
		}
		for i := range v.Len() {
			fill(t, rng, v.Index(i), depth+1)
		}
	case reflect.Map:
		fillMap(t, rng, v, depth)
	case reflect.String:
		v.SetString(anyText(rng))
	case reflect.Int64:
		v.SetInt(anyInt(rng))
	case reflect.Float64:
		v.SetFloat(anyFloat(rng))
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	default:
		t.Fatalf("a value of type %s", v.Type())
	}
}

func fillMap(t *testing.T, rng *rand.Rand, v reflect.Value, depth int) {
	t.Helper()
	if depth >= 6 || rng.IntN(4) == 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range rng.IntN(6) {
		value := reflect.New(v.Type().Elem()).Elem()
		fill(t, rng, value, depth+1)
		v.SetMapIndex(reflect.ValueOf(anyText(rng)), value)
	}
}

// texts have something to escape, or something that looks so.
var texts = []string{
	"", "~", "plan_1", "Smith & Søn <a@b.dk>", `"quoted" \ back/slash`, "\x00\x1f\x7f\b\f\n\r\t", "東京 🚀 ünï", "line\u2028and\u2029", "half \xc3", "\xed\xa0\x80", "\ufffd", "\U0010ffff",
}

func anyText(rng *rand.Rand) string {
	text := texts[rng.IntN(len(texts))]
	for range rng.IntN(3) {
		text += string(rune(rng.IntN(0x2100)))
	}
	return text
}

func anyInt(rng *rand.Rand) int64 {
	return []int64{0, 1, -1, math.MaxInt64, math.MinInt64, rng.Int64N(1e6), -rng.Int64N(1e15)}[rng.IntN(7)]
}

var floats = []float64{
	0, math.Copysign(0, -1), 100, -100, 0.01, 0.1, 12.5, -33.33, 1e-6, 9.99e-7, 1e21, 9.99e20, 1e12, 9_999_999_999.99, 0.005, 1.0 / 3, 0.1 + 0.2,
	math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxInt64, 1 << 53,
}

func anyFloat(rng *rand.Rand) float64 {
	switch rng.IntN(3) {
	case 0:
		return floats[rng.IntN(len(floats))]
	case 1:
		return float64(rng.Int64N(2e15)-1e15) / math.Pow10(2+rng.IntN(12))
	default:
		return math.Float64frombits(rng.Uint64() &^ (1 << 62)) // finite
	}
}

func TestAppendFloat_HundredthsAreTheShortest(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		f := float64(rng.Int64N(2e14)-1e14) / 100 / math.Pow10(rng.IntN(13))
		f = math.Round(f*100) / 100
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendFloat(nil, f); string(got) != string(want) {
			t.Fatalf("appendFloat = %s, json.Marshal = %s", got, want)
		}
	}
}

func TestAppendFloat_RefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("appendFloat(%v) did not panic", f)
				}
			}()
			appendFloat(nil, f)
		}()
	}
}

func FuzzAppendString(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendString(nil, s); string(got) != string(want) {
			t.Errorf("appendString(%q) = %s, want %s", s, got, want)
		}
	})
}

func FuzzAppendFloat(f *testing.F) {
	for _, number := range floats {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number float64) {
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return // JSON has no word for it
		}
		want, err := json.Marshal(number)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendFloat(nil, number); string(got) != string(want) {
			t.Errorf("appendFloat(%v) = %s, want %s", number, got, want)
		}
	})
}
