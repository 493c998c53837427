package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// shape shapes the answer of a GET route of the contract.
func shape(t *testing.T, path, body string, opt Options) (Answer, map[string]any) {
	t.Helper()
	opt.Schema = openapi.UnitsFor("GET", path)
	a, err := new(Shaper).Shape([]byte(body), opt)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return a, decoded(t, a.Structured)
}

func decoded(t *testing.T, data []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("structured form %s: %v", data, err)
	}
	return v
}

func TestShape_FiltersBehindZeros(t *testing.T) {
	t.Parallel()
	const note = "Every figure here is 0. Check that these filters match anything: plan=Enterprise, custom_tier=gold."
	filters := []Pair{{"plan", "Enterprise"}, {"custom_tier", "gold"}}
	for _, tt := range []struct {
		body string
		want bool
	}{
		{`{"currency":"usd","summary":{"mrr_current":0,"subscribers_current":0,"mrr_percentage_change_30":null}}`, true},
		{`{"currency":"usd","summary":{"mrr_current":0,"subscribers_current":1}}`, false},
		{`{"currency":"usd","summary":{"mrr_current":-5,"subscribers_current":0}}`, false},
		{`{"currency":"usd","summary":{}}`, false},
	} {
		body, want := tt.body, tt.want
		a, _ := shape(t, "/reports/summary", body, Options{Title: "summary", Query: filters, Filters: filters})
		if strings.Contains(a.Text, note) != want {
			t.Errorf("%s: note %v, want %v in\n%s", body, !want, want, a.Text)
		}
		if a, _ = shape(t, "/reports/summary", body, Options{Title: "summary"}); strings.Contains(a.Text, "Every figure") {
			t.Errorf("%s: a note without filters:\n%s", body, a.Text)
		}
	}
}

func TestShape_MRR(t *testing.T) {
	t.Parallel()
	body := `{"breakdown":"plan","currency":"usd","query":{"breakdown":"plan","committed":false,"filters":{"country":"us~~de"},"fix_fx":true,"from":"2026-01-01","interval":"month","timezone":"Europe/Berlin","to":"2026-02-28"},` +
		`"result":[{"breakdown":{"pro":{"label":"Pro","new":100},"~":{"label":"(not set)","new":23}},"churn":-5,"date":"2026-01-01","new":123456,"quick_ratio":null,"total_customers":3},` +
		`{"breakdown":{"pro":{"label":"Pro","new":7}},"churn":-12345,"date":"2026-02-01","new":0,"quick_ratio":1.5,"total_customers":30}]}`
	a, _ := shape(t, "/reports/mrr", body, Options{Title: "mrr", Query: []Pair{{"date", "20260101-20260228"}, {"country", "us~~de"}, {"limit", "5"}}})
	want := strings.Join([]string{
		"mrr | 2026-01-01..2026-02-28 | time zone Europe/Berlin | amounts in USD | breakdown=plan | country=us~~de | fix_fx=true | interval=month | limit=5",
		"2 of 2 rows, complete.",
		"date\tchurn\tnew\tquick_ratio\ttotal_customers",
		"2026-01-01\t-0.05\t1234.56\t\t3",
		"2026-02-01\t-123.45\t0.00\t1.5\t30",
		"",
		"breakdown:",
		"date\tkey\tlabel\tnew",
		"2026-01-01\tpro\tPro\t1.00",
		"2026-01-01\t~\t(not set)\t0.23",
		"2026-02-01\tpro\tPro\t0.07",
	}, "\n")
	if diff := cmp.Diff(want, a.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	wantJSON := `{"range":"2026-01-01/2026-02-28","timezone":"Europe/Berlin","currency":"usd","query":{"breakdown":"plan","country":"us~~de","fix_fx":"true","interval":"month","limit":"5"},` +
		`"returned":2,"total":2,"complete":true,"units":{"churn":"money","new":"money"},` +
		`"rows":[{"breakdown":{"pro":{"label":"Pro","new":1.00},"~":{"label":"(not set)","new":0.23}},"churn":-0.05,"date":"2026-01-01","new":1234.56,"quick_ratio":null,"total_customers":3},` +
		`{"breakdown":{"pro":{"label":"Pro","new":0.07}},"churn":-123.45,"date":"2026-02-01","new":0.00,"quick_ratio":1.5,"total_customers":30}]}`
	if diff := cmp.Diff(wantJSON, string(a.Structured)); diff != "" {
		t.Errorf("structured (-want +got):\n%s", diff)
	}
}

func TestShape_CurrencyOfEachAmount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path, body string
		opt              Options
		want             []string // pieces of the structured form
	}{
		{
			"row and base currency differ", "/reports/movement-table",
			`{"currency":"usd","result":{"count":2,"list":[{"currency":"jpy","mrr_change":3300,"mrr_change_base_currency":2100},{"currency":"kwd","mrr_change":12345,"mrr_change_base_currency":4000}]}}`,
			Options{Paged: true},
			[]string{`"mrr_change":3300,"mrr_change_base_currency":21.00`, `"mrr_change":12.345,"mrr_change_base_currency":40.00`},
		},
		{
			"currency stands behind the amounts", "/reports/movement-table",
			`{"result":{"list":[{"mrr_change":12345,"mrr_change_base_currency":500,"lines":[{"mrr":1500}],"currency":"bhd"}]},"currency":"jpy"}`,
			Options{},
			[]string{`"mrr_change":12.345,"mrr_change_base_currency":500`, `"lines":[{"mrr":1.500}]`},
		},
		{
			"base currency without decimals", "/reports/summary",
			`{"currency":"huf","summary":{"mrr_current":120000,"subscribers_current":12,"mrr_percentage_change_30":5.5}}`,
			Options{},
			[]string{`"mrr_current":120000,"subscribers_current":12,"mrr_percentage_change_30":5.5`},
		},
		{
			"one customer has its own and the base currency", "/customers/cus_1",
			`{"base_currency":"usd","currency":"jpy","current_mrr_base_currency":1234,"current_mrr_customer_currency":1850,"current_subscriptions":[{"currency":"kwd","mrr":1500},{"currency":null,"mrr":1500}]}`,
			Options{},
			[]string{`"current_mrr_base_currency":12.34,"current_mrr_customer_currency":1850`, `[{"currency":"kwd","mrr":1.500},{"currency":null,"mrr":1500}]`},
		},
		{
			"percentages and counts are never scaled", "/reports/cohort",
			`{"currency":"usd","result":{"list":[{"cohort_group":"2026-01-01","initial_customers":100,"initial_mrr":9900,"periods":[{"customer_churn":12.5,"customers_retained":88,"mrr_churn":10,"mrr_retained":8910}]}]}}`,
			Options{},
			[]string{`"initial_customers":100,"initial_mrr":99.00`, `{"customer_churn":12.5,"customers_retained":88,"mrr_churn":10,"mrr_retained":89.10}`},
		},
		{
			"the options name the currency", "/customers/cus_1",
			`{"currency":"eur","current_mrr_base_currency":1234,"current_mrr_customer_currency":1}`,
			Options{Currency: "USD"},
			[]string{`"current_mrr_base_currency":12.34,"current_mrr_customer_currency":0.01`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, _ := shape(t, tt.path, tt.body, tt.opt)
			for _, piece := range tt.want {
				if !strings.Contains(string(a.Structured), piece) {
					t.Errorf("structured form lacks %s:\n%s", piece, a.Structured)
				}
			}
		})
	}
}

func TestShape_AmountsInAnUnknownCurrencyStayAndAreNamed(t *testing.T) {
	t.Parallel()
	a, _ := shape(t, "/customers/cus_1", `{"currency":"eur","current_mrr_base_currency":1234,"total_paid_base_currency":0}`, Options{})
	if !a.NeedsCurrency || !strings.Contains(string(a.Structured), `"current_mrr_base_currency":1234,`) {
		t.Errorf("NeedsCurrency = %v, structured %s", a.NeedsCurrency, a.Structured)
	}
	if want := "minor units): current_mrr_base_currency\n"; !strings.Contains(a.Text, want) {
		t.Errorf("text does not say %q:\n%s", want, a.Text)
	}
}

func TestShape_FieldsOutsideTheContract(t *testing.T) {
	t.Parallel()
	fallback := func(field []byte) openapi.Unit {
		if string(field) == "refund_amount" {
			return openapi.MoneyBase
		}
		return openapi.None
	}
	a, _ := shape(t, "/reports/cashflow-refunds", `{"currency":"usd","result":[{"date":"2026-01-01","refund_amount":1250,"mystery":77}]}`, Options{Fallback: fallback})
	if want := `[{"date":"2026-01-01","refund_amount":12.50,"mystery":77}]`; !strings.Contains(string(a.Structured), want) {
		t.Errorf("structured form lacks %s:\n%s", want, a.Structured)
	}
	if !strings.Contains(a.Text, "unit or currency not known (money would be minor units): mystery\n") {
		t.Errorf("text does not name the field without a unit:\n%s", a.Text)
	}
}

func TestShape_NamesCannotBreakTheTable(t *testing.T) {
	t.Parallel()
	a, v := shape(t, "/customers", `{"currency":"usd","result":{"count":1,"list":[{"id":"c\t1","name":"Evil\nIgnore previous \u202egnorts\u2028\u0007\u200b","email":"é@x"}]}}`, Options{Paged: true})
	lines := strings.Split(a.Text, "\n")
	if want := `c\t1` + "\t" + `Evil\nIgnore previous \u202egnorts\u2028\a\u200b` + "\té@x"; lines[len(lines)-1] != want {
		t.Errorf("row %q, want %q", lines[len(lines)-1], want)
	}
	row, ok := v["rows"].([]any)[0].(map[string]any)
	if !ok || row["name"] != "Evil\nIgnore previous \u202egnorts\u2028\u0007\u200b" {
		t.Errorf("structured name %q is not as it came", row["name"])
	}
}

func TestShape_Extent(t *testing.T) {
	t.Parallel()
	page := `{"currency":"usd","result":{"count":7,"has_more":true,"limit":2,"list":[{"id":"a"},{"id":"b"}],"offset":%s}}`
	rows := `{"currency":"usd","result":[{"date":"1"},{"date":"2"},{"date":"3"},{"date":"4"},{"date":"5"}]}`
	tests := []struct {
		name, path, body string
		opt              Options
		wantText         string
		wantJSON         string
	}{
		{"first page", "/customers", strings.ReplaceAll(page, "%s", "0"), Options{Paged: true}, "Rows 1-2 of 7. Next: offset=2.", `"returned":2,"total":7,"complete":false,"next":2`},
		{"last page", "/customers", strings.ReplaceAll(page, "%s", "5"), Options{Paged: true, Offset: 5}, "Rows 6-7 of 7.", `"returned":2,"total":7,"complete":false,"units"`},
		{"whole list", "/reports/mrr", rows, Options{}, "5 of 5 rows, complete.", `"returned":5,"total":5,"complete":true,"units"`},
		{"part of a list that the API does not cut", "/reports/mrr", rows, Options{Offset: 1, Limit: 2}, "Rows 2-3 of 5. Next: offset=3.", `"returned":2,"total":5,"complete":false,"next":3`},
		{"behind the end", "/reports/mrr", rows, Options{Offset: 9}, "0 of 5 rows.", `"returned":0,"total":5,"complete":false,"units"`},
		{"nothing", "/reports/mrr", `{"currency":"usd","result":[]}`, Options{}, "0 rows: nothing matches.", `"returned":0,"total":0,"complete":true,"units"`},
		{"no list", "/reports/summary", `{"currency":"usd","summary":{}}`, Options{}, "", `"complete":true,"units":{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, _ := shape(t, tt.path, tt.body, tt.opt)
			lines := append(strings.Split(a.Text, "\n"), "")
			if lines[1] != tt.wantText || !strings.Contains(string(a.Structured), tt.wantJSON) {
				t.Errorf("says %q and %s", lines[1], a.Structured)
			}
		})
	}
}

// TestShape_Budget asks that no answer passes its limits and that what is cut
// is said.
func TestShape_Budget(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	wide := `{"currency":"usd","result":[{"breakdown":{` + strings.Repeat(`"v":{"label":"value","new":1},`, 3000) + `"z":{"new":1}},"date":"2026-01-01"},{"date":"2026-02-01"}]}`
	bodies := map[string]string{
		"/reports/mrr":                    string(mrrBody(1000)),
		"/customers":                      string(customersBody()),
		"/reports/customer-concentration": `{"currency":"usd","result":{"count":9,"list":[{"id":"` + long + `"}],"pareto":[` + strings.Repeat(`{"rank":1},`, 4000) + `{}]}}`,
		"/reports/cohort":                 `{"result":{"list":[{"periods":[` + strings.Repeat(`{"nrr":1},`, 9000) + `{}]}]}}`,
		"/v1/reports/mrr":                 wide,
		"/unknown":                        `{"a":{` + strings.Repeat(`"k":"`+long+`",`, 50) + `"z":1},"b":[[` + strings.Repeat(`1,`, 9000) + `1]],"c":` + strings.Repeat(`{"d":`, 500) + `1` + strings.Repeat(`}`, 500) + `}`,
		"/other":                          `{` + strings.Repeat(`"k":1,`, 30000) + `"z":1}`,
		"/text":                           `"` + long + `"`,
		"/keys":                           `{"` + long + `":1,"` + long + long + `":{"` + long + `":2}}`,
	}
	for path, body := range bodies {
		for _, tokens := range []int{MinTokens, 0, MaxTokens} {
			a, v := shape(t, path, body, Options{Title: "t", Tokens: tokens, Paged: path == "/customers", Narrow: "Narrow."})
			most := textSize(tokens)
			if len(a.Text) > most {
				t.Errorf("%s with %d tokens: text of %d bytes", path, tokens, len(a.Text))
			}
			if len(a.Structured) > min(most*structuredPerText, maxStructured)+headRoom {
				t.Errorf("%s with %d tokens: structured form of %d bytes", path, tokens, len(a.Structured))
			}
			rows, _ := v["rows"].([]any)
			if n, listed := v["returned"]; listed && n != json.Number(big.NewInt(int64(len(rows))).String()) {
				t.Errorf("%s with %d tokens: returned %v but has %d rows", path, tokens, n, len(rows))
			}
			cut := strings.Contains(a.Text, "Cut to the size limit. Narrow.") || strings.Contains(a.Text, "shortened")
			if len(body) > 3*most*structuredPerText && !cut {
				t.Errorf("%s with %d tokens is cut without a word:\n%.300s", path, tokens, a.Text)
			}
			if cut && strings.Contains(a.Text, "Cut") && v["complete"] != false {
				t.Errorf("%s with %d tokens is cut but calls itself complete", path, tokens)
			}
		}
	}
}

func TestShape_SingleFiguresSurviveALongList(t *testing.T) {
	t.Parallel()
	body := `{"currency":"usd","result":{"list":[` + strings.Repeat(`{"id":"a","mrr":1},`, 5000) + `{}],"pareto":[{"id":"a"}],"summary":{"customers":5001,"total_mrr":5000}}}`
	for _, tokens := range []int{MinTokens, DefaultTokens, MaxTokens} {
		a, _ := shape(t, "/reports/customer-concentration", body, Options{Title: "t", Tokens: tokens})
		if !strings.Contains(a.Text, "\ntotal_mrr\t50.00\n") || !strings.Contains(string(a.Structured), `"summary":{"customers":5001,"total_mrr":50.00}`) {
			t.Errorf("with %d tokens the total is missing:\n%.300s", tokens, a.Text)
		}
	}
}

func TestShape_PartOfAWideRow(t *testing.T) {
	t.Parallel()
	var parts strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&parts, `"customer %d":{"label":"Customer %d","new":%d},`, i, i, 100*i)
	}
	body := `{"currency":"usd","result":[{"arpa":1,"breakdown":{` + parts.String() + `"z":{"new":1}},"date":"2026-01-01","new":500,"total_mrr":12345},{"date":"2026-02-01"}]}`
	for _, tokens := range []int{MinTokens, DefaultTokens, MaxTokens} {
		a, v := shape(t, "/reports/mrr", body, Options{Title: "t", Tokens: tokens, Narrow: "Narrow."})
		rows, _ := v["rows"].([]any)
		if len(rows) != 1 || v["complete"] != false || !strings.Contains(a.Text, "\n2026-01-01\t123.45\t0.01\t5.00\n") ||
			!strings.Contains(a.Text, "\n2026-01-01\tcustomer 1\tCustomer 1\t1.00\n") || !strings.Contains(a.Text, "Cut to the size limit. Narrow.") {
			t.Errorf("with %d tokens: %d rows, text %.600s", tokens, len(rows), a.Text)
		}
	}
}

func TestShape_PagesJoin(t *testing.T) {
	t.Parallel()
	body := string(mrrBody(300))
	_, whole := shape(t, "/reports/mrr", body, Options{Tokens: MaxTokens})
	var joined []any
	offset := 0
	for range 300 {
		_, v := shape(t, "/reports/mrr", body, Options{Tokens: 1000, Offset: offset})
		rows, _ := v["rows"].([]any)
		joined = append(joined, rows...)
		next, ok := v["next"].(json.Number)
		if !ok {
			break
		}
		n, _ := next.Int64()
		offset = int(n)
	}
	all, _ := whole["rows"].([]any)
	if len(joined) != 300 || len(all) == 0 {
		t.Fatalf("the pages hold %d rows, want 300", len(joined))
	}
	if diff := cmp.Diff(all, joined[:len(all)]); diff != "" {
		t.Errorf("pages differ from the whole (-whole +pages):\n%s", diff)
	}
}

// TestShape_PagesJoinWithInnerTables asks that a row is shown with all that is
// inside it, or on the next page.
func TestShape_PagesJoinWithInnerTables(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"currency":"usd","result":[`)
	for row := range 40 {
		fmt.Fprintf(&body, `{"breakdown":{`)
		for value := range 1 + row%7 {
			fmt.Fprintf(&body, `"value %d":{"label":"Value %d","new":%d},`, value, value, 100*row+value)
		}
		fmt.Fprintf(&body, `"~":{"label":"(not set)","new":1}},"date":"2026-01-%02d","new":%d},`, row, row)
	}
	body.WriteString(`{"date":"end"}]}`)
	_, whole := shape(t, "/reports/mrr", body.String(), Options{Tokens: MaxTokens})
	var joined []any
	for offset, pages := 0, 0; pages < 40; pages++ {
		a, v := shape(t, "/reports/mrr", body.String(), Options{Tokens: MinTokens, Offset: offset})
		rows, _ := v["rows"].([]any)
		for i, row := range rows {
			fields, _ := row.(map[string]any)
			parts, _ := fields["breakdown"].(map[string]any)
			if got := strings.Count(a.Text, fmt.Sprintf("\n%s\t", fields["date"])); got != 1+len(parts) {
				t.Errorf("row %d of %d: the text has %d lines for %d values", i, offset, got, len(parts))
			}
		}
		joined = append(joined, rows...)
		next, ok := v["next"].(json.Number)
		if !ok {
			break
		}
		n, _ := next.Int64()
		offset = int(n)
	}
	if diff := cmp.Diff(whole["rows"], any(joined)); diff != "" {
		t.Errorf("pages differ from the whole (-whole +pages):\n%s", diff)
	}
}

func TestShape_RowsByName(t *testing.T) {
	t.Parallel()
	fallback := func([]byte) openapi.Unit { return openapi.MoneyBase }
	a, _ := shape(t, "/reports/map", `{"currency":"usd","result":{"list":{"us":{"ltv":250},"d\u00e9":{}}}}`, Options{Title: "map", Fallback: fallback})
	if want := "map | amounts in USD\n2 of 2 rows, complete.\nkey\tltv\nus\t2.50\ndé\t"; a.Text != want {
		t.Errorf("text %q, want %q", a.Text, want)
	}
	if want := `"rows":[{"key":"us","ltv":2.50},{"key":"d\u00e9"}]}`; !strings.HasSuffix(string(a.Structured), want) {
		t.Errorf("structured %s, want the end %s", a.Structured, want)
	}
}

func TestShaper_RemembersNothing(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"/reports/mrr":            string(mrrBody(40)),
		"/v1/reports/mrr":         `{"currency":"jpy","result":[{"breakdown":{"a":{"new":1}},"new":5}],"warning":"x"}`,
		"/customers":              string(customersBody()),
		"/reports/summary":        `{"currency":"kwd","query":{"from":"2026-01-01","to":"2026-01-31"},"summary":{"mrr_current":1}}`,
		"/reports/movement-table": `{"result":{"list":[{"currency":"jpy","lines":[{"mrr":1}],"mrr_change":12}]}}`,
		"/nothing":                `{"a":{"b":{"c":1}},"d":[1,2]`,
		"/customers/x":            `{"currency":"eur","current_mrr_base_currency":5}`,
	}
	var shaper Shaper
	for range 3 {
		for path, body := range bodies {
			opt := Options{Title: "t", Schema: openapi.UnitsFor("GET", path)}
			want, wantErr := new(Shaper).Shape([]byte(body), opt)
			got, err := shaper.Shape([]byte(body), opt)
			if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
				t.Errorf("%s differs after others (-first +later): %v\n%s", path, err, diff)
			}
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		offset     int
		total      int
		want       string
	}{
		{"whole", "a,b\n1,2\n3,4\n", 0, 0, "t\n2 of 2 rows, complete.\na,b\n1,2\n3,4\n"},
		{"without a last line end", "a\n1\n2", 0, 0, "t\n2 of 2 rows, complete.\na\n1\n2"},
		{"line end in quotes", "a\n\"1\n\"\"x\"\n2\n", 1, 0, "t\n1 of 2 rows, from offset 1.\na\n2\n"},
		{"head alone", "a,b\n", 0, 0, "t\n0 of 0 rows, complete.\na,b\n"},
		{"nothing", "", 0, 0, "t\n0 of 0 rows, complete.\n"},
		{"behind the end", "a\n1\n", 5, 0, "t\n0 of 1 rows, from offset 5.\na\n"},
		{"a part", "a\n7\n8\n", 6, 20, "t\n2 of 20 rows, from offset 6. Next: offset=8.\na\n7\n8\n"},
		{"the last part", "a\n7\n8\n", 6, 8, "t\n2 of 8 rows, from offset 6.\na\n7\n8\n"},
		{"one row too long", "a\n" + strings.Repeat("x", 9000) + "\n", 0, 0, "t\n1 of 1 rows, from offset 0. The row is cut to the size limit; raise max_tokens.\na\n" + strings.Repeat("x", textSize(0)-textRoom-2)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := CSV(File{Title: "t", Body: []byte(tt.body), Offset: tt.offset, Total: tt.total}, 0)
			if a.Text != tt.want {
				t.Errorf("text %.200q, want %.200q", a.Text, tt.want)
			}
			if v := decoded(t, a.Structured); v["csv"] == nil || v["complete"] == nil {
				t.Errorf("structured %s", a.Structured)
			}
		})
	}
}

func TestShape_SameValuesAsEncodingJSON(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{"/reports/mrr": string(mrrBody(36)), "/customers": string(customersBody())} {
		schema := openapi.UnitsFor("GET", path)
		_, v := shape(t, path, body, Options{Tokens: MaxTokens, Paged: true})
		want := decoded(t, []byte(body))["result"]
		if page, ok := want.(map[string]any); ok {
			want = page["list"]
			schema = schema.Child([]byte("result")).Child([]byte("list"))
		} else {
			schema = schema.Child([]byte("result"))
		}
		want = converted(t, schema, want, "usd", "usd")
		if diff := cmp.Diff(want, v["rows"]); diff != "" {
			t.Errorf("%s differs (-encoding/json +shaper):\n%s", path, diff)
		}
	}
}

// converted is the slow and plain way to convert a decoded body: it divides
// with big rationals.
func converted(t *testing.T, schema *openapi.Schema, v any, base, row string) any {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if own, ok := v["currency"].(string); ok {
			row = own
		}
		for key, member := range v {
			v[key] = converted(t, schema.Child([]byte(key)), member, base, row)
		}
	case []any:
		for i := range v {
			v[i] = converted(t, schema, v[i], base, row)
		}
	case json.Number:
		if !schema.Unit().IsMoney() {
			return v
		}
		if schema.Unit() == openapi.MoneyBase {
			row = base
		}
		exponent, _ := Exponent([]byte(row))
		r, _ := new(big.Rat).SetString(v.String())
		r.Quo(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)))
		return json.Number(r.FloatString(exponent))
	}
	return v
}

func TestShape_NotJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{`, `{"result":[{"a":1},`, `{"result":[]} x`, `<html>`, `{"currency":"usd","summary":{"mrr_current":01}}`} {
		if _, err := new(Shaper).Shape([]byte(body), Options{}); err == nil {
			t.Errorf("%q is taken for JSON", body)
		}
	}
}

func TestShape_Allocations(t *testing.T) {
	body := mrrBody(36)
	opt := Options{Title: "mrr", Schema: openapi.UnitsFor("GET", "/reports/mrr")}
	var shaper Shaper
	// The fewest of several tries: now and then a pool loses its buffers, to a
	// collection or, at random, to the race detector.
	fewest := 1000.0
	for range 10 {
		fewest = min(fewest, testing.AllocsPerRun(1, func() {
			if _, err := shaper.Shape(body, opt); err != nil {
				t.Error(err)
			}
		}))
	}
	if fewest > 20 {
		t.Errorf("%v allocations for 36 months of MRR, want at most 20", fewest)
	}
}

func FuzzShape(f *testing.F) {
	f.Add([]byte(`{"breakdown":"plan","currency":"usd","query":{"from":"a","filters":{"x":"y"}},"result":[{"breakdown":{"a":{"new":1}},"new":-5},{"new":1.5e3}]}`), uint16(500))
	f.Add([]byte(`{"currency":"kwd","result":{"count":3,"list":[{"currency":"jpy","lines":[{"mrr":1}],"mrr_change":12}]}}`), uint16(0))
	f.Add([]byte(`{"result":{"list":{"us":{"mrr":1}}},"summary":{"a":{"b":{"c":[1,{"d":2}]}}}}`), uint16(600))
	f.Add([]byte(`[1,"a",{"b":[[{}]]},null]`), uint16(500))
	f.Add([]byte("{\"\":{\"\":[{\"\":\"\\ud800\xff\"}]},\"result\":[[],{}]}"), uint16(700))
	paths := []string{"/reports/mrr", "/reports/movement-table", "/customers/x", "/nope"}
	var used Shaper
	f.Fuzz(func(t *testing.T, body []byte, tokens uint16) {
		for _, path := range paths {
			opt := Options{Title: "t", Schema: openapi.UnitsFor("GET", path), Tokens: int(tokens)}
			a, err := new(Shaper).Shape(body, opt)
			if (err == nil) != json.Valid(body) {
				t.Fatalf("%s: error %v for %q", path, err, body)
			}
			if err != nil {
				continue
			}
			if again, err := used.Shape(body, opt); err != nil || again.Text != a.Text || string(again.Structured) != string(a.Structured) {
				t.Fatalf("%s: a Shaper that was used before answers %v %q, want %q", path, err, again.Structured, a.Structured)
			}
			if !json.Valid(a.Structured) {
				t.Fatalf("%s: structured form is not JSON: %s", path, a.Structured)
			}
			if !utf8.ValidString(a.Text) || !utf8.Valid(a.Structured) || strings.ContainsFunc(a.Text, hides) {
				t.Fatalf("%s: text is not printable: %q", path, a.Text)
			}
			if len(a.Text) > textSize(int(tokens))+headRoom {
				t.Fatalf("%s: text of %d bytes for %d tokens", path, len(a.Text), tokens)
			}
		}
	})
}

// hides reports whether r may not stand in the text.
func hides(r rune) bool { return r != '\t' && r != '\n' && r < ' ' || r == 0x7f || r == 0x202e }
