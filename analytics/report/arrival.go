package report

import "github.com/growpanel/growpanel-mcp/analytics/calendar"

// arrival is how a customer came, as far as it depends on nothing but the
// customer.
type arrival struct {
	at     calendar.Stamp // the date of creation as stated, else when the row first came in, zero when not known
	stated bool
	trial  calendar.Day // as in the ledger; so with the others
	first  calendar.Day // start of the trial or the first invoice, NoDay if neither
	paid   calendar.Day
}

// arrivalOf describes a customer with a ledger.
func arrivalOf(c *Customer) arrival {
	l := c.Ledger
	a := arrival{at: c.Created, stated: !c.Created.IsZero(), trial: l.TrialStart, first: calendar.NoDay, paid: l.FirstPaid}
	if !a.stated {
		a.at = c.Received
	}
	for _, day := range [...]calendar.Day{l.TrialStart, l.FirstInvoice} {
		if day.Valid() && (a.first == calendar.NoDay || day < a.first) {
			a.first = day
		}
	}
	return a
}

// createdAt is what Snapshot.created says of the customer.
func (s *Snapshot) createdAt(a *arrival) calendar.Stamp {
	if a.stated || !a.at.IsZero() && (a.first == calendar.NoDay || a.at.Day(s.Settings.Zone) < a.first) {
		return a.at
	}
	return stamp(a.first)
}
