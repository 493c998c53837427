// Package report computes the reports of the contract from a snapshot of one
// account. It is pure arithmetic over the ledgers: money is int64 minor units,
// percentages are 0 to 100 rounded to two decimals half away from zero.
package report

import (
	"strings"
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

	blocks []*block // of Customers; nil before Follow
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
	Rule  *PlanRule // of a group that chooses its plans itself, else nil
	Plans []ledger.PlanRef
}

// PlanRule is how an automatic plan group chooses its plans.
type PlanRule struct {
	By      string `json:"selector_type"` // name, id or product_name
	Pattern string `json:"selector"`      // a text that is contained, or a pattern with * and ?
}

// Takes reports whether the rule chooses a plan. Case does not matter.
func (r *PlanRule) Takes(p *ledger.Plan) bool {
	text := p.Name
	switch r.By {
	case "id":
		text = p.ID
	case "product_name":
		text = p.Product
	}
	text, pattern := strings.ToLower(text), strings.ToLower(r.Pattern)
	if !strings.ContainsAny(pattern, "*?") {
		return strings.Contains(text, pattern)
	}
	return matches([]rune(pattern), []rune(text))
}

// matches reports whether a text is what a pattern describes, in which * is any
// text and ? any character.
func matches(pattern, text []rune) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last star, and where what it stands for ends
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// Customer is one customer record with its ledger. The same external id in two
// data sources is two customers.
type Customer struct {
	Source       uint32 // index into Snapshot.Sources
	Ledger       *ledger.Ledger
	ID           string
	Name         string
	Email        string
	Country      string         // lower-case ISO 3166 alpha-2, "" when not stated
	State        string         // lower case
	Created      calendar.Stamp // as stated; see Snapshot.created
	TrialStarted calendar.Stamp
	Received     calendar.Stamp // when the row first came in, zero when not known
	Custom       Variables
}
