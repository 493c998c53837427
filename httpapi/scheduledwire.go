package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func churnScheduledToWire(r *report.ScheduledChurnReport) []wire.ChurnScheduledRow {
	out := make([]wire.ChurnScheduledRow, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		m := wire.ChurnScheduledRow{
			Date: row.Period.From.String(), EndDate: row.Period.To.String(), Churn: row.Churn, Contraction: row.Contraction,
			ChurnCustomers: row.ChurnCustomers, ContractionCustomers: row.ContractionCustomers,
			TotalMrr: row.TotalMRR, TotalCustomers: row.TotalCustomers,
		}
		if row.Breakdown != nil {
			m.Breakdown = make(map[string]wire.ChurnScheduledBreakdown, len(r.Values))
		}
		for v := range row.Breakdown {
			part := &row.Breakdown[v]
			m.Breakdown[r.Values[v].Key] = wire.ChurnScheduledBreakdown{
				Label: r.Values[v].Label, Churn: part.Churn, Contraction: part.Contraction,
				ChurnCustomers: part.ChurnCustomers, ContractionCustomers: part.ContractionCustomers,
				TotalMrr: part.TotalMRR, TotalCustomers: part.TotalCustomers,
			}
		}
		out = append(out, m)
	}
	return out
}

func scheduledSummaryToWire(r *report.ScheduledSummaryReport) wire.ChurnScheduledSummary {
	return wire.ChurnScheduledSummary{
		ChurnCurrent: r.Current, Churn30: r.Ago[0], Churn60: r.Ago[1], Churn180: r.Ago[2], Churn365: r.Ago[3],
		MrrAtRisk: r.MRRAtRisk, Subscriptions: r.Subscriptions, AvgDaysToCancel: ratioToWire(&r.DaysToCancel),
	}
}
