package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// Sizes of a page of stored rows.
const (
	usualRows = 100
	mostRows  = 1000
)

// rowPage reads limit and offset of a list of stored rows.
func rowPage(limit, offset *int64) (from, size int, err error) {
	size = usualRows
	if limit != nil {
		if *limit < 1 || *limit > mostRows {
			return 0, 0, httpx.Field("limit", fmt.Sprintf("%d is not a whole number from 1 to %d", *limit, mostRows))
		}
		size = int(*limit)
	}
	if offset != nil {
		if *offset < 0 || *offset > 1<<40 {
			return 0, 0, httpx.Field("offset", fmt.Sprintf("%d is not a whole number from 0 on", *offset))
		}
		from = int(*offset)
	}
	return from, size, nil
}

// GetDataCustomers implements wire.StrictServerInterface.
func (s *Server) GetDataCustomers(ctx context.Context, request wire.GetDataCustomersRequestObject) (wire.GetDataCustomersResponseObject, error) {
	p := request.Params
	from, size, err := rowPage(p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	f := analytics.RowFilter{Source: sourceOf(p.DataSource, p.Source)}
	if p.Search != nil {
		f.Search = strings.ToLower(*p.Search)
	}
	page, err := s.engine.Rows(ctx, callerOf(ctx).Account, analytics.TableCustomer, f, from, size)
	if err != nil {
		return nil, err
	}
	out := wire.StoredCustomerPage{
		Count: int64(page.Count), Limit: int64(size), Offset: int64(from), HasMore: from+len(page.Rows) < page.Count,
		List: make([]wire.StoredCustomer, 0, len(page.Rows)),
	}
	for _, row := range page.Rows {
		w, err := storedCustomer(page.Snapshot, row)
		if err != nil {
			return nil, err
		}
		out.List = append(out.List, w)
	}
	return wire.GetDataCustomers200JSONResponse{Result: out}, nil
}

// GetDataPlans implements wire.StrictServerInterface.
func (s *Server) GetDataPlans(ctx context.Context, request wire.GetDataPlansRequestObject) (wire.GetDataPlansResponseObject, error) {
	p := request.Params
	from, size, err := rowPage(p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	f := analytics.RowFilter{Source: sourceOf(p.DataSource, p.Source)}
	page, err := s.engine.Rows(ctx, callerOf(ctx).Account, analytics.TablePlan, f, from, size)
	if err != nil {
		return nil, err
	}
	out := wire.StoredPlanPage{
		Count: int64(page.Count), Limit: int64(size), Offset: int64(from), HasMore: from+len(page.Rows) < page.Count,
		List: make([]wire.StoredPlan, 0, len(page.Rows)),
	}
	for _, row := range page.Rows {
		w, err := storedPlan(row)
		if err != nil {
			return nil, err
		}
		out.List = append(out.List, w)
	}
	return wire.GetDataPlans200JSONResponse{Result: out}, nil
}

// GetDataInvoices implements wire.StrictServerInterface.
func (s *Server) GetDataInvoices(ctx context.Context, request wire.GetDataInvoicesRequestObject) (wire.GetDataInvoicesResponseObject, error) {
	p := request.Params
	from, size, err := rowPage(p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	f, err := s.invoiceFilter(ctx, p)
	if err != nil {
		return nil, err
	}
	page, err := s.engine.Rows(ctx, callerOf(ctx).Account, analytics.TableInvoice, f, from, size)
	if err != nil {
		return nil, err
	}
	out := wire.StoredInvoicePage{
		Count: int64(page.Count), Limit: int64(size), Offset: int64(from), HasMore: from+len(page.Rows) < page.Count,
		List: make([]wire.StoredInvoice, 0, len(page.Rows)),
	}
	planCurrency := planCurrencies(page.Snapshot)
	for _, row := range page.Rows {
		w, err := storedInvoice(row, planCurrency)
		if err != nil {
			return nil, err
		}
		out.List = append(out.List, w)
	}
	return wire.GetDataInvoices200JSONResponse{Result: out}, nil
}

// invoiceFilter reads the filters of a list of invoices.
func (s *Server) invoiceFilter(ctx context.Context, p wire.GetDataInvoicesParams) (analytics.RowFilter, error) {
	f := analytics.RowFilter{Source: sourceOf(p.DataSource, p.Source), Customer: deref(p.Customer), Plan: deref(p.Plan)}
	if word := deref(p.Type); word != "" {
		kind, err := ledger.ParseKind(word)
		if err != nil {
			return f, httpx.Field("type", err.Error())
		}
		f.Kind = kind
	}
	if word := deref(p.Status); word != "" {
		status, err := ledger.ParseStatus(word)
		if err != nil {
			return f, httpx.Field("status", err.Error())
		}
		f.Status = &status
	}
	if text := deref(p.Date); text != "" {
		snapshot, err := s.engine.Snapshot(ctx, callerOf(ctx).Account)
		if err != nil {
			return f, err
		}
		days, err := calendar.ParseRange(text, calendar.RangeContext{Today: snapshot.Today, First: snapshot.FirstDay, WeekStart: snapshot.WeekStart})
		if err != nil {
			return f, httpx.Field("date", err.Error())
		}
		f.Days = &days
	}
	return f, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// GetDataCustomersId implements wire.StrictServerInterface.
func (s *Server) GetDataCustomersId(ctx context.Context, request wire.GetDataCustomersIdRequestObject) (wire.GetDataCustomersIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	row, snapshot, err := s.engine.Row(ctx, callerOf(ctx).Account, analytics.TableCustomer, source, request.Id)
	if err != nil {
		return nil, rowError("customer", request.Id, err)
	}
	w, err := storedCustomer(snapshot, row)
	return wire.GetDataCustomersId200JSONResponse(w), err
}

// GetDataPlansId implements wire.StrictServerInterface.
func (s *Server) GetDataPlansId(ctx context.Context, request wire.GetDataPlansIdRequestObject) (wire.GetDataPlansIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	row, _, err := s.engine.Row(ctx, callerOf(ctx).Account, analytics.TablePlan, source, request.Id)
	if err != nil {
		return nil, rowError("plan", request.Id, err)
	}
	w, err := storedPlan(row)
	return wire.GetDataPlansId200JSONResponse(w), err
}

// GetDataInvoicesId implements wire.StrictServerInterface.
func (s *Server) GetDataInvoicesId(ctx context.Context, request wire.GetDataInvoicesIdRequestObject) (wire.GetDataInvoicesIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	row, snapshot, err := s.engine.Row(ctx, callerOf(ctx).Account, analytics.TableInvoice, source, request.Id)
	if err != nil {
		return nil, rowError("invoice", request.Id, err)
	}
	w, err := storedInvoice(row, planCurrencies(snapshot))
	return wire.GetDataInvoicesId200JSONResponse(w), err
}

// PutDataCustomersId implements wire.StrictServerInterface.
func (s *Server) PutDataCustomersId(ctx context.Context, request wire.PutDataCustomersIdRequestObject) (wire.PutDataCustomersIdResponseObject, error) {
	patch, err := sentBody(ctx)
	if err != nil {
		return nil, err
	}
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	err = s.engine.UpdateCustomer(ctx, callerOf(ctx).Account, source, request.Id, func(old analytics.StoredRow) (analytics.CustomerRow, error) {
		return ingest.PatchCustomer(old, request.Id, patch)
	})
	if err != nil {
		return nil, rowError("customer", request.Id, err)
	}
	return wire.PutDataCustomersId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// PutDataPlansId implements wire.StrictServerInterface.
func (s *Server) PutDataPlansId(ctx context.Context, request wire.PutDataPlansIdRequestObject) (wire.PutDataPlansIdResponseObject, error) {
	patch, err := sentBody(ctx)
	if err != nil {
		return nil, err
	}
	source, account := sourceOf(request.Params.DataSource, request.Params.Source), callerOf(ctx).Account
	err = s.engine.UpdatePlan(ctx, account, source, request.Id, func(old analytics.StoredRow) (analytics.PlanRow, error) {
		return ingest.PatchPlan(old, request.Id, patch)
	})
	if err != nil {
		return nil, rowError("plan", request.Id, err)
	}
	running, err := s.engine.Recomputing(ctx, account)
	if err != nil {
		return nil, err
	}
	return wire.PutDataPlansId200JSONResponse{Result: "ok", Updated: request.Id, Recompute: recomputeToWire(running)}, nil
}

// PutDataInvoicesId implements wire.StrictServerInterface.
func (s *Server) PutDataInvoicesId(ctx context.Context, request wire.PutDataInvoicesIdRequestObject) (wire.PutDataInvoicesIdResponseObject, error) {
	patch, err := sentBody(ctx)
	if err != nil {
		return nil, err
	}
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	err = s.engine.UpdateInvoice(ctx, callerOf(ctx).Account, source, request.Id, func(old analytics.StoredRow) (analytics.InvoiceRow, error) {
		return ingest.PatchInvoice(old, request.Id, patch)
	})
	if err != nil {
		return nil, rowError("invoice", request.Id, err)
	}
	return wire.PutDataInvoicesId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// sentBody returns the body as it was sent: what the generated decoder makes of
// it does not tell null from missing.
func sentBody(ctx context.Context) ([]byte, error) {
	body, ok := ctx.Value(bodyKey).([]byte)
	if !ok {
		return nil, errors.New("the request has no body")
	}
	return body, nil
}
