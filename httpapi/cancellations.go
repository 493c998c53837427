package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsChurnReasonsResponse implements wire.GetReportsChurnReasonsResponseObject.
func (a *answer) VisitGetReportsChurnReasonsResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsChurnReasonsSummaryResponse implements wire.GetReportsChurnReasonsSummaryResponseObject.
func (a *answer) VisitGetReportsChurnReasonsSummaryResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCancellationTimingResponse implements wire.GetReportsCancellationTimingResponseObject.
func (a *answer) VisitGetReportsCancellationTimingResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCancellationTimingDetailResponse implements wire.GetReportsCancellationTimingDetailResponseObject.
func (a *answer) VisitGetReportsCancellationTimingDetailResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsChurnReasons implements wire.StrictServerInterface.
func (s *Server) GetReportsChurnReasons(ctx context.Context, _ wire.GetReportsChurnReasonsRequestObject) (wire.GetReportsChurnReasonsResponseObject, error) {
	return s.cash(ctx, "churn-reasons", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.ChurnReasons(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.ChurnReasonsReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: churnReasonsToWire(r),
		}, nil
	})
}

// GetReportsChurnReasonsSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsChurnReasonsSummary(ctx context.Context, _ wire.GetReportsChurnReasonsSummaryRequestObject) (wire.GetReportsChurnReasonsSummaryResponseObject, error) {
	return s.cash(ctx, "churn-reasons-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.ChurnReasonsSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return churnCommentsToWire(snapshot, q, r), nil
	})
}

// GetReportsCancellationTiming implements wire.StrictServerInterface.
func (s *Server) GetReportsCancellationTiming(ctx context.Context, _ wire.GetReportsCancellationTimingRequestObject) (wire.GetReportsCancellationTimingResponseObject, error) {
	return s.cash(ctx, "cancellation-timing", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CancellationTiming(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.CancellationTimingReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: timingToWire(r),
		}, nil
	})
}

// GetReportsCancellationTimingDetail implements wire.StrictServerInterface.
func (s *Server) GetReportsCancellationTimingDetail(ctx context.Context, _ wire.GetReportsCancellationTimingDetailRequestObject) (wire.GetReportsCancellationTimingDetailResponseObject, error) {
	return s.cash(ctx, "cancellation-timing-detail", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CancellationTimingDetail(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.CancellationTimingDetailReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: cancellationsToWire(q, r),
		}, nil
	})
}
