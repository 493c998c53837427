package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetSettingsIntegration implements wire.StrictServerInterface.
func (s *Server) GetSettingsIntegration(ctx context.Context, request wire.GetSettingsIntegrationRequestObject) (wire.GetSettingsIntegrationResponseObject, error) {
	set, err := s.hooks.Integration(ctx, callerOf(ctx).Account, request.Integration)
	if err != nil {
		return nil, integrationError(request.Integration, err)
	}
	w, err := s.integrationToWire(ctx, request.Integration, set)
	if err != nil {
		return nil, err
	}
	return wire.GetSettingsIntegration200JSONResponse(w), nil
}

// PostSettingsIntegration implements wire.StrictServerInterface.
func (s *Server) PostSettingsIntegration(ctx context.Context, request wire.PostSettingsIntegrationRequestObject) (wire.PostSettingsIntegrationResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.IntegrationUpdate{}); err != nil {
		return nil, err
	}
	b := request.Body
	set, err := s.hooks.SetIntegration(ctx, callerOf(ctx).Account, request.Integration, notify.IntegrationChange{
		Enabled: b.Enabled, URL: b.Url, Threshold: b.Threshold, Events: b.Events,
	})
	if err != nil {
		return nil, integrationError(request.Integration, err)
	}
	w, err := s.integrationToWire(ctx, request.Integration, set)
	if err != nil {
		return nil, err
	}
	return wire.PostSettingsIntegration200JSONResponse(w), nil
}

// integrationError says what a client sees of an error about an integration.
func integrationError(name string, err error) error {
	switch {
	case errors.Is(err, notify.ErrUnknownIntegration):
		return &httpx.Error{
			Status: http.StatusNotFound, Code: "not_found",
			Message: fmt.Sprintf("there is no integration %q; there are notifications, webhook, slack and teams", clip(name)),
		}
	case errors.Is(err, notify.ErrNotAvailable):
		return &httpx.Error{Status: http.StatusNotImplemented, Code: "not_available", Message: fmt.Sprintf("the integration %s is not available on this server", name)}
	default:
		return err
	}
}

func (s *Server) integrationToWire(ctx context.Context, name string, set notify.Integration) (wire.IntegrationSettings, error) {
	settings, err := s.engine.Settings(ctx, callerOf(ctx).Account)
	if err != nil {
		return wire.IntegrationSettings{}, err
	}
	w := wire.IntegrationSettings{
		Integration: name, Enabled: set.Enabled, Connected: set.URL != "", BaseCurrency: settings.BaseCurrency, Threshold: set.Threshold, Events: set.Events,
	}
	if set.URL != "" {
		url := notify.Shorten(set.URL)
		w.Url = &url
	}
	if set.LastError != "" {
		w.LastError = &set.LastError
	}
	if set.Key != "" {
		key := set.Key.Reveal()
		w.Secret = &key
	}
	return w, nil
}
