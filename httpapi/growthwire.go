package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func mrrTableToWire(rows []report.MRRTableRow) []wire.MrrTableRow {
	out := make([]wire.MrrTableRow, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		key, label := valueToWire(row.Value)
		out = append(out, wire.MrrTableRow{
			Date: row.Date.String(), Type: row.Type, MrrChange: row.Amount, Customers: row.Customers, BreakdownValue: key, BreakdownLabel: label,
		})
	}
	return out
}

func subtypesToWire(r *report.SubtypesReport) []wire.MrrSubtypesRow {
	rows := make([]wire.MrrSubtypesRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		parts := make(map[string]wire.MrrSubtypesBreakdown, len(r.Values))
		for v := range row.Values {
			parts[r.Values[v].Key] = wire.MrrSubtypesBreakdown{
				Label: r.Values[v].Label, Mrr: row.Values[v].Amount, Customers: row.Values[v].Customers,
			}
		}
		of := func(t ledger.Subtype) int64 { return parts[t.String()].Mrr }
		rows = append(rows, wire.MrrSubtypesRow{
			Date: row.Period.From.String(), EndDate: row.Period.To.String(), Type: wire.MovementType(r.Type.String()),
			PlanChange: of(ledger.SubPlanChange), QuantityChange: of(ledger.SubQuantityChange), DiscountChange: of(ledger.SubDiscountChange),
			PriceChange: of(ledger.SubPriceChange), IntervalChange: of(ledger.SubIntervalChange), AddOn: of(ledger.SubAddOn),
			Removal: of(ledger.SubRemoval), Refund: of(ledger.SubRefund), Proration: of(ledger.SubProration),
			Voluntary: of(ledger.SubVoluntary), Involuntary: of(ledger.SubInvoluntary), Expired: of(ledger.SubExpired), Free: of(ledger.SubFree),
			Total: row.Total.Amount, Customers: row.Total.Customers, Breakdown: parts,
		})
	}
	return rows
}

func subtypeTableToWire(rows []report.SubtypeTableRow) []wire.MrrTableSubtypesRow {
	out := make([]wire.MrrTableSubtypesRow, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		out = append(out, wire.MrrTableSubtypesRow{
			Date: row.Date.String(), Type: wire.MovementType(row.Type.String()), Subtype: row.Subtype,
			MrrChange: row.Amount, Customers: row.Customers,
		})
	}
	return out
}

func growthToWire(r *report.GrowthReport) []wire.MrrGrowthRow {
	rows := r.Rows()
	out := make([]wire.MrrGrowthRow, 0, len(rows))
	for _, row := range rows {
		out = append(out, wire.MrrGrowthRow{Date: int64(row.Day), CumulativeMrr: row.Cumulative, CumulativeMrrCompare: row.Compare})
	}
	return out
}

// growthTableToWire lists the compared month first.
func growthTableToWire(r *report.GrowthReport) []wire.MrrGrowthTableRow {
	out := make([]wire.MrrGrowthTableRow, 0, len(r.Compare)+len(r.Days))
	for _, days := range [...][]report.GrowthDay{r.Compare, r.Days} {
		for i := range days {
			d := &days[i]
			out = append(out, wire.MrrGrowthTableRow{
				Date: d.Date.String()[:len("2026-01")], Day: int64(i + 1),
				New: d.Amount[ledger.New], Expansion: d.Amount[ledger.Expansion], Reactivation: d.Amount[ledger.Reactivation],
				Contraction: d.Amount[ledger.Contraction], Churn: d.Amount[ledger.Churn], Net: d.Net, CumulativeMrr: d.Cumulative,
			})
		}
	}
	return out
}
