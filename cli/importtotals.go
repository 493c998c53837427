package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/ingest/csvfile"
)

// invoiceTotals adds up the invoices of an import, for a person to compare with
// the books: amounts read in the wrong unit are wrong a hundredfold.
type invoiceTotals map[string]int64 // by currency in lower case, "" where a row states none

func (t invoiceTotals) add(kind csvfile.Kind, doc []byte) {
	var row struct {
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
	if kind == csvfile.Invoices && json.Unmarshal(doc, &row) == nil {
		t[strings.ToLower(row.Currency)] += row.Amount
	}
}

// String says the totals in display units, "" when there are none.
func (t invoiceTotals) String() string {
	parts := make([]string, 0, len(t))
	for _, code := range slices.Sorted(maps.Keys(t)) {
		amount := grouped(display(strconv.FormatInt(t[code], 10), code)) + " " + strings.ToUpper(code)
		if code == "" {
			amount = grouped(strconv.FormatInt(t[code], 10)) + " minor units without a currency"
		}
		parts = append(parts, amount)
	}
	if len(parts) == 0 {
		return ""
	}
	return "amounts of these invoices add up to " + strings.Join(parts, ", ")
}
