package httpapi_test

import (
	"fmt"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// invent makes a customer with invoices until about a day.
func (o *oracled) invent(n int, invoices []oracletest.Invoice, about oracletest.Day) *oracletest.Member {
	m := &oracletest.Member{
		ID: fmt.Sprintf("c%d", n), Country: []string{"us", "dk", "de", "us", "gb", "", "jp", "za", "br"}[n%9], Invoices: invoices,
		Variables: map[string]string{},
	}
	for _, values := range [][]string{
		{"industry", "Retail", "retail", "Software"}, {"channel", "ads", "web"}, {"size", "1-10", "11+"}, {"tier", "Gold", "gold, large", "Free plan"},
	} {
		if k := o.rng.IntN(len(values)); k > 0 {
			m.Variables[values[0]] = values[k]
		}
	}
	if m.Country == "us" || m.Country == "br" {
		m.State = []string{"", "ca", "ny", "on"}[o.rng.IntN(4)]
	}
	m.Email = []string{"", fmt.Sprintf("Ann.%d@Mail%d.example", n, n%3)}[o.rng.IntN(2)]
	if o.rng.IntN(2) == 0 {
		m.Created = (about - oracletest.Day(o.rng.IntN(400))).Time().Add(time.Duration(o.rng.IntN(2)*o.rng.IntN(86400)) * time.Second)
	}
	if o.rng.IntN(3) == 0 {
		m.TrialStarted = (about - oracletest.Day(o.rng.IntN(300)-10)).Time()
	}
	return m
}

// customer is the pushed form of a member.
func (o *oracled) customer(m *oracletest.Member) map[string]any {
	row := map[string]any{"id": m.ID, "name": m.Name()}
	if m.Email != "" {
		row["email"] = m.Email
	}
	if m.Country != "" {
		row["country"] = m.Country
	}
	if m.State != "" {
		row["state"] = m.State
	}
	row["custom_variables"] = m.Variables
	if !m.Created.IsZero() {
		row["created"] = o.moment(m.Created)
	}
	if !m.TrialStarted.IsZero() {
		row["trial_started"] = m.TrialStarted.Format(time.DateOnly)
	}
	return row
}

// leads compares the reports about leads and trials.
func (o *oracled) leads(q question) (string, string) {
	c := o.company
	if diff := diffRows(c.Leads(q.Query), o.get("/reports/leads", q).list("result")); diff != "" {
		return "leads", diff
	}
	summary := []any{o.get("/reports/leads-summary", q).at("summary")}
	if diff := diffRows([]oracletest.Row{c.LeadsSummary(q.Query)}, summary); diff != "" {
		return "leads-summary", diff
	}
	return "leads-days", diffRows(c.LeadsDays(q.Query), o.get("/reports/leads-days", q).list("result"))
}
