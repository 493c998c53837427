package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// openAPI opens the data folder, which this process then owns, and adds the API
// endpoint on top of it.
func (pf *platform) openAPI(ctx context.Context, p process, cfg config.Serve) (*embedded, error) {
	folder := cfg.Data
	if cfg.Demo {
		folder = demoFolder(cfg)
	}
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		return nil, err
	}
	pf.closers = append(pf.closers, lock.Release)
	store, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	pf.closers = append(pf.closers, store.Close)

	if err := pf.feedRates(p, cfg, store); err != nil {
		return nil, err
	}
	secrets, err := cfg.FolderSecrets(folder)
	if err != nil {
		return nil, err
	}
	keyring, err := newKeyring(secrets)
	if err != nil {
		return nil, err
	}
	users := identity.New(identity.Config{
		Store: store.Identity(), Now: p.now, Logger: pf.log, UserTokenKeys: keyring.Derive(oauth.PurposeUserToken),
		SignUp:    cfg.SignUp,
		Providers: acceptedProviders(cfg.Providers), HTTP: &http.Client{Timeout: providerTimeout}, ConnectionIdle: connectionIdle(cfg),
		Erase: store.EraseAccount,
	})
	pf.tasks = append(pf.tasks, users.Run)
	engine := analytics.New(analytics.Config{Store: store.Analytics(), Outbox: store.Analytics(), Rows: ingest.Documents{}, Now: today(p.now, cfg)})
	pf.closers = append(pf.closers, func() error { engine.Close(); return nil })

	imports, hooks, err := pf.openJobs(ctx, p, cfg, store, engine, users, secrets)
	if err != nil {
		return nil, err
	}
	internal := oauth.NewSecret(cfg.InternalToken.Reveal())
	if internal.IsZero() {
		internal = oauth.NewSecret(rand.Text()) // known to this process alone
	}
	served := httpapi.Config{
		Engine: engine, Identity: users, Billing: store.Billing(), Imports: imports, Hooks: hooks, Logger: pf.log, Now: p.now, Limits: httpapi.RateLimits(cfg.RateLimits), Version: version,
		InternalToken: internal.Reveal(), Pages: func() string { return pf.url(mcpName) },
	}
	handler := http.Handler(httpapi.New(served))
	client, err := inProcess(handler)
	if err != nil {
		return nil, err
	}
	browsers, err := apiclient.New(apiclient.Options{
		BaseURL: client.BaseURL(), Transport: oauth.ForwardAddress(apiclient.InProcess(handler), internal), UserAgent: "growpanel-mcp/" + version,
	})
	if err != nil {
		return nil, err
	}
	if cfg.Demo {
		if err := pf.openDemo(ctx, p, cfg, store, served); err != nil {
			return nil, err
		}
		handler = localOnly(handler)
	}
	e, err := pf.listen(ctx, apiName, cfg.APIListen, cfg.APIPublicURL)
	if err != nil {
		return nil, err
	}
	e.server = &http.Server{
		Handler: httpx.RealAddress(cfg.TrustedProxies)(handler), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ReadTimeout: 2 * time.Minute, // 20 MiB of invoices over a slow line
		ErrorLog:    slog.NewLogLogger(pf.log.Handler(), slog.LevelWarn),
	}
	return &embedded{users: users, api: client, browsers: browsers, url: e.url}, nil
}

// acceptedProviders are the providers whose ID tokens the API accepts.
func acceptedProviders(configured config.Providers) []identity.Provider {
	var providers []identity.Provider
	for _, p := range configured.List() {
		providers = append(providers, identity.Provider{
			ID: p.ID, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, LinkVerifiedEmail: p.LinkVerifiedEmail,
		})
	}
	return providers
}

// connectionIdle is after how long without use the key of a connection goes, in
// case the authorization server never came to delete it.
func connectionIdle(cfg config.Serve) time.Duration {
	if cfg.Connections.RefreshTTL == 0 {
		return oauth.DefaultRefreshTTL + 24*time.Hour
	}
	return cfg.Connections.RefreshTTL + 24*time.Hour
}

// newKeyring derives the product's keys from its secrets.
func newKeyring(secrets []config.Secret) (*oauth.Keyring, error) {
	raw := make([]oauth.Secret, len(secrets))
	for i, secret := range secrets {
		raw[i] = oauth.NewSecret(secret.Reveal())
	}
	return oauth.NewKeyring(raw...)
}

// inProcess is a client of a handler in this process.
func inProcess(handler http.Handler) (*apiclient.Client, error) {
	return apiclient.New(apiclient.Options{
		BaseURL: "http://127.0.0.1", Transport: apiclient.InProcess(handler), UserAgent: "growpanel-mcp/" + version,
	})
}

// today is the clock of the reports. Keys, rate limits and logs use real time
// even where that one is pinned.
func today(now func() time.Time, cfg config.Serve) func() time.Time {
	if cfg.Now.IsZero() {
		return now
	}
	return func() time.Time { return cfg.Now }
}
