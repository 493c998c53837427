package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// query is the query of a request: the generated parameters leave out
// custom_<key> and what else the contract cannot list.
type query struct {
	raw    string
	values url.Values
}

// withQuery hands the query to the handlers of the strict server, which do not
// see the request.
func withQuery(next wire.StrictHandlerFunc, _ string) wire.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		q := query{raw: r.URL.RawQuery, values: r.URL.Query()}
		return next(context.WithValue(ctx, queryKey, q), w, r, request)
	}
}

// compute turns a snapshot and a query into the body of an answer.
type compute func(s *report.Snapshot, q *report.Query) (wire.Answer, error)

// answer computes a report of the caller's account, or finds it in the cache.
// name tells the reports apart.
func (s *Server) answer(ctx context.Context, name string, compute compute) (*answer, error) {
	snapshot, err := s.engine.Snapshot(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	asked, ok := ctx.Value(queryKey).(query)
	if !ok {
		return nil, fmt.Errorf("report %s: the request has no query", name)
	}
	key := name + "?" + asked.raw
	if a, ok := s.answers.get(snapshot, key); ok {
		return &a, nil
	}
	q, err := parseQuery(name, asked.values, snapshot)
	if err != nil {
		return nil, err
	}
	value, err := compute(snapshot, &q)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", name, err)
	}
	a := answer{dates: q.Range.From.String() + "/" + q.Range.To.String(), timezone: snapshot.Settings.Zone.String()}
	a.body, a.release = s.replies.encode(value)
	s.answers.put(snapshot, key, a)
	return &a, nil
}

// write sends the answer, once. The headers tell clients that show single figures
// what the figures are about.
func (a *answer) write(w http.ResponseWriter) error {
	if a.release != nil {
		defer a.release()
	}
	w.Header().Set("X-GrowPanel-Range", a.dates)
	w.Header().Set("X-GrowPanel-Timezone", a.timezone)
	httpx.WriteBody(w, http.StatusOK, a.body)
	return nil
}

// VisitGetReportsSummaryResponse implements wire.GetReportsSummaryResponseObject.
func (a *answer) VisitGetReportsSummaryResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsMrrResponse implements wire.GetReportsMrrResponseObject.
func (a *answer) VisitGetReportsMrrResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsMovementTableResponse implements wire.GetReportsMovementTableResponseObject.
func (a *answer) VisitGetReportsMovementTableResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetReportsRetentionResponse implements wire.GetReportsRetentionResponseObject.
func (a *answer) VisitGetReportsRetentionResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsCohortResponse implements wire.GetReportsCohortResponseObject.
func (a *answer) VisitGetReportsCohortResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetReportsCustomerConcentrationResponse implements wire.GetReportsCustomerConcentrationResponseObject.
func (a *answer) VisitGetReportsCustomerConcentrationResponse(w http.ResponseWriter) error {
	return a.write(w)
}

// VisitGetCustomersResponse implements wire.GetCustomersResponseObject.
func (a *answer) VisitGetCustomersResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetCustomersIdResponse implements wire.GetCustomersIdResponseObject.
func (a *answer) VisitGetCustomersIdResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitGetPlansResponse implements wire.GetPlansResponseObject.
func (a *answer) VisitGetPlansResponse(w http.ResponseWriter) error { return a.write(w) }

// GetReportsSummary implements wire.StrictServerInterface.
func (s *Server) GetReportsSummary(ctx context.Context, _ wire.GetReportsSummaryRequestObject) (wire.GetReportsSummaryResponseObject, error) {
	return s.answer(ctx, "summary", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Summary(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.SummaryReport{Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Summary: summaryToWire(r)}, nil
	})
}

// GetReportsMrr implements wire.StrictServerInterface.
func (s *Server) GetReportsMrr(ctx context.Context, _ wire.GetReportsMrrRequestObject) (wire.GetReportsMrrResponseObject, error) {
	return s.answer(ctx, "mrr", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.MRR(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.MrrReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Compare: textOrNull(q.Compare.String()), Query: queryToWire(snapshot, q), Result: mrrToWire(r),
		}, nil
	})
}

// GetReportsMovementTable implements wire.StrictServerInterface.
func (s *Server) GetReportsMovementTable(ctx context.Context, _ wire.GetReportsMovementTableRequestObject) (wire.GetReportsMovementTableResponseObject, error) {
	return s.answer(ctx, "movement-table", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.MovementTable(snapshot, q)
		if err != nil {
			return nil, err
		}
		if r.Days.From <= r.Days.To {
			q.Range = r.Days // the future for scheduled movements, one period for a selected date
		}
		return &wire.MovementTableReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: movementQueryToWire(snapshot, q), Result: movementsToWire(q, r),
		}, nil
	})
}

// GetReportsRetention implements wire.StrictServerInterface.
func (s *Server) GetReportsRetention(ctx context.Context, _ wire.GetReportsRetentionRequestObject) (wire.GetReportsRetentionResponseObject, error) {
	return s.answer(ctx, "retention", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Retention(snapshot, q)
		if err != nil {
			return nil, err
		}
		out := &wire.RetentionReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q),
			TrailingMonths: r.TrailingMonths, Result: retentionToWire(r),
			// A range without any period, such as one in the future, has no last row.
			BaselinePeriod: q.Range.From.String(), TargetPeriod: q.Range.To.String(),
		}
		if n := len(r.Rows); n > 0 {
			out.BaselinePeriod, out.TargetPeriod = r.Rows[n-1].Baseline.String(), r.Rows[n-1].Period.From.String()
		}
		return out, nil
	})
}

// GetReportsCohort implements wire.StrictServerInterface.
func (s *Server) GetReportsCohort(ctx context.Context, _ wire.GetReportsCohortRequestObject) (wire.GetReportsCohortResponseObject, error) {
	return s.answer(ctx, "cohort", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.Cohort(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.CohortReport{
			Currency: q.Base.Code(), Breakdown: breakdownName(q), Query: queryToWire(snapshot, q), Result: cohortsToWire(r),
		}, nil
	})
}

// GetReportsCustomerConcentration implements wire.StrictServerInterface.
func (s *Server) GetReportsCustomerConcentration(ctx context.Context, _ wire.GetReportsCustomerConcentrationRequestObject) (wire.GetReportsCustomerConcentrationResponseObject, error) {
	return s.answer(ctx, "customer-concentration", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CustomerConcentration(snapshot, q)
		if err != nil {
			return nil, err
		}
		return &wire.CustomerConcentrationReport{
			Currency: q.Base.Code(), Query: queryToWire(snapshot, q), Result: concentrationToWire(r),
		}, nil
	})
}
