package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

func stamp(t *testing.T, s string) calendar.Stamp {
	t.Helper()
	at, err := calendar.ParseStamp(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func currency(t *testing.T, code string) money.Currency {
	t.Helper()
	c, err := money.Parse(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// invoice returns a valid invoice with fields replaced or added.
func invoice(fields string) string {
	doc := `"customer_id":"c1","plan_id":"pro","invoice_date":"2024-02-01","amount":9900`
	if fields != "" {
		doc += "," + fields
	}
	return `{"id":"i1",` + doc + `}`
}

func TestDecodeInvoices_SeedSample(t *testing.T) {
	t.Parallel()
	doc := `{"id":"inv_456","customer_id":"cust_123","type":"subscription","invoice_date":"2024-02-01T00:00:00Z",` +
		`"amount":9900,"currency":"USD","plan_id":"plan_pro_monthly","subscription_id":"sub_789",` +
		`"period_start":"2024-02-01T00:00:00Z","period_end":"2024-03-01T00:00:00Z","proration":false,"quantity":1,"discount":0}`
	b, err := DecodeInvoices([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := []analytics.InvoiceRow{{
		ID: "inv_456", CustomerID: "cust_123", PlanID: "plan_pro_monthly", SubscriptionID: "sub_789",
		Event: ledger.Event{
			ID: "inv_456", Kind: ledger.Subscription, Date: stamp(t, "2024-02-01"), Amount: 9900, Currency: currency(t, "usd"),
			Start: stamp(t, "2024-02-01"), End: stamp(t, "2024-03-01"), Quantity: 1,
		},
		Doc: []byte(doc),
	}}
	if diff := cmp.Diff(want, b.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !b.Single || len(b.Errors) > 0 {
		t.Errorf("Single = %t, Errors = %v; want a single row without errors", b.Single, b.Errors)
	}
}

func TestDecodeInvoices_AllOptionalFields(t *testing.T) {
	t.Parallel()
	doc := `{"id":"i1","customer_id":"c1","date":"2024-02-01T10:00:00+02:00","type":"one_time","amount":-5,"currency":"jpy",
		"status":"Failed","tax":1,"discount":2,"discount_once":true,"fee":3,"fx_loss":-4,"attempt_count":5,"refund_of":"i0",
		"payment_date":"2024-02-02","due_date":"20240203","first_failed_date":"2024-02-04","payment_method":"Card",
		"pricing_model":"metered","proration":true,"proration_type":"full","cancel_reason":"Too expensive",
		"cancel_comment":"h\u00e9llo","number":"N-1","description":null,"data_source":"ds_1"}`
	b, err := DecodeInvoices([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := []analytics.InvoiceRow{{
		ID: "i1", CustomerID: "c1", Method: "card", CancelReason: "Too expensive",
		Event: ledger.Event{
			ID: "i1", Kind: ledger.OneTime, Date: stamp(t, "2024-02-01T08:00:00Z"), Amount: -5, Currency: currency(t, "jpy"),
			Status: ledger.Failed, Pricing: ledger.Metered, Proration: ledger.FullProration,
			Extra: &ledger.Extra{
				Tax: 1, Discount: 2, DiscountOnce: true, Fee: 3, FXLoss: -4, Attempts: 5, RefundOf: "i0", CancelComment: "héllo",
				PaymentDate: stamp(t, "2024-02-02"), DueDate: stamp(t, "2024-02-03"), FirstFailed: stamp(t, "2024-02-04"), Number: "N-1",
			},
		},
		Doc: []byte(doc),
	}}
	if diff := cmp.Diff(want, b.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ds_1"}, b.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestDecodeInvoices_InfersType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fields string
		want         ledger.Kind
	}{
		{"a plan makes a subscription", `"plan_id":"p","amount":-1`, ledger.Subscription},
		{"a line with a plan makes a subscription", `"amount":1,"lines":[{"plan_id":"p","amount":1}]`, ledger.Subscription},
		{"a negative amount makes a refund", `"amount":-1`, ledger.Refund},
		{"anything else is a one-time charge", `"amount":1,"type":null`, ledger.OneTime},
		{"a line of one-time type does not", `"amount":1,"lines":[{"plan_id":"p","amount":1,"type":"onetime"}]`, ledger.OneTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := DecodeInvoices([]byte(`{"id":"i","customer_id":"c","date":"2024-01-01",` + c.fields + `}`))
			if err != nil || len(b.Rows) != 1 {
				t.Fatalf("rows %v, errors %v, %v", b.Rows, b.Errors, err)
			}
			if got := b.Rows[0].Event.Kind; got != c.want {
				t.Errorf("kind = %d, want %d", got, c.want)
			}
		})
	}
}

func TestDecodeInvoices_LinesFindTheirPlan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fields string
		oneTime      []bool
	}{
		{"lines that only describe the invoice", `"plan_id":"p","lines":[{"amount":1},{"amount":2}]`, []bool{false, false}},
		{"a fee beside a line that names its plan", `"plan_id":"p","lines":[{"amount":1,"plan_id":"q"},{"amount":2}]`, []bool{false, true}},
		{"a stated type wins", `"plan_id":"p","lines":[{"amount":1,"plan_id":"q"},{"amount":2,"type":"subscription"}]`, []bool{false, false}},
		{"no plan anywhere", `"lines":[{"amount":1}]`, []bool{true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := DecodeInvoices([]byte(`{"id":"i","customer_id":"c","date":"2024-01-01","amount":3,` + c.fields + `}`))
			if err != nil || len(b.Rows) != 1 {
				t.Fatalf("rows %v, errors %v, %v", b.Rows, b.Errors, err)
			}
			var got []bool
			for _, l := range b.Rows[0].Lines {
				got = append(got, l.OneTime)
			}
			if diff := cmp.Diff(c.oneTime, got); diff != "" {
				t.Errorf("one-time (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeInvoices_RowErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxIDBytes+1)
	for _, c := range []struct {
		name, doc, field, says string
	}{
		{"decimal amount", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":99.00}`, "amount", "minor units"},
		{"exponent amount", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":1e3}`, "amount", "minor units"},
		{"amount as text", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":"99"}`, "amount", "minor units"},
		{"amount beyond the limit", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":99999999999999999999}`, "amount", "10^15"},
		{"no amount", `{"id":"i","customer_id":"c","date":"2024-01-01","plan_id":"p"}`, "amount", "required"},
		{"null amount", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":null}`, "amount", "required"},
		{"no id", `{"customer_id":"c","date":"2024-01-01","amount":1}`, "id", "required"},
		{"number as id", `{"id":7,"customer_id":"c","date":"2024-01-01","amount":1}`, "id", "string"},
		{"long id", `{"id":"` + long + `","customer_id":"c","date":"2024-01-01","amount":1}`, "id", "255"},
		{"half a character in an id", `{"id":"a\ud800","customer_id":"c","date":"2024-01-01","amount":1}`, "id", "broken"},
		{"control character in an id", `{"id":"a\u0007b","customer_id":"c","date":"2024-01-01","amount":1}`, "id", "control"},
		{"no customer", `{"id":"i","date":"2024-01-01","amount":1}`, "customer_id", "required"},
		{"no date", `{"id":"i","customer_id":"c","amount":1}`, "invoice_date", "required"},
		{"malformed date", invoice(`"period_end":"soon"`), "period_end", "2026-01-31"},
		{"date out of range", invoice(`"period_end":"2300-01-01"`), "period_end", "1900"},
		{"two dates that differ", invoice(`"date":"2024-02-02"`), "invoice_date", "differs"},
		{"period that ends before it starts in every zone", invoice(`"period_start":"2024-02-03","period_end":"2024-02-01T23:00:00Z"`), "period_end", "before"},
		{"period that ends before it starts", invoice(`"period_start":"2024-02-02","period_end":"2024-02-01"`), "period_end", "before"},
		{"unknown currency", invoice(`"currency":"dollars"`), "currency", "ISO 4217"},
		{"unknown type", invoice(`"type":"credit"`), "type", "cancellation"},
		{"unknown status", invoice(`"status":"lost"`), "status", "uncollectible"},
		{"negative quantity", invoice(`"quantity":-1`), "quantity", "0 to"},
		{"text as a boolean", invoice(`"proration":"yes"`), "proration", "true or false"},
		{"proration type alone", invoice(`"proration_type":"full"`), "proration_type", "proration"},
		{"field given twice", invoice(`"amount":1`), "amount", "twice"},
		{"subscription without a plan", `{"id":"i","customer_id":"c","date":"2024-01-01","amount":1,"type":"subscription"}`, "plan_id", "required"},
		{"line without an amount", invoice(`"lines":[{"plan_id":"p","amount":1},{"plan_id":"p"}]`), "lines[1].amount", "required"},
		{"line that is no object", invoice(`"lines":[5]`), "lines[0]", "object"},
		{"line with a period that ends early", invoice(`"lines":[{"amount":1,"period_start":"2024-02-02","period_end":"2024-02-01"}]`), "lines[0].period_end", "before"},
		{"lines that are no array", invoice(`"lines":{}`), "lines", "array"},
		{"row that is no object", `[[{}]]`, "", "object"},
		{"row that is too large", invoice(`"note":"` + strings.Repeat("x", MaxRowBytes) + `"`), "", "64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := DecodeInvoices([]byte(c.doc))
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Rows) != 0 || len(b.Errors) != 1 {
				t.Fatalf("%d rows and errors %v, want one error", len(b.Rows), b.Errors)
			}
			if e := b.Errors[0]; e.Field != c.field || !strings.Contains(e.Message, c.says) {
				t.Errorf("error %q %q, want field %q and a message with %q", e.Field, e.Message, c.field, c.says)
			}
		})
	}
}

func TestDecodeInvoices_ErrorsNameTheRow(t *testing.T) {
	t.Parallel()
	body := `{"has_more":false,"invoices":[` + invoice("") + `,{"id":"bad","customer_id":"c1","invoice_date":"x","amount":"1"},` +
		`null,` + invoice(`"data_source":"ds"`) + `],"page":{"n":[1]}}`
	b, err := DecodeInvoices([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []analytics.FieldError{
		{Index: 1, ID: "bad", Field: "invoice_date", Message: wantDate},
		{Index: 1, ID: "bad", Field: "amount", Message: wantMinorUnits},
		{Index: 2, Message: "must be an object"},
	}
	if diff := cmp.Diff(want, b.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 3}, b.Index); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "ds"}, b.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if len(b.Docs) != 4 || string(b.Docs[2]) != "null" || string(b.Docs[0]) != invoice("") {
		t.Errorf("docs = %q", b.Docs)
	}
}

func TestDecode_Forms(t *testing.T) {
	t.Parallel()
	row := `{"id":"c1","name":"n"}`
	for name, c := range map[string]struct {
		body   string
		rows   int
		single bool
	}{
		"one object":                           {row, 1, true},
		"array":                                {" [" + row + "," + row + "] ", 2, false},
		"named batch":                          {`{"customers":[` + row + `]}`, 1, false},
		"pull format":                          {`{"data":[` + row + `],"has_more":true}`, 1, false},
		"batch name later":                     {`{"x":{"customers":[1]},"customers":[` + row + `]}`, 1, false},
		"empty batch":                          {`{"customers":[]}`, 0, false},
		"a field named as a batch but not one": {`{"id":"c1","name":"n","plans":3}`, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := DecodeCustomers([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Rows) != c.rows || b.Single != c.single || len(b.Errors) != 0 {
				t.Errorf("%d rows, single %t, errors %v", len(b.Rows), b.Single, b.Errors)
			}
		})
	}
}

func TestDecode_BodyErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, says string }{
		"empty":              {"", "empty"},
		"blank":              {"  ", "invalid JSON"},
		"scalar":             {"7", "must be one object"},
		"cut off":            {`{"id":"c1"`, "invalid JSON at byte 10"},
		"cut off in a row":   {`[{"id":"c1",`, "invalid JSON"},
		"text behind":        {`{"id":"c1","name":"n"} x`, "invalid JSON"},
		"not UTF-8":          {"{\"id\":\"\xff\"}", "UTF-8"},
		"rows of other kind": {`{"plans":[{"id":"p"}]}`, "takes customers"},
		"two batches":        {`{"data":[],"customers":[]}`, "two arrays"},
		"deep row":           {`[{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}]`, "nested deeper"},
		"deep single":        {`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "nested deeper"},
		"very deep":          {strings.Repeat("[", 1<<20), "nested deeper"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeCustomers([]byte(c.body))
			var bad *BodyError
			if !errors.As(err, &bad) || !strings.Contains(bad.Message, c.says) {
				t.Errorf("error %v, want a *BodyError with %q", err, c.says)
			}
		})
	}
}

func TestDecode_Limits(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat(`{"id":"c","name":"n"},`, MaxRows)
	for name, body := range map[string]string{
		"rows":         "[" + rows + `{}]`,
		"rows, scalar": "[" + rows + `1]`,
		"bytes":        strings.Repeat(" ", MaxBodyBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeCustomers([]byte(body))
			if _, ok := errors.AsType[*TooLargeError](err); !ok {
				t.Errorf("error %v, want a *TooLargeError", err)
			}
		})
	}
	b, err := DecodeCustomers([]byte("[" + strings.TrimSuffix(rows, ",") + "]"))
	if err != nil || len(b.Rows) != MaxRows {
		t.Errorf("%v, want %d rows", err, MaxRows)
	}
}

func TestDecodeCustomers_BothVocabularies(t *testing.T) {
	t.Parallel()
	seed := `{"id":"c","name":"Acme","created":"2024-01-15T00:00:00Z","country":"US","metadata":{"industry":"Tech","n":5,"b":true,"z":null,"o":{"k":[1]}}}`
	reference := `{"id":"c","name":"Acme","created_date":"2024-01-15","country":"us","metadata":{"industry":"x","n":5,"b":true},` +
		`"custom_variables":{"industry":"Tech","o":{"k":[1]}}}`
	want := analytics.CustomerRow{
		ID: "c", Name: "Acme", Country: "us", Created: stamp(t, "2024-01-15"),
		Custom: map[string]string{"industry": "Tech", "n": "5", "b": "true", "o": `{"k":[1]}`},
	}
	for _, doc := range []string{seed, reference} {
		b, err := DecodeCustomers([]byte(doc))
		if err != nil || len(b.Rows) != 1 {
			t.Fatal(err, b)
		}
		want.Doc = []byte(doc)
		if diff := cmp.Diff(want, b.Rows[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
}

func TestDecodeCustomers_RowErrors(t *testing.T) {
	t.Parallel()
	for doc, field := range map[string]string{
		`{"id":"c"}`:           "name",
		`{"id":"","name":"n"}`: "id",
		`{"id":"c","name":"n","country":"Denmark"}`:      "country",
		`{"id":"c","name":"n","metadata":[]}`:            "metadata",
		`{"id":"c","name":"n","metadata":{"a":1,"a":2}}`: "metadata.a",
		`{"id":"c","name":5}`:                            "name",
	} {
		b, err := DecodeCustomers([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Errors) != 1 || b.Errors[0].Field != field {
			t.Errorf("%s: errors %v, want one for %q", doc, b.Errors, field)
		}
	}
	b, err := DecodeCustomers([]byte(`{"id":"c","email":"a@b.c"}`))
	if err != nil || len(b.Rows) != 1 {
		t.Errorf("an email alone: %v %v", b, err)
	}
}

func TestDecodePlans_Intervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fields string
		want   calendar.Interval
	}{
		{`"interval":"month","interval_count":1`, calendar.Interval{Unit: calendar.UnitMonth, Count: 1}},
		{`"interval":"month","interval_count":3`, calendar.Interval{Unit: calendar.UnitQuarter, Count: 1}},
		{`"interval":"month","interval_count":12`, calendar.Interval{Unit: calendar.UnitYear, Count: 1}},
		{`"interval":"month","interval_count":6`, calendar.Interval{Unit: calendar.UnitMonth, Count: 6}},
		{`"interval":"Week","interval_count":2`, calendar.Interval{Unit: calendar.UnitWeek, Count: 2}},
		{`"billing_freq":"month","billing_freq_count":3`, calendar.Interval{Unit: calendar.UnitQuarter, Count: 1}},
		{`"billing_freq":"year"`, calendar.Interval{Unit: calendar.UnitYear, Count: 1}},
		{`"interval":"year","interval_count":1,"billing_freq":"month"`, calendar.Interval{Unit: calendar.UnitYear, Count: 1}},
	} {
		b, err := DecodePlans([]byte(`{"external_id":"p","name":"Pro","currency":"usd",` + c.fields + `}`))
		if err != nil || len(b.Rows) != 1 {
			t.Errorf("%s: %v %v", c.fields, b.Errors, err)
			continue
		}
		if got := b.Rows[0]; got.Interval != c.want || got.ID != "p" {
			t.Errorf("%s: %+v, want %v", c.fields, got, c.want)
		}
	}
}

func TestDecodePlans_RowErrors(t *testing.T) {
	t.Parallel()
	for doc, fields := range map[string][]string{
		`{}`: {"interval", "id", "name", "currency"},
		`{"id":"p","name":"n","currency":"usd","interval":"month"}`:                          {"interval_count"},
		`{"id":"p","name":"n","currency":"usd","interval":"month","interval_count":0}`:       {"interval_count"},
		`{"id":"p","name":"n","currency":"usd","interval":"fortnight","interval_count":1}`:   {"interval"},
		`{"id":"p","name":"n","currency":"usd","billing_freq":"x"}`:                          {"billing_freq"},
		`{"id":"p","name":"n","currency":"usx","billing_freq":"day"}`:                        {"currency"},
		`{"id":"p","name":"n","currency":"usd","billing_freq":"day","pricing_model":"wild"}`: {"pricing_model"},
		`{"id":"p","name":"n","currency":"usd","billing_freq":"day","amount":"49.00"}`:       {"amount"},
	} {
		b, err := DecodePlans([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range b.Errors {
			got = append(got, e.Field)
		}
		if diff := cmp.Diff(fields, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
}

func TestDocuments_DecodeWhatWasAccepted(t *testing.T) {
	t.Parallel()
	b, err := DecodeInvoices([]byte(invoice(`"lines":[{"amount":1,"plan_id":"q"}],"fee":3`)))
	if err != nil || len(b.Rows) != 1 {
		t.Fatal(err, b)
	}
	got, err := Documents{}.Invoice(b.Rows[0].Doc)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Rows[0], got); diff != "" {
		t.Errorf("row (-pushed +stored):\n%s", diff)
	}
	if _, err := (Documents{}).Plan([]byte(`[]`)); err == nil {
		t.Error("an array decoded as a plan")
	}
}

// storedInvoice decodes a document between two others.
func storedInvoice(doc []byte) (analytics.InvoiceRow, error) {
	rows := make([]analytics.InvoiceRow, 3)
	_, err := Documents{}.Invoices([]string{invoice(""), string(doc), invoice(`"number":"another, and longer one"`)}, rows)
	rows[1].Doc = doc
	return rows[1], err
}

func TestDocuments_Invoices(t *testing.T) {
	t.Parallel()
	docs := []string{invoice(`"number":"é\n"`), invoice(`"lines":[{"amount":1,"plan_id":"q"}],"fee":3`), invoice(`"tax":2`), invoice("")}
	var want []analytics.InvoiceRow
	for _, doc := range docs {
		b, err := DecodeInvoices([]byte(doc))
		if err != nil || len(b.Rows) != 1 {
			t.Fatal(err, b)
		}
		b.Rows[0].Doc = nil
		want = append(want, b.Rows[0])
	}
	got := make([]analytics.InvoiceRow, len(docs))
	for range 2 { // the second time into rows that were used
		if n, err := (Documents{}).Invoices(docs, got); n != len(docs) || err != nil {
			t.Fatalf("decoded %d, %v", n, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows (-pushed +stored):\n%s", diff)
		}
		slices.Reverse(got)
	}
	for name, bad := range map[string]string{
		"no JSON": "x", "an array": "[]", "more than a row": invoice("") + "1", "not a valid row": `{"id":"i"}`, "cut off": invoice("")[:20], "nothing": "",
	} {
		if n, err := (Documents{}).Invoices([]string{docs[0], bad, docs[1]}, got); n != 1 || err == nil {
			t.Errorf("%s: decoded %d, %v, want 1 and an error", name, n, err)
		}
	}
}

// FuzzDecode checks that no body panics and that every accepted row decodes to
// itself from its document.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(invoice(`"lines":[{"amount":1,"plan_id":"q"}],"fee":3`)))
	f.Add([]byte(`{"invoices":[` + invoice("") + `,{}],"x":1}`))
	f.Add([]byte(`[{"id":"p","name":"n","currency":"usd","billing_freq":"day"}]`))
	f.Add([]byte(`{"data":[{"id":"c","email":"\u00e9","metadata":{"a":[1,{"b":null}]},"custom_variables":{"a":"x"}}]}`))
	f.Add([]byte(`{"id":"i","id":"j","amount":-1.5e3,"date":"2024-01-01T10:00:00+14:00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		stored := Documents{}
		refuzz(t, body, DecodeCustomers, stored.Customer)
		refuzz(t, body, DecodePlans, stored.Plan)
		refuzz(t, body, DecodeInvoices, storedInvoice)
	})
}

func refuzz[T any](t *testing.T, body []byte, decode func([]byte) (*Batch[T], error), again func([]byte) (T, error)) {
	b, err := decode(body)
	if err != nil {
		return
	}
	if len(b.Rows) != len(b.Index) || len(b.Rows) != len(b.Sources) || len(b.Rows) > len(b.Docs) {
		t.Fatalf("%d rows, %d positions, %d sources, %d documents", len(b.Rows), len(b.Index), len(b.Sources), len(b.Docs))
	}
	for i, row := range b.Rows {
		got, err := again(b.Docs[b.Index[i]])
		if err != nil {
			t.Fatalf("stored row does not decode: %v", err)
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Fatalf("row (-pushed +stored):\n%s", diff)
		}
	}
}

func benchmarkBody(rows int) []byte {
	var b strings.Builder
	b.WriteString(`{"invoices":[`)
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		at := day.AddDate(0, 0, i%900)
		fmt.Fprintf(&b, `{"id":"inv_%09d","customer_id":"cust_%05d","type":"subscription","invoice_date":"%s","amount":9900,"currency":"USD",`+
			`"plan_id":"plan_pro_monthly","subscription_id":"sub_%05d","period_start":"%s","period_end":"%s","proration":false,"quantity":%d}`,
			i, i%30000, at.Format(time.RFC3339), i%30000, at.Format(time.RFC3339), at.AddDate(0, 1, 0).Format(time.RFC3339), i%20)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkDecodeInvoices(b *testing.B) {
	body := benchmarkBody(MaxRows)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch, err := DecodeInvoices(body)
		if err != nil || len(batch.Rows) != MaxRows {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(MaxRows)*float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
}
