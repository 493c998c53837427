package ledger

import (
	"errors"
	"slices"
	"strings"
)

// The contract's names, by value.
var (
	kindNames      = [...]string{Subscription: "subscription", OneTime: "one-time", Refund: "refund", Cancellation: "cancellation"}
	statusNames    = [...]string{Paid: "paid", Open: "open", Failed: "failed", Void: "void", Uncollectible: "uncollectible"}
	pricingNames   = [...]string{Licensed: "licensed", Metered: "metered"}
	prorationNames = [...]string{NotProrated: "", Differential: "differential", FullProration: "full"}
)

// String returns the contract's name of the type.
func (k Kind) String() string { return kindNames[k] }

// String returns the contract's name of the status.
func (s Status) String() string { return statusNames[s] }

// String returns the contract's name of the pricing model.
func (p Pricing) String() string { return pricingNames[p] }

// String returns the contract's proration_type, "" for a row that is not
// prorated.
func (p Proration) String() string { return prorationNames[p] }

// ParseKind reads the name of an invoice type, in any case; one-time may be
// written with an underscore or in one word.
func ParseKind(word string) (Kind, error) {
	word = strings.ToLower(word)
	if word == "one_time" || word == "onetime" {
		return OneTime, nil
	}
	if i := slices.Index(kindNames[Subscription:], word); i >= 0 {
		return Subscription + Kind(i), nil
	}
	return 0, errors.New("must be subscription, one-time, refund or cancellation")
}

// ParseStatus reads the name of a payment status, in any case.
func ParseStatus(word string) (Status, error) {
	if i := slices.Index(statusNames[:], strings.ToLower(word)); i >= 0 {
		return Status(i), nil
	}
	return 0, errors.New("must be paid, open, failed, void or uncollectible")
}
