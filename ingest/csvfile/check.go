package csvfile

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/maphash"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
)

// Check is a sink that stores nothing: it judges rows as the API would.
// References to rows of a kind that is imported as well are looked up among
// those; other references cannot be checked here.
type Check struct {
	seed maphash.Seed
	ids  map[Kind]map[uint64]struct{} // of the kinds that are imported
}

// NewCheck returns a sink for a dry run of an import.
func NewCheck(o Options) *Check {
	c := &Check{seed: maphash.MakeSeed(), ids: map[Kind]map[uint64]struct{}{}}
	for _, f := range o.Files {
		kind := f.Kind
		if kind == Subscriptions {
			kind = Plans
		}
		c.ids[kind] = map[uint64]struct{}{}
	}
	return c
}

// Push implements Sink.
func (c *Check) Push(_ context.Context, kind Kind, rows [][]byte) ([]RowFault, error) {
	body := Body(rows)
	var faults []RowFault
	var bad []analytics.FieldError
	switch kind {
	case Customers:
		b, err := ingest.DecodeCustomers(body)
		if err != nil {
			return nil, err
		}
		bad = b.Errors
		for i := range b.Rows {
			c.note(kind, b.Rows[i].ID)
		}
	case Plans:
		b, err := ingest.DecodePlans(body)
		if err != nil {
			return nil, err
		}
		bad = b.Errors
		for i := range b.Rows {
			c.note(kind, b.Rows[i].ID)
		}
	default:
		b, err := ingest.DecodeInvoices(body)
		if err != nil {
			return nil, err
		}
		bad = b.Errors
		for i := range b.Rows {
			faults = append(faults, c.references(b.Index[i], &b.Rows[i])...)
		}
	}
	for _, f := range bad {
		faults = append(faults, RowFault{Index: f.Index, Field: f.Field, Message: f.Message})
	}
	slices.SortStableFunc(faults, func(a, b RowFault) int { return a.Index - b.Index })
	return faults, nil
}

// End implements Sink.
func (c *Check) End(context.Context, Result) error { return nil }

func (c *Check) note(kind Kind, id string) {
	if c.ids[kind] != nil {
		c.ids[kind][maphash.String(c.seed, id)] = struct{}{}
	}
}

func (c *Check) missing(kind Kind, id string) bool {
	if id == "" || c.ids[kind] == nil {
		return false
	}
	_, ok := c.ids[kind][maphash.String(c.seed, id)]
	return !ok
}

func (c *Check) references(index int, row *analytics.InvoiceRow) []RowFault {
	var faults []RowFault
	if c.missing(Customers, row.CustomerID) {
		faults = append(faults, RowFault{Index: index, Field: "customer_id", Message: "is not in the file of customers: " + clip(row.CustomerID)})
	}
	if c.missing(Plans, row.PlanID) {
		faults = append(faults, RowFault{Index: index, Field: "plan_id", Message: "is not in the file of plans: " + clip(row.PlanID)})
	}
	return faults
}

// Body joins rows to a body of the API.
func Body(rows [][]byte) []byte {
	body := append([]byte{'['}, bytes.Join(rows, []byte{','})...)
	return append(body, ']')
}

// idOf returns the id of a row.
func idOf(doc []byte) string {
	var row struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(doc, &row); err != nil {
		return ""
	}
	return row.ID
}

func clip(s string) string {
	const limit = 80
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return s
}
