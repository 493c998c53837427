// Package demo makes up a subscription business: its plans, customers, invoices
// and exchange rates, in the format in which a billing system pushes them.
//
// The company is a pure function of its first month and of today. It is played
// forward, each customer with random numbers of its own, so a later today keeps
// what an earlier one showed: a demo that is started again pushes the same rows
// once more, and what happened since.
package demo

import (
	"cmp"
	"slices"
	"time"
)

// Name is what the demo account is called.
const Name = "Tidewater Software (demo)"

// Currency is the demo account's base currency.
const Currency = "usd"

// months is the length of the history when no first month is given. Reports
// show 36; the first of those should already have a business behind it.
const months = 40

// Company is everything the demo company has pushed until today. Rows are in
// the vocabulary of seed 001; amounts are minor units, days YYYY-MM-DD.
type Company struct {
	Plans     []Plan
	Customers []Customer // by day of creation
	Invoices  []Invoice  // by date
	Rates     []Rate     // by day
}

// Plan is a plan as pushed.
type Plan struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Product       string `json:"product_name"`
	Interval      string `json:"interval"`
	IntervalCount int    `json:"interval_count"`
	Currency      string `json:"currency"`
	Amount        int64  `json:"amount"` // of one seat for one billing period
	Group         string `json:"plan_group"`
}

// Customer is a customer as pushed.
type Customer struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Email        string            `json:"email"`
	Created      string            `json:"created"`
	Country      string            `json:"country"`
	State        string            `json:"state,omitempty"`
	TrialStarted string            `json:"trial_started,omitempty"`
	Metadata     map[string]string `json:"metadata"`
}

// Invoice is an invoice as pushed. Amount is net of Discount and contains Tax.
type Invoice struct {
	ID            string `json:"id"`
	CustomerID    string `json:"customer_id"`
	Type          string `json:"type"`
	Date          string `json:"invoice_date"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	PlanID        string `json:"plan_id,omitempty"`
	Subscription  string `json:"subscription_id,omitempty"`
	PeriodStart   string `json:"period_start,omitempty"`
	PeriodEnd     string `json:"period_end,omitempty"`
	Proration     bool   `json:"proration,omitempty"`
	Quantity      int64  `json:"quantity,omitempty"`
	Discount      int64  `json:"discount,omitempty"`
	DiscountOnce  bool   `json:"discount_once,omitempty"`
	Tax           int64  `json:"tax,omitempty"`
	Fee           int64  `json:"fee,omitempty"`
	Status        string `json:"status,omitempty"`
	PaymentMethod string `json:"payment_method,omitempty"`
	PaymentDate   string `json:"payment_date,omitempty"`
	FirstFailed   string `json:"first_failed_date,omitempty"`
	Attempts      int    `json:"attempt_count,omitempty"`
	RefundOf      string `json:"refund_of,omitempty"`
	CancelReason  string `json:"cancel_reason,omitempty"`
	CancelComment string `json:"cancel_comment,omitempty"`
	Description   string `json:"description,omitempty"`
}

// Rate says that one unit of Base costs Value units of Quote on Day.
type Rate struct {
	Day         time.Time // midnight UTC
	Base, Quote string
	Value       string
}

// FirstMonth returns the first day of the history that a demo started at now
// gets.
func FirstMonth(now time.Time) time.Time {
	year, month, _ := now.UTC().Date()
	return time.Date(year, month-months, 1, 0, 0, 0, 0, time.UTC)
}

// New plays the company from the first day of a month until today, the day of
// now in UTC. The same arguments give the same company.
func New(first, now time.Time) *Company {
	today := dayOf(now)
	c := &Company{Plans: plans(), Rates: rates(dayOf(first), today)}
	number := 0
	for age := 0; ; age++ {
		month := dayOf(first).addMonths(age)
		if month > today {
			break
		}
		for range signups(age, month) {
			number++
			c.play(number, month, today)
		}
	}
	slices.SortStableFunc(c.Customers, func(a, b Customer) int { return cmp.Compare(a.Created, b.Created) })
	slices.SortStableFunc(c.Invoices, func(a, b Invoice) int { return cmp.Compare(a.Date, b.Date) })
	return c
}

// signups is how many customers are created in a month: a few more every month,
// fewer over the holidays, more after the summer.
func signups(age int, month day) int {
	count := 30 + age*3/2
	switch month.time().Month() {
	case time.December:
		return count * 3 / 4
	case time.September:
		return count * 6 / 5
	default:
		return count
	}
}

// day counts days since 1970-01-01.
type day int

func dayOf(t time.Time) day { return day(t.UTC().Truncate(24*time.Hour).Unix() / (24 * 60 * 60)) }

func (d day) time() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

func (d day) String() string { return d.time().Format(time.DateOnly) }

// addMonths moves d by calendar months. No day of the company is later in its
// month than the 28th where that matters.
func (d day) addMonths(n int) day { return dayOf(d.time().AddDate(0, n, 0)) }
