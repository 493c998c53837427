package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// render prints an answer. JSON is printed as it came, without its `result`
// envelope; tables and CSV show amounts in display units, as the contract's
// units say.
func render(w io.Writer, format, method, path string, res *apiclient.Response) error {
	if !strings.Contains(res.Header.Get("Content-Type"), "json") {
		_, err := w.Write(res.Body)
		return err
	}
	body, schema := unwrap(res.Body, openapi.UnitsFor(method, path))
	if format == "json" {
		var out bytes.Buffer
		if err := json.Indent(&out, body, "", "  "); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		out.WriteByte('\n')
		_, err := out.WriteTo(w)
		return err
	}
	t, err := tabulate(body, schema, baseCurrency(res.Body))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if format == "csv" {
		return t.csv(w)
	}
	return t.text(w, columns(path))
}

// unwrap returns the value of a top-level `result`, or the body itself.
func unwrap(body []byte, schema *openapi.Schema) ([]byte, *openapi.Schema) {
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Result == nil {
		return body, schema
	}
	return envelope.Result, schema.Child([]byte("result"))
}

// baseCurrency is the currency of the report as the answer names it.
func baseCurrency(body []byte) string {
	var top struct {
		Base     string `json:"base_currency"`
		Currency string `json:"currency"`
	}
	if err := json.Unmarshal(body, &top); err != nil {
		return ""
	}
	if top.Base != "" {
		return top.Base
	}
	return top.Currency
}

// table is an answer as rows of named cells. Keys are those of the first row.
type table struct {
	keys []string
	rows []map[string]cell
}

// cell is one value, formatted.
type cell struct {
	text     string
	currency string // of an amount
	number   bool
}

// field is one member of a JSON object, in the order it came.
type field struct {
	key   string
	value json.RawMessage
}

// tabulate turns a list, or an object with a list in it, into rows, and any
// other object into rows of key and value.
func tabulate(body []byte, schema *openapi.Schema, base string) (table, error) {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) > 0 && body[0] == '[':
		return list(body, schema, base)
	case len(body) > 0 && body[0] == '{':
		fields, err := members(body)
		if err != nil {
			return table{}, err
		}
		for _, f := range fields {
			switch schema := schema.Child([]byte(f.key)); {
			case f.key == "list" && bytes.HasPrefix(bytes.TrimSpace(f.value), []byte("{")):
				return keyed(f.value, schema, base)
			case f.key == "list", f.key == "values" && bytes.HasPrefix(bytes.TrimSpace(f.value), []byte("[")):
				return list(f.value, schema, base)
			}
		}
		for _, f := range fields {
			if f.key == "summary" && len(fields) <= 3 {
				return tabulate(f.value, schema.Child([]byte(f.key)), base)
			}
		}
		return pairsTable(fields, schema, base), nil
	default:
		return table{keys: []string{"value"}, rows: []map[string]cell{{"value": scalar(body, schema, base, "")}}}, nil
	}
}

// keyed turns an object of objects into rows that begin with their key.
func keyed(body []byte, schema *openapi.Schema, base string) (table, error) {
	entries, err := members(body)
	if err != nil {
		return table{}, err
	}
	rows := make([]json.RawMessage, len(entries))
	for i, e := range entries {
		rows[i] = e.value
	}
	values, err := json.Marshal(rows)
	if err != nil {
		return table{}, fmt.Errorf("encode rows: %w", err)
	}
	t, err := list(values, schema.Child(nil), base)
	if err != nil {
		return table{}, err
	}
	t.keys = append([]string{"key"}, t.keys...)
	for i := range t.rows {
		t.rows[i]["key"] = cell{text: entries[i].key}
	}
	return t, nil
}

func list(body []byte, schema *openapi.Schema, base string) (table, error) {
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		return table{}, err
	}
	t := table{}
	for i, raw := range rows {
		if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			fields, err := members(raw)
			if err != nil {
				return table{}, err
			}
			row := map[string]cell{}
			own := rowCurrency(fields, schema)
			for _, f := range fields {
				if i == 0 {
					t.keys = append(t.keys, f.key)
				}
				row[f.key] = scalar(f.value, schema.Child([]byte(f.key)), base, own)
			}
			t.rows = append(t.rows, row)
			continue
		}
		t.keys = []string{"value"}
		t.rows = append(t.rows, map[string]cell{"value": scalar(raw, schema, base, "")})
	}
	return t, nil
}

func pairsTable(fields []field, schema *openapi.Schema, base string) table {
	t := table{keys: []string{"key", "value"}}
	own := rowCurrency(fields, schema)
	for _, f := range fields {
		t.rows = append(t.rows, map[string]cell{
			"key": {text: f.key}, "value": scalar(f.value, schema.Child([]byte(f.key)), base, own),
		})
	}
	return t
}

// rowCurrency is the currency that a row names for its own amounts.
func rowCurrency(fields []field, schema *openapi.Schema) string {
	for _, f := range fields {
		switch schema.Child([]byte(f.key)).Unit() {
		case openapi.CurrencyRow, openapi.CurrencyCustomer:
			var code string
			if json.Unmarshal(f.value, &code) == nil {
				return code
			}
		default:
		}
	}
	return ""
}

// members reads an object's members in their order.
func members(raw []byte) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []field
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := key.(string)
		out = append(out, field{key: name, value: value})
	}
	return out, nil
}

func scalar(raw json.RawMessage, schema *openapi.Schema, base, own string) cell {
	text := string(bytes.TrimSpace(raw))
	switch {
	case text == "null" || text == "":
		return cell{}
	case text[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			s = text
		}
		return cell{text: s}
	case text[0] == '{' || text[0] == '[':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return cell{text: text}
		}
		return cell{text: compact.String()}
	case text == "true" || text == "false":
		return cell{text: text}
	}
	switch schema.Unit() {
	case openapi.MoneyBase:
		return cell{text: display(text, base), currency: base, number: true}
	case openapi.MoneyRow, openapi.MoneyCustomer:
		return cell{text: display(text, own), currency: own, number: true}
	default:
		return cell{text: text, number: true}
	}
}

// display moves the decimal point of an integer of minor units; the digits stay
// exact.
func display(minor, currency string) string {
	if currency == "" || strings.ContainsAny(minor, ".eE") {
		return minor
	}
	places := openapi.CurrencyExponent(strings.ToLower(currency))
	if places == 0 {
		return minor
	}
	sign := ""
	if strings.HasPrefix(minor, "-") {
		sign, minor = "-", minor[1:]
	}
	if pad := places + 1 - len(minor); pad > 0 {
		minor = strings.Repeat("0", pad) + minor
	}
	return sign + minor[:len(minor)-places] + "." + minor[len(minor)-places:]
}

// csv writes every key as a column, amounts as plain decimals.
func (t table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.keys); err != nil {
		return err
	}
	record := make([]string, len(t.keys))
	for _, row := range t.rows {
		for i, key := range t.keys {
			record[i] = row[key].text
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// text writes an aligned table of the columns that people read first.
func (t table) text(w io.Writer, chosen []string) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, "No data")
		return err
	}
	keys := t.pick(chosen)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heads := make([]string, len(keys))
	for i, key := range keys {
		heads[i] = strings.ToUpper(strings.ReplaceAll(key, "_", " "))
	}
	_, _ = fmt.Fprintln(out, strings.Join(heads, "\t"))
	for _, row := range t.rows {
		cells := make([]string, len(keys))
		for i, key := range keys {
			c := row[key]
			cells[i] = printable(c.text)
			if c.currency != "" {
				cells[i] = grouped(c.text) + " " + strings.ToUpper(c.currency)
			}
		}
		_, _ = fmt.Fprintln(out, strings.Join(cells, "\t")) // Flush reports
	}
	return out.Flush()
}

func (t table) pick(chosen []string) []string {
	var keys []string
	for _, key := range chosen {
		if _, ok := t.rows[0][key]; ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return t.keys
	}
	return keys
}

// printable keeps text that came from customers from driving the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// grouped puts a comma between thousands.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, fraction, dot := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if dot {
		whole += "." + fraction
	}
	return sign + whole
}

// columns are what a table shows of answers that have more keys than fit.
func columns(path string) []string {
	switch path {
	case "/reports/mrr":
		return []string{"date", "total_mrr", "total_arr", "new", "expansion", "contraction", "churn", "reactivation", "total_customers"}
	case "/reports/movement-table":
		return []string{"date", "customer_name", "type", "mrr_change", "new_mrr", "old_mrr", "plan_name"}
	case "/reports/cohort":
		return []string{"label", "initial_customers", "initial_mrr", "retention_rate"}
	case "/reports/retention":
		return []string{
			"date", "nrr", "grr", "customer_churn_rate", "mrr_churn_rate", "net_mrr_churn_rate", "arpa", "ltv", "customer_lifetime",
		}
	case "/reports/customer-concentration":
		return []string{"name", "mrr", "percentage"}
	case "/reports/churn-scheduled-movements":
		return []string{"date", "customer_name", "type", "mrr_change", "plan_name", "cancel_requested_date"}
	case "/reports/churn-reasons":
		return []string{"label", "cancellations", "customers", "mrr", "percent"}
	case "/reports/cancellation-timing":
		return []string{"label", "cancellations", "customers", "mrr", "percent"}
	case "/reports/cancellation-timing-detail":
		return []string{"cancel_date", "effective_date", "customer_name", "mrr", "plan_name", "cancel_reason"}
	case "/reports/latest-activity":
		return []string{"date", "type", "customer_name", "amount", "effective_date"}
	case "/reports/map":
		return []string{"key", "current_mrr", "subscribers", "arpa", "customer_churn_rate", "leads"}
	case "/reports/custom-variables":
		return []string{"variable_name", "value", "customer_count"}
	case "/reports/leads":
		return []string{"date", "new_leads", "new_trials", "conversions", "conversion_rate"}
	case "/reports/leads-table":
		return []string{"name", "email", "created_date", "status", "plan_name", "trial_end_date"}
	case "/reports/transactions":
		return []string{"date", "amount", "count", "type"}
	case "/reports/transactions-detail":
		return []string{"date", "customer_name", "type", "amount", "description", "transaction_id"}
	case "/reports/invoices-detail":
		return []string{"invoice_date", "invoice_ref", "customer_name", "invoice_status", "total", "payment_date"}
	case "/reports/cashflow-refunds":
		return []string{"date", "amount", "count"}
	case "/reports/cashflow-failed-payments":
		return []string{"date", "amount", "count", "recovery_rate"}
	case "/reports/cashflow-failure-rate":
		return []string{"date", "failed_invoices", "total_invoices", "failure_rate", "recovery_rate"}
	case "/reports/cashflow-refunds-detail":
		return []string{"date", "customer_name", "amount", "description", "invoice_ref"}
	case "/reports/cashflow-failed-payments-detail":
		return []string{"date", "customer_name", "amount", "recovery_status", "attempt_count", "invoice_ref"}
	case "/customers":
		return []string{"id", "name", "email", "status", "current_mrr", "created_date"}
	case "/plans":
		return []string{"id", "name", "interval", "amount", "customer_count"}
	default:
		return nil
	}
}
