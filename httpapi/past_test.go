package httpapi_test

import "testing"

// An invoice before 1970 that states no period is replayed at its own instant,
// as any other.
func TestInvoices_Before1970(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Billing","type":"api"}`)
	a.ok(t, a.admin, "POST", "/data/plans", `{"id":"pro","name":"Pro","billing_freq":"month","currency":"usd"}`)
	a.ok(t, a.admin, "POST", "/data/customers", `{"id":"acme","name":"Acme"}`)
	a.ok(t, a.admin, "POST", "/data/invoices", `[
		{"id":"i1","customer_id":"acme","type":"subscription","plan_id":"pro","amount":1000,"currency":"usd","invoice_date":"1969-06-01T12:00:00Z"},
		{"id":"i2","customer_id":"acme","type":"subscription","plan_id":"pro","amount":2000,"currency":"usd","invoice_date":"1969-07-01T12:00:00Z"}]`)
	got := a.ok(t, a.readonly, "GET", "/reports/mrr?date=19690601-19690831", "")
	for i, want := range []float64{1000, 2000, 0} {
		if mrr := got.number("result", i, "total_mrr"); mrr != want {
			t.Errorf("MRR at the end of month %d = %v, want %v", 6+i, mrr, want)
		}
	}
}
