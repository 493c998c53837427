package csvfile

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what a file holds: customers, plans or invoices.
type Kind string

// The kinds, in the order of an import: invoices name the others.
const (
	Customers Kind = "customers"
	Plans     Kind = "plans"
	Invoices  Kind = "invoices"
)

// valueKind is how the text of a column is read.
type valueKind uint8

const (
	textValue valueKind = iota
	dateValue
	amountValue // of the row's currency
	integerValue
	boolValue
	customValue // a custom variable
)

// field is a field of the API and how it is read.
type field struct {
	name    string
	kind    valueKind
	aliases []string // other names of columns, in the form of plain
}

// fields lists the fields of a kind in the order in which rows are written. It
// is the contract's list; of two names of one field the first is here.
func fields(kind Kind) []field {
	switch kind {
	case Customers:
		return []field{
			{name: "id", aliases: []string{"customer_id"}},
			{name: "name", aliases: []string{"customer_name", "company"}},
			{name: "email", aliases: []string{"customer_email", "e_mail"}},
			{name: "created", kind: dateValue, aliases: []string{"created_date", "created_at"}},
			{name: "country", aliases: []string{"country_code"}},
			{name: "state"},
			{name: "trial_started", kind: dateValue},
		}
	case Plans:
		return []field{
			{name: "id", aliases: []string{"external_id", "plan_id"}},
			{name: "name", aliases: []string{"plan_name"}},
			{name: "product_name", aliases: []string{"product"}},
			{name: "interval", aliases: []string{"billing_freq"}},
			{name: "interval_count", kind: integerValue, aliases: []string{"billing_freq_count"}},
			{name: "currency"},
			{name: "amount", kind: amountValue, aliases: []string{"price"}},
			{name: "pricing_model"},
			{name: "plan_group"},
		}
	default:
		return []field{
			{name: "id", aliases: []string{"invoice_id"}},
			{name: "customer_id", aliases: []string{"customer"}},
			{name: "type"},
			{name: "invoice_date", kind: dateValue, aliases: []string{"date"}},
			{name: "amount", kind: amountValue, aliases: []string{"total"}},
			{name: "currency"},
			{name: "plan_id", aliases: []string{"plan"}},
			{name: "subscription_id", aliases: []string{"subscription"}},
			{name: "period_start", kind: dateValue},
			{name: "period_end", kind: dateValue},
			{name: "proration", kind: boolValue},
			{name: "proration_type"},
			{name: "quantity", kind: integerValue},
			{name: "discount", kind: amountValue},
			{name: "discount_once", kind: boolValue},
			{name: "tax", kind: amountValue},
			{name: "fee", kind: amountValue},
			{name: "fx_loss", kind: amountValue},
			{name: "status"},
			{name: "due_date", kind: dateValue},
			{name: "payment_date", kind: dateValue, aliases: []string{"paid_at"}},
			{name: "payment_method"},
			{name: "attempt_count", kind: integerValue},
			{name: "first_failed_date", kind: dateValue},
			{name: "pricing_model"},
			{name: "refund_of"},
			{name: "cancel_reason"},
			{name: "cancel_comment"},
			{name: "description"},
			{name: "number"},
		}
	}
}

// column says what becomes of a column of the file.
type column struct {
	field
	source string // the column's name
	index  int
}

// mapColumns decides which column gives which field: those of chosen, which
// names a column for a field, then those whose name is the field's own. Columns
// named custom_<key> are custom variables of customers.
func mapColumns(kind Kind, header []string, chosen map[string]string) ([]column, error) {
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	var columns []column
	for _, f := range fields(kind) {
		index, err := indexOf(f, header, chosen)
		if err != nil {
			return nil, err
		}
		if index >= 0 {
			columns = append(columns, column{field: f, source: header[index], index: index})
		}
	}
	for name := range chosen {
		if !HasField(kind, name) {
			return nil, fmt.Errorf("--map %s: %s have no field of this name", name, kind)
		}
	}
	if kind == Customers {
		return append(columns, customColumns(header, chosen)...), required(kind, columns, header)
	}
	return columns, required(kind, columns, header)
}

// indexOf returns the column of a field, -1 if there is none.
func indexOf(f field, header []string, chosen map[string]string) (int, error) {
	if name, ok := chosen[f.name]; ok {
		index := slices.Index(header, name)
		if index < 0 {
			index = slices.IndexFunc(header, func(column string) bool { return plain(column) == plain(name) })
		}
		if index < 0 {
			return 0, fmt.Errorf("--map %s=%s: the file has no such column; it has %s", f.name, name, strings.Join(header, ", "))
		}
		return index, nil
	}
	for _, name := range append([]string{f.name}, f.aliases...) {
		if index := slices.IndexFunc(header, func(column string) bool { return plain(column) == name }); index >= 0 {
			return index, nil
		}
	}
	return -1, nil
}

func customColumns(header []string, chosen map[string]string) []column {
	var columns []column
	for index, name := range header {
		key, ok := strings.CutPrefix(plain(name), "custom_")
		for field, column := range chosen {
			if picked, custom := strings.CutPrefix(field, "custom_"); custom && plain(column) == plain(name) {
				key, ok = picked, true
			}
		}
		if ok && key != "" {
			columns = append(columns, column{field: field{name: key, kind: customValue}, source: name, index: index})
		}
	}
	return columns
}

// required checks what no row can do without.
func required(kind Kind, columns []column, header []string) error {
	needs := map[Kind][]string{
		Customers: {"id"}, Plans: {"id", "name", "interval", "currency"}, Invoices: {"id", "customer_id", "invoice_date"},
	}
	for _, name := range needs[kind] {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			return fmt.Errorf("no column gives the field %s of %s: name it with --map %s=COLUMN; the first line of the file is %s",
				name, kind, name, quoted(strings.Join(header, ", ")))
		}
	}
	return nil
}

// checkHeader refuses a header in which a column could be mistaken for another.
func checkHeader(header []string) error {
	for i, name := range header {
		if name != "" && slices.Contains(header[:i], name) {
			return fmt.Errorf("the header has the column %q twice", name)
		}
	}
	return nil
}

// plain is a column's name in the form of the API's fields: lower case with
// underscores.
func plain(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}

// HasField reports whether rows of a kind have a field of this name.
func HasField(kind Kind, name string) bool {
	if _, custom := strings.CutPrefix(name, "custom_"); custom {
		return kind == Customers
	}
	return slices.ContainsFunc(fields(kind), func(f field) bool { return f.name == name })
}
