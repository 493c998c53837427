// Package protocol carries MCP messages: streamable HTTP and stdio, the
// stateless era of 2026-07-28 and the handshakes before it, on one endpoint.
//
// mcp-go decides what a message means; this package owns every byte that comes
// in or goes out. It keeps no sessions: each request is served on its own, so
// any replica can answer it and no client can see what is meant for another.
package protocol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Errors of Config.Authenticate that the endpoint tells apart; any other error
// is answered with 503.
var (
	// ErrInvalidToken is answered with 401.
	ErrInvalidToken = errors.New("invalid token")
	// ErrForbidden is answered with 403.
	ErrForbidden = errors.New("forbidden")
	// ErrTooMany is answered with 429: the address has tried too many wrong tokens.
	ErrTooMany = errors.New("too many wrong tokens")
)

// ErrInsufficientScope is returned by a tool whose caller did not ask for what
// the call needs. Over HTTP it is a 403 that tells the client what to ask for.
var ErrInsufficientScope = &Error{
	Code: mcpgo.INVALID_REQUEST, Message: "this call changes data, and the connection was made for reading alone",
}

const (
	// defaultBodyLimit is far above any tool call and far below what hurts.
	defaultBodyLimit = 4 << 20
	// keepAlive is below the idle timeouts of common proxies.
	keepAlive = 15 * time.Second
	// recheck is how often the token of an open stream is looked at, so that the
	// stream ends well within 15 seconds of a revocation.
	recheck = 10 * time.Second
	// cacheTTL is how long a client may keep the list of tools, which changes
	// only with a new version of the server.
	cacheTTL = 5 * time.Minute
)

// Config says what to serve.
type Config struct {
	// Name and Version are the server's own, Instructions what it tells a
	// client's model about itself.
	Name, Version, Instructions string
	// Tools are offered in the order of their names and never change.
	Tools []server.ServerTool
	// Resources and Templates are what can be read; they never change.
	Resources []server.ServerResource
	Templates []server.ServerResourceTemplate
	// Options and Extend add what is neither a tool nor static; with Extend,
	// tools/list is encoded on every request.
	Options []server.ServerOption
	Extend  func(*server.MCPServer)

	// Authenticate checks a bearer token and returns the context for its
	// request. Without it, Handler serves everyone.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// ResourceMetadata and Scope are described at mcp.Config.
	ResourceMetadata func(r *http.Request) string
	Scope            string
	// Logger is required.
	Logger *slog.Logger

	// PublicURL, AllowedOrigins, AllowedHosts and BodyLimit are described at
	// mcp.Config.
	PublicURL      string
	AllowedOrigins []string
	AllowedHosts   []string
	BodyLimit      int64
}

// Server is an MCP server without an opinion about its tools.
type Server struct {
	cfg         Config
	mcp         *server.MCPServer
	guard       *guard
	toolList    []byte
	headerTools map[string]*mcpgo.Tool
	handlers    map[string]server.ToolHandlerFunc
	serverMeta  []byte
	buffers     sync.Pool // of *[]byte, for answers
	asks        asks
	requests    atomic.Uint64
	keepAlive   time.Duration
	recheck     time.Duration

	// closing is canceled by Close and ends the streams that would otherwise
	// stay open for good.
	closing context.Context
	close   context.CancelFunc
}

// New returns a server for cfg, or an error that names what is wrong with it.
func New(cfg Config) (*Server, error) {
	if err := checkTools(cfg.Tools); err != nil {
		return nil, err
	}
	guard, err := newGuard(cfg.PublicURL, cfg.AllowedOrigins, cfg.AllowedHosts)
	if err != nil {
		return nil, err
	}
	if cfg.BodyLimit <= 0 {
		cfg.BodyLimit = defaultBodyLimit
	}
	s := &Server{cfg: cfg, guard: guard, headerTools: headerTools(cfg.Tools), keepAlive: keepAlive, recheck: recheck}
	s.closing, s.close = context.WithCancel(context.Background())

	s.mcp = server.NewMCPServer(cfg.Name, cfg.Version, append([]server.ServerOption{
		server.WithToolCapabilities(false),
		server.WithInstructions(cfg.Instructions),
		server.WithToolHandlerMiddleware(s.guardTool),
		server.WithCacheHints(cacheTTL.Milliseconds(), mcpgo.CacheScopePrivate),
	}, cfg.Options...)...)
	s.mcp.AddTools(cfg.Tools...)
	s.addResources(cfg.Resources, cfg.Templates)
	s.handlers = s.guardedHandlers(cfg.Tools)
	if s.serverMeta, err = encodeServerMeta(cfg.Name, cfg.Version); err != nil {
		return nil, fmt.Errorf("server name: %w", err)
	}
	if cfg.Extend != nil {
		cfg.Extend(s.mcp)
		return s, nil
	}
	if s.toolList, err = encodeTools(cfg.Tools); err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	return s, nil
}

// Close ends the open subscription streams with their final result, so that an
// http.Server that shuts down does not wait for them. Other requests are left
// to finish.
func (s *Server) Close() { s.close() }

// newSession returns the session of one request.
func (s *Server) newSession(p *peer, out sink) *session {
	return &session{
		id:        strconv.FormatUint(s.requests.Add(1), 36),
		peer:      p,
		sink:      out,
		asks:      &s.asks,
		keepAlive: s.keepAlive,
	}
}

// newPeer returns a client of which only the protocol version is known.
func newPeer(version string) *peer {
	return &peer{version: version, logLevel: mcpgo.LoggingLevelInfo}
}
