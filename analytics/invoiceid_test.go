package analytics_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// TestSnapshot_NamesInvoicesWhileRowsArrive reads the ids of a snapshot's
// invoices while others are pushed and removed, as a detail report does.
func TestSnapshot_NamesInvoicesWhileRowsArrive(t *testing.T) {
	t.Parallel()
	w, _ := basicWorld(t)
	w.put("invoices", bill("i2", "c1", "2024-06-16", 100), bill("i3", "c2", "2024-06-17", 200))
	before := w.snapshot()
	want := fmt.Sprint(names(before))

	var pushes sync.WaitGroup
	pushes.Go(func() {
		for i := range 200 {
			if _, err := w.tryPut(t.Context(), w.source, "invoices", bill(fmt.Sprintf("later-%03d", i), "c1", "2024-06-18", i)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		if got := fmt.Sprint(names(before)); got != want {
			t.Fatalf("invoices %s, want %s", got, want)
		}
	}
	pushes.Wait()
	after := names(w.snapshot())
	if len(after) != 203 || !after["later-199"] || !after["i3"] {
		t.Errorf("%d invoices after the pushes, want 203: %v", len(after), after)
	}
	w.reopen()
	if got := names(w.snapshot()); fmt.Sprint(got) != fmt.Sprint(after) {
		t.Errorf("invoices after opening again %v, want %v", got, after)
	}
}

// names returns the ids of all invoices of a snapshot.
func names(s *report.Snapshot) map[string]bool {
	all := map[string]bool{}
	for _, c := range s.Customers {
		for i := range c.Ledger.Invoices {
			all[s.InvoiceID(c.Ledger.Invoices[i].Ref)] = true
		}
	}
	return all
}
