// Package fx holds daily exchange rates and converts balances with them.
package fx

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// Rate is one published rate: one unit of Base costs Value units of Quote on
// Day. Value is a decimal string such as "1.0796".
type Rate struct {
	Day         calendar.Day
	Base, Quote string // lower-case ISO 4217
	Value       string
}

// Table is an immutable set of rates.
type Table struct{}
