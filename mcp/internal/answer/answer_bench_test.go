package answer

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// mrrBody is an answer of /reports/mrr over so many months, as the API sends
// it: about 20 KB for 36.
func mrrBody(months int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"currency":"usd","query":{"committed":false,"filters":{},"fix_fx":false,"from":"2023-12-01","interval":"month","timezone":"UTC","to":"2026-11-30"},"result":[`)
	for m := range months {
		if m > 0 {
			b.WriteByte(',')
		}
		n := 61_000_000 + 3_713_129*m
		fmt.Fprintf(&b, `{"arpa":%d,"asp":%d,"churn":%d,"churn_customers":%d,"contraction":%d,"contraction_customers":%d,`+
			`"customers_diff":%d,"date":"%d-%02d-01","end_date":"%d-%02d-28","expansion":%d,"expansion_customers":%d,`+
			`"fx_adjustment":%d,"mrr_diff":%d,"net_mrr_diff":%d,"new":%d,"new_customers":%d,"quantity":%d,"quick_ratio":%d.%02d,`+
			`"reactivation":%d,"reactivation_customers":%d,"total_arr":%d,"total_customers":%d,"total_mrr":%d}`,
			n/97, n/83, -n/19, m+3, -n/31, m+1, m+5, 2023+m/12, m%12+1, 2023+m/12, m%12+1, n/11, m+9,
			n/413, n/7, n/7-n/413, n/5, m+121, 400+40*m, m%9+1, m%90+10, n/59, m%4, 12*n, 1300+9*m, n)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// customersBody is a page of 100 customers as the API sends it.
func customersBody() []byte {
	var b bytes.Buffer
	b.WriteString(`{"currency":"usd","result":{"count":1500,"has_more":true,"limit":100,"list":[`)
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"cancel_date":null,"country":"de","created_date":"2024-03-%02dT00:00:00.000Z","currency":"eur","current_mrr":%d,"custom_variables":{"industry":"Retail"},`+
			`"email":"billing%d@example.com","id":"cus_%d","mrr":%d,"name":"Company %d","paid_started":"2024-03-%02dT00:00:00.000Z","payments":%d,"state":null,"status":"active",`+
			`"total_paid_base_currency":%d,"total_paid_customer_currency":%d}`, i%28+1, 9900+i, i, i, 9900+i, i, i%28+1, i, 99000*i, 90000*i)
	}
	b.WriteString(`],"offset":0}}`)
	return b.Bytes()
}

func BenchmarkShape_MRR(b *testing.B) {
	body := mrrBody(36)
	opt := Options{Title: "mrr", Schema: openapi.UnitsFor("GET", "/reports/mrr")}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var shaper Shaper
	for b.Loop() {
		if _, err := shaper.Shape(body, opt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkShape_Customers(b *testing.B) {
	body := customersBody()
	opt := Options{Title: "customers", Schema: openapi.UnitsFor("GET", "/customers"), Paged: true, Tokens: MaxTokens}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var shaper Shaper
	for b.Loop() {
		if _, err := shaper.Shape(body, opt); err != nil {
			b.Fatal(err)
		}
	}
}
