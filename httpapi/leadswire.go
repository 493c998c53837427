package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

func leadsToWire(r *report.LeadReport) []wire.LeadsRow {
	rows := make([]wire.LeadsRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, leadsRowToWire(&r.Rows[i], r.Values))
	}
	return rows
}

func leadsRowToWire(row *report.LeadRow, values []report.Value) wire.LeadsRow {
	m := &row.LeadMetrics
	out := wire.LeadsRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(),
		Leads: m.Leads, Trials: m.Trials, LeadsConverted: m.Converted, TrialsConverted: m.TrialsConverted,
		LeadToTrialRate: m.LeadToTrial.Value, TrialToPaidRate: m.TrialToPaid.Value, LeadToPaidRate: m.LeadToPaid.Value,
		LeadsPercentChange: ratioToWire(&m.LeadsChange), TrialsPercentChange: ratioToWire(&m.TrialsChange),
		LeadToTrialRatePercentChange: ratioToWire(&m.LeadToTrialChange), TrialToPaidRatePercentChange: ratioToWire(&m.TrialToPaidChange),
		LeadToPaidRatePercentChange: ratioToWire(&m.PaidChange),
		LeadToPaidDays:              ratioToWire(&m.LeadToPaidDays), TrialToPaidDays: ratioToWire(&m.TrialToPaidDays),
		NewLeads: m.Leads, NewTrials: m.Trials, Conversions: m.Converted, ConversionRate: m.LeadToPaid.Value,
	}
	if row.Compare != nil {
		earlier := leadsRowToWire(row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.LeadsBreakdown, len(values))
	}
	for v := range row.Breakdown {
		out.Breakdown[values[v].Key] = leadsPartToWire(&row.Breakdown[v], values[v].Label)
	}
	return out
}

func leadsPartToWire(m *report.LeadMetrics, label string) wire.LeadsBreakdown {
	return wire.LeadsBreakdown{
		Label: label,
		Leads: m.Leads, Trials: m.Trials, LeadsConverted: m.Converted, TrialsConverted: m.TrialsConverted,
		LeadToTrialRate: m.LeadToTrial.Value, TrialToPaidRate: m.TrialToPaid.Value, LeadToPaidRate: m.LeadToPaid.Value,
		LeadsPercentChange: ratioToWire(&m.LeadsChange), TrialsPercentChange: ratioToWire(&m.TrialsChange),
		LeadToTrialRatePercentChange: ratioToWire(&m.LeadToTrialChange), TrialToPaidRatePercentChange: ratioToWire(&m.TrialToPaidChange),
		LeadToPaidRatePercentChange: ratioToWire(&m.PaidChange),
		LeadToPaidDays:              ratioToWire(&m.LeadToPaidDays), TrialToPaidDays: ratioToWire(&m.TrialToPaidDays),
		NewLeads: m.Leads, NewTrials: m.Trials, Conversions: m.Converted, ConversionRate: m.LeadToPaid.Value,
	}
}

func leadsSummaryToWire(r *report.LeadSummaryReport) wire.LeadsSummary {
	return wire.LeadsSummary{
		Leads30: r[0].Leads, Leads60: r[1].Leads, Leads180: r[2].Leads, Leads365: r[3].Leads,
		Trials30: r[0].Trials, Trials60: r[1].Trials, Trials180: r[2].Trials, Trials365: r[3].Trials,
		LeadsPercentageChange30:   ratioToWire(&r[0].LeadsChange),
		LeadsPercentageChange60:   ratioToWire(&r[1].LeadsChange),
		LeadsPercentageChange180:  ratioToWire(&r[2].LeadsChange),
		LeadsPercentageChange365:  ratioToWire(&r[3].LeadsChange),
		TrialsPercentageChange30:  ratioToWire(&r[0].TrialsChange),
		TrialsPercentageChange60:  ratioToWire(&r[1].TrialsChange),
		TrialsPercentageChange180: ratioToWire(&r[2].TrialsChange),
		TrialsPercentageChange365: ratioToWire(&r[3].TrialsChange),
	}
}

func leadsTableToWire(q *report.Query, r *report.LeadTableReport) wire.LeadsPage {
	page := wire.LeadsPage{
		Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.LeadsTableRow, 0, len(r.Rows)),
	}
	split := breakdownName(q) != nil
	for i := range r.Rows {
		row := &r.Rows[i]
		out := wire.LeadsTableRow{
			Id: row.ID, Name: textOrNull(row.Name), Email: textOrNull(row.Email), Status: wire.CustomerStatus(row.Status.String()),
			CreatedDate: stampOrNull(row.CreatedDate), PlanName: textOrNull(row.PlanName), TrialStarted: stampOrNull(row.TrialStart),
			TrialEndDate: stampOrNull(row.TrialEnd), PaidStarted: stampOrNull(row.PaidStarted), Country: textOrNull(row.Country), DataSource: row.SourceID,
		}
		if split {
			out.BreakdownValue = &row.BreakdownValue
		}
		page.List = append(page.List, out)
	}
	return page
}

func leadsDaysToWire(rows []report.LeadDays) []wire.LeadsDaysRow {
	out := make([]wire.LeadsDaysRow, 0, len(rows))
	for _, row := range rows {
		out = append(out, wire.LeadsDaysRow{Days: row.Days, Percent: row.Percent.Value, Count: row.Count})
	}
	return out
}
