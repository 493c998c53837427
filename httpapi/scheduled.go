package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsChurnScheduledResponse implements wire.GetReportsChurnScheduledResponseObject.
func (a *answer) VisitGetReportsChurnScheduledResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsChurnScheduledMovementsResponse implements wire.GetReportsChurnScheduledMovementsResponseObject.
func (a *answer) VisitGetReportsChurnScheduledMovementsResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsChurnScheduledSummaryResponse implements wire.GetReportsChurnScheduledSummaryResponseObject.
func (a *answer) VisitGetReportsChurnScheduledSummaryResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsChurnScheduled implements wire.StrictServerInterface.
func (s *Server) GetReportsChurnScheduled(ctx context.Context, _ wire.GetReportsChurnScheduledRequestObject) (wire.GetReportsChurnScheduledResponseObject, error) {
	return s.answer(ctx, "churn-scheduled", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.ChurnScheduled(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days) // the future
		return &wire.ChurnScheduledReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: churnScheduledToWire(r),
		}, nil
	})
}

// GetReportsChurnScheduledMovements implements wire.StrictServerInterface.
func (s *Server) GetReportsChurnScheduledMovements(ctx context.Context, _ wire.GetReportsChurnScheduledMovementsRequestObject) (wire.GetReportsChurnScheduledMovementsResponseObject, error) {
	return s.answer(ctx, "churn-scheduled-movements", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.ChurnScheduledMovements(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days) // the future
		return &wire.MovementTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: movementQueryToWire(snapshot, q), Result: movementsToWire(q, r),
		}, nil
	})
}

// GetReportsChurnScheduledSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsChurnScheduledSummary(ctx context.Context, _ wire.GetReportsChurnScheduledSummaryRequestObject) (wire.GetReportsChurnScheduledSummaryResponseObject, error) {
	return s.answer(ctx, "churn-scheduled-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.ChurnScheduledSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Range = calendar.Range{From: snapshot.Today, To: snapshot.Today}
		return &wire.ChurnScheduledSummaryReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: scheduledSummaryToWire(r),
		}, nil
	})
}
