package httpapi_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// cells calls visit with every cell of every table of the API's file.
func (a *api) cells(t *testing.T, visit func(table, column string, cell []byte)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(a.folder, sqlstore.FileName)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		names := column(t, db, "SELECT name FROM pragma_table_info('"+table+"')")
		for _, name := range names {
			for _, cell := range column(t, db, "SELECT CAST("+name+" AS TEXT) FROM "+table) {
				visit(table, name, []byte(cell))
			}
		}
	}
}

func column(t *testing.T, db *sql.DB, query string) (cells []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	for rows.Next() {
		var cell sql.NullString
		if err := rows.Scan(&cell); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		cells = append(cells, cell.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return cells
}

// TestEraseAccount_LeavesNothingButTheAuditLog looks through the whole file: a
// table that somebody adds later is in it.
func TestEraseAccount_LeavesNothingButTheAuditLog(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	gone, key, _ := a.newAccount(t, "Alpha")
	c, other := a.found(t, key, "Alpha"), a.found(t, a.admin, "Bravo")
	a.ok(t, key, "POST", "/account/team/invite", `{"email":"invited@alpha.example"}`)
	a.ok(t, key, "POST", "/account/billing/subscribe", `{"plan":"small"}`)
	a.ok(t, key, "POST", "/data/data-sources/"+c.source+"/connect", `{"endpoint_url":"https://alpha.example/feed","schedule":"daily"}`)
	before := a.state(t, other)
	found := map[string]bool{}
	a.cells(t, func(table, _ string, cell []byte) {
		found[table] = found[table] || bytes.Contains(cell, []byte(gone.ID))
	})
	if !found["member"] || !found["billing"] || !found["api_key"] || !found["schedule"] {
		t.Fatalf("the account is in %v alone", found)
	}
	if err := a.store.EraseAccount(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := a.store.EraseAccount(t.Context(), gone.ID); err != nil {
		t.Errorf("a second time: %v", err)
	}
	a.cells(t, func(table, column string, cell []byte) {
		for _, trace := range []string{"Alpha", "invited@alpha", gone.ID, c.source} {
			kept := table == "audit_event" && trace == gone.ID || table == "person" // who may have other accounts
			if bytes.Contains(cell, []byte(trace)) && !kept {
				t.Errorf("%s.%s still has %q: %s", table, column, trace, cell)
			}
		}
	})
	if diff := cmp.Diff(before, a.state(t, other)); diff != "" {
		t.Errorf("the other account changed (-before +after):\n%s", diff)
	}
	a.pass(time.Second) // as for any change by another process
	if got := a.do(t, key, "GET", "/account", ""); got.status != 401 {
		t.Errorf("a key of the account: %d %s", got.status, got.raw)
	}
}

// TestDeleteCustomer_LeavesNoTrace is about the personal data of one customer.
func TestDeleteCustomer_LeavesNoTrace(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, event := range []string{"customer.created", "customer.updated", "movement.new", "invoice.paid"} {
		a.ok(t, a.admin, "POST", "/integrations/webhooks", fmt.Sprintf(`{"url":"https://hooks.example/x","event_type":%q}`, event))
	}
	a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "POST", "/data/customers", `{"id":"cus-nine","name":"Nora Nine","email":"nora@nine.example","created":"2026-06-15"}`)
	a.ok(t, a.admin, "POST", "/data/invoices",
		`{"id":"nine-i1","customer_id":"cus-nine","type":"subscription","invoice_date":"2026-06-15","amount":100,"currency":"usd","plan_id":"Alpha-pro"}`)
	waiting := 0
	a.cells(t, func(table, column string, cell []byte) {
		if table == "job" && column == "payload" && bytes.Contains(cell, []byte("Nora Nine")) {
			waiting++
		}
	})
	if waiting == 0 {
		t.Error("nothing about the customer waits to be delivered, so the test proves less than it says")
	}
	a.ok(t, a.admin, "GET", "/exports/customers.csv", "")
	a.ok(t, a.admin, "DELETE", "/data/customers/cus-nine", "")
	a.cells(t, func(table, column string, cell []byte) {
		for _, trace := range []string{"Nora Nine", "nora@nine", "cus-nine", "nine-i1"} {
			if bytes.Contains(cell, []byte(trace)) {
				t.Errorf("%s.%s still has %q: %s", table, column, trace, cell)
			}
		}
	})
	for _, at := range []string{"/customers", "/reports/movement-table?date=all", "/data/customers", "/data/invoices"} {
		if got := a.ok(t, a.admin, "GET", at, ""); strings.Contains(string(got.raw), "Nora Nine") || strings.Contains(string(got.raw), "cus-nine") {
			t.Errorf("%s still shows them: %s", at, fmt.Sprintf("%.300s", got.raw))
		}
	}
}
