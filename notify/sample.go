package notify

import (
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// Events returns the types of events that webhooks can subscribe to.
func Events() []string {
	return []string{
		analytics.MovementNew, analytics.MovementExpansion, analytics.MovementContraction, analytics.MovementChurn, analytics.MovementReactivation,
		analytics.FailedPayment, analytics.InvoicePaid, analytics.CustomerCreated, analytics.CustomerUpdated, analytics.PlanCreated, analytics.ImportCompleted,
	}
}

// Sample returns the document that a subscriber to an event would get, with made
// up content, or false for an event that is not there.
func Sample(account, event string, now time.Time) (analytics.Event, bool) {
	data := sampleData(event, now.UTC().Format(time.DateOnly))
	if data == nil {
		return analytics.Event{}, false
	}
	e, err := analytics.NewEvent(account, event, now, data, "sample")
	return e, err == nil
}

func sampleData(event, today string) any {
	customer := analytics.CustomerData{ID: "cus_123", Name: "Acme Inc", Email: "billing@acme.com", Status: "active", Country: "us", DataSource: "ds_1f2e3d4c5b6a7988"}
	switch event {
	case analytics.CustomerCreated, analytics.CustomerUpdated:
		return customer
	case analytics.PlanCreated:
		return analytics.PlanData{ID: "plan_pro", Name: "Pro", BillingFreq: "month", BillingFreqCount: 1, Currency: "usd", DataSource: customer.DataSource}
	case analytics.ImportCompleted:
		return analytics.ImportData{DataSource: customer.DataSource, Name: "Billing", Fetched: 1954, Stored: 1953, Failed: 1}
	case analytics.InvoicePaid:
		return analytics.PaymentData{InvoiceID: "inv_123", InvoiceNumber: "2026-0042", Date: today, Customer: customer, Currency: "usd", Amount: 9900, PaymentMethod: "card"}
	case analytics.FailedPayment:
		customer.Status = "past_due"
		return analytics.PaymentData{InvoiceID: "inv_123", InvoiceNumber: "2026-0042", Date: today, Customer: customer, Currency: "usd", Amount: 9900, PaymentMethod: "card", AttemptCount: 1}
	}
	kind, ok := strings.CutPrefix(event, "movement.")
	move, known := sampleMoves()[kind]
	if !ok || !known {
		return nil
	}
	change := move.after - move.before
	if move.after == 0 {
		customer.Status = "canceled"
	}
	return analytics.MovementData{
		Type: kind, Subtype: move.subtype, Date: today, Description: "Plan Pro, " + kind, Customer: customer,
		Currency: "usd", MRRChange: change, OldMRR: move.before, NewMRR: move.after, BaseCurrency: "usd", MRRChangeBaseCurrency: &change,
		CustomerCountChange: move.customers, QuantityChange: int64(move.customers), PlanID: "plan_pro", PlanName: "Pro",
	}
}

type sampleMove struct {
	subtype       string
	before, after int64
	customers     int
}

func sampleMoves() map[string]sampleMove {
	return map[string]sampleMove{
		"new":          {"new", 0, 9900, 1},
		"expansion":    {"plan_change", 4900, 9900, 0},
		"contraction":  {"plan_change", 9900, 4900, 0},
		"churn":        {"voluntary", 9900, 0, -1},
		"reactivation": {"reactivation", 0, 9900, 1},
	}
}
