package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// The paths of the authorization server.
const (
	PathAuthorize  = "/authorize"
	PathToken      = "/token"
	PathRegister   = "/register"
	PathRevoke     = "/revoke"
	PathIntrospect = "/introspect"

	pathServer   = "/.well-known/oauth-authorization-server"
	pathResource = "/.well-known/oauth-protected-resource"
)

// EndpointsConfig is what Endpoints needs. IntrospectionSecret is optional, all
// else required.
type EndpointsConfig struct {
	Grants    *Grants
	Clients   *Clients
	Limits    RateLimits
	Resources protocol.Resources
	// EmitIss advertises the iss parameter (RFC 9207); the pages send it.
	EmitIss bool
	// IntrospectionSecret is the password of the user introspect; without it,
	// introspection is neither served nor advertised.
	IntrospectionSecret Secret
	Audit               Audit
	Logger              *slog.Logger
}

// Endpoints are the parts of the authorization server that programs talk to:
// metadata, registration, tokens, revocation, introspection. Pages serves what
// people see.
type Endpoints struct {
	cfg EndpointsConfig
}

// NewEndpoints returns the endpoints of grants and clients.
func NewEndpoints(cfg EndpointsConfig) *Endpoints { return &Endpoints{cfg: cfg} }

// Register mounts the endpoints.
func (e *Endpoints) Register(mux *http.ServeMux) {
	mux.Handle(pathServer, e.open(http.MethodGet, e.serverMetadata))
	mux.Handle(pathResource, e.open(http.MethodGet, e.resourceMetadata))
	mux.Handle(pathResource+"/{$}", e.open(http.MethodGet, e.resourceMetadata))
	mux.Handle(pathResource+"/mcp", e.open(http.MethodGet, e.resourceMetadata))
	mux.Handle(pathResource+"/mcp/{$}", e.open(http.MethodGet, e.resourceMetadata))
	mux.Handle(PathRegister, e.open(http.MethodPost, e.register))
	mux.Handle(PathToken, e.open(http.MethodPost, e.token))
	mux.Handle(PathRevoke, e.open(http.MethodPost, e.revoke))
	if !e.cfg.IntrospectionSecret.IsZero() {
		mux.Handle(PathIntrospect, e.closed(http.MethodPost, e.introspect))
	}
	mux.Handle("/.well-known/", NotFound())
	mux.Handle("/mcp/.well-known/", NotFound())
}

// NotFound answers probes for documents that there are not, such as those of
// OpenID Connect, with a clean 404: clients then try the next place.
func NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowAnyOrigin(w.Header())
		if r.Method == http.MethodOptions {
			preflight(w, http.MethodGet)
			return
		}
		writeError(w, http.StatusNotFound, "not_found", "there is no such document here")
	})
}

// handler answers a request, or returns an error before it has written anything.
type handler func(w http.ResponseWriter, r *http.Request) error

// open serves one method to pages of every origin: these endpoints take no
// cookies, so a page gains nothing that a program could not have.
func (e *Endpoints) open(method string, h handler) http.Handler {
	served := e.closed(method, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowAnyOrigin(w.Header())
		if r.Method == http.MethodOptions {
			preflight(w, method)
			return
		}
		served.ServeHTTP(w, r)
	})
}

// closed serves one method, to programs alone.
func (e *Endpoints) closed(method string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method+", "+http.MethodOptions)
			writeError(w, http.StatusMethodNotAllowed, string(protocol.InvalidRequest), "this endpoint is for "+method)
			return
		}
		if err := h(w, r); err != nil {
			e.fail(w, r, err)
		}
	})
}

func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
}

// preflight answers the question that a browser asks first.
func preflight(w http.ResponseWriter, method string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", method+", "+http.MethodOptions)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// retryIn is what a client is told when the store or the API does not answer.
const retryIn = 5 * time.Second

// slowDown is the error for a client that asks too often.
type slowDown struct{ wait time.Duration }

func (e *slowDown) Error() string { return "too many requests" }

// fail answers with an error. A store that cannot be asked is a 503: a client
// drops its credentials for invalid_grant, and must not for an outage.
func (e *Endpoints) fail(w http.ResponseWriter, r *http.Request, err error) {
	var slow *slowDown
	switch fault, known := publicError(err); {
	case errors.As(err, &slow):
		retryAfter(w.Header(), slow.wait)
		writeError(w, http.StatusTooManyRequests, string(protocol.TemporarilyUnavailable), "too many requests, try again later")
	case known && fault.Code == protocol.TemporarilyUnavailable:
		e.cfg.Logger.WarnContext(r.Context(), "request could not be served", slog.String("path", r.URL.Path), slog.Any("error", err))
		retryAfter(w.Header(), retryIn)
		writeError(w, fault.Status(), string(fault.Code), fault.Description)
	case known:
		httpx.Annotate(r.Context(), slog.String("refused", string(fault.Code)))
		if fault.Code == protocol.InvalidClient && w.Header().Get("WWW-Authenticate") == "" && len(r.Header["Authorization"]) > 0 {
			w.Header().Set("WWW-Authenticate", `Basic realm="GrowPanel"`) // RFC 6749 §5.2
		}
		writeError(w, fault.Status(), string(fault.Code), fault.Description)
	default:
		if r.Context().Err() == nil {
			e.cfg.Logger.ErrorContext(r.Context(), "request failed", slog.String("path", r.URL.Path), slog.Any("error", err), slog.String("request_id", httpx.RequestID(r.Context())))
		}
		writeError(w, http.StatusInternalServerError, string(protocol.ServerError), "internal error")
	}
}

// publicError is an error as a client may see it.
func publicError(err error) (*protocol.Error, bool) {
	if fault, ok := errors.AsType[*protocol.Error](err); ok {
		return fault, true
	}
	switch {
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrFull):
		return &protocol.Error{Code: protocol.TemporarilyUnavailable, Description: "the server cannot answer this right now, try again"}, true
	case errors.Is(err, ErrInvalidGrant):
		return &protocol.Error{Code: protocol.InvalidGrant, Description: "the code or token is invalid, expired, revoked or was issued to another client"}, true
	case errors.Is(err, ErrInvalidScope):
		return &protocol.Error{Code: protocol.InvalidScope, Description: "the scope exceeds what was granted"}, true
	case errors.Is(err, ErrInvalidTarget):
		return &protocol.Error{Code: protocol.InvalidTarget, Description: "the token was granted for another resource"}, true
	default:
		return nil, false
	}
}

func retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10))
}

// errorBody is the error of RFC 6749 §5.2 and its kin.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func writeError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	httpx.WriteJSON(w, status, errorBody{Error: code, Description: description})
}

// Address is where a request comes from.
func Address(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// Bucket is what an address counts as when requests are limited: itself, or
// for IPv6 its /64, of which one customer has as many addresses as they like.
func Bucket(from netip.Addr) string {
	if from.Is6() {
		if prefix, err := from.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return from.String()
}

// limit counts a request of an address to an endpoint.
func (e *Endpoints) limit(ctx context.Context, endpoint string, from netip.Addr, rate Rate) error {
	wait, err := e.cfg.Limits.Take(ctx, endpoint+":"+Bucket(from), rate)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &slowDown{wait}
	}
	return nil
}

// HostGuard answers requests for other hosts than ours with 421 (RFC 9110
// §15.5.20): a name that somebody else points at this server, to use it from
// their pages, gets nothing. Paths that are open are served to any host: probes
// of a load balancer do not know ours.
func HostGuard(resources protocol.Resources, open ...string) httpx.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ours := resources.Origin(r.Host); !ours && !slices.Contains(open, r.URL.Path) {
				writeError(w, http.StatusMisdirectedRequest, "misdirected_request", "this server does not answer for that host")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// ResourceMetadataURL is where the metadata of the resource is that a request
// addresses: the path goes behind the well-known one (RFC 9728 §3.1).
func ResourceMetadataURL(resources protocol.Resources, r *http.Request) string {
	origin, ours := resources.Origin(r.Host)
	if !ours {
		origin = resources.Issuer()
	}
	return origin + pathResource + strings.TrimSuffix(r.URL.Path, "/")
}
