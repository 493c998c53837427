package report

import (
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// Every country of the map has the figures that the other reports have for it,
// and together with the customers without a country they are the whole account.
func TestLaw_Map(t *testing.T) {
	t.Parallel()
	shown := 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		for _, name := range []string{"breakdown", "committed", "country", "segment", "compare"} {
			delete(params, name)
		}
		q := mustQuery(t, s, params)
		world, err := Map(s, q)
		if err != nil {
			t.Fatalf("Map(%v): %v", params, err)
		}
		if q.Range.From > s.Today {
			return
		}
		var mrr, subscribers, leads int64
		for _, country := range []string{"us", "de", "~"} {
			params["country"] = []string{country}
			own := countryOf(t, s, mustQuery(t, s, params))
			mrr, subscribers, leads = mrr+own.MRR, subscribers+own.Subscribers, leads+own.Leads
			if country == "~" {
				continue
			}
			var got CountryMetrics
			for i := range world.Rows {
				if world.Rows[i].Country == country {
					got = world.Rows[i].CountryMetrics
					shown++
				}
			}
			got.MRRShare, got.SubscribersShare, got.LeadsShare, got.TrialsShare = Ratio{}, Ratio{}, Ratio{}, Ratio{}
			if same := got.LTV == own.LTV || got.LTV != nil && own.LTV != nil && *got.LTV == *own.LTV; !same {
				t.Fatalf("Map(%v) %s: lifetime value %v, want %v", params, country, got.LTV, own.LTV)
			}
			got.LTV, own.LTV = nil, nil
			if got == (CountryMetrics{}) { // it is left out when it has nothing
				own.CustomerChurn, own.NetMRRChurn = Ratio{}, Ratio{}
			}
			if got != own {
				t.Fatalf("Map(%v) %s:\n%+v, the other reports have\n%+v", params, country, got, own)
			}
		}
		delete(params, "country")
		all := countryOf(t, s, mustQuery(t, s, params))
		if mrr != all.MRR || subscribers != all.Subscribers || leads != all.Leads {
			t.Fatalf("Map(%v): countries add up to %d, %d, %d of %d, %d, %d", params, mrr, subscribers, leads, all.MRR, all.Subscribers, all.Leads)
		}
	})
	if shown == 0 {
		t.Error("no company had a country")
	}
}

// countryOf collects the figures of the map from other reports.
func countryOf(t *testing.T, s *Snapshot, q *Query) CountryMetrics {
	t.Helper()
	m := CountryMetrics{CustomerChurn: null(), NetMRRChurn: null()}
	q.Range.To = min(q.Range.To, s.Today)
	days := *q
	days.DateGiven, days.UnitGiven = true, false
	ranked, err := CustomerConcentration(s, q)
	if err != nil {
		t.Fatal(err)
	}
	m.MRR, m.Subscribers = ranked.TotalMRR, int64(ranked.Customers)
	if q.FixFX {
		fixed := *q
		fixed.Unit = calendar.UnitDay
		r, err := MRR(s, &fixed)
		if err != nil {
			t.Fatal(err)
		}
		m.MRR = r.Rows[len(r.Rows)-1].TotalMRR
	}
	m.ARPA = perCustomer(m.MRR, m.Subscribers)
	moves, err := MovementTable(s, &days)
	if err != nil {
		t.Fatal(err)
	}
	var started int64
	who := map[*Customer]bool{}
	for i := range moves.Rows {
		if row := &moves.Rows[i]; row.Type.String() == "new" {
			started += row.ChangeBase
			who[row.Customer] = true
		}
	}
	m.ASP = perCustomer(started, int64(len(who)))
	for stage, n := range map[LeadStage]*int64{AnyLead: &m.Leads, TrialLead: &m.Trials, ConvertedLead: &m.Converted} {
		days.Selected = stage.String()
		table, err := LeadsTable(s, &days)
		if err != nil {
			t.Fatal(err)
		}
		*n = int64(table.Count)
		for i := range table.Rows {
			if stage == TrialLead && table.Rows[i].PaidStarted != 0 {
				m.TrialsConverted++
			}
		}
	}
	m.LeadConversion, m.TrialConversion = share(m.Converted, m.Leads), share(m.TrialsConverted, m.Trials)
	churn, err := Retention(s, q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range churn.Rows {
		if row := &churn.Rows[i]; row.Period.To <= q.Range.To {
			m.CustomerChurn, m.NetMRRChurn, m.LTV = row.CustomerChurnRate, row.NetMRRChurnRate, row.LTV
		}
	}
	days.Selected = ""
	bills, err := InvoiceDetail(s, &days)
	if err != nil {
		t.Fatal(err)
	}
	failed, err := FailureDetail(s, &days)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for i := range bills.Rows {
		if bills.Rows[i].Total > 0 && bills.Rows[i].Status.String() != "void" {
			n++
		}
	}
	m.PaymentFailure = rate(int64(failed.Count), n)
	return m
}

// The movements of latest-activity are those of the movement table, and it is
// newest first.
func TestLaw_LatestActivity(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		for _, name := range []string{"breakdown", "committed"} {
			delete(params, name)
		}
		params["include_failed"], params["limit"] = []string{"0"}, []string{"100"}
		params["date"] = []string{"2024-03-10:2024-10-20"}
		q := mustQuery(t, s, params)
		feed, err := LatestActivity(s, q)
		if err != nil {
			t.Fatalf("LatestActivity(%v): %v", params, err)
		}
		days := *q
		days.UnitGiven, days.Breakdown, days.Groups = false, Dimension{}, nil
		moves, err := MovementTable(s, &days)
		if err != nil {
			t.Fatal(err)
		}
		if feed.Count != moves.Count || len(feed.Rows) != len(moves.Rows) {
			t.Fatalf("LatestActivity(%v): %d rows of %d, the table has %d of %d", params, len(feed.Rows), feed.Count, len(moves.Rows), moves.Count)
		}
		for i := range feed.Rows {
			a, m := &feed.Rows[i], &moves.Rows[i]
			if a.Date != m.Date || a.Customer != m.Customer || a.Amount != m.ChangeBase || a.Type != m.Type.String() || a.Subtype != m.Subtype.String() {
				t.Fatalf("LatestActivity(%v) row %d: %+v, the table has %+v", params, i, a, m)
			}
		}
	})
}
