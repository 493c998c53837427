package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/notify"
)

// sentinel is what clients see of an error without data.
type sentinel struct {
	err    error
	status int
	code   string
	text   string // "" for the error's own
}

// sentinels is the table of them; authErrors has those of sign-in.
var sentinels = append([]sentinel{
	{analytics.ErrNotFound, http.StatusNotFound, "not_found", "there is no such thing in this account"},
	{analytics.ErrUnknownSource, http.StatusNotFound, "not_found", "no data source has this id; GET /data/data-sources lists them"},
	{analytics.ErrSourceRequired, http.StatusBadRequest, "data_source_required", ""},
	{analytics.ErrTooManySources, http.StatusConflict, "too_many_data_sources", "the account has 1,000 data sources; delete one first"},
	{pull.ErrNotConnected, http.StatusConflict, "not_connected", "the data source is not connected to an endpoint; POST /data/data-sources/{id}/connect first"},
	{pull.ErrImporting, http.StatusConflict, "import_running", "an import of the data source is under way; wait for it or abort it"},
	{pull.ErrNoImport, http.StatusConflict, "no_import", "no import of the data source is under way"},
	{analytics.ErrClosed, http.StatusServiceUnavailable, "shutting_down", "the server is shutting down; send the request again"},
	{notify.ErrNotFound, http.StatusNotFound, "not_found", "no webhook has this id; GET /integrations/webhooks lists them"},
	{notify.ErrRevoked, http.StatusConflict, "connection_revoked", ""},
	{notify.ErrUnreadable, http.StatusConflict, "webhook_unreadable", ""},
	{notify.ErrTooMany, http.StatusConflict, "too_many_webhooks", ""},
	{identity.ErrNotFound, http.StatusNotFound, "not_found", "there is no such thing in this account"},
	{identity.ErrTooManyKeys, http.StatusConflict, "too_many_api_keys", "the account has 1,000 API keys; delete one first"},
}, authErrors()...)

// translate finds what a client sees of an error; nil for one that is not meant
// for clients.
func translate(err error) *httpx.Error {
	if seen := translateEngine(err); seen != nil {
		return seen
	}
	if seen := translateReport(err); seen != nil {
		return seen
	}
	if field, ok := errors.AsType[*identity.FieldError](err); ok {
		return httpx.Field(field.Field, field.Message)
	}
	if field, ok := errors.AsType[*notify.FieldError](err); ok {
		return httpx.Field(field.Field, field.Message)
	}
	if body, ok := errors.AsType[*ingest.BodyError](err); ok {
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_body", Message: body.Message}
	}
	if large, ok := errors.AsType[*ingest.TooLargeError](err); ok {
		return &httpx.Error{Status: http.StatusRequestEntityTooLarge, Code: "payload_too_large", Message: large.Message}
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			text := s.text
			if text == "" {
				text = s.err.Error()
			}
			return &httpx.Error{Status: s.status, Code: s.code, Message: text}
		}
	}
	return nil
}

// translateEngine finds what a client sees of the engine's errors with data.
func translateEngine(err error) *httpx.Error {
	if invalid, ok := errors.AsType[*analytics.InvalidError](err); ok {
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_parameter", Message: invalid.Error(), Details: details(invalid.Fields, false)}
	}
	if ambiguous, ok := errors.AsType[*analytics.AmbiguousError](err); ok {
		seen := &httpx.Error{Status: http.StatusBadRequest, Code: "ambiguous_id", Message: ambiguous.Error()}
		for _, source := range ambiguous.Sources {
			seen.Details = append(seen.Details, httpx.Detail{ID: source, Field: "data_source", Message: "has " + ambiguous.ID})
		}
		return seen
	}
	if inUse, ok := errors.AsType[*analytics.InUseError](err); ok {
		return &httpx.Error{Status: http.StatusConflict, Code: "in_use", Message: inUse.Error()}
	}
	return nil
}

// translateReport finds what a client sees of the reports' errors with data.
func translateReport(err error) *httpx.Error {
	if param, ok := errors.AsType[*report.ParamError](err); ok {
		return httpx.Field(param.Name, param.Message)
	}
	if rate, ok := errors.AsType[*fx.MissingRateError](err); ok {
		return &httpx.Error{
			Status: http.StatusConflict, Code: "fx_rate_missing", Message: rate.Error(),
			Details: []httpx.Detail{{Field: "currency", ID: rate.From.Code(), Message: fmt.Sprintf("%s on %s", rate.From, rate.Day)}},
		}
	}
	return nil
}

// maxDetails bounds how many faults one error body names.
const maxDetails = 1000

// details returns the first maxDetails faults as the contract names them; rows
// says whether they are about rows of the body.
func details(faults []analytics.FieldError, rows bool) []httpx.Detail {
	out := make([]httpx.Detail, 0, min(len(faults), maxDetails))
	for _, f := range faults[:min(len(faults), maxDetails)] {
		d := httpx.Detail{ID: f.ID, Field: f.Field, Message: f.Message}
		if rows {
			index := int64(f.Index)
			d.Index = &index
		}
		out = append(out, d)
	}
	return out
}
