package demo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func company() *Company { return New(FirstMonth(now), now) }

func TestNew_IsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, err := json.Marshal(company())
	if err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(New(FirstMonth(now), now.Add(10*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Error("two companies of one day differ")
	}
}

// TestNew_LaterTodayKeepsWhatWas proves that a demo started again only adds to
// the rows it pushed before. An invoice may meanwhile have been collected.
func TestNew_LaterTodayKeepsWhatWas(t *testing.T) {
	t.Parallel()
	later := New(FirstMonth(now), now.AddDate(0, 2, 11))
	customers, invoices := map[string]Customer{}, map[string]Invoice{}
	for _, row := range later.Customers {
		customers[row.ID] = row
	}
	for _, row := range later.Invoices {
		invoices[row.ID] = row
	}
	earlier := company()
	for _, row := range earlier.Customers {
		if diff := cmp.Diff(row, customers[row.ID]); diff != "" {
			t.Fatalf("customer changed:\n%s", diff)
		}
	}
	for _, row := range earlier.Invoices {
		was, is := row, invoices[row.ID]
		if was.Status == "failed" && is.Status == "" {
			was.Status, was.Attempts, was.Fee, was.PaymentDate = is.Status, is.Attempts, is.Fee, is.PaymentDate
		}
		if diff := cmp.Diff(was, is); diff != "" {
			t.Fatalf("invoice changed:\n%s", diff)
		}
	}
	if len(later.Invoices) <= len(earlier.Invoices) || len(later.Customers) <= len(earlier.Customers) {
		t.Error("nothing happened in two months")
	}
	if diff := cmp.Diff(earlier.Rates, later.Rates[:len(earlier.Rates)]); diff != "" {
		t.Errorf("rates changed:\n%s", diff)
	}
}

func TestNew_RowsAreSound(t *testing.T) {
	t.Parallel()
	c := company()
	plans, customers, names, invoices := map[string]Plan{}, map[string]Customer{}, map[string]bool{}, map[string]bool{}
	for _, row := range c.Plans {
		plans[row.ID] = row
	}
	for _, row := range c.Customers {
		if _, taken := customers[row.ID]; taken || names[row.Email] {
			t.Errorf("customer %s (%s) appears twice", row.ID, row.Email)
		}
		customers[row.ID], names[row.Email] = row, true
	}
	today := dayOf(now).String()
	for _, row := range c.Invoices {
		customer, known := customers[row.CustomerID]
		switch {
		case invoices[row.ID]:
			t.Errorf("invoice %s appears twice", row.ID)
		case !known || row.Date < customer.Created || row.Date > today:
			t.Errorf("invoice %s of customer %q is dated %s", row.ID, row.CustomerID, row.Date)
		case row.Type == "subscription" && (plans[row.PlanID].Currency != row.Currency || row.PeriodStart >= row.PeriodEnd || row.Quantity < 0):
			t.Errorf("invoice %+v does not fit its plan", row)
		case row.Type == "subscription" && (row.Amount < row.Tax || row.Discount < 0 || row.PaymentDate > today):
			t.Errorf("invoice %+v has impossible amounts", row)
		case row.RefundOf != "" && (!invoices[row.RefundOf] || row.Amount >= 0):
			t.Errorf("refund %s of %q, which was not billed before", row.ID, row.RefundOf)
		}
		invoices[row.ID] = true
	}
}

// TestNew_HasWhatReportsShow looks for every kind of event that the reports
// and the documentation speak of.
func TestNew_HasWhatReportsShow(t *testing.T) {
	t.Parallel()
	c := company()
	recent := dayOf(now).addMonths(-1).String()
	seen := map[string]int{}
	periods := map[string]string{} // latest period end by subscription
	for _, row := range c.Invoices {
		seen[row.Type]++
		seen["status "+row.Status]++
		seen["currency "+row.Currency]++
		seen["product "+strings.SplitN(row.PlanID, "_", 2)[0]]++
		for name, has := range map[string]bool{
			"trial":                  row.Type == "subscription" && row.Amount == 0,
			"proration":              row.Proration,
			"discount":               row.Discount > 0,
			"one-off discount":       row.DiscountOnce,
			"recovered payment":      row.FirstFailed != "" && row.Status == "",
			"reason":                 row.CancelReason != "",
			"this month":             row.Date > recent,
			"second subscription":    strings.HasSuffix(row.Subscription, "_2"),
			"canceled for later":     row.Type == "cancellation" && periods[row.Subscription] > dayOf(now).String(),
			"history over 36 months": row.Date < dayOf(now).addMonths(-37).String(),
		} {
			if has {
				seen[name]++
			}
		}
		periods[row.Subscription] = max(periods[row.Subscription], row.PeriodEnd)
	}
	countries := map[string]bool{}
	for _, row := range c.Customers {
		countries[row.Country] = true
	}
	atLeast := map[string]int{
		"trial": 500, "proration": 100, "discount": 500, "one-off discount": 200, "recovered payment": 100, "reason": 200,
		"this month": 100, "second subscription": 100, "canceled for later": 10, "history over 36 months": 10,
		"refund": 30, "one-time": 30, "cancellation": 300, "status failed": 50,
		"currency usd": 1000, "currency eur": 1000, "currency gbp": 1000, "currency jpy": 100,
		"product inbox": 1000, "product helpdesk": 1000, "product insights": 1000,
	}
	for name, want := range atLeast {
		if seen[name] < want {
			t.Errorf("%d × %s, want at least %d", seen[name], name, want)
		}
	}
	if len(c.Customers) < 1500 || len(countries) < 12 || len(c.Plans) != 3*3*4 {
		t.Errorf("%d customers in %d countries on %d plans", len(c.Customers), len(countries), len(c.Plans))
	}
}

// TestNew_ProrationScalesBack checks that seats bought within a period bring
// exactly the monthly price that the next full invoice bills for them.
func TestNew_ProrationScalesBack(t *testing.T) {
	t.Parallel()
	months := map[string]int{}
	for _, p := range plans() {
		months[p.ID] = p.IntervalCount
		if p.Interval == "year" {
			months[p.ID] *= 12
		}
	}
	perSeat := map[string]int64{} // monthly, by subscription
	seats := map[string]int64{}
	for _, row := range company().Invoices {
		if row.Type != "subscription" || row.Amount == 0 {
			continue
		}
		net := row.Amount - row.Tax
		if row.Proration {
			from, to := parse(t, row.PeriodStart), parse(t, row.PeriodEnd)
			cycle := int64(from.addMonths(months[row.PlanID]) - from)
			period := int64(to-from) * int64(months[row.PlanID])
			got := (net*cycle + period/2) / period
			if want := perSeat[row.Subscription] * (row.Quantity - seats[row.Subscription]); got != want {
				t.Errorf("%s brings %d a month, want %d", row.ID, got, want)
			}
		} else {
			perSeat[row.Subscription] = net / int64(months[row.PlanID]) / row.Quantity
		}
		seats[row.Subscription] = row.Quantity
	}
}

func parse(t *testing.T, s string) day {
	t.Helper()
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return dayOf(at)
}

func TestRates_StayNearTheirMiddle(t *testing.T) {
	t.Parallel()
	limits := map[string][2]string{"eur": {"0.75", "1.10"}, "gbp": {"0.65", "0.95"}, "jpy": {"120.00", "180.00"}}
	days := map[string]int{}
	for _, rate := range company().Rates {
		limit := limits[rate.Quote]
		if len(rate.Value) != len("0.9210") || rate.Value < limit[0] || rate.Value > limit[1] {
			t.Fatalf("%s %s = %s on %s, want between %s and %s", rate.Base, rate.Quote, rate.Value, rate.Day, limit[0], limit[1])
		}
		days[rate.Quote]++
	}
	if want := int(dayOf(now)-dayOf(FirstMonth(now))) + 7 + ahead + 1; days["eur"] != want || days["jpy"] != want {
		t.Errorf("rates on %v days, want %d of each", days, want)
	}
}
