package csvfile

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exported reads a file as Stripe exports it.
func exported(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/stripe/" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestStripe(t *testing.T) {
	t.Parallel()
	rows, faults, result := imported(t, Options{Preset: Stripe}, map[Kind]string{
		Customers: exported(t, "customers"), Subscriptions: exported(t, "subscriptions"), Invoices: exported(t, "invoices"),
	})
	want := map[Kind][]string{
		Customers: {
			`{"id":"cus_A","name":"Alpha Ltd","email":"ann@alpha.example","created":"2025-11-03T09:12:00Z","country":"DK","custom_variables":{"industry":"Retail"}}`,
			`{"id":"cus_B","name":"Beta's account","email":"bo@beta.example","created":"2025-12-01T00:00:00Z"}`,
			`{"id":"cus_C","name":"Gamma KK","email":"cy@gamma.example","created":"2026-01-05T03:00:00Z","country":"JP","custom_variables":{"industry":"Food, drinks"}}`,
		},
		Plans: {
			`{"id":"price_pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"}`,
			`{"id":"price_team","name":"Team","interval":"year","interval_count":1,"currency":"usd"}`,
			`{"id":"several-3-month-jpy","name":"Several plans, every 3 months (JPY)","interval":"month","interval_count":3,"currency":"jpy"}`,
		},
		Invoices: {
			`{"id":"in_1","customer_id":"cus_A","invoice_date":"2026-01-10T10:00:00Z","amount":9900,"currency":"usd","type":"subscription","subscription_id":"sub_A","plan_id":"price_pro","period_start":"2026-01-10T10:00:00Z","period_end":"2026-02-10T10:00:00Z","status":"paid","payment_date":"2026-01-10T11:01:00Z","number":"A-0001"}`,
			`{"id":"in_2","customer_id":"cus_A","invoice_date":"2026-02-10T10:00:00Z","amount":8910,"currency":"usd","type":"subscription","subscription_id":"sub_A","plan_id":"price_pro","period_start":"2026-02-10T10:00:00Z","period_end":"2026-03-10T10:00:00Z","discount":990,"status":"paid","payment_date":"2026-02-10T11:01:00Z","number":"A-0002"}`,
			`{"id":"in_3","customer_id":"cus_B","invoice_date":"2026-01-15T08:30:00Z","amount":24000,"currency":"usd","type":"subscription","subscription_id":"sub_B","plan_id":"price_team","period_start":"2026-01-15T08:30:00Z","period_end":"2027-01-15T08:30:00Z","tax":4000,"status":"paid","payment_date":"2026-01-15T08:31:00Z","number":"B-0001"}`,
			`{"id":"in_4","customer_id":"cus_C","invoice_date":"2026-02-01T00:00:00Z","amount":30000,"currency":"jpy","type":"subscription","subscription_id":"sub_C","plan_id":"several-3-month-jpy","period_start":"2026-02-01T00:00:00Z","period_end":"2026-05-01T00:00:00Z","status":"paid","due_date":"2026-03-01T00:00:00Z","payment_date":"2026-02-20T00:00:00Z","number":"C-0001"}`,
			`{"id":"in_5","customer_id":"cus_A","invoice_date":"2026-03-05T12:00:00Z","amount":5000,"currency":"usd","type":"one-time","status":"open","due_date":"2026-04-05T12:00:00Z","description":"Workshop","number":"A-0003"}`,
			`{"id":"sub_B-canceled","customer_id":"cus_B","type":"cancellation","invoice_date":"2026-02-20T12:00:00Z","amount":0,"currency":"usd","subscription_id":"sub_B","cancel_reason":"cancellation_requested"}`,
		},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantFaults := []string{"invoices.csv:8 (in_7): plan_id is not known: the file of subscriptions does not have sub_X"}
	if diff := cmp.Diff(wantFaults, faults); diff != "" || result != (Result{Stored: 12, Failed: 1, Skipped: 3}) {
		t.Errorf("%+v, faults (-want +got):\n%s", result, diff)
	}
}

func TestStripe_EveryRowIsOneThatTheAPITakes(t *testing.T) {
	t.Parallel()
	o := Options{Preset: Stripe, Files: []File{
		fileOf(Customers, exported(t, "customers")), fileOf(Subscriptions, exported(t, "subscriptions")), fileOf(Invoices, exported(t, "invoices")),
	}}
	result, err := Import(t.Context(), o, NewCheck(o))
	if err != nil || result.Failed != 1 { // the one that names no known subscription
		t.Errorf("%+v, %v", result, err)
	}
}

func TestStripeInterval(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		unit string
		n    int64
	}{"month": {"month", 1}, "3 months": {"month", 3}, "every 2 weeks": {"week", 2}, "Year": {"year", 1}} {
		if unit, n, err := stripeInterval(text, ""); err != nil || unit != want.unit || n != want.n {
			t.Errorf("%q = %d %s, %v", text, n, unit, err)
		}
	}
	if unit, n, err := stripeInterval("month", "6"); err != nil || unit != "month" || n != 6 {
		t.Errorf("month and 6 = %d %s, %v", n, unit, err)
	}
	if _, _, err := stripeInterval("", ""); err == nil {
		t.Error("no interval is taken for one")
	}
}
