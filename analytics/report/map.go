package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// CountryMetrics are the figures of one country. Money is minor units of the
// query's currency; rates are in percent.
type CountryMetrics struct {
	MRR         int64 // at the end of the range, but not after today
	Subscribers int64 // paying customers then
	ARPA        int64 // 0 without any
	ASP         int64 // new MRR per new customer in the range, 0 without any

	// Of the last complete period in the range; null without one or without a cohort.
	CustomerChurn, NetMRRChurn Ratio
	LTV                        *int64 // nil while nobody leaves

	// Of the customers who were created in the range.
	Leads, Converted, Trials, TrialsConverted int64
	LeadConversion, TrialConversion           Ratio // 0 of nobody

	PaymentFailure Ratio // invoices of the range that failed, of all; null when only older ones did

	// Shares of all customers that the filters select, with and without a country;
	// null when there is nothing to share.
	MRRShare, SubscribersShare, LeadsShare, TrialsShare Ratio
}

// CountryRow is one country.
type CountryRow struct {
	Country string // as Customer.Country
	CountryMetrics
}

// MapReport is the countries by code. Customers without a country are in none.
type MapReport struct {
	Rows []CountryRow
}

// Map computes the report map. Its errors are *ParamError and
// *fx.MissingRateError.
func Map(s *Snapshot, q *Query) (*MapReport, error) {
	byCountry := *q.untilToday()
	byCountry.Breakdown, byCountry.BreakdownValue, byCountry.Groups = Dimension{kind: countryDimension}, nil, nil
	byCountry.Range.To = min(q.Range.To, s.Today)
	m := &worldMap{s: s, q: &byCountry, countries: map[string]*CountryMetrics{}}
	if m.q.Range.From > m.q.Range.To {
		return &MapReport{}, nil
	}
	for _, part := range []func() error{m.revenue, m.churn, m.leads, m.failures} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return m.report(), nil
}

// worldMap collects the figures of all countries, each part from the same sums
// as the report that it is also in.
type worldMap struct {
	s         *Snapshot
	q         *Query // up to today, split by country
	countries map[string]*CountryMetrics
	total     CountryMetrics
}

func (m *worldMap) of(country string) *CountryMetrics {
	if m.countries[country] == nil {
		m.countries[country] = &CountryMetrics{CustomerChurn: null(), NetMRRChurn: null()}
	}
	return m.countries[country]
}

// revenue is that of the report mrr with the range as its only period.
func (m *worldMap) revenue() error {
	sc, end := newScan(m.s, m.q, m.q.Range.From), []calendar.Day{m.q.Range.To}
	when := points{ends: end, rateDays: end}
	var now [1]balanceAt
	type started struct{ mrr, customers int64 }
	news := map[*CountryMetrics]started{}
	err := sc.customers(func(c *Customer) error {
		moves, foreign, err := sc.movements(c.Ledger, sc.match)
		if err != nil || len(moves) == 0 {
			return err
		}
		country := m.of(cmp.Or(c.Country, Unset))
		if first := &moves[0]; m.q.Range.Contains(first.Day) { // it is always new
			worth := first.After
			if foreign {
				if worth, err = sc.delta(c.Ledger, first, sc.match); err != nil {
					return err
				}
			}
			n := news[country]
			news[country] = started{n.mrr + worth, n.customers + 1}
		}
		if err := sc.balances(c.Ledger, sc.match, moves, foreign, &when, now[:]); err != nil {
			return err
		}
		if now[0].live {
			for _, sum := range [...]*CountryMetrics{country, &m.total} {
				sum.MRR += now[0].level
				sum.Subscribers++
			}
		}
		return nil
	})
	for _, c := range m.countries {
		c.ARPA, c.ASP = perCustomer(c.MRR, c.Subscribers), perCustomer(news[c].mrr, news[c].customers)
	}
	return err
}

// churn is that of the report retention for the last complete period.
func (m *worldMap) churn() error {
	last := calendar.PeriodOf(m.q.Range.To, m.q.Unit, m.s.WeekStart)
	if last.To > m.q.Range.To {
		last = calendar.Shift(last, m.q.Unit, -1)
	}
	if last.To < m.q.Range.From {
		return nil
	}
	periods := []calendar.Range{last}
	t := newRetention(m.s, m.q, periods)
	if err := t.sc.customers(t.add); err != nil {
		return err
	}
	r := t.report(periods)
	for i := range r.Values {
		part, c := &r.Rows[0].Breakdown[i], m.of(r.Values[i].Key)
		c.CustomerChurn, c.NetMRRChurn, c.LTV = part.CustomerChurnRate, part.NetMRRChurnRate, part.LTV
	}
	return nil
}

// leads are those of the report leads.
func (m *worldMap) leads() error {
	ls, cells := newLeadScan(m.s, m.q, 1), map[int32]*leadCell{}
	var total leadCell
	err := ls.each(func(c *Customer, f lead) error {
		if !m.q.Range.Contains(f.created) {
			return nil
		}
		values, err := ls.valuesOf(c)
		if err != nil {
			return err
		}
		total.add(f)
		for _, v := range values {
			if cells[v] == nil {
				cells[v] = &leadCell{}
			}
			cells[v].add(f)
		}
		return nil
	})
	m.total.Leads, m.total.Trials = total.leads, total.trials
	for v, cell := range cells {
		c := m.of(ls.split.keys[v])
		c.Leads, c.Converted, c.Trials, c.TrialsConverted = cell.leads, cell.converted, cell.trials, cell.trialsConverted
	}
	return err
}

// failures are those of the report cashflow-failure-rate.
func (m *worldMap) failures() error {
	plain := *m.q
	plain.Breakdown = Dimension{} // customers come whole
	cs := newCashScan(m.s, &plain, m.q.Range.From, 1)
	type tally struct{ failed, bills int64 }
	tallies := map[*CountryMetrics]tally{}
	err := cs.customers(func(c *Customer) error {
		l, n := c.Ledger, tally{}
		for i := range l.Invoices {
			inv := &l.Invoices[i]
			if m.q.Range.Contains(inv.Day) && isBill(inv) && (cs.match == nil || cs.passes(l, inv, cs.planOf(l, inv))) {
				n.bills++
			}
		}
		err := cs.failures(c, m.q.Range, func(*ledger.Invoice, *ledger.Failure, ledger.PlanRef) error {
			n.failed++
			return nil
		})
		country := m.of(cmp.Or(c.Country, Unset))
		sum := tallies[country]
		tallies[country] = tally{sum.failed + n.failed, sum.bills + n.bills}
		return err
	})
	for country, n := range tallies {
		country.PaymentFailure = rate(n.failed, n.bills)
	}
	return err
}

func (m *worldMap) report() *MapReport {
	r := &MapReport{Rows: make([]CountryRow, 0, len(m.countries))}
	for country, c := range m.countries {
		if country == Unset || *c == (CountryMetrics{CustomerChurn: null(), NetMRRChurn: null()}) {
			continue
		}
		c.LeadConversion, c.TrialConversion = share(c.Converted, c.Leads), share(c.TrialsConverted, c.Trials)
		c.MRRShare, c.SubscribersShare = percent(c.MRR, m.total.MRR), percent(c.Subscribers, m.total.Subscribers)
		c.LeadsShare, c.TrialsShare = percent(c.Leads, m.total.Leads), percent(c.Trials, m.total.Trials)
		r.Rows = append(r.Rows, CountryRow{Country: country, CountryMetrics: *c})
	}
	slices.SortFunc(r.Rows, func(a, b CountryRow) int { return strings.Compare(a.Country, b.Country) })
	return r
}
