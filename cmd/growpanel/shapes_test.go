package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/config"
)

// shape is how one assistant goes about connecting, as seen on the wire.
type shape struct {
	name, agent  string
	registration string   // body of POST /register
	redirect     string   // of the authorization request
	scope        string   // likewise; "-" sends none
	more         []string // further parameters of the authorization request
	basic        bool     // the secret goes into the Authorization header
	sendRedirect bool     // at the token endpoint as well
	refreshScope string   // of the refresh request, if it sends one
}

func shapes() []shape {
	return []shape{
		{
			name: "claude.ai", agent: "python-httpx/0.28.1", scope: " claudeai", sendRedirect: true,
			registration: `{"client_name":"Claude","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_post","scope":" claudeai","redirect_uris":["https://claude.ai/api/mcp/auth_callback"]}`,
			redirect:     "https://claude.ai/api/mcp/auth_callback",
		},
		{
			name: "claude.ai without a secret", agent: "python-httpx/0.28.1", scope: "growpanel.read growpanel.write offline_access", sendRedirect: true,
			registration: `{"client_name":"Claude","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","redirect_uris":["https://claude.com/api/mcp/auth_callback"]}`,
			redirect:     "https://claude.com/api/mcp/auth_callback",
		},
		{
			name: "Claude Code", agent: "claude-code/2.0", scope: "-", sendRedirect: true,
			registration: `{"client_name":"Claude Code (growpanel)","redirect_uris":["http://localhost:54545/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			redirect:     "http://localhost:54545/callback",
		},
		{
			name: "Claude Code on another port than it registered", agent: "claude-code/2.0", scope: "-",
			registration: `{"client_name":"Claude Code","redirect_uris":["http://localhost/callback","http://127.0.0.1/callback"],"token_endpoint_auth_method":"none"}`,
			redirect:     "http://localhost:61234/callback",
		},
		{
			name: "ChatGPT", agent: "Python/3.12 aiohttp/3.12", scope: "growpanel.read growpanel.write", sendRedirect: true,
			registration: `{"client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector_platform_oauth_redirect"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_basic"}`,
			redirect:     "https://chatgpt.com/connector_platform_oauth_redirect", basic: true,
		},
		{
			name: "Cursor", agent: "Cursor/1.0", scope: "-", sendRedirect: true,
			registration: `{"client_name":"Cursor","redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback","https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","application_type":"native"}`,
			redirect:     "cursor://anysphere.cursor-mcp/oauth/callback",
		},
		{
			name: "VS Code", agent: "Visual-Studio-Code/1.105", scope: "growpanel.read growpanel.write", sendRedirect: true,
			registration: `{"client_name":"Visual Studio Code","client_uri":"https://code.visualstudio.com","grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code"],"redirect_uris":["https://insiders.vscode.dev/redirect","https://vscode.dev/redirect","http://127.0.0.1/","http://127.0.0.1:33418/"],"token_endpoint_auth_method":"none","application_type":"native"}`,
			redirect:     "http://127.0.0.1:40123/", refreshScope: "growpanel.read growpanel.write",
		},
		{
			name: "mcp-remote", agent: "node", scope: "openid mcp offline_access", more: []string{"prompt", "consent"}, sendRedirect: true,
			registration: `{"redirect_uris":["http://localhost:47779/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"MCP CLI Client","client_uri":"https://github.com/modelcontextprotocol/mcp-cli","software_id":"2e6dc280-f3c3-4e01-99a7-8181dbd1d23d","software_version":"0.15.1","scope":"mcp"}`,
			redirect:     "http://localhost:47779/oauth/callback",
		},
		{
			name: "MCP Inspector", agent: "node", scope: "growpanel.read growpanel.write", sendRedirect: true,
			registration: `{"redirect_uris":["http://localhost:6274/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"MCP Inspector","client_uri":"https://github.com/modelcontextprotocol/inspector","scope":"growpanel.read growpanel.write"}`,
			redirect:     "http://localhost:6274/oauth/callback",
		},
		{
			name: "Grok", agent: "grok", scope: "-",
			registration: `{"client_name":"Grok","redirect_uris":["https://grok.com/connectors-oauth-exchange-code/"]}`,
			redirect:     "https://grok.com/connectors-oauth-exchange-code/", basic: true, refreshScope: "growpanel.read",
		},
	}
}

// TestServe_Shapes replays what assistants send, with every way to name the
// resource: connect, call at both URLs, refresh, revoke.
func TestServe_Shapes(t *testing.T) {
	t.Parallel()
	cfg := emitIss(demoConfig(t))
	cfg.RateLimits = config.RateLimits{} // fifty connections a minute are not what they are for
	demo := start(t, config.ServeAll, cfg)
	who := newPerson(t, demo.url(mcpName)) // who signs in once, as people do
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			for _, resource := range []string{"-", "", "/", "/mcp", "/mcp/"} {
				s.connect(t, demo, who, resource)
			}
		})
	}
}

func (s shape) connect(t *testing.T, demo running, who *person, resource string) {
	t.Helper()
	site := demo.url(mcpName)
	status, registered := s.post(t, site+"/register", "application/json", s.registration, nil)
	if status != http.StatusCreated {
		t.Fatalf("register = %d %v", status, registered)
	}
	client := member(t, registered, "client_id")
	secret := ""
	if registered["client_secret"] != nil {
		secret = member(t, registered, "client_secret")
	}

	change := append([]string{"redirect_uri", s.redirect}, s.more...)
	if s.scope != "-" {
		change = append(change, "scope", s.scope)
	}
	address, err := url.Parse(demo.authorizeURL(client, change...))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Del("resource")
	if resource != "-" {
		query.Set("resource", site+resource)
	}
	address.RawQuery = query.Encode()
	back := who.decide(t, address.String(), "allow")
	answer := back.Query()
	if !strings.HasPrefix(back.String(), s.redirect+"?") || answer.Get("state") != "xyz" || answer.Get("iss") != site || len(answer["code"]) != 1 {
		t.Fatalf("resource %q: the browser is sent to %s", resource, back)
	}

	form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "code_verifier": {verifier}}
	if s.sendRedirect {
		form.Set("redirect_uri", s.redirect)
	}
	if resource != "-" {
		form.Set("resource", site+resource)
	}
	tokens := s.token(t, site, form, client, secret)
	if tokens["token_type"] != "Bearer" || tokens["expires_in"] != float64(30*24*60*60) || tokens["scope"] == "" {
		t.Errorf("tokens = %v", tokens)
	}
	s.call(t, site, member(t, tokens, "access_token"), http.StatusOK)

	renew := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {member(t, tokens, "refresh_token")}}
	if s.refreshScope != "" {
		renew.Set("scope", s.refreshScope)
	}
	tokens = s.token(t, site, renew, client, secret)
	s.call(t, site, member(t, tokens, "access_token"), http.StatusOK)

	gone := url.Values{"token": {member(t, tokens, "refresh_token")}, "token_type_hint": {"refresh_token"}, "client_id": {client}}
	if secret != "" {
		gone.Set("client_secret", secret)
	}
	if status, answer := s.post(t, site+"/revoke", "application/x-www-form-urlencoded", gone.Encode(), nil); status != http.StatusOK {
		t.Errorf("revoke = %d %v", status, answer)
	}
	s.call(t, site, member(t, tokens, "access_token"), http.StatusUnauthorized)
}

// token sends a form to /token with the client's credentials where the
// assistant puts them.
func (s shape) token(t *testing.T, site string, form url.Values, client, secret string) map[string]any {
	t.Helper()
	var basic []string
	if s.basic {
		basic = []string{url.QueryEscape(client), url.QueryEscape(secret)}
	} else {
		form.Set("client_id", client)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	status, answer := s.post(t, site+"/token", "application/x-www-form-urlencoded", form.Encode(), basic)
	if status != http.StatusOK {
		t.Fatalf("token %s = %d %v", form.Get("grant_type"), status, answer)
	}
	return answer
}

func (s shape) post(t *testing.T, address, contentType, body string, basic []string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", s.agent)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	if basic != nil {
		request.SetBasicAuth(basic[0], basic[1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s = %d, no JSON: %v", address, response.StatusCode, err)
	}
	return response.StatusCode, answer
}

// call lists the tools at both URLs.
func (s shape) call(t *testing.T, site, token string, want int) {
	t.Helper()
	for _, address := range []string{site, site + "/mcp"} {
		s.callAt(t, address, token, want)
	}
}

func (s shape) callAt(t *testing.T, address, token string, want int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(listTools))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	request.Header.Set("User-Agent", s.agent)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != want {
		t.Errorf("%s with the token = %d, want %d", address, response.StatusCode, want)
	}
}
