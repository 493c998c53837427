package main

import (
	"context"
	"errors"
	"net/http"
	"path"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/mcp"
	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// mcp is the stdio server; growpanel-mcp is the same without the rest.
func (p process) mcp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve MCP on standard input and output, for AI clients that start their servers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.loadClient(p.source(cmd.Flags()))
			if err != nil {
				return err
			}
			client, err := apiclient.New(apiclient.Options{
				BaseURL: cfg.APIURL, Key: apiclient.NewSecret(cfg.APIKey.Reveal()), UserAgent: "growpanel-mcp/" + version,
			})
			if err != nil {
				return err
			}
			server, err := mcp.New(mcp.Config{
				Version: version, ReadOnly: cfg.ReadOnly, Now: p.now, Logger: p.logger(),
				ClientFor: func(context.Context, mcp.Caller) (*apiclient.Client, error) { return client, nil },
			})
			if err != nil {
				return err
			}
			return ignoreCanceled(server.ServeStdio(cmd.Context(), p.in, p.out))
		},
	}
	addSettings(cmd.Flags(), config.MCP)
	return cmd
}

// ignoreCanceled makes a stop that was asked for a success.
func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// openMCP adds the MCP endpoint, with an authorization server beside it when the
// API has users.
func (pf *platform) openMCP(ctx context.Context, p process, cfg config.Serve, api backend) error {
	e, err := pf.listen(ctx, mcpName, cfg.MCPListen, cfg.PublicURL)
	if err != nil {
		return err
	}
	resources, err := protocol.NewResources(e.url)
	if err != nil {
		return err
	}
	gate := newGate(api, resources, p.now)
	serving := mcp.Config{
		Version: version, ReadOnly: cfg.ReadOnly, Now: p.now, Logger: pf.log,
		PublicURL: e.url, AllowedOrigins: cfg.AllowedOrigins,
		Authenticate: gate.authenticate, KeyRefused: gate.keyRefused,
		ClientFor: func(_ context.Context, c mcp.Caller) (*apiclient.Client, error) {
			return api.client().WithKey(c.Key)
		},
	}
	users, err := api.hasUsers(ctx)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	var landing http.Handler
	if users {
		auth, err := pf.openAuthorization(ctx, p, cfg, resources, api)
		if err != nil {
			return err
		}
		gate.grants = auth.grants
		serving.ResourceMetadata, serving.Scope = gate.metadataOf, protocol.DefaultScope.String()
		gate.limits = auth.limits
		serving.StateKeys = auth.keys.Derive(oauth.PurposeRequestState)
		auth.endpoints.Register(mux)
		auth.browser.Register(mux)
		landing = auth.browser.Landing()
	} else if serving.StateKeys, err = sharedStateKeys(cfg); err != nil {
		return err
	} else if landing, err = pf.keysOnly(ctx, cfg, resources, api, mux); err != nil {
		return err
	}
	server, err := mcp.New(serving)
	if err != nil {
		return err
	}
	mux.Handle("/", server.Handler())
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		if oauth.WantsPage(r) {
			landing.ServeHTTP(w, r)
			return
		}
		server.Handler().ServeHTTP(w, r)
	})
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) {
		httpx.WriteBody(w, http.StatusOK, []byte(`{"status":"ok"}`))
	})
	e.server = server.NewHTTPServer(httpx.Chain(mux,
		httpx.RealAddress(cfg.TrustedProxies), httpx.Identify(), httpx.AccessLog(pf.log, p.now), oauth.HostGuard(resources, healthPath), plainPaths, noteAddress))
	return nil
}

// sharedStateKeys are those of replicas that keep nothing else, if they have a
// secret; no folder is made for one.
func sharedStateKeys(cfg config.Serve) ([][]byte, error) {
	if len(cfg.Secrets) == 0 {
		return nil, nil
	}
	keys, err := newKeyring(cfg.Secrets)
	if err != nil {
		return nil, err
	}
	return keys.Derive(oauth.PurposeRequestState), nil
}

// plainPaths answers 404 where ServeMux would redirect to a cleaned path: a
// client that follows loses its body and its token on the way.
func plainPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cleaned := path.Clean(r.URL.Path); cleaned != r.URL.Path && cleaned+"/" != r.URL.Path {
			oauth.NotFound().ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// healthPath answers whatever the Host: probes of a load balancer use addresses.
const healthPath = "/healthz"

// keysOnly serves an API without users: callers bring its keys, and what clients
// look for when they want to sign in is not there.
func (pf *platform) keysOnly(ctx context.Context, cfg config.Serve, resources protocol.Resources, api backend, mux *http.ServeMux) (http.Handler, error) {
	pf.log.InfoContext(ctx, "the API has no users, so assistants cannot sign in; they connect with an API key", "api", api.origin())
	mux.Handle("/.well-known/", oauth.NotFound())
	mux.Handle("/mcp/.well-known/", oauth.NotFound())
	browser, err := oauth.NewBrowser(oauth.BrowserConfig{
		KeysOnly: true, Protocol: protocol.Authorize{Resources: resources}, APIURL: api.origin(), Version: version,
		ReadOnly: cfg.ReadOnly, Logger: pf.log,
	})
	if err != nil {
		return nil, err
	}
	return browser.Landing(), nil
}
