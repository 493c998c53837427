package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// The states of people in the list of a team.
const (
	memberActive   = "active"
	memberDisabled = "disabled"
	memberPending  = "pending"
)

// GetAccountTeam implements wire.StrictServerInterface.
func (s *Server) GetAccountTeam(ctx context.Context, _ wire.GetAccountTeamRequestObject) (wire.GetAccountTeamResponseObject, error) {
	account := callerOf(ctx).Account
	members, err := s.identity.ListMembers(ctx, account)
	if err != nil {
		return nil, err
	}
	invitations, err := s.identity.ListInvitations(ctx, account)
	if err != nil {
		return nil, err
	}
	list := make([]wire.TeamMember, 0, len(members)+len(invitations))
	for _, m := range members {
		list = append(list, memberToWire(m))
	}
	for _, i := range invitations {
		expires := stampText(i.ExpiresAt)
		list = append(list, wire.TeamMember{
			Id: i.Email, Email: i.Email, Role: wire.Role(i.Role), Status: memberPending, Since: stampText(i.CreatedAt),
			ExpiresAt: &expires, CreatedVia: textOrNull(i.CreatedVia),
		})
	}
	return wire.GetAccountTeam200JSONResponse{Result: wire.TeamPage{Count: int64(len(list)), List: list}}, nil
}

// PostAccountTeamInvite implements wire.StrictServerInterface.
func (s *Server) PostAccountTeamInvite(ctx context.Context, request wire.PostAccountTeamInviteRequestObject) (wire.PostAccountTeamInviteResponseObject, error) {
	role := identity.Readonly
	if request.Body.Role != nil {
		var err error
		if role, err = identity.ParseRole(*request.Body.Role); err != nil {
			return nil, err
		}
	}
	if err := mayAppoint(ctx, role); err != nil {
		return nil, err
	}
	i, secret, err := s.identity.Invite(ctx, callerOf(ctx), request.Body.Email, role)
	if errors.Is(err, identity.ErrExists) {
		return nil, &httpx.Error{Status: http.StatusConflict, Code: "already_exists", Message: "this address is a member or invited already; use PUT /account/team/{id} or POST /account/team/resend/{email}"}
	}
	if err != nil {
		return nil, err
	}
	return wire.PostAccountTeamInvite201JSONResponse(s.invitationToWire(i, secret)), nil
}

// PostAccountTeamResendEmail implements wire.StrictServerInterface.
func (s *Server) PostAccountTeamResendEmail(ctx context.Context, request wire.PostAccountTeamResendEmailRequestObject) (wire.PostAccountTeamResendEmailResponseObject, error) {
	if err := s.mayHandleInvitation(ctx, request.Email); err != nil {
		return nil, err
	}
	i, secret, err := s.identity.RenewInvitation(ctx, callerOf(ctx).Account, request.Email)
	if err != nil {
		return nil, invitationError(request.Email, err)
	}
	return wire.PostAccountTeamResendEmail200JSONResponse(s.invitationToWire(i, secret)), nil
}

// DeleteAccountTeamInvitesEmail implements wire.StrictServerInterface.
func (s *Server) DeleteAccountTeamInvitesEmail(ctx context.Context, request wire.DeleteAccountTeamInvitesEmailRequestObject) (wire.DeleteAccountTeamInvitesEmailResponseObject, error) {
	if err := s.mayHandleInvitation(ctx, request.Email); err != nil {
		return nil, err
	}
	if err := s.identity.DeleteInvitation(ctx, callerOf(ctx).Account, request.Email); err != nil {
		return nil, invitationError(request.Email, err)
	}
	return wire.DeleteAccountTeamInvitesEmail200JSONResponse{DoneJSONResponse: done(strings.ToLower(request.Email))}, nil
}

// PutAccountTeamId implements wire.StrictServerInterface.
func (s *Server) PutAccountTeamId(ctx context.Context, request wire.PutAccountTeamIdRequestObject) (wire.PutAccountTeamIdResponseObject, error) {
	role, err := identity.ParseRole(request.Body.Role)
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, request.Id)
	if err != nil {
		return nil, err
	}
	if err := mayAppoint(ctx, m.Role, role); err != nil {
		return nil, err
	}
	account := callerOf(ctx).Account
	if err := s.identity.SetRole(ctx, account, m.User, role); err != nil {
		return nil, memberError(request.Id, err)
	}
	if m, err = s.identity.Member(ctx, account, m.User); err != nil {
		return nil, memberError(request.Id, err)
	}
	return wire.PutAccountTeamId200JSONResponse(memberToWire(m)), nil
}

// DeleteAccountTeamId implements wire.StrictServerInterface.
func (s *Server) DeleteAccountTeamId(ctx context.Context, request wire.DeleteAccountTeamIdRequestObject) (wire.DeleteAccountTeamIdResponseObject, error) {
	m, err := s.member(ctx, request.Id)
	if err != nil {
		return nil, err
	}
	if err := mayAppoint(ctx, m.Role); err != nil {
		return nil, err
	}
	if err := s.identity.RemoveMember(ctx, callerOf(ctx).Account, m.User); err != nil {
		return nil, memberError(request.Id, err)
	}
	return wire.DeleteAccountTeamId200JSONResponse{DoneJSONResponse: done(m.User)}, nil
}

// mayAppoint refuses to give or take a role above the caller's. A writing key of
// an owner has an owner's say here.
func mayAppoint(ctx context.Context, roles ...identity.Role) error {
	caller := callerOf(ctx)
	for _, role := range roles {
		if !caller.IsOwner() && !caller.Role.Covers(role) {
			return forbidden("only an owner of the account can make, unmake or remove an owner")
		}
	}
	return nil
}

// mayHandleInvitation refuses the invitation of an owner to others.
func (s *Server) mayHandleInvitation(ctx context.Context, email string) error {
	list, err := s.identity.ListInvitations(ctx, callerOf(ctx).Account)
	if err != nil {
		return err
	}
	for _, i := range list {
		if strings.EqualFold(i.Email, strings.TrimSpace(email)) {
			return mayAppoint(ctx, i.Role)
		}
	}
	return invitationError(email, identity.ErrNotFound)
}

// member finds a member by id, or by the address that people know.
func (s *Server) member(ctx context.Context, id string) (identity.Member, error) {
	account := callerOf(ctx).Account
	if strings.Contains(id, "@") {
		members, err := s.identity.ListMembers(ctx, account)
		if err != nil {
			return identity.Member{}, err
		}
		for _, m := range members {
			if strings.EqualFold(m.Email, id) {
				return m, nil
			}
		}
		return identity.Member{}, memberError(id, identity.ErrNotFound)
	}
	m, err := s.identity.Member(ctx, account, strings.ToLower(id))
	return m, memberError(id, err)
}

func memberError(id string, err error) error {
	if errors.Is(err, identity.ErrNotFound) {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("no member has the id %q; GET /account/team lists them", clip(id))}
	}
	return err
}

func invitationError(email string, err error) error {
	if errors.Is(err, identity.ErrNotFound) {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("nobody is invited as %q; GET /account/team lists invitations", clip(email))}
	}
	return err
}

func memberToWire(m identity.Member) wire.TeamMember {
	out := wire.TeamMember{
		Id: m.User, Email: m.Email, Name: textOrNull(strings.TrimSpace(m.FirstName + " " + m.LastName)), Role: wire.Role(m.Role),
		Status: memberActive, Since: stampText(m.Since), CreatedVia: textOrNull(m.CreatedVia),
	}
	if m.Disabled {
		out.Status = memberDisabled
	}
	if !m.LastSignIn.IsZero() {
		at := stampText(m.LastSignIn)
		out.LastLogin = &at
	}
	return out
}

// invitationToWire shows an invitation with its link, which leads to the pages of
// this server, if it shows any.
func (s *Server) invitationToWire(i identity.Invitation, secret identity.Opaque) wire.TeamInvitation {
	out := wire.TeamInvitation{
		Success: true, Id: i.Email, Email: i.Email, Role: wire.Role(i.Role), Status: memberPending,
		Invitation: secret.Reveal(), ExpiresAt: stampText(i.ExpiresAt),
	}
	if origin := s.pages(); origin != "" {
		link := origin + "/invitation?" + url.Values{"token": {secret.Reveal()}}.Encode()
		out.Link = &link
	}
	return out
}
