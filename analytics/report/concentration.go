package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// ConcentrationTops are the sizes of the groups of largest customers.
var ConcentrationTops = [...]int{1, 5, 10, 20}

// paretoPoints bounds the running total.
const paretoPoints = 500

// ConcentrationShare is the MRR of the largest customers together.
type ConcentrationShare struct {
	MRR     int64
	Percent Ratio // of the total; null when there is none
	Count   int   // how many there are; fewer when the account has fewer
}

// ConcentrationRow is one paying customer.
type ConcentrationRow struct {
	Rank          int // place by MRR, from 1
	Customer      *Customer
	MRR           int64
	Percent       Ratio
	CumulativeMRR int64
	CumulativePct Ratio
}

// ConcentrationReport is how MRR is spread over customers.
type ConcentrationReport struct {
	Page      // of List
	TotalMRR  int64
	Customers int
	Tops      [len(ConcentrationTops)]ConcentrationShare
	Pareto    []ConcentrationRow // the largest customers, at most 500
	List      []ConcentrationRow // those that the search matches
}

// CustomerConcentration computes the report customer-concentration at the end
// of the range, but not after today. Shares are of all customers that the
// filters select; the search narrows List alone. Errors are *ParamError and
// *fx.MissingRateError.
func CustomerConcentration(s *Snapshot, q *Query) (*ConcentrationReport, error) {
	ranked, err := rank(s, q)
	if err != nil {
		return nil, err
	}
	r := &ConcentrationReport{Customers: len(ranked)}
	for i := range ranked {
		r.TotalMRR += ranked[i].MRR
		ranked[i].Rank, ranked[i].CumulativeMRR = i+1, r.TotalMRR
	}
	for i, n := range ConcentrationTops {
		share := ConcentrationShare{Count: min(n, len(ranked)), Percent: percent(0, r.TotalMRR)}
		if share.Count > 0 {
			share.MRR = ranked[share.Count-1].CumulativeMRR
			share.Percent = percent(share.MRR, r.TotalMRR)
		}
		r.Tops[i] = share
	}
	r.Pareto = ranked[:min(paretoPoints, len(ranked))]
	list := ranked
	if q.Search != "" {
		list = slices.DeleteFunc(slices.Clone(ranked), func(row ConcentrationRow) bool { return !row.Customer.Contains(q.Search) })
	}
	page, from, to, err := q.page(len(list), maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	r.Page, r.List = page, list[from:to]
	for _, shown := range [...][]ConcentrationRow{r.Pareto, r.List} {
		for i := range shown {
			shown[i].Percent = percent(shown[i].MRR, r.TotalMRR)
			shown[i].CumulativePct = percent(shown[i].CumulativeMRR, r.TotalMRR)
		}
	}
	return r, nil
}

// rank lists the paying customers, the largest first.
func rank(s *Snapshot, q *Query) ([]ConcentrationRow, error) {
	day := []calendar.Day{min(q.Range.To, s.Today)}
	when := points{ends: day, rateDays: day}
	var now [1]balanceAt
	sc := newScan(s, q, day[0])
	ranked := make([]ConcentrationRow, 0, len(s.Customers))
	err := sc.customers(func(x *subject) error {
		moves, foreign, err := sc.movements(x, sc.match)
		if err != nil {
			return err
		}
		if err := sc.balances(x, sc.match, moves, foreign, &when, now[:]); err != nil {
			return err
		}
		if now[0].live {
			ranked = append(ranked, ConcentrationRow{Customer: x.customer, MRR: now[0].level})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ranked, func(a, b ConcentrationRow) int {
		if a.MRR != b.MRR {
			return cmp.Compare(b.MRR, a.MRR)
		}
		return cmp.Or(strings.Compare(a.Customer.ID, b.Customer.ID), cmp.Compare(a.Customer.Source, b.Customer.Source))
	})
	return ranked, nil
}

// Contains reports whether the customer's id, name or email contains a text in
// lower case. An email contains its domain.
func (c *Customer) Contains(text string) bool {
	return strings.Contains(strings.ToLower(c.Name), text) || strings.Contains(strings.ToLower(c.ID), text) ||
		strings.Contains(strings.ToLower(c.Email), text)
}
