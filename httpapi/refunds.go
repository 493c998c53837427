package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsCashflowRefundsResponse implements wire.GetReportsCashflowRefundsResponseObject.
func (a *answer) VisitGetReportsCashflowRefundsResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowRefundsTableResponse implements wire.GetReportsCashflowRefundsTableResponseObject.
func (a *answer) VisitGetReportsCashflowRefundsTableResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCashflowRefundsDetailResponse implements wire.GetReportsCashflowRefundsDetailResponseObject.
func (a *answer) VisitGetReportsCashflowRefundsDetailResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsCashflowRefunds implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowRefunds(ctx context.Context, _ wire.GetReportsCashflowRefundsRequestObject) (wire.GetReportsCashflowRefundsResponseObject, error) {
	return s.cash(ctx, "cashflow-refunds", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Refunds(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.RefundsReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: refundsToWire(r),
		}, nil
	})
}

// GetReportsCashflowRefundsTable implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowRefundsTable(ctx context.Context, _ wire.GetReportsCashflowRefundsTableRequestObject) (wire.GetReportsCashflowRefundsTableResponseObject, error) {
	return s.cash(ctx, "cashflow-refunds-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		rows, err := report.RefundTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.RefundsTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: tableToWire(rows, refundTableRowToWire),
		}, nil
	})
}

// GetReportsCashflowRefundsDetail implements wire.StrictServerInterface.
func (s *Server) GetReportsCashflowRefundsDetail(ctx context.Context, _ wire.GetReportsCashflowRefundsDetailRequestObject) (wire.GetReportsCashflowRefundsDetailResponseObject, error) {
	return s.cash(ctx, "cashflow-refunds-detail", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.RefundDetail(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.RefundsDetailReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: refundDetailToWire(q, r),
		}, nil
	})
}
