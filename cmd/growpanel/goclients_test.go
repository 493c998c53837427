package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/client"
	mcptransport "github.com/mark3labs/mcp-go/client/transport"
	mcpwords "github.com/mark3labs/mcp-go/mcp"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"github.com/growpanel/growpanel-mcp/config"
)

const toolCount = 14

// TestServe_OfficialGoSDK: its client finds its own way from a 401 to the tools,
// refreshes from twenty calls at once, and asks its user again after a
// revocation, at both resource URLs and as a client with and without a secret.
func TestServe_OfficialGoSDK(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, emitIss(demoConfig(t)))
	for _, path := range []string{"", "/mcp"} {
		for _, method := range []string{"none", "client_secret_basic", "client_secret_post"} {
			t.Run(path+" "+method, func(t *testing.T) {
				t.Parallel()
				asked := 0
				var source oauth2.TokenSource
				var registered *oauth2.Config
				handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
					DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
						RedirectURIs: []string{callback}, ClientName: "Official SDK", TokenEndpointAuthMethod: method,
						GrantTypes: []string{"authorization_code", "refresh_token"},
					}},
					RequestRefreshToken: true,
					AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
						asked++
						query := newPerson(t, demo.url(mcpName)).decide(t, args.URL, "allow").Query()
						return &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}, nil
					},
					NewTokenSource: func(ctx context.Context, cfg *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
						token.Expiry = time.Now().Add(-time.Minute) // so that the first use refreshes
						source, registered = cfg.TokenSource(ctx, token), cfg
						return source, nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
				session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
					Endpoint: demo.url(mcpName) + path, OAuthHandler: handler, HTTPClient: &http.Client{Timeout: time.Minute},
				}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = session.Close() }()
				tools, err := session.ListTools(t.Context(), nil)
				if err != nil || len(tools.Tools) != toolCount {
					t.Errorf("ListTools: %v", err)
				}
				var calls sync.WaitGroup
				for range 20 {
					calls.Go(func() {
						if err := callPlans(t.Context(), session); err != nil {
							t.Error(err)
						}
					})
				}
				calls.Wait()
				token, err := source.Token()
				if err != nil {
					t.Fatal(err)
				}
				if asked != 1 || token.RefreshToken == "" || token.TokenType != "Bearer" {
					t.Errorf("the user was asked %d times; token %s", asked, token.TokenType)
				}
				revoke := url.Values{"token": {token.AccessToken}, "client_id": {registered.ClientID}}
				if method != "none" {
					revoke.Set("client_secret", registered.ClientSecret)
				}
				if status, answer := demo.postForm(t, "/revoke", revoke); status != http.StatusOK {
					t.Fatalf("revoke = %d %v", status, answer)
				}
				if err := callPlans(t.Context(), session); err != nil || asked != 2 {
					t.Errorf("after the revocation: %v, the user was asked %d times, want a second time", err, asked)
				}
			})
		}
	}
}

// TestServe_StepUp: a client that asked to read alone learns from the refusal of
// its first write what to ask for, asks its user, and carries on.
func TestServe_StepUp(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, emitIss(demoConfig(t)))
	var asked []string // scopes
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			RedirectURIs: []string{callback}, ClientName: "Careful", TokenEndpointAuthMethod: "none",
		}},
		ScopeFilter: func(found []string) []string {
			if len(asked) == 0 {
				return []string{"growpanel.read"}
			}
			return found
		},
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			address, err := url.Parse(args.URL)
			if err != nil {
				return nil, err
			}
			asked = append(asked, address.Query().Get("scope"))
			query := newPerson(t, demo.url(mcpName)).decide(t, args.URL, "allow").Query()
			return &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: demo.url(mcpName) + "/mcp", OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	if err := callPlans(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "manage_data", Arguments: map[string]any{
		"action": "create", "resource": "data-sources", "body": map[string]any{"name": "Stepped up", "type": "api"},
	}})
	if err != nil || result.IsError {
		t.Fatalf("the write after the step up: %v, %+v", err, result)
	}
	if len(asked) != 2 || asked[0] != "growpanel.read" || !strings.Contains(asked[1], "growpanel.write") {
		t.Errorf("the user was asked for %q", asked)
	}
}

// callPlans calls a tool; a list of tools may come from the client's memory.
func callPlans(ctx context.Context, session *mcp.ClientSession) error {
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "list_plans", Arguments: map[string]any{}})
	if err == nil && result.IsError {
		err = errors.New("list_plans is answered with an error")
	}
	return err
}

// TestServe_MCPGoClient: the library that serves our tools has a client as well.
func TestServe_MCPGoClient(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, emitIss(demoConfig(t)))
	store := mcptransport.NewMemoryTokenStore()
	client, err := mcpgo.NewOAuthStreamableHttpClient(demo.url(mcpName)+"/mcp", mcpgo.OAuthConfig{
		RedirectURI: callback, TokenStore: store, PKCEEnabled: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	hello := mcpwords.InitializeRequest{Params: mcpwords.InitializeParams{
		ProtocolVersion: mcpwords.LATEST_PROTOCOL_VERSION, ClientInfo: mcpwords.Implementation{Name: "test", Version: "1"},
	}}
	err = client.Start(t.Context())
	if err == nil {
		_, err = client.Initialize(t.Context(), hello)
	}
	if !mcpgo.IsOAuthAuthorizationRequiredError(err) {
		t.Fatalf("without a token: %v, want an authorization error", err)
	}
	handler := mcpgo.GetOAuthHandler(err)
	if err := handler.RegisterClient(t.Context(), "mcp-go"); err != nil {
		t.Fatal(err)
	}
	handler.SetExpectedState("xyz")
	address, err := handler.GetAuthorizationURL(t.Context(), "xyz", challenge())
	if err != nil {
		t.Fatal(err)
	}
	query := newPerson(t, demo.url(mcpName)).decide(t, address, "allow").Query()
	if err := handler.ProcessAuthorizationResponse(t.Context(), query.Get("code"), query.Get("state"), verifier); err != nil {
		t.Fatal(err)
	}
	if _, err = client.Initialize(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	tools, err := client.ListTools(t.Context(), mcpwords.ListToolsRequest{})
	if err != nil || len(tools.Tools) != toolCount {
		t.Fatalf("ListTools: %v", err)
	}

	token, err := store.GetToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := handler.RefreshToken(t.Context(), token.RefreshToken); err != nil {
				t.Errorf("RefreshToken: %v", err)
			}
		})
	}
	all.Wait()
	if _, err := client.ListTools(t.Context(), mcpwords.ListToolsRequest{}); err != nil {
		t.Errorf("after 20 refreshes: %v", err)
	}

	revoke := url.Values{"token": {token.RefreshToken}, "client_id": {handler.GetClientID()}, "client_secret": {handler.GetClientSecret()}}
	if status, answer := demo.postForm(t, "/revoke", revoke); status != http.StatusOK {
		t.Fatalf("revoke = %d %v", status, answer)
	}
	_, err = client.CallTool(t.Context(), mcpwords.CallToolRequest{Params: mcpwords.CallToolParams{Name: "list_plans"}})
	if _, required := errors.AsType[*mcpgo.OAuthAuthorizationRequiredError](err); err == nil || !required && !mcpgo.IsOAuthAuthorizationRequiredError(err) {
		t.Errorf("after the revocation: %v, want an authorization error", err)
	}
}
