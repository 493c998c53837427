package fxfeed

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// envelope is the document of the European Central Bank: what one euro costs,
// by day and currency
// (www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates).
type envelope struct {
	Days []struct {
		Day   string `xml:"time,attr"`
		Rates []struct {
			Currency string `xml:"currency,attr"`
			Rate     string `xml:"rate,attr"`
		} `xml:"Cube"`
	} `xml:"Cube>Cube"`
}

// Parse reads the rates of a document. Currencies that no longer exist are left
// out; anything else that cannot be read is an error, and then nothing is
// returned.
func Parse(r io.Reader) ([]fx.Rate, error) {
	var document envelope
	if err := xml.NewDecoder(r).Decode(&document); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	var rates []fx.Rate
	for _, d := range document.Days {
		day, err := calendar.ParseDay(d.Day)
		if err != nil {
			return nil, fmt.Errorf("read the day: %w", err)
		}
		for _, r := range d.Rates {
			quote, err := money.Parse(r.Currency)
			if err != nil {
				continue
			}
			rates = append(rates, fx.Rate{Day: day, Base: "eur", Quote: quote.Code(), Value: r.Rate})
		}
	}
	if len(rates) == 0 {
		return nil, errors.New("the document has no rates")
	}
	if _, err := fx.NewTable(rates); err != nil {
		return nil, err
	}
	return rates, nil
}
