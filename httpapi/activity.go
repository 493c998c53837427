package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsLatestActivityResponse implements wire.GetReportsLatestActivityResponseObject.
func (a *answer) VisitGetReportsLatestActivityResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCustomVariablesResponse implements wire.GetReportsCustomVariablesResponseObject.
func (a *answer) VisitGetReportsCustomVariablesResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsMapResponse implements wire.GetReportsMapResponseObject.
func (a *answer) VisitGetReportsMapResponse(w http.ResponseWriter) error { return a.write(w) }

// GetReportsLatestActivity implements wire.StrictServerInterface.
func (s *Server) GetReportsLatestActivity(ctx context.Context, _ wire.GetReportsLatestActivityRequestObject) (wire.GetReportsLatestActivityResponseObject, error) {
	return s.answer(ctx, "latest-activity", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.LatestActivity(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.LatestActivityReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Count: int64(r.Count), HasMore: r.HasMore, Result: activitiesToWire(q, r),
		}, nil
	})
}

func activitiesToWire(q *report.Query, r *report.ActivityReport) []wire.Activity {
	rows := make([]wire.Activity, 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		rows = append(rows, wire.Activity{
			Source: row.Source.String(), Type: row.Type, Subtype: textOrNull(row.Subtype),
			Date: dayToWire(row.Date), EffectiveDate: dayToWire(row.Effective), OverdueDate: dayOrNull(row.Overdue),
			CustomerId: row.Customer.ID, CustomerName: textOrNull(row.Customer.Name), CustomerEmail: textOrNull(row.Customer.Email),
			Amount: row.Amount, Currency: q.Base.Code(),
		})
	}
	return rows
}

// dayToWire is a day as the moment that it is stored as.
func dayToWire(d calendar.Day) string { return calendar.DayStamp(d).String() }

func dayOrNull(d calendar.Day) *string {
	if !d.Valid() {
		return nil
	}
	text := dayToWire(d)
	return &text
}

// GetReportsCustomVariables implements wire.StrictServerInterface.
func (s *Server) GetReportsCustomVariables(ctx context.Context, _ wire.GetReportsCustomVariablesRequestObject) (wire.GetReportsCustomVariablesResponseObject, error) {
	return s.cash(ctx, "custom-variables", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CustomVariables(snapshot, q)
		if err != nil {
			return nil, err
		}
		out := &wire.CustomVariablesReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Count: int64(r.Count), HasMore: r.HasMore, Values: make([]wire.CustomVariableValue, 0, len(r.Values)),
		}
		for _, v := range r.Values {
			out.Values = append(out.Values, wire.CustomVariableValue{Value: v.Value, Count: v.Count, VariableName: r.Key, CustomerCount: v.Count})
		}
		return out, nil
	})
}

// GetReportsMap implements wire.StrictServerInterface.
func (s *Server) GetReportsMap(ctx context.Context, _ wire.GetReportsMapRequestObject) (wire.GetReportsMapResponseObject, error) {
	return s.cash(ctx, "map", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Map(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MapReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: mapToWire(r)}, nil
	})
}

func mapToWire(r *report.MapReport) wire.MapResult {
	out := wire.MapResult{List: make(map[string]wire.MapCountry, len(r.Rows))}
	for i := range r.Rows {
		c := &r.Rows[i].CountryMetrics
		out.List[r.Rows[i].Country] = wire.MapCountry{
			CurrentMrr: c.MRR, Subscribers: c.Subscribers, Arpa: c.ARPA, Asp: c.ASP,
			CustomerChurnRate: ratioToWire(&c.CustomerChurn), NetMrrChurn: ratioToWire(&c.NetMRRChurn), Ltv: c.LTV,
			Leads: c.Leads, LeadsConverted: c.Converted, LeadConversionRate: c.LeadConversion.Value,
			NewTrials: c.Trials, TrialsConverted: c.TrialsConverted, TrialConversionRate: c.TrialConversion.Value,
			PaymentFailureRate: ratioToWire(&c.PaymentFailure),
			MrrPercent:         ratioToWire(&c.MRRShare), SubscribersPercent: ratioToWire(&c.SubscribersShare),
			LeadsPercent: ratioToWire(&c.LeadsShare), TrialsPercent: ratioToWire(&c.TrialsShare),
		}
	}
	return out
}
