package main

import (
	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
)

// serve has the whole platform and, below it, its two halves.
func (p process) serve() *cobra.Command {
	cmd := p.server(config.ServeAll, "serve", "Serve the whole platform in one process: the REST API and the MCP endpoint")
	cmd.AddCommand(
		p.server(config.ServeAPI, "api", "Serve only the REST API"),
		p.server(config.ServeMCP, "mcp", "Serve only the MCP endpoint, in front of the API at GROWPANEL_API_URL"),
	)
	return cmd
}

func (p process) server(command config.Command, use, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadServe(p.source(cmd.Flags()), command)
			if err != nil {
				return err
			}
			server, err := newPlatform(cmd.Context(), p, cfg, command)
			if err != nil {
				return err
			}
			return server.Run(cmd.Context())
		},
	}
	addSettings(cmd.Flags(), command)
	return cmd
}
