package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
)

// shutdownTime is how long requests under way may take once a stop was asked for.
const shutdownTime = 10 * time.Second

// platform is a server process as a value: newPlatform builds it and listens,
// Run serves until its context ends and then releases everything.
type platform struct {
	log       *slog.Logger
	endpoints []*endpoint
	tasks     []func(context.Context) // run beside the endpoints until the end
	closers   []func() error          // in order of opening
	ready     func() error            // called once requests are served; may be nil
}

// The names of the endpoints, for logs.
const (
	apiName = "REST API"
	mcpName = "MCP endpoint"
)

// endpoint is one listening HTTP server.
type endpoint struct {
	name     string
	url      string // origin by which clients reach it
	listener net.Listener
	server   *http.Server
}

// newPlatform opens and wires what a serve command needs. The order is that of
// the dependencies: data, API, MCP.
func newPlatform(ctx context.Context, p process, cfg config.Serve, command config.Command) (_ *platform, err error) {
	pf := &platform{log: p.logger()}
	defer func() {
		if err != nil {
			err = errors.Join(err, pf.close())
		}
	}()
	if !cfg.Now.IsZero() {
		pf.log.InfoContext(ctx, "reports take this time for today", "now", cfg.Now.Format(time.RFC3339))
	}
	api, err := pf.backend(ctx, p, cfg, command)
	if err != nil {
		return nil, err
	}
	if command == config.ServeAPI {
		return pf, nil
	}
	if err := pf.openMCP(ctx, p, cfg, api); err != nil {
		return nil, err
	}
	return pf, nil
}

// backend is the API that MCP stands before.
func (pf *platform) backend(ctx context.Context, p process, cfg config.Serve, command config.Command) (backend, error) {
	if command == config.ServeMCP {
		return newRemote(p, cfg)
	}
	return pf.openAPI(ctx, p, cfg)
}

// listen adds an endpoint on an address. Its URL is the public one, or what it
// listens on.
func (pf *platform) listen(ctx context.Context, name, address, publicURL string) (*endpoint, error) {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the %s: %w (--api-listen and --mcp-listen choose other addresses)", name, err)
	}
	if publicURL == "" {
		publicURL = "http://" + listener.Addr().String()
	}
	e := &endpoint{name: name, url: publicURL, listener: listener}
	pf.endpoints = append(pf.endpoints, e)
	return e, nil
}

// url is the origin of an endpoint, "" when it is not served.
func (pf *platform) url(name string) string {
	for _, e := range pf.endpoints {
		if e.name == name {
			return e.url
		}
	}
	return ""
}

// Run serves until ctx ends or an endpoint breaks, lets requests under way
// finish, and closes everything. It can be called once.
func (pf *platform) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	for _, e := range pf.endpoints {
		pf.log.InfoContext(ctx, "listening", "endpoint", e.name, "url", e.url)
		running.Go(func() {
			if err := e.server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("serve the %s: %w", e.name, err))
			}
		})
	}
	for _, task := range pf.tasks {
		running.Go(func() { task(ctx) })
	}
	if pf.ready != nil {
		if err := pf.ready(); err != nil {
			stop(err)
		}
	}
	<-ctx.Done()
	pf.log.InfoContext(ctx, "stopping")
	err := pf.shutdown(context.WithoutCancel(ctx))
	running.Wait()
	return errors.Join(ignoreCanceled(context.Cause(ctx)), err, pf.close())
}

// shutdown ends the endpoints, the last one first: MCP calls the API.
func (pf *platform) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	var all []error
	for _, e := range slices.Backward(pf.endpoints) {
		if err := e.server.Shutdown(ctx); err != nil {
			pf.log.WarnContext(ctx, "requests did not finish in time", "endpoint", e.name)
			all = append(all, e.server.Close())
		}
	}
	return errors.Join(all...)
}

// close releases what newPlatform opened, in reverse.
func (pf *platform) close() error {
	var all []error
	for _, e := range pf.endpoints {
		if err := e.listener.Close(); !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	for _, closer := range slices.Backward(pf.closers) {
		all = append(all, closer())
	}
	return errors.Join(all...)
}
