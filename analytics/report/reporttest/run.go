package reporttest

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	definitions "github.com/growpanel/growpanel-mcp/docs/metrics"
)

// Engine is what a script runs against. It begins as an empty account with the
// default settings. Methods are called in the order of the script.
type Engine interface {
	// Today sets the day that reports call today, in the account's zone.
	Today(day calendar.Day) error
	// Push stores what stands in the script until the next report, today or
	// delete line, in order.
	Push(rows []Push) error
	// Delete removes a row.
	Delete(row Delete) error
	// Report returns the answer's body decoded from JSON. Numbers may be any
	// of int64, float64 and json.Number. For a request that is refused err is
	// the message that the answer carries.
	Report(name string, params url.Values) (body map[string]any, err error)
}

//go:embed testdata/*.test
var files embed.FS

// Scripts returns the scripts of the product: the rules of the metric
// definitions, each in order of name, and the worked example of every report's
// page.
func Scripts(t *testing.T) []*Script {
	t.Helper()
	names, err := fs.Glob(files, "testdata/*.test")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	scripts := make([]*Script, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(path.Base(name), string(text))
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	for _, d := range definitions.Definitions() {
		s, err := Parse("definition of "+d.Name, d.Example)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	return scripts
}

// Run runs a script against an engine and reports every table that differs,
// with the engine's own in the form of the script.
func Run(t *testing.T, s *Script, e Engine) {
	t.Helper()
	var pending []Push
	flush := func(line int) {
		if len(pending) == 0 {
			return
		}
		if err := e.Push(pending); err != nil {
			t.Fatalf("%s: the rows before line %d: %v", s.Name, line, err)
		}
		pending = nil
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Push != nil {
			pending = append(pending, *step.Push)
			continue
		}
		flush(step.Line)
		var err error
		switch {
		case step.Today.Valid():
			err = e.Today(step.Today)
		case step.Delete != nil:
			err = e.Delete(*step.Delete)
		default:
			check(t, fmt.Sprintf("%s:%d", s.Name, step.Line), step.Report, e)
		}
		if err != nil {
			t.Fatalf("%s:%d: %v", s.Name, step.Line, err)
		}
	}
}

func check(t *testing.T, where string, r *Report, e Engine) {
	t.Helper()
	body, err := e.Report(r.Name, r.Params)
	switch {
	case r.Refused != "":
		if err == nil || !strings.Contains(err.Error(), r.Refused) {
			t.Errorf("%s: %s %v: error %v, want one with %q", where, r.Name, r.Params, err, r.Refused)
		}
		return
	case err != nil:
		t.Errorf("%s: %s %v: %v", where, r.Name, r.Params, err)
		return
	}
	rows := rowsOf(body)
	got := make([][]string, len(rows))
	same := len(rows) == len(r.Rows)
	for i, row := range rows {
		for j, field := range r.Fields {
			cell := show(body, row, field)
			got[i] = append(got[i], cell)
			same = same && i < len(r.Rows) && equal(cell, r.Rows[i][j])
		}
	}
	if !same {
		t.Errorf("%s: %s %v answers otherwise:\n--- want\n%s--- got\n%s", where, r.Name, r.Params, table(r.Fields, r.Rows), table(r.Fields, got))
	}
}

// rowsOf finds the rows of an answer: its result, the list in it, the summary,
// or the whole body of one object.
func rowsOf(body map[string]any) []map[string]any {
	switch result := body["result"].(type) {
	case []any:
		return objects(result)
	case map[string]any:
		if list, ok := result["list"].([]any); ok {
			return objects(list)
		}
		return []map[string]any{result}
	}
	if summary, ok := body["summary"].(map[string]any); ok {
		return []map[string]any{summary}
	}
	return []map[string]any{body}
}

func objects(list []any) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, v := range list {
		if row, ok := v.(map[string]any); ok {
			out = append(out, row)
		}
	}
	return out
}

// equal compares a cell with the text of the script; numbers by value, so that
// 20 is 20.0.
func equal(got, want string) bool {
	if got == want {
		return true
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && math.Abs(a-b) < 1e-9
}

// show finds a field of a row and writes it as scripts do.
func show(body, row map[string]any, field string) string {
	from := row
	if whole, ok := strings.CutPrefix(field, "/"); ok {
		from, field = body, whole
	}
	value, currency := any(from), baseCurrency(body)
	name := ""
	for part := range strings.SplitSeq(field, "/") {
		name = part
		switch v := value.(type) {
		case map[string]any:
			if code, ok := v["currency"].(string); ok && slices.Contains(rowMoney, part) {
				currency = code
			}
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return "-"
			}
			value = v[i]
		default:
			return "-"
		}
		if part == "lines" { // lines are in the currency of their movement
			if code, ok := row["currency"].(string); ok {
				currency = code
			}
		}
	}
	n, isInt := integer(value)
	if isInt && isMoney(name, field) {
		c, err := money.Parse(currency)
		if err == nil {
			return formatAmount(n, c)
		}
	}
	return text(value)
}

// rowMoney are the fields in the currency of the object that holds them.
var rowMoney = []string{"mrr_change", "old_mrr", "new_mrr", "current_mrr_customer_currency", "total_paid_customer_currency", "amount", "total"}

// baseMoney are the fields in the currency of the answer.
var baseMoney = []string{
	"new", "expansion", "contraction", "churn", "reactivation", "fx_adjustment", "mrr_diff", "net_mrr_diff", "total_mrr", "total_arr",
	"arpa", "asp", "mrr_change_base_currency", "mrr", "baseline_mrr", "target_mrr", "grr_mrr", "ltv", "initial_mrr", "mrr_retained",
	"cumulative_mrr", "current_mrr", "current_mrr_base_currency", "total_paid_base_currency",
	"mrr_current", "mrr_30", "mrr_60", "mrr_180", "mrr_365", "arr_current", "arr_30", "arr_60", "arr_180", "arr_365",
	"arpa_current", "arpa_30", "arpa_60", "arpa_180", "arpa_365",
	"month_sub", "quarter_sub", "year_sub", "week_sub", "day_sub", "metered", "one_time", "discount", "refund", "fee", "tax", "fx_loss",
	"net_amount", "mtd", "prev_mtd", "qtd", "prev_qtd", "ytd", "prev_ytd", "amount_base_currency", "total_base_currency",
	"refund_amount", "failed_amount", "recovered", "still_unpaid", "churned", "mtd_still_unpaid", "prev_mtd_still_unpaid",
	"qtd_still_unpaid", "prev_qtd_still_unpaid", "ytd_still_unpaid", "prev_ytd_still_unpaid",
	"net", "cumulative_mrr_compare", "cmrr_current", "cmrr_30", "cmrr_60", "cmrr_180", "cmrr_365", "plan_change",
	"mrr_base_currency", "mrr_at_risk", "churn_current", "churn_30", "churn_60", "churn_180", "churn_365",
	"today_still_unpaid", "d30_still_unpaid", "d60_still_unpaid", "d180_still_unpaid", "d365_still_unpaid",
}

// isMoney says by its name whether a field is an amount. The extremes of
// cohorts reuse a name for a percentage.
func isMoney(name, field string) bool {
	return slices.Contains(rowMoney, name) || slices.Contains(baseMoney, name) && !strings.Contains(field, "limits/")
}

// baseCurrency is the reporting currency of an answer.
func baseCurrency(body map[string]any) string {
	for _, key := range []string{"base_currency", "currency"} {
		if code, ok := body[key].(string); ok {
			return code
		}
	}
	return ""
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	case float64:
		return int64(n), n == math.Trunc(n)
	default:
		return 0, false
	}
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		return fmt.Sprintf("%d items", len(v))
	case map[string]any:
		return fmt.Sprintf("%d fields", len(v))
	default:
		return fmt.Sprint(v)
	}
}

// table writes a table as it would stand in a script.
func table(fields []string, rows [][]string) string {
	all := append([][]string{fields}, rows...)
	widths := make([]int, len(fields))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(quote(cell))))
		}
	}
	var b strings.Builder
	for _, row := range all {
		line := "  "
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], quote(cell))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

func quote(cell string) string {
	if cell == "" || strings.ContainsAny(cell, " \t#") {
		return `"` + cell + `"`
	}
	return cell
}
