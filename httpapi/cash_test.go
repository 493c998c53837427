package httpapi_test

import "testing"

// The lines of one invoice are cash by the plan of each: what is metered is not
// what is paid by the month, and a setup fee is neither.
func TestTransactions_LinesOfMeteredPlans(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Billing","type":"api"}`)
	a.ok(t, a.admin, "POST", "/data/plans", `[
		{"id":"seat","name":"Seat","billing_freq":"month","currency":"usd"},
		{"id":"calls","name":"Calls","billing_freq":"month","currency":"usd","pricing_model":"metered"}]`)
	a.ok(t, a.admin, "POST", "/data/customers", `{"id":"acme","name":"Acme"}`)
	line := func(plan, kind, amount string) string {
		return `{"plan_id":"` + plan + `","type":"` + kind + `","amount":` + amount + `}`
	}
	a.ok(t, a.admin, "POST", "/data/invoices", `[
		{"id":"i1","customer_id":"acme","type":"subscription","plan_id":"seat","amount":700,"currency":"usd","invoice_date":"2026-06-01",
		 "lines":[`+line("seat", "subscription", "400")+`,`+line("calls", "subscription", "300")+`]},
		{"id":"i2","customer_id":"acme","type":"subscription","plan_id":"calls","amount":250,"currency":"usd","invoice_date":"2026-06-02",
		 "lines":[`+line("calls", "subscription", "200")+`,`+line("calls", "one-time", "50")+`]}]`)
	got := a.ok(t, a.readonly, "GET", "/reports/transactions?date=20260601-20260615&breakdown=pricing_model", "")
	for path, want := range map[string]float64{"month_sub": 400, "metered": 500, "one_time": 50, "net_amount": 950} {
		if n := got.number("result", 0, path); n != want {
			t.Errorf("%s = %v, want %v", path, n, want)
		}
	}
	if n := got.number("result", 0, "breakdown", "metered", "net_amount"); n != 550 {
		t.Errorf("net amount of metered plans = %v, want 550", n)
	}
}

// A period may be stated by its last second, or begin and end on its only day.
func TestInvoicesDetail_PeriodsOfLines(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Billing","type":"api"}`)
	a.ok(t, a.admin, "POST", "/data/plans", `{"id":"seat","name":"Seat","billing_freq":"month","currency":"usd"}`)
	a.ok(t, a.admin, "POST", "/data/customers", `{"id":"acme","name":"Acme"}`)
	line := func(start, end string) string {
		return `{"plan_id":"seat","amount":100,"period_start":"` + start + `","period_end":"` + end + `"}`
	}
	a.ok(t, a.admin, "POST", "/data/invoices", `{"id":"i1","customer_id":"acme","type":"subscription","plan_id":"seat","amount":300,"currency":"usd",
		"invoice_date":"2026-06-01","lines":[`+line("2026-06-01", "2026-07-01")+`,`+line("2026-06-01", "2026-06-30T23:59:59Z")+`,`+line("2026-06-01", "2026-06-01")+`]}`)
	got := a.ok(t, a.readonly, "GET", "/reports/invoices-detail?date=20260601-20260615", "")
	for k, want := range []string{"2026-07-01", "2026-07-01", "2026-06-02"} {
		if end := got.text("result", "list", 0, "lines", k, "period_end"); end != want {
			t.Errorf("line %d ends on %v, want %v", k, end, want)
		}
	}
}
