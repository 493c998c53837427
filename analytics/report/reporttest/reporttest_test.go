package reporttest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/money"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, s := range Scripts(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			Run(t, s, NewDirect())
		})
	}
}

func TestParse_Errors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, script, want string }{
		{"an unknown word", "\nfrobnicate", `x:2: "frobnicate" begins no line of a script`},
		{"a bad day", "today 2024-13-01", "x:1:"},
		{"a table without a report", "  date", "belongs to the table of a report"},
		{"a row of another width", "report mrr\n  date new\n  2024-01-01", "x:3: the row has 1 cells"},
		{"cents of a currency without", "2024-01-01 a pays 10.50 jpy once", "0 decimals of jpy"},
		{"an unknown verb", "2024-01-01 a sings", "is not pays, refunded or cancels"},
		{"an open quote", `customer a "Acme`, "quote is not closed"},
		{"an unknown field", "2024-01-01 a pays 1.00 once color=red", `no "color"`},
		{"an unknown frequency", "plan p hourly usd", "is not monthly"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x", tt.script)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestParse_Invoice(t *testing.T) {
	t.Parallel()
	s, err := Parse("x", `plan pro monthly jpy
2024-02-01 acme pays 1000 for pro period=2024-02-01..2024-03-01 sub=s seats=3 discount=50 status=open prorated-full method=visa # yes`)
	if err != nil {
		t.Fatal(err)
	}
	want := &Invoice{
		ID: "i1", CustomerID: "acme", Type: "subscription", Date: "2024-02-01", Amount: 1000, PlanID: "pro", SubscriptionID: "s",
		PeriodStart: "2024-02-01", PeriodEnd: "2024-03-01", Proration: true, ProrationType: "full", Quantity: 3, Discount: 50,
		Status: "open", Method: "visa",
	}
	if diff := cmp.Diff(want, s.Steps[1].Push.Invoice); diff != "" {
		t.Errorf("invoice mismatch (-want +got):\n%s", diff)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	row := map[string]any{
		"mrr_change": int64(-4900), "currency": "kwd", "churn": 12.5, "name": nil, "quantity": int64(3),
		"lines": []any{map[string]any{"mrr": int64(5)}},
	}
	body := map[string]any{"currency": "jpy", "total": "x"}
	for field, want := range map[string]string{
		"mrr_change": "-4.900", "churn": "12.5", "name": "-", "quantity": "3", "lines/0/mrr": "0.005", "lines/1/mrr": "-", "/total": "x", "missing/deep": "-",
	} {
		if got := show(body, row, field); got != want {
			t.Errorf("show(%s) = %s, want %s", field, got, want)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		got, want string
		equal     bool
	}{{"20", "20.0", true}, {"33.33", "33.33", true}, {"a", "b", false}, {"0.01", "0.02", false}, {"-", "0", false}} {
		if equal(tt.got, tt.want) != tt.equal {
			t.Errorf("equal(%s, %s) = %v", tt.got, tt.want, !tt.equal)
		}
	}
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{"today 2024-01-01", "plan p monthly usd \"P\"\n2024-01-01 a pays 1.00 for p", "report mrr\n  date\n  x", "\"", "report x refused"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		for _, step := range s.Steps {
			if step.Line == 0 || step.Push == nil && step.Report == nil && step.Delete == nil && !step.Today.Valid() {
				t.Fatalf("step %+v does nothing", step)
			}
		}
	})
}

func FuzzAmount(f *testing.F) {
	f.Add("99.00", "usd")
	f.Add("-1000", "jpy")
	f.Fuzz(func(t *testing.T, s, code string) {
		c, err := money.Parse(code)
		if err != nil {
			return
		}
		n, err := parseAmount(s, c)
		if err != nil {
			return
		}
		again, err := parseAmount(formatAmount(n, c), c)
		if err != nil || again != n {
			t.Fatalf("%q of %s is %d, written %q, read back as %d (%v)", s, c, n, formatAmount(n, c), again, err)
		}
	})
}
