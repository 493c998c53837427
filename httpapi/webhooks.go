package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetIntegrationsWebhooks implements wire.StrictServerInterface.
func (s *Server) GetIntegrationsWebhooks(ctx context.Context, _ wire.GetIntegrationsWebhooksRequestObject) (wire.GetIntegrationsWebhooksResponseObject, error) {
	hooks, err := s.hooks.List(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	return wire.GetIntegrationsWebhooks200JSONResponse{Webhooks: hooksToWire(ctx, hooks)}, nil
}

func hooksToWire(ctx context.Context, hooks []notify.Hook) []wire.Webhook {
	list := make([]wire.Webhook, 0, len(hooks))
	for _, h := range hooks {
		list = append(list, hookToWire(ctx, h))
	}
	return list
}

// hookToWire shows the whole URL to those who may change it.
func hookToWire(ctx context.Context, h notify.Hook) wire.Webhook {
	w := wire.Webhook{Id: h.ID, Url: h.URL.Reveal(), EventType: h.Event, CreatedAt: stampText(h.Created), Status: "active"}
	if !callerOf(ctx).Role.CanWrite() && !h.Unreadable {
		w.Url = notify.Shorten(h.URL)
	}
	if h.Paused != "" {
		w.Status, w.PausedReason = "paused", &h.Paused
	}
	return w
}

// PostIntegrationsWebhooks implements wire.StrictServerInterface.
func (s *Server) PostIntegrationsWebhooks(ctx context.Context, request wire.PostIntegrationsWebhooksRequestObject) (wire.PostIntegrationsWebhooksResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.WebhookCreate{}); err != nil {
		return nil, err
	}
	events := request.Body.Events
	if request.Body.EventType != nil {
		events = append([]string{*request.Body.EventType}, events...)
	}
	caller := callerOf(ctx)
	hooks, err := s.hooks.Create(ctx, caller.Account, request.Body.Url, events, caller.CreatedVia())
	if duplicate, ok := errors.AsType[*notify.DuplicateError](err); ok {
		text := duplicate.Error()
		return wire.PostIntegrationsWebhooks409JSONResponse{Error: text, Message: text, Code: "webhook_exists", ExistingId: &duplicate.ID}, nil
	}
	if err != nil {
		return nil, err
	}
	list := hooksToWire(ctx, hooks)
	first := list[0]
	return wire.PostIntegrationsWebhooks201JSONResponse{
		Id: first.Id, Url: first.Url, EventType: first.EventType, CreatedAt: first.CreatedAt, Status: first.Status,
		Secret: hooks[0].Keys[0].Reveal(), Webhooks: list,
	}, nil
}

// GetIntegrationsWebhooksId implements wire.StrictServerInterface.
func (s *Server) GetIntegrationsWebhooksId(ctx context.Context, request wire.GetIntegrationsWebhooksIdRequestObject) (wire.GetIntegrationsWebhooksIdResponseObject, error) {
	hook, pending, err := s.hooks.Get(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	w := hookToWire(ctx, hook)
	return wire.GetIntegrationsWebhooksId200JSONResponse{
		Id: w.Id, Url: w.Url, EventType: w.EventType, CreatedAt: w.CreatedAt, Status: w.Status, PausedReason: w.PausedReason, Pending: int64(pending),
	}, nil
}

// DeleteIntegrationsWebhooksId implements wire.StrictServerInterface.
func (s *Server) DeleteIntegrationsWebhooksId(ctx context.Context, request wire.DeleteIntegrationsWebhooksIdRequestObject) (wire.DeleteIntegrationsWebhooksIdResponseObject, error) {
	if err := s.hooks.Delete(ctx, callerOf(ctx).Account, request.Id); err != nil {
		return nil, err
	}
	return wire.DeleteIntegrationsWebhooksId200JSONResponse{Success: true, Message: fmt.Sprintf("the webhook %s is deleted", request.Id)}, nil
}

// PostIntegrationsWebhooksIdRotateSecret implements wire.StrictServerInterface.
func (s *Server) PostIntegrationsWebhooksIdRotateSecret(ctx context.Context, request wire.PostIntegrationsWebhooksIdRotateSecretRequestObject) (wire.PostIntegrationsWebhooksIdRotateSecretResponseObject, error) {
	secret, err := s.hooks.Rotate(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	return wire.PostIntegrationsWebhooksIdRotateSecret200JSONResponse{
		Id: request.Id, Secret: secret.Reveal(), OldSecretUntil: stampText(s.now().Add(notify.KeysOverlap)),
	}, nil
}

// PostIntegrationsWebhooksIdResume implements wire.StrictServerInterface.
func (s *Server) PostIntegrationsWebhooksIdResume(ctx context.Context, request wire.PostIntegrationsWebhooksIdResumeRequestObject) (wire.PostIntegrationsWebhooksIdResumeResponseObject, error) {
	hook, err := s.hooks.Resume(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	return wire.PostIntegrationsWebhooksIdResume200JSONResponse(hookToWire(ctx, hook)), nil
}

// PostIntegrationsWebhooksIdTest implements wire.StrictServerInterface.
func (s *Server) PostIntegrationsWebhooksIdTest(ctx context.Context, request wire.PostIntegrationsWebhooksIdTestRequestObject) (wire.PostIntegrationsWebhooksIdTestResponseObject, error) {
	sample, failure, err := s.hooks.Test(ctx, callerOf(ctx).Account, request.Id)
	if err != nil {
		return nil, err
	}
	document, err := documentToWire(sample.Body)
	if err != nil {
		return nil, err
	}
	reply := wire.PostIntegrationsWebhooksIdTest200JSONResponse{Success: failure == nil, Message: "the receiver took the event", Event: document}
	if failure != nil {
		reply.Message = failure.Error()
	}
	return reply, nil
}

func documentToWire(body []byte) (document wire.EventDocument, err error) {
	if err := json.Unmarshal(body, &document); err != nil {
		return document, fmt.Errorf("read the event: %w", err)
	}
	return document, nil
}

// GetIntegrationsSampleEvent implements wire.StrictServerInterface.
func (s *Server) GetIntegrationsSampleEvent(ctx context.Context, request wire.GetIntegrationsSampleEventRequestObject) (wire.GetIntegrationsSampleEventResponseObject, error) {
	sample, ok := notify.Sample(callerOf(ctx).Account, request.Event, s.now())
	if !ok {
		return nil, &httpx.Error{
			Status: http.StatusNotFound, Code: "not_found",
			Message: fmt.Sprintf("%q is not an event; events are %s", clip(request.Event), strings.Join(notify.Events(), ", ")),
		}
	}
	document, err := documentToWire(sample.Body)
	if err != nil {
		return nil, err
	}
	return wire.GetIntegrationsSampleEvent200JSONResponse(document), nil
}

const usualDeliveries, mostDeliveries = 50, 100

// deliveryState reads the contract's word for the state of a delivery.
func deliveryState(status string) (jobs.State, error) {
	switch status {
	case "":
		return "", nil
	case "pending":
		return jobs.Queued, nil
	case "delivered":
		return jobs.Done, nil
	case "failed":
		return jobs.Failed, nil
	default:
		return "", httpx.Field("status", "must be pending, delivered or failed")
	}
}

// GetIntegrationsWebhooksIdDeliveries implements wire.StrictServerInterface.
func (s *Server) GetIntegrationsWebhooksIdDeliveries(ctx context.Context, request wire.GetIntegrationsWebhooksIdDeliveriesRequestObject) (wire.GetIntegrationsWebhooksIdDeliveriesResponseObject, error) {
	state, err := deliveryState(orZero(request.Params.Status))
	if err != nil {
		return nil, err
	}
	limit := usualDeliveries
	if n := request.Params.Limit; n != nil {
		if limit = int(*n); limit < 1 || limit > mostDeliveries {
			return nil, httpx.Field("limit", "must be from 1 to 100")
		}
	}
	// One more than asked for tells whether there is a next page.
	list, err := s.hooks.Deliveries(ctx, callerOf(ctx).Account, request.Id, jobs.Filter{State: state, After: orZero(request.Params.After), Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	page := wire.GetIntegrationsWebhooksIdDeliveries200JSONResponse{Deliveries: make([]wire.Delivery, 0, len(list))}
	for _, j := range list[:min(len(list), limit)] {
		page.Deliveries = append(page.Deliveries, deliveryToWire(j))
	}
	if len(list) > limit {
		page.Next = &page.Deliveries[limit-1].Id
	}
	return page, nil
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func deliveryToWire(j jobs.Job) wire.Delivery {
	event, _, _ := strings.Cut(j.ID, ".")
	d := wire.Delivery{Id: j.ID, EventId: event, Status: "pending", Attempts: int64(j.Attempt), CreatedAt: stampText(j.Created)}
	var document struct {
		Event string `json:"event"`
	}
	if json.Unmarshal(j.Payload, &document) == nil {
		d.EventType = document.Event
	}
	if j.Error != "" {
		d.Error = &j.Error
	}
	if !j.Started.IsZero() {
		at := stampText(j.Started)
		d.LastAttemptAt = &at
	}
	switch j.State {
	case jobs.Queued:
		at := stampText(j.RunAt)
		d.NextAttemptAt = &at
	case jobs.Running:
	case jobs.Done:
		at := stampText(j.Ended)
		d.Status, d.Error, d.DeliveredAt = "delivered", nil, &at
	case jobs.Failed, jobs.Aborted:
		d.Status = "failed"
	}
	return d
}

// PostIntegrationsWebhooksIdDeliveriesDeliveryResend implements wire.StrictServerInterface.
func (s *Server) PostIntegrationsWebhooksIdDeliveriesDeliveryResend(ctx context.Context, request wire.PostIntegrationsWebhooksIdDeliveriesDeliveryResendRequestObject) (wire.PostIntegrationsWebhooksIdDeliveriesDeliveryResendResponseObject, error) {
	j, err := s.hooks.Resend(ctx, callerOf(ctx).Account, request.Id, request.Delivery)
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return nil, &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: "this webhook has no such delivery; deliveries are kept for 14 days"}
	case errors.Is(err, jobs.ErrNotEnded):
		return nil, &httpx.Error{Status: http.StatusConflict, Code: "still_pending", Message: "the delivery is still tried; resend it once it is delivered or failed"}
	case err != nil:
		return nil, err
	}
	return wire.PostIntegrationsWebhooksIdDeliveriesDeliveryResend200JSONResponse(deliveryToWire(j)), nil
}
