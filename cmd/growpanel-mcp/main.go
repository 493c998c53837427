// Command growpanel-mcp is the MCP server on standard input and output, under
// the name that client configurations use. It links nothing but the client of
// the API, so that it answers at once.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/mcp"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) error {
	switch {
	case len(args) == 1 && (args[0] == "--version" || args[0] == "-v"):
		_, err := fmt.Fprintln(out, "growpanel-mcp", version)
		return err
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q: settings come from the environment (GROWPANEL_API_KEY, GROWPANEL_API_URL, GROWPANEL_READ_ONLY)", args[0])
	}
	cfg, err := config.LoadClient(config.FromOS(nil))
	if err != nil {
		return err
	}
	if cfg.Warning != "" {
		_, _ = fmt.Fprintln(errs, "Warning:", cfg.Warning) // nowhere left to say so
	}
	client, err := apiclient.New(apiclient.Options{
		BaseURL: cfg.APIURL, Key: apiclient.NewSecret(cfg.APIKey.Reveal()), UserAgent: "growpanel-mcp/" + version,
	})
	if err != nil {
		return err
	}
	server, err := mcp.New(mcp.Config{
		Version: version, ReadOnly: cfg.ReadOnly, Now: time.Now, Logger: slog.New(slog.NewTextHandler(errs, nil)),
		ClientFor: func(context.Context, mcp.Caller) (*apiclient.Client, error) { return client, nil },
	})
	if err != nil {
		return err
	}
	return server.ServeStdio(ctx, in, out)
}
