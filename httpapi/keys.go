package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetAccountApiKeys implements wire.StrictServerInterface.
func (s *Server) GetAccountApiKeys(ctx context.Context, _ wire.GetAccountApiKeysRequestObject) (wire.GetAccountApiKeysResponseObject, error) {
	caller := callerOf(ctx)
	keys, err := s.identity.ListKeys(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	members, err := s.identity.ListMembers(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	users := make(map[string]wire.UserRef, len(members))
	for _, m := range members {
		users[m.User] = wire.UserRef{Id: m.User, Email: m.Email, FirstName: textOrNull(m.FirstName), LastName: textOrNull(m.LastName)}
	}
	slices.Reverse(keys) // newest first
	list := make([]wire.ApiKey, 0, len(keys))
	for _, k := range keys {
		user, known := users[k.User]
		if !known || !maySee(caller, k) {
			continue // a member who left meanwhile took the key along
		}
		list = append(list, keyToWire(k, user))
	}
	return wire.GetAccountApiKeys200JSONResponse{Result: wire.ApiKeyPage{Count: int64(len(list)), List: list}}, nil
}

// maySee keeps a user token to the user's own connections.
func maySee(caller identity.Caller, k identity.Key) bool {
	return !caller.ByUser || k.User == caller.User && (k.Kind == identity.Connection || k.CreatedVia != "")
}

// PostAccountApiKeys implements wire.StrictServerInterface.
func (s *Server) PostAccountApiKeys(ctx context.Context, request wire.PostAccountApiKeysRequestObject) (wire.PostAccountApiKeysResponseObject, error) {
	caller := callerOf(ctx)
	role, err := roleOf(request.Body.Role, request.Body.AccessLevel, request.Body.Permissions)
	if err != nil {
		return nil, err
	}
	if role == "" {
		role = identity.Readonly
	}
	if err := mayHandOut(ctx, role); err != nil {
		return nil, err
	}
	kind := identity.API
	if request.Body.Kind != nil {
		kind = identity.Kind(*request.Body.Kind)
	}
	if caller.ByUser != (kind == identity.Connection) {
		return nil, forbidden("connection keys are created with a user token, and nothing else is")
	}
	k, token, err := s.identity.CreateKey(ctx, identity.NewKey{
		Account: caller.Account, User: caller.User, Name: request.Body.Name, Role: role, Kind: kind, CreatedVia: caller.CreatedVia(),
		ClientName: given(request.Body.ClientName), Revocation: given(request.Body.RevocationHash), Request: given(request.Params.IdempotencyKey),
	})
	if err != nil {
		return nil, err
	}
	whole := token.Reveal()
	return wire.PostAccountApiKeys201JSONResponse{
		Id: k.ID, Name: k.Name, Role: wire.Role(k.Role), Kind: wire.ApiKeyKind(k.Kind), CreatedAt: stampText(k.CreatedAt),
		ApiKey: whole, Key: whole, AccessToken: whole,
	}, nil
}

// PutAccountApiKeysId implements wire.StrictServerInterface.
func (s *Server) PutAccountApiKeysId(ctx context.Context, request wire.PutAccountApiKeysIdRequestObject) (wire.PutAccountApiKeysIdResponseObject, error) {
	role, err := roleOf(request.Body.Role, request.Body.AccessLevel, request.Body.Permissions)
	if err != nil {
		return nil, err
	}
	if role == "" && request.Body.Name == nil {
		return nil, httpx.Field("name", "send name, role or both")
	}
	account := callerOf(ctx).Account
	old, err := s.identity.Key(ctx, account, request.Id)
	if err != nil {
		return nil, keyError(request.Id, err)
	}
	if err := mayHandOut(ctx, old.Role, role); err != nil {
		return nil, err
	}
	if old.Kind == identity.Connection && role != "" && !old.Role.Covers(role) {
		return nil, forbidden("the role of a connection is what its user allowed; to allow more, they connect again")
	}
	var name string
	if request.Body.Name != nil {
		if name = *request.Body.Name; name == "" {
			return nil, httpx.Field("name", "must not be empty; leave it out to keep the name")
		}
	}
	k, err := s.identity.UpdateKey(ctx, account, request.Id, name, role)
	if err != nil {
		return nil, keyError(request.Id, err)
	}
	user, err := s.identity.User(ctx, k.User)
	if err != nil {
		return nil, err
	}
	return wire.PutAccountApiKeysId200JSONResponse(keyToWire(k, userToWire(user))), nil
}

// DeleteAccountApiKeysId implements wire.StrictServerInterface.
func (s *Server) DeleteAccountApiKeysId(ctx context.Context, request wire.DeleteAccountApiKeysIdRequestObject) (wire.DeleteAccountApiKeysIdResponseObject, error) {
	caller := callerOf(ctx)
	k, err := s.identity.Key(ctx, caller.Account, request.Id)
	if err == nil && !maySee(caller, k) {
		err = identity.ErrNotFound
	}
	if err != nil {
		return nil, keyError(request.Id, err)
	}
	keep := listOf(request.Params.Keep)
	if len(keep) > 0 && caller.CreatedVia() != "" {
		return nil, forbidden("a connection cannot choose what outlives one; it is for people to choose")
	}
	// A member's role may have been lowered since they connected an assistant;
	// it still is theirs to disconnect.
	if !caller.ByUser {
		if err := mayHandOut(ctx, k.Role); err != nil {
			return nil, err
		}
	}
	if err := s.identity.DeleteKey(ctx, caller.Account, k.ID, keep...); err != nil {
		return nil, keyError(request.Id, err)
	}
	return wire.DeleteAccountApiKeysId200JSONResponse{DoneJSONResponse: done(k.ID)}, nil
}

// The kinds of things that a connection can create.
const (
	createdKey        = "api_key"
	createdInvitation = "invitation"
	createdWebhook    = "webhook"
	createdMember     = "member" // by accepting an invitation; stays
)

// GetAccountApiKeysIdCreated implements wire.StrictServerInterface.
func (s *Server) GetAccountApiKeysIdCreated(ctx context.Context, request wire.GetAccountApiKeysIdCreatedRequestObject) (wire.GetAccountApiKeysIdCreatedResponseObject, error) {
	caller := callerOf(ctx)
	k, err := s.identity.Key(ctx, caller.Account, request.Id)
	if err == nil && !maySee(caller, k) {
		err = identity.ErrNotFound
	}
	if err != nil {
		return nil, keyError(request.Id, err)
	}
	keys, err := s.identity.ListKeys(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	invitations, err := s.identity.ListInvitations(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	members, err := s.identity.ListMembers(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	hooks, err := s.hooks.List(ctx, caller.Account)
	if err != nil {
		return nil, err
	}
	things := []wire.CreatedThing{}
	add := func(via, id, kind, name, detail string, at time.Time) {
		if via == k.ID {
			things = append(things, wire.CreatedThing{Id: id, Kind: kind, Name: name, Detail: textOrNull(detail), CreatedAt: stampText(at)})
		}
	}
	for _, made := range keys {
		add(made.CreatedVia, made.ID, createdKey, made.Name, string(made.Role), made.CreatedAt)
	}
	for _, i := range invitations {
		add(i.CreatedVia, i.Email, createdInvitation, i.Email, string(i.Role), i.CreatedAt)
	}
	for _, m := range members {
		add(m.CreatedVia, m.User, createdMember, m.Email, string(m.Role), m.Since)
	}
	for _, h := range hooks {
		add(h.CreatedVia, h.ID, createdWebhook, hookToWire(ctx, h).Url, h.Event, h.Created)
	}
	return wire.GetAccountApiKeysIdCreated200JSONResponse{Result: things}, nil
}

// mayHandOut refuses roles above the caller's own: an admin key can neither
// make an owner key nor take one away.
func mayHandOut(ctx context.Context, roles ...identity.Role) error {
	caller := callerOf(ctx)
	for _, role := range roles {
		if role != "" && !caller.Role.Covers(role) {
			return forbidden(fmt.Sprintf("this takes an %s key", role))
		}
	}
	return nil
}

// roleOf returns the role that a body names under any of its three names, ""
// when it names none.
func roleOf(names ...*string) (identity.Role, error) {
	var found identity.Role
	for _, name := range names {
		if name == nil {
			continue
		}
		role, err := identity.ParseRole(*name)
		if err != nil {
			return "", err
		}
		if found != "" && role != found {
			return "", httpx.Field("role", "role, access_level and permissions are one thing and must agree")
		}
		found = role
	}
	return found, nil
}

func keyError(id string, err error) error {
	if errors.Is(err, identity.ErrNotFound) {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("no API key has the id %q", clip(id))}
	}
	return err
}

// listOf takes ids apart that are separated by commas.
func listOf(text *string) []string {
	return strings.FieldsFunc(given(text), func(r rune) bool { return r == ',' || r == ' ' })
}

func keyToWire(k identity.Key, user wire.UserRef) wire.ApiKey {
	out := wire.ApiKey{
		Id: k.ID, Name: k.Name, Role: wire.Role(k.Role), AccessLevel: wire.Role(k.Role), Kind: wire.ApiKeyKind(k.Kind),
		ClientName: textOrNull(k.ClientName), CreatedVia: textOrNull(k.CreatedVia), User: user,
		Prefix: k.Prefix(), CreatedAt: stampText(k.CreatedAt),
	}
	if !k.LastUsed.IsZero() {
		used := stampText(k.LastUsed)
		out.LastUsed = &used
	}
	return out
}

// stampText is how the contract writes times.
func stampText(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

func done(id string) wire.DoneJSONResponse { return wire.DoneJSONResponse{Success: true, Id: id} }
