// Package httpapi serves the contract of package openapi: routing, keys and
// roles, rate limits, JSON in and out. What the answers say is computed by
// packages analytics, ingest and identity.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/billing"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/openapi"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// Config is what a Server needs. All fields but Version and Limits are
// required.
type Config struct {
	Engine   *analytics.Engine
	Identity *identity.Service
	Billing  billing.Store
	Imports  *pull.Control
	Hooks    *notify.Service
	Logger   *slog.Logger
	// Now is real time; what reports call today is the engine's business.
	Now     func() time.Time
	Limits  RateLimits
	Version string // of the product, told by /healthz
	// Pages returns the origin of the server that shows the sign-in pages, for
	// links to them; "" for none. May be nil.
	Pages func() string
	// InternalToken is known to the server that shows the sign-in pages, which
	// says for whom it asks; see httpx.ClientAddress. "" for none.
	InternalToken string
}

const (
	rateWindow = time.Minute
	// rateWindows bounds the memory of the rate limiter, at about 100 bytes each.
	rateWindows = 100_000
)

// Server answers requests to the API. It holds no goroutines: it ends with the
// http.Server that calls it.
type Server struct {
	engine   *analytics.Engine
	identity *identity.Service
	imports  *pull.Control
	hooks    *notify.Service
	limits   RateLimits
	limiter  *httpx.Limiter
	version  string
	now      func() time.Time
	errs     httpx.Errors
	bodies   httpx.Buffers
	replies  replyPool
	answers  *answerCache
	handler  http.Handler

	billing       billing.Store
	pages         func() string
	internalToken string
}

var _ wire.StrictServerInterface = (*Server)(nil)

// New returns a server of the whole contract.
func New(cfg Config) *Server {
	s := &Server{
		engine: cfg.Engine, identity: cfg.Identity, imports: cfg.Imports, hooks: cfg.Hooks, limits: cfg.Limits, version: cfg.Version, now: cfg.Now,
		internalToken: cfg.InternalToken, pages: cfg.Pages, billing: cfg.Billing,
		limiter: httpx.NewLimiter(rateWindow, rateWindows, cfg.Now),
		answers: newAnswerCache(),
		errs:    httpx.Errors{Translate: translate, Logger: cfg.Logger},
	}
	if s.pages == nil {
		s.pages = func() string { return "" }
	}
	s.handler = httpx.Chain(s.routes(),
		httpx.Identify(), httpx.AccessLog(cfg.Logger, cfg.Now), httpx.Recover(s.errs), httpx.SecureHeaders(), anyOrigin, jsonWithCharset)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) routes() http.Handler {
	rt := &router{mux: http.NewServeMux(), wrap: s.guard, errs: s.errs}
	// The generated server covers what its decoder can read; pushes and the
	// document have handlers of their own.
	strict := wire.NewStrictHandlerWithOptions(s, []wire.StrictMiddlewareFunc{withQuery}, wire.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  func(w http.ResponseWriter, r *http.Request, err error) { s.errs.Write(w, r, bodyError(err)) },
		ResponseErrorHandlerFunc: s.errs.Write,
	})
	wire.HandlerWithOptions(strict, wire.StdHTTPServerOptions{
		BaseRouter:       rt,
		Middlewares:      []wire.MiddlewareFunc{s.withJSONBody},
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) { s.errs.Write(w, r, paramError(r, err)) },
	})
	// The contract changes settings and the account by POST; some clients send PUT.
	rt.HandleFunc("PUT /settings", s.withJSONBody(http.HandlerFunc(strict.PostSettings)).ServeHTTP)
	rt.HandleFunc("PUT /settings/{integration}", s.withJSONBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strict.PostSettingsIntegration(w, r, r.PathValue("integration"))
	})).ServeHTTP)
	rt.HandleFunc("PUT /account", s.withJSONBody(http.HandlerFunc(strict.PostAccount)).ServeHTTP)
	s.mountPushes(rt)
	rt.HandleFunc("GET /openapi.json", s.document)
	s.mountDocs(rt)
	s.mountMail(rt)
	return rt
}

// document serves the contract itself.
func (s *Server) document(w http.ResponseWriter, _ *http.Request) {
	httpx.WriteBody(w, http.StatusOK, openapi.JSON())
}

// GetHealthz implements wire.StrictServerInterface.
func (s *Server) GetHealthz(context.Context, wire.GetHealthzRequestObject) (wire.GetHealthzResponseObject, error) {
	health := wire.GetHealthz200JSONResponse{Status: "ok"}
	if s.version != "" {
		health.Version = &s.version
	}
	return health, nil
}

// anyOrigin lets pages of any origin call the API. Authentication is by a
// header alone and never by cookie, so a page can only do what it has a key for.
// Sign-in takes passwords, so it is closed to pages.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isSignIn(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-GrowPanel-Count, X-GrowPanel-Range, X-GrowPanel-Timezone, Content-Disposition, X-Request-Id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Request-Id")
			h.Set("Access-Control-Max-Age", "86400")
		}
		next.ServeHTTP(w, r)
	})
}

// jsonWithCharset completes the content type that the generated server sets.
func jsonWithCharset(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&charsetWriter{w}, r)
	})
}

type charsetWriter struct{ http.ResponseWriter }

func (w *charsetWriter) WriteHeader(status int) {
	if w.Header().Get("Content-Type") == "application/json" {
		w.Header().Set("Content-Type", httpx.ContentTypeJSON)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *charsetWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// paramError says which parameter the generated server could not read.
func paramError(r *http.Request, err error) error {
	if missing, ok := errors.AsType[*wire.RequiredParamError](err); ok {
		return httpx.Field(missing.ParamName, "is required")
	}
	format, ok := errors.AsType[*wire.InvalidParamFormatError](err)
	switch {
	case !ok:
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_parameter", Message: err.Error()}
	case len(r.URL.Query()[format.ParamName]) > 1:
		return httpx.Field(format.ParamName, "is given several times; separate values with ~~")
	case format.ParamName == "fix_fx", format.ParamName == "committed":
		return httpx.Field(format.ParamName, "must be true or false")
	default:
		return httpx.Field(format.ParamName, "must be a whole number")
	}
}
