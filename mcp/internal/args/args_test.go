package args

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func sample() Set {
	return Set{
		{Name: "name", Required: true, Enum: []string{"mrr", "movement-table"}, Words: map[string]string{"arr": "mrr"}, Description: "Report, e.g. mrr"},
		{Name: "date", Convert: Date, Description: "Days, e.g. 2026-Q1"},
		{Name: "plan", Type: List, Description: "Plan id, e.g. pro"},
		{Name: "billing_freq", Type: List, Words: map[string]string{"monthly": "month"}, Description: "e.g. month"},
		{Name: "limit", Type: Integer, Min: 1, Max: 100, Clamp: true, Description: "Most rows, e.g. 20"},
		{Name: "months", Type: Integer, Min: 1, Max: 120, Description: "Months, e.g. 12"},
		{Name: "fix_fx", Type: Boolean, Description: "e.g. true"},
		{Name: "custom", Type: Map, Description: "Custom variables"},
		{Name: "body", Type: Object, Description: "Row"},
	}
}

func TestSet_Parse_CorrectsSlips(t *testing.T) {
	t.Parallel()
	tests := []struct{ arguments, name, want string }{
		{`{"name":"MRR"}`, "name", "mrr"},
		{`{"name":"Movement Table"}`, "name", "movement-table"},
		{`{"name":"movement_table"}`, "name", "movement-table"},
		{`{"name":"ARR"}`, "name", "mrr"},
		{`{"name":["mrr"]}`, "name", "mrr"},
		{`{"name":"mrr","plan":["pro","team"]}`, "plan", "pro~~team"},
		{`{"name":"mrr","plan":"pro"}`, "plan", "pro"},
		{`{"name":"mrr","plan":42}`, "plan", "42"},
		{`{"name":"mrr","plan":12345678901234567890}`, "plan", "12345678901234567890"},
		{`{"name":"mrr","billing_freq":["Monthly","year"]}`, "billing_freq", "month~~year"},
		{`{"name":"mrr","billing-freq":"monthly"}`, "billing_freq", "month"},
		{`{"name":"mrr","billingFreq":"monthly"}`, "billing_freq", "month"},
		{`{"name":"mrr","limit":"50"}`, "limit", "50"},
		{`{"name":"mrr","limit":50.0}`, "limit", "50"},
		{`{"name":"mrr","limit":5000}`, "limit", "100"},
		{`{"name":"mrr","limit":-5}`, "limit", "1"},
		{`{"name":"mrr","fix_fx":"True"}`, "fix_fx", "true"},
		{`{"name":"mrr","fix_fx":0}`, "fix_fx", "false"},
		{`{"name":"mrr","date":"2026 Q1"}`, "date", "20260101-20260331"},
		{`{"name":"mrr","plan":null,"date":""}`, "plan", ""},
	}
	for _, tt := range tests {
		v, err := sample().Parse("tool", json.RawMessage(tt.arguments))
		if err != nil {
			t.Errorf("%s: %v", tt.arguments, err)
			continue
		}
		if got := v.Get(tt.name); got != tt.want {
			t.Errorf("%s: %s = %q, want %q", tt.arguments, tt.name, got, tt.want)
		}
	}
}

func TestSet_Parse_ObjectsAndMaps(t *testing.T) {
	t.Parallel()
	v, err := sample().Parse("tool", json.RawMessage(`{"name":"mrr","body":"{\"amount\": 12345678901234567}","custom":{"industry":["a","b"],"seats":5},"size":"big"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(v.JSON("body")); got != `{"amount": 12345678901234567}` {
		t.Errorf("body = %s", got)
	}
	custom := v.Map("custom")
	if custom["industry"] != "a~~b" || custom["seats"] != "5" || custom["size"] != "big" || len(custom) != 3 {
		t.Errorf("custom = %v", custom)
	}
}

func TestSet_Parse_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct{ arguments, want string }{
		{`{"name":"mrr","dat":"2026"}`, `unknown argument "dat", did you mean "date"? Corrected call: tool {"date":"2026","name":"mrr"}`},
		{`{"report":"mrr"}`, `unknown argument "report"; tool takes: name, date, plan`},
		{`{}`, `tool needs "name": one of mrr, movement-table`},
		{``, `tool needs "name"`},
		{`null`, `tool needs "name"`},
		{`{"namee":"mrr"}`, `did you mean "name"? Corrected call: tool {"name":"mrr"}`},
		{`{"name":"mmr"}`, `name: "mmr" is not valid, did you mean "mrr"? Valid: mrr, movement-table`},
		{`{"name":"zzzzzzzz"}`, `name: "zzzzzzzz" is not valid; use one of: mrr, movement-table`},
		{`{"name":"mrr","limit":"many"}`, `limit: "many" is not a whole number; Most rows, e.g. 20`},
		{`{"name":"mrr","limit":1.5}`, `limit: "1.5" is not a whole number`},
		{`{"name":"mrr","months":0}`, `months: 0 is too small; the least is 1`},
		{`{"name":"mrr","months":500}`, `months: 500 is too large; the most is 120`},
		{`{"name":"mrr","fix_fx":"maybe"}`, `fix_fx: "maybe" is neither true nor false`},
		{`{"name":["mrr","movement-table"]}`, `name: give one value, one of mrr`},
		{`{"name":{"a":1}}`, `name: give text, not an object`},
		{`{"name":"mrr","body":"text"}`, `body: give a JSON object, Row`},
		{`{"name":"mrr","custom":"x"}`, `custom: give a JSON object of strings`},
		{`{"name":"mrr","custom":{"a":{"b":1}}}`, `custom: a: give text, not an object`},
		{`{"name":"mrr","custom_a":{"b":1}}`, `custom_a: give text, not an object`},
		{`{"name":"mrr","date":"someday"}`, `date: "someday" is not a date range; use for example 2026`},
		{`{"name":"mrr","billingFreq":"a","billing_freq":"b"}`, `"billing_freq" is given twice`},
		{`[1]`, `arguments: not a JSON object`},
		{`{"name":"mrr","plan":[[1]]}`, `plan: give text or a list of texts`},
	}
	for _, tt := range tests {
		_, err := sample().Parse("tool", json.RawMessage(tt.arguments))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.arguments, err, tt.want)
		}
	}
}

func TestSet_Schema(t *testing.T) {
	t.Parallel()
	want := `{"type":"object","properties":{"a":{"type":"string","description":"<a> & \"b\"","enum":["x"]},"n":{"type":"integer","minimum":1,"maximum":9},` +
		`"m":{"type":"object","additionalProperties":{"type":"string"}},"o":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	got := Set{
		{Name: "a", Required: true, Enum: []string{"x"}, Description: `<a> & "b"`},
		{Name: "n", Type: Integer, Min: 1, Max: 9},
		{Name: "m", Type: Map},
		{Name: "o", Enum: []string{"x"}, Open: true},
	}.Schema()
	if string(got) != want {
		t.Errorf("schema %s\nwant   %s", got, want)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"date", "interval", "base_currency", "currency", "selected_date", "customer_id"}
	for name, want := range map[string]string{
		"dat": "date", "dates": "date", "intervall": "interval", "currencies": "currency", "baseCurrency": "base_currency",
		"customer": "customer_id", "selected": "selected_date", "xyz": "", "": "",
	} {
		if got := Nearest(name, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"mrr","limit":"5","custom":{"a":[1,"b"]},"body":"[1]","date":"2026-Q1"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := sample().Parse("tool", raw)
		if err != nil {
			return
		}
		if name := v.Get("name"); name != "mrr" && name != "movement-table" {
			t.Fatalf("%q passes with name %q", raw, name)
		}
		if n := v.Int("limit", 1); n < 1 || n > 100 {
			t.Fatalf("%q passes with limit %d", raw, n)
		}
		if body := v.JSON("body"); body != nil && !json.Valid(body) {
			t.Fatalf("%q passes with body %q", raw, body)
		}
	})
}
