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
	all, err := rank(s, q)
	if err != nil {
		return nil, err
	}
	r := &ConcentrationReport{Customers: len(all), TotalMRR: all.sum(len(all))}
	for i, n := range ConcentrationTops {
		share := ConcentrationShare{Count: min(n, len(all)), Percent: percent(0, r.TotalMRR)}
		if share.Count > 0 {
			share.MRR = all.sum(share.Count)
			share.Percent = percent(share.MRR, r.TotalMRR)
		}
		r.Tops[i] = share
	}
	r.Pareto = all.rows(0, min(paretoPoints, len(all)), r.TotalMRR)
	if q.Search == "" {
		page, from, to, err := q.page(len(all), maxLimit, maxLimit)
		if err != nil {
			return nil, err
		}
		r.Page, r.List = page, all.rows(from, to, r.TotalMRR)
		return r, nil
	}
	found := slices.DeleteFunc(all.rows(0, len(all), r.TotalMRR), func(row ConcentrationRow) bool { return !row.Customer.Contains(q.Search) })
	page, from, to, err := q.page(len(found), maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	r.Page, r.List = page, found[from:to]
	return r, nil
}

// A ranking lists paying customers, the largest first. Those of the same MRR are
// in order, by id, only where rows were asked for: most never are.
type ranking []payer

type payer struct {
	customer *Customer
	mrr      int64
}

func rank(s *Snapshot, q *Query) (ranking, error) {
	day := []calendar.Day{min(q.Range.To, s.Today)}
	when := points{ends: day, rateDays: day}
	var now [1]balanceAt
	sc := newScan(s, q)
	all := make(ranking, 0, len(s.Customers))
	err := sc.customers(func(x *subject) error {
		moves, foreign, err := sc.movements(x, sc.match)
		if err != nil {
			return err
		}
		if err := sc.balances(x, sc.match, moves, foreign, &when, now[:]); err != nil {
			return err
		}
		if now[0].live {
			all = append(all, payer{customer: x.customer, mrr: now[0].level})
		}
		return nil
	})
	slices.SortFunc(all, func(a, b payer) int { return cmp.Compare(b.mrr, a.mrr) })
	return all, err
}

// sum is the MRR of the first n.
func (r ranking) sum(n int) (total int64) {
	for i := range r[:n] {
		total += r[i].mrr
	}
	return total
}

// rows returns the places from one up to another, with their shares of a total.
func (r ranking) rows(from, to int, total int64) []ConcentrationRow {
	r.order(from, to)
	rows := make([]ConcentrationRow, 0, to-from)
	cumulative := r.sum(from)
	for i, p := range r[from:to] {
		cumulative += p.mrr
		rows = append(rows, ConcentrationRow{
			Rank: from + i + 1, Customer: p.customer, MRR: p.mrr, Percent: percent(p.mrr, total),
			CumulativeMRR: cumulative, CumulativePct: percent(cumulative, total),
		})
	}
	return rows
}

// order puts those of the same MRR into the order of their ids, as far as they
// reach into the places from one up to another.
func (r ranking) order(from, to int) {
	for from > 0 && from < to && r[from-1].mrr == r[from].mrr {
		from--
	}
	for from < to {
		end := from + 1
		for end < len(r) && r[end].mrr == r[from].mrr {
			end++
		}
		slices.SortFunc(r[from:end], func(a, b payer) int { return byID(a.customer, b.customer) })
		from = end
	}
}

// Contains reports whether the customer's id, name or email contains a text in
// lower case. An email contains its domain.
func (c *Customer) Contains(text string) bool {
	return strings.Contains(strings.ToLower(c.Name), text) || strings.Contains(strings.ToLower(c.ID), text) ||
		strings.Contains(strings.ToLower(c.Email), text)
}
