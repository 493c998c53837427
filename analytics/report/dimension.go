package report

import "strings"

// Dimension is what reports can be filtered and split by. The zero Dimension is
// none.
type Dimension struct {
	kind dimensionKind
	key  string // of a custom variable
	own  bool   // the custom variable has a parameter of its own
}

type dimensionKind uint8

const (
	noDimension dimensionKind = iota
	currencyDimension
	planDimension
	billingFreqDimension
	pricingModelDimension
	paymentMethodDimension
	hasDiscountDimension
	regionDimension
	countryDimension
	stateDimension
	dataSourceDimension
	statusDimension
	customerDimension
	cancelReasonDimension
	subtypeDimension
	ageDimension
	marketDimension
	customDimension
)

var dimensionNames = [...]string{
	"", "currency", "plan", "billing_freq", "pricing_model", "payment_method", "has_discount", "region", "country", "state",
	"data_source", "status", "customer", "cancel_reason", "subtype",
	"age", "market",
}

const customPrefix = "custom_"

func parseDimension(name string) (Dimension, bool) {
	if key, ok := strings.CutPrefix(name, customPrefix); ok && key != "" {
		return Dimension{kind: customDimension, key: key}, true
	}
	switch name {
	case "industry", "channel", "size": // custom variables with a parameter of their own
		return Dimension{kind: customDimension, key: name, own: true}, true
	}
	for i, known := range dimensionNames[1:] {
		if name == known {
			return Dimension{kind: dimensionKind(i + 1)}, true
		}
	}
	return Dimension{}, false
}

// Name returns the contract's name, "" for none.
func (d Dimension) Name() string {
	switch {
	case d.own:
		return d.key
	case d.kind == customDimension:
		return customPrefix + d.key
	}
	return dimensionNames[d.kind]
}

// ofState reports whether single subscriptions of one customer may differ in
// the dimension. The others belong to the customer as a whole.
func (d Dimension) ofState() bool {
	return d.kind >= currencyDimension && d.kind <= hasDiscountDimension
}

// SelectsStreams reports whether a filter of the query selects subscriptions
// rather than customers, so that moving in or out of the selection counts as a
// movement.
func (q *Query) SelectsStreams() bool {
	for i := range q.Filters {
		if q.Filters[i].Dimension.ofState() {
			return true
		}
	}
	return false
}

// Unset is the breakdown key of what has no value in the dimension.
const Unset = "~"

const unsetLabel = "(not set)"
