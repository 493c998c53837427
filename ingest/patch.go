package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// PatchCustomer merges the members of a JSON object into a stored customer: a
// member replaces the one of its name, whichever of its two names that is, and
// null takes it away. Custom variables are merged one by one. The error is an
// *analytics.InvalidError that names what is wrong, or a *BodyError.
func PatchCustomer(stored analytics.StoredRow, id string, patch []byte) (analytics.CustomerRow, error) {
	return patchRow(customerPatch, stored, id, patch, DecodeCustomers)
}

// PatchPlan is PatchCustomer for plans. A new interval without a count is one
// of them.
func PatchPlan(stored analytics.StoredRow, id string, patch []byte) (analytics.PlanRow, error) {
	return patchRow(planPatch, stored, id, patch, DecodePlans)
}

// PatchInvoice is PatchCustomer for invoices.
func PatchInvoice(stored analytics.StoredRow, id string, patch []byte) (analytics.InvoiceRow, error) {
	return patchRow(invoicePatch, stored, id, patch, DecodeInvoices)
}

// members are the members of a JSON object.
type members map[string]json.RawMessage

// patchRules are what is special about the members of one kind of row.
type patchRules struct {
	kind   string
	fields []string          // that may be sent, under their own names
	names  map[string]string // other names of fields
	adjust func(doc, patch members) error
}

var customerPatch = patchRules{
	kind:   "customer",
	fields: []string{"name", "email", "created_date", "country", "state", "trial_started", "custom_variables"},
	names:  map[string]string{"created": "created_date", "metadata": "custom_variables"},
	adjust: mergeVariables,
}

var planPatch = patchRules{
	kind:   "plan",
	fields: []string{"name", "product_name", "interval", "interval_count", "currency", "amount", "plan_group", "pricing_model"},
	names:  map[string]string{"external_id": "id", "billing_freq": "interval", "billing_freq_count": "interval_count"},
	adjust: countIntervals,
}

var invoicePatch = patchRules{
	kind: "invoice",
	fields: []string{
		"customer_id", "type", "invoice_date", "amount", "currency", "plan_id", "subscription_id", "period_start", "period_end",
		"proration", "proration_type", "quantity", "discount", "discount_once", "tax", "fee", "fx_loss", "status", "due_date",
		"payment_date", "payment_method", "attempt_count", "first_failed_date", "pricing_model", "refund_of", "cancel_reason",
		"cancel_comment", "description", "number", "lines",
	},
	names:  map[string]string{"date": "invoice_date"},
	adjust: func(_, _ members) error { return nil },
}

func patchRow[T any](rules patchRules, stored analytics.StoredRow, id string, patch []byte, decode func([]byte) (*Batch[T], error)) (row T, err error) {
	doc, err := rules.apply(stored, id, patch)
	if err != nil {
		return row, err
	}
	batch, err := decode(doc)
	switch {
	case err != nil:
		return row, err
	case len(batch.Errors) > 0:
		return row, &analytics.InvalidError{Fields: batch.Errors}
	case len(batch.Rows) != 1:
		return row, badBody("the body must be a JSON object")
	}
	return batch.Rows[0], nil
}

// apply returns the row's document after the patch, under the fields' own names.
func (r *patchRules) apply(stored analytics.StoredRow, id string, patch []byte) ([]byte, error) {
	var sent, old members
	if err := json.Unmarshal(patch, &sent); err != nil || sent == nil {
		return nil, badBody("the body must be a JSON object")
	}
	if err := json.Unmarshal(stored.Doc, &old); err != nil {
		return nil, fmt.Errorf("read stored %s %q: %w", r.kind, id, err)
	}
	changes, err := r.read(sent, id, stored.Source)
	if err != nil {
		return nil, err
	}
	doc := r.rename(old)
	if err := r.adjust(doc, changes); err != nil {
		return nil, err
	}
	for name, value := range changes {
		if isNull(value) {
			delete(doc, name)
			continue
		}
		doc[name] = value
	}
	return json.Marshal(doc)
}

// read returns the members of a patch under the fields' own names. The id and
// the data source may come along as they are.
func (r *patchRules) read(sent members, id, source string) (members, error) {
	changes := members{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		value, own := sent[name], r.own(name)
		if own == "id" || own == "data_source" {
			if err := unchanged(name, value, map[string]string{"id": id, "data_source": source}[own]); err != nil {
				return nil, err
			}
			continue
		}
		if !slices.Contains(r.fields, own) {
			return nil, invalid(name, "is not a field of a "+r.kind+" that can be changed; those are "+strings.Join(r.fields, ", "))
		}
		if other, twice := changes[own]; twice && !bytes.Equal(other, value) {
			return nil, invalid(name, "is another name of a field that is sent with another value: send one of them")
		}
		changes[own] = value
	}
	return changes, nil
}

// rename gives the members of a stored row the fields' own names.
func (r *patchRules) rename(doc members) members {
	renamed := maps.Clone(doc)
	for name, own := range r.names {
		value, ok := doc[name]
		if !ok || own == "custom_variables" {
			continue
		}
		delete(renamed, name)
		if now, ok := renamed[own]; !ok || isNull(now) || string(now) == `""` {
			renamed[own] = value
		}
	}
	return renamed
}

func (r *patchRules) own(name string) string {
	if own, ok := r.names[name]; ok {
		return own
	}
	return name
}

func unchanged(name string, value json.RawMessage, want string) error {
	var got *string
	if err := json.Unmarshal(value, &got); err != nil || got != nil && *got != want {
		return invalid(name, fmt.Sprintf("cannot be changed: it is %q", want))
	}
	return nil
}

// mergeVariables replaces the sent variables by all that there are afterwards.
func mergeVariables(doc, changes members) error {
	all := members{}
	for _, name := range []string{"metadata", "custom_variables"} {
		var some members
		if value, ok := doc[name]; ok {
			if err := json.Unmarshal(value, &some); err != nil {
				return fmt.Errorf("read stored %s: %w", name, err)
			}
		}
		maps.Copy(all, some)
	}
	delete(doc, "metadata")
	delete(doc, "custom_variables")
	sent, ok := changes["custom_variables"]
	if ok {
		delete(changes, "custom_variables")
		if isNull(sent) {
			return nil
		}
		var some members
		if err := json.Unmarshal(sent, &some); err != nil {
			return invalid("custom_variables", "must be an object of names and values")
		}
		maps.Copy(all, some)
	}
	maps.DeleteFunc(all, func(_ string, value json.RawMessage) bool { return isNull(value) })
	if len(all) == 0 {
		return nil
	}
	merged, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode custom variables: %w", err)
	}
	doc["custom_variables"] = merged
	return nil
}

// countIntervals completes the interval of a plan, whose count may be left out
// under one of its names.
func countIntervals(doc, changes members) error {
	_, unit := changes["interval"]
	if _, counted := doc["interval_count"]; unit || !counted {
		doc["interval_count"] = json.RawMessage("1")
	}
	return nil
}

func isNull(value json.RawMessage) bool { return string(value) == "null" }

func invalid(field, message string) error {
	return &analytics.InvalidError{Fields: []analytics.FieldError{{Field: field, Message: message}}}
}
