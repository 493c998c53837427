package reporttest

import (
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// growth answers the reports about movements in other forms; ok is false for
// any other report.
func growth(s *report.Snapshot, q *report.Query, name string) (body map[string]any, ok bool, err error) {
	switch name {
	case "mrr-table":
		rows, err := report.MRRTable(s, q)
		return envelope(q, mrrTable(rows)), true, err
	case "mrr-subtypes":
		r, err := report.MRRSubtypes(s, q)
		if err != nil {
			return nil, true, err
		}
		return envelope(q, subtypes(r)), true, nil
	case "mrr-table-subtypes":
		rows, err := report.MRRTableSubtypes(s, q)
		return envelope(q, subtypeTable(rows)), true, err
	case "mrr-growth", "mrr-growth-table":
		r, err := report.MRRGrowth(s, q)
		switch {
		case err != nil:
			return nil, true, err
		case name == "mrr-growth":
			return envelope(q, growthRows(r)), true, nil
		}
		return envelope(q, growthTable(r)), true, nil
	case "cmrr-summary":
		r, err := report.CMRRSummary(s, q)
		if err != nil {
			return nil, true, err
		}
		summary := map[string]any{"mrr_current": r.MRR, "cmrr_current": r.Current}
		for i, days := range report.SummaryDays {
			summary[fmt.Sprintf("cmrr_%d", days)] = r.Ahead[i]
		}
		return map[string]any{"currency": q.Base.Code(), "summary": summary}, true, nil
	default:
		return nil, false, nil
	}
}

func mrrTable(rows []report.MRRTableRow) []any {
	out := make([]any, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		out = append(out, valued(map[string]any{
			"date": r.Date.String(), "type": r.Type, "mrr_change": r.Amount, "customers": r.Customers,
		}, r.Value))
	}
	return out
}

func subtypes(r *report.SubtypesReport) []any {
	out := make([]any, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		parts := map[string]any{}
		cells := map[string]any{
			"date": row.Period.From.String(), "end_date": row.Period.To.String(), "type": r.Type.String(),
			"total": row.Total.Amount, "customers": row.Total.Customers, "breakdown": parts,
		}
		for t := ledger.SubPlanChange; t <= ledger.SubFree; t++ {
			cells[t.String()] = int64(0)
		}
		for v := range row.Values {
			cells[r.Values[v].Key] = row.Values[v].Amount
			parts[r.Values[v].Key] = map[string]any{"label": r.Values[v].Label, "mrr": row.Values[v].Amount, "customers": row.Values[v].Customers}
		}
		out = append(out, cells)
	}
	return out
}

func subtypeTable(rows []report.SubtypeTableRow) []any {
	out := make([]any, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		out = append(out, map[string]any{
			"date": r.Date.String(), "type": r.Type.String(), "subtype": r.Subtype, "mrr_change": r.Amount, "customers": r.Customers,
		})
	}
	return out
}

func growthRows(r *report.GrowthReport) []any {
	var out []any
	for _, row := range r.Rows() {
		out = append(out, map[string]any{"date": row.Day, "cumulative_mrr": row.Cumulative, "cumulative_mrr_compare": row.Compare})
	}
	return out
}

func growthTable(r *report.GrowthReport) []any {
	var out []any
	for _, days := range [...][]report.GrowthDay{r.Compare, r.Days} {
		for i := range days {
			d := &days[i]
			row := map[string]any{"date": d.Date.String()[:len("2026-01")], "day": i + 1, "net": d.Net, "cumulative_mrr": d.Cumulative}
			for _, t := range ledger.Types {
				row[t.String()] = d.Amount[t]
			}
			out = append(out, row)
		}
	}
	return out
}
