package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// importStatus tells about the last import of a data source.
func (s *Server) importStatus(ctx context.Context, source analytics.Source) (pull.Status, error) {
	if len(source.Connection) == 0 {
		return pull.Status{Phase: pull.Idle}, nil
	}
	return s.imports.Status(ctx, callerOf(ctx).Account, source.ID)
}

// sourceDetail describes a data source with its connection.
func (s *Server) sourceDetail(ctx context.Context, source analytics.Source) (wire.DataSourceDetail, error) {
	status, err := s.importStatus(ctx, source)
	if err != nil {
		return wire.DataSourceDetail{}, err
	}
	connection, err := pull.ReadConnection(source)
	if err != nil {
		return wire.DataSourceDetail{}, err
	}
	w := sourceToWire(source, status)
	return wire.DataSourceDetail{
		Id: w.Id, Name: w.Name, Type: w.Type, Status: w.Status, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
		ImportStatus: w.ImportStatus, ImportStarted: w.ImportStarted, Config: connectionToWire(connection),
	}, nil
}

func sourceToWire(source analytics.Source, status pull.Status) wire.DataSource {
	created := stampText(source.CreatedAt)
	out := wire.DataSource{Id: source.ID, Name: &source.Name, Type: source.Type, Status: "connected", CreatedAt: &created, UpdatedAt: &created}
	if !source.UpdatedAt.IsZero() {
		out.UpdatedAt = timeOrNull(source.UpdatedAt)
	}
	if !status.Started.IsZero() {
		out.ImportStatus, out.ImportStarted = &status.Phase, timeOrNull(status.Started)
	}
	return out
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := stampText(t)
	return &text
}

// connectionToWire leaves the secret out.
func connectionToWire(c *pull.Connection) *wire.Connection {
	if c == nil {
		return nil
	}
	out := &wire.Connection{
		EndpointUrl: c.Endpoint, Types: c.Types, Schedule: c.Schedule,
		Auth: wire.ConnectionAuth{Type: c.Auth.Type, SecretSet: len(c.Auth.Secret) > 0},
	}
	switch c.Auth.Type {
	case "basic":
		out.Auth.Username = &c.Auth.Name
	case "header":
		out.Auth.HeaderName = &c.Auth.Name
	}
	return out
}

// GetDataDataSourcesId implements wire.StrictServerInterface.
func (s *Server) GetDataDataSourcesId(ctx context.Context, request wire.GetDataDataSourcesIdRequestObject) (wire.GetDataDataSourcesIdResponseObject, error) {
	source, err := s.engine.Source(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	w, err := s.sourceDetail(ctx, source)
	return wire.GetDataDataSourcesId200JSONResponse(w), err
}

// GetDataSourcesId implements wire.StrictServerInterface.
func (s *Server) GetDataSourcesId(ctx context.Context, request wire.GetDataSourcesIdRequestObject) (wire.GetDataSourcesIdResponseObject, error) {
	source, err := s.engine.Source(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	w, err := s.sourceDetail(ctx, source)
	return wire.GetDataSourcesId200JSONResponse(w), err
}

// PutDataDataSourcesId implements wire.StrictServerInterface.
func (s *Server) PutDataDataSourcesId(ctx context.Context, request wire.PutDataDataSourcesIdRequestObject) (wire.PutDataDataSourcesIdResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.DataSourceUpdate{}); err != nil {
		return nil, err
	}
	account, in := callerOf(ctx).Account, request.Body
	source, err := s.engine.Source(ctx, account, request.Id)
	switch {
	case err != nil:
		return nil, err
	case in.Id != nil && *in.Id != source.ID:
		return nil, httpx.Field("id", "cannot be changed")
	case in.Type != nil && *in.Type != source.Type:
		return nil, httpx.Field("type", "cannot be changed")
	case in.Name != nil && *in.Name == "":
		return nil, httpx.Field("name", "must not be empty; leave it out to keep the name")
	}
	source, err = s.imports.Change(ctx, account, request.Id, deref(in.Name), pull.Update{
		Endpoint: in.EndpointUrl, Auth: credentials(in.Auth), Types: typesOf(in.Types), Schedule: in.Schedule,
	})
	if err != nil {
		return nil, err
	}
	w, err := s.sourceDetail(ctx, source)
	return wire.PutDataDataSourcesId200JSONResponse(w), err
}

// PostDataDataSourcesIdConnect implements wire.StrictServerInterface.
func (s *Server) PostDataDataSourcesIdConnect(ctx context.Context, request wire.PostDataDataSourcesIdConnectRequestObject) (wire.PostDataDataSourcesIdConnectResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.ConnectionUpdate{}); err != nil {
		return nil, err
	}
	account, in := callerOf(ctx).Account, request.Body
	u := pull.Update{Endpoint: in.EndpointUrl, Auth: credentials(in.Auth), Types: typesOf(in.Types), Schedule: in.Schedule}
	if u.Empty() {
		all := []string{"customers", "plans", "invoices"}
		source, err := s.engine.Source(ctx, account, request.Id)
		if err != nil {
			return nil, err
		}
		if len(source.Connection) == 0 {
			u.Types = &all // so that the missing endpoint is named
		}
	}
	if _, err := s.imports.Change(ctx, account, request.Id, "", u); err != nil {
		return nil, err
	}
	return wire.PostDataDataSourcesIdConnect200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// typesOf tells a list that was not sent from one that is empty.
func typesOf(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}

func credentials(in *wire.ConnectionCredentials) *pull.Credentials {
	if in == nil {
		return nil
	}
	return &pull.Credentials{
		Type: in.Type, Token: deref(in.Token), Username: deref(in.Username), Password: deref(in.Password),
		HeaderName: deref(in.HeaderName), HeaderValue: deref(in.HeaderValue),
	}
}

// DeleteDataDataSourcesId implements wire.StrictServerInterface.
func (s *Server) DeleteDataDataSourcesId(ctx context.Context, request wire.DeleteDataDataSourcesIdRequestObject) (wire.DeleteDataDataSourcesIdResponseObject, error) {
	account := callerOf(ctx).Account
	source, err := s.engine.Source(ctx, account, request.Id)
	if err != nil {
		return nil, err
	}
	if err := s.imports.Delete(ctx, account, request.Id); err != nil {
		return nil, err
	}
	s.dropSourceKey(ctx, source)
	return wire.DeleteDataDataSourcesId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// dropSourceKey revokes the key that was made for a data source. The source is
// gone: a key that stays is for the log and the list of keys.
func (s *Server) dropSourceKey(ctx context.Context, source analytics.Source) {
	if source.KeyID == "" {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := s.identity.DeleteKey(ctx, callerOf(ctx).Account, source.KeyID)
	if err != nil && !errors.Is(err, identity.ErrNotFound) {
		s.errs.Logger.ErrorContext(ctx, "key of a deleted data source is left over", slog.String("key", source.KeyID), slog.Any("error", err))
	}
}

// PostDataDataSourcesIdReset implements wire.StrictServerInterface.
func (s *Server) PostDataDataSourcesIdReset(ctx context.Context, request wire.PostDataDataSourcesIdResetRequestObject) (wire.PostDataDataSourcesIdResetResponseObject, error) {
	if err := refuseUnknown(ctx, &struct{}{}); err != nil {
		return nil, err
	}
	if err := s.imports.Reset(ctx, callerOf(ctx).Account, request.Id); err != nil {
		return nil, err
	}
	return wire.PostDataDataSourcesIdReset200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// PostDataDataSourcesIdFullImport implements wire.StrictServerInterface.
func (s *Server) PostDataDataSourcesIdFullImport(ctx context.Context, request wire.PostDataDataSourcesIdFullImportRequestObject) (wire.PostDataDataSourcesIdFullImportResponseObject, error) {
	if err := s.fullImport(ctx, request.Id); err != nil {
		return nil, err
	}
	return wire.PostDataDataSourcesIdFullImport200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// fullImport starts an import, under either of its names.
func (s *Server) fullImport(ctx context.Context, source string) error {
	if err := refuseUnknown(ctx, &struct{}{}); err != nil {
		return err
	}
	return s.imports.Import(ctx, callerOf(ctx).Account, source)
}

// PostDataSourcesIdSync implements wire.StrictServerInterface.
func (s *Server) PostDataSourcesIdSync(ctx context.Context, request wire.PostDataSourcesIdSyncRequestObject) (wire.PostDataSourcesIdSyncResponseObject, error) {
	if err := s.fullImport(ctx, request.Id); err != nil {
		return nil, err
	}
	return wire.PostDataSourcesIdSync200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// PostDataDataSourcesIdAbort implements wire.StrictServerInterface.
func (s *Server) PostDataDataSourcesIdAbort(ctx context.Context, request wire.PostDataDataSourcesIdAbortRequestObject) (wire.PostDataDataSourcesIdAbortResponseObject, error) {
	if err := refuseUnknown(ctx, &struct{}{}); err != nil {
		return nil, err
	}
	if err := s.imports.Abort(ctx, callerOf(ctx).Account, request.Id); err != nil {
		return nil, err
	}
	return wire.PostDataDataSourcesIdAbort200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// GetDataDataSourcesIdProgress implements wire.StrictServerInterface.
func (s *Server) GetDataDataSourcesIdProgress(ctx context.Context, request wire.GetDataDataSourcesIdProgressRequestObject) (wire.GetDataDataSourcesIdProgressResponseObject, error) {
	status, err := s.imports.Status(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	out := wire.GetDataDataSourcesIdProgress200JSONResponse{
		Phase: wire.ImportProgressPhase(status.Phase), EnqueuedCount: status.Fetched, ProcessedCount: status.Stored, FailedCount: status.Failed,
		StartedAt: timeOrNull(status.Started), LastActivityAt: timeOrNull(status.Active), RetryAt: timeOrNull(status.Retry),
		Type: textOrNull(status.Type), Attempt: int64(status.Attempt), Error: textOrNull(status.Error),
		Failures: make([]wire.ImportFailure, 0, len(status.Faults)),
	}
	if status.Page > 0 {
		page := int64(status.Page)
		out.Page = &page
	}
	if status.Error != "" {
		out.Code = textOrNull(status.Code)
	}
	for _, f := range status.Faults {
		out.Failures = append(out.Failures, wire.ImportFailure{
			Type: f.Type, Page: int64(f.Page), Index: int64(f.Index), Id: textOrNull(f.ID), Field: f.Field, Message: f.Message,
		})
	}
	return out, nil
}

// PostDataDataSourcesIdImported implements wire.StrictServerInterface.
func (s *Server) PostDataDataSourcesIdImported(ctx context.Context, request wire.PostDataDataSourcesIdImportedRequestObject) (wire.PostDataDataSourcesIdImportedResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.FilesImported{}); err != nil {
		return nil, err
	}
	account, in := callerOf(ctx).Account, request.Body
	source, err := s.engine.Source(ctx, account, request.Id)
	switch {
	case err != nil:
		return nil, err
	case source.Type != analytics.SourceCSV:
		return nil, httpx.Field("type", "must be csv: an import from an endpoint tells its end by itself")
	case in.Stored < 0 || in.Failed < 0:
		return nil, httpx.Field("stored", "must not be negative, nor must failed")
	}
	data := analytics.ImportData{DataSource: source.ID, Name: source.Name, Fetched: in.Stored + in.Failed, Stored: in.Stored, Failed: in.Failed}
	if err := s.engine.Announce(ctx, account, analytics.ImportCompleted, data, source.ID, s.now().UTC().Format(time.RFC3339Nano)); err != nil {
		return nil, err
	}
	return wire.PostDataDataSourcesIdImported200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// PostCustomersIdResync implements wire.StrictServerInterface.
func (s *Server) PostCustomersIdResync(ctx context.Context, request wire.PostCustomersIdResyncRequestObject) (wire.PostCustomersIdResyncResponseObject, error) {
	if err := refuseUnknown(ctx, &struct{}{}); err != nil {
		return nil, err
	}
	account := callerOf(ctx).Account
	row, _, err := s.engine.Row(ctx, account, analytics.TableCustomer, deref(request.Params.DataSource), request.Id)
	if err != nil {
		return nil, rowError("customer", request.Id, err)
	}
	out := wire.PostCustomersIdResync200JSONResponse{Success: true, Id: request.Id, Status: wire.ResyncedStatusQueued}
	switch err := s.imports.Import(ctx, account, row.Source); {
	case errors.Is(err, pull.ErrNotConnected):
		out.Status = wire.ResyncedStatusDone
	case err != nil && !errors.Is(err, pull.ErrImporting):
		return nil, err
	}
	return out, nil
}
