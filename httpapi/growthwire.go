package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func mrrTableRowToWire(row *report.MRRTableRow, days dayTexts) wire.MrrTableRow {
	key, label := valueToWire(row.Value)
	return wire.MrrTableRow{
		Date: days.of(row.Date), Type: row.Type, MrrChange: row.Amount, Customers: row.Customers, BreakdownValue: key, BreakdownLabel: label,
		Compare: comparedRowToWire(row.Compare, days, mrrTableRowToWire),
	}
}

func subtypesToWire(r *report.SubtypesReport) []wire.MrrSubtypesRow {
	rows := make([]wire.MrrSubtypesRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := subtypesRowToWire(r.Type, &r.Rows[i], r.Values)
		row.Compare = comparedToWire(r.Rows[i].Compare, func(earlier *report.SubtypesRow) wire.MrrSubtypesRow {
			return subtypesRowToWire(r.Type, earlier, r.Earlier)
		})
		rows = append(rows, row)
	}
	return rows
}

func subtypesRowToWire(t ledger.Type, row *report.SubtypesRow, values []report.Value) wire.MrrSubtypesRow {
	parts := make(map[string]wire.MrrSubtypesBreakdown, len(values))
	for v := range row.Values {
		parts[values[v].Key] = wire.MrrSubtypesBreakdown{
			Label: values[v].Label, Mrr: row.Values[v].Amount, Customers: row.Values[v].Customers,
		}
	}
	of := func(t ledger.Subtype) int64 { return parts[t.String()].Mrr }
	return wire.MrrSubtypesRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(), Type: wire.MovementType(t.String()),
		PlanChange: of(ledger.SubPlanChange), QuantityChange: of(ledger.SubQuantityChange), DiscountChange: of(ledger.SubDiscountChange),
		PriceChange: of(ledger.SubPriceChange), IntervalChange: of(ledger.SubIntervalChange), AddOn: of(ledger.SubAddOn),
		Removal: of(ledger.SubRemoval), Refund: of(ledger.SubRefund), Proration: of(ledger.SubProration),
		Voluntary: of(ledger.SubVoluntary), Involuntary: of(ledger.SubInvoluntary), Expired: of(ledger.SubExpired), Free: of(ledger.SubFree),
		Total: row.Total.Amount, Customers: row.Total.Customers, Breakdown: parts,
	}
}

func subtypeTableRowToWire(row *report.SubtypeTableRow, days dayTexts) wire.MrrTableSubtypesRow {
	return wire.MrrTableSubtypesRow{
		Date: days.of(row.Date), Type: wire.MovementType(row.Type.String()), Subtype: row.Subtype,
		MrrChange: row.Amount, Customers: row.Customers,
		Compare: comparedRowToWire(row.Compare, days, subtypeTableRowToWire),
	}
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
