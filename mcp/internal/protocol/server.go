// Package protocol carries MCP messages: streamable HTTP and stdio, the
// stateless era of 2026-07-28 and the handshakes before it, on one endpoint.
// mcp-go decides what a message means; this package owns every byte that
// comes in or goes out.
package protocol

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// Errors of Config.Authenticate that the endpoint tells apart; any other error
// is answered with 503.
var (
	// ErrInvalidToken is answered with 401.
	ErrInvalidToken = errors.New("invalid token")
	// ErrForbidden is answered with 403.
	ErrForbidden = errors.New("forbidden")
)

// defaultBodyLimit is far above any tool call and far below what hurts.
const defaultBodyLimit = 4 << 20

// Config says what to serve. Now is required.
type Config struct {
	Name         string
	Version      string
	Instructions string
	Tools        []server.ServerTool

	// Authenticate checks a bearer token and returns the context of its
	// request.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	Now          func() time.Time
	Logger       *slog.Logger

	PublicURL      string
	AllowedOrigins []string
	AllowedHosts   []string
	BodyLimit      int64
}

// Server is an MCP server without an opinion about its tools.
type Server struct {
	cfg Config
	mcp *server.MCPServer
}

// New returns a server that offers cfg.Tools.
func New(cfg Config) (*Server, error) {
	if cfg.BodyLimit == 0 {
		cfg.BodyLimit = defaultBodyLimit
	}
	s := &Server{
		cfg: cfg,
		mcp: server.NewMCPServer(cfg.Name, cfg.Version,
			server.WithToolCapabilities(false),
			server.WithInstructions(cfg.Instructions),
		),
	}
	s.mcp.AddTools(cfg.Tools...)
	return s, nil
}

// Handler serves streamable HTTP.
func (s *Server) Handler() http.Handler {
	return server.NewStreamableHTTPServer(s.mcp, server.WithStateLess(true), server.WithDisableStreaming(true))
}

// ServeStdio serves one client over a pair of streams.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	return server.NewStdioServer(s.mcp).Listen(ctx, in, out)
}
