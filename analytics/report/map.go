package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
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
	plain := *q.untilToday()
	plain.Breakdown, plain.BreakdownValue, plain.Groups = Dimension{}, nil, nil
	plain.Range.To = min(q.Range.To, s.Today)
	if plain.Range.From > plain.Range.To {
		return &MapReport{}, nil
	}
	m := newWorldMap(s, &plain)
	err := s.each(func(x *subject) error {
		if !m.sc.sel.keeps(x) {
			return nil
		}
		return m.add(x)
	})
	if err != nil {
		return nil, err
	}
	return m.report(), nil
}

// worldMap collects the figures of all countries, each from the same sums as the
// report that it is also in.
type worldMap struct {
	q     *Query // up to today
	sc    *scan
	when  points       // the end of the range
	now   [1]balanceAt // of one customer
	churn *retention   // nil without a complete period
	leads *leadScan
	cash  *cashScan

	byPlace [places]*country
	others  map[string]*country // by code
	total   CountryMetrics
	totals  leadCell
}

// country is what one country adds up.
type country struct {
	CountryMetrics
	code                 string
	newMRR, newCustomers int64
	windows              []window
	leads                leadCell
	failed, bills        int64
}

func newWorldMap(s *Snapshot, q *Query) *worldMap {
	m := &worldMap{q: q, sc: newScan(s, q), others: map[string]*country{}}
	end := []calendar.Day{q.Range.To}
	m.when = points{ends: end, rateDays: end}
	m.leads, m.cash = newLeadScan(s, q, 1), newCashScan(s, q, bills, 1)
	last := calendar.PeriodOf(q.Range.To, q.Unit, s.WeekStart)
	if last.To > q.Range.To {
		last = calendar.Shift(last, q.Unit, -1)
	}
	if last.To >= q.Range.From {
		m.churn = newRetention(s, q, []calendar.Range{last})
		m.churn.weighed = averaged // the rows before serve the average of customers who leave
	}
	return m
}

// of returns the country of a customer; who states none are a country too.
func (m *worldMap) of(x *subject) *country {
	if x.place == otherPlace {
		code := x.customer.Country
		if m.others[code] == nil {
			m.others[code] = m.newCountry(code)
		}
		return m.others[code]
	}
	if m.byPlace[x.place] == nil {
		m.byPlace[x.place] = m.newCountry(x.customer.Country)
	}
	return m.byPlace[x.place]
}

func (m *worldMap) newCountry(code string) *country {
	found := &country{code: code}
	if m.churn != nil {
		found.windows = make([]window, len(m.churn.total))
	}
	return found
}

// add counts one customer.
func (m *worldMap) add(x *subject) error {
	in := m.of(x)
	if x.last.Valid() {
		if err := m.addRevenue(x, in); err != nil {
			return err
		}
	}
	if m.leads.has(x) {
		m.addLead(x, in)
	}
	if !x.invoices {
		return nil
	}
	return m.addBills(x, in)
}

// addRevenue counts what is in the report mrr with the range as its only period,
// and in the report retention for the last complete period.
func (m *worldMap) addRevenue(x *subject, in *country) error {
	sc := m.sc
	moves, foreign, err := sc.movements(x, sc.match)
	if err != nil || len(moves) == 0 {
		return err
	}
	if first := &moves[0]; m.q.Range.Contains(first.Day) { // it is always new
		worth := first.After
		if foreign {
			if worth, err = sc.delta(x, first, sc.match); err != nil {
				return err
			}
		}
		in.newMRR += worth
		in.newCustomers++
	}
	if err := sc.balances(x, sc.match, moves, foreign, &m.when, m.now[:]); err != nil {
		return err
	}
	if now := m.now[0]; now.live {
		for _, sum := range [...]*CountryMetrics{&in.CountryMetrics, &m.total} {
			sum.MRR += now.level
			sum.Subscribers++
		}
	}
	if m.churn == nil {
		return nil
	}
	return m.churn.countMoves(x, sc.match, moves, foreign, in.windows)
}

// addLead counts what is in the report leads.
func (m *worldMap) addLead(x *subject, in *country) {
	if f := m.leads.s.leadOf(&x.arrival); m.q.Range.Contains(f.created) {
		in.leads.add(f)
		m.totals.add(f)
	}
}

// addBills counts what is in the report cashflow-failure-rate.
func (m *worldMap) addBills(x *subject, in *country) error {
	b := m.cash.billing(x)
	in.bills += m.cash.count(b, m.q.Range)
	return m.cash.failures(b, m.q.Range, func(*failure, uint32) error {
		in.failed++
		return nil
	})
}

func (m *worldMap) report() *MapReport {
	r := &MapReport{}
	for _, in := range slices.AppendSeq(m.byPlace[1:], maps.Values(m.others)) {
		if in != nil && m.close(in) {
			r.Rows = append(r.Rows, CountryRow{Country: in.code, CountryMetrics: in.CountryMetrics})
		}
	}
	slices.SortFunc(r.Rows, func(a, b CountryRow) int { return strings.Compare(a.Country, b.Country) })
	return r
}

// close works out what follows from the sums of a country. It reports whether
// there is anything to show.
func (m *worldMap) close(in *country) bool {
	c, none := &in.CountryMetrics, CountryMetrics{CustomerChurn: null(), NetMRRChurn: null()}
	c.CustomerChurn, c.NetMRRChurn = null(), null()
	if m.churn != nil {
		figures := &m.churn.metrics(in.windows)[0]
		c.CustomerChurn, c.NetMRRChurn, c.LTV = figures.CustomerChurnRate, figures.NetMRRChurnRate, figures.LTV
	}
	c.ARPA, c.ASP = perCustomer(c.MRR, c.Subscribers), perCustomer(in.newMRR, in.newCustomers)
	c.Leads, c.Converted, c.Trials, c.TrialsConverted = in.leads.leads, in.leads.converted, in.leads.trials, in.leads.trialsConverted
	c.PaymentFailure = rate(in.failed, in.bills)
	if *c == none {
		return false
	}
	c.LeadConversion, c.TrialConversion = share(c.Converted, c.Leads), share(c.TrialsConverted, c.Trials)
	c.MRRShare, c.SubscribersShare = percent(c.MRR, m.total.MRR), percent(c.Subscribers, m.total.Subscribers)
	c.LeadsShare, c.TrialsShare = percent(c.Leads, m.totals.leads), percent(c.Trials, m.totals.trials)
	return true
}
