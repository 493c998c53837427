package httpapi

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
)

func TestAppendImport(t *testing.T) {
	t.Parallel()
	o := outcome{
		docs: [][]byte{
			[]byte(`{"id":"a"}`),
			[]byte("{ \"id\" : \"b\" ,\n \"x\":{} \n}"),
			[]byte(`{}`),
			[]byte(`{ }`),
			[]byte(`7`),
			[]byte(`{"id":"c","export_status":"error","export_error":"old"}`),
			[]byte(`{"export_status":"success"}`),
		},
		failures: []analytics.FieldError{
			{Index: 1, ID: "b", Field: "amount", Message: "must be an integer"},
			{Index: 1, ID: "b", Field: "currency", Message: `"x" is not a code`},
			{Index: 4, Message: "must be an object"},
		},
		warnings: []analytics.FieldError{{Index: 2, Field: "proration", Message: "cash only"}},
		failed:   2,
	}
	all := `{"success":true,"imported":5,"failed":2,"result":[
		{"id":"a","export_status":"success"},
		{"id":"b","x":{},"export_status":"error","export_error":"amount: must be an integer; currency: \"x\" is not a code"},
		{"export_status":"success","export_warning":"proration: cash only"},
		{"export_status":"success"},
		{"row":7,"export_status":"error","export_error":"must be an object"},
		{"id":"c","export_status":"success"},
		{"export_status":"success"}]}`
	wantSameJSON(t, appendImport(nil, o, false), []byte(all))
	onlyErrors := `{"success":true,"imported":5,"failed":2,"result":[
		{"id":"b","x":{},"export_status":"error","export_error":"amount: must be an integer; currency: \"x\" is not a code"},
		{"export_status":"success","export_warning":"proration: cash only"},
		{"row":7,"export_status":"error","export_error":"must be an object"}]}`
	wantSameJSON(t, appendImport(nil, o, true), []byte(onlyErrors))
	wantSameJSON(t, appendImport(nil, outcome{docs: [][]byte{[]byte(`{"id":"a"}`)}}, true), []byte(`{"success":true,"result":[],"imported":1,"failed":0}`))
}

func wantSameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	var gotValue, wantValue any
	if err := json.Unmarshal(got, &gotValue); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal(want, &wantValue); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if diff := cmp.Diff(wantValue, gotValue); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzAppendRow proves that splicing gives the members that decoding and
// encoding would.
func FuzzAppendRow(f *testing.F) {
	for _, seed := range []string{`{"id":"a"}`, `{}`, "{\n}", `[1]`, `"x"`, `{"export_status":1,"a":{"export_error":2}}`, `{"a":"}"}`, `null`} {
		f.Add([]byte(seed), "amount: no")
	}
	f.Fuzz(func(t *testing.T, doc []byte, message string) {
		var value any
		if json.Unmarshal(doc, &value) != nil {
			return
		}
		want, isObject := value.(map[string]any)
		if !isObject {
			want = map[string]any{"row": value}
		}
		delete(want, "export_warning")
		quoted, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		var clean any
		if err := json.Unmarshal(quoted, &clean); err != nil {
			t.Fatal(err)
		}
		want["export_status"], want["export_error"] = "error", clean
		row := appendRow(nil, doc, []analytics.FieldError{{Message: message}}, nil)
		var got any
		if err := json.Unmarshal(row, &got); err != nil {
			t.Fatalf("%v in %s", err, row)
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func BenchmarkAppendImport(b *testing.B) {
	o := outcome{}
	for i := range 10_000 {
		o.docs = append(o.docs, fmt.Appendf(nil, `{"id":"inv_%d","customer_id":"cus_%d","type":"subscription","invoice_date":"2026-02-01","amount":9900,"currency":"usd","plan_id":"pro"}`, i, i%500))
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = appendImport(out[:0], o, false)
	}
}
