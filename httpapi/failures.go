package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsCashflowFailedPaymentsResponse implements wire.GetReportsCashflowFailedPaymentsResponseObject.
func (a *answer) VisitGetReportsCashflowFailedPaymentsResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowFailedPaymentsTableResponse implements wire.GetReportsCashflowFailedPaymentsTableResponseObject.
func (a *answer) VisitGetReportsCashflowFailedPaymentsTableResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowFailedPaymentsSummaryResponse implements wire.GetReportsCashflowFailedPaymentsSummaryResponseObject.
func (a *answer) VisitGetReportsCashflowFailedPaymentsSummaryResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowFailedPaymentsDetailResponse implements wire.GetReportsCashflowFailedPaymentsDetailResponseObject.
func (a *answer) VisitGetReportsCashflowFailedPaymentsDetailResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowFailureRateResponse implements wire.GetReportsCashflowFailureRateResponseObject.
func (a *answer) VisitGetReportsCashflowFailureRateResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowFailureRateSummaryResponse implements wire.GetReportsCashflowFailureRateSummaryResponseObject.
func (a *answer) VisitGetReportsCashflowFailureRateSummaryResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowOutstandingUnpaidResponse implements wire.GetReportsCashflowOutstandingUnpaidResponseObject.
func (a *answer) VisitGetReportsCashflowOutstandingUnpaidResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsCashflowFailedPayments implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailedPayments(ctx context.Context, _ wire.GetReportsCashflowFailedPaymentsRequestObject) (wire.GetReportsCashflowFailedPaymentsResponseObject, error) {
	return s.cash(ctx, "cashflow-failed-payments", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Failures(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.FailedPaymentsReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: failuresToWire(q, r),
		}, nil
	})
}

// GetReportsCashflowFailedPaymentsTable implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailedPaymentsTable(ctx context.Context, _ wire.GetReportsCashflowFailedPaymentsTableRequestObject) (wire.GetReportsCashflowFailedPaymentsTableResponseObject, error) {
	return s.cash(ctx, "cashflow-failed-payments-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		rows, err := report.FailureTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.FailedPaymentsTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: tableToWire(rows, failureTableRowToWire),
		}, nil
	})
}

// GetReportsCashflowFailedPaymentsSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailedPaymentsSummary(ctx context.Context, _ wire.GetReportsCashflowFailedPaymentsSummaryRequestObject) (wire.GetReportsCashflowFailedPaymentsSummaryResponseObject, error) {
	return s.cash(ctx, "cashflow-failed-payments-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.FailureSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.FailedPaymentsSummaryReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: failureSummaryToWire(r),
		}, nil
	})
}

// GetReportsCashflowFailedPaymentsDetail implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailedPaymentsDetail(ctx context.Context, _ wire.GetReportsCashflowFailedPaymentsDetailRequestObject) (wire.GetReportsCashflowFailedPaymentsDetailResponseObject, error) {
	return s.cash(ctx, "cashflow-failed-payments-detail", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.FailureDetail(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.FailedPaymentsDetailReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: failureDetailToWire(q, r),
		}, nil
	})
}

// GetReportsCashflowFailureRate implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailureRate(ctx context.Context, _ wire.GetReportsCashflowFailureRateRequestObject) (wire.GetReportsCashflowFailureRateResponseObject, error) {
	return s.cash(ctx, "cashflow-failure-rate", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Failures(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.FailureRateReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: failureRatesToWire(q, r),
		}, nil
	})
}

// GetReportsCashflowFailureRateSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowFailureRateSummary(ctx context.Context, _ wire.GetReportsCashflowFailureRateSummaryRequestObject) (wire.GetReportsCashflowFailureRateSummaryResponseObject, error) {
	return s.cash(ctx, "cashflow-failure-rate-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.FailureSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.FailureRateSummaryReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: failureRateSummaryToWire(r),
		}, nil
	})
}

// GetReportsCashflowOutstandingUnpaid implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowOutstandingUnpaid(ctx context.Context, _ wire.GetReportsCashflowOutstandingUnpaidRequestObject) (wire.GetReportsCashflowOutstandingUnpaidResponseObject, error) {
	return s.cash(ctx, "cashflow-outstanding-unpaid", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Outstanding(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.OutstandingUnpaidReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: outstandingToWire(r),
		}, nil
	})
}
