package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// VisitGetReportsMrrTableResponse implements wire.GetReportsMrrTableResponseObject.
func (a *answer) VisitGetReportsMrrTableResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsMrrSubtypesResponse implements wire.GetReportsMrrSubtypesResponseObject.
func (a *answer) VisitGetReportsMrrSubtypesResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsMrrTableSubtypesResponse implements wire.GetReportsMrrTableSubtypesResponseObject.
func (a *answer) VisitGetReportsMrrTableSubtypesResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsMrrGrowthResponse implements wire.GetReportsMrrGrowthResponseObject.
func (a *answer) VisitGetReportsMrrGrowthResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsMrrGrowthTableResponse implements wire.GetReportsMrrGrowthTableResponseObject.
func (a *answer) VisitGetReportsMrrGrowthTableResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsCmrrSummaryResponse implements wire.GetReportsCmrrSummaryResponseObject.
func (a *answer) VisitGetReportsCmrrSummaryResponse(w http.ResponseWriter) error { return a.write(w) }

// GetReportsMrrTable implements wire.StrictServerInterface.
func (s *Server) GetReportsMrrTable(ctx context.Context, _ wire.GetReportsMrrTableRequestObject) (wire.GetReportsMrrTableResponseObject, error) {
	return s.answer(ctx, "mrr-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		rows, err := report.MRRTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: tableToWire(rows, mrrTableRowToWire),
		}, nil
	})
}

// GetReportsMrrSubtypes implements wire.StrictServerInterface.
func (s *Server) GetReportsMrrSubtypes(ctx context.Context, _ wire.GetReportsMrrSubtypesRequestObject) (wire.GetReportsMrrSubtypesResponseObject, error) {
	return s.answer(ctx, "mrr-subtypes", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.MRRSubtypes(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrSubtypesReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: subtypesToWire(r)}, nil
	})
}

// GetReportsMrrTableSubtypes implements wire.StrictServerInterface.
func (s *Server) GetReportsMrrTableSubtypes(ctx context.Context, _ wire.GetReportsMrrTableSubtypesRequestObject) (wire.GetReportsMrrTableSubtypesResponseObject, error) {
	return s.answer(ctx, "mrr-table-subtypes", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		rows, err := report.MRRTableSubtypes(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrTableSubtypesReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: tableToWire(rows, subtypeTableRowToWire)}, nil
	})
}

// GetReportsMrrGrowth implements wire.StrictServerInterface.
func (s *Server) GetReportsMrrGrowth(ctx context.Context, _ wire.GetReportsMrrGrowthRequestObject) (wire.GetReportsMrrGrowthResponseObject, error) {
	return s.answer(ctx, "mrr-growth", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.MRRGrowth(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrGrowthReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: growthToWire(r)}, nil
	})
}

// GetReportsMrrGrowthTable implements wire.StrictServerInterface.
func (s *Server) GetReportsMrrGrowthTable(ctx context.Context, _ wire.GetReportsMrrGrowthTableRequestObject) (wire.GetReportsMrrGrowthTableResponseObject, error) {
	return s.answer(ctx, "mrr-growth-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.MRRGrowth(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrGrowthTableReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: growthTableToWire(r)}, nil
	})
}

// GetReportsCmrrSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsCmrrSummary(ctx context.Context, _ wire.GetReportsCmrrSummaryRequestObject) (wire.GetReportsCmrrSummaryResponseObject, error) {
	return s.answer(ctx, "cmrr-summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CMRRSummary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.CmrrSummaryReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: wire.CmrrSummary{
			MrrCurrent: r.MRR, CmrrCurrent: r.Current, Cmrr30: r.Ahead[0], Cmrr60: r.Ahead[1], Cmrr180: r.Ahead[2], Cmrr365: r.Ahead[3],
		}}, nil
	})
}
