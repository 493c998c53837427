package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// DeleteDataCustomersId implements wire.StrictServerInterface.
func (s *Server) DeleteDataCustomersId(ctx context.Context, request wire.DeleteDataCustomersIdRequestObject) (wire.DeleteDataCustomersIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	account := callerOf(ctx).Account
	deleted := s.engine.DeleteCustomer(ctx, account, source, request.Id)
	if deleted != nil && !errors.Is(deleted, analytics.ErrNotFound) {
		return nil, rowError("customer", request.Id, deleted)
	}
	// Also for one who is gone: the request may be repeated because this failed.
	if err := s.hooks.Forget(ctx, account, source, request.Id); err != nil {
		return nil, err
	}
	if deleted != nil {
		return nil, rowError("customer", request.Id, deleted)
	}
	return wire.DeleteDataCustomersId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// DeleteDataPlansId implements wire.StrictServerInterface.
func (s *Server) DeleteDataPlansId(ctx context.Context, request wire.DeleteDataPlansIdRequestObject) (wire.DeleteDataPlansIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	if err := s.engine.DeletePlan(ctx, callerOf(ctx).Account, source, request.Id); err != nil {
		return nil, rowError("plan", request.Id, err)
	}
	return wire.DeleteDataPlansId200JSONResponse{Result: "ok", Deleted: request.Id}, nil
}

// DeleteDataInvoicesId implements wire.StrictServerInterface.
func (s *Server) DeleteDataInvoicesId(ctx context.Context, request wire.DeleteDataInvoicesIdRequestObject) (wire.DeleteDataInvoicesIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, request.Params.Source)
	if err := s.engine.DeleteInvoice(ctx, callerOf(ctx).Account, source, request.Id); err != nil {
		return nil, rowError("invoice", request.Id, err)
	}
	return wire.DeleteDataInvoicesId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// sourceOf returns the data source that a query names under either name.
func sourceOf(dataSource, source *string) string {
	for _, name := range []*string{dataSource, source} {
		if name != nil && *name != "" {
			return *name
		}
	}
	return ""
}

// rowError says which row does not exist.
func rowError(kind, id string, err error) error {
	if errors.Is(err, analytics.ErrNotFound) {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("no %s has the id %q", kind, clip(id))}
	}
	return err
}

// GetDataDataSources implements wire.StrictServerInterface.
func (s *Server) GetDataDataSources(ctx context.Context, request wire.GetDataDataSourcesRequestObject) (wire.GetDataDataSourcesResponseObject, error) {
	sources, err := s.engine.Sources(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	list := make([]wire.DataSource, 0, len(sources))
	for _, source := range sources {
		if kind := request.Params.Type; kind != nil && *kind != source.Type {
			continue
		}
		status, err := s.importStatus(ctx, source)
		if err != nil {
			return nil, err
		}
		list = append(list, sourceToWire(source, status))
	}
	return wire.GetDataDataSources200JSONResponse{Result: list}, nil
}

// sourceTypes are all that the contract of the hosted product knows.
var sourceTypes = []string{"stripe", "google-sheets", "recurly", "chargebee", "alunta"}

// PostDataDataSources implements wire.StrictServerInterface.
func (s *Server) PostDataDataSources(ctx context.Context, request wire.PostDataDataSourcesRequestObject) (wire.PostDataDataSourcesResponseObject, error) {
	name, kind := request.Body.Name, string(request.Body.Type)
	if slices.Contains(sourceTypes, kind) {
		return nil, &httpx.Error{
			Status: http.StatusBadRequest, Code: "unsupported_type", Message: fmt.Sprintf("type: data sources of type %s are not supported; use api or csv", kind),
			Details: []httpx.Detail{{Field: "type", Message: "use api or csv"}},
		}
	}
	if kind != analytics.SourceAPI {
		source, err := s.engine.CreateSource(ctx, callerOf(ctx).Account, analytics.NewSource{Name: name, Type: kind})
		if err != nil {
			return nil, err
		}
		return createdSource(source, nil), nil
	}
	return s.createAPISource(ctx, name)
}

// createAPISource makes a data source with a key of its own. The key comes
// first, because it alone can be taken back.
func (s *Server) createAPISource(ctx context.Context, name string) (wire.PostDataDataSourcesResponseObject, error) {
	caller := callerOf(ctx)
	account := caller.Account
	k, token, err := s.identity.CreateKey(ctx, identity.NewKey{
		Account: account, User: caller.User, Name: name, Role: identity.Admin, CreatedVia: caller.CreatedVia(),
	})
	if err != nil {
		return nil, err
	}
	source, err := s.engine.CreateSource(ctx, account, analytics.NewSource{Name: name, Type: analytics.SourceAPI, KeyID: k.ID})
	if err != nil {
		if undo := s.identity.DeleteKey(context.WithoutCancel(ctx), account, k.ID); undo != nil {
			s.errs.Logger.ErrorContext(ctx, "key of a data source that was not created is left over", slog.String("key", k.ID), slog.Any("error", undo))
		}
		return nil, err
	}
	whole := token.Reveal()
	return createdSource(source, &whole), nil
}

func createdSource(source analytics.Source, token *string) wire.PostDataDataSources201JSONResponse {
	w := sourceToWire(source, pull.Status{})
	return wire.PostDataDataSources201JSONResponse{
		Id: w.Id, Name: w.Name, Type: w.Type, Status: w.Status, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, AccessToken: token,
	}
}

// GetIntegrationsVerify implements wire.StrictServerInterface.
func (s *Server) GetIntegrationsVerify(ctx context.Context, _ wire.GetIntegrationsVerifyRequestObject) (wire.GetIntegrationsVerifyResponseObject, error) {
	caller := callerOf(ctx)
	account, err := s.identity.Account(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	return wire.GetIntegrationsVerify200JSONResponse{
		Success: true, Valid: true, AccountId: account.ID, AccountName: account.Name, Role: wire.Role(caller.Role),
	}, nil
}
