// Package report computes the reports of the contract from a snapshot of one
// account. It is pure arithmetic over the ledgers: money is int64 minor units,
// percentages are 0 to 100 rounded to two decimals half away from zero.
package report

import (
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Snapshot is an immutable view of one account at one version and day. Every
// report reads exactly one snapshot, so it never sees half a batch.
type Snapshot struct {
	Account    string // account id; part of every cache key
	Version    uint64 // rises with every write and every settled day
	Today      calendar.Day
	Settings   ledger.Settings
	WeekStart  time.Weekday
	Customers  []*Customer // nil entries are deleted customers
	Plans      []ledger.Plan
	Sources    []Source
	Symbols    []string // by ledger.Symbol; [0] is ""
	Rates      *fx.Table
	PlanGroups []PlanGroup
	Segments   []Segment
	FirstDay   calendar.Day            // earliest movement of the account, NoDay if none
	InvoiceID  func(ref uint32) string // external id of a ledger.Invoice by its Ref
}

// Source is a data source.
type Source struct {
	ID   string
	Name string
	Type string // api or csv
}

// PlanGroup is a named set of plans.
type PlanGroup struct {
	ID    string
	Name  string
	Plans []ledger.PlanRef
}

// Customer is one customer record with its ledger. The same external id in two
// data sources is two customers.
type Customer struct {
	Source       uint32 // index into Snapshot.Sources
	ID           string
	Name         string
	Email        string
	Country      string // lower-case ISO 3166 alpha-2, "" when not stated
	State        string // lower case
	Created      calendar.Stamp
	TrialStarted calendar.Stamp
	Custom       map[string]string
	Ledger       *ledger.Ledger
}
