package ingest

import (
	"maps"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// The fields of a customer, one bit each.
const (
	customerID uint = iota
	customerName
	customerEmail
	customerCountry
	customerState
	customerCreated
	customerCreatedDate
	customerTrialStarted
	customerMetadata
	customerVariables
	customerSource
)

// customer decodes the customer whose object was just opened. Fields that the
// contract does not know stay in the document.
func (d *decoder) customer(row *analytics.CustomerRow) {
	var created, createdDate calendar.Stamp
	var metadata, variables map[string]string
	for {
		key, ok := d.key()
		if !ok {
			break
		}
		switch key {
		case "id":
			if d.once(customerID, key) {
				row.ID = d.rowID(key)
			}
		case "name":
			if d.once(customerName, key) {
				row.Name = d.str(key)
			}
		case "email":
			if d.once(customerEmail, key) {
				row.Email = d.str(key)
			}
		case "country":
			if d.once(customerCountry, key) {
				row.Country = d.country(key)
			}
		case "state":
			if d.once(customerState, key) {
				row.State = strings.ToLower(d.str(key))
			}
		case "created":
			if d.once(customerCreated, key) {
				created = d.stamp(key)
			}
		case "created_date":
			if d.once(customerCreatedDate, key) {
				createdDate = d.stamp(key)
			}
		case "trial_started":
			if d.once(customerTrialStarted, key) {
				row.TrialStarted = d.stamp(key)
			}
		case "metadata":
			if d.once(customerMetadata, key) {
				metadata = d.pairs(key)
			}
		case "custom_variables":
			if d.once(customerVariables, key) {
				variables = d.pairs(key)
			}
		case "data_source":
			if d.once(customerSource, key) {
				d.source = d.ident(key)
			}
		default:
			d.skip(jsonscan.Key)
		}
	}
	row.Created = d.either("created", created, "created_date", createdDate)
	row.Custom = merge(metadata, variables)
	row.Doc = d.doc()
	d.required(row.ID != "", customerID, "id", "is required: your own id of the customer")
	if row.Name == "" && row.Email == "" && !d.failed() {
		d.fail("name", "is required (an email alone is accepted)")
	}
}

// country reads an ISO 3166 alpha-2 code, in lower case.
func (d *decoder) country(field string) string {
	s := d.word(field)
	switch {
	case s == "":
		return ""
	case len(s) != 2 || !isLetter(s[0]) || !isLetter(s[1]):
		d.fail(field, "must be a two-letter ISO 3166 country code such as us")
		return ""
	}
	return s
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// pairs reads custom variables. Values that are not texts are kept as their
// JSON; null leaves the variable out.
func (d *decoder) pairs(field string) map[string]string {
	if !d.value(jsonscan.ObjectStart, field, "must be an object of names and values") {
		return nil
	}
	all := map[string]string{}
	seen := map[string]bool{}
	for {
		key, ok := d.key()
		if !ok {
			return all
		}
		name := field + "." + key
		switch {
		case seen[key]:
			d.fail(name, "is given twice")
		case len(key) > MaxIDBytes:
			d.fail(field, "has a name of more than 255 bytes")
		case len(seen) == maxCustomPairs:
			d.fail(field, "has more than 200 variables")
		}
		seen[key] = true
		kind := d.s.Next()
		if kind == jsonscan.String {
			all[key] = d.text()
			continue
		}
		start := d.s.Start()
		if !d.skip(kind) {
			return all
		}
		if kind != jsonscan.Null {
			all[key] = d.all[start:d.s.Offset()]
		}
	}
}

// merge returns the union of both; a variable in both takes its value from wins.
func merge(base, wins map[string]string) map[string]string {
	if len(base) == 0 {
		base = wins
	}
	if len(base) == 0 {
		return nil
	}
	maps.Copy(base, wins)
	return base
}

// either joins the two names of one date.
func (d *decoder) either(name string, a calendar.Stamp, alias string, b calendar.Stamp) calendar.Stamp {
	if a.IsZero() {
		return b
	}
	if !b.IsZero() && a != b {
		d.fail(name, "differs from "+alias+", its other name: send one of them")
	}
	return a
}

// required reports a missing field, unless its value was already reported.
func (d *decoder) required(present bool, bit uint, field, message string) {
	if present || d.has(bit) && d.reported(field) {
		return
	}
	d.fail(field, message)
}

// reported tells whether the current row already has an error for field.
func (d *decoder) reported(field string) bool {
	for i := len(d.errs) - 1; i >= 0 && d.errs[i].Index == d.index; i-- {
		if d.errs[i].Field == d.prefix+field {
			return true
		}
	}
	return false
}
