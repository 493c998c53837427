package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
	"github.com/growpanel/growpanel-mcp/oauth/redisstore"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
)

// authorization is the authorization server before an API that has users.
type authorization struct {
	grants    *oauth.Grants
	endpoints *oauth.Endpoints
	browser   *oauth.Browser
	keys      *oauth.Keyring
	limits    oauth.RateLimits
}

// grantStore is all that the authorization server keeps.
type grantStore interface {
	oauth.Store
	oauth.Records
	oauth.ClientStore
	Close() error
}

const (
	documentTimeout  = 5 * time.Second
	documentBytes    = 128 << 10
	providerTimeout  = 15 * time.Second
	upstreamPatience = 30 * time.Second
)

// openAuthorization opens the authorization server of a resource.
func (pf *platform) openAuthorization(ctx context.Context, p process, cfg config.Serve, resources protocol.Resources, api backend) (*authorization, error) {
	folder := cfg.Data
	if cfg.Demo {
		folder = demoFolder(cfg)
	}
	store, limits, err := pf.openGrantStore(ctx, p, cfg, folder)
	if err != nil {
		return nil, err
	}
	secrets, err := cfg.FolderSecrets(folder)
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(secrets)
	if err != nil {
		return nil, err
	}
	audit := trail(api.audit(), pf.log)
	grants := oauth.New(oauth.Config{
		Store: store, API: oauth.NewAPIKeys(api.client()), Keys: keys, Audit: audit, Logger: pf.log, Now: p.now,
		AccessTTL: cfg.Connections.AccessTTL, RefreshTTL: cfg.Connections.RefreshTTL,
	})
	pf.tasks = append(pf.tasks, grants.Run)
	clients := oauth.NewClients(oauth.ClientsConfig{
		Store: store, Records: store, Limits: limits, Issuer: resources.Issuer(), TokenEndpoint: resources.Issuer() + oauth.PathToken,
		KeepFor: clientLife(cfg), Logger: pf.log, Now: p.now,
		Outgoing: httpx.NewOutgoing(httpx.OutgoingConfig{
			Purpose: "oauth client", Networks: cfg.PrivateNetworks, Timeout: documentTimeout, MaxBytes: documentBytes,
			Log: httpx.LogCalls(pf.log), Now: p.now,
		}),
	})
	browser, err := oauth.NewBrowser(oauth.BrowserConfig{
		Grants: grants, Records: store, Users: oauth.NewAPIUsers(api.forBrowsers()), Clients: clients, Limits: limits, Keys: keys,
		Protocol:  protocol.Authorize{Resources: resources, EmitIss: cfg.Connections.EmitIss},
		Providers: relyingProviders(cfg.Providers), HTTP: &http.Client{Timeout: providerTimeout}, Address: oauth.Address,
		APIURL: api.origin(), Version: version, ReadOnly: cfg.ReadOnly, IdleLife: cfg.Connections.RefreshTTL,
		Audit: audit, Logger: pf.log, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	return &authorization{
		grants: grants, browser: browser, keys: keys, limits: limits,
		endpoints: oauth.NewEndpoints(oauth.EndpointsConfig{
			Grants: grants, Clients: clients, Limits: limits, Resources: resources, EmitIss: cfg.Connections.EmitIss,
			IntrospectionSecret: oauth.NewSecret(cfg.Connections.IntrospectionSecret.Reveal()), Audit: audit, Logger: pf.log,
		}),
	}, nil
}

// openGrantStore opens Redis, whose limits all replicas share, or the file of
// the data folder, whose process is alone.
func (pf *platform) openGrantStore(ctx context.Context, p process, cfg config.Serve, folder string) (grantStore, oauth.RateLimits, error) {
	if !cfg.Connections.RedisURL.IsZero() {
		redisstore.LogTo(pf.log)
		store, err := redisstore.Open(ctx, redisstore.Config{
			URL: cfg.Connections.RedisURL.Reveal(), AllowLoss: cfg.Connections.AllowRedisLoss, ClientLife: clientLife(cfg),
		})
		if err != nil {
			return nil, nil, err
		}
		pf.closers = append(pf.closers, store.Close)
		return store, store, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	store, err := oauthsql.Open(ctx, folder, oauthsql.Config{Now: p.now, ClientLife: clientLife(cfg)})
	if err != nil {
		return nil, nil, err
	}
	pf.closers = append(pf.closers, store.Close)
	return store, oauth.NewMemoryLimits(p.now), nil
}

// clientLife is how long a client is kept after its last use: longer than its
// tokens. Zero, for the stores' own default, where nothing is configured.
func clientLife(cfg config.Serve) time.Duration {
	if cfg.Connections.RefreshTTL == 0 {
		return oauth.DefaultRefreshTTL + oauth.Retention
	}
	return cfg.Connections.RefreshTTL + oauth.Retention
}

// hasUsers asks an API whether people can sign in there. One that does not know
// the question is from before there were users. An API that is still starting is
// waited for.
func hasUsers(ctx context.Context, client *apiclient.Client, patience time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := client.Do(ctx, http.MethodGet, []string{"auth", "methods"}, nil, nil)
		if err == nil {
			return true, nil
		}
		if refused, answered := errors.AsType[*apiclient.Error](err); answered {
			switch refused.Status {
			// An older API asks for a key before it looks at the path.
			case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnauthorized, http.StatusForbidden:
				return false, nil
			}
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("ask the API at %s how people sign in: %w", client.BaseURL(), err)
		case <-time.After(time.Second):
		}
	}
}

// relyingProviders are the providers as the pages use them.
func relyingProviders(configured config.Providers) []oauth.Provider {
	var providers []oauth.Provider
	for _, p := range configured.List() {
		providers = append(providers, oauth.Provider{
			ID: p.ID, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: oauth.NewSecret(p.ClientSecret.Reveal()),
		})
	}
	return providers
}
