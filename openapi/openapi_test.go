package openapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFind_EveryOperationUnderEveryPrefix(t *testing.T) {
	t.Parallel()
	for _, op := range Operations() {
		path := strings.ReplaceAll(op.Path, "{id}", "a%2Fb")
		for _, variant := range []string{path, "/v1" + path, "/v2" + path, path + "/"} {
			got := Find(op.Method, variant)
			if got == nil || got.ID != op.ID {
				t.Errorf("Find(%s, %s) = %v, want %s", op.Method, variant, got, op.ID)
			}
		}
	}
}

func TestFind_PathsOutsideTheContract(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "/", "/v1", "/v1/", "/reports", "/reports/mrr/x", "/customers//", "/v3/plans",
		"/customers/a/b", "reports/mrr", "//reports/mrr", "/reports/{name}", "/v1/v1/plans",
	} {
		if op := Find("GET", path); op != nil {
			t.Errorf("Find(GET, %q) = %s, want nil", path, op.ID)
		}
	}
	if op := Find("PATCH", "/settings"); op != nil {
		t.Errorf("Find(PATCH, /settings) = %s, want nil", op.ID)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("GET", "/v1/customers/cus_1")
	f.Add("DELETE", "/data/plans/a%2Fb")
	f.Fuzz(func(t *testing.T, method, path string) {
		op := Find(method, path)
		if op == nil {
			return
		}
		if op.Method != method {
			t.Errorf("Find(%q, %q) has method %s", method, path, op.Method)
		}
		bare := strings.TrimSuffix(trimVersion(path), "/")
		if got, want := strings.Count(bare, "/"), strings.Count(op.Path, "/"); got != want {
			t.Errorf("Find(%q, %q) = %s with another number of segments", method, path, op.Path)
		}
	})
}

func TestUnitsFor_WalksABody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		method string
		path   string
		keys   string // separated by spaces
		want   Unit
	}{
		{"amount of a row", "GET", "/reports/mrr", "result total_mrr", MoneyBase},
		{"count of a row", "GET", "/v1/reports/mrr", "result total_customers", Count},
		{"amount below any breakdown value", "GET", "/reports/mrr", "result breakdown Pro new", MoneyBase},
		{"percentage that sounds like money", "GET", "/reports/summary", "summary mrr_percentage_change_30", Percent},
		{"reporting currency", "GET", "/reports/summary", "currency", CurrencyBase},
		{"amount in the currency of a movement", "GET", "/reports/movement-table", "result list mrr_change", MoneyRow},
		{"amount of a line of a movement", "GET", "/reports/movement-table", "result list lines mrr", MoneyRow},
		{"the same in base currency", "GET", "/reports/movement-table", "result list mrr_change_base_currency", MoneyBase},
		{"currency of a movement", "GET", "/reports/movement-table", "result list currency", CurrencyRow},
		{"amount in a customer's currency", "GET", "/customers/cus_1", "current_mrr_customer_currency", MoneyCustomer},
		{"amount of a row that was pushed", "POST", "/data/invoices", "result amount", MoneyRow},
		{"text", "GET", "/customers", "result list name", None},
		{"key outside the contract", "GET", "/customers", "result list nickname", None},
		{"path below an unknown key", "GET", "/customers", "nothing here", None},
		{"operation outside the contract", "GET", "/reports/unheard-of", "result total_mrr", None},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			schema := UnitsFor(tt.method, tt.path)
			for key := range strings.FieldsSeq(tt.keys) {
				schema = schema.Child([]byte(key))
			}
			if got := schema.Unit(); got != tt.want {
				t.Errorf("unit of %s in %s %s = %v, want %v", tt.keys, tt.method, tt.path, got, tt.want)
			}
		})
	}
}

// Next must find the same as Child whatever the hint says.
func TestSchema_Next_AnyHint(t *testing.T) {
	t.Parallel()
	row := UnitsFor("GET", "/reports/mrr").Child([]byte("result"))
	for hint := range len(row.fields) + 2 {
		for i := range row.fields {
			child, next := row.Next(hint, []byte(row.fields[i].name))
			if child != &row.fields[i] || next != i+1 {
				t.Errorf("Next(%d, %s) = %v, %d", hint, row.fields[i].name, child, next)
			}
		}
		if child, _ := row.Next(hint, []byte("zzz")); child != nil {
			t.Errorf("Next(%d, zzz) = %v, want nil", hint, child)
		}
	}
}

// A reader of a body meets the unit of every field without allocating.
func TestUnitsFor_DoesNotAllocate(t *testing.T) {
	key := []byte("total_mrr")
	allocs := testing.AllocsPerRun(100, func() {
		UnitsFor("GET", "/v1/reports/mrr").Child([]byte("result")).Child(key).Unit()
	})
	if allocs != 0 {
		t.Errorf("a look-up allocates %v times, want 0", allocs)
	}
}

func TestJSON_IsTheCallersOwn(t *testing.T) {
	t.Parallel()
	clear(JSON())
	var doc struct{ OpenAPI string }
	if err := json.Unmarshal(JSON(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi = %q, want 3.1.0", doc.OpenAPI)
	}
}
