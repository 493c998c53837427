package report

import (
	"fmt"
	"iter"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// The types of rows of an MRR table that are no movements.
const (
	openingRow    = "opening"
	adjustmentRow = "fx_adjustment"
	closingRow    = "closing"
)

// tableTypes is the order of movements in a table: gains, then losses.
var tableTypes = [...]ledger.Type{ledger.New, ledger.Expansion, ledger.Reactivation, ledger.Contraction, ledger.Churn}

// of returns the movements of one type and the customers who had them.
func (m *MRRMetrics) of(t ledger.Type) (amount, customers int64) {
	switch t {
	case ledger.New:
		return m.New, m.NewCustomers
	case ledger.Expansion:
		return m.Expansion, m.ExpansionCustomers
	case ledger.Contraction:
		return m.Contraction, m.ContractionCustomers
	case ledger.Churn:
		return m.Churn, m.ChurnCustomers
	case ledger.Reactivation:
		return m.Reactivation, m.ReactivationCustomers
	case ledger.None:
	}
	return 0, 0
}

// MRRTableRow is one figure of one period.
type MRRTableRow struct {
	Date      calendar.Day // first of the period
	Type      string       // a movement type, opening, fx_adjustment or closing
	Amount    int64        // minor units of the query's currency; a balance for opening and closing
	Customers int64        // distinct customers; of a balance those who pay
	Value     *Value       // of the breakdown; nil without one
	Compare   *MRRTableRow // the figure that the query compares this one with; nil if none
}

// MRRTable computes the report mrr-table: the figures of MRR one by one, with a
// breakdown those of its values that are not 0. Subtypes have no balances.
func MRRTable(s *Snapshot, q *Query) ([]MRRTableRow, error) {
	r, err := MRR(s, q.alone())
	if err != nil {
		return nil, err
	}
	count := 0
	for range r.figures(q.Breakdown) {
		count++
	}
	out := make([]MRRTableRow, 0, count) // of tens of thousands, growing would cost more than counting
	for row := range r.figures(q.Breakdown) {
		out = append(out, row)
	}
	return out, compareFigures(s, q, out, MRRTable, func(row *MRRTableRow) (figure, **MRRTableRow) {
		return figure{row.Date, row.Type, row.Value.key()}, &row.Compare
	})
}

// figures passes the rows of the table in order.
func (r *MRRReport) figures(breakdown Dimension) iter.Seq[MRRTableRow] {
	return func(yield func(MRRTableRow) bool) {
		for i := range r.Rows {
			row := &r.Rows[i]
			if breakdown == (Dimension{}) && !row.list(&row.MRRMetrics, nil, true, yield) {
				return
			}
			for v := range row.Breakdown {
				if !row.list(&row.Breakdown[v], &r.Values[v], breakdown.kind != subtypeDimension, yield) {
					return
				}
			}
		}
	}
}

// list passes the figures of a period, or those of one value of its breakdown
// that are not 0, until yield has enough.
func (row *MRRRow) list(m *MRRMetrics, value *Value, balances bool, yield func(MRRTableRow) bool) bool {
	put := func(name string, amount, customers int64) bool {
		if value != nil && amount == 0 && customers == 0 {
			return true
		}
		return yield(MRRTableRow{Date: row.Period.From, Type: name, Amount: amount, Customers: customers, Value: value})
	}
	if balances && !put(openingRow, m.TotalMRR-m.MRRDiff, m.TotalCustomers-m.CustomersDiff) {
		return false
	}
	for _, t := range tableTypes {
		if amount, customers := m.of(t); !put(t.String(), amount, customers) {
			return false
		}
	}
	return !balances || put(adjustmentRow, m.FXAdjustment, 0) && put(closingRow, m.TotalMRR, m.TotalCustomers)
}

// SubtypeFigure is what one subtype of a movement type did in one period.
type SubtypeFigure struct {
	Amount    int64 // minor units of the query's currency
	Customers int64 // distinct customers
}

// SubtypesRow is one period.
type SubtypesRow struct {
	Period calendar.Range
	Total  SubtypeFigure
	Values []SubtypeFigure // per value of SubtypesReport.Values
	// Compare is the period that the query compares this one with; nil if none. Its
	// Values are those of SubtypesReport.Earlier.
	Compare *SubtypesRow
}

// SubtypesReport is one type of movement by subtype and period, oldest first.
type SubtypesReport struct {
	Type    ledger.Type
	Values  []Value // the subtypes that occur, by name
	Rows    []SubtypesRow
	Earlier []Value // the subtypes that occur in the compared periods
}

// MRRSubtypes computes the report mrr-subtypes: the movements of one type, which
// the query must name, by subtype. Its errors are *ParamError and
// *fx.MissingRateError.
func MRRSubtypes(s *Snapshot, q *Query) (*SubtypesReport, error) {
	t, all, err := q.typeAmong(ledger.Expansion, ledger.Contraction, ledger.Churn)
	if err != nil {
		return nil, err
	}
	if all {
		return nil, &ParamError{"type", "must be one of expansion, contraction, churn"}
	}
	r, err := mrrBySubtype(s, q)
	if err != nil {
		return nil, err
	}
	out := &SubtypesReport{Type: t, Rows: make([]SubtypesRow, len(r.Rows))}
	var shown []int
	for v := range r.Values {
		for i := range r.Rows {
			if figureOf(&r.Rows[i].Breakdown[v], t) != (SubtypeFigure{}) {
				shown = append(shown, v)
				out.Values = append(out.Values, r.Values[v])
				break
			}
		}
	}
	for i := range r.Rows {
		row := SubtypesRow{Period: r.Rows[i].Period, Total: figureOf(&r.Rows[i].MRRMetrics, t)}
		for _, v := range shown {
			row.Values = append(row.Values, figureOf(&r.Rows[i].Breakdown[v], t))
		}
		out.Rows[i] = row
	}
	return out, compareFigures(s, q, out.Rows, func(s *Snapshot, q *Query) ([]SubtypesRow, error) {
		earlier, err := MRRSubtypes(s, q)
		if err != nil {
			return nil, err
		}
		out.Earlier = earlier.Values
		return earlier.Rows, nil
	}, func(row *SubtypesRow) (figure, **SubtypesRow) { return figure{period: row.Period.From}, &row.Compare })
}

// SubtypeTableRow is one subtype of one type of movement in one period.
type SubtypeTableRow struct {
	Date    calendar.Day // first of the period
	Type    ledger.Type
	Subtype string
	SubtypeFigure
	Compare *SubtypeTableRow // the figure that the query compares this one with; nil if none
}

// MRRTableSubtypes computes the report mrr-table-subtypes: the movements of all
// types, or of the one that the query names, by subtype. What did not occur is
// left out. Its errors are *ParamError and *fx.MissingRateError.
func MRRTableSubtypes(s *Snapshot, q *Query) ([]SubtypeTableRow, error) {
	only, all, err := q.typeAmong(ledger.Types[:]...)
	if err != nil {
		return nil, err
	}
	r, err := mrrBySubtype(s, q)
	if err != nil {
		return nil, err
	}
	var out []SubtypeTableRow
	for i := range r.Rows {
		for _, t := range tableTypes {
			if !all && t != only {
				continue
			}
			for v := range r.Values {
				if f := figureOf(&r.Rows[i].Breakdown[v], t); f != (SubtypeFigure{}) {
					out = append(out, SubtypeTableRow{Date: r.Rows[i].Period.From, Type: t, Subtype: r.Values[v].Key, SubtypeFigure: f})
				}
			}
		}
	}
	return out, compareFigures(s, q, out, MRRTableSubtypes, func(row *SubtypeTableRow) (figure, **SubtypeTableRow) {
		return figure{row.Date, row.Type.String(), row.Subtype}, &row.Compare
	})
}

func figureOf(m *MRRMetrics, t ledger.Type) SubtypeFigure {
	amount, customers := m.of(t)
	return SubtypeFigure{amount, customers}
}

// mrrBySubtype is the report mrr with that breakdown, whatever the query's is.
func mrrBySubtype(s *Snapshot, q *Query) (*MRRReport, error) {
	split := *q
	split.Breakdown, split.Groups, split.Compare = Dimension{kind: subtypeDimension}, nil, NoComparison
	return MRR(s, &split)
}

// typeAmong reads the parameter type, which must be one of some; all says that
// it is not given.
func (q *Query) typeAmong(types ...ledger.Type) (t ledger.Type, all bool, err error) {
	if q.Own.Type == "" {
		return ledger.None, true, nil
	}
	names := make([]string, len(types))
	for i, t := range types {
		if names[i] = t.String(); names[i] == q.Own.Type {
			return t, false, nil
		}
	}
	return ledger.None, false, &ParamError{"type", fmt.Sprintf("%q is not one of %s", q.Own.Type, strings.Join(names, ", "))}
}
