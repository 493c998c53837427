package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsLeadsResponse implements wire.GetReportsLeadsResponseObject.
func (a *answer) VisitGetReportsLeadsResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsLeadsSummaryResponse implements wire.GetReportsLeadsSummaryResponseObject.
func (a *answer) VisitGetReportsLeadsSummaryResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsLeadsTableResponse implements wire.GetReportsLeadsTableResponseObject.
func (a *answer) VisitGetReportsLeadsTableResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsLeadsDaysResponse implements wire.GetReportsLeadsDaysResponseObject.
func (a *answer) VisitGetReportsLeadsDaysResponse(w http.ResponseWriter) error { return a.write(w) }

// GetReportsLeads implements wire.StrictServerInterface.
func (s *Server) GetReportsLeads(ctx context.Context, _ wire.GetReportsLeadsRequestObject) (wire.GetReportsLeadsResponseObject, error) {
	return s.answer(ctx, "leads", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		q.AsCash()
		r, err := report.Leads(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.LeadsReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: leadsToWire(r),
		}, nil
	})
}

// GetReportsLeadsSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsLeadsSummary(ctx context.Context, _ wire.GetReportsLeadsSummaryRequestObject) (wire.GetReportsLeadsSummaryResponseObject, error) {
	return s.answer(ctx, "leads-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		q.AsCash()
		r, err := report.LeadsSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.LeadsSummaryReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: leadsSummaryToWire(r)}, nil
	})
}

// GetReportsLeadsTable implements wire.StrictServerInterface.
func (s *Server) GetReportsLeadsTable(ctx context.Context, _ wire.GetReportsLeadsTableRequestObject) (wire.GetReportsLeadsTableResponseObject, error) {
	return s.answer(ctx, "leads-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		q.AsCash()
		r, err := report.LeadsTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.LeadsTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: leadsTableToWire(q, r),
		}, nil
	})
}

// GetReportsLeadsDays implements wire.StrictServerInterface.
func (s *Server) GetReportsLeadsDays(ctx context.Context, _ wire.GetReportsLeadsDaysRequestObject) (wire.GetReportsLeadsDaysResponseObject, error) {
	return s.answer(ctx, "leads-days", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		q.AsCash()
		rows, err := report.LeadsDays(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.LeadsDaysReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: leadsDaysToWire(rows)}, nil
	})
}
