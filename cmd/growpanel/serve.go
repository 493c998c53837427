package main

import (
	"runtime"
	"runtime/debug"

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

// boundMemory lets the heap grow by 15 % over what is in use, rather than to
// twice that. Accounts live in memory, so the difference is large: a million
// invoices are 200 MB in use, and the process must stay under 400. They are mostly
// free of pointers, so the collector is through them in 20 ms. A fixed limit would
// stall a server whose accounts outgrow it. GOGC and GOMEMLIMIT still count.
//
// A server with little in use would then collect after every MB of garbage and
// spend a quarter of its time on that. The reserve that is returned, which the
// caller has to keep alive, counts as in use but is never touched: it costs
// addresses, and at most 15 % of its size in garbage.
func boundMemory() (reserve []byte) {
	const standard, ours = 100, 15
	if set := debug.SetGCPercent(ours); set != standard {
		debug.SetGCPercent(set)
	}
	return make([]byte, 192<<20)
}

func (p process) server(command config.Command, use, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadServe(p.source(cmd.Flags()), command)
			if err != nil {
				return err
			}
			defer runtime.KeepAlive(boundMemory())
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
