package oauth

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// introspectUser is who may introspect tokens; the operator sets the password.
const introspectUser = "introspect"

// introspectFailures bounds how often a password can be guessed.
func introspectFailures() Rate { return Rate{Burst: 10, Interval: 6 * time.Second} }

// introspection is RFC 7662 §2.2. An inactive token has nothing but active.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Subject   string `json:"sub,omitempty"` // user id
	Username  string `json:"username,omitempty"`
	Account   string `json:"account,omitempty"` // account id
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
}

// introspect tells an operator's own service about a token. It neither opens the
// API key nor counts as a use.
func (e *Endpoints) introspect(w http.ResponseWriter, r *http.Request) error {
	form, err := protocol.ReadForm(r)
	if err != nil {
		return err
	}
	presented, err := protocol.ReadCredentials(r.Header, form)
	password := sha256.Sum256([]byte(e.cfg.IntrospectionSecret.Reveal()))
	if err != nil || !presented.Header || presented.ClientID != introspectUser || !presented.SecretIs(password) {
		if err := e.limit(r.Context(), "introspect", Address(r), introspectFailures()); err != nil {
			return err
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="GrowPanel introspection"`)
		return &protocol.Error{Code: protocol.InvalidClient, Description: "introspection needs Basic with the user introspect and its secret"}
	}
	if !form.Has("token") {
		return &protocol.Error{Code: protocol.InvalidRequest, Description: "token is missing"}
	}
	info, err := e.cfg.Grants.Inspect(r.Context(), NewSecret(form.Get("token")))
	if err != nil {
		return err
	}
	httpx.WriteJSON(w, http.StatusOK, e.describe(info))
	return nil
}

func (e *Endpoints) describe(info TokenInfo) introspection {
	if !info.Active {
		return introspection{}
	}
	return introspection{
		Active: true, Scope: info.Scope, ClientID: info.Grant.Client, TokenType: info.Kind,
		Subject: info.Grant.User, Username: info.Grant.UserName, Account: info.Grant.Account, Audience: info.Grant.Resource,
		Issuer: e.cfg.Resources.Issuer(), IssuedAt: info.IssuedAt.Unix(), ExpiresAt: info.ExpiresAt.Unix(),
	}
}
