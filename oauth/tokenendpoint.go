package oauth

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// The grant types there are.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// tokenRate bounds what one address can make the store do. It guards no secret:
// codes and tokens have 256 random bits.
func tokenRate() Rate { return Rate{Burst: 600, Interval: 50 * time.Millisecond} }

// tokenAnswer is RFC 6749 §5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

// token exchanges codes and refresh tokens. What every grant needs happens here,
// so that none can forget it: the form, the client, the resource.
func (e *Endpoints) token(w http.ResponseWriter, r *http.Request) error {
	form, client, err := e.authenticated(r, "token")
	if err != nil {
		return err
	}
	resource := ""
	if names := form.Resources(); len(names) > 0 {
		canonical, fault := e.cfg.Resources.Resolve(names)
		if fault != nil {
			return fault
		}
		resource = canonical
	}
	var tokens Tokens
	switch form.Get("grant_type") {
	case grantCode:
		tokens, err = e.redeem(r, form, client, resource)
	case grantRefresh:
		tokens, err = e.refresh(r, form, client, resource)
	case "":
		return &protocol.Error{Code: protocol.InvalidRequest, Description: "grant_type is missing"}
	default:
		return &protocol.Error{Code: protocol.UnsupportedGrantType, Description: "grant_type must be authorization_code or refresh_token"}
	}
	if err != nil {
		return err
	}
	e.cfg.Clients.Used(r.Context(), client)
	httpx.WriteJSON(w, http.StatusOK, tokenAnswer{
		AccessToken: tokens.Access.Reveal(), TokenType: "Bearer", ExpiresIn: int64(tokens.ExpiresIn / time.Second),
		RefreshToken: tokens.Refresh.Reveal(), Scope: tokens.Scope,
	})
	return nil
}

// authenticated reads the form of a request and finds its client.
func (e *Endpoints) authenticated(r *http.Request, endpoint string) (protocol.Params, *Client, error) {
	from := Address(r)
	if err := e.limit(r.Context(), endpoint, from, tokenRate()); err != nil {
		return protocol.Params{}, nil, err
	}
	form, err := protocol.ReadForm(r)
	if err != nil {
		return protocol.Params{}, nil, err
	}
	presented, err := protocol.ReadCredentials(r.Header, form)
	if err != nil {
		return protocol.Params{}, nil, err
	}
	client, err := e.cfg.Clients.Authenticate(withAddress(r.Context(), from), presented)
	if err != nil {
		e.refusedClient(r, presented.ClientID, from, err)
		return protocol.Params{}, nil, err
	}
	httpx.Annotate(r.Context(), slog.String("client", client.Label()))
	return form, client, nil
}

// refusedClient tells the audit log why; the client learns only that.
func (e *Endpoints) refusedClient(r *http.Request, id string, from netip.Addr, err error) {
	fault, ok := errors.AsType[*protocol.Error](err)
	if !ok {
		return
	}
	e.cfg.Logger.InfoContext(r.Context(), "client refused", slog.Any("error", err))
	e.cfg.Audit(r.Context(), AuditEvent{Action: ActionRefused, Reason: string(fault.Code), Client: shortName(id), Address: from})
}

// shortName is a client id that a stranger sent, as a log can hold it.
func shortName(id string) string {
	if len(id) > maxClientID {
		return recordID(id)
	}
	return auditName(id)
}

func (e *Endpoints) redeem(r *http.Request, form protocol.Params, client *Client, resource string) (Tokens, error) {
	if !form.Has("code") {
		return Tokens{}, &protocol.Error{Code: protocol.InvalidRequest, Description: "code is missing"}
	}
	// Every code has a challenge, so a verifier can never be left out.
	if fault := protocol.CheckVerifier(form.Get("code_verifier")); fault != nil {
		return Tokens{}, fault
	}
	return e.cfg.Grants.RedeemCode(r.Context(), RedeemRequest{
		Code: NewSecret(form.Get("code")), Client: client.ID, Verifier: NewSecret(form.Get("code_verifier")),
		Redirect: form.Get("redirect_uri"), Resource: resource, Address: Address(r),
	})
}

func (e *Endpoints) refresh(r *http.Request, form protocol.Params, client *Client, resource string) (Tokens, error) {
	if !form.Has("refresh_token") {
		return Tokens{}, &protocol.Error{Code: protocol.InvalidRequest, Description: "refresh_token is missing"}
	}
	// offline_access gives nothing that could be asked for too much.
	asked := protocol.ParseScope(form.Get("scope")) &^ protocol.Offline
	return e.cfg.Grants.Refresh(r.Context(), RefreshRequest{
		Token: NewSecret(form.Get("refresh_token")), Client: client.ID, Scope: asked.String(), Resource: resource, Address: Address(r),
	})
}

// revoke ends the family of a token (RFC 7009). A token that is not the
// client's changes nothing and is no error.
func (e *Endpoints) revoke(w http.ResponseWriter, r *http.Request) error {
	form, client, err := e.authenticated(r, "revoke")
	if err != nil {
		return err
	}
	if !form.Has("token") {
		return &protocol.Error{Code: protocol.InvalidRequest, Description: "token is missing"}
	}
	if err := e.cfg.Grants.RevokeToken(r.Context(), NewSecret(form.Get("token")), client.ID, Address(r)); err != nil {
		return err
	}
	httpx.WriteJSON(w, http.StatusOK, struct{}{})
	return nil
}
