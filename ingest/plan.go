package ingest

import (
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// The fields of a plan, one bit each.
const (
	planID uint = iota
	planExternalID
	planName
	planProduct
	planInterval
	planIntervalCount
	planFreq
	planFreqCount
	planCurrency
	planAmount
	planPricing
	planGroup
	planSource
)

const (
	wantUnit  = "must be day, week, month, quarter or year"
	wantCount = "must be an integer from 1 to 1000"
)

// plan decodes the plan whose object was just opened.
func (d *decoder) plan(row *analytics.PlanRow) {
	var externalID string
	var interval, freq calendar.Interval
	for {
		key, ok := d.key()
		if !ok {
			break
		}
		switch key {
		case "id":
			if d.once(planID, key) {
				row.ID = d.rowID(key)
			}
		case "external_id":
			if d.once(planExternalID, key) {
				externalID = d.rowID(key)
			}
		case "name":
			if d.once(planName, key) {
				row.Name = d.str(key)
			}
		case "product_name":
			if d.once(planProduct, key) {
				row.Product = d.str(key)
			}
		case "interval":
			if d.once(planInterval, key) {
				interval.Unit = d.unit(key)
			}
		case "interval_count":
			if d.once(planIntervalCount, key) {
				interval.Count = d.count(key, 1, maxIntervals, wantCount)
			}
		case "billing_freq":
			if d.once(planFreq, key) {
				freq.Unit = d.unit(key)
			}
		case "billing_freq_count":
			if d.once(planFreqCount, key) {
				freq.Count = d.count(key, 1, maxIntervals, wantCount)
			}
		case "currency":
			if d.once(planCurrency, key) {
				row.Currency = d.currency(key)
			}
		case "amount":
			if d.once(planAmount, key) {
				row.Price = d.amount(key)
				row.Priced = d.present
			}
		case "pricing_model":
			if d.once(planPricing, key) {
				row.Pricing = d.pricing(key)
			}
		case "plan_group":
			if d.once(planGroup, key) {
				row.Group = strings.TrimSpace(d.str(key))
			}
		case "data_source":
			if d.once(planSource, key) {
				d.source = d.ident(key)
			}
		default:
			d.skip(jsonscan.Key)
		}
	}
	if row.ID == "" {
		row.ID = externalID
	}
	row.Interval = d.interval(interval, freq)
	row.Doc = d.doc()
	d.required(row.ID != "", planID, "id", "is required: your own id of the plan")
	d.required(row.Name != "", planName, "name", "is required")
	d.required(row.Currency != money.None, planCurrency, "currency", "is required: a three-letter ISO 4217 code such as usd")
}

func (d *decoder) unit(field string) calendar.Unit {
	s := d.word(field)
	if s == "" {
		return calendar.NoUnit
	}
	u, err := calendar.ParseUnit(s)
	if err != nil {
		d.fail(field, wantUnit)
	}
	return u
}

func (d *decoder) pricing(field string) ledger.Pricing {
	switch d.word(field) {
	case "", "licensed":
	case "metered":
		return ledger.Metered
	default:
		d.fail(field, "must be licensed or metered")
	}
	return ledger.Licensed
}

// interval joins the two ways to state a billing interval. Seed 001 requires
// the count beside interval; the count beside billing_freq defaults to 1.
func (d *decoder) interval(interval, freq calendar.Interval) calendar.Interval {
	if interval.Unit != calendar.NoUnit {
		d.required(interval.Count != 0, planIntervalCount, "interval_count", "is required: 1 for one interval per billing cycle")
		return canonical(interval)
	}
	if freq.Unit == calendar.NoUnit {
		if !d.reported("billing_freq") {
			d.required(false, planInterval, "interval", "is required: day, week, month, quarter or year")
		}
		return calendar.Interval{}
	}
	if freq.Count == 0 {
		freq.Count = max(1, interval.Count)
	}
	return canonical(freq)
}

// canonical names three months a quarter and twelve months a year, so that
// plans of the same rhythm share one billing frequency.
func canonical(iv calendar.Interval) calendar.Interval {
	switch iv {
	case calendar.Interval{Unit: calendar.UnitMonth, Count: 3}:
		return calendar.Interval{Unit: calendar.UnitQuarter, Count: 1}
	case calendar.Interval{Unit: calendar.UnitMonth, Count: 12}, calendar.Interval{Unit: calendar.UnitQuarter, Count: 4}:
		return calendar.Interval{Unit: calendar.UnitYear, Count: 1}
	}
	return iv
}
