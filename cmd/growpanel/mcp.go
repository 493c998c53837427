package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/mcp"
)

// mcp is the stdio server; growpanel-mcp is the same without the rest.
func (p process) mcp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve MCP on standard input and output, for AI clients that start their servers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadClient(p.source(cmd.Flags()))
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

// openMCP adds the MCP endpoint, whose callers are those of the API.
func (pf *platform) openMCP(ctx context.Context, p process, cfg config.Serve, api backend) error {
	e, err := pf.listen(ctx, mcpName, cfg.MCPListen, cfg.PublicURL)
	if err != nil {
		return err
	}
	server, err := mcp.New(mcp.Config{
		Version: version, ReadOnly: cfg.ReadOnly, Now: p.now, Logger: pf.log,
		PublicURL: e.url, AllowedOrigins: cfg.AllowedOrigins,
		Authenticate: api.authenticate,
		ClientFor: func(_ context.Context, c mcp.Caller) (*apiclient.Client, error) {
			return api.client().WithKey(c.Key)
		},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		httpx.WriteBody(w, http.StatusOK, []byte(`{"status":"ok"}`))
	})
	e.server = server.NewHTTPServer(httpx.Chain(mux, httpx.Identify(), httpx.AccessLog(pf.log, p.now)))
	return nil
}
