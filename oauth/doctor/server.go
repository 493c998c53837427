package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// serverMetadata reads the authorization server's metadata (RFC 8414).
func (e *examination) serverMetadata(ctx context.Context) bool {
	const check = "the authorization server metadata"
	issuer, err := url.Parse(e.issuer)
	if err != nil || issuer.Host == "" {
		e.problem(check, fmt.Sprintf("the authorization server is called %q, which is no URL", e.issuer), "set --public-url", Clients...)
		return false
	}
	at := issuer.Scheme + "://" + issuer.Host + "/.well-known/oauth-authorization-server" + strings.TrimSuffix(issuer.EscapedPath(), "/")
	d, problem, mend := e.fetch(ctx, at)
	if problem != "" {
		e.problem(check, problem, mend, Clients...)
		return false
	}
	e.authorization = d
	if d.text("issuer") != e.issuer {
		e.problem(check, fmt.Sprintf("its issuer is %q, the resource names %q (RFC 8414, section 3.3)", d.text("issuer"), e.issuer), "set --public-url to the origin that clients use", Clients...)
		return false
	}
	var bad []Finding
	for _, endpoint := range []string{"authorization_endpoint", "token_endpoint"} {
		u, err := url.Parse(d.text(endpoint))
		if err != nil || u.Host == "" || u.Scheme != issuer.Scheme {
			bad = append(bad, Finding{Problem: fmt.Sprintf("%s is %q", endpoint, d.text(endpoint)), Mend: "set --public-url to the origin that clients use", Fails: Clients})
		}
	}
	if len(bad) > 0 {
		e.verdict(check, bad)
		return false
	}
	need := func(name, value, mend string, clients ...string) {
		if !slices.Contains(d.list(name), value) {
			bad = append(bad, Finding{Problem: fmt.Sprintf("%s lacks %q", name, value), Mend: mend, Fails: clients})
		}
	}
	need("response_types_supported", "code", "offer the authorization code flow", Clients...)
	need("code_challenge_methods_supported", "S256", "advertise PKCE: clients refuse a server that does not", Clients...)
	need("token_endpoint_auth_methods_supported", "none", "accept public clients; without it Claude falls back to registration, and others fail", Cursor, VSCode, MCPRemote)
	need("grant_types_supported", "refresh_token", "offer refresh tokens, or people have to sign in again all the time")
	need("scopes_supported", "offline_access", "advertise it: ChatGPT refreshes only where it is offered")
	if d.text("registration_endpoint") == "" && !d.yes("client_id_metadata_document_supported") {
		bad = append(bad, Finding{Problem: "clients can neither register nor present a metadata document", Mend: "offer dynamic registration (RFC 7591)", Fails: Clients})
	}
	if !d.yes("client_id_metadata_document_supported") {
		bad = append(bad, Finding{Problem: "client ID metadata documents are not supported", Mend: "support them, so that clients need not register anew"})
	}
	if !d.yes("authorization_response_iss_parameter_supported") {
		bad = append(bad, Finding{Problem: "the iss parameter is not advertised (RFC 9207)", Mend: "switch it on with --emit-iss: ChatGPT then uses one redirect URI for all connectors"})
	}
	if names := d.empty(); len(names) > 0 {
		bad = append(bad, Finding{Problem: "empty members: " + strings.Join(names, ", "), Mend: "leave out what does not apply", Fails: []string{Claude}})
	}
	e.verdict(check, bad)
	return true
}

// otherMetadata asks where clients look before or after: a server error there
// ends the discovery of some.
func (e *examination) otherMetadata(ctx context.Context) bool {
	var bad []Finding
	for _, at := range []string{
		e.wellKnown("oauth-authorization-server", true), e.wellKnown("openid-configuration", true), e.wellKnown("openid-configuration", false),
		strings.TrimSuffix(e.cfg.URL, "/") + "/.well-known/openid-configuration",
	} {
		a, err := e.send(ctx, http.MethodGet, at, nil, "Accept", "application/json", "MCP-Protocol-Version", testVersion)
		switch {
		case err != nil:
			bad = append(bad, Finding{Problem: at + ": " + err.Error(), Mend: "answer with 404", Fails: []string{Cursor, MCPRemote}})
		case a.status >= 500:
			bad = append(bad, Finding{Problem: fmt.Sprintf("%s is answered with %d", at, a.status), Mend: "answer with 404 what does not exist", Fails: []string{Cursor, MCPRemote}})
		case a.status == http.StatusOK && !a.isJSON():
			bad = append(bad, Finding{Problem: at + " is a page: " + a.says(), Mend: "do not let a web application answer below /.well-known/", Fails: []string{Claude, Cursor}})
		}
	}
	e.verdict("where else clients look", bad)
	return true
}

// crossOrigin asks as a browser does before pages such as the Inspector call.
func (e *examination) crossOrigin(ctx context.Context) bool {
	var bad []Finding
	const origin = "http://localhost:6274"
	for _, at := range []string{e.metadata, e.issuer + "/.well-known/oauth-authorization-server", e.authorization.text("token_endpoint"), e.authorization.text("registration_endpoint")} {
		if at == "" {
			continue
		}
		a, err := e.send(ctx, http.MethodOptions, at, nil, "Origin", origin, "Access-Control-Request-Method", http.MethodPost,
			"Access-Control-Request-Headers", "content-type,mcp-protocol-version")
		if err != nil {
			continue // another check tells
		}
		allowed := a.header.Get("Access-Control-Allow-Origin")
		switch {
		case a.status >= 300 || allowed != "*" && allowed != origin:
			bad = append(bad, Finding{Problem: fmt.Sprintf("%s does not let web pages call it (OPTIONS is %d)", at, a.status), Mend: "let OPTIONS reach the server; only clients in a browser need it"})
		case !strings.Contains(strings.ToLower(a.header.Get("Access-Control-Allow-Headers")), "mcp-protocol-version"):
			bad = append(bad, Finding{Problem: at + " does not accept the header MCP-Protocol-Version from web pages", Mend: "allow it"})
		}
	}
	e.verdict("calls from web pages", bad)
	return true
}

// tokens sends grants that cannot be good: what clients do next depends on the
// exact error.
func (e *examination) tokens(ctx context.Context) bool {
	var bad []Finding
	at := e.authorization.text("token_endpoint")
	try := func(what string, form url.Values, status int, code string, clients ...string) {
		a, err := e.send(ctx, http.MethodPost, at, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
		if err != nil {
			problem, mend := unreachable(err)
			bad = append(bad, Finding{Problem: what + ": " + problem, Mend: mend, Fails: Clients})
			return
		}
		if a.status != status || !strings.Contains(string(a.body), `"`+code+`"`) {
			bad = append(bad, Finding{
				Problem: fmt.Sprintf("%s is answered with %d (%s), not with %d %s", what, a.status, a.says(), status, code),
				Mend:    "let the proxy pass errors of the token endpoint on as they are", Fails: clients,
			})
		}
	}
	if e.client != "" {
		try("a refresh token that is not good", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"gpr_doctor"}, "client_id": {e.client}},
			http.StatusBadRequest, "invalid_grant", Claude)
		try("a code that is not good", url.Values{
			"grant_type": {"authorization_code"}, "code": {"gpc_doctor"}, "client_id": {e.client}, "redirect_uri": {claudeRedirect}, "code_verifier": {strings.Repeat("a", 43)},
		}, http.StatusBadRequest, "invalid_grant", Claude)
	}
	try("a client that is not registered", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"gpr_doctor"}, "client_id": {"gpcl_doctor"}},
		http.StatusUnauthorized, "invalid_client", Claude)
	e.verdict("the token endpoint", bad)
	return true
}
