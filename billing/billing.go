// Package billing keeps the record of what plan an account has. It takes no
// payments and makes out no bills: it notes what the operator and the account's
// owners agreed on.
package billing

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Status says how a plan stands.
type Status string

// The statuses; None is that of an account without a plan.
const (
	None      Status = "none"
	Trialing  Status = "trialing"
	Active    Status = "active"
	PastDue   Status = "past_due"
	Cancelled Status = "cancelled"
)

// The billing cycles.
const (
	Monthly = "monthly"
	Yearly  = "yearly"
)

// Record is what is noted of an account's plan. Empty texts and nil limits are
// unknown or none. Days are YYYY-MM-DD.
type Record struct {
	Plan          string   `json:"plan,omitempty"`
	Status        Status   `json:"status,omitempty"`
	Cycle         string   `json:"cycle,omitempty"` // Monthly or Yearly
	PeriodStart   string   `json:"period_start,omitempty"`
	PeriodEnd     string   `json:"period_end,omitempty"`
	MRRLimit      *int64   `json:"mrr_limit,omitempty"` // minor units of the account's base currency
	CustomerLimit *int64   `json:"customer_limit,omitempty"`
	Address       *Address `json:"address,omitempty"`
	VATNumber     string   `json:"vat_number,omitempty"`
	CancelAt      string   `json:"cancel_at,omitempty"`
}

// Address is where bills would go.
type Address struct {
	Name       string `json:"name,omitempty"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	PostalCode string `json:"postal_code,omitempty"`
	State      string `json:"state,omitempty"`
	Country    string `json:"country"` // ISO 3166 alpha-2, lower case
}

// FieldError says which field is wrong and what would be right.
type FieldError struct{ Field, Message string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Store keeps records. Implementations are safe for concurrent use.
type Store interface {
	// Billing returns the record of an account, the zero one when it has none.
	Billing(ctx context.Context, account string) (Record, error)
	// ChangeBilling changes the record of an account in one transaction and returns
	// it. An error from change leaves it as it is and is returned.
	ChangeBilling(ctx context.Context, account string, change func(*Record) error) (Record, error)
}

var planName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$`)

// Choose notes a plan and a cycle, "" for Monthly. A plan that was about to end
// goes on.
func (r *Record) Choose(plan, cycle string) error {
	if !planName.MatchString(plan) {
		return &FieldError{"plan", "must be the name of a plan: letters, digits, dashes and underscores, at most 50"}
	}
	switch cycle {
	case "":
		cycle = Monthly
	case Monthly, Yearly:
	default:
		return &FieldError{"period", "must be monthly or yearly"}
	}
	r.Plan, r.Cycle, r.Status, r.CancelAt = plan, cycle, Active, ""
	return nil
}

// KeepPlan takes the noted end of the plan back.
func (r *Record) KeepPlan() {
	r.CancelAt = ""
	if r.Status == Cancelled && r.Plan != "" {
		r.Status = Active
	}
}

// SetAddress notes an address and a VAT number, "" for none.
func (r *Record) SetAddress(a Address, vatNumber string) error {
	for _, part := range []struct {
		field    string
		text     *string
		limit    int
		required bool
	}{
		{"name", &a.Name, 200, false},
		{"line1", &a.Line1, 200, true},
		{"line2", &a.Line2, 200, false},
		{"city", &a.City, 200, true},
		{"postal_code", &a.PostalCode, 20, false},
		{"state", &a.State, 200, false},
	} {
		*part.text = strings.TrimSpace(*part.text)
		switch {
		case part.required && *part.text == "":
			return &FieldError{part.field, "is required"}
		case !utf8.ValidString(*part.text) || strings.ContainsFunc(*part.text, unicode.IsControl):
			return &FieldError{part.field, "must be text on one line"}
		case utf8.RuneCountInString(*part.text) > part.limit:
			return &FieldError{part.field, fmt.Sprintf("must have at most %d characters", part.limit)}
		}
	}
	a.Country = strings.ToLower(strings.TrimSpace(a.Country))
	if len(a.Country) != 2 || a.Country[0] < 'a' || a.Country[0] > 'z' || a.Country[1] < 'a' || a.Country[1] > 'z' {
		return &FieldError{"country", "must be an ISO 3166 alpha-2 code such as ie"}
	}
	if vatNumber != "" {
		check := CheckVAT(vatNumber)
		if !check.Valid {
			return &FieldError{"vat_number", check.Reason}
		}
		vatNumber = check.Number
	}
	r.Address, r.VATNumber = &a, vatNumber
	return nil
}
