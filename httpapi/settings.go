package httpapi

import (
	"context"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetSettings implements wire.StrictServerInterface.
func (s *Server) GetSettings(ctx context.Context, _ wire.GetSettingsRequestObject) (wire.GetSettingsResponseObject, error) {
	settings, running, err := s.engine.AskedSettings(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	return wire.GetSettings200JSONResponse(settingsToWire(settings, running)), nil
}

// PostSettings implements wire.StrictServerInterface.
func (s *Server) PostSettings(ctx context.Context, request wire.PostSettingsRequestObject) (wire.PostSettingsResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.SettingsUpdate{}); err != nil {
		return nil, err
	}
	patch, err := settingsPatch(request.Body)
	if err != nil {
		return nil, err
	}
	account := callerOf(ctx).Account
	settings, err := s.engine.UpdateSettings(ctx, account, patch)
	if err != nil {
		return nil, err
	}
	_, running, err := s.engine.AskedSettings(ctx, account)
	if err != nil {
		return nil, err
	}
	return wire.PostSettings200JSONResponse(settingsToWire(settings, running)), nil
}

func settingsPatch(in *wire.SettingsUpdate) (analytics.SettingsPatch, error) {
	auto, err := autoChurnDays(in)
	if err != nil {
		return analytics.SettingsPatch{}, err
	}
	return analytics.SettingsPatch{
		BaseCurrency: in.BaseCurrency, Timezone: in.Timezone, FirstDayOfWeek: intOf(in.FirstDayOfWeek),
		ChurnRecognition: (*string)(in.ChurnRecognition), ChurnGraceDays: intOf(in.ChurnGraceDays),
		NonRenewalChurn: in.NonRenewalChurn, AutoChurnDays: auto, RefundMRR: (*string)(in.RefundMrr),
		SubtractOneTimeDiscounts: in.SubtractOneTimeDiscounts, TrialDays: intOf(in.TrialDays), Locale: in.Locale,
	}, nil
}

// autoChurnDays reads the setting's two spellings of off: null days, and the
// older auto_churn_enabled false.
func autoChurnDays(in *wire.SettingsUpdate) (*int, error) {
	off := analytics.NoAutoChurn
	switch {
	case in.AutoChurnEnabled != nil && *in.AutoChurnEnabled && !in.AutoChurnDays.IsSpecified():
		return nil, httpx.Field("auto_churn_days", "send the number of days to switch it on")
	case in.AutoChurnEnabled != nil && !*in.AutoChurnEnabled, in.AutoChurnDays.IsNull():
		return &off, nil
	case !in.AutoChurnDays.IsSpecified():
		return nil, nil
	}
	days, err := in.AutoChurnDays.Get()
	if err != nil || days < 1 {
		// The engine's own word for off must not come in from outside.
		return nil, httpx.Field("auto_churn_days", "must be at least 1, or null for off")
	}
	return intOf(&days), nil
}

func intOf(n *int64) *int {
	if n == nil {
		return nil
	}
	// All settings are small; what does not fit is as wrong as what is too large.
	out := int(min(max(*n, -1<<31), 1<<31-1))
	return &out
}

func settingsToWire(s analytics.Settings, running *analytics.Recompute) wire.Settings {
	out := wire.Settings{
		BaseCurrency: s.BaseCurrency, Timezone: s.Timezone, FirstDayOfWeek: int64(s.FirstDayOfWeek), Locale: s.Locale,
		ChurnRecognition: wire.ChurnRecognition(s.ChurnRecognition), ChurnGraceDays: int64(s.ChurnGraceDays),
		NonRenewalChurn: s.NonRenewalChurn, RefundMrr: wire.RefundMrr(s.RefundMRR),
		SubtractOneTimeDiscounts: s.SubtractOneTimeDiscounts, TrialDays: int64(s.TrialDays),
	}
	if s.AutoChurnDays != nil {
		days := int64(*s.AutoChurnDays)
		out.AutoChurnDays = &days
	}
	out.Recompute = recomputeToWire(running)
	return out
}

func recomputeToWire(running *analytics.Recompute) *wire.Recompute {
	if running == nil {
		return nil
	}
	state := wire.RecomputeStateRunning
	if running.Retrying {
		state = wire.RecomputeStateRetrying
	}
	return &wire.Recompute{
		State: state, Processed: int64(running.Processed), Total: int64(running.Total), StartedAt: stampText(running.StartedAt),
	}
}
