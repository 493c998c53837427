package oracletest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Catalog lists the plans that random histories use.
func Catalog() map[string]Plan {
	plans := map[string]Plan{}
	for _, p := range []Plan{
		{"monthly", "month", 1, "usd", false},
		{"monthly-pro", "month", 1, "usd", false},
		{"yearly", "year", 1, "usd", false},
		{"quarterly", "quarter", 1, "usd", false},
		{"three-months", "month", 3, "usd", false},
		{"weekly", "week", 1, "usd", false},
		{"two-weeks", "week", 2, "usd", false},
		{"daily", "day", 1, "usd", false},
		{"thirty-days", "day", 30, "usd", false},
		{"two-years", "year", 2, "usd", false},
		{"yen", "month", 1, "jpy", false},
		{"euro", "month", 1, "eur", false},
		{"dinar", "month", 1, "kwd", false},
		{"usage", "month", 1, "usd", true},
	} {
		plans[p.ID] = p
	}
	return plans
}

// zones have clock changes at midnight, at night, none, and far offsets.
var zones = [...]string{
	"UTC", "UTC", "America/New_York", "Europe/Copenhagen", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo",
	"Pacific/Kiritimati", "Africa/Cairo", "Asia/Kathmandu", "America/Santiago", "Africa/Casablanca", "Australia/Lord_Howe",
	"Pacific/Apia", "Asia/Riyadh", "Europe/London",
}

// eras are days near which histories of one currency in some zones begin: where
// clocks skipped a day or a midnight or changed by minutes, where numbers of days
// turn negative, and around years of a hundred that are leap years or not.
var eras = map[string]Day{
	"Pacific/Apia": Date(2011, 12, 30), "America/Sao_Paulo": Date(2018, 11, 4), "Asia/Kathmandu": Date(1986, 1, 1),
	"Asia/Riyadh": Date(2100, 2, 28), "Europe/London": Date(1970, 1, 1), "Australia/Lord_Howe": Date(2000, 2, 29),
	"America/Santiago": Date(2150, 6, 1), "Asia/Kolkata": Date(1969, 10, 1),
}

// RandomSettings returns account settings.
func RandomSettings(rng *rand.Rand) Settings {
	zone, err := time.LoadLocation(zones[rng.IntN(len(zones))])
	if err != nil {
		panic(err) // the zone data are part of the toolchain
	}
	return Settings{
		Zone: zone, Immediate: rng.IntN(2) == 0, GraceDays: []int{7, 7, 0, 1, 3, 30, 90}[rng.IntN(7)],
		NonRenewalChurn: rng.IntN(5) > 0, AutoChurnDays: []int{-1, -1, -1, 1, 3, 30}[rng.IntN(6)],
		RefundsIgnored: rng.IntN(5) == 0, SubtractOneTimeDiscounts: rng.IntN(2) == 0,
		TrialDays: []int{14, 14, 1, 30}[rng.IntN(4)],
	}
}

// history writes the random invoices of one customer.
type history struct {
	rng      *rand.Rand
	zone     *time.Location
	prefix   string
	single   bool // one currency, so that rates of any day will do
	tidy     bool // nothing is prorated or credited, so that lines may have any form
	plans    []string
	invoices []Invoice
}

// RandomInvoices returns one customer's history, in random order, and a day to
// look at it from. All invoices are acceptable to the API; with one currency
// every plan is in dollars.
func RandomInvoices(rng *rand.Rand, zone *time.Location, prefix string, currencies int) ([]Invoice, Day) {
	h := &history{rng: rng, zone: zone, prefix: prefix, single: currencies == 1, tidy: rng.IntN(3) == 0, plans: []string{
		"monthly", "monthly", "monthly-pro", "monthly-pro", "yearly", "quarterly", "three-months", "weekly", "two-weeks",
		"daily", "thirty-days", "two-years", "usage",
	}}
	if currencies > 1 {
		h.plans = append(h.plans, "euro", "euro", "yen", "dinar")
	}
	start := h.startDay()
	for range 1 + rng.IntN(3) {
		h.subscription(start + Day(rng.IntN(90)*rng.IntN(2)))
	}
	for range rng.IntN(5) {
		h.anything(start + Day(rng.IntN(200)))
	}
	rng.Shuffle(len(h.invoices), func(a, b int) { h.invoices[a], h.invoices[b] = h.invoices[b], h.invoices[a] })
	today := start + Day(rng.IntN(300))
	if len(h.invoices) > 0 && rng.IntN(2) == 0 {
		today = day(h.invoices[rng.IntN(len(h.invoices))].Date, zone) + Day(rng.IntN(60)-5)
	}
	return h.invoices, today
}

// startDay prefers the ends of months, leap days and clock changes.
func (h *history) startDay() Day {
	if era, known := eras[h.zone.String()]; known && h.single {
		return era + Day(h.rng.IntN(90)-60)
	}
	special := []Day{
		Date(2024, 1, 31), Date(2024, 2, 29), Date(2023, 2, 28), Date(2024, 3, 10), Date(2024, 10, 27), Date(2024, 12, 31),
		Date(2024, 1, 1), Date(2023, 8, 30),
	}
	if h.rng.IntN(2) == 0 {
		return special[h.rng.IntN(len(special))]
	}
	return Date(2023, 6, 1) + Day(h.rng.IntN(500))
}

// at returns a day as a row may state it: as a day, or as an instant on it,
// often near midnight.
func (h *history) at(d Day) time.Time {
	year, month, dom := d.Time().Date()
	switch h.rng.IntN(8) {
	case 0:
		return time.Date(year, month, dom, 0, 0, 1, 0, h.zone).UTC()
	case 1:
		return time.Date(year, month, dom, 23, 59, 59, 0, h.zone).UTC()
	case 2:
		return time.Date(year, month, dom, h.rng.IntN(24), h.rng.IntN(60), 0, 0, h.zone).UTC()
	case 3:
		return time.Date(year, month, dom, 12, 0, 0, 0, h.zone).UTC()
	default:
		return d.Time()
	}
}

func (h *history) add(i Invoice) {
	i.ID = fmt.Sprintf("%s%02d", h.prefix, (len(h.invoices)*7+3)%100)
	if i.Currency == "" {
		i.Currency = "usd"
		if p, ok := Catalog()[i.Plan]; ok {
			i.Currency = p.Currency
		}
	}
	h.pay(&i)
	h.invoices = append(h.invoices, i)
}

// pay adds what only cash and reasons are about.
func (h *history) pay(i *Invoice) {
	some := func(d Day) time.Time {
		if h.rng.IntN(3) > 0 {
			return time.Time{}
		}
		return h.at(d)
	}
	d := day(i.Date, h.zone)
	if i.Type == "cancellation" {
		i.Reason = []string{"", "too_expensive", "unused", "missing_features"}[h.rng.IntN(4)]
		i.Comment = []string{"", "", "We need more.", "It broke."}[h.rng.IntN(4)]
		i.Amount = []int64{0, 0, 0, 1500}[h.rng.IntN(4)]
	}
	i.Method = []string{"", "visa", "sepa"}[h.rng.IntN(3)]
	i.Metered = i.Type == "subscription" && h.rng.IntN(8) == 0
	if h.rng.IntN(3) > 0 {
		return
	}
	i.Fee, i.FXLoss = int64(h.rng.IntN(3)*45), -int64(h.rng.IntN(3)*20)
	i.Paid, i.Due = some(d+Day(h.rng.IntN(20))), some(d+Day(h.rng.IntN(30)))
	i.FirstFailed, i.Attempts = some(d+Day(h.rng.IntN(6)-1)), h.rng.IntN(3)
	if len(i.Lines) == 0 && i.Type == "one-time" {
		i.Tax, i.Discount = int64(h.rng.IntN(2)*700), int64(h.rng.IntN(2)*300)
	}
}

func (h *history) plan() string { return h.plans[h.rng.IntN(len(h.plans))] }

func (h *history) amount() int64 {
	return []int64{4900, 9900, 9900, 29900, 120000, 1000, 1, 333, 0}[h.rng.IntN(9)]
}

func (h *history) name() string {
	return []string{"", "", "s1", "s2"}[h.rng.IntN(4)]
}

func (h *history) status() string {
	return []string{"", "", "", "", "", "", "paid", "open", "failed", "void", "uncollectible"}[h.rng.IntN(11)]
}

// subscription writes a run of renewals, with what happens to them.
func (h *history) subscription(start Day) {
	sub, id := h.name(), h.plan()
	amount := h.amount()
	arrears, stated := h.rng.IntN(4) == 0, h.rng.IntN(3) > 0
	d := start
	for n := range 1 + h.rng.IntN(8) {
		plan := Catalog()[id]
		end := plan.add(d)
		if h.rng.IntN(6) == 0 {
			end = d + 1 + Day(h.rng.IntN(70))
		}
		i := Invoice{Type: "subscription", Plan: id, Subscription: sub, Amount: amount, Date: h.at(d), Status: h.status()}
		if h.rng.IntN(3) > 0 {
			i.Status = ""
		}
		if n == 0 && h.rng.IntN(5) == 0 {
			i.Amount = 0
		}
		h.decorate(&i)
		if stated {
			i.Start, i.End = h.at(d), h.at(end)
			switch h.rng.IntN(8) {
			case 0:
				i.End = end.Time().Add(-time.Second) // 23:59:59 in UTC
			case 1:
				year, month, dom := (end - 1).Time().Date()
				i.End = time.Date(year, month, dom, 23, 59, 59, 0, h.zone).UTC()
			}
			if instant(i.End, h.zone).Before(instant(i.Start, h.zone)) {
				i.End = i.Start
			}
		}
		if arrears {
			i.Date = h.at(end)
		} else if h.rng.IntN(5) == 0 {
			i.Date = h.at(d - Day(h.rng.IntN(20)))
		}
		h.add(i)
		h.happening(d, end, sub, id)
		d = end
		if h.rng.IntN(4) == 0 {
			d += Day(h.rng.IntN(14))
		}
		if h.rng.IntN(12) == 0 {
			d += Day(h.rng.IntN(60))
		}
		if h.rng.IntN(5) == 0 {
			amount = h.amount()
		}
		if h.rng.IntN(8) == 0 {
			id = h.plan()
		}
		if h.rng.IntN(20) == 0 {
			sub = h.name()
		}
	}
	if h.rng.IntN(2) == 0 {
		h.cancel(d-Day(h.rng.IntN(20)), sub)
	}
}

// decorate adds tax, discounts, quantities and lines.
func (h *history) decorate(i *Invoice) {
	if h.rng.IntN(6) == 0 {
		i.Tax = i.Amount / 5
	}
	if h.rng.IntN(6) == 0 {
		i.Discount, i.DiscountOnce = 1000, h.rng.IntN(2) == 0
	}
	if h.rng.IntN(6) == 0 {
		i.Quantity = 1 + h.rng.IntN(5)
	}
	if h.rng.IntN(12) == 0 || h.tidy && h.rng.IntN(4) == 0 {
		i.Tax, i.Discount, i.DiscountOnce = 0, 0, false
		i.Amount = 0
		for range 1 + h.rng.IntN(3) {
			l := Line{Plan: i.Plan, Amount: h.amount(), OneTime: h.rng.IntN(5) == 0}
			if !h.tidy && h.rng.IntN(5) == 0 {
				l.Amount = -3000
			}
			if other := h.plan(); h.rng.IntN(2) == 0 && Catalog()[other].Currency == Catalog()[i.Plan].Currency {
				l.Plan = other
			}
			l.Quantity = 1 + h.rng.IntN(3)
			if h.rng.IntN(6) == 0 {
				l.Tax = 100
			}
			if h.rng.IntN(6) == 0 {
				l.Discount, l.DiscountOnce = 500, h.rng.IntN(2) == 0
			}
			if h.rng.IntN(3) == 0 {
				from := day(i.Date, h.zone) + Day(h.rng.IntN(20)-10)
				to := from + Day(h.rng.IntN(50))
				l.Start, l.End = from.Time(), to.Time()
				if h.rng.IntN(3) == 0 {
					year, month, dom := to.Time().Date()
					l.End = time.Date(year, month, dom, 23, 59, 59, 0, h.zone).UTC()
				}
				if !h.tidy {
					l.Proration = []string{"", "differential", "full"}[h.rng.IntN(3)]
				}
			}
			i.Amount += l.Amount
			i.Lines = append(i.Lines, l)
		}
	}
}

// happening writes what may happen within a period.
func (h *history) happening(start, end Day, sub, id string) {
	inside := start + Day(h.rng.IntN(int(end-start)+8))
	switch h.rng.IntN(14) {
	case 0, 1:
		h.prorated(inside, end, sub, id)
		if h.rng.IntN(2) == 0 {
			h.prorated(inside, end, sub, h.plan())
		}
	case 2, 3:
		h.refund(inside, sub, id)
		if h.rng.IntN(2) == 0 {
			h.refund(inside+Day(h.rng.IntN(3)), sub, id)
		}
	case 4:
		h.cancel(inside, sub)
	case 5:
		h.add(Invoice{Type: "subscription", Plan: h.plan(), Subscription: sub, Amount: h.amount(), Date: h.at(start), Start: start.Time(), End: end.Time()})
	case 6:
		h.add(Invoice{Type: "one-time", Amount: 50000, Date: h.at(inside)})
	case 7:
		h.cancel(start, sub)
	case 8: // and the next period begins all the same
		h.add(Invoice{Type: "cancellation", Date: end.Time(), Reason: "unused"})
	}
}

func (h *history) prorated(from, to Day, sub, id string) {
	if h.tidy {
		return
	}
	i := Invoice{
		Type: "subscription", Plan: id, Subscription: sub, Amount: []int64{667, 2000, -1500, -667, 5000, 0}[h.rng.IntN(6)],
		Date: h.at(from), Start: h.at(from), End: h.at(max(from, to)), Proration: []string{"differential", "differential", "full"}[h.rng.IntN(3)],
	}
	if h.rng.IntN(10) == 0 {
		i.Start, i.End = time.Time{}, time.Time{}
	}
	if instant(i.End, h.zone).Before(instant(i.Start, h.zone)) {
		i.End = i.Start
	}
	h.add(i)
}

func (h *history) refund(d Day, sub, id string) {
	i := Invoice{Type: "refund", Amount: []int64{-4950, -9900, 2500, -200000, -1}[h.rng.IntN(5)], Date: h.at(d)}
	switch h.rng.IntN(5) {
	case 0:
		i.Subscription = sub
	case 1:
		i.Plan = id
	case 2, 3:
		i.RefundOf = h.invoices[max(0, len(h.invoices)-1-h.rng.IntN(3))].ID
	}
	h.add(i)
}

func (h *history) cancel(d Day, sub string) {
	i := Invoice{Type: "cancellation", Date: h.at(d)}
	if h.rng.IntN(2) == 0 {
		i.Subscription = sub
	}
	if h.rng.IntN(4) == 0 {
		i.End = h.at(d + Day(h.rng.IntN(60)))
	}
	h.add(i)
}

// anything writes a row that has nothing to do with the others.
func (h *history) anything(d Day) {
	switch h.rng.IntN(4) {
	case 0:
		h.prorated(d, d+Day(h.rng.IntN(40)), h.name(), h.plan())
	case 1:
		if len(h.invoices) > 0 {
			h.refund(d, h.name(), h.plan())
		}
	case 2:
		h.cancel(d, h.name())
	default:
		i := Invoice{Type: "subscription", Plan: h.plan(), Subscription: h.name(), Amount: h.amount(), Date: h.at(d), Status: h.status()}
		h.decorate(&i)
		h.add(i)
	}
}
