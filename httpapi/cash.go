package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// cash is answer for reports about cash.
func (s *Server) cash(ctx context.Context, name string, compute compute) (*answer, error) {
	return s.answer(ctx, name, func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		q.AsCash()
		return compute(snapshot, q)
	})
}

// VisitGetReportsTransactionsResponse implements wire.GetReportsTransactionsResponseObject.
func (a *answer) VisitGetReportsTransactionsResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsTransactionsTableResponse implements wire.GetReportsTransactionsTableResponseObject.
func (a *answer) VisitGetReportsTransactionsTableResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsTransactionsSummaryResponse implements wire.GetReportsTransactionsSummaryResponseObject.
func (a *answer) VisitGetReportsTransactionsSummaryResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// GetReportsTransactions implements wire.StrictServerInterface.
func (s *Server) GetReportsTransactions(ctx context.Context, _ wire.GetReportsTransactionsRequestObject) (wire.GetReportsTransactionsResponseObject, error) {
	return s.cash(ctx, "transactions", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Transactions(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.TransactionsReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: transactionsToWire(r),
		}, nil
	})
}

// GetReportsTransactionsTable implements wire.StrictServerInterface.
func (s *Server) GetReportsTransactionsTable(ctx context.Context, _ wire.GetReportsTransactionsTableRequestObject) (wire.GetReportsTransactionsTableResponseObject, error) {
	return s.cash(ctx, "transactions-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		rows, err := report.TransactionTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.TransactionsTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: tableToWire(rows, transactionTableRowToWire),
		}, nil
	})
}

// GetReportsTransactionsSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsTransactionsSummary(ctx context.Context, _ wire.GetReportsTransactionsSummaryRequestObject) (wire.GetReportsTransactionsSummaryResponseObject, error) {
	return s.cash(ctx, "transactions-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.TransactionSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.TransactionsSummaryReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: transactionSummaryToWire(r),
		}, nil
	})
}
