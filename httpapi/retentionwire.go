package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func retentionToWire(r *report.RetentionReport) []wire.RetentionRow {
	rows := make([]wire.RetentionRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, retentionRowToWire(&r.Rows[i], r.Values))
	}
	return rows
}

func retentionRowToWire(row *report.RetentionRow, values []report.Value) wire.RetentionRow {
	m := &row.RetentionMetrics
	out := wire.RetentionRow{
		Date: row.Period.From.String(), BaselineDate: row.Baseline.String(),
		BaselineMrr: m.BaselineMRR, TargetMrr: m.TargetMRR, GrrMrr: m.GRRMRR,
		CohortCustomers: m.CohortCustomers, RetainedCustomers: m.RetainedCustomers, ChurnedCustomers: m.ChurnedCustomers,
		Expansion: m.Expansion, ExpansionCustomers: m.ExpansionCustomers, Contraction: m.Contraction, ContractionCustomers: m.ContractionCustomers,
		Churn: m.Churn, ChurnCustomers: m.ChurnCustomers, Reactivation: m.Reactivation, ReactivationCustomers: m.ReactivationCustomers,
		FxAdjustment: m.FXAdjustment, Nrr: ratioToWire(&m.NRR), Grr: ratioToWire(&m.GRR),
		CustomerRetentionRate: ratioToWire(&m.CustomerRetentionRate), CustomerChurnRate: ratioToWire(&m.CustomerChurnRate),
		MrrChurnRate: ratioToWire(&m.MRRChurnRate), NetMrrChurnRate: ratioToWire(&m.NetMRRChurnRate),
		NrrAvg: ratioToWire(&m.NRRAvg), GrrAvg: ratioToWire(&m.GRRAvg),
		CustomerRetentionAvg: ratioToWire(&m.CustomerRetentionAvg), CustomerChurnAvg: ratioToWire(&m.CustomerChurnAvg),
		MrrChurnAvg: ratioToWire(&m.MRRChurnAvg), NetMrrChurnAvg: ratioToWire(&m.NetMRRChurnAvg),
		Arpa: m.ARPA, Ltv: m.LTV, CustomerLifetime: ratioToWire(&m.CustomerLifetime),
	}
	if row.Compare != nil {
		earlier := retentionRowToWire(row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.RetentionBreakdown, len(values))
		for i := range row.Breakdown {
			out.Breakdown[values[i].Key] = retentionPartToWire(&row.Breakdown[i], values[i].Label)
		}
	}
	return out
}

func retentionPartToWire(m *report.RetentionMetrics, label string) wire.RetentionBreakdown {
	return wire.RetentionBreakdown{
		Label:       label,
		BaselineMrr: m.BaselineMRR, TargetMrr: m.TargetMRR, GrrMrr: m.GRRMRR,
		CohortCustomers: m.CohortCustomers, RetainedCustomers: m.RetainedCustomers, ChurnedCustomers: m.ChurnedCustomers,
		Expansion: m.Expansion, ExpansionCustomers: m.ExpansionCustomers, Contraction: m.Contraction, ContractionCustomers: m.ContractionCustomers,
		Churn: m.Churn, ChurnCustomers: m.ChurnCustomers, Reactivation: m.Reactivation, ReactivationCustomers: m.ReactivationCustomers,
		FxAdjustment: m.FXAdjustment, Nrr: ratioToWire(&m.NRR), Grr: ratioToWire(&m.GRR),
		CustomerRetentionRate: ratioToWire(&m.CustomerRetentionRate), CustomerChurnRate: ratioToWire(&m.CustomerChurnRate),
		MrrChurnRate: ratioToWire(&m.MRRChurnRate), NetMrrChurnRate: ratioToWire(&m.NetMRRChurnRate),
		NrrAvg: ratioToWire(&m.NRRAvg), GrrAvg: ratioToWire(&m.GRRAvg),
		CustomerRetentionAvg: ratioToWire(&m.CustomerRetentionAvg), CustomerChurnAvg: ratioToWire(&m.CustomerChurnAvg),
		MrrChurnAvg: ratioToWire(&m.MRRChurnAvg), NetMrrChurnAvg: ratioToWire(&m.NetMRRChurnAvg),
		Arpa: m.ARPA, Ltv: m.LTV, CustomerLifetime: ratioToWire(&m.CustomerLifetime),
	}
}

func cohortsToWire(r *report.CohortReport) wire.CohortResult {
	out := wire.CohortResult{
		List: make([]wire.Cohort, 0, len(r.List)),
		Limits: wire.CohortLimits{
			Retention: extremesToWire(r.Retention), Nrr: extremesToWire(r.NRR), Churn: extremesToWire(r.Churn), NetChurn: extremesToWire(r.NetChurn),
		},
	}
	for i := range r.List {
		out.List = append(out.List, cohortToWire(&r.List[i]))
	}
	return out
}

func extremesToWire(e report.Extremes) wire.PercentRange {
	return wire.PercentRange{Min: ratioToWire(&e.Min), Max: ratioToWire(&e.Max)}
}

func cohortToWire(row *report.CohortRow) wire.Cohort {
	out := wire.Cohort{
		CohortGroup: row.Group, CohortDate: row.Group, Label: row.Label,
		InitialMrr: row.InitialMRR, InitialCustomers: row.InitialCustomers, Customers: row.InitialCustomers,
		Periods: make([]wire.CohortPeriod, 0, len(row.Periods)),
	}
	for i := range row.Periods {
		p := &row.Periods[i]
		out.Periods = append(out.Periods, wire.CohortPeriod{
			MrrRetained: p.MRRRetained, CustomersRetained: p.CustomersRetained,
			MrrRetention: ratioToWire(&p.MRRRetention), CustomerRetention: ratioToWire(&p.CustomerRetention), Nrr: ratioToWire(&p.NRR),
			MrrChurn: ratioToWire(&p.MRRChurn), CustomerChurn: ratioToWire(&p.CustomerChurn),
		})
	}
	if n := len(out.Periods); n > 0 {
		out.RetentionRate = out.Periods[n-1].CustomerRetention
	}
	return out
}

func concentrationToWire(r *report.ConcentrationReport) wire.ConcentrationResult {
	out := wire.ConcentrationResult{
		Concentration: wire.Concentration{
			Top1: shareToWire(r.Tops[0]), Top5: shareToWire(r.Tops[1]), Top10: shareToWire(r.Tops[2]), Top20: shareToWire(r.Tops[3]),
		},
		Summary: wire.ConcentrationSummary{TotalMrr: r.TotalMRR, Customers: int64(r.Customers)},
		Count:   int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore,
		Pareto: make([]wire.ParetoPoint, 0, len(r.Pareto)), List: make([]wire.ConcentrationRow, 0, len(r.List)),
	}
	for i := range r.Pareto {
		row := &r.Pareto[i]
		out.Pareto = append(out.Pareto, wire.ParetoPoint{
			Rank: int64(row.Rank), Id: row.Customer.ID, Name: textIn(&row.Customer.Name), Mrr: row.MRR,
			CumulativeMrr: row.CumulativeMRR, CumulativePct: row.CumulativePct.Value,
		})
	}
	for i := range r.List {
		row := &r.List[i]
		out.List = append(out.List, wire.ConcentrationRow{
			Rank: int64(row.Rank), Id: row.Customer.ID, Name: textIn(&row.Customer.Name), Email: textIn(&row.Customer.Email),
			Mrr: row.MRR, Percentage: row.Percent.Value,
		})
	}
	return out
}

// shareToWire writes the share of nothing as 0.
func shareToWire(s report.ConcentrationShare) wire.ConcentrationShare {
	return wire.ConcentrationShare{Mrr: s.MRR, Pct: s.Percent.Value, Count: int64(s.Count)}
}
