// Package mcp serves GrowPanel's tools to AI clients over the Model Context
// Protocol, on stdio and on streamable HTTP.
package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
)

// ServerName is the name the server gives itself in every handshake.
const ServerName = "GrowPanel MCP Server"

// What Config.Authenticate may return. Any other error is taken for an outage
// of whatever checks the tokens and answered with 503.
var (
	// ErrInvalidToken means that the token is unknown, expired or revoked; it
	// is answered with 401.
	ErrInvalidToken = protocol.ErrInvalidToken
	// ErrForbidden means that the token is known but may not use this server;
	// it is answered with 403.
	ErrForbidden = protocol.ErrForbidden
	// ErrTooMany means that the address of the request has tried too many wrong
	// tokens; it is answered with 429.
	ErrTooMany = protocol.ErrTooMany
)

// Caller is the account-scoped identity behind a request. The zero Caller is
// the one of stdio, where the process itself holds the key.
type Caller struct {
	// ID names the caller in logs and binds confirmations to it. It is not a
	// secret.
	ID string
	// Key is the API key to act with.
	Key apiclient.Secret
	// Connection is the authorization that an access token stands for; "" for a
	// caller with an API key of its own.
	Connection string
	// Writes says whether the caller may change data, as far as that is known
	// before the API is asked.
	Writes Writes
}

// Writes is what a connection allows beyond reading.
type Writes uint8

const (
	// WritesAllowed leaves it to the API.
	WritesAllowed Writes = iota
	// WritesNotAsked is for a connection whose client asked for reading alone: a
	// call that writes is answered with 403, and the client can ask for more.
	WritesNotAsked
	// WritesDenied is for a connection that its user made for reading alone.
	WritesDenied
)

// Config says what a Server serves and whom it asks. ClientFor and Now are
// required, Authenticate as well when Handler is used.
type Config struct {
	// Version is the product version told to clients.
	Version string
	// Authenticate turns the bearer token of an HTTP request into its caller.
	// It is called once per request and must be cheap. See ErrInvalidToken and
	// ErrForbidden for its errors.
	Authenticate func(ctx context.Context, token string) (Caller, error)
	// ClientFor returns the API client that acts for a caller.
	ClientFor func(ctx context.Context, c Caller) (*apiclient.Client, error)
	// KeyRefused is told of a caller with a connection whose key the API no longer
	// accepts. May be nil.
	KeyRefused func(ctx context.Context, c Caller)
	// ResourceMetadata returns the URL of the metadata document (RFC 9728) for the
	// resource that a request addresses, for the challenge of a 401 or 403; nil
	// when there is no authorization server. Scope is what the challenge says to
	// ask for.
	ResourceMetadata func(r *http.Request) string
	Scope            string
	// ReadOnly leaves only tools and actions that change nothing.
	ReadOnly bool
	// Now is the clock.
	Now func() time.Time
	// Logger receives what an operator should see; nil discards it.
	Logger *slog.Logger

	// PublicURL is the origin under which clients reach the HTTP endpoint, for
	// example https://mcp.example.com. Its host is accepted in the Host header
	// and its origin in the Origin header.
	PublicURL string
	// AllowedOrigins are further web origins that may call from a browser.
	AllowedOrigins []string
	// AllowedHosts are further values of the Host header, without port.
	// Loopback names are always accepted.
	AllowedHosts []string
	// BodyLimit is the largest accepted request body in bytes; 0 means 4 MiB.
	BodyLimit int64
	// StateKeys seal what a client carries from a question to its answer: the
	// first seals, all are good. Every replica needs the same ones; none means a
	// random key, for one process.
	StateKeys [][]byte
}

// Server is the MCP server of the product.
type Server struct {
	shaper answer.Shaper
	cfg    Config
	core   *protocol.Server
	sealer *protocol.Sealer
}

// New returns a server for cfg, or an error that names the setting that is
// missing or wrong.
func New(cfg Config) (*Server, error) {
	if cfg.ClientFor == nil {
		return nil, errors.New("mcp: Config.ClientFor is required")
	}
	if cfg.Now == nil {
		return nil, errors.New("mcp: Config.Now is required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, sealer: protocol.NewSealer(cfg.StateKeys, cfg.Now)}
	core, err := protocol.New(protocol.Config{
		Name:             ServerName,
		Version:          cfg.Version,
		Instructions:     instructions,
		Tools:            s.catalog(),
		Resources:        definitions(),
		Templates:        s.templates(),
		Authenticate:     s.authenticate,
		ResourceMetadata: cfg.ResourceMetadata,
		Scope:            cfg.Scope,
		Logger:           cfg.Logger,
		PublicURL:        cfg.PublicURL,
		AllowedOrigins:   cfg.AllowedOrigins,
		AllowedHosts:     cfg.AllowedHosts,
		BodyLimit:        cfg.BodyLimit,
	})
	if err != nil {
		return nil, fmt.Errorf("mcp: %w", err)
	}
	s.core = core
	return s, nil
}

// Handler serves streamable HTTP: POST on / and /mcp.
func (s *Server) Handler() http.Handler { return s.core.Handler() }

// NewHTTPServer returns a server for h, which routes to Handler, with the limits
// that a public endpoint needs: a slow client cannot hold a connection by
// sending, while an answer may take as long as its tool. Shutdown ends open
// subscription streams.
func (s *Server) NewHTTPServer(h http.Handler) *http.Server {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	srv.RegisterOnShutdown(s.core.Close)
	return srv
}

// ServeStdio answers the messages of in on out, one per line. It returns nil
// when in ends and everything is answered, or when ctx ends; an error means
// that one of the streams broke.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	return s.core.ServeStdio(ctx, in, out)
}

type callerKey struct{}

// authenticate puts the caller behind token into the returned context.
func (s *Server) authenticate(ctx context.Context, token string) (context.Context, error) {
	if s.cfg.Authenticate == nil {
		return nil, errors.New("mcp: Config.Authenticate is not set")
	}
	caller, err := s.cfg.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, caller), nil
}

// callerFrom returns the caller of the request that ctx belongs to; on stdio
// that is the zero Caller.
func callerFrom(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// client returns the API client for the caller of ctx.
func (s *Server) client(ctx context.Context) (*apiclient.Client, error) {
	return s.cfg.ClientFor(ctx, callerFrom(ctx))
}
