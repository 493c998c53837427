package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetAuthMethods implements wire.StrictServerInterface.
func (s *Server) GetAuthMethods(context.Context, wire.GetAuthMethodsRequestObject) (wire.GetAuthMethodsResponseObject, error) {
	methods := wire.AuthMethods{Password: true, Signup: s.identity.SignUpAllowed(), Providers: []wire.AuthProvider{}}
	for _, p := range s.identity.Providers() {
		methods.Providers = append(methods.Providers, wire.AuthProvider{Id: p.ID, Name: p.Name})
	}
	return wire.GetAuthMethods200JSONResponse(methods), nil
}

// PostAuthSignIn implements wire.StrictServerInterface.
func (s *Server) PostAuthSignIn(ctx context.Context, request wire.PostAuthSignInRequestObject) (wire.PostAuthSignInResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.SignIn{}); err != nil {
		return nil, err
	}
	b := request.Body
	signed, err := s.identity.SignIn(ctx, identity.SignIn{
		Email: given(b.Email), Password: given(b.Password), Provider: given(b.Provider), IDToken: given(b.IdToken), Nonce: given(b.Nonce),
		Invitation: given(b.Invitation), FirstName: given(b.FirstName), LastName: given(b.LastName), Session: given(b.Session),
		FromAddress: addressOf(ctx),
	})
	if limited, ok := tooManyTries(err, s.now()); ok {
		return wire.PostAuthSignIn429JSONResponse{TooManyRequestsJSONResponse: limited}, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.PostAuthSignIn200JSONResponse(sessionToWire(signed)), nil
}

// PostAuthSignUp implements wire.StrictServerInterface.
func (s *Server) PostAuthSignUp(ctx context.Context, request wire.PostAuthSignUpRequestObject) (wire.PostAuthSignUpResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.SignUp{}); err != nil {
		return nil, err
	}
	b := request.Body
	signed, err := s.identity.SignUp(ctx, identity.SignUp{
		Email: b.Email, Password: b.Password, FirstName: given(b.FirstName), LastName: given(b.LastName), AccountName: b.AccountName,
		FromAddress: addressOf(ctx),
	})
	if limited, ok := tooManyTries(err, s.now()); ok {
		return wire.PostAuthSignUp429JSONResponse{TooManyRequestsJSONResponse: limited}, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.PostAuthSignUp201JSONResponse(sessionToWire(signed)), nil
}

// PostAuthToken implements wire.StrictServerInterface.
func (s *Server) PostAuthToken(ctx context.Context, request wire.PostAuthTokenRequestObject) (wire.PostAuthTokenResponseObject, error) {
	token, expires, err := s.identity.UserToken(ctx, request.Body.Session, given(request.Body.Account))
	if err != nil {
		return nil, err
	}
	return wire.PostAuthToken200JSONResponse{Token: token, ExpiresAt: stampText(expires)}, nil
}

// PostAuthSignOut implements wire.StrictServerInterface.
func (s *Server) PostAuthSignOut(ctx context.Context, request wire.PostAuthSignOutRequestObject) (wire.PostAuthSignOutResponseObject, error) {
	if request.Body.Session == "" {
		return nil, httpx.Field("session", "is required")
	}
	if err := s.identity.SignOut(ctx, request.Body.Session); err != nil {
		return nil, err
	}
	return wire.PostAuthSignOut200JSONResponse{Success: true}, nil
}

// PostAuthPassword implements wire.StrictServerInterface.
func (s *Server) PostAuthPassword(ctx context.Context, request wire.PostAuthPasswordRequestObject) (wire.PostAuthPasswordResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PasswordChange{}); err != nil {
		return nil, err
	}
	b := request.Body
	signed, err := s.identity.ChangePassword(ctx, identity.PasswordChange{
		Session: b.Session, Old: b.CurrentPassword, New: b.NewPassword, Disconnect: b.Disconnect != nil && *b.Disconnect, FromAddress: addressOf(ctx),
	})
	if limited, ok := tooManyTries(err, s.now()); ok {
		return wire.PostAuthPassword429JSONResponse{TooManyRequestsJSONResponse: limited}, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.PostAuthPassword200JSONResponse(sessionToWire(signed)), nil
}

// PostAuthInvitation implements wire.StrictServerInterface.
func (s *Server) PostAuthInvitation(ctx context.Context, request wire.PostAuthInvitationRequestObject) (wire.PostAuthInvitationResponseObject, error) {
	if request.Body.Invitation == "" {
		return nil, httpx.Field("invitation", "is required")
	}
	i, newUser, err := s.identity.Preview(ctx, request.Body.Invitation)
	if err != nil {
		return nil, err
	}
	return wire.PostAuthInvitation200JSONResponse{
		AccountName: i.AccountName, Email: i.Email, Role: wire.Role(i.Role), ExpiresAt: stampText(i.ExpiresAt), NewUser: newUser,
	}, nil
}

// PostConnectionKeysRevoke implements wire.StrictServerInterface.
func (s *Server) PostConnectionKeysRevoke(ctx context.Context, request wire.PostConnectionKeysRevokeRequestObject) (wire.PostConnectionKeysRevokeResponseObject, error) {
	if err := s.identity.RevokeConnection(ctx, request.Body.RevocationSecret, request.Body.Keep...); err != nil {
		return nil, err
	}
	return wire.PostConnectionKeysRevoke200JSONResponse{Success: true}, nil
}

func sessionToWire(signed identity.SignedIn) wire.Session {
	return wire.Session{Session: signed.Secret.Reveal(), ExpiresAt: stampText(signed.Expires), User: userToWire(signed.User)}
}

func userToWire(u identity.User) wire.UserRef {
	return wire.UserRef{Id: u.ID, Email: u.Email, FirstName: textOrNull(u.FirstName), LastName: textOrNull(u.LastName)}
}

// tooManyTries answers a guesser with when to come back.
func tooManyTries(err error, now time.Time) (wire.TooManyRequestsJSONResponse, bool) {
	limited, ok := errors.AsType[*identity.TooManyError](err)
	if !ok {
		return wire.TooManyRequestsJSONResponse{}, false
	}
	text := limited.Error()
	wait := int64((limited.Wait + time.Second - 1) / time.Second)
	return wire.TooManyRequestsJSONResponse{
		Body:    wire.Error{Error: text, Message: text, Code: "too_many_attempts"},
		Headers: wire.TooManyRequestsResponseHeaders{RetryAfter: max(1, wait), XRateLimitLimit: int64(limited.Limit), XRateLimitReset: now.Unix() + wait},
	}, true
}

// isSignIn reports whether an unescaped path takes credentials that pages of
// other origins must not be able to try.
func isSignIn(path string) bool {
	for _, version := range [...]string{"/v1/", "/v2/"} {
		if rest, ok := strings.CutPrefix(path, version); ok {
			path = "/" + rest
			break
		}
	}
	return strings.HasPrefix(path, "/auth/") || strings.HasPrefix(path, "/connection-keys/")
}

// authErrors is the table of what clients see of failed sign-ins and the like.
func authErrors() []sentinel {
	return []sentinel{
		{identity.ErrCredentials, http.StatusUnauthorized, "invalid_credentials", ""},
		{identity.ErrSession, http.StatusUnauthorized, "session_over", ""},
		{identity.ErrSignUpDisabled, http.StatusForbidden, "signup_disabled", ""},
		{identity.ErrTaken, http.StatusConflict, "email_taken", ""},
		{identity.ErrNoAccess, http.StatusForbidden, "no_access", ""},
		{identity.ErrNotLinked, http.StatusForbidden, "not_linked", ""},
		{identity.ErrLinkedElsewhere, http.StatusConflict, "linked_elsewhere", ""},
		{identity.ErrInvitation, http.StatusNotFound, "invitation_over", ""},
		{identity.ErrProvider, http.StatusServiceUnavailable, "provider_unavailable", ""},
		{identity.ErrRevoked, http.StatusConflict, "connection_revoked", ""},
		{identity.ErrUsed, http.StatusConflict, "idempotency_conflict", ""},
		{identity.ErrClosing, http.StatusForbidden, "account_closing", ""},
		{identity.ErrLastOwner, http.StatusConflict, "last_owner", ""},
		{identity.ErrTooManyMembers, http.StatusConflict, "too_many_members", ""},
		{identity.ErrExists, http.StatusConflict, "already_exists", ""},
	}
}

func given(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
