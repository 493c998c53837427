package httpapi

import (
	"context"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetProfile implements wire.StrictServerInterface.
func (s *Server) GetProfile(ctx context.Context, _ wire.GetProfileRequestObject) (wire.GetProfileResponseObject, error) {
	u, err := s.identity.User(ctx, callerOf(ctx).User)
	if err != nil {
		return nil, err
	}
	profile, err := s.profileToWire(ctx, u)
	if err != nil {
		return nil, err
	}
	return wire.GetProfile200JSONResponse(profile), nil
}

// PutProfile implements wire.StrictServerInterface.
func (s *Server) PutProfile(ctx context.Context, request wire.PutProfileRequestObject) (wire.PutProfileResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.ProfileUpdate{}); err != nil {
		return nil, err
	}
	b := request.Body
	u, err := s.identity.UpdateProfile(ctx, callerOf(ctx).User, identity.ProfilePatch{
		FirstName: b.FirstName, LastName: b.LastName, Locale: b.Locale, Timezone: b.Timezone,
	})
	if err != nil {
		return nil, err
	}
	profile, err := s.profileToWire(ctx, u)
	if err != nil {
		return nil, err
	}
	return wire.PutProfile200JSONResponse(profile), nil
}

// profileToWire shows the accounts that the caller's credential can see: a key is
// for one account and tells nothing of its user's others.
func (s *Server) profileToWire(ctx context.Context, u identity.User) (wire.Profile, error) {
	caller := callerOf(ctx)
	accounts, err := s.identity.Memberships(ctx, u.ID)
	if err != nil {
		return wire.Profile{}, err
	}
	profile := wire.Profile{
		Id: u.ID, Email: u.Email, FirstName: textOrNull(u.FirstName), LastName: textOrNull(u.LastName),
		Locale: textOrNull(u.Locale), Timezone: textOrNull(u.Timezone), Accounts: []wire.ProfileAccount{},
	}
	for _, m := range accounts {
		if caller.Account != "" && m.Account.ID != caller.Account {
			continue
		}
		currency, err := s.engine.BaseCurrency(ctx, m.Account.ID)
		if err != nil {
			return wire.Profile{}, err
		}
		profile.Accounts = append(profile.Accounts, wire.ProfileAccount{
			Id: m.Account.ID, Name: m.Account.Name, Role: wire.Role(m.Role), BaseCurrency: currency,
		})
	}
	return profile, nil
}
