package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

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
			case f.key == "list" && isObject(f.value):
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
	for _, raw := range rows {
		if !isObject(raw) {
			t.add(map[string]cell{"value": scalar(raw, schema, base, "")}, "value")
			continue
		}
		if err := t.object(raw, schema, base); err != nil {
			return table{}, err
		}
	}
	return t, nil
}

func isObject(raw []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }

// totalLabel is what a breakdown's column says in the row of all its values.
const totalLabel = "(total)"

// object adds the row of one object. The earlier period under `compare` goes
// into columns of its own, and each value under `breakdown` into a row of its
// own behind the total.
func (t *table) object(raw json.RawMessage, schema *openapi.Schema, base string) error {
	fields, err := members(raw)
	if err != nil {
		return err
	}
	row, own := map[string]cell{}, rowCurrency(fields, schema)
	var keys []string
	var breakdown []field
	for _, f := range fields {
		under := schema.Child([]byte(f.key))
		switch {
		case f.key == "compare" && isObject(f.value):
			earlier, err := members(f.value)
			if err != nil {
				return err
			}
			for _, e := range earlier {
				key := "compare_" + e.key
				row[key] = scalar(e.value, under.Child([]byte(e.key)), base, own)
				keys = append(keys, key)
			}
			continue
		case f.key == "breakdown" && isObject(f.value):
			if breakdown, err = members(f.value); err != nil {
				return err
			}
			row[f.key] = cell{text: totalLabel}
		default:
			row[f.key] = scalar(f.value, under, base, own)
		}
		keys = append(keys, f.key)
	}
	t.add(row, keys...)
	for _, value := range breakdown {
		if err := t.part(row, value, schema.Child([]byte("breakdown")).Child([]byte(value.key)), base, own); err != nil {
			return err
		}
	}
	return nil
}

// part adds the row of one value of a breakdown. It shares with the total what
// names the row; every number is the value's own.
func (t *table) part(total map[string]cell, value field, schema *openapi.Schema, base, own string) error {
	figures, err := members(value.value)
	if err != nil {
		return err
	}
	row := map[string]cell{}
	for key, c := range total {
		if !c.number {
			row[key] = c
		}
	}
	row["breakdown"] = cell{text: value.key}
	var keys []string
	for _, f := range figures {
		c := scalar(f.value, schema.Child([]byte(f.key)), base, own)
		if f.key == "label" {
			row["breakdown"] = c
			continue
		}
		row[f.key] = c
		keys = append(keys, f.key)
	}
	t.add(row, keys...)
	return nil
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
		return cell{text: nested(raw, schema, base, own)}
	case text == "true" || text == "false":
		return cell{text: text}
	}
	switch schema.Unit() {
	case openapi.MoneyBase:
		return cell{text: display(text, base), currency: base, number: true}
	case openapi.MoneyRow, openapi.MoneyCustomer:
		return cell{text: display(text, own), currency: own, number: true}
	case openapi.Percent:
		return cell{text: text, number: true, percent: true}
	default:
		return cell{text: text, number: true}
	}
}

// nested is a value of several parts as compact JSON, its amounts in display
// units as in any other cell.
func nested(raw json.RawMessage, schema *openapi.Schema, base, own string) string {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '{':
		fields, err := members(raw)
		if err != nil {
			return string(raw)
		}
		if code := rowCurrency(fields, schema); code != "" {
			own = code
		}
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = fmt.Sprintf("%s:%s", quoted(f.key), nested(f.value, schema.Child([]byte(f.key)), base, own))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return string(raw)
		}
		parts := make([]string, len(items))
		for i, item := range items {
			parts[i] = nested(item, schema, base, own)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case '"':
		return string(raw)
	default:
		c := scalar(raw, schema, base, own)
		if c.text == "" {
			return "null"
		}
		return c.text
	}
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a string always has JSON
	return b
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
