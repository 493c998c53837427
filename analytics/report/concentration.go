package report

import (
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
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
		if !foreign {
			if mrr := mrrOn(moves, day[0]); mrr > 0 {
				all = append(all, payer{customer: x.customer, mrr: mrr})
			}
			return nil
		}
		if err := sc.levels(x, sc.match, &when, now[:]); err != nil {
			return err
		}
		if now[0].live {
			all = append(all, payer{customer: x.customer, mrr: now[0].level})
		}
		return nil
	})
	return all.sorted(), err
}

// mrrOn is what movements of one currency lead to at the end of a day.
func mrrOn(moves []ledger.Movement, day calendar.Day) int64 {
	for i := range slices.Backward(moves) {
		if moves[i].Day <= day {
			return moves[i].After
		}
	}
	return 0
}

// sorted returns the ranking by MRR alone. It uses up r. MRR is never negative but
// where a sum overflows, whose place is any, and there are few digits: a pass per
// digit takes a tenth of what comparing does.
func (r ranking) sorted() ranking {
	const width = 11 // bits of a digit
	used := int64(0)
	for i := range r {
		used |= r[i].mrr
	}
	to := make(ranking, len(r))
	for shift := 0; shift < 63 && used>>shift != 0; shift += width {
		digit := func(p *payer) int64 { return p.mrr >> shift & (1<<width - 1) }
		var places [1 << width]int
		for i := range r {
			places[digit(&r[i])]++
		}
		first := 0
		for d := range slices.Backward(places[:]) {
			first, places[d] = first+places[d], first
		}
		for i := range r {
			d := digit(&r[i])
			to[places[d]] = r[i]
			places[d]++
		}
		r, to = to, r
	}
	return r
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
