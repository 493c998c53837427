package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsTransactionsDetailResponse implements wire.GetReportsTransactionsDetailResponseObject.
func (a *answer) VisitGetReportsTransactionsDetailResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsInvoicesDetailResponse implements wire.GetReportsInvoicesDetailResponseObject.
func (a *answer) VisitGetReportsInvoicesDetailResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsTransactionsDetail implements wire.StrictServerInterface.
func (s *Server) GetReportsTransactionsDetail(ctx context.Context, _ wire.GetReportsTransactionsDetailRequestObject) (wire.GetReportsTransactionsDetailResponseObject, error) {
	return s.cash(ctx, "transactions-detail", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.TransactionDetail(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.TransactionsDetailReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: transactionDetailToWire(q, r),
		}, nil
	})
}

// GetReportsInvoicesDetail implements wire.StrictServerInterface.
func (s *Server) GetReportsInvoicesDetail(ctx context.Context, _ wire.GetReportsInvoicesDetailRequestObject) (wire.GetReportsInvoicesDetailResponseObject, error) {
	return s.cash(ctx, "invoices-detail", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.InvoiceDetail(snapshot, q)
		if err != nil {
			return nil, err
		}
		q.Narrow(r.Days)
		return &wire.InvoicesDetailReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: invoiceDetailToWire(r),
		}, nil
	})
}
