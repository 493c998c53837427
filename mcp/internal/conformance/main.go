// Command conformance serves the tools, prompts and resources that the MCP
// conformance suite expects of a server, on the same stack as the product. It
// is built by tests and never released.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to release
	}
}

// run serves until ctx ends. It prints the URL on out once it listens.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(errOut, nil))
	s, err := newServer(logger)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, err := fmt.Fprintf(out, "http://%s/mcp\n", listener.Addr()); err != nil {
		return fmt.Errorf("print address: %w", err)
	}
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	srv.RegisterOnShutdown(s.Close)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	select {
	case err = <-served:
		return err
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = srv.Shutdown(grace)
		if served := <-served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
}

// newServer returns the product's stack with the suite's fixtures.
func newServer(logger *slog.Logger) (*protocol.Server, error) {
	states := protocol.NewSealer(nil, time.Now) //nolint:forbidigo // this is a main package
	return protocol.New(protocol.Config{
		Name:    "GrowPanel conformance fixtures",
		Version: "1.0.0",
		Tools:   slices.Concat(contentTools(), askingTools(), roundTools(states)),
		Options: []server.ServerOption{
			server.WithToolCapabilities(true),
			server.WithResourceCapabilities(true, true),
			server.WithPromptCapabilities(true),
			server.WithLogging(),
			server.WithCompletions(),
		},
		Extend: func(s *server.MCPServer) {
			addResources(s)
			addPrompts(s)
			addNotifiers(s)
			addTriggers(s)
		},
		Logger: logger,
	})
}
