package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetSettingsNotifications implements wire.StrictServerInterface.
func (s *Server) GetSettingsNotifications(ctx context.Context, _ wire.GetSettingsNotificationsRequestObject) (wire.GetSettingsNotificationsResponseObject, error) {
	caller := callerOf(ctx)
	n, err := s.hooks.Notifications(ctx, caller.Account, caller.User)
	if err != nil {
		return nil, err
	}
	w, err := s.notificationsToWire(ctx, n)
	if err != nil {
		return nil, err
	}
	return wire.GetSettingsNotifications200JSONResponse(w), nil
}

func (s *Server) notificationsToWire(ctx context.Context, n notify.Notifications) (wire.Notifications, error) {
	settings, err := s.engine.Settings(ctx, callerOf(ctx).Account)
	if err != nil {
		return wire.Notifications{}, err
	}
	return wire.Notifications{
		DailyReport: n.DailyReport, WeeklyReport: n.WeeklyReport, MonthlyReport: n.MonthlyReport, BaseCurrency: settings.BaseCurrency,
		ExpansionAlertThreshold: n.ExpansionAlertThreshold, ContractionAlertThreshold: n.ContractionAlertThreshold,
		NotifyScheduledChurn: n.NotifyScheduledChurn, NotifyFailedPayment: n.NotifyFailedPayment,
	}, nil
}

// PutSettingsNotifications implements wire.StrictServerInterface.
func (s *Server) PutSettingsNotifications(ctx context.Context, request wire.PutSettingsNotificationsRequestObject) (wire.PutSettingsNotificationsResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.NotificationsUpdate{}); err != nil {
		return nil, err
	}
	sent, err := membersOf(ctx)
	if err != nil {
		return nil, err
	}
	caller, b := callerOf(ctx), request.Body
	n, err := s.hooks.SetNotifications(ctx, caller.Account, caller.User, func(n *notify.Notifications) {
		if b.EmailReports != nil {
			n.DailyReport, n.WeeklyReport, n.MonthlyReport = b.EmailReports, b.EmailReports, b.EmailReports
		}
		change(sent, "daily_report", &n.DailyReport, b.DailyReport)
		change(sent, "weekly_report", &n.WeeklyReport, b.WeeklyReport)
		change(sent, "monthly_report", &n.MonthlyReport, b.MonthlyReport)
		change(sent, "expansion_alert_threshold", &n.ExpansionAlertThreshold, b.ExpansionAlertThreshold)
		change(sent, "contraction_alert_threshold", &n.ContractionAlertThreshold, b.ContractionAlertThreshold)
		change(sent, "notify_scheduled_churn", &n.NotifyScheduledChurn, b.NotifyScheduledChurn)
		change(sent, "notify_failed_payment", &n.NotifyFailedPayment, b.NotifyFailedPayment)
	})
	if errors.Is(err, notify.ErrNoMail) {
		return nil, &httpx.Error{Status: http.StatusNotImplemented, Code: "not_available", Message: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	w, err := s.notificationsToWire(ctx, n)
	if err != nil {
		return nil, err
	}
	return wire.PutSettingsNotifications200JSONResponse(w), nil
}

// membersOf returns the names of the members of the body: one that is null was
// sent, one that is missing was not.
func membersOf(ctx context.Context) ([]string, error) {
	body, ok := ctx.Value(bodyKey).([]byte)
	if !ok {
		return nil, errors.New("the request has no body")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, bodyError(err)
	}
	var names []string
	for name := range members {
		names = append(names, name)
	}
	return names, nil
}

func change[T any](sent []string, name string, field **T, value *T) {
	if slices.Contains(sent, name) {
		*field = value
	}
}

// GetSettingsNotificationsPreview implements wire.StrictServerInterface.
func (s *Server) GetSettingsNotificationsPreview(ctx context.Context, request wire.GetSettingsNotificationsPreviewRequestObject) (wire.GetSettingsNotificationsPreviewResponseObject, error) {
	period := notify.Daily
	if p := request.Params.Report; p != nil {
		if period = notify.Period(*p); !slices.Contains([]notify.Period{notify.Daily, notify.Weekly, notify.Monthly}, period) {
			return nil, httpx.Field("report", "must be daily, weekly or monthly")
		}
	}
	caller := callerOf(ctx)
	m, err := s.hooks.Preview(ctx, caller.Account, caller.User, period)
	if err != nil {
		return nil, err
	}
	return wire.GetSettingsNotificationsPreview200JSONResponse{To: m.To.Address, Subject: m.Subject, Text: m.Text, Html: m.HTML}, nil
}

// mountMail serves the links in e-mails. A link shows a button, since programs
// open links to look at them; the button, or a mail program's own, does it.
func (s *Server) mountMail(rt *router) {
	for path, page := range map[string]struct {
		ask, done string
		do        func(context.Context, string) error
	}{
		"/mail/confirm":     {"Send me e-mails", "You will get e-mails from now on.", s.hooks.Confirm},
		"/mail/unsubscribe": {"Send me no more e-mails", "You will get no more e-mails.", s.hooks.Unsubscribe},
	} {
		rt.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			mailPage(w, http.StatusOK, fmt.Sprintf(`<form method="post"><button>%s</button></form>`, page.ask))
		})
		rt.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			err := page.do(r.Context(), r.URL.Query().Get("token"))
			switch {
			case errors.Is(err, notify.ErrLink):
				mailPage(w, http.StatusNotFound, "<p>This link is not valid any more. You find your notifications in the settings.</p>")
			case err != nil:
				s.errs.Write(w, r, err)
			default:
				mailPage(w, http.StatusOK, "<p>"+page.done+"</p>")
			}
		})
	}
}

// mailPage answers with a page whose body is one of ours, never of a request.
func mailPage(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>GrowPanel</title></head><body>%s</body></html>\n", body)
}
