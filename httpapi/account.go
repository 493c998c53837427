package httpapi

import (
	"context"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetAccount implements wire.StrictServerInterface.
func (s *Server) GetAccount(ctx context.Context, _ wire.GetAccountRequestObject) (wire.GetAccountResponseObject, error) {
	account, err := s.accountToWire(ctx)
	if err != nil {
		return nil, err
	}
	return wire.GetAccount200JSONResponse(account), nil
}

// GetAccountProfile implements wire.StrictServerInterface.
func (s *Server) GetAccountProfile(ctx context.Context, _ wire.GetAccountProfileRequestObject) (wire.GetAccountProfileResponseObject, error) {
	user, err := s.identity.User(ctx, callerOf(ctx).User)
	if err != nil {
		return nil, err
	}
	account, err := s.accountToWire(ctx)
	if err != nil {
		return nil, err
	}
	return wire.GetAccountProfile200JSONResponse{
		Id: account.Id, Name: account.Name, Email: user.Email,
		BaseCurrency: account.BaseCurrency, Timezone: account.Timezone, CreatedAt: account.CreatedAt,
	}, nil
}

// PostAccount implements wire.StrictServerInterface.
func (s *Server) PostAccount(ctx context.Context, request wire.PostAccountRequestObject) (wire.PostAccountResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.AccountUpdate{}); err != nil {
		return nil, err
	}
	b, caller := request.Body, callerOf(ctx)
	if b.Name == nil && b.BaseCurrency == nil && b.Timezone == nil && b.FirstDayOfWeek == nil {
		return nil, httpx.Field("name", "send name, base_currency, timezone or first_day_of_week")
	}
	if b.Name != nil {
		if err := identity.CheckName("name", *b.Name); err != nil {
			return nil, err // before anything is changed
		}
	}
	if b.BaseCurrency != nil || b.Timezone != nil || b.FirstDayOfWeek != nil {
		_, err := s.engine.UpdateSettings(ctx, caller.Account, analytics.SettingsPatch{
			BaseCurrency: b.BaseCurrency, Timezone: b.Timezone, FirstDayOfWeek: intOf(b.FirstDayOfWeek),
		})
		if err != nil {
			return nil, err
		}
	}
	if b.Name != nil {
		if err := s.identity.RenameAccount(ctx, caller.Account, *b.Name); err != nil {
			return nil, err
		}
	}
	account, err := s.accountToWire(ctx)
	if err != nil {
		return nil, err
	}
	return wire.PostAccount200JSONResponse(account), nil
}

// DeleteAccount implements wire.StrictServerInterface.
func (s *Server) DeleteAccount(ctx context.Context, _ wire.DeleteAccountRequestObject) (wire.DeleteAccountResponseObject, error) {
	if err := ownersOnly(ctx); err != nil {
		return nil, err
	}
	a, err := s.identity.CloseAccount(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	return wire.DeleteAccount200JSONResponse{Success: true, Id: a.ID, DeletedAt: stampText(a.DeletesAt())}, nil
}

// PostAccountUndoDeletion implements wire.StrictServerInterface.
func (s *Server) PostAccountUndoDeletion(ctx context.Context, _ wire.PostAccountUndoDeletionRequestObject) (wire.PostAccountUndoDeletionResponseObject, error) {
	if err := ownersOnly(ctx); err != nil {
		return nil, err
	}
	if err := s.identity.ReopenAccount(ctx, callerOf(ctx).Account); err != nil {
		return nil, err
	}
	return wire.PostAccountUndoDeletion200JSONResponse{Success: true}, nil
}

// ownersOnly refuses what is for the account's owners alone.
func ownersOnly(ctx context.Context) error {
	if !callerOf(ctx).IsOwner() {
		return forbidden("this is for owners of the account; use a key of an owner that may write")
	}
	return nil
}

func (s *Server) accountToWire(ctx context.Context) (wire.Account, error) {
	caller := callerOf(ctx)
	account, err := s.identity.Account(ctx, caller.Account)
	if err != nil {
		return wire.Account{}, err
	}
	settings, err := s.engine.Settings(ctx, caller.Account)
	if err != nil {
		return wire.Account{}, err
	}
	sources, err := s.engine.Sources(ctx, caller.Account)
	if err != nil {
		return wire.Account{}, err
	}
	refs := make([]wire.DataSourceRef, 0, len(sources))
	for _, source := range sources {
		refs = append(refs, wire.DataSourceRef{Id: source.ID, Name: &source.Name, Type: source.Type})
	}
	out := wire.Account{
		Id: account.ID, Name: account.Name, CreatedAt: stampText(account.CreatedAt), Role: wire.Role(caller.Role),
		BaseCurrency: settings.BaseCurrency, Timezone: settings.Timezone, FirstDayOfWeek: int64(settings.FirstDayOfWeek), DataSources: refs,
	}
	if at := account.DeletesAt(); !at.IsZero() {
		text := stampText(at)
		out.DeletedAt = &text
	}
	return out, nil
}
